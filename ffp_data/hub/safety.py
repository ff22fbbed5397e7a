"""What no join may pass over in silence: NHS numbers, and records that their sender merged.

A person has one current NHS number. Two different ones in a group are a contradiction, whatever else
agrees: only where a reviewer said "same" in it do they stay in one group, and then they are listed.
One number in two groups is listed too: one of the records has another child's number, or the two
groups are one child.

A sender that merges two of its records speaks of its own list, not of what the hub knows. The two are
joined, unless that would join two identifiers that were ever issued, two NHS numbers, or what a reviewer parted; then
the merge waits on the list of clashes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ffp_data.hub.partition import Partition
from ffp_data.hub.state import Constraints, Facts, RecordPair, State

TWO_NUMBERS = "one identifier holds two different NHS numbers, by a decision"
ONE_NUMBER = "one NHS number stands on records of two identifiers"
MERGE_OF_KNOWN = "their sender merged two records that the hub knows as two identifiers"
MERGE_OF_NUMBERS = "their sender merged two records with different NHS numbers"


@dataclass(frozen=True, slots=True, order=True)
class Clash:
    """Two records whose evidence contradicts a decision or each other; a reviewer has to look."""

    left: str
    right: str
    reason: str


@dataclass
class Holdings:
    """The identifiers and the NHS numbers that each block of records holds, as blocks unite."""

    blocks: Partition
    known: dict[str, frozenset[str]]
    numbers: dict[str, frozenset[str]]

    @classmethod
    def of(
        cls, blocks: Partition, cluster_of: Mapping[str, str], state: State, facts: Facts
    ) -> Holdings:
        """What the blocks hold now; ``blocks`` are of the clusters in ``cluster_of``."""
        in_run = {r: blocks.find(c) for r, c in cluster_of.items()}
        return cls(blocks, _held_by(in_run, _origins(state)), _held_by(in_run, facts.numbers))

    def refusal(self, left: str, right: str) -> str:
        """Why the blocks of two clusters may not unite on a sender's word; empty where they may."""
        one, other = self.blocks.find(left), self.blocks.find(right)
        if _are_at_odds(self.known, one, other):
            return MERGE_OF_KNOWN
        if _are_at_odds(self.numbers, one, other):
            return MERGE_OF_NUMBERS
        return ""

    def unite(self, left: str, right: str) -> None:
        """Unite the blocks of two clusters."""
        if united := self.blocks.unite(left, right):
            kept, gone = united
            for held in (self.known, self.numbers):
                held[kept] = _both(held, kept, gone)


def _origins(state: State) -> dict[str, str]:
    """Each record's identifier, or the retired one that brought it there.

    So that taking back a decision parts again what a sender had merged before it.
    """
    origin = dict(state.members)
    brought: dict[str, str] = {}
    for child_id, gone in state.absorbed.items():
        for retired in gone:
            for record in state.retired[retired].records:
                if origin.get(record) == child_id:
                    brought.setdefault(record, retired)
    return origin | brought


def _held_by(in_run: Mapping[str, str], value_of: Mapping[str, str]) -> dict[str, frozenset[str]]:
    held: dict[str, set[str]] = {}
    for record, block in in_run.items():
        if value := value_of.get(record):
            held.setdefault(block, set()).add(value)
    return {block: frozenset(values) for block, values in held.items()}


def _are_at_odds(held: Mapping[str, frozenset[str]], one: str, other: str) -> bool:
    """Whether each block holds what the other doesn't; what a decision united before is no news."""
    nothing = frozenset[str]()
    here, there = held.get(one, nothing), held.get(other, nothing)
    return not (here <= there or there <= here)


def _both(held: Mapping[str, frozenset[str]], one: str, other: str) -> frozenset[str]:
    nothing = frozenset[str]()
    return held.get(one, nothing) | held.get(other, nothing)


def follow_merges(
    blocks: Partition,
    cluster_of: Mapping[str, str],
    state: State,
    constraints: Constraints,
    facts: Facts,
) -> list[Clash]:
    """Unite what senders merged, where nothing forbids it; the merges that have to wait."""
    merges = [p for p in sorted(facts.merged) if p[0] in cluster_of and p[1] in cluster_of]
    if not merges:
        return []
    holdings, waiting = Holdings.of(blocks, cluster_of, state, facts), []
    for left, right in merges:
        if (left, right) in constraints.not_same:
            continue
        pair = cluster_of[left], cluster_of[right]
        if reason := holdings.refusal(*pair):
            waiting.append(Clash(left, right, reason))
        else:
            holdings.unite(*pair)
    return waiting


def blocks_of_two_numbers(
    block_of: Mapping[str, str], same: Iterable[RecordPair], facts: Facts
) -> set[str]:
    """Blocks whose records carry several NHS numbers, and in which no reviewer said "same"."""
    seen = {block_of[left] for left, _ in same}
    numbers = numbers_of_clusters(block_of, facts)
    return {block for block, found in numbers.items() if len(found) > 1} - seen


def number_clashes(groups: Sequence[Sequence[str]], facts: Facts) -> Iterator[Clash]:
    """Two numbers in one group, and one number in two groups; each by its least records."""
    if not facts.numbers:
        return
    bearers: dict[str, dict[int, str]] = {}
    for place, group in enumerate(groups):
        first: dict[str, str] = {}
        for record in group:
            if number := facts.numbers.get(record):
                first.setdefault(number, record)
                bearers.setdefault(number, {}).setdefault(place, record)
        yield from _each_with_the_first(first.values(), TWO_NUMBERS)
    for number in sorted(bearers):
        yield from _each_with_the_first(bearers[number].values(), ONE_NUMBER)


def _each_with_the_first(records: Iterable[str], reason: str) -> Iterator[Clash]:
    least, *others = sorted(records) or [""]
    for other in others:
        yield Clash(least, other, reason)


def is_number_barrier(one: Iterable[str], other: Iterable[str], facts: Facts) -> bool:
    """Whether two parts of a block carry different NHS numbers."""
    here = {facts.numbers[r] for r in one if r in facts.numbers}
    there = {facts.numbers[r] for r in other if r in facts.numbers}
    return not (here <= there or there <= here)


def parted_by_numbers(
    cluster_of: Mapping[str, str], pair: RecordPair, numbers: Mapping[str, frozenset[str]]
) -> bool:
    """Whether the clusters of two records carry different NHS numbers."""
    nothing = frozenset[str]()
    here, there = (numbers.get(cluster_of[record], nothing) for record in pair)
    return not (here <= there or there <= here)


def numbers_of_clusters(cluster_of: Mapping[str, str], facts: Facts) -> dict[str, frozenset[str]]:
    """The NHS numbers that each cluster's records carry."""
    carrying = {r: cluster_of[r] for r in facts.numbers if r in cluster_of}
    return _held_by(carrying, facts.numbers)
