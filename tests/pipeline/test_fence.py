"""The warehouse lets no run in that was overtaken, whoever opens its file."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from ffp_data import fence
from ffp_data.error_words import OVERTAKEN
from ffp_data.home import policy
from ffp_data.home.run import Run, leased
from ffp_data.hub import LeaseLostError
from ffp_data.paths import DBT_PROJECT
from ffp_data.pipeline.timeliness import report_timeliness
from ffp_data.settings import Home, make_demonstration
from ffp_data.warehouse import connect
from governance.keys import KeyStore
from governance.ledger import Ledger

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").prepare()


def shown(token: int, *, is_newest: bool = False) -> fence.Pass:
    def ask() -> None:
        if not is_newest:
            raise LeaseLostError("ours", "run next")

    return fence.Pass(token, ask)


def write(home: Home, token: int, *, is_newest: bool = False) -> None:
    with fence.carrying(home, shown(token, is_newest=is_newest)), connect(home) as con:
        con.execute("CREATE OR REPLACE TABLE meta.told AS SELECT ? AS token", [token])


@pytest.mark.control("D11")
def test_an_older_token_does_not_come_in_after_a_newer_one(home: Home) -> None:
    write(home, 1)
    write(home, 2)
    write(home, 2)
    with pytest.raises(LeaseLostError, match="run ours was overtaken: run next"):
        write(home, 1)
    with connect(home, read_only=True) as con:
        assert con.execute("SELECT token FROM meta.told").fetchall() == [(2,)]


def test_a_hub_that_was_restored_counts_anew_and_is_believed(home: Home) -> None:
    write(home, 9)
    write(home, 3, is_newest=True)
    with pytest.raises(LeaseLostError):
        write(home, 2)
    write(home, 4)


def test_a_look_needs_no_token(home: Home) -> None:
    write(home, 2)
    with fence.carrying(home, shown(1)), connect(home, read_only=True) as con:
        assert con.execute("SELECT token FROM meta.told").fetchall() == [(2,)]


def overtake(home: Home) -> None:
    """Another process runs on the home, after the lease that is held here ran out."""
    subprocess.run([sys.executable, "-c", _OTHER, str(home.root)], check=True, cwd=ROOT)


# It lets the lease run out by itself: while it starts, the holder may give another sign of life.
_OTHER = """
import sys
from datetime import timedelta
import sqlalchemy as sa
from ffp_data.home.run import leased
from ffp_data.hub import lease
from ffp_data.hub.database import create_engine
from ffp_data.hub.models import Lease
from ffp_data.settings import Home
from ffp_data.warehouse import connect

home = Home.at(sys.argv[1])
engine = create_engine(home.hub_url)
with engine.begin() as connection:
    connection.execute(sa.update(Lease).values(expires_at=lease._now() - timedelta(hours=1)))
engine.dispose()
with leased(home, "next", wait=0), connect(home):
    pass
"""


@pytest.mark.slow  # starts another process
def test_a_run_that_was_overtaken_between_two_steps_stops_at_the_next(home: Home) -> None:
    with leased(home, "paused"):
        with connect(home):
            pass
        overtake(home)
        with (
            pytest.raises(LeaseLostError, match="run paused was overtaken: run next"),
            connect(home),
        ):
            pytest.fail("the successor may have written")
    ledger = Ledger(home.ledger_dir, KeyStore(home.keys_dir))
    taken = [each["facts"] for each in ledger.events() if each["kind"] == "lease_taken_over"]
    assert [facts["run_id"] for facts in taken] == ["next"]
    assert taken[0]["overtook"].startswith("run paused, process ")


def test_a_run_that_was_overtaken_writes_no_timeliness_workbook(home: Home, tmp_path: Path) -> None:
    make_demonstration(home)
    run = Run.at(run_id="ours", home=home.root, as_at=date(2026, 3, 31))
    policy.compile_lock(run)
    write(home, 2)
    before = sorted(tmp_path.iterdir())
    with fence.carrying(home, shown(1)), pytest.raises(LeaseLostError, match="overtaken"):
        report_timeliness(run, tmp_path / "timeliness.xlsx")
    assert sorted(tmp_path.iterdir()) == before
    assert "council_report_written" not in {each["kind"] for each in run.ledger.events()}


@pytest.mark.slow  # runs dbt
def test_dbt_builds_nothing_for_a_run_that_was_overtaken(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ffp_data.marts import transform  # noqa: PLC0415 - dbt takes a second to import

    manifest = transform.current_manifest(DBT_PROJECT / "target" / "manifest.json")
    make_demonstration(home)
    run = Run.at(run_id="ours", home=home.root, as_at=date(2026, 3, 31))
    policy.compile_lock(run)
    seed = {"seed.families_first.timeliness_measures"}
    write(home, 2)
    with fence.carrying(home, shown(1)), pytest.raises(LeaseLostError, match="overtaken"):
        transform.build(run, manifest, only=seed)
    # What is laid beside the models meets the fence first; dbt's own door must be shut too.
    monkeypatch.setattr(transform.stored, "write", lambda _: None)
    with fence.carrying(home, shown(1)):
        build = transform.build(run, manifest, only=seed)
    assert not build.succeeded
    assert OVERTAKEN in " ".join(build.problems())
    with fence.carrying(home, shown(2)):
        assert transform.build(run, manifest, only=seed).succeeded
