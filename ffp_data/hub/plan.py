"""From an assignment to the rows and events that a run writes; pure, given the new identifiers.

Each event carries the evidence as it was in this run: the records, the strongest pair and
whether a reviewer's decision stood behind it. A record's *link confidence* is the weakest
pair on the strongest path from it to the records that the identifier had before (or, for
a new identifier, to its earliest record); a decision "same" counts as 1. It is the
confidence with which the record was linked, and is not revised while it stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ffp_data.hub.assignment import Assignment
from ffp_data.hub.events import OF_A_RUN, Event, EventKind, Reason
from ffp_data.hub.partition import Partition
from ffp_data.hub.state import Constraints, Facts, Links, Pair, State


@dataclass(frozen=True, slots=True)
class Place:
    """A record's new identifier; confidence None for a record that nothing else supports."""

    record_key: str
    child_id: str
    confidence: float | None = None


@dataclass(frozen=True)
class Plan:
    """All that a run changes. Retired and redirected identifiers map to their successor."""

    issued: tuple[str, ...]
    restored: tuple[str, ...]
    retired: Mapping[str, str]
    redirected: Mapping[str, str]
    places: tuple[Place, ...]
    closed: tuple[str, ...]
    events: tuple[Event, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Number of events of each kind that a run writes."""
        counted = Counter(event.kind for event in self.events)
        return {kind.value: counted[kind] for kind in OF_A_RUN}


def make_plan(
    state: State,
    links: Links,
    constraints: Constraints,
    assignment: Assignment,
    new_ids: Sequence[str],
    facts: Facts = Facts(),  # noqa: B008 - frozen
) -> Plan:
    """Rows and events; ``new_ids`` has one identifier for each group that asks for one."""
    return _Planner(state, links, constraints, assignment, tuple(new_ids), facts).plan()


@dataclass(frozen=True)
class _Planner:
    state: State
    links: Links
    constraints: Constraints
    assignment: Assignment
    new_ids: tuple[str, ...]
    facts: Facts

    def plan(self) -> Plan:
        places = (*self._places_in_groups(), *self._places_of_absent_records())
        return Plan(
            issued=self.new_ids,
            restored=tuple(sorted(self.assignment.restored)),
            retired=self._successors(self.assignment.retired),
            redirected=self._successors(self.assignment.redirected),
            places=places,
            closed=tuple(p.record_key for p in places if p.record_key in self.state.members),
            events=(
                *self._issued(),
                *self._restored(),
                *self._transfers(),
                *self._retired(),
                *self._redirected(),
                *self._joined(),
                *self._corrected(),
            ),
        )

    @cached_property
    def _names(self) -> tuple[str, ...]:
        """Identifier of each group."""
        new = iter(self.new_ids)
        return tuple(group.child_id or next(new) for group in self.assignment.groups)

    def _before(self, record: str) -> str | None:
        return self.state.members.get(record)

    def _successors(self, groups: Mapping[str, int]) -> dict[str, str]:
        return {child_id: self._names[number] for child_id, number in groups.items()}

    # Places

    def _places_in_groups(self) -> Iterator[Place]:
        for number, group in enumerate(self.assignment.groups):
            name = self._names[number]
            arrivals = [r for r in group.records if self._before(r) != name]
            if not arrivals:
                continue
            anchors = set(group.records).difference(arrivals) or {group.records[0]}
            confidence = link_confidence(
                group.records, anchors, self._pairs_inside.get(number, ()), self._certain
            )
            for record in arrivals:
                yield Place(record, name, confidence.get(record))

    @cached_property
    def _certain(self) -> Constraints:
        """What is no guess: a reviewer's "same", and what a sender merged."""
        return Constraints(same=self.constraints.same | self.facts.merged)

    def _places_of_absent_records(self) -> Iterator[Place]:
        """Records that this run doesn't bring follow their identifier where it goes."""
        successors = self._successors(self.assignment.retired)
        returning = self._returning()
        for record, child_id in self.state.members.items() if successors or returning else ():
            after = returning.get(record, successors.get(child_id, child_id))
            if after != child_id and record not in self.assignment.group_of:
                yield Place(record, after)

    def _returning(self) -> dict[str, str]:
        """Records that an identifier brought into a merge, when it is restored or redirected."""
        retired = self.state.retired
        going = {child_id: child_id for child_id in self.assignment.restored}
        going |= self._successors(self.assignment.redirected)
        returning: dict[str, str] = {}
        for child_id in sorted(going, key=lambda c: (retired[c].at, c)):
            former = self.state.resolve(child_id)
            for record in retired[child_id].records:
                if self.state.members[record] == former:
                    returning.setdefault(record, going[child_id])
        return returning

    # Events

    def _issued(self) -> Iterator[Event]:
        for group, name in zip(self.assignment.groups, self._names, strict=True):
            if group.child_id is None:
                yield Event(EventKind.ISSUED, name, evidence={"records": list(group.records)})

    def _restored(self) -> Iterator[Event]:
        for group in self.assignment.groups:
            if group.child_id in self.assignment.restored:
                former = self.state.resolve(group.child_id)
                yield Event(
                    EventKind.RESTORED,
                    group.child_id,
                    former,
                    self._parting_reason(group.records, former),
                    {"records": list(group.records)},
                )

    @cached_property
    def _transferred(self) -> Mapping[tuple[str, str], Sequence[str]]:
        """Records that changed identifier, by (from, to)."""
        moved: dict[tuple[str, str], list[str]] = {}
        for record, number in self.assignment.group_of.items():
            before, after = self._before(record), self._names[number]
            if before is not None and before != after:
                moved.setdefault((before, after), []).append(record)
        return {key: sorted(moved[key]) for key in sorted(moved)}

    def _transfers(self) -> Iterator[Event]:
        """Splits and moves; what a whole merge moves is told by its own event."""
        fresh = self.assignment.restored.union(self.new_ids)
        merged = self._merged
        for (before, after), records in self._transferred.items():
            if before not in merged:
                kind = EventKind.SPLIT if after in fresh else EventKind.MOVED
                yield Event(
                    kind,
                    before,
                    after,
                    self._parting_reason(records, before),
                    {"records": records, **_strongest(self._pairs_across.get(before, ()), records)},
                )

    @cached_property
    def _merged(self) -> frozenset[str]:
        """Identifiers that retire with all their records to one other."""
        targets: dict[str, set[str]] = {}
        for before, after in self._transferred:
            targets.setdefault(before, set()).add(after)
        return frozenset(c for c in self.assignment.retired if len(targets[c]) == 1)

    def _retired(self) -> Iterator[Event]:
        for child_id, successor in self._successors(self.assignment.retired).items():
            records = self._transferred[child_id, successor]
            group = self.assignment.groups[self.assignment.retired[child_id]]
            between = self._pairs_inside.get(self.assignment.retired[child_id], ())
            yield Event(
                EventKind.MERGED if child_id in self._merged else EventKind.RETIRED,
                child_id,
                successor,
                self._joining_reason(records, group.records),
                {"records": records, **_strongest(between, records)},
            )

    def _redirected(self) -> Iterator[Event]:
        for child_id, successor in self._successors(self.assignment.redirected).items():
            former = self.state.retired[child_id].replaced_by
            yield Event(EventKind.REDIRECTED, child_id, successor, evidence={"former": former})

    def _joined(self) -> Iterator[Event]:
        for number, group in enumerate(self.assignment.groups):
            if group.child_id is None:
                continue
            for record in group.records:
                if self._before(record) is None:
                    yield Event(
                        EventKind.JOINED,
                        group.child_id,
                        reason=self._joining_reason([record], group.records),
                        evidence={
                            "records": [record],
                            **_strongest(self._pairs_inside.get(number, ()), [record]),
                        },
                    )

    def _corrected(self) -> Iterator[Event]:
        """Records whose sender changed identifying facts, and that stayed where they were."""
        for record, fields in sorted(self.facts.corrected.items()):
            number = self.assignment.group_of.get(record)
            before = self._before(record)
            if number is not None and before is not None and before == self._names[number]:
                evidence = {"records": [record], "fields": list(fields)}
                yield Event(EventKind.CORRECTED, before, reason=Reason.SENDER, evidence=evidence)

    # Evidence

    def _parting_reason(self, records: Iterable[str], before: str) -> str:
        """Whether a "not the same" stands between the records and their former companions."""
        return _decided(
            self._before(other) == before
            for record in records
            for other in self.constraints.forbidden.get(record, ())
        )

    def _joining_reason(self, arrivals: Iterable[str], group: Iterable[str]) -> str:
        """Whether a "same", or the word of a sender, ties the arrivals to the rest of the group."""
        came = tuple(arrivals)
        rest = set(group).difference(came)

        def tied_by(partners: Mapping[str, frozenset[str]]) -> bool:
            return any(not rest.isdisjoint(partners.get(record, ())) for record in came)

        if tied_by(self.constraints.required):
            return Reason.DECISION
        return Reason.SENDER if tied_by(self.facts.partners) else Reason.LINKAGE

    @cached_property
    def _touched(self) -> frozenset[int]:
        """Groups that some record came to."""
        return frozenset(
            number
            for record, number in self.assignment.group_of.items()
            if self._before(record) != self._names[number]
        )

    @cached_property
    def _pairs_inside(self) -> Mapping[int, Sequence[Pair]]:
        """Scored pairs inside each touched group, without vetoed ones."""
        group_of, inside = self.assignment.group_of, dict[int, list[Pair]]()
        for pair in self.links.pairs:
            number = group_of.get(pair.left)
            if pair.veto or number not in self._touched:
                continue
            if number == group_of.get(pair.right):
                inside.setdefault(number, []).append(pair)
        return inside

    @cached_property
    def _pairs_across(self) -> Mapping[str, Sequence[Pair]]:
        """Scored pairs of one identifier's records that are in two groups now."""
        group_of, across = self.assignment.group_of, dict[str, list[Pair]]()
        for pair in self.links.pairs:
            before = self._before(pair.left)
            if before is None or before != self._before(pair.right):
                continue
            if group_of.get(pair.left) != group_of.get(pair.right):
                across.setdefault(before, []).append(pair)
        return across


def _decided(ties: Iterable[bool]) -> str:
    return Reason.DECISION if any(ties) else Reason.LINKAGE


def _strongest(pairs: Iterable[Pair], records: Iterable[str]) -> dict[str, Any]:
    """The strongest pair between the records and others, as evidence; empty where there is none."""
    some = set(records)
    bridging = (pair for pair in pairs if (pair.left in some) != (pair.right in some))
    best = min(bridging, key=lambda p: (-p.weight, p.left, p.right), default=None)
    if best is None:
        return {}
    return {
        "strongest_pair": {
            "left": best.left,
            "right": best.right,
            "match_weight": best.weight,
            "match_probability": best.probability,
            **({"veto": best.veto} if best.veto else {}),
        }
    }


def link_confidence(
    records: Sequence[str], anchors: set[str], pairs: Iterable[Pair], constraints: Constraints
) -> dict[str, float]:
    """For records that a path of pairs ties to the anchors: its weakest probability, at best."""
    parts = Partition(records)
    members = {record: [record] for record in records}
    inside = set(records)
    ties = [(1.0, *pair) for pair in constraints.same if inside.issuperset(pair)]
    ties += [(pair.probability, pair.left, pair.right) for pair in pairs]
    anchor = min(anchors)
    for record in anchors:
        if united := parts.unite(anchor, record):
            members[united[0]] += members.pop(united[1])

    confidence: dict[str, float] = {}
    for share, left, right in sorted(ties, key=lambda tie: (-tie[0], *tie[1:])):
        home = parts.find(anchor)
        if united := parts.unite(left, right):
            kept, gone = united
            if home in united:
                newcomers = members[gone if kept == home else kept]
                confidence.update(dict.fromkeys(newcomers, share))
            members[kept] += members.pop(gone)
    return confidence
