"""The hub's file says nothing to whoever lacks the key, from the first byte on."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from ffp_data.hub import Hub, StorageError, at_rest
from ffp_data.settings import Home
from governance.keys import KeyStore

RECORDS = [f"school_census_attendance|canary-{n}" for n in range(40)]
CLUSTERS = pa.table({"record_id": RECORDS, "cluster_id": [f"c{n // 2}" for n in range(40)]})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.delenv("FFP_HUB_URL", raising=False)
    return Home(tmp_path / "home").prepare()


def fill(url: str) -> list[str]:
    with Hub.open(url) as hub:
        hub.apply_run("first", date(2026, 3, 31), "model", CLUSTERS)
        children: list[str] = hub.membership()["child_id"].to_pylist()
        return children


def plain(home: Home) -> list[str]:
    """A hub as it was before it was encrypted."""
    return fill(f"sqlite:///{home.hub_file}")


def names_a_record(home: Home) -> bool:
    files = home.root.glob("hub.db*")
    return any(b"canary" in path.read_bytes() for path in files)


@pytest.mark.control("D01")
def test_a_new_hub_is_encrypted_from_its_first_page(home: Home) -> None:
    children = fill(home.hub_url)
    assert len(set(children)) == 20
    assert not names_a_record(home)
    assert at_rest.opens_with(home.hub_file, KeyStore(home.keys_dir).key(at_rest.PURPOSE))
    assert not at_rest.opens_with(home.hub_file, bytes(32))
    with closing(sqlite3.connect(home.hub_file)) as con, pytest.raises(sqlite3.DatabaseError):
        con.execute("SELECT * FROM sqlite_master").fetchall()


@pytest.mark.control("D01")
def test_a_plain_hub_is_encrypted_when_it_is_next_opened_and_keeps_every_identifier(
    home: Home,
) -> None:
    children = plain(home)
    assert names_a_record(home)
    for _ in range(2):
        with Hub.open(home.hub_url) as hub:
            assert hub.membership()["child_id"].to_pylist() == children
    assert not names_a_record(home)
    assert [path.name for path in home.root.glob("*hub.db*.part")] == []


def test_killed_while_it_encrypts_a_hub_loses_nothing(home: Home) -> None:
    children = plain(home)
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from ffp_data.hub import Hub\n"
        "from ffp_data.settings import Home\n"
        "Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "Hub.open(Home.at(sys.argv[1]).hub_url)\n"
    )
    KeyStore(home.keys_dir)
    killed = subprocess.run([sys.executable, "-c", program, str(home.root)], check=False)
    assert killed.returncode == -9
    assert at_rest.is_plain(home.hub_file)
    with Hub.open(home.hub_url) as hub:
        assert hub.membership()["child_id"].to_pylist() == children
    assert not names_a_record(home)


def test_a_plain_hub_that_another_program_has_open_is_not_touched(home: Home) -> None:
    children = plain(home)
    program = (
        "import sqlite3, sys\n"
        "con = sqlite3.connect(sys.argv[1])\n"
        "con.execute('SELECT count(*) FROM hub_run').fetchone()\n"
        "print('open', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(home.hub_file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(StorageError, match="another process has it open"):
            Hub.open(home.hub_url)
        assert at_rest.is_plain(home.hub_file)
        other.communicate()
    with Hub.open(home.hub_url) as hub:
        assert hub.membership()["child_id"].to_pylist() == children


def _other_keys(home: Home) -> None:
    shutil.rmtree(home.keys_dir)


def _changed(home: Home) -> None:
    with home.hub_file.open("r+b") as file:
        file.seek(200)
        file.write(b"\xff" * 8)


@pytest.mark.control("D03")
@pytest.mark.parametrize("spoil", [_other_keys, _changed])
def test_a_hub_that_does_not_open_says_what_to_restore(
    spoil: Callable[[Home], None], home: Home
) -> None:
    fill(home.hub_url)
    spoil(home)
    with pytest.raises(StorageError, match="restore file and keys from one backup"):
        Hub.open(home.hub_url)
