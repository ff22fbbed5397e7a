"""A home many times as large: everybody's rows once more, under other keys and identifiers."""

from __future__ import annotations

import duckdb

from ffp_data.settings import Home
from ffp_data.warehouse import connect
from governance.syntax import quoted

_KEYS = ("record_key", "related_record_key", "record_id_l", "record_id_r", "la_child_record_key")
_IDS = ("child_id", "related_child_id", "adult_id")


def enlarge(home: Home, times: int) -> int:
    """Repeat the rows of every stored table that are about somebody; gives how many children there are then.

    The copies are nobody's in the register: look-ups ask for the first ones, in tables of the larger size.
    """
    with connect(home) as con:
        for schema, table in _tables(con):
            _repeat(con, f"{quoted(schema)}.{quoted(table)}", times)
        (count,) = con.execute("SELECT count(*) FROM single_view.children").fetchone() or (0,)
    return int(count)


def _tables(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    return con.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() "
        "WHERE database_name = current_database() AND schema_name IN "
        "('raw', 'identity', 'intermediate', 'single_view') ORDER BY ALL"
    ).fetchall()


def _repeat(con: duckdb.DuckDBPyConnection, table: str, times: int) -> None:
    columns = [name for (name, *_) in con.execute(f"DESCRIBE {table}").fetchall()]
    renamed = [n for n in columns if n in (*_KEYS, *_IDS) or n.endswith("_record_key")]
    if not renamed:
        return
    copies = ", ".join(f"{name} || '~' || copy AS {name}" for name in renamed)
    con.execute(
        f"INSERT INTO {table} SELECT * EXCLUDE (copy) REPLACE ({copies}) "
        f"FROM (SELECT *, unnest(range(1, {times})) AS copy FROM {table})"
    )
