"""Which identifier each group of records carries: a pure function, the same for any order of input.

Records that were known before carry their identifier into the group; new records only
attach. Then, in this order:

1. *Overlap.* Each identifier claims the groups that hold its records. The claim with most
   records is granted first (equal ones: the identifier issued first, then the lesser
   identifier, then the part with the earliest record key). An identifier is granted once and
   a group carries one. So in a split the greatest part keeps the identifier.
2. *Seniority.* Where whole children meet in one group, a merge, the identifier issued first
   survives, then the one with most records, then the lesser one. The others retire and point
   to it.
3. *Restoration.* When a merged child comes apart again and a part holds, besides new
   records, only records that a retired identifier brought in, that part gets the retired
   identifier back.
4. A group that nobody holds gets a new identifier.

Records that this run doesn't bring stay with their identifier and follow it when it retires.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ffp_data.hub.grouping import group_records
from ffp_data.hub.safety import Clash
from ffp_data.hub.state import Constraints, Facts, Links, Rules, State

Parts = Mapping[str, Mapping[int, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Group:
    """Records of one person, sorted, with the identifier they carry; None asks for a new one."""

    records: tuple[str, ...]
    child_id: str | None


@dataclass(frozen=True)
class Assignment:
    """Outcome of a run before new identifiers are drawn.

    ``retired``: identifiers that retire, with the number of the group that follows them.
    ``redirected``: identifiers retired before whose records now are in another group.
    ``restored``: retired identifiers that are in use again.
    """

    groups: tuple[Group, ...]
    retired: Mapping[str, int]
    redirected: Mapping[str, int]
    restored: frozenset[str]
    clashes: tuple[Clash, ...]

    @cached_property
    def group_of(self) -> Mapping[str, int]:
        return {record: n for n, group in enumerate(self.groups) for record in group.records}

    def changed_identifiers(self, state: State) -> frozenset[str]:
        """Existing identifiers that lose a record: split, merged away or dissolved."""
        return frozenset(
            child_id
            for record, child_id in state.members.items()
            if (number := self.group_of.get(record)) is not None
            and self.groups[number].child_id != child_id
        )


@dataclass(frozen=True, slots=True)
class _Claim:
    child_id: str
    group: int
    overlap: int
    earliest: str


def assign(
    state: State,
    links: Links,
    constraints: Constraints = Constraints(),  # noqa: B008 - frozen
    rules: Rules = Rules(),  # noqa: B008 - frozen
    facts: Facts = Facts(),  # noqa: B008 - frozen
    former: State | None = None,
) -> Assignment:
    """Identifiers for all records of a run: from the state before it, linkage, decisions, facts.

    ``former``: the state without what a decision had done that was taken back since (``rewind``).
    It says who belongs together and who holds what; what then retires is told from what is.
    """
    before = former or state
    grouping = group_records(before, links, constraints, rules, facts)
    parts, claims = _claimed(before, grouping.groups)
    holder = _by_overlap(claims)
    _by_seniority(before, parts, holder)
    if former:
        parts, claims = _claimed(state, grouping.groups)
    homes = {claim.child_id: claim.group for claim in reversed(claims)}  # the first claim stays
    placed = set(holder.values())
    return Assignment(
        groups=tuple(Group(g, holder.get(n)) for n, g in enumerate(grouping.groups)),
        retired={child_id: homes[child_id] for child_id in sorted(parts.keys() - placed)},
        redirected=_redirected(state, parts, holder, placed),
        restored=frozenset(placed & state.retired.keys()),
        clashes=grouping.clashes,
    )


def _claimed(state: State, groups: Sequence[Sequence[str]]) -> tuple[Parts, list[_Claim]]:
    """Where each known child's records are now, and the claims in the order of granting."""
    parts = _parts(state, groups)
    return parts, sorted(_claims(state, parts), key=lambda claim: _precedence(state, claim))


def _parts(state: State, groups: Sequence[Sequence[str]]) -> Parts:
    """For each known child its records of this run by group; records stay sorted."""
    parts: dict[str, dict[int, list[str]]] = {}
    for number, records in enumerate(groups):
        for record in records:
            if child_id := state.members.get(record):
                parts.setdefault(child_id, {}).setdefault(number, []).append(record)
    return parts


def _claims(state: State, parts: Parts) -> Iterator[_Claim]:
    for child_id, by_group in parts.items():
        restorable = _restorable(state, child_id, by_group)
        for number, records in by_group.items():
            claimant = restorable.get(number, child_id)
            yield _Claim(claimant, number, len(records), records[0])


def _restorable(
    state: State, child_id: str, by_group: Mapping[int, Sequence[str]]
) -> dict[int, str]:
    """Parts of a broken child that a retired identifier may have back.

    The child's own records are those that it had when the others came. A part without any of
    them is foreign; records that joined after the merges belong to neither side. Unless some
    part is not foreign nothing is restored: the child itself is then what is left.
    """
    absorbed = state.absorbed.get(child_id, ())
    if len(by_group) == 1 or not absorbed:
        return {}
    brought = frozenset[str]().union(*(state.retired[gone].records for gone in absorbed))
    own = frozenset[str]().union(*(state.retired[gone].hosts for gone in absorbed)) - brought
    foreign = {n: records for n, records in by_group.items() if own.isdisjoint(records)}
    if len(foreign) == len(by_group):
        return {}
    owners = ((n, _earlier_owner(state, absorbed, records)) for n, records in foreign.items())
    return {number: owner for number, owner in owners if owner}


def _earlier_owner(state: State, absorbed: Sequence[str], records: Sequence[str]) -> str | None:
    """The retired identifier that brought most of the records; of equals the one retired first."""
    brought = [len(state.retired[gone].records.intersection(records)) for gone in absorbed]
    return absorbed[brought.index(max(brought))] if any(brought) else None


def _precedence(state: State, claim: _Claim) -> tuple[int, bool, int, str, str]:
    is_retired = claim.child_id in state.retired
    issued = state.issued[claim.child_id]
    return -claim.overlap, is_retired, issued, claim.child_id, claim.earliest


def _by_overlap(claims: Sequence[_Claim]) -> dict[int, str]:
    """Grant claims in order: an identifier once, a group once."""
    holder: dict[int, str] = {}
    placed: set[str] = set()
    for claim in claims:
        if claim.child_id not in placed and claim.group not in holder:
            holder[claim.group] = claim.child_id
            placed.add(claim.child_id)
    return holder


def _by_seniority(state: State, parts: Parts, holder: dict[int, str]) -> None:
    """Where whole children meet, let the senior identifier hold the group."""
    whole: dict[int, list[str]] = {}
    for child_id, by_group in parts.items():
        if len(by_group) == 1:
            whole.setdefault(next(iter(by_group)), []).append(child_id)
    for number, children in whole.items():
        if holder[number] in state.retired or holder[number] in children:
            holder[number] = min(
                children, key=lambda c: (state.issued[c], -len(parts[c][number]), c)
            )


def _redirected(
    state: State, parts: Parts, holder: Mapping[int, str], placed: set[str]
) -> dict[str, int]:
    """Identifiers retired into a child that now breaks, whose records went elsewhere."""
    redirected: dict[str, int] = {}
    for child_id, by_group in parts.items():
        for gone in state.absorbed.get(child_id, ()) if len(by_group) > 1 else ():
            brought = state.retired[gone].records
            counts = {n: len(brought.intersection(records)) for n, records in by_group.items()}
            home = min(counts, key=lambda n: (-counts[n], by_group[n][0]))
            leads_here = state.retired[gone].replaced_by == child_id
            stays_retired = leads_here and gone not in placed
            if stays_retired and counts[home] and holder.get(home) != child_id:
                redirected[gone] = home
    return redirected
