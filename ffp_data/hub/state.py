"""What an assignment starts from: the hub's state, linkage's findings, people's decisions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple

import pyarrow as pa

from ffp_data.hub.errors import InvalidInputError

RecordPair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Retired:
    """An identifier that gave way to another, in the run of number ``at``.

    records: what it held then; hosts: what its present successor held just before.
    """

    replaced_by: str
    at: int
    records: frozenset[str]
    hosts: frozenset[str] = frozenset()


@dataclass(frozen=True)
class State:
    """What the hub holds before a run.

    members: each record's identifier; issued: the run number of every identifier ever;
    retired: those of them that gave way.
    """

    members: Mapping[str, str] = field(default_factory=dict)
    issued: Mapping[str, int] = field(default_factory=dict)
    retired: Mapping[str, Retired] = field(default_factory=dict)

    @property
    def active_count(self) -> int:
        return len(self.issued) - len(self.retired)

    def resolve(self, child_id: str) -> str:
        """The living identifier at the end of the chain of replacements."""
        while child_id in self.retired:
            child_id = self.retired[child_id].replaced_by
        return child_id

    @cached_property
    def absorbed(self) -> Mapping[str, tuple[str, ...]]:
        """For each living identifier the retired ones that lead to it, first retired first."""
        into: dict[str, list[str]] = {}
        for child_id in sorted(self.retired, key=lambda c: (self.retired[c].at, c)):
            into.setdefault(self.resolve(child_id), []).append(child_id)
        return {child_id: tuple(gone) for child_id, gone in into.items()}


class Pair(NamedTuple):
    """A scored pair of records, left before right.

    weight: evidence in bits; probability: of one person; veto: name of the fact that forbids
    the join whatever the weight, or empty.
    """

    left: str
    right: str
    weight: float
    probability: float
    veto: str = ""


@dataclass(frozen=True)
class Links:
    """What linkage found: the cluster of each record and the pairs behind it."""

    clusters: Mapping[str, str]
    pairs: tuple[Pair, ...] = ()

    @classmethod
    def from_arrow(cls, clusters: pa.Table, pairs: pa.Table | None) -> Links:
        """Read the linkage engine's tables.

        clusters: record_id, cluster_id; each record once. pairs: record_id_l, record_id_r,
        match_weight, match_probability and, if linkage knows vetoes, veto (name or null).
        Raises InvalidInputError for a missing column or value and
        for a record that is listed twice.
        """
        records, names = _columns("clusters", clusters, "record_id", "cluster_id")
        if len(set(records)) != len(records):
            raise InvalidInputError("clusters: a record_id is listed more than once")
        return cls(dict(zip(records, names, strict=True)), _read_pairs(pairs))

    @cached_property
    def canonical_clusters(self) -> Mapping[str, str]:
        """Each record's cluster under the name of its least record."""
        least: dict[str, str] = {}
        for record, cluster in self.clusters.items():
            if cluster not in least or record < least[cluster]:
                least[cluster] = record
        return {record: least[cluster] for record, cluster in self.clusters.items()}


def _read_pairs(pairs: pa.Table | None) -> tuple[Pair, ...]:
    if pairs is None or pairs.num_rows == 0:
        return ()
    columns = ("record_id_l", "record_id_r", "match_weight", "match_probability")
    vetoes = pairs["veto"].to_pylist() if "veto" in pairs.column_names else [None] * len(pairs)
    read = zip(*_columns("pairs", pairs, *columns), vetoes, strict=True)
    # Rounded, so that the last bit of a sum over threads is not a new input.
    return tuple(
        Pair(min(left, right), max(left, right), round(weight, 6), round(share, 9), veto or "")
        for left, right, weight, share, veto in read
    )


def _columns(name: str, table: pa.Table, *columns: str) -> list[list[Any]]:
    missing = [column for column in columns if column not in table.column_names]
    if missing:
        raise InvalidInputError(f"{name}: column {', '.join(missing)} is missing")
    empty = [column for column in columns if table[column].null_count]
    if empty:
        raise InvalidInputError(f"{name}: column {', '.join(empty)} has empty values")
    return [table[column].to_pylist() for column in columns]


@dataclass(frozen=True)
class Constraints:
    """Decisions in force, as pairs of record keys with the lesser key first."""

    same: frozenset[RecordPair] = frozenset()
    not_same: frozenset[RecordPair] = frozenset()

    @cached_property
    def forbidden(self) -> Mapping[str, frozenset[str]]:
        """For each record the records that it must not be joined with."""
        return _partners(self.not_same)

    @cached_property
    def required(self) -> Mapping[str, frozenset[str]]:
        """For each record the records that it must be joined with."""
        return _partners(self.same)


def _partners(pairs: frozenset[RecordPair]) -> dict[str, frozenset[str]]:
    partners: dict[str, set[str]] = {}
    for left, right in pairs:
        partners.setdefault(left, set()).add(right)
        partners.setdefault(right, set()).add(left)
    return {record: frozenset(others) for record, others in partners.items()}


@dataclass(frozen=True)
class Facts:
    """What the records themselves say that an assignment must heed.

    numbers: the current valid NHS number of each record that has one, or a token for it; merged:
    pairs of records (lesser key first) that their sender says are one; corrected: names of the
    identifying fields that the sender changed since the last run, by record; content: a digest of
    all identifying facts, so that a correction alone makes another input.
    """

    numbers: Mapping[str, str] = field(default_factory=dict)
    merged: frozenset[RecordPair] = frozenset()
    corrected: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    content: str = ""

    @cached_property
    def partners(self) -> Mapping[str, frozenset[str]]:
        """For each record those that its sender merged it with."""
        return _partners(self.merged)


@dataclass(frozen=True, slots=True)
class Rules:
    """Numbers that decide; probabilities are those of the linkage model's thresholds.

    ``join`` and ``break_``: records of one child that linkage no longer joins stay together
    while their strongest pair lies from ``break_`` up to ``join``. ``change_share`` and
    ``change_least``: a run may change this share of the existing identifiers, or this many if
    that is more.
    """

    join: float = 0.95
    break_: float = 0.5
    change_share: float = 0.10
    change_least: int = 50

    def __post_init__(self) -> None:
        if not 0 <= self.break_ <= self.join <= 1:
            raise ValueError("rules need 0 <= break_ <= join <= 1")

    def change_limit(self, existing: int) -> int:
        return max(self.change_least, int(self.change_share * existing))


def input_digest(
    as_at: date,
    model_version: str,
    links: Links,
    constraints: Constraints,
    rules: Rules,
    facts: Facts = Facts(),
) -> str:
    """SHA-256 of all that decides a run's outcome, in an order that no file order changes."""
    digest = hashlib.sha256(repr((as_at, model_version, rules, facts.content)).encode())
    for part in (
        sorted(facts.numbers.items()),
        sorted(facts.merged),
        sorted(links.canonical_clusters.items()),
        sorted(links.pairs),
        sorted(constraints.same),
        sorted(constraints.not_same),
    ):
        digest.update(repr(part).encode())
    return digest.hexdigest()
