"""What a reviewer sees after the first verdict: why the pair is asked about, and the model's account.

Weights are told comparison by comparison in words and bits; for records under one identifier also
the chain of joins between the two. Where somebody must not be located, comparisons of places and all
sums from which they could be worked out are left out, and strengths are told in words alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ffp_data.review.found import Join
from ffp_data.review.rules import ReviewRules

Bits = Sequence[tuple[str, float]]
"""Steps of a weight: 'comparison: level', or other words, with bits for one person."""


@dataclass(frozen=True)
class Comparison:
    """One comparison's say; bits None where they are withheld."""

    of: str
    says: str
    bits: float | None


@dataclass(frozen=True)
class Link:
    """One join on the way from one record to the other, by the feeds of its two records."""

    left: str
    right: str
    says: str


@dataclass(frozen=True)
class Other:
    """What another record says that goes with one of the two: its feed, and its values with labels."""

    feed: str
    says: tuple[str, ...]


@dataclass(frozen=True)
class Node:
    """A record around the pair: A or B themselves, or A1, B2 and so on of those that stand with them."""

    name: str
    feed: str


@dataclass(frozen=True)
class Edge:
    """Two records that the model compared, by their nodes; strength: 0 (next to nothing) and up, None: withheld."""

    left: str
    right: str
    says: str
    strength: int | None
    is_for: bool | None


@dataclass(frozen=True)
class Evidence:
    """All of it, as plain data; weight, probability None where the model did not weigh the pair.

    others_left, others_right: the other records that stand with each of the two now.
    """

    reasons: tuple[str, ...]
    are_together: bool
    comparisons: tuple[Comparison, ...] = ()
    weight: float | None = None
    probability: float | None = None
    veto: str | None = None
    path: tuple[Link, ...] = ()
    others_left: tuple[Other, ...] = ()
    others_right: tuple[Other, ...] = ()
    notes: tuple[str, ...] = ()
    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()


def comparisons(steps: Bits, rules: ReviewRules, *, is_protected: bool) -> tuple[Comparison, ...]:
    """Each step in words, the strongest first; places and sums left out for the protected."""
    told = []
    for label, bits in sorted(steps, key=lambda step: (-abs(step[1]), step[0])):
        name, _, level = label.partition(": ")
        if is_protected and (name in rules.place_comparisons or not level):
            continue
        of = f"{_spoken(name)}: {_spoken(level)}" if level else name
        told.append(Comparison(of, says(bits, rules), None if is_protected else round(bits, 1)))
    return tuple(told)


def says(bits: float, rules: ReviewRules) -> str:
    """'speaks strongly for one person' and the like."""
    strength = next(s.words for s in rules.strength if abs(bits) < s.below)
    if strength == rules.strength[0].words:
        return strength
    return f"{strength} {'for' if bits > 0 else 'against'} one person"


def way(joins: Iterable[Join], left: str, right: str) -> tuple[Join, ...]:
    """The joins on the way between two records of a cluster; empty where there is none."""
    touching: dict[str, list[Join]] = {}
    for join in joins:
        touching.setdefault(join.left, []).append(join)
        touching.setdefault(join.right, []).append(join)
    came: dict[str, tuple[str, Join] | None] = {left: None}
    waiting = deque([left])
    while waiting and right not in came:
        record = waiting.popleft()
        for join in touching.get(record, ()):
            other = join.right if join.left == record else join.left
            if other not in came:
                came[other] = (record, join)
                waiting.append(other)
    return _traced(came, right)


def _traced(came: Mapping[str, tuple[str, Join] | None], end: str) -> tuple[Join, ...]:
    steps = []
    while step := came.get(end):
        end, join = step
        steps.append(join)
    return tuple(reversed(steps))


def parts(joins: Sequence[Join], left: str, right: str) -> tuple[frozenset[str], frozenset[str]]:
    """What hangs on each of two records when the weakest join on the way between them is taken away."""
    found = way(joins, left, right)
    if not found:
        return frozenset({left}), frozenset({right})
    weakest = min(found, key=lambda j: (j.is_decided, j.mean_weight or 0.0, j.left, j.right))
    rest = [join for join in joins if join != weakest]
    return _reached(rest, left), _reached(rest, right)


def _reached(joins: Iterable[Join], start: str) -> frozenset[str]:
    neighbours: dict[str, set[str]] = {}
    for join in joins:
        neighbours.setdefault(join.left, set()).add(join.right)
        neighbours.setdefault(join.right, set()).add(join.left)
    reached, waiting = {start}, [start]
    while waiting:
        new = neighbours.get(waiting.pop(), set()) - reached
        reached |= new
        waiting += sorted(new)
    return frozenset(reached)


def links(
    steps: Iterable[Join], label_of: Mapping[str, str], rules: ReviewRules
) -> tuple[Link, ...]:
    """The joins of a way by the feeds of their records; a join's say is that of the parts it joined."""
    return tuple(
        Link(
            label_of.get(join.left, join.left.partition("|")[0]),
            label_of.get(join.right, join.right.partition("|")[0]),
            "a reviewer said so" if join.is_decided else says(join.mean_weight or 0.0, rules),
        )
        for join in steps
    )


def edge(
    left: str,
    right: str,
    weight: float,
    veto: str | None,
    rules: ReviewRules,
    *,
    is_protected: bool,
) -> Edge:
    """How the model weighed two records, in words; a fact that forbids the join goes before the weight."""
    if veto:
        return Edge(left, right, f"forbidden by {_spoken(veto)}", len(rules.strength) - 1, False)
    if is_protected:  # from the sum the place could be worked out
        return Edge(left, right, "compared; how strongly is withheld", None, None)
    strength = next(n for n, each in enumerate(rules.strength) if abs(weight) < each.below)
    return Edge(left, right, says(weight, rules), strength, weight > 0)


def other(feed: str, record: Mapping[str, Any], rules: ReviewRules, *, is_protected: bool) -> Other:
    """What a record says of its person; no place where somebody must not be located."""
    left_out = {*rules.not_evidence, *(rules.places if is_protected else ())}
    named = ((label, record.get(n)) for n, label in rules.shown.items() if n not in left_out)
    return Other(feed, tuple(f"{label} {value}" for label, value in named if value is not None))


def as_plain(evidence: Evidence) -> dict[str, Any]:
    """For JSON."""
    return {
        "reasons": list(evidence.reasons),
        "are_together": evidence.are_together,
        "weight": evidence.weight,
        "probability": evidence.probability,
        "veto": evidence.veto,
        "comparisons": [vars(each) for each in evidence.comparisons],
        "path": [vars(each) for each in evidence.path],
        "others_left": [vars(each) for each in evidence.others_left],
        "others_right": [vars(each) for each in evidence.others_right],
        "notes": list(evidence.notes),
        "nodes": [vars(each) for each in evidence.nodes],
        "edges": [vars(each) for each in evidence.edges],
    }


def _spoken(name: str) -> str:
    return name.replace("_", " ")
