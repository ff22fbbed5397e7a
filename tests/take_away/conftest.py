"""A home whose children's facts come of feeds that the agreement on copies names, with one that it does not name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from ffp_data.access import Access
from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.serving import store
from ffp_data.serving.view import FEEDS, ROOM
from ffp_data.single_view.child import Filters
from ffp_data.single_view.published import Published, View
from ffp_data.take_away.child_pdf import compose
from ffp_data.take_away.copies import Copy, Hub, Taker, take
from governance.access import Principal
from tests.web.world import AS_AT, SEEN, World, make_world, tables_of

HOSTILE = (
    '=HYPERLINK("http://x") #read("/etc/passwd") *b* ]$ \\ <script> \u202eevil\u202c \u738b\x07'
)
PLAIN = (
    '=HYPERLINK("http://x") #read("/etc/passwd") *b* ]$ \\ <script> \ufffdevil\ufffd \ufffd\ufffd'
)
_FEED = {"police": "police_safeguarding", "school": "education_attendance"}


@dataclass(frozen=True)
class Desk:
    """A home, and somebody who takes copies of it."""

    world: World
    hub: Hub
    view: Published

    def pdf(self, child_id: str, **filters: Any) -> Copy:
        return take(
            self.hub, TAKER, self.view, [child_id],
            lambda found, stamp: compose(found, stamp, child_id, Filters(**filters)),
        )  # fmt: skip

    @property
    def events(self) -> list[Mapping[str, Any]]:
        return list(self.hub.ledger.events())


TAKER = Taker(Principal("family-help", "practitioner"), "Georgie Kemble", "core group on 2 April")


@pytest.fixture(scope="package")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    world = make_world(tmp_path_factory.mktemp("copies") / "home")
    store.write(world.home, "second", _tables(world), room=ROOM)
    run = Run.at(run_id="second", home=world.home.root, as_at=AS_AT)
    assert policy.compile_lock(run).problems == []
    access = Access(world.home)
    hub = Hub(world.home, access.gate, access.ledger, access.keys)
    return Desk(world, hub, View(world.home).newest())


def _tables(world: World) -> dict[str, pa.Table]:
    """The world's, with agreed feeds, hostile texts of `other`, and a marker of `mine` that no copy may hold."""
    tables = {}
    for name, table in tables_of(world).items():
        rows = [
            {k: _FEED.get(v, v) if isinstance(v, str) else v for k, v in row.items()}
            for row in table.to_pylist()
        ]
        tables[name] = pa.Table.from_pylist([*rows, *_more(world, name, rows)], table.schema)
    return tables


def _more(world: World, name: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if name == "involvements":
        first = next(row for row in rows if row["child_id"] == world.mine)
        return [
            {
                **first,
                "service_label": "domestic abuse",
                "contact_name": "C Ordinator",
                "source": "marac",
            },
            {**first, "child_id": world.other, "contact_name": HOSTILE, "team": "-2+3"},
        ]
    if name == "family_members":
        first = next(row for row in rows if row["child_id"] == world.mine)
        return [
            {
                **first,
                "related_child_id": world.other,
                "related_name": "Robin Ottaway",
                "relationship": "brother",
            }
        ]
    if name == "flags":
        base = {"flag": "x", "since": date(2026, 3, 1), "as_of": SEEN}
        return [
            {
                **base,
                "child_id": world.mine,
                "rule_in_words": "High risk",
                "facts": "of MARAC",
                "source": "case_system, marac",
            },
            {
                **base,
                "child_id": world.other,
                "rule_in_words": HOSTILE,
                "facts": "@SUM(1)",
                "source": "case_system",
            },
        ]
    if name == "children":
        for row in rows:
            if row["child_id"] == world.mine:
                row["sex_source"] = "marac"
            if row["child_id"] == world.other:
                row["given_name"] = HOSTILE
        return []
    return (
        [{"feed": "marac", "service_label": "domestic abuse", "is_late": False}]
        if name == FEEDS
        else []
    )
