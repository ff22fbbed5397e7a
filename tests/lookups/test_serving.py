"""What look-ups read is whole or absent, encrypted, and changes over without anybody noticing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from ffp_data.serving import NothingPublishedError, Serving, forget, load, publish, store
from ffp_data.settings import Home
from tests.lookups.world import NOAH, World
from tests.waiting import wait_until

TEXT = {k: str(v) for k, v in NOAH.items() if k != "role"}


def test_nothing_is_published_in_a_new_home(tmp_path: Path) -> None:
    with pytest.raises(NothingPublishedError, match="ffp run"):
        load(Home.at(tmp_path).prepare())


@pytest.mark.control("D10")
def test_no_name_can_be_read_from_the_file_without_the_key(world: World) -> None:
    path = store.current(world.home)
    assert path is not None
    data = path.read_bytes()
    assert b"Quarrington" not in data
    assert b"quarrington" not in data
    assert path.stat().st_mode & 0o077 == 0
    with duckdb.connect() as con, pytest.raises(duckdb.Error):
        con.execute(f"ATTACH '{path}' AS stolen (READ_ONLY)")


def test_of_many_runs_the_newest_two_stay(own_world: World) -> None:
    first = store.current(own_world.home)
    paths = [store.write(own_world.home, f"run {n}", _tables(own_world)) for n in range(3)]
    assert sorted(own_world.home.serving.glob("*.duckdb")) == sorted(paths[1:])
    assert store.current(own_world.home) == paths[-1]
    assert first not in paths


def _tables(world: World) -> dict[str, object]:
    path = store.current(world.home)
    assert path is not None
    with store.reading(world.home, path) as con:
        names = [row[0] for row in con.execute("SHOW TABLES").fetchall()]
        return {n: con.execute(f"FROM {n}").to_arrow_table() for n in names}


@pytest.mark.slow
@pytest.mark.parametrize("step", ["CHECKPOINT", "fsync", "replace", "pointer", "unlink"])
def test_a_publication_that_dies_at_any_step_leaves_one_that_can_be_read(
    own_world: World, step: str
) -> None:
    before = store.current(own_world.home)
    died = subprocess.run(
        [sys.executable, "-c", _DYING, str(own_world.home.root), step],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
        capture_output=True,
    )
    assert died.returncode == 9, died.stderr
    served = load(own_world.home)
    assert served.lookup.find(TEXT)
    if step not in ("pointer", "unlink"):
        assert served.path == before
    publish(own_world.run)
    assert load(own_world.home).lookup.find(TEXT)
    assert not list(own_world.home.serving.glob(".*"))


_DYING = """
import os, sys
from ffp_data.home.run import Run
from ffp_data.serving import publish, store
from datetime import date

home, step = sys.argv[1:]

def die(*_, **__):
    os._exit(9)

if step == "CHECKPOINT":
    store._publish = die
elif step == "fsync":
    store.os.fsync = die
elif step == "replace":
    store.Path.replace = die
elif step == "pointer":
    store.replacing = die
elif step == "unlink":
    for n in range(2):
        (__import__("pathlib").Path(home) / "serving" / f"old{n}.duckdb").write_bytes(b"x")
    store.Path.unlink = die
publish(Run.at(run_id="second", home=home, landing=home + "/landing", as_at=date(2026, 3, 31)))
"""


def test_a_reader_changes_over_to_what_is_published_and_keeps_answering(own_world: World) -> None:
    serving = Serving(own_world.home, load)
    before = serving.served()
    publish(own_world.run.__class__.at(
        run_id="second", home=own_world.home.root, landing=own_world.run.landing,
        as_at=own_world.run.as_at,
    ))  # fmt: skip
    assert serving.served() is before
    serving.refresh()
    after = serving.served()
    assert (before.meta["run_id"], after.meta["run_id"]) == ("first", "second")
    assert before.lookup.find(TEXT) == after.lookup.find(TEXT)


def test_a_reader_that_cannot_load_says_so_and_keeps_what_it_has(own_world: World) -> None:
    serving = Serving(own_world.home, load, every=0.01)
    served = serving.served()
    broken = own_world.home.serving / "broken.duckdb"
    broken.write_bytes(b"not a database")
    (own_world.home.serving / store.POINTER).write_text(f"{broken.name}\n", "ascii")
    serving.start()
    wait_until(lambda: serving.problem, "nothing was said of the broken snapshot")
    serving.stop()
    assert serving.served() is served


def test_a_forgotten_child_is_in_no_file_and_the_others_are_found_as_before(
    own_world: World,
) -> None:
    served = load(own_world.home)
    gone = served.child_of("health_csv|RXG|1")
    others = {
        m.record_id: m for m in served.lookup.find(TEXT) if served.child_of(m.record_id) != gone
    }
    assert forget(own_world.home, [gone]) == 2
    after = load(own_world.home)
    assert after.person(gone) is None
    assert {m.record_id: m for m in after.lookup.find(TEXT)} == others
    assert list(own_world.home.serving.glob("*.duckdb")) == [after.path]
    assert forget(own_world.home, [gone]) == 0
