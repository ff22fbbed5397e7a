"""Look-ups: one record against all that are there, in milliseconds, weighed as a run would weigh them.

The model's blocking rules propose the records to compare, its comparisons give the levels, and the
fit gives weights: the same probability as a run with this fit gives the pair. What only a whole
population can tell (``moved_together``) says nothing here.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from linkage.catalogue import Catalogue, Standardiser, hash_column, mixed
from linkage.derived import groups_column, part_column, words_column
from linkage.engine import Floats, Ints
from linkage.equivalents import groups_table
from linkage.errors import LinkageError
from linkage.estimate import veto_names
from linkage.fitted import Fitted
from linkage.model import Model
from linkage.packing import Packing
from linkage.score import Frequencies, Weigher
from linkage.single import Judge, columns_read
from linkage.spec import Comparison, Key

MOST = 2_000


class TooLittleError(LinkageError):
    """No blocking rule has all that it needs; ``ways`` are sets of columns that would do."""

    def __init__(self, ways: list[tuple[str, ...]]) -> None:
        """Name what would do."""
        self.ways = ways
        told = "; or ".join(" and ".join(way) for way in ways)
        super().__init__(f"too little to look for anybody; give {told}")

    def __reduce__(self) -> tuple[type[TooLittleError], tuple[list[tuple[str, ...]]]]:
        """Made again from the ways, not from the words, where it comes from another process."""
        return type(self), (self.ways,)


class TooManyError(LinkageError):
    """More records share the given values than are worth comparing."""

    def __init__(self, found: int) -> None:
        """Say how many."""
        self.found = found
        super().__init__(f"{found:,} records share these values; give more of them")

    def __reduce__(self) -> tuple[type[TooManyError], tuple[int]]:
        """Made again from the number."""
        return type(self), (self.found,)


@dataclass(frozen=True)
class Match:
    """A record that may be the one looked for. ``weight`` is log2 of the odds of one person."""

    record_id: str
    weight: float
    probability: float
    veto: str | None
    levels: Mapping[str, str]


class Lookup:
    """Finds records of a catalogue under a fitted model; safe for several threads."""

    def __init__(self, catalogue: Catalogue, model: Model, fitted: Fitted) -> None:
        """Raises LinkageError for a fit of another model."""
        fitted.check(model)
        self.model, self.catalogue, self._fitted = model, catalogue, fitted
        self._prepare()

    def _prepare(self) -> None:
        self._packing = Packing(tuple(c for c in self.model.comparisons if not c.moved))
        self._judge = Judge.of(self._packing)
        self._standardiser = Standardiser(self.model)
        self._groups = {c: _groups(self.model, c) for c in sorted(self._packing.grouped())}
        self._words = sorted(self._packing.words())

    @property
    def inputs(self) -> frozenset[str]:
        """The columns that a record to look for may have."""
        return self._standardiser.inputs

    @cached_property
    def ways(self) -> list[tuple[str, ...]]:
        """Sets of input columns that suffice, one for each rule, the smallest first."""
        found = {
            tuple(sorted({s for k in side for s in self.model.inputs_of(k.column)}))
            for rule in self.model.blocking
            for side in (rule.equal, rule.other)
        }
        return sorted(found, key=lambda way: (len(way), way))

    def find(
        self, record: Mapping[str, str | None], at_least: float | None = None, most: int = MOST
    ) -> list[Match]:
        """Records that are this one with a probability of ``at_least`` (the review threshold).

        ``record`` has text by input column; a date as 2015-03-31. Best first. Raises TooLittleError
        where no rule can propose anything, TooManyError above ``most`` records to compare.
        """
        probe = self._with_lists(self._standardiser.values(record))
        rows = self._proposed(probe)
        if len(rows) > most:
            raise TooManyError(len(rows))
        least = self.model.thresholds.review if at_least is None else at_least
        return self._weighed(probe, rows, least) if len(rows) else []

    def warm_up(self) -> None:
        """Import what the first search would wait for."""
        nobody, missing = (
            np.zeros(1, np.int64),
            np.zeros((1, len(self._packing.comparisons)), np.int64),
        )
        weigher = Weigher(
            self.model, self._fitted.parameters, self._packing, lambda c: self._share(c, {})
        )
        weigher.score(nobody, nobody, self._packing.pack(missing), self._fitted.shares)

    def _proposed(self, probe: Mapping[str, Any]) -> Ints:
        """Numbers of the records that some rule proposes, ascending."""
        found = []
        asked = False
        for rule, (own, other) in zip(self.model.blocking, self.catalogue.sides, strict=True):
            first = _key(rule.equal, probe)
            if rule.where_missing and rule.where_missing in probe:
                first = None
            second = _key(rule.other, probe) if other is not None else None
            asked = asked or first is not None or second is not None
            if first is not None:
                found.append((other or own).of(first))
            if second is not None:
                found.append(own.of(second))
        if not asked:
            raise TooLittleError(self.ways)
        rows = np.unique(np.concatenate(found)) if found else np.empty(0, np.int32)
        return rows.astype(np.int64)

    def _weighed(self, probe: Mapping[str, Any], rows: Ints, least: float) -> list[Match]:
        levels = np.array(
            [self._judge.levels(probe, other) for other in self._records(probe, rows)], np.int64
        )
        weigher = Weigher(
            self.model, self._fitted.parameters, self._packing, lambda c: self._share(c, probe)
        )
        nobody = np.zeros(len(rows), np.int64)
        scored = weigher.score(nobody, rows, self._packing.pack(levels), self._fitted.shares)
        chosen = np.flatnonzero(scored.at_least(least) if least > 0 else np.ones(len(rows), bool))
        vetoes = veto_names(self.model, self._packing, levels) if scored.veto[chosen].any() else []
        matches = [
            Match(
                self.catalogue.ids[int(rows[i])].as_py(),
                float(scored.weight[i]),
                float(scored.probability[i]),
                next((name for name, applies in vetoes if applies[i]), None),
                self._named(levels[i].tolist()),
            )
            for i in chosen.tolist()
        ]
        return sorted(matches, key=lambda match: (-match.weight, match.record_id))

    def _named(self, codes: list[int]) -> dict[str, str]:
        """The levels that say something, by comparison."""
        pairs = zip(self._packing.comparisons, codes, strict=True)
        return {c.name: c.level_names[code] for c, code in pairs if code}

    def _records(self, probe: Mapping[str, Any], rows: Ints) -> list[dict[str, Any]]:
        """The values of some records that can matter beside this one's."""
        spoken = [c for c in self._packing.comparisons if any(name in probe for name in c.columns)]
        names = sorted({name for c in spoken for name in self._reads[c.name]})
        at = pa.array(rows)
        values = [self.catalogue.columns[name].take(at).to_pylist() for name in names]
        records = [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]
        return [self._with_lists(record) for record in records]

    @cached_property
    def _reads(self) -> dict[str, set[str]]:
        """The derived columns that each comparison reads."""
        return {c.name: self._read_by(c) for c in self._packing.comparisons}

    def _read_by(self, comparison: Comparison) -> set[str]:
        alone = Packing((comparison,))
        other = self._packing.named(comparison.only_if_missing)
        parts = {part_column(c, p) for c, p in alone.parts()}
        return {*columns_read(alone), *parts, *(other.columns if other else ())}

    def _with_lists(self, values: dict[str, Any]) -> dict[str, Any]:
        """The values with their groups of equivalents and their words."""
        for column, groups in self._groups.items():
            if (value := values.get(column)) is not None:
                values[groups_column(column)] = groups.get(value)
        for column, least in self._words:
            if (value := values.get(column)) is not None:
                words = frozenset(word for word in value.split(" ") if len(word) >= least)
                values[words_column(column, least)] = words
        return values

    def _share(self, column: str, probe: Mapping[str, Any]) -> Floats:
        """The share of the probe's own value; it counts only where the other has the same."""
        known = self._fitted.frequencies[column]
        return np.array([_count(known, probe.get(column)) / max(1, known.filled)])

    def close(self) -> None:
        """Forget what was asked."""
        self._standardiser.close()


def _key(keys: Iterable[Key], probe: Mapping[str, Any]) -> int | None:
    components = [probe.get(hash_column(key)) for key in keys]
    there = [component for component in components if component is not None]
    return mixed(there) if len(there) == len(components) else None


def _count(known: Frequencies, value: str | None) -> int:
    """How many records had a value; one that is not listed counts as seen once."""
    if value is None:
        return 1
    at = bisect_left(known.values, value, key=lambda scalar: scalar.as_py())
    found = at < len(known.values) and known.values[at].as_py() == value
    return int(known.counts[at]) if found else 1


def _groups(model: Model, column: str) -> dict[str, frozenset[int]]:
    """The groups of equivalents of each standardised value in a column's table."""
    with duckdb.connect(":memory:", config={"temp_file_encryption": "true"}) as con:
        table = groups_table(con, model, column)
    rows = zip(table["value"].to_pylist(), table["groups"].to_pylist(), strict=True)
    return {value: frozenset(groups) for value, groups in rows if value is not None}
