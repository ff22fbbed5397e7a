"""Twins are told apart or both shown, a protected child's place is nowhere, and every read is written down."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from ffp_data.access import Access
from ffp_data.hub.child_id import new_child_id
from ffp_data.hub.database import create_engine
from ffp_data.lookups import (
    Demographics,
    Grade,
    Identify,
    Lookups,
    NamesThePersonError,
    NotEnoughError,
    NotThereError,
)
from ffp_data.serving import load
from ffp_data.settings import Home
from governance.access import AccessDeniedError, Principal
from linkage.catalogue import RECORDS
from tests.lookups.world import ADULT, HIDDEN, LUCA, NOAH, World

WORKER = Principal("asmith", "practitioner")
REVIEWER = Principal("bjones", "reviewer")
OFFICER = Principal("cdoe", "ig_officer")
ENGINEER = Principal("dlee", "data_engineer")
SYSTEM = Principal("portal", "service")


def known(person: dict[str, Any], **others: Any) -> Demographics:
    fields = {
        "given_name": person["given_name"], "family_name": person["surname"],
        "birth_date": person["date_of_birth"], "sex": person["sex"], "postcode": person["postcode"],
    }  # fmt: skip
    return Demographics.model_validate(fields | others)


def child_of(world: World, record_key: str) -> str:
    return load(world.home).child_of(record_key)


def test_a_child_is_found_for_certain_and_the_twin_is_not(world: World, identify: Identify) -> None:
    answer = identify(WORKER, known(NOAH), "a call from the school")
    first, *others = answer.candidates
    assert (first.child_id, first.grade) == (child_of(world, "health_csv|RXG|1"), Grade.CERTAIN)
    assert "given name: the same" in first.evidence
    assert all(other.grade is Grade.POSSIBLE for other in others)


def test_of_twins_who_cannot_be_told_apart_neither_is_certain(
    world: World, identify: Identify
) -> None:
    without_name = known(NOAH, given_name=None)
    found = identify(WORKER, without_name, "a call").candidates
    twins = {child_of(world, "health_csv|RXG|1"), child_of(world, "health_csv|RXG|2")}
    assert {c.child_id for c in found} >= twins
    assert all(c.grade is not Grade.CERTAIN for c in found)


def test_one_twins_name_with_the_others_number_makes_nobody_certain(
    world: World, identify: Identify
) -> None:
    mixed = known(NOAH, nhs_number=LUCA["nhs_number"])
    found = identify(WORKER, mixed, "a call").candidates
    assert found
    assert all(c.grade is not Grade.CERTAIN for c in found)
    assert any(c.against for c in found)


def test_an_adult_is_nobody_to_be_found(identify: Identify) -> None:
    found = identify(WORKER, known(ADULT), "a call").candidates
    assert all(c.grade is Grade.POSSIBLE for c in found)  # a child of the same house at most


def test_a_protected_childs_place_is_neither_told_nor_confirmed(
    world: World, lookups: Lookups, identify: Identify
) -> None:
    right = identify(WORKER, known(HIDDEN), "a call").candidates[0]
    wrong = identify(WORKER, known(HIDDEN, postcode="XF9 9ZZ"), "a call").candidates[0]
    assert right == wrong
    assert not any("address" in each or "district" in each for each in right.evidence)
    told = lookups.child(WORKER, right.child_id, "a call")
    assert (told.given_name, told.postcode, told.place_withheld) == ("Marigold", None, True)
    only_place = Demographics(postcode=HIDDEN["postcode"], birth_date=HIDDEN["date_of_birth"])
    found = identify(WORKER, only_place, "a call").candidates
    assert right.child_id not in {c.child_id for c in found}


def test_the_snapshot_holds_no_place_of_a_protected_child(world: World) -> None:
    served = load(world.home)
    hidden = child_of(world, "police_safeguarding|51|3")
    keys = [k for k, _, _ in _planted() if served.child_of(k) == hidden]
    rows = [served.lookup.catalogue.ids.to_pylist().index(key) for key in keys]
    for name in ("postcode", "uprn", "phone", "email"):
        column = served.lookup.catalogue.columns[name]
        assert [column[row].as_py() for row in rows] == [None] * len(rows), (RECORDS, name)


def _planted() -> list[tuple[str, dict[str, Any], bool]]:
    from tests.lookups.world import PLANTED  # noqa: PLC0415

    return [entry for entry in PLANTED if entry[1] is not ADULT]


def test_keys_of_a_protected_childs_records_are_withheld_since_they_name_a_school(
    world: World, lookups: Lookups
) -> None:
    hidden, open_ = (child_of(world, k) for k in ("police_safeguarding|51|3", "health_csv|RXG|1"))
    assert lookups.history(REVIEWER, open_).events[0].records
    assert lookups.history(WORKER, open_).events[0].records is None
    assert lookups.history(REVIEWER, hidden).events[0].records is None
    table, withheld = lookups.as_of(ENGINEER, world.run.as_at)
    assert withheld == 2
    assert not any("990177" in key for key in table["record_key"].to_pylist())
    table, withheld = lookups.as_of(OFFICER, world.run.as_at, "a subject access request")
    assert withheld == 0
    assert any("990177" in key for key in table["record_key"].to_pylist())


@pytest.mark.parametrize("who", [OFFICER, ENGINEER])
def test_a_role_without_the_right_learns_nothing(identify: Identify, who: Principal) -> None:
    with pytest.raises(AccessDeniedError):
        identify(who, known(NOAH), "a call")


def test_a_role_that_may_not_know_who_it_is_gets_the_identifier_alone(
    world: World, lookups: Lookups
) -> None:
    told = lookups.child(SYSTEM, child_of(world, "health_csv|RXG|1"))
    assert told.records == 2
    assert told.given_name is None
    assert told.postcode is None


def test_the_ledger_knows_who_read_whom_and_no_identifier_in_clear(
    own_world: World, open_lookups: Callable[[Home], tuple[Lookups, Identify]]
) -> None:
    (lookups, identify), access = open_lookups(own_world.home), Access(own_world.home)
    before = sum(1 for _ in access.ledger.events())
    answer = identify(WORKER, known(NOAH), "a call from the school")
    child_id = answer.candidates[0].child_id
    lookups.history(REVIEWER, child_id.lower())
    with pytest.raises(AccessDeniedError):
        lookups.history(SYSTEM, child_id)
    events = list(access.ledger.events())[before:]
    assert [(e["kind"], e["facts"]["right"]) for e in events] == [
        ("read", "identify"),
        ("read", "history"),
        ("access_refused", "history"),
    ]
    (reference,) = access.subjects.references([child_id])
    assert all(reference in event["facts"]["subjects"] for event in events)
    text = json.dumps(events)
    assert not any(word in text for word in (child_id, "Noah", "Quarrington", "2016-05-04"))


def test_a_reason_that_names_the_person_is_refused(identify: Identify) -> None:
    with pytest.raises(NamesThePersonError):
        identify(WORKER, known(NOAH), "the mother of noah called")


def test_too_little_names_fields_that_a_caller_knows(identify: Identify) -> None:
    with pytest.raises(NotEnoughError, match="birth_date and given_name") as refused:
        identify(WORKER, Demographics(given_name="Noah"), "a call")
    assert "surname" not in str(refused.value)


def test_an_identifier_never_issued_and_a_mistyped_one_are_not_there(lookups: Lookups) -> None:
    for text in (new_child_id(), "XXXX", ""):
        with pytest.raises(NotThereError):
            lookups.resolve(SYSTEM, text)


def test_a_child_who_left_the_register_is_not_there_even_before_the_next_snapshot(
    own_world: World, open_lookups: Callable[[Home], tuple[Lookups, Identify]]
) -> None:
    lookups, identify = open_lookups(own_world.home)
    child_id = identify(WORKER, known(NOAH), "a call").candidates[0].child_id
    engine = create_engine(own_world.home.hub_url)
    with engine.begin() as connection:
        for table in ("hub_subject_key", "hub_membership", "hub_event", "hub_person"):
            query = sa.text(f"DELETE FROM {table} WHERE child_id = :gone")
            connection.execute(query, {"gone": child_id})
    engine.dispose()
    found = identify(WORKER, known(NOAH), "a call").candidates
    assert child_id not in {c.child_id for c in found}
    with pytest.raises(NotThereError):
        lookups.child(SYSTEM, child_id)
