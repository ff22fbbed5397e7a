"""What the database itself guarantees: migrations, one writer, nothing half done."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.exc import IntegrityError

from ffp_data.hub import Hub
from ffp_data.hub.database import create_engine
from ffp_data.hub.models import Base, Membership
from tests.hub.stories import AS_AT, Story, clusters, seeded_ids

BEFORE = "ann1 ann2 | bob1"
AFTER = "ann1 | ann2 bob1 | cat1 | dan1 dan2"


def apply(hub: Hub, run_id: str, text: str) -> None:
    hub.apply_run(run_id, AS_AT, "model-1", clusters(text))


def test_the_migrations_make_the_tables_of_the_models(hub_url: str) -> None:
    Hub.open(hub_url).close()
    with create_engine(hub_url).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        assert context.get_current_revision() is not None


def test_opening_again_keeps_what_is_there(hub_url: str) -> None:
    with Hub.open(hub_url, seeded_ids()) as hub:
        apply(hub, "first", BEFORE)
        before = hub.membership()
    with Hub.open(hub_url) as hub:
        assert hub.membership().equals(before)


@pytest.mark.control("B04")
def test_the_database_refuses_a_second_identifier_for_a_record(story: Story) -> None:
    story.run("a | b")
    ids = story.ids()
    second = {"record_key": "a", "child_id": ids["b"], "from_seq": 1, "valid_from": AS_AT}
    with pytest.raises(IntegrityError), story.hub._engine.begin() as connection:
        connection.execute(sa.insert(Membership), [second])


def test_two_runs_at_once_follow_each_other(hub_url: str) -> None:
    text = " | ".join(f"r{n} s{n}" for n in range(200))
    Hub.open(hub_url).close()
    start = threading.Barrier(4)
    failures: list[Exception] = []

    def work(number: int) -> None:
        with Hub.open(hub_url) as hub:
            start.wait()
            try:
                hub.apply_run(f"run-{number}", AS_AT, f"model-{number}", clusters(text))
            except Exception as failure:  # noqa: BLE001 - shown by the assertion below
                failures.append(failure)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with Hub.open(hub_url) as hub:
        table = hub.membership()
        assert table.num_rows == 400
        assert len(set(table["child_id"].to_pylist())) == 200


def test_readers_see_the_last_finished_run_while_another_is_written(hub_url: str) -> None:
    with Hub.open(hub_url, seeded_ids()) as reader:
        apply(reader, "first", BEFORE)
        before = reader.membership()
        seen = []
        ids = seeded_ids(2)

        def look_and_draw() -> str:
            seen.append(reader.membership())
            return ids()

        with Hub.open(hub_url, look_and_draw) as writer:
            apply(writer, "second", AFTER)
        assert len(seen) > 0
        assert all(table.equals(before) for table in seen)
        assert not reader.membership().equals(before)
