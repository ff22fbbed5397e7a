"""No connection of the product writes a person's rows to a spill file in clear."""

from __future__ import annotations

import ast
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path

import duckdb
import pytest

from ffp_data.settings import Home
from ffp_data.warehouse import connect
from linkage import duck

ROOT = Path(__file__).parents[1]
PACKAGES = ("ffp_data", "governance", "linkage", "assets")
SET_ELSEWHERE = {
    "linkage/duck.py": "sets it once the extension is loaded; shown below",
    "linkage/spark/workers.py": "codes one batch at a time; its settings allow no file",
    "ffp_data/withdrawal/scratch.py": "besides its own: asks which tables a text of SQL names; holds no row",
    "governance/build_gate.py": "empty copies of tables; may reach no file",
    "governance/kept_reads.py": "asks what the engine's settings are; holds no row",
}


def _connects() -> dict[str, list[str]]:
    """Each call of duckdb.connect by file, as it is written."""
    found: dict[str, list[str]] = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "duckdb.connect":
                    found.setdefault(path.relative_to(ROOT).as_posix(), []).append(
                        ast.unparse(node)
                    )
    return found


@pytest.mark.control("D06")
def test_every_connection_encrypts_what_it_spills() -> None:
    calls = _connects()
    assert len(calls) > 10
    open_ones = {
        name: lines
        for name, lines in calls.items()
        if name not in SET_ELSEWHERE
        and not all("'temp_file_encryption': 'true'" in line for line in lines)
    }
    assert open_ones == {}
    assert SET_ELSEWHERE.keys() <= calls.keys()


def _warehouse(folder: Path) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    return connect(Home(folder / "home").prepare())


def _linkage(folder: Path) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    (folder / "scratch").mkdir()
    return closing(duck.connect(str(folder / "scratch"), 1, None))


class Watcher(threading.Thread):
    """Reads every file of a folder again and again while something writes there."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self.folder, self.done = folder, threading.Event()
        self.largest = 0
        self.in_clear: set[str] = set()

    def run(self) -> None:
        while not self.done.wait(0.01):
            for path in self.folder.rglob("*"):
                try:
                    content = path.read_bytes()
                except OSError:  # a folder, or gone meanwhile
                    continue
                if "spill" in path.as_posix() or "scratch" in path.as_posix():
                    self.largest = max(self.largest, len(content))
                if b"zquorv" in content.lower():
                    self.in_clear.add(path.name)


@pytest.mark.control("D06")
@pytest.mark.parametrize("opened", [_warehouse, _linkage])
def test_what_is_spilled_for_want_of_memory_shows_no_name(
    opened: Callable[[Path], AbstractContextManager[duckdb.DuckDBPyConnection]], tmp_path: Path
) -> None:
    watcher = Watcher(tmp_path)
    with opened(tmp_path) as con:
        con.execute("SET threads = 1")
        con.execute("SET memory_limit = '30MB'")
        watcher.start()
        con.execute(
            "CREATE TEMP TABLE t AS SELECT 'Zquorvane ' || i || repeat('x', 80) AS s "
            "FROM range(600000) r(i) ORDER BY hash(i)"
        )
        watcher.done.set()
        watcher.join()
    assert watcher.largest > 1_000_000  # it did spill
    assert watcher.in_clear == set()


def test_a_connection_that_cannot_encrypt_does_not_spill(tmp_path: Path) -> None:
    """Without OpenSSL, which only the extension brings, there is an error and no file."""
    config = {"temp_file_encryption": "true", "temp_directory": str(tmp_path), "threads": "1"}
    with duckdb.connect(":memory:", config=config) as con:
        con.execute("SET memory_limit = '30MB'")
        with pytest.raises(duckdb.Error, match="crypto"):
            con.execute(
                "CREATE TABLE t AS SELECT 'Zquorvane ' || i || repeat('x', 80) AS s "
                "FROM range(600000) r(i) ORDER BY hash(i)"
            )
        assert [
            path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size
        ] == []
