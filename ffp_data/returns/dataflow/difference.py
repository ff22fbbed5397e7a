"""What changed between two payloads of one child, as the API takes it.

A difference names the child, carries `child_details` whole, and of the rest only what changed: a
list whose elements have an id carries its new and changed elements, each with its id, and purges by
id those that are gone; other lists are carried whole; a value that is gone is null. Applied to the
payload that DfE holds it gives the payload that is wanted: `apply(difference(wanted, held), held) ==
wanted`. Payloads are those of `build`: no nulls, no empty lists, elements in the order of their id.
"""

from __future__ import annotations

from typing import Any

from ffp_data.returns.dataflow.layout import Layout, Node

Payload = dict[str, Any]
PURGE = "purge"


def difference(wanted: Payload, held: Payload, layout: Layout) -> Payload:
    """The smallest message that brings what DfE holds to what is wanted."""
    changed = _difference(wanted, held, layout.child)
    always = {
        name: {**wanted[name], **changed.get(name, {})} if part else wanted[name]
        for name in layout.always
        if name in wanted
        for part in [layout.child.part(name)]
    }
    return {**always, PURGE: False, **{k: v for k, v in changed.items() if k not in always}}


def deletion(held: Payload, layout: Layout) -> Payload:
    """The message that takes a child out of what DfE holds."""
    names = {field.name for field in layout.child.fields}
    return {**{name: held[name] for name in sorted(names & held.keys())}, PURGE: True}


def apply(message: Payload, held: Payload, layout: Layout) -> Payload | None:
    """What DfE holds after a message; None when the child is purged. Used to prove `difference`."""
    return None if message.get(PURGE) else _applied(message, held, layout.child)


def keep_ids(wanted: Payload, held: Payload, layout: Layout) -> Payload:
    """`wanted` with the ids that DfE knows, where the case system only numbered an event anew.

    Some forms of some systems get a new number each night. An element whose id DfE does not know is
    the one that it holds, when that one's id has gone and both say the same by the node's `same_by`.
    """
    return _kept(wanted, held, layout.child)


# Difference


def _difference(wanted: Payload, held: Payload, node: Node) -> Payload:
    changed: Payload = {}
    for name in sorted(wanted.keys() | held.keys()):
        if wanted.get(name) != held.get(name):
            changed[name] = _change(wanted.get(name), held.get(name), node.part(name))
    return changed


def _change(wanted: Any, held: Any, part: Node | None) -> Any:
    """The change of one member, of which either side may be missing but not both."""
    if part is None:
        return wanted  # null when it is gone
    if part.kind == "object":
        return _object_change(wanted, held, part)
    if part.id:
        return _list_change(wanted or [], held or [], part)
    return wanted or []


def _object_change(wanted: Payload | None, held: Payload | None, part: Node) -> Payload | None:
    if wanted is None:
        return {PURGE: True} if part.purge else None
    return {**_difference(wanted, held or {}, part), **({PURGE: False} if part.purge else {})}


def _list_change(wanted: list[Payload], held: list[Payload], part: Node) -> list[Payload]:
    name = str(part.id)
    known = {each[name]: each for each in held}
    left = {each[name] for each in wanted}
    changed = [
        {name: each[name], PURGE: False, **_difference(each, known.get(each[name], {}), part)}
        for each in wanted
        if each != known.get(each[name])
    ]
    gone = [{name: each[name], PURGE: True} for each in held if each[name] not in left]
    return sorted([*changed, *gone], key=lambda each: str(each[name]))


# Application


def _applied(message: Payload, held: Payload, node: Node) -> Payload:
    after = dict(held)
    for name, change in message.items():
        value = _member(change, held.get(name), node.part(name))
        if value is None:
            after.pop(name, None)
        else:
            after[name] = value
    return after


def _member(change: Any, held: Any, part: Node | None) -> Any:
    """A member after its change; None when it is gone."""
    if change is None or (change == [] and not (part and part.id)):
        return None
    if part is None or part.kind == "values" or (part.kind == "list" and not part.id):
        return change
    if part.kind == "object":
        return None if change.get(PURGE) else _applied(change, held or {}, part)
    return _merged(change, held or [], part) or None


def _merged(change: list[Payload], held: list[Payload], part: Node) -> list[Payload]:
    name = str(part.id)
    after = {each[name]: each for each in held}
    for each in change:
        if each.get(PURGE):
            after.pop(each[name], None)
        else:
            after[each[name]] = _applied(each, after.get(each[name], {}), part)
    return [after[key] for key in sorted(after)]


# Ids


def _kept(wanted: Payload, held: Payload, node: Node) -> Payload:
    after = dict(wanted)
    for part in node.contents:
        mine, theirs = wanted.get(part.name), held.get(part.name)
        if mine is None or theirs is None:
            continue
        if part.kind == "object":
            after[part.name] = _kept(mine, theirs, part)
        elif part.id:
            after[part.name] = _kept_list(mine, theirs, part)
    return after


def _kept_list(wanted: list[Payload], held: list[Payload], part: Node) -> list[Payload]:
    name = str(part.id)
    mine, known = {each[name] for each in wanted}, {each[name]: each for each in held}
    free: dict[tuple[Any, ...], list[Any]] = {}
    for each in held:
        if each[name] not in mine:
            free.setdefault(_sameness(each, part), []).append(each[name])
    after = []
    for each in wanted:
        alike = free.get(_sameness(each, part), [])
        key = alike.pop(0) if each[name] not in known and alike else each[name]
        after.append(_kept({**each, name: key}, known.get(key, {}), part))
    return sorted(after, key=lambda each: str(each[name]))


def _sameness(element: Payload, part: Node) -> tuple[Any, ...]:
    return tuple(element.get(name) for name in part.same_by)
