"""Children whom a careless hub would join or lose, run by run, with the hub's own model and its kept fit."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from ffp_data.hub import EventKind, Hub, PastEvent
from ffp_data.hub.safety import ONE_NUMBER
from ffp_data.identity import record_facts
from ffp_data.pipeline import identify
from ffp_data.warehouse import connect
from tests.pipeline.town import Record, Town

BORN = dt.date(2014, 3, 9)
SURNAMES = ("Ashworth", "Birkstead", "Coldcombe", "Dunby", "Elmgrave", "Fairlow", "Garmere")
GIVEN = ("Aldric", "Brenwyn", "Cormund", "Edbert", "Fenric", "Halwyn", "Osmund")
NUMBERS = ("9990000018", "9990000026", "9990000034")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return Town.make(tmp_path_factory.mktemp("town") / "home", households=150)


@pytest.fixture
def town(first: Town, tmp_path: Path) -> Town:
    return first.copy(tmp_path / "home")


def child(key: str, given: str | None, **changed: Any) -> Record:
    """A record of a child of one household; the key begins with the feed."""
    return {
        "record_key": key,
        "feed": key.partition("|")[0],
        "system": "f",
        "role": "child",
        "given_name": given,
        "surname": "Wetherstead",
        "date_of_birth": BORN,
        "sex": "M",
        "postcode": "XF77 1AA",
        "uprn": "77001",
        "is_restricted": False,
    } | changed


def history(town: Town, child_id: str) -> list[PastEvent]:
    with Hub.open(town.home.hub_url) as hub:
        return list(hub.history(child_id))


def kind(town: Town, child_id: str) -> str:
    with connect(town.home, read_only=True) as con:
        query = "SELECT kind FROM identity.children WHERE child_id = ?"
        row = con.execute(query, [child_id]).fetchone()
    assert row is not None
    return str(row[0])


CASE, GP, SCHOOL, POLICE = (
    f"{feed}|f|"
    for feed in ("case_system", "health_fhir", "education_attendance", "police_safeguarding")
)


def test_twins_stay_two_children_even_when_one_feed_writes_one_number_on_both(town: Town) -> None:
    twins = [
        child(f"{GP}1", "Aldric", nhs_number=NUMBERS[0], birth_order=1),
        child(f"{GP}2", "Oswyn", nhs_number=NUMBERS[1], birth_order=2),
        child(f"{SCHOOL}1", "Aldric"),
        child(f"{SCHOOL}2", "Oswyn"),
    ]
    town.deliver(*twins)
    town.run()
    ids = town.ids()
    assert ids[f"{GP}1"] == ids[f"{SCHOOL}1"] != ids[f"{GP}2"] == ids[f"{SCHOOL}2"]
    town.deliver(child(f"{CASE}2", "Oswyn", nhs_number=NUMBERS[0]))  # his brother's number
    _, assigned = town.run()
    after = town.ids()
    brother = ids[f"{GP}1"]
    assert {key for key, child_id in after.items() if child_id == brother} == {
        f"{GP}1",
        f"{SCHOOL}1",
    }
    listed = {frozenset((c.left, c.right)): c.reason for c in assigned.summary.clashes}
    assert listed[frozenset((f"{GP}1", f"{CASE}2"))] == ONE_NUMBER


def test_siblings_who_share_all_but_first_name_and_birth_stay_two_children(town: Town) -> None:
    younger = dt.date(2016, 5, 2)
    town.deliver(
        child(f"{GP}1", "Aldric"),
        child(f"{SCHOOL}1", "Aldric"),
        child(f"{GP}2", "Oswyn", date_of_birth=younger),
        child(f"{SCHOOL}2", "Oswyn", date_of_birth=younger),
    )
    town.run()
    ids = town.ids()
    assert ids[f"{GP}1"] == ids[f"{SCHOOL}1"] != ids[f"{GP}2"] == ids[f"{SCHOOL}2"]


def test_two_valid_nhs_numbers_keep_two_records_apart_however_alike(town: Town) -> None:
    town.deliver(
        child(f"{GP}1", "Aldric", nhs_number=NUMBERS[0], nhs_number_status="01"),
        child(f"{CASE}1", "Aldric", nhs_number=NUMBERS[1]),
    )
    town.run()
    ids = town.ids()
    assert ids[f"{GP}1"] != ids[f"{CASE}1"]


def test_a_number_that_nobody_verified_parts_no_child(town: Town) -> None:
    """One family for each status, in a street of its own."""
    codes = record_facts.number_trust().not_verified
    for code, surname, given in zip(codes, SURNAMES, GIVEN, strict=True):
        own = {"surname": surname, "postcode": f"XF6{code[1]} 1AA", "uprn": f"88{code}"}
        unverified = {"nhs_number": f"99900{code}018", "nhs_number_status": code}
        town.deliver(
            child(f"{GP}{code}", given, **own, **unverified),
            child(f"{CASE}{code}", given, **own, nhs_number=f"99900{code}026"),
            child(f"{SCHOOL}{code}", given, **own),
        )
    town.run()
    ids = town.ids()
    for code in codes:
        assert ids[f"{GP}{code}"] == ids[f"{CASE}{code}"] == ids[f"{SCHOOL}{code}"]


def test_nor_does_it_join_a_child_with_the_brother_whose_number_it_is(town: Town) -> None:
    elsewhere = {"postcode": "XG55 2ZZ", "uprn": None, "surname": "Blythecombe"}
    town.deliver(
        child(f"{CASE}1", "Aldric", nhs_number=NUMBERS[0]),
        child(f"{GP}2", "Alaric", nhs_number=NUMBERS[0], nhs_number_status="02", **elsewhere),
    )
    town.run()
    ids = town.ids()
    assert ids[f"{CASE}1"] != ids[f"{GP}2"]


def test_an_unborn_child_keeps_its_identifier_when_born(town: Town) -> None:
    due = dt.date(2026, 4, 20)
    unborn = child(
        f"{CASE}1", "Unborn", date_of_birth=None, expected_birth_date=due, sex=None, uprn="77002"
    )
    town.deliver(unborn)
    town.run()
    expected = town.ids()[f"{CASE}1"]
    assert kind(town, expected) == "unborn"
    newborn = {"date_of_birth": dt.date(2026, 4, 16), "uprn": "77002", "nhs_number": NUMBERS[2]}
    town.deliver(child(f"{GP}1", "Baby", **newborn))
    town.run()
    ids = town.ids()
    assert ids[f"{GP}1"] == ids[f"{CASE}1"] == expected
    assert kind(town, expected) == "child"
    joined = history(town, expected)[-1]
    assert (joined.kind, joined.record_key) == (EventKind.JOINED, f"{GP}1")
    town.deliver({"record_key": f"{CASE}1", "given_name": "Hallam", **newborn})
    town.deliver({"record_key": f"{GP}1", "given_name": "Hallam"})
    town.run()
    ids = town.ids()
    assert ids[f"{GP}1"] == ids[f"{CASE}1"] == expected


def test_an_unborn_child_and_its_elder_brother_stay_two(town: Town) -> None:
    due = dt.date(2026, 7, 1)
    unborn = child(f"{CASE}1", "Unborn", date_of_birth=None, expected_birth_date=due, sex=None)
    town.deliver(unborn, child(f"{GP}1", "Aldric", date_of_birth=dt.date(2025, 6, 1)))
    town.run()
    ids = town.ids()
    assert ids[f"{CASE}1"] != ids[f"{GP}1"]


def test_baby_of_a_family_keeps_its_identifier_when_named_and_the_renaming_is_told(
    town: Town,
) -> None:
    newborn = {"date_of_birth": dt.date(2026, 3, 28), "nhs_number": NUMBERS[0]}
    town.deliver(child(f"{GP}1", "Baby", **newborn))
    town.run()
    baby = town.ids()[f"{GP}1"]
    town.deliver({"record_key": f"{GP}1", "given_name": "Aldric"})
    town.deliver(child(f"{CASE}1", "Aldric", **newborn))
    town.run()
    ids = town.ids()
    assert ids[f"{GP}1"] == ids[f"{CASE}1"] == baby
    told = [e for e in history(town, baby) if e.kind == EventKind.CORRECTED]
    assert [e.evidence for e in told] == [{"records": [f"{GP}1"], "fields": ["given_name"]}]
    assert (told[0].reason, told[0].run_id) == ("sender", "run-3")


@pytest.mark.slow
def test_a_child_with_a_new_surname_and_home_keeps_the_identifier(town: Town) -> None:
    known = {"nhs_number": NUMBERS[0]}
    town.deliver(child(f"{GP}1", "Aldric", **known), child(f"{CASE}1", "Aldric", **known))
    town.run()
    before = town.ids()[f"{GP}1"]
    moved = {"surname": "Blythecombe", "postcode": "XG55 2ZZ", "uprn": None}
    town.deliver({"record_key": f"{GP}1", **moved})
    town.run()
    assert town.ids()[f"{GP}1"] == town.ids()[f"{CASE}1"] == before
    town.deliver({"record_key": f"{CASE}1", **moved})
    town.run()
    assert town.ids()[f"{GP}1"] == town.ids()[f"{CASE}1"] == before


def test_whoever_turns_eighteen_keeps_the_identifier(town: Town) -> None:
    """Born on the day of the second run from here, eighteen years before."""
    birthday = dt.date(2008, 4, 1) + dt.timedelta(days=town.runs + 2)
    town.deliver(child(f"{SCHOOL}1", "Aldric", date_of_birth=birthday))
    town.run()
    before = town.ids()[f"{SCHOOL}1"]
    assert kind(town, before) == "child"
    town.run()
    assert town.ids()[f"{SCHOOL}1"] == before
    assert kind(town, before) == "adult"


@pytest.mark.slow
def test_a_crash_after_the_hub_has_written_tells_no_correction_twice(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.deliver(child(f"{GP}1", "Aldric"))
    town.run()
    town.deliver({"record_key": f"{GP}1", "date_of_birth": dt.date(2014, 9, 3)})

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(identify, "keep_facts", die)
        with pytest.raises(KeyboardInterrupt):
            town.run()
    town.run()
    town.deliver({"record_key": f"{GP}1", "nhs_number": NUMBERS[0]})  # was lacking: no correction
    town.run()
    told = [e for e in history(town, town.ids()[f"{GP}1"]) if e.kind == EventKind.CORRECTED]
    assert [e.evidence["fields"] for e in told] == [["date_of_birth"]]


@pytest.mark.slow
def test_a_crash_before_the_hub_has_written_loses_no_correction(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.deliver(child(f"{GP}1", "Aldric"))
    town.run()
    town.deliver({"record_key": f"{GP}1", "sex": "F"})

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Hub, "apply_run", die)
        with pytest.raises(KeyboardInterrupt):
            town.run()
    town.run()
    told = [e for e in history(town, town.ids()[f"{GP}1"]) if e.kind == EventKind.CORRECTED]
    assert [e.evidence["fields"] for e in told] == [["sex"]]


def test_the_statuses_that_do_not_verify_a_number_are_those_of_the_code_list() -> None:
    listed = record_facts.number_trust()
    assert listed.not_verified == ("02", "03", "04", "05", "06", "07", "08")
    assert "NHS" in listed.source
