"""Reads newline-delimited JSON: one record a line, of which one file may fill several tables.

Lines come in as text through DuckDB's CSV reader with a separator that JSON cannot hold (U+001F), so
their number is known and a broken line costs itself alone. Columns are taken by path; a table with
`explode` has one row for each element of that list.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice
from pathlib import Path

import duckdb
import pyarrow as pa

from ffp_data.feeds.contract import Contract, Table
from ffp_data.feeds.errors import FeedError
from ffp_data.feeds.file_facts import FileFacts
from ffp_data.feeds.json_path import compile_path, quote, scalar
from ffp_data.feeds.source import TRUNCATED_REMEDY, Fault, Source

_LONGEST_LINE = 16 << 20
_CHUNK = 20_000


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
    lines: str,
    contract: Contract,
    table: Table,
    allowed: Collection[str] | None,
) -> Source:
    """Rows of one table out of the lines. A line that is no record is a fault of the main table alone."""
    wanted = [p for p in table.properties if allowed is None or p.name in allowed]
    element = "element" if table.explode else None
    texts = {p.name: scalar(p.path or "", "doc", element) for p in wanted}
    faults = _line_faults(con, lines, table)
    relation = f"(SELECT _line, doc FROM {lines} WHERE doc IS NOT NULL{_only(table)})"
    if table.explode is None:
        return Source(relation, texts, faults=faults)
    items = f"json_extract(doc, {quote(f'$.{table.explode}[*]')})"
    relation = (
        f"(SELECT _line, doc, unnest({items}) AS element, generate_subscripts({items}, 1) AS _element"
        f" FROM {relation})"
    )
    return Source(relation, texts, element="_element", faults=faults)


def _only(table: Table) -> str:
    if table.only_when is None:
        return ""
    return f" AND {scalar(table.only_when.path, 'doc')} = {quote(table.only_when.equals)}"


def _line_faults(con: duckdb.DuckDBPyConnection, lines: str, table: Table) -> tuple[Fault, ...]:
    if table.explode:
        value = compile_path(table.explode, "doc")
        where = f"json_type({value}) NOT IN ('ARRAY', 'NULL')"
        rule, remedy = "not_a_list", f"send {table.explode} as a list"
        return tuple(Fault(n, table.explode, rule, remedy) for n in _where(con, lines, where))
    broken = [
        Fault(n, None, "invalid_json", "send one whole JSON object on each line")
        for n in _where(con, lines, "doc IS NULL")
    ]
    if table.only_when is None:
        return tuple(broken)
    kind, wanted = table.only_when.path, table.only_when.equals
    other = f"doc IS NOT NULL AND {scalar(kind, 'doc')} IS DISTINCT FROM {quote(wanted)}"
    remedy = f"send records whose {kind} is {wanted} in this file"
    return tuple(broken) + tuple(
        Fault(n, kind, "other_record", remedy) for n in _where(con, lines, other)
    )


def _where(con: duckdb.DuckDBPyConnection, lines: str, condition: str) -> list[int]:
    found = con.execute(f"SELECT _line FROM {lines} WHERE {condition} ORDER BY _line").fetchall()
    return [line for (line,) in found]


def _fast_lines(con: duckdb.DuckDBPyConnection, path: Path, facts: FileFacts, into: str) -> None:
    if facts.has_nul or facts.encoding != "utf-8-sig":
        raise duckdb.InvalidInputException("not for the fast way")
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {into}_text AS SELECT line FROM read_csv({quote(str(path))},"
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
        numbered = enumerate(file, 1)
        while chunk := list(islice(numbered, _CHUNK)):
            numbers, texts = zip(*chunk, strict=True)
            con.register(
                "_json_chunk", pa.table({"n": numbers, "line": [t.rstrip("\r\n") for t in texts]})
            )
            con.execute(f"INSERT INTO {into}_text SELECT * FROM _json_chunk")
            con.unregister("_json_chunk")
    _keep_objects(con, into, "n")


def _keep_objects(con: duckdb.DuckDBPyConnection, into: str, number: str) -> None:
    is_object = "json_valid(line) AND json_type(line) = 'OBJECT'"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {into} AS SELECT {number} AS _line,"
        f" CASE WHEN {is_object} THEN line::JSON END AS doc"
        f" FROM {into}_text WHERE trim(line) <> '' ORDER BY rowid"
    )
    con.execute(f"DROP TABLE {into}_text")
