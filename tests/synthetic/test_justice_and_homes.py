"""Prisons, youth justice, housing and MARAC tell the same lives as the other feeds, each with its faults."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import date
from itertools import pairwise
from typing import Any

import pytest

from ffp_data.synthetic.feed_marac import Marac
from ffp_data.synthetic.feed_police import Police
from ffp_data.synthetic.partnership import scenes
from ffp_data.synthetic.people import age_at
from ffp_data.synthetic.scene import Truth
from tests.synthetic.conftest import AS_AT, Made


def lines(made: Made, feed: str, pattern: str) -> list[dict[str, Any]]:
    (path,) = (made.folder / "landing" / feed).glob(pattern)
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def persons_of(made: Made, feed: str) -> dict[str, str]:
    """Person by the source's own id."""
    records = (r for r in made.truth("record_person") if r["record_key"].startswith(f"{feed}|"))
    return {r["record_key"].split("|")[2]: r["person_id"] for r in records}


def test_a_prisoner_whom_probation_knows_has_the_same_sentence_in_both(made: Made) -> None:
    sentences: dict[str, set[tuple[str, str]]] = defaultdict(set)
    offenders = persons_of(made, "probation")
    for line in lines(made, "probation", "probation_*_person_*"):
        for supervision in line["supervisions"]:
            told = supervision["sentence"]
            if told["custodial"]:
                sentences[offenders[line["identifiers"]["crn"]]].add(
                    (told["date"], told["expectedReleaseDate"])
                )
    prisoners = persons_of(made, "prison")
    sentenced = [p for p in lines(made, "prison", "prison_prisoner_*") if p["sentenceStartDate"]]
    assert len(sentenced) > 5
    for prisoner in sentenced:
        told = (prisoner["sentenceStartDate"], prisoner["releaseDate"])
        assert told in sentences[prisoners[prisoner["prisonerNumber"]]]
        assert prisoner["lastAdmissionDate"] <= prisoner["sentenceStartDate"]


def test_who_is_released_has_a_release_and_who_is_held_has_none(made: Made) -> None:
    released = {
        event["personReference"]["identifiers"][0]["value"]
        for event in lines(made, "prison", "prison_event_*")
        if event["additionalInformation"].get("reason") == "RELEASED"
    }
    states = {p["prisonerNumber"]: p["status"] for p in lines(made, "prison", "prison_prisoner_*")}
    assert {n for n, status in states.items() if status == "INACTIVE OUT"} == released
    assert Counter(states.values())["ACTIVE IN"] > 0


def test_a_prisoner_names_its_own_children(made: Made) -> None:
    people = {p["person_id"]: p for p in made.truth("persons")}
    records = persons_of(made, "prison")
    faults = {f["source_person_id"]: f["person_id"] for f in made.truth("planted_faults")}
    contacts = [
        c for c in lines(made, "prison", "prison_contact_*") if c["relationshipTypeCode"] == "S"
    ]
    named = [c for c in contacts if c["relationshipToPrisonerCode"] in ("SON", "DAU")]
    assert named
    for contact in named:
        prisoner = records[contact["prisonerNumber"]]
        key = f"{contact['prisonerNumber']}:{contact['contactId']}"
        child = people[records.get(key) or faults[key]]
        assert prisoner in (child["mother_id"], child["father_id"])
        assert (key in records) == (contact["dateOfBirth"] is not None)


def test_youth_justice_works_with_children_of_ten_to_seventeen(made: Made) -> None:
    born = {p["person_id"]: date.fromisoformat(p["birth_date"]) for p in made.truth("persons")}
    children = persons_of(made, "youth_justice")
    assert children
    for work in made.feed("youth_justice", "yjs_999_interventions_*"):
        birth = born[children[work["yjs_person_id"]]]
        start = date.fromisoformat(work["intervention_start"])
        assert age_at(birth, start) >= 10
        assert age_at(birth, AS_AT) < 18


def test_the_last_placement_of_a_household_is_where_it_lives_now(made: Made) -> None:
    people = {p["person_id"]: p["household_id"] for p in made.truth("persons")}
    homes = {h["household_id"]: h["postcode"] for h in made.truth("households")}
    records = persons_of(made, "housing")
    stays: dict[str, list[dict[str, str]]] = defaultdict(list)
    for stay in made.feed("housing", "hclic_999_temporary_accommodation_*"):
        stays[f"{stay['case_id']}:{stay['person_no']}"].append(stay)
    assert stays
    for key, own in stays.items():
        own.sort(key=lambda stay: stay["ta_start"])
        assert own[-1]["ta_postcode"] == homes[people[records[key]]]
        assert all(a["ta_end"] == b["ta_start"] for a, b in pairwise(own))


def test_some_placements_are_shared_by_families(made: Made) -> None:
    cases: dict[str, set[str]] = defaultdict(set)
    for stay in made.feed("housing", "hclic_999_temporary_accommodation_*"):
        cases[stay["ta_postcode"]].add(stay["case_id"])
    assert max(map(len, cases.values())) > 1


def test_a_conference_hears_of_families_in_which_police_or_an_assessment_found_abuse() -> None:
    book = Truth()
    police = Police(book)
    marac = Marac(book, police)
    family_of: dict[str, str] = {}
    assessed: set[str] = set()
    for scene in scenes(600, 20, AS_AT):
        police.add(scene)
        marac.add(scene)
        family_of |= {
            m.person.person_id: f.family_id for f in scene.unit.families for m in f.members
        }
        for family_id, story in scene.stories.items():
            factors = {x for need in story.needs for a in need.assessments for x in a.factors}
            assessed |= {family_id} if factors & {"3A", "3B", "3C"} else set()
    heard = {family_of[person] for key, person, _ in book.records if key.startswith("marac|")}
    known = set(police.high_risk)
    assert heard & known
    assert heard <= known | assessed
    assert len(heard) < len(known)


def test_a_perpetrator_is_written_down_and_is_nobodys_record(made: Made) -> None:
    rows = made.feed("marac", "marac_fenmarch_*", "cp1252")
    keys: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        keys[row["role"]].add(f"{row['marac_ref']}:{row['person_no']}")
    records = set(persons_of(made, "marac"))
    assert keys["PERPETRATOR"]
    assert not keys["PERPETRATOR"] & records
    assert keys["VICTIM"] <= records
    assert not any(r["address_confidential"] == "1" for r in rows if r["role"] == "PERPETRATOR")


@pytest.mark.parametrize(
    ("feed", "fault"),
    [
        ("prison", "official_contact"),
        ("prison", "only_a_name"),
        ("housing", "expected_child_without_date"),
        ("marac", "children_in_one_cell"),
        ("marac", "age_for_birth_date"),
    ],
)
def test_the_faults_of_each_feed_are_planted(made: Made, feed: str, fault: str) -> None:
    assert any(f["feed"] == feed and f["fault"] == fault for f in made.truth("planted_faults"))
