"""Sealing in the hub's own database: the identity leaves every table, and its identifier is never issued again."""

from __future__ import annotations

import hmac
import json
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from ffp_data.hub import Hub, HubError, UnknownIdentifierError, Verdict, seals
from ffp_data.hub.database import create_engine, writing
from tests.hub.stories import AS_AT, Story, clusters, pairs, seeded_ids

KEY = b"k" * 32


def spent(child_id: str) -> str:
    return hmac.digest(KEY, child_id.encode(), "sha256").hex()


def dump(engine: sa.Engine) -> str:
    """Every value of every table."""
    metadata = sa.MetaData()
    with engine.connect() as connection:
        metadata.reflect(connection)
        rows = [
            (table.name, [tuple(row) for row in connection.execute(sa.select(table))])
            for table in metadata.sorted_tables
        ]
    return json.dumps(rows, default=str)


@pytest.fixture
def sealed(story: Story) -> tuple[Story, set[str], str]:
    """A child of two records into which another was merged; a sibling's history mentions it."""
    story.run("a a2 | b | s", {"a a2": 0.99})
    old_of_b = story.ids()["b"]
    story.run("a a2 b | s", {"a a2": 0.99, "a b": 0.99})
    decision = story.decide("a", "s", Verdict.NOT_SAME, "r.first", "s.second")
    assert not story.undo(decision, "t.third"), "an undo waits, and goes with the identity too"
    story.run("a a2 b | s t", {"a a2": 0.99, "a b": 0.99, "s t": 0.99})
    child = story.ids()["a"]
    with story.hub._engine.connect() as connection:
        ids, records = seals.identity_of(connection, child)
    assert ids == {child, old_of_b}
    assert records == {"a", "a2", "b"}
    words = {*ids, *records}
    with writing(story.hub._engine) as connection:
        seals.add_tokens(connection, ["f" * 64], [spent(each) for each in ids])
        seals.purge(connection, words)
        seals.write_seal(connection, date(2026, 5, 1), "custodian", "adoption order", {"hub": 3})
    return story, words, child


def test_nothing_names_the_identity_any_more(sealed: tuple[Story, set[str], str]) -> None:
    story, words, child = sealed
    text = dump(story.hub._engine)
    assert not [word for word in words if json.dumps(word) in text or f'\\"{word}\\"' in text]
    for ask in (story.hub.resolve, story.hub.history):
        with pytest.raises(UnknownIdentifierError, match="never issued"):
            ask(child)
    assert story.hub.decisions() == ()


def test_other_children_keep_their_identifiers_and_their_history(
    sealed: tuple[Story, set[str], str],
) -> None:
    story, _, _ = sealed
    sister = story.ids()
    assert set(sister) == {"s", "t"}
    kinds = [str(event.kind) for event in story.hub.history(sister["s"])]
    assert kinds == ["issued", "joined"]


def test_sealing_again_finds_nothing_and_tells_the_same(
    sealed: tuple[Story, set[str], str],
) -> None:
    story, words, _ = sealed
    with writing(story.hub._engine) as connection:
        assert seals.count(connection, words) == {}
        assert seals.purge(connection, words) == {}
        seals.add_tokens(connection, ["f" * 64], [])
        assert seals.tokens(connection) == {"f" * 64}
        (told,) = seals.seals(connection)
    assert (told["kind"], told["sealed_by"], told["counts"]) == ("sealed", "custodian", {"hub": 3})


def test_a_sealed_identifier_is_never_drawn_again(sealed: tuple[Story, set[str], str]) -> None:
    story, _, child = sealed
    fresh = seeded_ids(99)
    drawn = iter([child, child])
    hub = Hub(story.hub._engine, lambda: next(drawn, None) or fresh(), spent_key=KEY)
    hub.apply_run("next", date(2026, 5, 2), "m", clusters("s t | n"), pairs({"s t": 0.99}))
    ids = dict(
        zip(*(hub.membership()[c].to_pylist() for c in ("record_key", "child_id")), strict=True)
    )
    assert ids["n"] != child
    assert next(drawn, None) is None, "the sealed one was drawn and thrown away"


def test_without_the_key_to_spent_identifiers_none_is_issued(
    sealed: tuple[Story, set[str], str],
) -> None:
    story, _, _ = sealed
    with pytest.raises(HubError, match="without its key"):
        story.hub.apply_run(
            "next", date(2026, 5, 2), "m", clusters("s t | n"), pairs({"s t": 0.99})
        )


def test_no_page_and_no_log_of_the_database_keeps_what_was_deleted(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    with Hub.open(url, seeded_ids()) as hub:
        hub.apply_run("one", AS_AT, "m", clusters("canary-record | other"))
        assert any(b"canary-record" in path.read_bytes() for path in tmp_path.iterdir())
        with writing(hub._engine) as connection:
            child = connection.scalar(
                sa.text("SELECT child_id FROM hub_membership WHERE record_key LIKE 'canary%'")
            )
            seals.purge(connection, [str(child), "canary-record"])
        seals.scour(hub._engine)
        for path in tmp_path.iterdir():
            data = path.read_bytes()
            assert b"canary" not in data, path.name
            assert str(child).encode() not in data, path.name


def test_scouring_works_on_each_database(story: Story) -> None:
    story.run("a | b")
    seals.scour(story.hub._engine)
    assert set(story.ids()) == {"a", "b"}
    create_engine(str(story.hub._engine.url)).dispose()
