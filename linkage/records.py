"""Records in: checked, standardised, and their values coded as integers, in one DuckDB table.

Every text column becomes an ENUM of its domain, so that equality in the joins is equality of
integers and the text is looked up only where a similarity needs it. The table ``rec`` has one row
for each record in the order of the record ids, which makes every later step independent of the
order of the input: ``rid`` (0, 1, ...), the columns, parts, word lists, groups of equivalents,
counts of values (``<column>__n``) and one key for each blocking rule (``k0``, ``k0x``, ...).
"""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from linkage import tables
from linkage.checks import (
    date_columns,
    refuse_ids,
    refuse_missing,
    refuse_nested,
    unread_dates,
    usable,
)
from linkage.engine import Identities, Ints, Loaded
from linkage.errors import LinkageError
from linkage.model import Model, domain_of
from linkage.packing import Packing, groups_column, part_column, words_column
from linkage.spec import Comparison, Key
from linkage.standardise import apply_steps, column_sql, part_sql

DATA = Path(__file__).parent / "data"


def load(con: duckdb.DuckDBPyConnection, records: pa.Table | Path | str, model: Model) -> Loaded:
    """Create table ``rec``; raises LinkageError for input that cannot be linked."""
    tables.register(con, records)
    dates = _check(con, model)
    _stage(con, model)
    kept, dropped, warnings = _usable(con, model, dates)
    packing = Packing(kept)
    _add_groups(con, model, packing)
    _code(con, model, packing)
    return Loaded(_scalar(con, "SELECT count(*) FROM rec"), packing, dropped, warnings)


def _scalar(con: duckdb.DuckDBPyConnection, query: str) -> int:
    row = con.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def _name(column: str) -> str:
    """A quoted identifier, for names that come from the input."""
    return '"' + column.replace('"', '""') + '"'


def _check(con: duckdb.DuckDBPyConnection, model: Model) -> dict[str, int]:
    """Refuse what cannot be linked; gives the number of values in each column of dates."""
    types = {row[0]: str(row[1]) for row in con.execute("DESCRIBE input").fetchall()}
    refuse_missing(model, types)
    refuse_nested(model, types)
    record_id, dates = _name(model.record_id), date_columns(model)
    counts = [f"count({_name(read)})" for read in dates.values()]
    empty, *given = con.execute(
        f"SELECT {', '.join([f'count(*) - count({record_id})', *counts])} FROM input"
    ).fetchall()[0]
    twice = con.execute(
        f"SELECT {record_id}::VARCHAR, count(*) OVER () FROM input GROUP BY {record_id}::VARCHAR"
        " HAVING count(*) > 1 ORDER BY 1 LIMIT 3"
    ).fetchall()
    refuse_ids(model, empty, twice[0][1] if twice else 0, [row[0] for row in twice])
    return dict(zip(dates, given, strict=True))


def _stage(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Standardised text and dates, in the order of the record ids."""
    read = [
        f"{column_sql(column, _name(column.from_ or name))} AS {name}"
        for name, column in model.columns.items()
        if not column.first_of
    ]
    made = [
        f"coalesce({', '.join(_base_columns(model, name))}) AS {name}"
        for name, column in model.columns.items()
        if column.first_of
    ]
    source = f"{_name(model.source)}::VARCHAR" if model.source else "NULL::VARCHAR"
    con.execute(
        f"CREATE TABLE staged AS SELECT {', '.join(['*', *made])} FROM ("
        f"SELECT {_name(model.record_id)}::VARCHAR AS _record_id, {source} AS _source, "
        f"{', '.join(read)} FROM input) ORDER BY _record_id"
    )


def _base_columns(model: Model, name: str) -> list[str]:
    first_of = model.columns[name].first_of
    return [b for c in first_of for b in _base_columns(model, c)] if first_of else [name]


def _usable(
    con: duckdb.DuckDBPyConnection, model: Model, dates: dict[str, int]
) -> tuple[tuple[Comparison, ...], dict[str, str], tuple[str, ...]]:
    columns = list(model.columns)
    row = con.execute(
        "SELECT " + ", ".join(f"count(DISTINCT {c}), count({c})" for c in columns) + " FROM staged"
    ).fetchone()
    assert row is not None
    constant = [c for c, distinct in zip(columns, row[::2], strict=True) if distinct == 1]
    filled = dict(zip(columns, row[1::2], strict=True))
    lost = unread_dates(model, dates, filled)
    records = _scalar(con, "SELECT count(*) FROM staged")
    kept, dropped, warnings = usable(model, records, filled, constant)
    return kept, dropped, (*lost, *warnings)


def equivalents_path(model: Model, table: str) -> Path:
    """Where a table of equivalents lies: beside the model file, or in this package's data."""
    beside = model.path.parent / model.equivalents[table] if model.path else None
    found = [p for p in (beside, DATA / model.equivalents[table]) if p and p.is_file()]
    if not found:
        raise LinkageError(
            f"{model.path or 'model'}: key 'equivalents.{table}': no file "
            f"'{model.equivalents[table]}' beside the model or in {DATA}"
        )
    return found[0]


def read_equivalents(path: Path) -> pa.Table:
    """Columns value and group_id of a table of equivalents."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if not {"value", "group", "source"} <= set(reader.fieldnames or ()):
            raise LinkageError(f"{path}, line 1: needs the columns value, group and source")
        rows = [(row["value"], row["group"]) for row in reader]
    groups = {g: i for i, g in enumerate(sorted({group for _, group in rows}))}
    return pa.table(
        {
            "value": pa.array([v for v, _ in rows], pa.string()),
            "group_id": pa.array([groups[g] for _, g in rows], pa.int32()),
        }
    )


def _add_groups(con: duckdb.DuckDBPyConnection, model: Model, packing: Packing) -> None:
    """One table ``groups_<column>`` of value and group numbers for each column with equivalents."""
    for column in sorted(packing.grouped()):
        spec = model.columns[column]
        assert spec.equivalents is not None
        table = read_equivalents(equivalents_path(model, spec.equivalents))
        con.register("equivalents_in", table)
        con.execute(
            f"CREATE TABLE groups_{column} AS SELECT {apply_steps('value', spec.steps)} AS value,"
            " list(DISTINCT group_id ORDER BY group_id) AS groups FROM equivalents_in GROUP BY 1"
        )
        con.unregister("equivalents_in")


def _code(con: duckdb.DuckDBPyConnection, model: Model, packing: Packing) -> None:
    """Create ``rec`` from ``staged``."""
    _create_domains(con, model)
    counted = [c.levels[c.exact_level - 1].exact for c in packing.comparisons if c.term_frequency]
    select = ["row_number() OVER (ORDER BY _record_id)::INTEGER - 1 AS rid", "_record_id"]
    select.append("dense_rank() OVER (ORDER BY _source NULLS FIRST)::INTEGER AS _source_code")
    select.append("_source")
    for name, column in model.columns.items():
        coded = f"s.{name}::domain_{domain_of(model, name)}" if column.type == "text" else name
        select.append(f"{coded} AS {name}")
    select += [
        f"{part_sql(p, f's.{c}')} AS {part_column(c, p)}" for c, p in sorted(packing.parts())
    ]
    select += [
        f"list_filter(string_split(s.{c}, ' '), lambda w: length(w) >= {least})"
        f" AS {words_column(c, least)}"
        for c, least in sorted(packing.words())
    ]
    joins = ""
    for grouped in sorted(packing.grouped()):
        select.append(f"groups_{grouped}.groups AS {groups_column(grouped)}")
        joins += f" LEFT JOIN groups_{grouped} ON groups_{grouped}.value = s.{grouped}"
    for one in sorted({str(c) for c in counted}):
        select.append(f"count(s.{one}) OVER (PARTITION BY s.{one}) AS {one}__n")
    for index, rule in enumerate(model.blocking):
        select.append(f"{_key_sql(rule.equal)} AS k{index}")
        if rule.with_:
            select.append(f"{_key_sql(rule.other)} AS k{index}x")
    con.execute(f"CREATE TABLE rec AS SELECT {', '.join(select)} FROM staged s{joins} ORDER BY rid")
    con.execute("DROP TABLE staged")


def _create_domains(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    domains: dict[str, list[str]] = {}
    for name, column in model.columns.items():
        if column.type == "text":
            domains.setdefault(domain_of(model, name), []).append(name)
    for domain, columns in domains.items():
        # The empty text keeps the type valid when no record has a value; it never occurs otherwise.
        values = " UNION ".join(f"SELECT {c} FROM staged WHERE {c} IS NOT NULL" for c in columns)
        con.execute(f"CREATE TYPE domain_{domain} AS ENUM (SELECT '' UNION {values} ORDER BY 1)")


def _key_sql(keys: tuple[Key, ...]) -> str:
    """A 64-bit hash of the components; NULL when one is missing. A collision only adds a pair."""
    parts = [part_sql(k.part, f"s.{k.column}") if k.part else f"s.{k.column}" for k in keys]
    present = " AND ".join(f"({p}) IS NOT NULL" for p in parts)
    return f"CASE WHEN {present} THEN hash({', '.join(parts)}) END"


def collision_probability(con: duckdb.DuckDBPyConnection, column: str) -> float:
    """Exact probability that two different records with a value agree on it."""
    row = con.execute(
        f"SELECT sum(n::DOUBLE * (n - 1)), sum(n) FROM "
        f"(SELECT count(*) AS n FROM rec WHERE {column} IS NOT NULL GROUP BY {column})"
    ).fetchone()
    agreeing, filled = (float(v or 0) for v in row) if row else (0.0, 0.0)
    return min(agreeing / (filled * (filled - 1)), 1 - 1e-9) if filled > 1 else 0.0


def value_counts(con: duckdb.DuckDBPyConnection, column: str) -> Ints:
    """For each record, how many records have its value of a counted column; 0 without a value."""
    rows = con.execute(f"SELECT {column}__n AS n FROM rec ORDER BY rid").fetchnumpy()
    return np.asarray(rows["n"], dtype=np.int64)


def values(con: duckdb.DuckDBPyConnection, column: str) -> pa.DictionaryArray:
    """The value of each record in a column as text; null without a value."""
    found = con.execute(f"SELECT {column} AS v FROM rec ORDER BY rid").to_arrow_table()["v"]
    if not pa.types.is_dictionary(found.type):
        return found.cast(pa.string()).combine_chunks().dictionary_encode()
    return found.unify_dictionaries().combine_chunks()


def identities(con: duckdb.DuckDBPyConnection) -> Identities:
    """Ids and sources of the records, by number."""
    rows = con.execute("SELECT _record_id, _source FROM rec ORDER BY rid").to_arrow_table()
    ids, sources = (rows[c].combine_chunks() for c in ("_record_id", "_source"))
    return Identities(ids.cast(pa.string()), sources.cast(pa.string()).dictionary_encode())
