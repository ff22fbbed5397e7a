"""Records made ready for look-ups: standardised once, and sorted by every blocking key.

Each input column is standardised once for each distinct value. A blocking key is 64 bits, mixed from
the hashes of its components; a collision only adds a pair to compare. The same SQL, prepared, stands
for one value at a time (``Standardiser``), so that a record that is looked up meets the same keys.
A catalogue belongs to one model, its tables and one version of DuckDB (``state_digest``).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from linkage.derived import part_column
from linkage.inputs import Codes, coded
from linkage.model import Model
from linkage.packing import Packing
from linkage.single import columns_read
from linkage.spec import Key
from linkage.sql_text import literal
from linkage.standardise import column_sql, part_sql

Hashes = NDArray[np.uint64]
RECORDS, KEYS = "records", "keys"
_VALUES = "values_in"
_ODD = 0x9E3779B97F4A7C15
_ALL = (1 << 64) - 1


def hash_column(key: Key) -> str:
    """Name of the derived column that holds the hash of a key's component."""
    return f"{part_column(key.column, key.part) if key.part else key.column}__hash"


def mixed(components: Iterable[int]) -> int:
    """The key of one record."""
    key = 0
    for component in components:
        key = ((key ^ component) * _ODD) & _ALL
        key ^= key >> 29
    return key


def _mixed_all(components: Sequence[Hashes]) -> Hashes:
    """The keys of many records."""
    keys = np.zeros(len(components[0]), np.uint64)
    for component in components:
        keys = (keys ^ component) * np.uint64(_ODD)
        keys ^= keys >> np.uint64(29)
    return keys


@dataclass(frozen=True)
class Recipe:
    """What is made of each input column: derived columns by name, and the query that makes them.

    A query reads ``value`` from the relation ``values_in``. ``first_of`` names the columns that take
    the first of others that has a value, in the model's order; ``suffixes`` what is derived from each
    column.
    """

    names: Mapping[str, tuple[str, ...]]
    queries: Mapping[str, str]
    first_of: Mapping[str, tuple[str, ...]]
    suffixes: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, model: Model) -> Recipe:
        wanted = _wanted(model)
        first_of = {n: c.first_of for n, c in model.columns.items() if c.first_of and n in wanted}
        by_input: dict[str, list[str]] = {}
        for name, column in model.columns.items():
            if name in wanted and not column.first_of:
                by_input.setdefault(column.from_ or name, []).append(name)
        names = {
            source: tuple(name + suffix for name in columns for suffix in wanted[name])
            for source, columns in by_input.items()
        }
        queries = {
            source: _query(model, {name: wanted[name] for name in columns}, names[source])
            for source, columns in by_input.items()
        }
        return cls(names, queries, first_of, wanted)


def _query(model: Model, columns: Mapping[str, Sequence[str]], names: Sequence[str]) -> str:
    """Each step is a subquery of its own, so that what several others read is written only once."""
    read = [f"{column_sql(model.columns[c], 'value')} AS {c}" for c in columns]
    parts = {
        part_column(c, part): part_sql(part, c)
        for c, suffixes in columns.items()
        for suffix in suffixes
        if (part := suffix.removesuffix("__hash").removeprefix("__"))
    }
    hashes = {
        name: f"CASE WHEN {made} IS NOT NULL THEN hash({made}) END"
        for name in names
        if (made := name.removesuffix("__hash")) != name
    }
    first = f"SELECT {', '.join(read)} FROM {_VALUES}"
    second = ", ".join(["*", *(f"{sql} AS {name}" for name, sql in parts.items())])
    third = ", ".join(f"{hashes.get(name, name)} AS {name}" for name in names)
    return f"SELECT {third} FROM (SELECT {second} FROM ({first}))"


def _wanted(model: Model) -> dict[str, tuple[str, ...]]:
    """The suffixes of the derived columns that are wanted of each column; the value's own is empty."""
    packing = Packing(model.comparisons)
    found: dict[str, set[str]] = {name: set() for name in columns_read(packing)}
    for column, part in packing.parts():
        found.setdefault(column, set()).add(f"__{part}")
    for rule in model.blocking:
        for key in (*rule.equal, *rule.other):
            found.setdefault(key.column, set()).add(hash_column(key).removeprefix(key.column))
        if rule.where_missing:
            found.setdefault(rule.where_missing, set())
    for name in reversed(model.columns):  # a member stands above the column that is made of it
        for member in model.columns[name].first_of if name in found else ():
            found.setdefault(member, set()).update(found[name])
    return {name: ("", *sorted(found[name])) for name in model.columns if name in found}


@dataclass(frozen=True)
class Side:
    """Records of one side of a rule, by key: ``rows[i]`` has ``keys[i]``, ascending."""

    keys: Hashes
    rows: Codes

    def of(self, key: int) -> Codes:
        """The records with a key."""
        wanted = np.uint64(key)
        first = int(np.searchsorted(self.keys, wanted, side="left"))
        last = int(np.searchsorted(self.keys, wanted, side="right"))
        return self.rows[first:last]


@dataclass(frozen=True)
class Catalogue:
    """Records by number, in the order of their ids.

    ``columns`` has the standardised values and parts that comparisons read, ``sides`` for each rule
    (records by its own key, by its other key where it is crossed).
    """

    ids: pa.StringArray
    columns: Mapping[str, pa.DictionaryArray]
    sides: tuple[tuple[Side, Side | None], ...]

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def of(cls, con: duckdb.DuckDBPyConnection, records: pa.Table, model: Model) -> Catalogue:
        """Standardise and sort records; ids must be there and distinct."""
        order = pc.sort_indices(records[model.record_id])
        columns = _standardised(con, records, order, model)
        read = _read_columns(model)
        kept = {c: columns[c].dictionary_encode() for c in read}
        ids = records[model.record_id].take(order).combine_chunks()
        return cls(ids, kept, tuple(_sides(model, columns)))

    def tables(self) -> dict[str, pa.Table]:
        """The catalogue as two plain tables, to be kept."""
        columns = {name: _plain(column) for name, column in self.columns.items()}
        keys = [
            pa.table(
                {
                    "rule": pa.array(np.full(len(side.rows), index), pa.int16()),
                    "other": pa.array(np.full(len(side.rows), other)),
                    "key": side.keys,
                    "row": side.rows,
                }
            )
            for index, both in enumerate(self.sides)
            for other, side in enumerate(both)
            if side is not None
        ]
        return {RECORDS: pa.table({"record_id": self.ids, **columns}), KEYS: pa.concat_tables(keys)}

    @classmethod
    def from_tables(cls, records: pa.Table, keys: pa.Table, model: Model) -> Catalogue:
        """What ``tables`` gave; rows of both in the order in which they were."""
        names = [name for name in records.column_names if name != "record_id"]
        columns = {n: records[n].combine_chunks().dictionary_encode() for n in names}
        kind = np.asarray(keys["rule"], np.int64) * 2 + np.asarray(keys["other"], np.int64)
        key, row = np.asarray(keys["key"], np.uint64), np.asarray(keys["row"], np.int32)

        def side(number: int) -> Side:
            part = slice(*np.searchsorted(kind, [number, number + 1]))
            return Side(key[part], row[part])

        sides = tuple(
            (side(2 * i), side(2 * i + 1) if rule.with_ else None)
            for i, rule in enumerate(model.blocking)
        )
        return cls(records["record_id"].combine_chunks(), columns, sides)


def _plain(column: pa.DictionaryArray) -> pa.Array:
    return column.dictionary_decode()


def _read_columns(model: Model) -> list[str]:
    """Derived columns that a comparison reads."""
    packing = Packing(model.comparisons)
    return sorted({*columns_read(packing), *(part_column(c, p) for c, p in packing.parts())})


def _standardised(
    con: duckdb.DuckDBPyConnection, records: pa.Table, order: pa.Array, model: Model
) -> dict[str, pa.Array]:
    """Every derived column, in order."""
    recipe = Recipe.of(model)
    found: dict[str, pa.Array] = {}
    for source, query in recipe.queries.items():
        numbers, values = coded(con, records[source].take(order))
        codes = pa.array(numbers, mask=numbers < 0)
        con.register(_VALUES, pa.table({"value": values}))
        # DuckDB keeps the order of rows in a plain projection (preserve_insertion_order).
        made = con.execute(query).to_arrow_table()
        con.unregister(_VALUES)
        for name in recipe.names[source]:
            found[name] = made[name].combine_chunks().take(codes)
    for name, members in recipe.first_of.items():
        _take_first(found, name, members, recipe.suffixes[name])
    return found


def _take_first(
    found: dict[str, pa.Array], name: str, members: tuple[str, ...], suffixes: Iterable[str]
) -> None:
    """The derived columns of the first member that has a value."""
    for suffix in suffixes:
        chosen = found[members[-1] + suffix]
        for member in reversed(members[:-1]):
            chosen = pc.if_else(pc.is_valid(found[member]), found[member + suffix], chosen)
        found[name + suffix] = chosen


def _sides(model: Model, columns: Mapping[str, pa.Array]) -> Iterator[tuple[Side, Side | None]]:
    for rule in model.blocking:
        missing = columns[rule.where_missing].is_null() if rule.where_missing else None
        own = _side(rule.equal, columns, missing)
        yield own, _side(rule.with_, columns, None) if rule.with_ else None


def _side(
    keys: Sequence[Key], columns: Mapping[str, pa.Array], only: pa.BooleanArray | None
) -> Side:
    parts = [columns[hash_column(key)] for key in keys]
    there = np.logical_and.reduce(
        [np.asarray(p.is_valid()) for p in parts] + ([np.asarray(only)] if only is not None else [])
    )
    rows = np.flatnonzero(there).astype(np.int32)
    at = pa.array(rows)
    mixed_keys = _mixed_all([np.asarray(part.take(at), np.uint64) for part in parts])
    order = np.argsort(mixed_keys, kind="stable")
    return Side(mixed_keys[order], rows[order])


class Standardiser:
    """Standardises one value at a time, by prepared queries; safe for several threads.

    What was asked lately is remembered: names repeat.
    """

    def __init__(self, model: Model, remember: int = 1 << 14) -> None:
        """Prepare a query for each input column."""
        self._recipe = Recipe.of(model)
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str], dict[str, Any]] = OrderedDict()
        self._remember = remember
        self._con = duckdb.connect(
            ":memory:", config={"threads": 1, "temp_file_encryption": "true"}
        )
        self._names = {source: f"q{i}" for i, source in enumerate(self._recipe.names)}
        for source, query in self._recipe.queries.items():
            one = f"WITH {_VALUES} AS (SELECT $1::VARCHAR AS value) {query}"
            self._con.execute(f"PREPARE {self._names[source]} AS {one}")

    @cached_property
    def inputs(self) -> frozenset[str]:
        """The input columns that are read."""
        return frozenset(self._names)

    def values(self, record: Mapping[str, str | None]) -> dict[str, Any]:
        """Every derived column that is not missing, of a record with text by input column."""
        found: dict[str, Any] = {}
        for source, text in record.items():
            if text is not None and source in self._names:
                found |= self._of_one(source, text)
        for name, members in self._recipe.first_of.items():
            there = next((m for m in members if found.get(m) is not None), None)
            for suffix in self._recipe.suffixes[name] if there else ():
                found[name + suffix] = found[f"{there}{suffix}"]
        return {name: value for name, value in found.items() if value is not None}

    def _of_one(self, source: str, text: str) -> dict[str, Any]:
        asked = (source, text)
        with self._lock:
            if asked in self._known:
                self._known.move_to_end(asked)
                return self._known[asked]
            # A literal, since EXECUTE takes no parameters of the driver; NUL would end the query.
            plain = text.replace("\0", "")
            row = self._con.execute(f"EXECUTE {self._names[source]}({literal(plain)})").fetchone()
            assert row is not None
            answer = dict(zip(self._recipe.names[source], row, strict=True))
            self._known[asked] = answer
            if len(self._known) > self._remember:
                self._known.popitem(last=False)
            return answer

    def close(self) -> None:
        """Forget everything."""
        self._con.close()
        self._known.clear()
