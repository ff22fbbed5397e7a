"""A reviewer's desk in a home: the hub's database, the published queue, roles and ledger of that home."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import duckdb

from ffp_data.access import Access
from ffp_data.hub.database import create_engine, migrate
from ffp_data.hub.review_items import ReviewError
from ffp_data.review.desk import Desk, Listed
from ffp_data.review.rules import ReviewRules
from ffp_data.serving import store
from ffp_data.settings import Home
from governance.access import Principal, Right

ROOM, TABLE = "review", "queue"
"""Where in the serving folder the queue is published, and its table."""
_TRIES = 3


@contextmanager
def open_desk(home: Home, principal: Principal | None = None) -> Iterator[Desk]:
    """The desk of a user: of the operating system's, unless somebody else is named."""
    access = Access(home)
    engine = create_engine(home.hub_url)
    try:
        migrate(engine)
        yield Desk(
            engine,
            lambda: read_queue(home),
            review_rules(home),
            access.gate,
            principal or access.user(Right.DECIDE),
        )
    finally:
        engine.dispose()


def review_rules(home: Home) -> ReviewRules:
    """The partnership's own `review.yaml` in the home, else the packaged rules."""
    own = home.root / "review.yaml"
    return ReviewRules.read(own if own.is_file() else None)


def read_queue(home: Home) -> Sequence[Listed]:
    """The queue as the last finished run left it, in order; also while the next run writes."""
    for _ in range(_TRIES):
        path = store.current(home, ROOM)
        if path is None:
            return []
        try:
            is_now = path.stat()
            return _read(home, path, (is_now.st_ino, is_now.st_mtime_ns, is_now.st_size))
        except (duckdb.IOException, FileNotFoundError):
            if path.is_file():
                raise
    raise ReviewError("the queue is being published; ask again")


@lru_cache(
    maxsize=1
)  # a large hub's queue takes a second to read, and every page of a reviewer asks for it
def _read(home: Home, path: Path, _file: tuple[int, int, int]) -> tuple[Listed, ...]:
    with store.reading(home, path) as con:
        rows = con.execute(f"SELECT * FROM {TABLE} ORDER BY place").to_arrow_table().to_pylist()
    return tuple(
        Listed(
            item_id=row["item_id"],
            place=row["place"],
            left=row["record_left"],
            right=row["record_right"],
            children=(row["child_left"], row["child_right"]),
            readers=row["readers"],
            is_clash=row["is_clash"],
            words=tuple(row["words"]),
            reasons=tuple(row["reasons"]),
            sheet=json.loads(row["sheet"]),
            evidence=json.loads(row["evidence"]),
        )
        for row in rows
    )
