"""What an engine does: the only part that touches records or pairs in bulk.

An engine reads and codes the records, proposes and compares pairs, and gives back grouped patterns
and the pairs that are asked for. Estimation, weights and clusters are shared by all engines and see
arrays only. Records are numbered 0, 1, ... in the order of their ids, so that nothing later depends
on the order of the input. Two engines given one model and the same records give equal results.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from linkage.errors import LinkageError
from linkage.model import Model
from linkage.packing import Packing

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Loaded:
    """What is known of the records after loading: how many, and which comparisons can speak.

    ``dropped`` are the comparisons that cannot, each with the reason.
    """

    count: int
    packing: Packing
    dropped: dict[str, str]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Grouped:
    """Distinct (pattern, mask) with the number of pairs of each; arrays of equal length.

    Bit i of a mask is set when blocking rule i proposes the pair.
    """

    pattern: Ints
    mask: Ints
    count: Ints


@dataclass(frozen=True)
class RuleSize:
    """What a rule would propose: pairs (before other rules take their share) and its largest block.

    ``member`` is the lowest record number in the largest block (in any of them, if several are of
    one size), on the left side of a crossed rule; None without a block.
    """

    name: str
    pairs: int
    largest_block: int
    member: int | None = None


@dataclass(frozen=True)
class Identities:
    """Id and source of each record, by number. A source without a name is null."""

    record_ids: pa.StringArray
    sources: pa.DictionaryArray


class Engine(Protocol):
    """An engine with its records loaded. Pairs are (left, right) with left < right."""

    @property
    def loaded(self) -> Loaded:
        """What is known of the records."""

    def rule_sizes(self) -> list[RuleSize]:
        """What each blocking rule would propose, counted before anything is proposed."""

    def patterns(self) -> Grouped:
        """Propose all pairs of the rules, compare each once, and group them."""

    def random_patterns(self) -> Grouped:
        """Patterns of pairs that no rule chose: all if they are few, else evenly spread ones."""

    def collision_probability(self, column: str) -> float:
        """Exact probability that two different records with a value agree on it."""

    def survivors(self, patterns: Ints) -> tuple[Ints, Ints, Ints]:
        """(left, right, pattern) of the proposed pairs with these patterns, ordered by the pair."""

    def compare(self, left: Ints, right: Ints) -> Ints:
        """Patterns of given pairs, in their order."""

    def value_counts(self, column: str) -> Ints:
        """For each record, how many records have its value of a column; 0 where it has none.

        Only for the columns of the exact levels of comparisons with term frequencies.
        """

    def identities(self) -> Identities:
        """Ids and sources of the records."""


@runtime_checkable
class ValueEngine(Engine, Protocol):
    """An engine that also tells values, so that a fit can be kept and used again."""

    def values(self, column: str) -> pa.DictionaryArray:
        """The value of each record in a column as text, null where it has none.

        Only for the columns that ``value_counts`` takes.
        """

    def numbers(self, column: str) -> Ints:
        """A number for the value of each record in a column, -1 where it has none.

        Below 2**31; equal values have equal numbers, and nothing else is read from them.
        """


def random_steps(records: int, wanted: int) -> list[int]:
    """Steps such that record i and record i + step (modulo ``records``) give the wanted pairs.

    Golden-ratio spacing keeps the steps far from one another, so that families do not meet.
    """
    spread = (i * 0.6180339887498949 % 1 for i in range(1, -(-wanted // records) + 1))
    return sorted({1 + int(share * (records - 1)) for share in spread})


def refuse_oversized(engine: Engine, sizes: list[RuleSize], model: Model) -> None:
    """Raise LinkageError, with advice, for rules over the model's limit.

    The worst key is told by the id of a record that has it: its value may be somebody's name.
    """
    limit = model.limits.pairs_per_rule
    too_big = [s for s in sizes if s.pairs > limit and s.member is not None]
    if too_big:
        ids = engine.identities().record_ids
        rules = "; ".join(
            f"'{s.name}' would compare {s.pairs:,} pairs (largest block {s.largest_block:,} records,"
            f" with record {ids[s.member].as_py()})"
            for s in too_big
        )
        raise LinkageError(
            f"{model.path or 'model'}: blocking rules over the limit of {limit:,} pairs: {rules}. "
            "Look at that record's key: turn a placeholder into a missing value with 'null_if', add a "
            "component to the rule (a date part, an outward postcode), or raise limits.pairs_per_rule"
        )
