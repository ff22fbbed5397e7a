"""In which order pairs are worked through, and why each stands where it stands; a pure function.

The order is by consequence for a child, one criterion after the other as the rules list them. It is
no score: nothing is added, and the place of a pair is told in words.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from ffp_data.review.found import Candidate
from ffp_data.review.rules import Criterion, ReviewRules

OWN, OF_FAMILY = 2, 1
Key = tuple[float | str, ...]


@dataclass(frozen=True)
class Consequence:
    """What hangs on a pair: facts of the two themselves, facts of an adult's children, services.

    services_left, services_right: the services that know each side.
    """

    own: frozenset[str] = frozenset()
    of_family: frozenset[str] = frozenset()
    services_left: frozenset[str] = frozenset()
    services_right: frozenset[str] = frozenset()
    waiting_since: str = ""

    @property
    def services(self) -> int:
        """How many services one answer gives facts that the other answer keeps from them."""
        left, right = self.services_left, self.services_right
        gain = (left if right - left else frozenset()) | (right if left - right else frozenset())
        return len(gain)


@dataclass(frozen=True)
class Placed:
    """A question with its place in the order and the words for it."""

    candidate: Candidate
    key: Key = field(repr=False)
    words: tuple[str, ...]
    readers: int


def in_order(
    candidates: Iterable[Candidate],
    consequence_of: Mapping[Candidate, Consequence],
    rules: ReviewRules,
) -> tuple[Placed, ...]:
    """The questions, first things first; no order of input shows."""
    placed = (_place(c, consequence_of[c], rules) for c in candidates)
    return tuple(sorted(placed, key=lambda p: p.key))


def _place(c: Candidate, of: Consequence, rules: ReviewRules) -> Placed:
    values = [(criterion, _value(criterion, of)) for criterion in rules.order]
    uncertainty = abs((c.probability or 0.0) - 0.5)
    key: Key = (*(-v for _, v in values), uncertainty, of.waiting_since, c.left, c.right)
    words = tuple(_words(criterion, v) for criterion, v in values if v)
    return Placed(c, key, words, _readers(of, rules.second_reader))


def _value(criterion: Criterion, of: Consequence) -> int:
    if criterion.fact == "services":
        return of.services
    if criterion.fact in of.own:
        return OWN
    return OF_FAMILY if criterion.of_family and criterion.fact in of.of_family else 0


def _words(criterion: Criterion, value: int) -> str:
    if criterion.fact == "services":
        return criterion.words.format(n=value)
    return criterion.words if value == OWN else criterion.of_family


def _readers(of: Consequence, second_reader: Collection[str]) -> int:
    return 1 if (of.own | of.of_family).isdisjoint(second_reader) else 2
