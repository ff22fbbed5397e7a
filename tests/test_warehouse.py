"""An engine of the warehouse is lent again and again, and nobody finds in it what another left."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import duckdb
import pytest

from ffp_data.settings import Home
from ffp_data.warehouse import connect
from governance.release import lock


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").prepare()


def _number(con: duckdb.DuckDBPyConnection) -> int:
    """The how-manieth connection of its engine this is."""
    row = con.execute("SELECT current_connection_id()").fetchone()
    assert row is not None
    return int(row[0])


def test_the_next_connection_gets_the_same_engine(home: Home) -> None:
    with connect(home) as con:
        first = _number(con)
    with connect(home, read_only=True) as con:
        assert _number(con) > first


def test_two_connections_at_once_have_engines_of_their_own(home: Home, tmp_path: Path) -> None:
    other = Home(tmp_path / "other").prepare()
    with connect(home) as con, connect(other) as beside:
        con.execute("CREATE TABLE meta.own AS SELECT 1 AS a")
        with pytest.raises(duckdb.CatalogException):
            beside.execute("FROM meta.own")


def test_nothing_of_one_connection_is_seen_by_the_next(home: Home, tmp_path: Path) -> None:
    with connect(home) as con:
        con.execute("CREATE TABLE memory.kept AS SELECT 1 AS a")
        con.execute("CREATE TEMP TABLE temporary AS SELECT 1 AS a")
        con.execute("CREATE TEMP MACRO one() AS 1")
        con.execute("ATTACH ':memory:' AS beside")
        con.execute("SET VARIABLE said = 'a word'")
        con.execute("BEGIN")
        con.execute("CREATE TABLE meta.unfinished AS SELECT 1 AS a")
    with connect(Home(tmp_path / "other").prepare()) as con:
        found = con.execute("SELECT database_name FROM duckdb_databases() WHERE NOT internal")
        assert {name for (name,) in found.fetchall()} == {"memory", "warehouse"}
        found = con.execute("SELECT table_name FROM duckdb_tables()")
        assert found.fetchall() == []
        assert con.execute("SELECT getvariable('said')").fetchall() == [(None,)]
        with pytest.raises(duckdb.CatalogException):
            con.execute("SELECT one()")
    with connect(home) as con, pytest.raises(duckdb.CatalogException):
        con.execute("FROM meta.unfinished")


def test_the_file_is_not_held_open_between_two_connections(home: Home) -> None:
    for read_only in (False, True):
        with connect(home, read_only=read_only):
            assert home.warehouse in _open_files()
        assert home.warehouse not in _open_files()
    with suppress(duckdb.Error), connect(home) as con:
        con.execute("FROM nowhere")
    assert home.warehouse not in _open_files()
    assert not home.warehouse.with_suffix(".duckdb.wal").exists()


def _open_files() -> set[Path]:
    found = set()
    for each in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.add(each.readlink())
    return found


def test_an_engine_that_the_release_gate_shut_is_not_lent_again(home: Home) -> None:
    with connect(home) as con:
        lock(con)
    with connect(home) as con:
        con.execute("SET memory_limit = '1GB'")
    with connect(home) as con:
        assert con.execute("SELECT current_setting('memory_limit')").fetchone() != ("953.6 MiB",)


def test_an_engine_that_spilled_for_one_home_is_not_lent_to_another(
    home: Home, tmp_path: Path
) -> None:
    with connect(home) as con:
        con.execute("SET memory_limit = '30MB'")
        con.execute("SET threads = 1")
        con.execute(
            "CREATE TEMP TABLE t AS SELECT i || repeat('x', 80) AS s FROM range(600000) r(i) ORDER BY hash(i)"
        )
    other = Home(tmp_path / "other").prepare()
    with connect(other) as con:
        place = con.execute("SELECT current_setting('temp_directory')").fetchone()
        assert place == (str(other.scratch / "spill"),)
    assert not list((home.scratch / "spill").rglob("*.tmp"))
