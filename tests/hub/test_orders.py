"""Orders in the register, on both databases: they follow a child, stand until lifted, and go with the child."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from ffp_data.hub import Hub, orders, seals
from ffp_data.hub.database import create_engine, writing
from ffp_data.hub.orders import OrderError
from tests.hub.stories import Story, seeded_ids

NOON, TODAY = datetime(2026, 4, 1, 12, tzinfo=UTC), date(2026, 4, 1)


def values(child: str | None, **others: Any) -> dict[str, Any]:
    return {"kind": "shield", "child_id": child, "made_at": NOON, "payload": b"closed", **others}


def give(engine: sa.Engine, child: str | None, **others: Any) -> int:
    with writing(engine) as connection:
        return orders.add(connection, values(child, **others))


def reached(engine: sa.Engine, day: date = TODAY) -> frozenset[str]:
    with engine.connect() as connection:
        return orders.reached(connection, day, "shield")


@pytest.mark.control("B08")
def test_an_order_follows_merges_and_splits_stands_to_its_day_and_is_lifted_once(
    hub_url: str,
) -> None:
    with Hub.open(hub_url, seeded_ids()) as hub:
        story = Story(hub)
        story.run("ann1 ann2 | bob1 | cat1")
        before = story.ids()
        engine = create_engine(hub_url)
        number = give(engine, before["ann1"], until=TODAY)
        give(engine, None, scope="feed:ctf")
        assert reached(engine) == {before["ann1"]}
        assert reached(engine, date(2026, 4, 2)) == frozenset()
        with engine.connect() as connection:
            version = orders.version(connection)
        story.run("ann1 ann2 bob1 | cat1")
        assert reached(engine) == {story.ids()["ann1"]}
        story.run("ann1 | ann2 | bob1 | cat1")
        assert {story.ids()["ann1"], story.ids()["ann2"]} <= reached(engine)
        assert story.ids()["cat1"] not in reached(engine)
        with engine.connect() as connection:
            assert orders.version(connection) != version, "look-ups must ask again"
        with writing(engine) as connection:
            orders.lift(connection, number, NOON, b"why")
        assert reached(engine) == frozenset()
        with pytest.raises(OrderError), writing(engine) as connection:
            orders.lift(connection, number, NOON, b"again")
        engine.dispose()


@pytest.mark.control("C06")
def test_orders_go_with_the_child_they_are_about_and_others_stay(hub_url: str) -> None:
    with Hub.open(hub_url, seeded_ids()) as hub:
        story = Story(hub)
        story.run("ann1 | bob1")
        ann, bob = story.ids()["ann1"], story.ids()["bob1"]
    engine = create_engine(hub_url)
    give(engine, ann)
    other = give(engine, bob)
    with writing(engine) as connection:
        counts = seals.purge(connection, [ann, "ann1"])
    assert counts["hub_order"] == 1
    with engine.connect() as connection:
        assert [each.number for each in orders.listed(connection, "shield")] == [other]
    engine.dispose()
