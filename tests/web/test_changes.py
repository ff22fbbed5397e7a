"""What changed about a child between two published views, and what of it may be told later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from ffp_data.hub import Hub
from ffp_data.serving import store
from ffp_data.serving.changes import CHANGES, META, with_changes
from ffp_data.serving.view import FEEDS, PROTECTED, ROOM
from tests.web.world import AS_AT, World, make_world, tables_of

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("changes") / "home")


def _next(
    world: World, *edits: Callable[[Rows], object], **options: Any
) -> list[tuple[str, str, str]]:
    """What the newest of a row of publications, each edited further, tells of the world's own child."""
    store.write(world.home, "first", tables_of(world), room=ROOM)
    made: list[dict[str, Any]] = []
    base = tables_of(world)
    for number, edit in enumerate(edits, 2):
        rows = {name: table.to_pylist() for name, table in base.items()}
        edit(rows)
        base = {n: pa.Table.from_pylist(rows[n], t.schema) for n, t in base.items()}
        about = {"run_id": f"run {number}", "as_at": AS_AT, "kept_days": 90, **options}
        published = with_changes(
            world.home, {n: t for n, t in base.items() if n not in (CHANGES, META)}, **about
        )
        made = published.tables[CHANGES].to_pylist()
        meta = {"run_id": [about["run_id"]], "as_at": [AS_AT.isoformat()], "confident_from": [0.9],
                "number": [published.number], "began": [published.began], "hub_seq": [published.hub_seq]}  # fmt: skip
        store.write(
            world.home, about["run_id"], {**published.tables, META: pa.table(meta)}, room=ROOM
        )
    return [
        (row["op"], row["what"], row["source"]) for row in made if row["child_id"] == world.mine
    ]


def _set(table: str, at: int, **values: Any) -> Callable[[Rows], object]:
    return lambda rows: rows[table][at].update(values)


def _drop(table: str) -> Callable[[Rows], object]:
    return lambda rows: rows[table].clear()


def _nothing(_: Rows) -> None:
    pass


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (_nothing, []),
        (_set("children", 0, nhs_number="9990000026"), [("changed", "the NHS number", "case_system")]),
        (_set("children", 0, surname="Vane"), [("changed", "the name", "hub")]),
        (_set("children", 0, postcode="XF9 9ZZ"), [("changed", "the address", "case_system")]),
        (_set("children", 0, school_urn=None), [("gone", "the school", "case_system")]),
        (
            _set("children", 0, is_open_to=["early_help"]),
            [("gone", "open to child protection", "case_system"), ("new", "open to early help", "case_system")],
        ),
        (
            _set("involvements", 0, state_in_words="worked with the child or the family"),
            [("changed", "children's social care: worked with the child or the family", "case_system")],
        ),
        (
            _set("involvements", 0, contact_phone="01632 960002"),
            [("changed", "whom to ring at children's social care", "case_system")],
        ),
        (_drop("flags"), [("gone", "Missing in the last 90 days", "police")]),
        (
            _set("chronology", 0, event_date=date(2026, 3, 4)),
            [("gone", "Reported missing, 2 March 2026", "police"), ("new", "Reported missing, 4 March 2026", "police")],
        ),
        (_set("family_members", 0, to_date=date(2026, 1, 1)), [("changed", "Ivo Ottaway, father", "case_system")]),
        (
            lambda rows: rows[PROTECTED].append({"child_id": rows["children"][0]["child_id"]}),
            [("new", "where this child lives, learns or is seen is protected", "hub")],
        ),
    ],
)  # fmt: skip
def test_each_kind_of_change_is_told_in_words_with_its_source(
    first: World, edit: Callable[[Rows], object], told: list[tuple[str, str, str]]
) -> None:
    assert sorted(_next(first, edit)) == sorted(told)


def test_changes_of_several_runs_are_all_kept_while_they_stand(first: World) -> None:
    moved, missing = (
        _set("children", 0, postcode="XF9 9ZZ"),
        _set("chronology", 0, event_date=date(2026, 3, 4)),
    )
    again = _set("chronology", 0, event_date=date(2026, 3, 5))
    told = _next(first, moved, missing, again, _nothing)
    assert told == [
        ("gone", "Reported missing, 4 March 2026", "police"),
        ("new", "Reported missing, 5 March 2026", "police"),
        ("gone", "Reported missing, 2 March 2026", "police"),
        ("changed", "the address", "case_system"),
    ]  # fmt: skip
    assert _next(first, moved, _nothing, as_at=AS_AT, kept_days=-1) == []


@pytest.mark.parametrize(
    "later",
    [
        {"withheld": ()},
        {"withheld": "mine"},
    ],
)
def test_what_may_not_be_told_any_more_leaves_the_list_too(
    first: World, later: dict[str, Any]
) -> None:
    missing = _set("chronology", 0, event_date=date(2026, 3, 4))
    shut = [(first.mine, "police")] if later["withheld"] else []
    ended = _nothing if shut else _set(FEEDS, 0, agreement_state="withdrawn")
    assert _next(first, missing, ended, withheld=shut) == []


def test_of_a_child_protected_since_no_entry_tells_a_place(first: World) -> None:
    joined = _set(
        "chronology",
        1,
        summary="Joined a school (URN 990155)",
        event_type="school_joined",
        source="police",
    )
    hidden = lambda rows: rows[PROTECTED].append({"child_id": rows["children"][0]["child_id"]})  # noqa: E731
    words = " ".join(what for _, what, _ in _next(first, joined, hidden))
    assert "990155" not in words
    assert "school joined, 3 September 2025" in words


def test_what_became_of_identifiers_comes_first(tmp_path_factory: pytest.TempPathFactory) -> None:
    own = make_world(tmp_path_factory.mktemp("merged") / "home")
    keys = [f"case_system|x|{n}" for n in range(4)]
    merged = pa.table(
        {"record_id": [*keys, "police|x|9"], "cluster_id": [keys[0], keys[0], *keys[2:], keys[0]]}
    )
    with Hub.open(own.home.hub_url) as hub:
        hub.apply_run("second", AS_AT, "model", merged, allow_large_change=True)
        stays = hub.resolve(own.other)
    gone = own.other if stays == own.mine else own.mine
    other = lambda rows: rows["children"].__delitem__(0 if gone == own.mine else 1)  # noqa: E731
    told = with_changes(
        own.home, {n: t for n, t in _edited(own, other).items() if n not in (CHANGES, META)}, run_id="second",
        as_at=AS_AT, kept_days=90,
    ).tables[CHANGES].to_pylist()  # fmt: skip
    rows = [(row["op"], row["what"], row["source"]) for row in told if row["child_id"] == stays]
    assert (
        "told",
        f"Two were found to be one: 1 record came with identifier {gone}",
        "hub",
    ) in rows
    assert ("told", "Found to be of this child too: 1 record", "police") in rows


def _edited(world: World, edit: Callable[[Rows], object]) -> dict[str, pa.Table]:
    base = tables_of(world)
    rows = {name: table.to_pylist() for name, table in base.items()}
    edit(rows)
    return {n: pa.Table.from_pylist(rows[n], t.schema) for n, t in base.items()}
