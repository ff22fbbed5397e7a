"""Values coded as integers: each distinct value is standardised once, however many records have it.

A space holds the distinct values of all columns that may be compared with one another (a domain,
the members of ``first_of``, the two sides of a crossed rule; all dates). A record keeps a value's
number, so equality is equality of integers, and whatever is made of a value (the sound of a name,
the year of a date) is made once for each value. The numbers follow the order of the input; nothing
but equality is ever read from them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from linkage.errors import LinkageError
from linkage.inputs import Codes
from linkage.model import Model, domain_of
from linkage.packing import Packing
from linkage.standardise import part_sql


@dataclass(frozen=True)
class Space:
    """Distinct values, and for each part in use the number of every value's part.

    ``parts[p]`` has one entry more than there are values: the last is -1, so that the part of the
    missing value -1 is missing. ``size`` is above every number, of values and of parts.
    """

    values: pa.Array
    parts: dict[str, Codes]
    size: int


def spaces_of(model: Model) -> dict[str, str]:
    """For each column, the name of its space: that of the first column it is joined to."""
    space = {name: name for name in model.columns}

    def join(one: str, other: str) -> None:
        kept, gone = space[one], space[other]
        space.update({name: kept for name, old in space.items() if old == gone})

    first: dict[str, str] = {}
    for name, column in model.columns.items():
        domain = "date" if column.type == "date" else f"text {domain_of(model, name)}"
        join(first.setdefault(domain, name), name)
        for member in column.first_of:
            join(member, name)
    for rule in model.blocking:
        for one, other in zip(rule.equal, rule.other, strict=True):
            if model.columns[one.column].type == model.columns[other.column].type:
                join(one.column, other.column)
            elif rule.with_:
                raise LinkageError(
                    f"{model.path or 'model'}: blocking rule '{rule.name}' sets a text column equal "
                    f"to a date: '{one.column}' and '{other.column}'"
                )
    return space


def parts_of(model: Model, space: dict[str, str]) -> dict[str, set[str]]:
    """For each space, the parts of its values that rules and levels read."""
    found: dict[str, set[str]] = {name: set() for name in space.values()}
    keys = (k for rule in model.blocking for k in (*rule.equal, *rule.other))
    compared = (part for c in model.comparisons for part in Packing((c,)).parts())
    for column, part in [*((k.column, k.part) for k in keys), *compared]:
        if part:
            found[space[column]].add(part)
    return found


def expressions(
    con: duckdb.DuckDBPyConnection, values: pa.Array, sql: Iterable[str]
) -> list[pa.Array]:
    """SQL expressions over ``value``, for every value in order."""
    named = {f"e{i}": expression for i, expression in enumerate(sql)}
    con.register("values_in", pa.table({"value": values}))
    try:
        # DuckDB keeps the order of rows in a plain projection (preserve_insertion_order).
        found = con.execute(
            f"SELECT {', '.join(f'{e} AS {name}' for name, e in named.items())} FROM values_in"
        ).to_arrow_table()
    finally:
        con.unregister("values_in")
    return [found[name].combine_chunks() for name in named]


def numbered(values: pa.Array) -> tuple[Codes, pa.Array]:
    """(number of each value or -1, the distinct values in order of appearance)."""
    found = values.dictionary_encode()
    return np.asarray(found.indices.fill_null(-1), dtype=np.int32), found.dictionary


def with_parts(con: duckdb.DuckDBPyConnection, values: pa.Array, parts: Iterable[str]) -> Space:
    """A space of distinct values. Parts of text share the values' numbers, so that a part of one
    column may be compared with another part of another."""
    names = sorted(parts)
    if not names:
        return Space(values, {}, len(values) + 1)
    found = expressions(con, values, (part_sql(p, "value") for p in names))
    text = pa.types.is_string(values.type)
    found = [f.cast(pa.string() if text else pa.int64()) for f in found]
    codes, distinct = numbered(pa.concat_arrays([values, *found] if text else found))
    by_part = np.split(codes, len(names) + 1 if text else len(names))[1 if text else 0 :]
    maps = {p: np.append(c, np.int32(-1)) for p, c in zip(names, by_part, strict=True)}
    return Space(values, maps, max(len(values), len(distinct)) + 1)
