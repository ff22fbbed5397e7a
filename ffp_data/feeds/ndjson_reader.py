"""Reads newline-delimited JSON: one record a line, of which one file may fill several tables.

Lines come in as text through DuckDB's CSV reader with a separator that JSON cannot hold (U+001F), so
their number is known and a broken line costs itself alone. Columns are taken by path; a table with
`explode` has one row for each element of that list.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

from ffp_data.feeds.contract_table import Property, Table
from ffp_data.feeds.errors import FeedError
from ffp_data.feeds.file_facts import FileFacts
from ffp_data.feeds.json_path import compile_path, scalar, split_records
from ffp_data.feeds.source import TRUNCATED_REMEDY, Fault, Source
from ffp_data.sql_text import literal, literals

_LONGEST_LINE = 4 << 20
_CHUNK = 16 << 20  # characters handed over at once


def read_lines(con: duckdb.DuckDBPyConnection, path: Path, facts: FileFacts, into: str) -> None:
    """Temporary table `into` (_line, doc): the lines that hold text; doc is NULL where it is no JSON object.

    Raises FeedError truncated_file when the last line breaks off.
    """
    try:
        _fast_lines(con, path, facts, into)
    except duckdb.InvalidInputException:
        _exact_lines(con, path, facts, into)
    if not facts.ends_with_newline:
        last = con.execute(
            f"SELECT _line, doc IS NULL FROM {into} ORDER BY _line DESC LIMIT 1"
        ).fetchone()
        if last and last[1]:
            raise FeedError(
                "truncated_file",
                "the file ends in the middle of a record",
                TRUNCATED_REMEDY,
                file=path.name,
                line=last[0],
            )


def table_source(
    con: duckdb.DuckDBPyConnection,
    records: str,
    table: Table,
    allowed: Collection[str] | None,
    faulty: Collection[Fault],
    shared: bool,
) -> Source:
    """Rows of one table out of the records (_line, _record, doc, around) of a file.

    `around` is the list element that holds the record in a whole document. Where the file is `shared`
    by several tables, a record of another kind is another table's, or noted, and no fault of this one.
    """
    wanted = [p for p in table.properties if allowed is None or p.name in allowed]
    relation = f"(SELECT * FROM {records} WHERE doc IS NOT NULL{_only(table)})"
    if table.explode is None:
        texts = {p.name: _text(p, "around", "doc") for p in wanted}
        others = () if shared else _other_records(con, records, table)
        number = "_record" if table.is_numbered else None
        return Source(relation, texts, element=number, faults=(*faulty, *others))
    texts = {p.name: _text(p, "doc", "element") for p in wanted}
    relation = (
        "(SELECT _line, doc, element, row_number() OVER (ORDER BY _line, _record, place) AS _element"
        if table.records
        else "(SELECT _line, doc, element, place AS _element"
    ) + f" FROM (SELECT *, {_elements(table.explode)} FROM {relation}))"
    faults = _no_lists(con, records, table.explode, _only(table))
    return Source(relation, texts, element="_element", faults=faults)


def records_of(table: Table, read: str, is_document: bool) -> str:
    """The FROM item (_line, _record, doc, around) of the records of `table` in the table that was read."""
    if not is_document:
        return f"(SELECT _line, 1 AS _record, doc, NULL::JSON AS around FROM {read})"
    place, rest = split_records(table.records or "[*]")
    doc = compile_path(rest, "item") if rest else "item"
    return (
        f"(SELECT _line, _record, {doc} AS doc, item AS around FROM {read}"
        f" WHERE place = {literal(place)})"
    )


def has_records(con: duckdb.DuckDBPyConnection, records: str, table: Table) -> bool:
    """Whether any of the records is of the kind that `table` takes."""
    query = f"SELECT 1 FROM {records} WHERE doc IS NOT NULL{_only(table)} LIMIT 1"
    return con.execute(query).fetchone() is not None


def line_faults(con: duckdb.DuckDBPyConnection, lines: str) -> tuple[Fault, ...]:
    """The lines that hold no JSON object."""
    remedy = f"send one whole JSON object on each line, of at most {_LONGEST_LINE >> 20} MiB"
    return tuple(Fault(n, None, "invalid_json", remedy) for n in _where(con, lines, "doc IS NULL"))


def other_kinds(
    con: duckdb.DuckDBPyConnection, records: str, kind: str, known: Collection[str]
) -> str:
    """A note on the records whose kind, told by path `kind`, no table of the contract takes."""
    told = scalar(kind, "doc")
    # A kind is a word of the standard; whatever else stands there is not repeated.
    word = (
        f"CASE WHEN regexp_full_match({told}, '[A-Za-z_]{{1,40}}') THEN {told} ELSE 'no {kind}' END"
    )
    counts = con.execute(
        f"SELECT {word} AS kind, count(*) FROM {records} WHERE doc IS NOT NULL"
        f" AND coalesce({told}, '') NOT IN ({literals(sorted(known))})"
        " GROUP BY 1 ORDER BY 1"
    ).fetchall()
    listed = ", ".join(f"{count} {name}" for name, count in counts)
    return f"records that no table takes: {listed}" if listed else ""


def _text(prop: Property, around: str, record: str) -> str:
    """The value at the path of `prop`, or at the first of its aliases that the record has."""
    places = [scalar(path, around, record) for path in (prop.path or "", *prop.aliases)]
    return places[0] if len(places) == 1 else f"coalesce({', '.join(places)})"


def _only(table: Table) -> str:
    if table.only_when is None:
        return ""
    return f" AND {scalar(table.only_when.path, 'doc')} = {literal(table.only_when.equals)}"


def _elements(explode: str) -> str:
    items = f"json_extract(doc, {literal(f'$.{explode}[*]')})"
    return f"unnest({items}) AS element, generate_subscripts({items}, 1) AS place"


def _no_lists(
    con: duckdb.DuckDBPyConnection, records: str, explode: str, only: str
) -> tuple[Fault, ...]:
    """The records in which something else stands where the list should."""
    where = f"json_type({compile_path(explode, 'doc')}) NOT IN ('ARRAY', 'NULL'){only}"
    remedy = f"send {explode} as a list"
    return tuple(Fault(n, explode, "not_a_list", remedy) for n in _where(con, records, where))


def _other_records(con: duckdb.DuckDBPyConnection, records: str, table: Table) -> tuple[Fault, ...]:
    if table.only_when is None:
        return ()
    kind, wanted = table.only_when.path, table.only_when.equals
    other = f"doc IS NOT NULL AND {scalar(kind, 'doc')} IS DISTINCT FROM {literal(wanted)}"
    remedy = f"send records whose {kind} is {wanted} in this file"
    return tuple(Fault(n, kind, "other_record", remedy) for n in _where(con, records, other))


def _where(con: duckdb.DuckDBPyConnection, lines: str, condition: str) -> list[int]:
    query = f"SELECT _line FROM {lines} WHERE {condition} ORDER BY ALL"
    found = con.execute(query).fetchall()
    return [line for (line,) in found]


def _fast_lines(con: duckdb.DuckDBPyConnection, path: Path, facts: FileFacts, into: str) -> None:
    if facts.has_nul or facts.encoding != "utf-8-sig":
        raise duckdb.InvalidInputException("not for the fast way")
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {into}_text AS SELECT line FROM read_csv({literal(path)},"
        " auto_detect=false, header=false, delim='\x1f', quote='', escape='', strict_mode=true,"
        f" max_line_size={_LONGEST_LINE}, columns={{'line': 'VARCHAR'}})"
    )
    (count,) = con.execute(f"SELECT count(*) FROM {into}_text").fetchone() or (0,)
    if count < facts.lines:
        raise duckdb.InvalidInputException("a line end that is not one")
    _keep_objects(con, into, "rowid + 1")


def _exact_lines(con: duckdb.DuckDBPyConnection, path: Path, facts: FileFacts, into: str) -> None:
    con.execute(f"CREATE OR REPLACE TEMP TABLE {into}_text (n BIGINT, line VARCHAR)")
    with path.open(encoding=facts.encoding, newline="\n") as file:
        for numbers, texts in _chunks(enumerate(file, 1)):
            con.register("_json_chunk", pa.table({"n": numbers, "line": texts}))
            con.execute(f"INSERT INTO {into}_text SELECT * FROM _json_chunk")
            con.unregister("_json_chunk")
    _keep_objects(con, into, "n")


def _chunks(numbered: Iterable[tuple[int, str]]) -> Iterator[tuple[list[int], list[str]]]:
    """Lines by the handful, without their ends; what is too long to be a record is not read as one."""
    numbers, texts, held = list[int](), list[str](), 0
    for number, text in numbered:
        line = text.rstrip("\r\n") if len(text) <= _LONGEST_LINE else "too long"
        numbers.append(number)
        texts.append(line)
        held += len(line)
        if held >= _CHUNK:
            yield numbers, texts
            numbers, texts, held = [], [], 0
    if numbers:
        yield numbers, texts


def _keep_objects(con: duckdb.DuckDBPyConnection, into: str, number: str) -> None:
    is_object = "json_valid(line) AND json_type(line) = 'OBJECT'"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {into} AS SELECT {number} AS _line,"
        f" CASE WHEN {is_object} THEN line::JSON END AS doc"
        f" FROM {into}_text WHERE trim(line) <> '' ORDER BY rowid"
    )
    con.execute(f"DROP TABLE {into}_text")
