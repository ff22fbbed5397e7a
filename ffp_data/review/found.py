"""Which pairs of records somebody should look at, and why: a pure function of what a run knows.

A pair across two identifiers stands for all pairs across the two: reviewers are asked once for two
people, by the pair that the model is least unsure to be one. Inside one identifier each doubtful pair
is a question of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ffp_data.hub import grouping, safety
from ffp_data.hub.review import Verdict
from ffp_data.hub.safety import Clash
from ffp_data.hub.state import Pair, RecordPair
from ffp_data.review.rules import ReviewRules, Threshold

CONTRADICTED, DECISIONS, OVERRULED, ASKED = (
    "contradicted_decision",
    "decisions_clash",
    "merge_against_separation",
    "asked",
)
OF_CLASH = {
    safety.TWO_NUMBERS: "two_nhs_numbers",
    safety.ONE_NUMBER: "shared_nhs_number",
    safety.MERGE_OF_KNOWN: "waiting_merge",
    safety.MERGE_OF_NUMBERS: "waiting_merge",
    grouping.MODEL_AGAINST_DECISION: CONTRADICTED,
    grouping.DECISION_AGAINST_DECISION: DECISIONS,
}
"""The reason of the rules for each clash that the hub lists."""


@dataclass(frozen=True, slots=True)
class Join:
    """A step by which a cluster came together; ``mean_weight`` in bits between its two parts."""

    left: str
    right: str
    mean_weight: float | None
    is_decided: bool = False


@dataclass(frozen=True)
class Decided:
    """A decision in force; ``evidence`` is the digest of what could be seen when it was taken."""

    left: str
    right: str
    verdict: Verdict
    number: int = 0
    evidence: str | None = None


@dataclass(frozen=True)
class Known:
    """What a run knows, over the records that it brought.

    child_of, cluster_of: each record's identifier and cluster; pairs: those across two
    identifiers or two clusters; cuts: pairs that reached the joining threshold, with the reason why
    they were kept apart; nhs_numbers: valid ones by record; thresholds: those of the model.
    """

    child_of: Mapping[str, str]
    cluster_of: Mapping[str, str] = field(default_factory=dict)
    pairs: Sequence[Pair] = ()
    joins: Sequence[Join] = ()
    cuts: Mapping[RecordPair, str] = field(default_factory=dict)
    clashes: Sequence[Clash] = ()
    sender_merges: Sequence[RecordPair] = ()
    spoken_against: Sequence[RecordPair] = ()
    asked: Sequence[RecordPair] = ()
    decisions: Sequence[Decided] = ()
    thresholds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question: are the records one person? ``children``: the one or two identifiers they carry."""

    left: str
    right: str
    children: tuple[str, ...]
    reasons: tuple[str, ...]
    probability: float | None = None

    @property
    def pair(self) -> RecordPair:
        return self.left, self.right


_OWN = frozenset({CONTRADICTED, DECISIONS, OVERRULED, ASKED})


def is_own_question(candidate: Candidate) -> bool:
    """Whether the candidate is about this very pair, and no other of the two identifiers would do."""
    return not _OWN.isdisjoint(candidate.reasons)


_Found = tuple[str, RecordPair, float | None]


def find(known: Known, rules: ReviewRules) -> tuple[Candidate, ...]:
    """The questions of a run, in order of their records; reasons in the order of the rules."""
    grouped: dict[tuple[str, ...], list[_Found]] = defaultdict(list)
    for reason, pair, probability in _found(known, rules):
        left, right = sorted(pair)
        if left != right and left in known.child_of and right in known.child_of:
            children = tuple(sorted({known.child_of[left], known.child_of[right]}))
            key = children if len(children) == 2 else (*children, left, right)
            grouped[key].append((reason, (left, right), probability))
    return tuple(
        sorted((_candidate(k, f, rules) for k, f in grouped.items()), key=lambda c: c.pair)
    )


def _candidate(key: tuple[str, ...], found: Sequence[_Found], rules: ReviewRules) -> Candidate:
    # A pair that was decided, or asked about, is itself the question; else the likeliest one.
    first = min(found, key=lambda f: (f[0] not in _OWN, -(f[2] or 0.0), f[1]))
    reasons = {reason for reason, _, _ in found}
    return Candidate(
        *first[1],
        children=key[:2] if len(key) == 2 else key[:1],
        reasons=tuple(name for name in rules.reasons if name in reasons),
        probability=max(
            (f[2] for f in found if f[1] == first[1] and f[2] is not None), default=None
        ),
    )


def _found(known: Known, rules: ReviewRules) -> Iterator[_Found]:
    stated: list[tuple[str, RecordPair]] = [
        *((ASKED, pair) for pair in known.asked),
        *((OVERRULED, pair) for pair in _overruled(known)),
        *((CONTRADICTED, pair) for pair in _contradicted(known)),
        *((OF_CLASH[c.reason], (c.left, c.right)) for c in known.clashes),
    ]
    yield from ((name, pair, None) for name, pair in stated if name in rules.reasons)
    yield from _of_pairs(known, rules)
    yield from _of_joins(known, rules)


def _of_pairs(known: Known, rules: ReviewRules) -> Iterator[_Found]:
    join = known.thresholds.get("join", 1.0)
    for pair in known.pairs:
        both = (pair.left, pair.right)
        if pair.left not in known.child_of or pair.right not in known.child_of:
            continue
        if known.child_of[pair.left] == known.child_of[pair.right]:
            if _is_held(pair, known, join) and "held_link" in rules.reasons:
                yield "held_link", both, pair.probability
        elif reason := _reason_apart(pair, known, rules, join):
            yield reason, both, pair.probability


def _is_held(pair: Pair, known: Known, join: float) -> bool:
    clusters = (known.cluster_of.get(pair.left), known.cluster_of.get(pair.right))
    return clusters[0] != clusters[1] and pair.probability < join and not pair.veto


def _reason_apart(pair: Pair, known: Known, rules: ReviewRules, join: float) -> str | None:
    """Why a pair that carries two identifiers is to be looked at, if it is."""
    reasons = rules.reasons
    if pair.veto:
        least = reasons["vetoed"].vetoes.get(pair.veto) if "vetoed" in reasons else None
        return "vetoed" if least is not None and pair.probability >= _at(least, known) else None
    if pair.probability >= join:
        cut = known.cuts.get((pair.left, pair.right))
        wanted = reasons["bridge_cut"].cuts if "bridge_cut" in reasons else ()
        return "bridge_cut" if cut in wanted else None
    possible = reasons.get("possible_match")
    if possible is None or possible.at_least is None:
        return None
    return "possible_match" if pair.probability >= _at(possible.at_least, known) else None


def _at(threshold: Threshold, known: Known) -> float:
    return known.thresholds[threshold] if isinstance(threshold, str) else threshold


def _of_joins(known: Known, rules: ReviewRules) -> Iterator[_Found]:
    reason = rules.reasons.get("weak_bridge")
    if reason is None or reason.mean_weight_below is None:
        return
    for join in known.joins:
        weak = join.mean_weight is not None and join.mean_weight < reason.mean_weight_below
        if weak and not join.is_decided:
            yield "weak_bridge", (join.left, join.right), None


def _overruled(known: Known) -> list[RecordPair]:
    """Records that their sender merged and a reviewer keeps apart."""
    apart = {(d.left, d.right) for d in known.decisions if d.verdict == Verdict.NOT_SAME}
    return [pair for pair in sorted(map(_ordered, known.sender_merges)) if pair in apart]


def _ordered(pair: RecordPair) -> RecordPair:
    return min(pair), max(pair)


def _contradicted(known: Known) -> Iterator[RecordPair]:
    """Decided pairs against which something speaks: a veto, or a pair that would join the two."""
    join = known.thresholds.get("join", 1.0)
    strong = {
        frozenset((known.child_of[p.left], known.child_of[p.right]))
        for p in known.pairs
        if p.probability >= join and not p.veto and {p.left, p.right} <= known.child_of.keys()
    }
    against = set(map(_ordered, known.spoken_against))
    for d in known.decisions:
        if d.verdict == Verdict.SAME and (d.left, d.right) in against:
            yield d.left, d.right
        if d.verdict == Verdict.NOT_SAME and {d.left, d.right} <= known.child_of.keys():
            between = frozenset((known.child_of[d.left], known.child_of[d.right]))
            if len(between) == 2 and between in strong:
                yield d.left, d.right
