"""Takes an identity out of a DuckDB file: every row of every table that names it, then the file itself anew.

DuckDB keeps the blocks that a deletion frees, with what stood in them. So what is left is copied into a
new file that takes the old one's place; its log goes too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from ffp_data.serving import store
from ffp_data.settings import Home
from ffp_data.sql_text import literal
from ffp_data.warehouse import attach, copy_encrypted, engine, warehouse_key

_EDGE = "[^A-Za-z0-9]"
_LOT = 200


def pattern_of(words: Collection[str]) -> str:
    """A regular expression (RE2 and Python) that finds any of the words where it stands alone."""
    listed = "|".join(re.escape(word) for word in sorted(words))
    return f"(?:^|{_EDGE})(?:{listed})(?:$|{_EDGE})"


def tables_of(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, list[str]]]:
    """Every table of the current catalog, by its quoted name, with the columns that may hold a text."""
    rows = con.execute(
        'SELECT format(\'"{}"."{}"\', schema_name, table_name),'
        " list(column_name ORDER BY column_index) FILTER (NOT regexp_matches(data_type,"
        " '^(BOOLEAN|DATE|TIME.*|U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|DECIMAL.*|INTERVAL)$'))"
        " FROM duckdb_columns() JOIN duckdb_tables() USING (database_name, schema_name, table_name)"
        " WHERE database_name = current_database() AND NOT duckdb_tables.internal"
        " GROUP BY ALL ORDER BY 1"
    ).fetchall()
    yield from ((name, columns or []) for name, columns in rows)


def count(
    con: duckdb.DuckDBPyConnection, words: Collection[str], certain: Collection[str] = ()
) -> dict[str, int]:
    """How many rows of each table name one of the words; in what agencies sent, only one of `certain`."""
    found = {}
    for name, columns in tables_of(con):
        if test := _test(columns, certain if _was_sent(name) else words):
            (rows,) = con.execute(f"SELECT count(*) FROM {name} WHERE {test}").fetchone() or (0,)
            found[name.replace('"', "")] = int(rows)
    return {name: rows for name, rows in found.items() if rows}


def count_people(
    con: duckdb.DuckDBPyConnection, people: Collection[tuple[str, str, str]]
) -> dict[str, int]:
    """Rows of each table in which a given name, a surname and a birth date stand together."""
    found: Counter[str] = Counter()
    for name, _ in tables_of(con):
        for person in people:
            query = (
                f"SELECT count(*) FROM (SELECT t::VARCHAR AS row FROM {name} t)"
                " WHERE contains(row, $1) AND contains(row, $2) AND contains(row, $3)"
            )
            (rows,) = con.execute(query, list(person)).fetchone() or (0,)
            found[name.replace('"', "")] += rows
    return dict(+found)


def delete(
    con: duckdb.DuckDBPyConnection, words: Collection[str], certain: Collection[str] = ()
) -> dict[str, int]:
    """Delete those rows; counts by table. Doing it again finds nothing."""
    done = count(con, words, certain)
    for name, columns in tables_of(con):
        if name.replace('"', "") in done:
            test = _test(columns, certain if _was_sent(name) else words)
            con.execute(f"DELETE FROM {name} WHERE {test}")
    return done


def rename(con: duckdb.DuckDBPyConnection, renamed: Mapping[str, str]) -> None:
    """Put new delivery ids in the place of old ones, in every column that holds ids or hashes of files."""
    ids = pa.table({"old": list(renamed), "new": list(renamed.values())})
    con.register("_renamed", ids.cast(pa.schema({"old": pa.string(), "new": pa.string()})))
    for name, columns in tables_of(con):
        for column in (c for c in columns if c.endswith(("delivery_id", "sha256"))):
            con.execute(
                f'UPDATE {name} SET "{column}" = r.new FROM _renamed r WHERE "{column}" = r.old'
            )
    con.unregister("_renamed")


def key_of(home: Home, path: Path) -> str:
    """The key of an encrypted DuckDB file of the home."""
    in_serving = path.is_relative_to(home.serving)
    return store.key_of(home) if in_serving else warehouse_key(home)


@contextmanager
def opened(
    home: Home, path: Path, *, read_only: bool = False
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB file of the home as the current catalog; one that is not encrypted too, such as dbt's scratch."""
    with closing(engine()) as con:
        try:
            attach(con, path, "opened", key_of(home, path), read_only=read_only)
        except duckdb.CatalogException:
            options = " (READ_ONLY)" if read_only else ""
            con.execute(f"ATTACH {literal(path)} AS opened{options}")
        con.execute("USE opened")
        yield con


def rewrite(home: Home, path: Path) -> None:
    """Copy an encrypted DuckDB file into a new one that takes its place; nobody may have it open."""
    key = key_of(home, path)
    copy_encrypted(path, key, key)


def _was_sent(name: str) -> bool:
    """Whether a table holds rows of deliveries, or the books of them, which no run makes again."""
    schema, _, table = name.replace('"', "").partition(".")
    return schema in ("raw", "quarantine", "meta") or (schema == "identity" and "__" in table)


def _test(columns: Collection[str], words: Collection[str]) -> str:
    """SQL of whether a row names a word; empty where no column could."""
    if not columns or not words:
        return ""
    parts = [f'TRY_CAST("{column}" AS VARCHAR)' for column in columns]
    row = f"concat_ws(chr(10), {', '.join(parts)})"
    listed = sorted(words)
    lots = [listed[n : n + _LOT] for n in range(0, len(listed), _LOT)]
    return " OR ".join(f"regexp_matches({row}, {literal(pattern_of(lot))})" for lot in lots)
