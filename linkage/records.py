"""Records in: checked, standardised and coded, as one array of integers for each column.

Records are numbered in the order of their ids, which makes every later step independent of the order
of the input. Columns that share a space of values (``coding``) are read, standardised and coded
together, spaces side by side; text stays only where a comparison or a caller will read it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from linkage.checks import (
    date_columns,
    needed_columns,
    refuse_ids,
    refuse_missing,
    refuse_nested,
    unread_dates,
    usable,
)
from linkage.coding import Space, expressions, numbered, parts_of, spaces_of, with_parts
from linkage.engine import Identities, Ints, Loaded
from linkage.inputs import Codes, Read, as_text, coded, open_input
from linkage.model import Model
from linkage.packing import Packing
from linkage.standardise import column_sql

InOrder = Callable[[Codes], Codes]


@dataclass(frozen=True)
class Records:
    """Coded records. ``codes[c]`` has for each record the number of its value in ``spaces[c]``, or
    -1 where it has none. ``loaded`` says which comparisons can speak."""

    loaded: Loaded
    identities: Identities
    codes: dict[str, Codes]
    spaces: dict[str, Space]

    def value_counts(self, column: str) -> Ints:
        """For each record, how many records have its value; 0 without a value."""
        codes = self.codes[column]
        counts = np.bincount(codes + 1)
        counts[0] = 0
        return np.asarray(counts[codes + 1], dtype=np.int64)

    def values(self, column: str) -> pa.DictionaryArray:
        """The value of each record as text; null without a value."""
        codes = self.codes[column]
        numbers = pa.array(codes, mask=codes < 0)
        values = self.spaces[column].values.cast(pa.string())
        return pa.DictionaryArray.from_arrays(numbers, values)

    def collision_probability(self, column: str) -> float:
        """Exact probability that two different records with a value agree on it."""
        counts = np.bincount(self.codes[column] + 1)[1:].astype(np.float64)
        filled = counts.sum()
        if filled < 2:
            return 0.0
        return min(float((counts * (counts - 1)).sum() / (filled * (filled - 1))), 1 - 1e-9)


def load(
    con: duckdb.DuckDBPyConnection, source: pa.Table | Path | str, model: Model, threads: int = 2
) -> Records:
    """Read and code records; raises LinkageError for input that cannot be linked."""

    def check(types: dict[str, str]) -> set[str]:
        refuse_missing(model, types)
        refuse_nested(model, types)
        return needed_columns(model)

    read = open_input(con, source, check)
    con.execute("SET threads = 1")  # of DuckDB's own: from here our threads ask it side by side
    space = spaces_of(model)
    parts = parts_of(model, space)

    def ordered() -> tuple[Ints | None, pa.StringArray]:
        with con.cursor() as own:
            return _ordered(own, read, model)

    def in_order(codes: Codes) -> Codes:
        order, _ = sorting.result()
        return codes if order is None else codes[order]

    def code(name: str) -> tuple[str, Coded]:
        columns = [c for c, its in space.items() if its == name]
        with con.cursor() as own:
            return name, _space(own, read, model, columns, parts[name], in_order)

    with ThreadPoolExecutor(threads) as pool:
        sorting = pool.submit(ordered)  # the first task; columns are read meanwhile
        largest = sorted(Counter(space.values()).items(), key=lambda item: (-item[1], item[0]))
        coding = pool.map(code, [name for name, _ in largest])
        _, ids = sorting.result()
        sources = _sources(con, read, model, in_order)
        found = dict(coding)
    codes = {c: found[name].codes[c] for c, name in space.items()}
    spaces = {c: found[name].space for c, name in space.items()}
    given = {c: found[space[c]].given[c] for c in date_columns(model)}
    loaded = _loaded(model, len(ids), codes, given)
    return Records(loaded, Identities(ids, sources), codes, _without_text(loaded, spaces))


def _loaded(model: Model, count: int, codes: dict[str, Codes], dates: dict[str, int]) -> Loaded:
    """``dates``: how many values the columns of dates had before they were read as dates."""
    filled = {c: int(np.count_nonzero(codes[c] >= 0)) for c in codes}
    constant = [c for c, n in filled.items() if n and _constant(codes[c])]
    kept, dropped, warnings = usable(model, count, filled, constant)
    lost = unread_dates(dates, filled)
    return Loaded(count, Packing(kept), dropped, (*lost, *warnings))


def _constant(codes: Codes) -> bool:
    return bool(codes.max() == codes[codes >= 0].min())


def _ordered(
    con: duckdb.DuckDBPyConnection, read: Read, model: Model
) -> tuple[Ints | None, pa.StringArray]:
    """(row of each record in the order of the ids, None if they come so; the ids in that order)."""
    text = as_text(con, read(con, model.record_id, False))
    ids = pa.concat_arrays(text.chunks) if text.num_chunks else pa.array([], pa.string())
    refuse_ids(model, ids.null_count, 0, ())
    earlier, later = ids.slice(0, max(len(ids) - 1, 0)), ids.slice(1)
    if pc.all(pc.less(earlier, later)).as_py() is not False:
        return None, ids
    order = np.asarray(pc.sort_indices(ids))
    ids = ids.take(pa.array(order))
    again = pc.equal(ids.slice(0, len(ids) - 1), ids.slice(1))
    if pc.any(again).as_py():
        twice = pc.unique(ids.slice(1).filter(again))
        refuse_ids(model, 0, len(twice), twice.slice(0, 3).to_pylist())
    return order, ids


def _sources(
    con: duckdb.DuckDBPyConnection, read: Read, model: Model, in_order: InOrder
) -> pa.DictionaryArray:
    """Each record's source; the names in their own order."""
    if model.source is None:
        rows = read(con, model.record_id, False)
        return pa.nulls(len(rows), pa.dictionary(pa.int32(), pa.string()))
    numbers, names = coded(con, read(con, model.source, True))
    text = as_text(con, pa.chunked_array([names])).combine_chunks()
    again, distinct = numbered(text)
    rank = np.empty(len(distinct) + 1, np.int32)
    by_name = pc.sort_indices(distinct)
    rank[np.asarray(by_name)] = np.arange(len(distinct))
    rank[-1] = -1
    found = in_order(rank[np.append(again, np.int32(-1))[numbers]])
    return pa.DictionaryArray.from_arrays(pa.array(found, mask=found < 0), distinct.take(by_name))


@dataclass(frozen=True)
class Coded:
    """A space with the codes of its columns, and how many values each column was given."""

    space: Space
    codes: dict[str, Codes]
    given: dict[str, int]


def _space(
    con: duckdb.DuckDBPyConnection,
    read: Read,
    model: Model,
    columns: list[str],
    parts: set[str],
    in_order: InOrder,
) -> Coded:
    """Read, standardise and code the columns of a space; ``in_order`` puts rows in the ids' order."""
    source = {c: model.columns[c].from_ or c for c in columns if not model.columns[c].first_of}
    inputs = {name: coded(con, read(con, name, True)) for name in sorted(set(source.values()))}
    standard = [
        expressions(con, inputs[name][1], [column_sql(model.columns[c], "value")])[0]
        for c, name in source.items()
    ]
    numbers, values = numbered(pa.concat_arrays(standard))
    ends = np.cumsum([len(s) for s in standard])
    codes: dict[str, Codes] = {}
    for name, number in zip(source, np.split(numbers, ends[:-1]), strict=True):
        codes[name] = in_order(np.append(number, np.int32(-1))[inputs[source[name]][0]])
    for name in columns:  # a member of first_of is defined above it
        for member in model.columns[name].first_of:
            earlier = codes.get(name, codes[member])
            codes[name] = np.where(earlier >= 0, earlier, codes[member])
    given = {c: int(np.count_nonzero(inputs[name][0] >= 0)) for c, name in source.items()}
    return Coded(with_parts(con, values, parts), codes, given)


def _without_text(loaded: Loaded, spaces: dict[str, Space]) -> dict[str, Space]:
    """The spaces without the text that nothing will read: identifiers are compared as numbers."""
    packing = loaded.packing
    read = {c for t in packing.tests() if t.kind != "exact" for c in t.columns()}
    read |= {
        str(c.levels[c.exact_level - 1].exact) for c in packing.comparisons if c.term_frequency
    }
    kept = {id(spaces[c].values) for c in read}
    nothing = pa.array([], pa.string())
    return {
        c: s if id(s.values) in kept else Space(nothing, s.parts, s.size) for c, s in spaces.items()
    }
