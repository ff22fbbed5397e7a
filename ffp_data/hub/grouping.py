"""Who belongs together in this run: linkage's clusters, corrected by decisions and by what was.

1. Clusters that a decision "same" connects become one block.
2. Join high, break lower: two clusters that hold records of one known child, and of no
   other, become one block while their strongest pair lies between the two thresholds and no
   pair is vetoed. A pair at or above the joining threshold doesn't hold: linkage saw it and
   parted the records all the same, which is a finding and not a flicker.
3. A block with a "not the same" pair inside is built anew from its records, strongest
   evidence first, leaving out each step that would bring the two together. "Not the same"
   wins over "same": a wrong separation can be mended, a wrong join shows one child's facts
   to another's family.

4. What a sender merged, and NHS numbers: ``safety``.

Every contradiction is listed as a clash. The result depends on no order of input.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from ffp_data.hub import safety
from ffp_data.hub.partition import Partition
from ffp_data.hub.safety import Clash
from ffp_data.hub.state import Constraints, Facts, Links, Pair, RecordPair, Rules, State

MODEL_AGAINST_DECISION = "linkage joins records that a reviewer keeps apart"
DECISION_AGAINST_DECISION = "one decision joins records that another keeps apart"


@dataclass(frozen=True)
class Grouping:
    """Groups of record keys, each sorted, in order of their least record; and the clashes."""

    groups: tuple[tuple[str, ...], ...]
    clashes: tuple[Clash, ...]


def group_records(
    state: State,
    links: Links,
    constraints: Constraints,
    rules: Rules,
    facts: Facts = Facts(),  # noqa: B008 - frozen
) -> Grouping:
    """Groups of this run's records; every record of ``links`` is in exactly one."""
    cluster_of = links.canonical_clusters
    same = [pair for pair in sorted(constraints.same) if _both_in(pair, cluster_of)]
    blocks = Partition(cluster_of.values())
    held = _held(state, links.pairs, cluster_of, constraints, rules, facts)
    for left, right in [*same, *held]:
        blocks.unite(cluster_of[left], cluster_of[right])
    waiting = safety.follow_merges(blocks, cluster_of, state, constraints, facts)

    block_of = {record: blocks.find(cluster) for record, cluster in cluster_of.items()}
    torn = _torn(block_of, same, constraints, facts)
    whole = _collect(block_of, torn)
    parts = [
        part
        for block in torn.values()
        for part in _rebuild(block, state, links, constraints, facts)
    ]
    groups = tuple(sorted(tuple(sorted(group)) for group in [*whole, *parts]))
    clashes = {
        *waiting,
        *_clashes(groups, cluster_of, same, constraints),
        *safety.number_clashes(groups, facts),
    }
    return Grouping(groups, tuple(sorted(clashes)))


def _both_in(pair: RecordPair, records: Mapping[str, object]) -> bool:
    return pair[0] in records and pair[1] in records


def _held(
    state: State,
    pairs: Iterable[Pair],
    cluster_of: Mapping[str, str],
    constraints: Constraints,
    rules: Rules,
    facts: Facts,
) -> list[RecordPair]:
    """Pairs of records whose clusters stay together although linkage no longer joins them."""
    sole = _sole_children(state, cluster_of)
    parted = {
        frozenset((cluster_of[left], cluster_of[right]))
        for left, right in constraints.not_same
        if left in cluster_of and right in cluster_of
    }
    numbers = safety.numbers_of_clusters(cluster_of, facts)
    strongest: dict[frozenset[str], Pair] = {}
    for pair in sorted(_inside_a_child(pairs, state, cluster_of)):
        between = frozenset((cluster_of[pair.left], cluster_of[pair.right]))
        children = {sole.get(cluster) for cluster in between}
        if None in children or len(children) > 1:
            continue
        if pair.veto or safety.parted_by_numbers(cluster_of, (pair.left, pair.right), numbers):
            parted.add(between)
        elif between not in strongest or pair.probability > strongest[between].probability:
            strongest[between] = pair
    return [
        (pair.left, pair.right)
        for between, pair in strongest.items()
        if between not in parted and rules.break_ <= pair.probability < rules.join
    ]


def _inside_a_child(
    pairs: Iterable[Pair], state: State, cluster_of: Mapping[str, str]
) -> Iterator[Pair]:
    """Pairs across two clusters whose records carry one identifier."""
    members = state.members
    for pair in pairs:
        left, right = members.get(pair.left), members.get(pair.right)
        if left is None or left != right:
            continue
        if not _both_in((pair.left, pair.right), cluster_of):
            continue
        if cluster_of[pair.left] != cluster_of[pair.right]:
            yield pair


def _sole_children(state: State, cluster_of: Mapping[str, str]) -> dict[str, str]:
    """Clusters that hold records of exactly one known child, with that child."""
    known: dict[str, set[str]] = {}
    for record, cluster in cluster_of.items():
        if child_id := state.members.get(record):
            known.setdefault(cluster, set()).add(child_id)
    return {cluster: next(iter(ids)) for cluster, ids in known.items() if len(ids) == 1}


def _torn(
    block_of: Mapping[str, str],
    same: Iterable[RecordPair],
    constraints: Constraints,
    facts: Facts,
) -> dict[str, list[str]]:
    """Blocks with records inside that must not be together, with their sorted records."""
    names = safety.blocks_of_two_numbers(block_of, same, facts) | {
        block_of[left]
        for left, right in constraints.not_same
        if left in block_of and block_of[left] == block_of.get(right)
    }
    torn: dict[str, list[str]] = {name: [] for name in sorted(names)}
    for record, block in sorted(block_of.items()) if torn else ():
        if block in torn:
            torn[block].append(record)
    return torn


def _collect(block_of: Mapping[str, str], leave_out: Collection[str]) -> list[list[str]]:
    blocks: dict[str, list[str]] = {}
    for record, block in block_of.items():
        if block not in leave_out:
            blocks.setdefault(block, []).append(record)
    return list(blocks.values())


def _rebuild(
    records: Sequence[str], state: State, links: Links, constraints: Constraints, facts: Facts
) -> list[set[str]]:
    """Join the records anew, strongest evidence first, never across a "not the same".

    Nor across two NHS numbers, unless a reviewer said "same" of some of the records.
    """
    inside = set(records)
    heed_numbers = not any(inside.issuperset(pair) for pair in constraints.same)
    parts = Partition(records)
    members = {record: {record} for record in records}
    for left, right in _evidence(records, state, links, constraints, facts):
        one, other = members[parts.find(left)], members[parts.find(right)]
        if any(not other.isdisjoint(constraints.forbidden.get(r, ())) for r in one):
            continue
        if heed_numbers and safety.is_number_barrier(one, other, facts):
            continue
        if united := parts.unite(left, right):
            kept, gone = united
            members[kept] |= members.pop(gone)
    return list(members.values())


def _evidence(
    records: Sequence[str], state: State, links: Links, constraints: Constraints, facts: Facts
) -> Iterator[RecordPair]:
    """Reasons to join, best first: decisions, what a sender merged, scored pairs, one identifier
    so far, one cluster."""
    inside = set(records)
    scored = (p for p in links.pairs if not p.veto and p.left in inside and p.right in inside)
    identifiers = {r: state.members[r] for r in records if r in state.members}
    yield from sorted(pair for pair in constraints.same if inside.issuperset(pair))
    yield from sorted(pair for pair in facts.merged if inside.issuperset(pair))
    for pair in sorted(scored, key=lambda p: (-p.weight, p.left, p.right)):
        yield pair.left, pair.right
    for labels in (identifiers, {r: links.canonical_clusters[r] for r in records}):
        for left, right in combinations(sorted(labels), 2):
            if labels[left] == labels[right]:
                yield left, right


def _clashes(
    groups: Sequence[Sequence[str]],
    cluster_of: Mapping[str, str],
    same: Iterable[RecordPair],
    constraints: Constraints,
) -> list[Clash]:
    group_of = {record: number for number, group in enumerate(groups) for record in group}
    apart = (Clash(*p, DECISION_AGAINST_DECISION) for p in same if group_of[p[0]] != group_of[p[1]])
    together = (
        Clash(left, right, MODEL_AGAINST_DECISION)
        for left, right in constraints.not_same
        if left in cluster_of and cluster_of[left] == cluster_of.get(right)
    )
    return [*apart, *together]
