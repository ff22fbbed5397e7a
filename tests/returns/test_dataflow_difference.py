"""A difference, applied to what DfE holds, gives what is wanted: for payloads of any content."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ffp_data.returns.dataflow.difference import apply, deletion, difference, keep_ids
from ffp_data.returns.dataflow.layout import Field, Node, layout

LAYOUT = layout()
WORDS = st.sampled_from(["", "a", "O'Brien", 'a "b" \\', "Zoë 🙂", "1"])
DAYS = st.sampled_from(["2025-04-01", "2025-04-02", "2026-03-31"])
IDS = st.sampled_from(["1", "2", "3", "10"])  # few, so that two payloads meet and miss each other


def values(field: Field) -> st.SearchStrategy[Any]:
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "id": IDS,
        "date": DAYS,
        "boolean": st.booleans(),
        "integer": st.integers(0, 3),
        "text": WORDS,
    }
    return kinds[field.type]


@st.composite
def objects(draw: st.DrawFn, node: Node) -> dict[str, Any]:
    """An object of the layout as `build` makes it: no nulls, no empty lists, elements by id."""
    made: dict[str, Any] = {}
    for field in node.fields:
        if field.required or draw(st.booleans()):
            made[field.name] = draw(values(field))
    if node.purge:
        made["purge"] = False
    for part in node.contents:
        value = draw(parts(part))
        if value:
            made[part.name] = value
    return made


def parts(part: Node) -> st.SearchStrategy[Any]:
    if part.value is not None:
        return st.lists(values(part.value), max_size=2, unique=True).map(sorted)
    if part.kind == "object":
        return st.none() | objects(part) if part.relation else objects(part)
    if part.id is None:
        return st.lists(objects(part), max_size=2)
    name = part.id
    return st.lists(objects(part), max_size=2, unique_by=lambda each: each[name]).map(
        lambda found: sorted(found, key=lambda each: str(each[name]))
    )


def payloads() -> st.SearchStrategy[dict[str, Any]]:
    return objects(LAYOUT.child).map(
        lambda made: {**made, "la_child_id": "1001", "mis_child_id": "1001"}
    )


@given(wanted=payloads(), held=payloads())
def test_a_difference_applied_to_what_is_held_gives_what_is_wanted(wanted: Any, held: Any) -> None:
    before = copy.deepcopy((wanted, held))
    message = difference(wanted, held, LAYOUT)
    assert apply(message, held, LAYOUT) == wanted
    assert apply(message, wanted, LAYOUT) == wanted  # it may arrive twice
    assert (wanted, held) == before  # and neither is touched


@given(payload=payloads())
def test_of_nothing_all_is_sent_and_of_equals_only_who_is_meant(payload: Any) -> None:
    assert apply(difference(payload, {}, LAYOUT), {}, LAYOUT) == payload
    message = difference(payload, payload, LAYOUT)
    assert message.keys() <= {"la_child_id", "mis_child_id", "child_details", "purge"}


@given(wanted=payloads(), held=payloads())
def test_keeping_ids_changes_nothing_but_ids(wanted: Any, held: Any) -> None:
    kept = keep_ids(wanted, held, LAYOUT)
    assert sorted(without_ids(kept)) == sorted(without_ids(wanted))
    assert apply(difference(kept, held, LAYOUT), held, LAYOUT) == kept
    assert keep_ids(kept, held, LAYOUT) == kept


def without_ids(payload: Any, path: str = "") -> list[str]:
    """Every value with its place, but ids and the order of elements."""
    if isinstance(payload, dict):
        return [
            told
            for name, value in payload.items()
            if not name.endswith("_id") or name in ("la_child_id", "mis_child_id", "worker_id")
            for told in without_ids(value, f"{path}.{name}")
        ]
    if isinstance(payload, list):
        return [told for each in payload for told in without_ids(each, f"{path}[]")]
    return [f"{path}={payload!r}"]


def child(*episodes: dict[str, Any], **details: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"la_child_id": "1001", "mis_child_id": "1001", "purge": False}
    made["child_details"] = {"surname": "O'Brien", **details, "purge": False}
    return {**made, **({"social_care_episodes": list(episodes)} if episodes else {})}


def episode(number: str, **members: Any) -> dict[str, Any]:
    return {"social_care_episode_id": number, "purge": False, **members}


def plan(number: str, **members: Any) -> dict[str, Any]:
    return {"child_in_need_plan_id": number, "purge": False, **members}


def test_what_went_away_is_purged_by_its_id_and_a_value_that_is_gone_is_null() -> None:
    held = child(
        episode("1", closure_date="2025-05-01", child_in_need_plans=[plan("7"), plan("8")]),
        episode("2"),
    )
    wanted = child(episode("1", child_in_need_plans=[plan("8"), plan("9")]))
    assert difference(wanted, held, LAYOUT) == {
        "la_child_id": "1001",
        "mis_child_id": "1001",
        "child_details": {"surname": "O'Brien", "purge": False},
        "purge": False,
        "social_care_episodes": [
            {
                "social_care_episode_id": "1",
                "purge": False,
                "closure_date": None,
                "child_in_need_plans": [
                    {"child_in_need_plan_id": "7", "purge": True},
                    {"child_in_need_plan_id": "9", "purge": False},
                ],
            },
            {"social_care_episode_id": "2", "purge": True},
        ],
    }


def test_a_child_who_left_is_purged_by_its_numbers_alone() -> None:
    held = child(episode("1"))
    message = deletion(held, LAYOUT)
    assert message == {"la_child_id": "1001", "mis_child_id": "1001", "purge": True}
    assert apply(message, held, LAYOUT) is None


def test_an_event_that_was_only_numbered_anew_keeps_the_number_that_dfe_knows() -> None:
    day = {"referral_date": "2025-04-01"}
    held = child(episode("1", **day, child_in_need_plans=[plan("7", start_date="2025-05-01")]))
    renumbered = child(
        episode("51", **day, child_in_need_plans=[plan("57", start_date="2025-05-01")])
    )
    assert keep_ids(renumbered, held, LAYOUT) == held
    other_day = child(episode("51", referral_date="2025-04-02"))
    assert keep_ids(other_day, held, LAYOUT) == other_day
