"""A full disk and a folder that can't be written: a plain error, and nothing half done."""

from __future__ import annotations

import os
import resource
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from benchmarks.hub.kill_nine import in_a_process
from ffp_data.hub import Hub, StorageError, lease
from ffp_data.hub.database import create_engine
from tests.hub.stories import AS_AT, clusters, seeded_ids

BEFORE = "ann1 ann2 | bob1"
MANY = " | ".join(f"r{n} s{n}" for n in range(3000))
NOBODY = 65534


@pytest.fixture
def hub_file() -> Iterator[Path]:
    """A hub with one run behind it, in a folder that other users may enter."""
    folder = Path(tempfile.mkdtemp(prefix="ffp-hub-"))
    folder.chmod(0o755)
    apply(f"sqlite:///{folder / 'hub.db'}", "first", BEFORE)
    yield folder / "hub.db"
    shutil.rmtree(folder)


def apply(url: str, run_id: str, text: str) -> None:
    with Hub.open(url, seeded_ids()) as hub:
        hub.apply_run(run_id, AS_AT, run_id, clusters(text))


def members(url: str) -> list[str]:
    with Hub.open(url) as hub:
        keys: list[str] = hub.membership()["record_key"].to_pylist()
        return keys


def apply_and_tell(url: str, report: Path) -> None:
    """A run of many records in a child process, which writes down what it was told."""
    try:
        apply(url, "second", MANY)
    except StorageError as error:
        report.write_text(str(error), "utf-8")


def test_a_full_database_is_told_plainly_and_keeps_the_last_run(hub_file: Path) -> None:
    url = f"sqlite:///{hub_file}"
    engine = create_engine(url)
    sa.event.listen(engine, "connect", full)
    with Hub(engine, seeded_ids()) as hub, pytest.raises(StorageError) as told:
        hub.apply_run("second", AS_AT, "second", clusters(MANY))
    assert "database or disk is full" in str(told.value)
    assert str(hub_file) in str(told.value)
    assert "r1" not in str(told.value), "an error names no record"
    assert members(url) == ["ann1", "ann2", "bob1"]
    apply(url, "second", MANY)
    assert len(members(url)) == 6003


def full(connection: object, _record: object) -> None:
    """SQLite's own limit on the pages of a file: what a full disk says, without filling one."""
    pages = connection.execute("PRAGMA page_count").fetchone()[0]  # type: ignore[attr-defined]
    connection.execute(f"PRAGMA max_page_count = {pages + 2}")  # type: ignore[attr-defined]


@pytest.mark.control("D11")
@pytest.mark.slow  # limits a process of its own
def test_a_disk_that_takes_no_more_leaves_no_half_run(hub_file: Path, tmp_path: Path) -> None:
    url, report = f"sqlite:///{hub_file}", tmp_path / "told"

    def work() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
        apply_and_tell(url, report)

    assert in_a_process(work) == 0
    assert "Nothing of this step was kept in the hub" in report.read_text("utf-8")
    assert members(url) == ["ann1", "ann2", "bob1"]


@pytest.mark.slow  # becomes another user in a process of its own
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_folder_without_permission_is_named(hub_file: Path) -> None:
    url, report = f"sqlite:///{hub_file}", Path(tempfile.mkdtemp()) / "told"
    report.parent.chmod(0o777)

    def work() -> None:
        os.setuid(NOBODY)
        apply_and_tell(url, report)

    assert in_a_process(work) == 0
    told = report.read_text("utf-8")
    shutil.rmtree(report.parent)
    assert str(hub_file) in told
    assert "See to space, permissions" in told
    assert members(url) == ["ann1", "ann2", "bob1"]


def test_a_server_that_is_gone_is_told_plainly(tmp_path: Path) -> None:
    nowhere = f"postgresql+psycopg2://hub@/none?host={tmp_path}"
    with pytest.raises(StorageError, match="postgresql"), lease.hold(nowhere, "run"):
        pytest.fail("there is no server")
