"""What two locks decide differently, in the words of who gains or loses which field.

A grant is taken apart into flows (to whom, for which purpose, which column), so that a change of
how a column leaves, or of whose rows, is one line and not a loss and a gain. Flows that changed in
the same way are told together. Whoever gains is marked: more is shared than was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from governance.policy.widening import INBOUND, shows_more, widenings

HUB = "the hub"
_BY_CASE = {"bulk": "", "case": ", after a decision on each child"}


class Flow(NamedTuple):
    """One column on its way: to whom, for what. Inbound, the relation is feed.table."""

    to: str
    purpose: str
    relation: str
    column: str


class How(NamedTuple):
    """Under which agreement a column flows, how it is changed, whose rows."""

    agreement: str
    transform: str
    cohort: str
    members: str | None
    feeds: tuple[str, ...]
    decision: str = "bulk"


@dataclass(frozen=True)
class Change:
    """Columns of one relation that changed alike; ``before`` or ``after`` is None where none flowed."""

    to: str
    purposes: tuple[str, ...]
    relation: str
    columns: tuple[str, ...]
    before: How | None
    after: How | None

    @property
    def what(self) -> str:
        """``gains``, ``loses`` or ``gets otherwise``."""
        if self.before is None:
            return "gains"
        return "loses" if self.after is None else "gets otherwise"

    @property
    def widens(self) -> bool:
        """Say whether more is shared than was; of other rows nobody can tell, so they count."""
        if self.before is None or self.after is None:
            return self.after is not None
        old, new = self.before, self.after
        more_shown = shows_more(old.transform, new.transform)
        other_rows = (old.cohort, old.members) != (new.cohort, new.members)
        in_bulk = (old.decision, new.decision) == ("case", "bulk")
        return more_shown or other_rows or in_bulk or not set(new.feeds) <= set(old.feeds)

    @property
    def agreement(self) -> str:
        """The agreement under which it flows, or flowed."""
        return (self.after or self.before or How("", "", "", None, ())).agreement

    def words(self) -> str:
        """One sentence, without the number of children."""
        columns = ", ".join(self.columns)
        flow = f"{self.to} {self.what} {self.relation}: {columns}"
        return f"{flow} ({self.how()}) for {', '.join(self.purposes)}, under {self.agreement}"

    def how(self) -> str:
        """How it flows, or what of that is otherwise."""
        if self.before is None or self.after is None:
            how = self.after or self.before
            assert how is not None, "a change has at least one side"
            if self.to == HUB:
                return how.transform
            return f"{how.transform}, rows of {how.cohort}{_BY_CASE[how.decision]}"
        return "; ".join(_differences(self.before, self.after))


def _differences(old: How, new: How) -> Iterator[str]:
    if old.transform != new.transform:
        yield f"{new.transform}, was {old.transform}"
    if old.cohort != new.cohort:
        yield f"rows of {new.cohort}, was {old.cohort}"
    elif old.members != new.members:
        yield f"rows of {new.cohort}, which is chosen otherwise"
    if old.feeds != new.feeds:
        more, less = set(new.feeds) - set(old.feeds), set(old.feeds) - set(new.feeds)
        yield ", ".join(
            [*(f"with {each}" for each in sorted(more)), *(f"no {each}" for each in sorted(less))]
        )
    if old.decision != new.decision:
        yield f"{new.decision}, was {old.decision}"
    if old.agreement != new.agreement:
        yield f"was under {old.agreement}"


@dataclass(frozen=True)
class AgreementChange:
    """What happened to one agreement: ``words``, and each point in which it gives more under its old DPIA."""

    agreement: str
    words: str
    stale: tuple[str, ...] = ()


@dataclass(frozen=True)
class Difference:
    """All that two locks decide differently."""

    before: str
    after: str
    changes: tuple[Change, ...]
    agreements: tuple[AgreementChange, ...]

    @property
    def widens(self) -> bool:
        """Say whether anything is shared that was not."""
        return any(each.widens for each in self.changes) or any(
            each.stale for each in self.agreements
        )


def difference(
    before: Mapping[str, Any], after: Mapping[str, Any], names: tuple[str, str]
) -> Difference:
    """Compare the data of two locks; ``names`` are what a reader calls them."""
    return Difference(
        *names, tuple(_changes(flows(before), flows(after))), tuple(_agreements(before, after))
    )


def flows(lock: Mapping[str, Any]) -> dict[Flow, How]:
    """Return every column that a lock lets in or out, in bulk or on a decision, and how."""
    found: dict[Flow, How] = {}
    for grant in (*lock["ingest"], *lock["release"], *lock.get("cases", ())):
        rows = lock["agreements"][grant["agreement"]]["terms"]["rows"]
        how = How(
            grant["agreement"],
            grant.get("transform", INBOUND),
            rows["cohort"],
            lock["cohorts"][rows["cohort"]]["members"],
            tuple(sorted(rows.get("feeds", ()))),
            rows["decision"],
        )
        relation = grant.get("relation") or f"{grant['feed']}.{grant['table']}"
        for purpose in grant["purposes"]:
            found[Flow(grant.get("recipient", HUB), purpose, relation, grant["column"])] = how
    return found


def _changes(before: Mapping[Flow, How], after: Mapping[Flow, How]) -> Iterator[Change]:
    purposes: dict[tuple[str, str, str, How | None, How | None], list[str]] = {}
    for flow in sorted({*before, *after}):
        old, new = before.get(flow), after.get(flow)
        if old != new:
            purposes.setdefault((flow.to, flow.relation, flow.column, old, new), []).append(
                flow.purpose
            )
    columns: dict[tuple[str, str, tuple[str, ...], How | None, How | None], list[str]] = {}
    for (to, relation, column, old, new), served in purposes.items():
        columns.setdefault((to, relation, tuple(served), old, new), []).append(column)
    for (to, relation, served_, old, new), names in columns.items():
        yield Change(to, served_, relation, tuple(names), old, new)


def _agreements(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[AgreementChange]:
    old, new = before["agreements"], after["agreements"]
    for name in sorted({*old, *new}):
        if name not in old:
            yield AgreementChange(name, f"is new, {_state(new[name])}")
        elif name not in new:
            yield AgreementChange(name, "is gone")
        elif old[name] != new[name]:
            stale = tuple(widenings(before, after, name)) if _same_dpia(old, new, name) else ()
            yield AgreementChange(name, "; ".join(_what_changed(old[name], new[name])), stale)


def _same_dpia(old: Mapping[str, Any], new: Mapping[str, Any], name: str) -> bool:
    return bool(old[name]["terms"]["dpia"] == new[name]["terms"]["dpia"])


def _what_changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    if old["not_in_force"] != new["not_in_force"]:
        yield f"{_state(new)}; it was {_state(old)}"
    changed = sorted(
        term
        for term in {*old["terms"], *new["terms"]}
        if old["terms"].get(term) != new["terms"].get(term)
    )
    if changed:
        yield f"other {', '.join(changed)}"


def _state(entry: Mapping[str, Any]) -> str:
    return (
        "in force" if entry["not_in_force"] is None else f"not in force ({entry['not_in_force']})"
    )
