"""Run the rules of a return over its tables.

The views of the collection are made once as temporary tables of the connection, beside a few
macros that all rules share (the census dates, working days, code sets); then each rule is one
query. Nothing of this outlives the call.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import duckdb
import pyarrow as pa

from ffp_data.calendar import working_day_table
from ffp_data.identifiers import install_macros
from ffp_data.returns.findings import Finding, sort_findings
from ffp_data.returns.layout import Layout, LayoutError
from ffp_data.returns.rules import Rule
from ffp_data.returns.tables import existing_tables

_MACROS = """
CREATE OR REPLACE TEMP MACRO reference_date() AS DATE '{reference_date}';
CREATE OR REPLACE TEMP MACRO census_start() AS DATE '{census_start}';
CREATE OR REPLACE TEMP MACRO in_census(d) AS d BETWEEN census_start() AND reference_date();
CREATE OR REPLACE TEMP MACRO is_code(name, c) AS
    c IN (SELECT code FROM code WHERE code_set = name);
-- The n-th working day before d; d itself is not counted, whether a working day or not.
CREATE OR REPLACE TEMP MACRO working_days_before(d, n) AS (
    SELECT min(day) FROM working_day WHERE working_day_number = 1 - n + (
        SELECT max(working_day_number) FROM working_day WHERE day < d
    )
);
"""
_TEMP_TABLE = re.compile(r"CREATE OR REPLACE TEMP TABLE (\w+)")


@dataclass(frozen=True)
class RuleBook:
    """What one collection and year is checked by.

    `views` is SQL with {schema} in it; `lists` are extra one-column tables of text by name;
    `parameters` become macros of that name without arguments. `children` are the tables in which
    a child's LAchildID is looked up for findings, the first that has it. `beside` is the layout
    of a return whose tables the rules look at too.
    """

    layout: Layout
    rules: tuple[Rule, ...]
    views: str
    lists: Mapping[str, tuple[str, Sequence[str]]]
    parameters: Mapping[str, int]
    children: tuple[str, ...]
    beside: Layout | None = None

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """Every layout that a rule may speak of, the return's own first."""
        return (self.layout,) if self.beside is None else (self.layout, self.beside)

    @property
    def key_columns(self) -> frozenset[str]:
        """Columns by which a rule may name the records concerned."""
        tables = (table for layout in self.layouts for table in layout.tables)
        return frozenset(key for table in tables for key in table.key_columns)


def validate_tables(
    con: duckdb.DuckDBPyConnection, book: RuleBook, reference_date: date, schema: str
) -> list[Finding]:
    """Findings of every rule of the book over the tables of `schema`, in a fixed order.

    Raises LayoutError when a table is missing. Values of findings hold personal data.
    """
    missing = {t.name for t in book.layout.tables} - existing_tables(con, schema)
    if missing:
        raise LayoutError(f"schema {schema} has no {', '.join(sorted(missing))}; build marts first")
    with prepared(con, book, reference_date, schema):
        names = _child_names(con, book.children, schema)
        keys = frozenset(book.key_columns)
        return sort_findings(f for rule in book.rules for f in _apply(con, rule, names, keys))


@contextmanager
def prepared(
    con: duckdb.DuckDBPyConnection, book: RuleBook, reference_date: date, schema: str
) -> Iterator[None]:
    """Make the macros and temporary tables that rules read; drop the tables afterwards."""
    tables = ["header", "code", "working_day", *book.lists, *_TEMP_TABLE.findall(book.views)]
    try:
        _make_lists(con, book)
        _make_macros(con, book, reference_date)
        _make_header(con, book.layout, reference_date, schema)
        con.execute(book.views.replace("{schema}", schema))
        yield
    finally:
        for table in tables:
            con.execute(f"DROP TABLE IF EXISTS temp.{table}")


def _make_macros(con: duckdb.DuckDBPyConnection, book: RuleBook, reference_date: date) -> None:
    install_macros(con)
    census_start = date(reference_date.year - 1, 4, 1)
    con.execute(_MACROS.format(reference_date=reference_date, census_start=census_start))
    for name, value in book.parameters.items():
        con.execute(f"CREATE OR REPLACE TEMP MACRO {name}() AS {int(value)}")


def _make_lists(con: duckdb.DuckDBPyConnection, book: RuleBook) -> None:
    pairs = [(name, code) for name, codes in book.layout.code_sets.items() for code in codes]
    codes = pa.table({"code_set": [p[0] for p in pairs], "code": [p[1] for p in pairs]})
    _make_table(con, "code", codes)
    _make_table(con, "working_day", working_day_table())
    for name, (column, values) in book.lists.items():
        _make_table(con, name, pa.table({column: list(values)}))


def _make_table(con: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    con.register("rows_for_rules", rows)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM rows_for_rules")
    con.unregister("rows_for_rules")


def _make_header(
    con: duckdb.DuckDBPyConnection, layout: Layout, reference_date: date, schema: str
) -> None:
    """The header as it was read from a file, or as it will be written for our own tables."""
    con.execute("CREATE OR REPLACE TEMP TABLE header (year VARCHAR, reference_date VARCHAR)")
    if layout.header_table in existing_tables(con, schema):
        con.execute(
            f"INSERT INTO header SELECT year, reference_date FROM {schema}.{layout.header_table}"
        )
    if not con.execute("FROM header").fetchall():
        con.execute("INSERT INTO header VALUES (?, ?)", [str(layout.census_year), reference_date])


def _child_names(
    con: duckdb.DuckDBPyConnection, tables: Sequence[str], schema: str
) -> dict[str, str]:
    names: dict[str, str] = {}
    for table in tables:
        rows = con.execute(
            f"SELECT CAST(child_key AS VARCHAR), "
            f"coalesce(nullif(trim(CAST(la_child_id AS VARCHAR)), ''), '#' || child_key) "
            f"FROM {schema}.{table}"
        ).fetchall()
        names = dict(rows) | names
    return names


def _apply(
    con: duckdb.DuckDBPyConnection, rule: Rule, names: Mapping[str, str], keys: frozenset[str]
) -> Iterable[Finding]:
    cursor = con.execute(rule.sql)
    selected = [column[0] for column in cursor.description]
    width = sum(name not in keys for name in selected[1:]) - ("field_names" in selected)
    if "field_names" not in selected and width != len(rule.fields):
        raise LayoutError(f"rule {rule.rule}: selects {width} values for {len(rule.fields)} fields")
    for child_key, *values in cursor.fetchall():
        places = dict(zip(selected[1 + width :], values[width:], strict=True))
        fields = tuple(places.pop("field_names", rule.fields))
        yield Finding(
            rule=rule.rule,
            severity=rule.severity,
            child=None if child_key is None else names.get(child_key, f"#{child_key}"),
            module=rule.module,
            fields=fields,
            values=tuple(_text(v) for v in values[:width]),
            message=rule.message,
            keys={"child_key": _keys(child_key)} | {k: _keys(v) for k, v in places.items()},
        )


def _keys(value: object) -> tuple[str, ...]:
    """The keys in a column of a rule: one, several, or none where the row has none."""
    found = value if isinstance(value, list) else [value]
    return tuple(sorted({str(key) for key in found if key is not None}))


def _text(value: object) -> str | None:
    return None if value is None else str(value)
