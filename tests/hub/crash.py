"""Applies one run in a process of its own and kills it there: ``crash.py URL MOMENT``."""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn

import sqlalchemy as sa

from ffp_data.hub import Hub
from ffp_data.hub.child_id import IdSource
from ffp_data.hub.database import create_engine
from tests.hub.stories import AS_AT, clusters, seeded_ids

BEFORE = "ann1 ann2 | bob1"
AFTER = "ann1 | ann2 bob1 | cat1 | dan1 dan2"


def die(*_: object) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("a killed process does not go on")


def dies_at_second_draw(ids: IdSource) -> IdSource:
    first = [True]

    def draw() -> str:
        return ids() if first and first.pop() else die()

    return draw


def apply(hub: Hub, run_id: str, text: str) -> None:
    hub.apply_run(run_id, AS_AT, "model-1", clusters(text))


def main(url: str, moment: str) -> None:
    engine = create_engine(url)
    ids = seeded_ids(2)
    hub = Hub(engine, dies_at_second_draw(ids) if moment == "draw" else ids)
    if moment == "event":
        sa.event.listen(
            engine,
            "after_cursor_execute",
            lambda _c, _cur, sql, *_: die() if "INTO hub_event" in sql else None,
        )
    if moment == "commit":
        sa.event.listen(engine, "commit", die)
    apply(hub, "interrupted", AFTER)


if __name__ == "__main__":
    main(*sys.argv[1:])
