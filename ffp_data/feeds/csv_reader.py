"""Reads CSV: fast through DuckDB, and line by line, exactly, where that cannot know the lines.

DuckDB sets rows of a wrong shape aside with their line. When the rows read and the lines set aside add
up to the lines of the file, each row is one line and its number follows from its position. When they
do not (a value holds a line end, a line is blank, a stray quote swallows lines) the exact way reads the
file again: it parses each line by itself, so that a stray quote costs one row and not the rest of the
file, and knows the physical line of each row and fault.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from ffp_data.feeds.contract_table import Property, Table
from ffp_data.feeds.errors import FeedError
from ffp_data.feeds.file_facts import FileFacts
from ffp_data.feeds.header import Header
from ffp_data.feeds.json_path import scalar
from ffp_data.feeds.source import TRUNCATED_REMEDY, Fault, Source, redact
from ffp_data.sql_text import literal

_CHUNK = 100_000
_LONGEST_VALUE_IN_LINES = 200
_MOST_REJECTS = 200
_REJECTS = "feed_rejects"
_REJECT_RULES = {
    "MISSING COLUMNS": "wrong_column_count",
    "TOO MANY COLUMNS": "wrong_column_count",
    "UNQUOTED VALUE": "unbalanced_quote",
}
_REMEDIES = {
    "wrong_column_count": "send one value for each column of the header; quote values with commas",
    "unbalanced_quote": 'close each quoted value and double the quotes inside it ("")',
    "control_character": "remove the NUL characters",
}


def read_rows(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    facts: FileFacts,
    header: Header,
    table: Table,
    into: str,
) -> Source:
    """Rows of the file in temporary table `into`, each with its physical line.

    Raises FeedError truncated_file when the last row breaks off.
    """
    relation, faults = read_columns(con, path, facts, header, into)
    columns = {name: f"c{place}" for name, place in header.positions.items()}
    return source_of(relation, columns, table, faults, facts.has_controls)


def read_columns(
    con: duckdb.DuckDBPyConnection, path: Path, facts: FileFacts, header: Header, into: str
) -> tuple[str, tuple[Fault, ...]]:
    """FROM item with `_line` and a text column `c<place>` for each position, and the rows set aside."""
    found = _fast_rows(con, path, facts, header, into)
    return found if found is not None else _exact_rows(con, path, facts, header, into)


def source_of(
    relation: str,
    columns: Mapping[str, str],
    table: Table,
    faults: tuple[Fault, ...],
    has_controls: bool,
) -> Source:
    """The source of a table whose file columns stand in `columns`: header name -> SQL over `relation`."""
    texts = {p.name: _text(p, columns[p.header]) for p in table.properties if p.header in columns}
    names = {p.from_ for p in table.properties if p.from_ and p.from_ in columns}
    documents = {name: columns[name] for name in sorted(names)}
    screened = not (has_controls or documents)
    return Source(relation, texts, faults=faults, documents=documents, screened=screened)


def _fast_rows(
    con: duckdb.DuckDBPyConnection, path: Path, facts: FileFacts, header: Header, into: str
) -> tuple[str, tuple[Fault, ...]] | None:
    """Relation and faults, or None when the file needs the exact way."""
    if facts.encoding != "utf-8-sig" or facts.has_nul:
        return None
    con.execute(f"DROP TABLE IF EXISTS temp.{_REJECTS}; DROP TABLE IF EXISTS temp.{_REJECTS}_scan")
    columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(header.width))
    try:
        # Nothing but a projection: a plan with a join in it no longer keeps the order of the file.
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {into} AS SELECT {_used(header)} FROM read_csv("
            f"{literal(path)}, auto_detect=false, header=true, delim=',', quote='\"', escape='\"',"
            f" strict_mode=true, null_padding=false, nullstr='', columns={{{columns}}},"
            f" ignore_errors=true, store_rejects=true, rejects_limit={_MOST_REJECTS + 1},"
            f" rejects_table='{_REJECTS}', rejects_scan='{_REJECTS}_scan')"
        )
    except duckdb.InvalidInputException:
        return None  # such as lines longer than DuckDB takes: the exact way tells which
    return _settle(con, path, facts, into)


def _settle(
    con: duckdb.DuckDBPyConnection, path: Path, facts: FileFacts, into: str
) -> tuple[str, tuple[Fault, ...]] | None:
    """Gives each row its line, if rows and lines set aside add up to the lines of the file."""
    kinds = "SELECT line, min(error_type)::VARCHAR, min(csv_line)"
    rejects = sorted(con.execute(f"{kinds} FROM temp.{_REJECTS} GROUP BY line").fetchall())
    (rows,) = con.execute(f"SELECT count(*) FROM {into}").fetchone() or (0,)
    known = all(kind in _REJECT_RULES for _, kind, _ in rejects)
    if not known or len(rejects) > _MOST_REJECTS or rows + len(rejects) != facts.lines - 1:
        return None
    if rejects and rejects[-1][0] == facts.lines and not facts.ends_with_newline:
        raise _truncated(path, facts.lines)
    # Of row i (from 0), the line is i + 2 and one more for each line set aside before it.
    moved = "".join(
        f" + (rowid >= {line - 2 - earlier})::BIGINT"
        for earlier, (line, _, _) in enumerate(rejects)
    )
    faults = tuple(_fault(line, _REJECT_RULES[kind], text) for line, kind, text in rejects)
    return f"(SELECT rowid + 2{moved} AS _line, * FROM {into})", faults


def _exact_rows(
    con: duckdb.DuckDBPyConnection, path: Path, facts: FileFacts, header: Header, into: str
) -> tuple[str, tuple[Fault, ...]]:
    """Relation and faults of a file parsed line by line; raises FeedError truncated_file."""
    used = sorted(set(header.positions.values()))
    columns = ", ".join(["_line BIGINT", *(f"c{i} VARCHAR" for i in used)])
    con.execute(f"CREATE OR REPLACE TEMP TABLE {into} ({columns})")
    faults: list[Fault] = []
    rows: list[tuple[int, list[str]]] = []
    for line, fields in _records(path, facts, header.width):
        if isinstance(fields, Fault):
            faults.append(fields)
        else:
            rows.append((line, fields))
        if len(rows) == _CHUNK:
            _insert(con, into, rows, used)
            rows = []
    _insert(con, into, rows, used)
    return into, tuple(faults)


def _used(header: Header) -> str:
    return ", ".join(f"c{i}" for i in sorted(set(header.positions.values())))


def _text(prop: Property, column: str) -> str:
    if prop.from_ is None:
        return column
    document = f"CASE WHEN json_valid({column}) THEN {column}::JSON END"
    if prop.path:
        return scalar(prop.path, document)
    parts = ", ".join(f"nullif(trim({scalar(key, document)}), '')" for key in prop.join)
    return f"nullif(concat_ws(' ', {parts}), '')"


def _insert(
    con: duckdb.DuckDBPyConnection,
    into: str,
    rows: Sequence[tuple[int, list[str]]],
    used: list[int],
) -> None:
    if not rows:
        return
    arrays = [pa.array([line for line, _ in rows], pa.int64())]
    arrays += [pa.array([fields[i] or None for _, fields in rows], pa.string()) for i in used]
    chunk = pa.table(arrays, names=["_line", *(f"c{i}" for i in used)])
    con.register("_csv_chunk", chunk)
    con.execute(f"INSERT INTO {into} SELECT * FROM _csv_chunk")
    con.unregister("_csv_chunk")


def _records(path: Path, facts: FileFacts, width: int) -> Iterator[tuple[int, list[str] | Fault]]:
    """Line and values of each row below the header, or what is wrong with it. Blank lines are no rows."""
    with path.open(encoding=facts.encoding, newline="") as file:
        file.readline()
        lines = _Lines(file)
        while (text := lines.take()) is not None:
            number = lines.number
            if not text.strip("\r\n"):
                continue
            fields = _fields(lines, text, width)
            if isinstance(fields, str):
                if lines.at_end and not facts.ends_with_newline and fields != "control_character":
                    raise _truncated(path, number)
                yield number, _fault(number, fields, text)
            else:
                yield number, fields


def _fault(line: int, rule: str, text: str) -> Fault:
    return Fault(line, None, rule, _REMEDIES[rule], redact(text.strip()))


def _truncated(path: Path, line: int) -> FeedError:
    message = "the file ends in the middle of a row"
    return FeedError("truncated_file", message, TRUNCATED_REMEDY, file=path.name, line=line)


class _Lines:
    """The physical lines of a file, with the power to give lines back."""

    def __init__(self, file: Iterator[str]) -> None:
        self._file = file
        self._back: deque[str] = deque()
        self.number = 1

    def take(self) -> str | None:
        text = self._back.popleft() if self._back else next(self._file, None)
        self.number += text is not None
        return text

    def give_back(self, texts: Sequence[str]) -> None:
        self._back.extendleft(reversed(texts))
        self.number -= len(texts)

    @property
    def at_end(self) -> bool:
        text = self.take()
        if text is not None:
            self.give_back([text])
        return text is None


def _fields(lines: _Lines, text: str, width: int) -> list[str] | str:
    """The values of the row that begins with `text`, or the rule that it breaks."""
    if "\0" in text:
        return "control_character"
    if '"' not in text:
        return _of_width(text.rstrip("\r\n").split(","), width) or "wrong_column_count"
    taken = [text]

    def following() -> Iterator[str]:
        yield text
        while len(taken) < _LONGEST_VALUE_IN_LINES and (more := lines.take()) is not None:
            taken.append(more)
            yield more

    try:
        fields = next(csv.reader(following(), strict=True))
    except csv.Error:
        lines.give_back(taken[1:])
        return "unbalanced_quote"
    if whole := _of_width(fields, width):
        return whole
    lines.give_back(taken[1:])
    return "wrong_column_count" if len(taken) == 1 else "unbalanced_quote"


def _of_width(fields: list[str], width: int) -> list[str] | None:
    """The fields when they are as many as the header's; spreadsheets add empty ones, as DuckDB allows."""
    return fields[:width] if len(fields) >= width and not any(fields[width:]) else None
