"""The queue can be read whatever the warehouse does."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from ffp_data.pipeline.review_desk import ROOM, TABLE, read_queue
from ffp_data.pipeline.review_queue import SCHEMA
from ffp_data.serving import store
from ffp_data.settings import Home

ROW = {
    "place": 1,
    "item_id": 7,
    "record_left": "a",
    "record_right": "b",
    "child_left": "A",
    "child_right": "B",
    "readers": 2,
    "is_clash": False,
    "words": ["looked after"],
    "reasons": ["possible_match"],
    "sheet": '{"rows": []}',
    "evidence": '{"weight": 1.5}',
}


def publish(home: Home, run_id: str, *rows: dict[str, object]) -> None:
    store.write(home, run_id, {TABLE: pa.Table.from_pylist(list(rows), SCHEMA)}, room=ROOM)


def test_nothing_is_published_before_the_first_run(tmp_path: Path) -> None:
    assert read_queue(Home(tmp_path).prepare()) == []


def test_what_a_run_published_is_read_without_the_warehouse(tmp_path: Path) -> None:
    home = Home(tmp_path).prepare()
    publish(home, "first", {**ROW, "place": 2, "item_id": 8}, ROW)
    assert not home.warehouse.exists()
    assert [item.item_id for item in read_queue(home)] == [7, 8]
    assert read_queue(home)[0].evidence == {"weight": 1.5}


def test_the_newest_run_counts_and_look_ups_keep_their_own_snapshot(tmp_path: Path) -> None:
    home = Home(tmp_path).prepare()
    look_ups = store.write(home, "first", {"people": pa.table({"n": [1]})})
    for run_id in ("first", "second", "third"):
        publish(home, run_id, {**ROW, "item_id": len(run_id)})
    assert [item.item_id for item in read_queue(home)] == [len("third")]
    assert store.current(home) == look_ups
    assert look_ups.is_file()
    assert len(list((home.serving / ROOM).glob("*.duckdb"))) == 2


def test_a_queue_that_was_published_again_under_its_name_is_read_again(tmp_path: Path) -> None:
    home = Home(tmp_path).prepare()
    for item_id in (7, 8):
        publish(home, "first", {**ROW, "item_id": item_id})
        assert [item.item_id for item in read_queue(home)] == [item_id]
    assert read_queue(home) is read_queue(home)  # and only then


def test_what_is_published_is_encrypted_and_its_owners_alone(tmp_path: Path) -> None:
    home = Home(tmp_path).prepare()
    publish(home, "first", {**ROW, "sheet": '{"rows": ["Zebedee"]}'})
    path = store.current(home, ROOM)
    assert path is not None
    assert b"Zebedee" not in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0
