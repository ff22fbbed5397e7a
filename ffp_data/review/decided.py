"""Which questions are settled, so that nobody is asked twice; a pure function.

1. A decision settles its pair, and all pairs across the two identifiers that its records carry.
2. It settles what it implies: records with equal evidence stand for one another, "same" chains.
3. It holds while what can be seen stays as it was: the values of all records of the identifiers, the
   records themselves, and other decisions on them. When that changes, "can't tell" is asked again; a
   binding decision is asked again only where it is also contradicted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from ffp_data.hub.partition import Partition
from ffp_data.hub.review import Verdict
from ffp_data.hub.state import RecordPair
from ffp_data.review.found import ASKED, Candidate, Decided
from ffp_data.review.rules import ReviewRules

EvidenceOf = Callable[[Candidate, RecordPair], str]
"""Digest of what can be seen of a candidate's identifiers, decisions on the given pair left out."""


def outstanding(
    candidates: Iterable[Candidate],
    decisions: Sequence[Decided],
    child_of: Mapping[str, str],
    alike: Mapping[str, str],
    evidence_of: EvidenceOf,
    rules: ReviewRules,
) -> tuple[Candidate, ...]:
    """The candidates that no decision settles.

    ``alike``: the same name for records whose values are equal; a record without one is like no other.
    """
    settled = _Settled(decisions, child_of, alike)
    again = frozenset(rules.asked_again)
    return tuple(
        c for c in candidates if ASKED in c.reasons or not settled.covers(c, again, evidence_of)
    )


class _Settled:
    def __init__(
        self, decisions: Sequence[Decided], child_of: Mapping[str, str], alike: Mapping[str, str]
    ) -> None:
        self._decisions = decisions
        self._by_children: dict[frozenset[str], list[Decided]] = {}
        for each in decisions:
            children = frozenset(child_of.get(r, r) for r in (each.left, each.right))
            self._by_children.setdefault(children, []).append(each)
        same = [d for d in decisions if d.verdict == Verdict.SAME]
        names = {r: alike.get(r, r) for d in decisions for r in (d.left, d.right)}
        self._alike = alike
        self._people = Partition(names.values())
        for d in same:
            self._people.unite(names[d.left], names[d.right])
        self._implied = {
            frozenset(self._people.find(names[r]) for r in (d.left, d.right)): d
            for d in decisions
            if d.verdict != Verdict.CANT_TELL
        }
        self._names = set(names.values())

    def covers(self, c: Candidate, again: frozenset[str], evidence_of: EvidenceOf) -> bool:
        held = self._on(c)
        if not held:
            return False
        newest = max(held, key=lambda d: d.number)
        if newest.verdict != Verdict.CANT_TELL and again.isdisjoint(c.reasons):
            return True
        # A decision that was not taken here is not known to have seen what there is.
        return newest.evidence is not None and newest.evidence == evidence_of(
            c, (newest.left, newest.right)
        )

    def _on(self, c: Candidate) -> list[Decided]:
        """Decisions that speak of the candidate: on its pair, its identifiers, or by implication."""
        children = frozenset(c.children)
        held = [d for d in self._by_children.get(children, ()) if self._speaks(d, c)]
        people = [self._alike.get(r, r) for r in c.pair]
        if self._names.issuperset(people):
            found = self._implied.get(frozenset(map(self._people.find, people)))
            held += [found] if found else []
        return held

    def _speaks(self, d: Decided, c: Candidate) -> bool:
        # Inside one identifier a decision is about its own pair; across two about all pairs.
        return len(c.children) == 2 or (d.left, d.right) == c.pair
