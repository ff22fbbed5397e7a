"""People, places and events of one linked document: who is told of what, and what costs one record."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from ffp_data import feeds
from tests.feeds.conftest import CONTRACTS
from tests.feeds.samples import STAMP, Landing

POLE = CONTRACTS["police_pole"]
NAME = f"police_57_sdm_{STAMP}_001.json"
KEY = "police_pole|57|"


def person(number: str, **attributes: Any) -> dict[str, Any]:
    said = {
        "givenName": ["Ann"],
        "surname": "Lowe",
        "gender": "GNDR_0001",
        "addressProtected": False,
    }
    return {"type": "person", "id": number, "attributes": said | attributes}


def belonging(
    kind: str, number: str, whose: str, relation: str, **attributes: Any
) -> dict[str, Any]:
    owner = {relation: {"data": [{"type": "person", "id": whose}]}}
    return {"type": kind, "id": number, "attributes": attributes, "relationships": owner}


def incident(
    number: str, kind: str, roles: dict[str, list[str]], **attributes: Any
) -> dict[str, Any]:
    said = {"eventType": kind, "incidentStartDateTime": {"dateFrom": "2026-02-03"}}
    relationships = {
        role: {
            "data": [{"type": "person", "id": one, "meta": {"childPresent": True}} for one in ids]
        }
        for role, ids in roles.items()
    }
    return {
        "type": "incident",
        "id": number,
        "attributes": said | attributes,
        "relationships": relationships,
    }


def load(landing: Landing, data: list[Any], included: list[Any]) -> feeds.DeliveryResult:
    landing.file(POLE.id, NAME, json.dumps({"data": data, "included": included}, indent=1))
    (result,) = landing.load()
    contracts = {POLE.id: POLE}
    feeds.assemble_identity(landing.con, contracts, allow_test_numbers=True)
    feeds.build_facts(landing.con, contracts)
    return result


def told(landing: Landing) -> list[tuple[Any, ...]]:
    query = "SELECT record_key, event_type, summary FROM raw.declared_events ORDER BY ALL"
    return landing.query(query)


def test_a_person_is_put_together_from_person_location_and_telephone(landing: Landing) -> None:
    home = belonging(
        "location", "L1", "P1", "currentAddress", addressLine1="1 Mill Lane", postcode="xg11aa"
    )
    phone = belonging("telephone", "T1", "P1", "personalTelephone", telephoneNumber="01632 960001")
    load(landing, [], [person("P1", dateOfBirth="2014-03-02", under18=True), home, phone])
    columns = "record_key, role, given_name, sex, date_of_birth, address_line, postcode, phone"
    assert landing.query(f"SELECT {columns} FROM identity.person_records") == [
        (
            f"{KEY}P1",
            "child",
            "Ann",
            "F",
            date(2014, 3, 2),
            "1 Mill Lane",
            "XG1 1AA",
            "01632 960001",
        )
    ]


def test_a_gender_that_no_list_knows_says_nothing(landing: Landing) -> None:
    result = load(landing, [], [person("P1", gender="GNDR_0003"), person("P2", gender="GNDR_0042")])
    assert result.rows_loaded == 2
    assert landing.query("SELECT sex FROM identity.person_records ORDER BY record_key") == [
        ("M",),
        (None,),
    ]
    assert landing.query("SELECT column_name, rule FROM quarantine.values") == [
        ("gender", "unknown_code")
    ]


def test_a_child_is_told_of_and_a_suspect_is_not(landing: Landing) -> None:
    roles = {"childInHousehold": ["P1"], "victim": ["P2"], "suspect": ["P3"], "witness": ["P4"]}
    load(landing, [incident("E1", "DA_INCIDENT", roles)], [person(f"P{n}") for n in range(1, 5)])
    words = "Police attended a domestic abuse incident"
    assert told(landing) == [
        (f"{KEY}P1", "police_da_incident", f"{words}, child of the household, present: yes"),
        (f"{KEY}P2", "police_da_incident", f"{words}, child as victim"),
    ]


def test_encompass_custody_and_exploitation_have_the_words_of_the_other_force(
    landing: Landing,
) -> None:
    load(
        landing,
        [
            incident("E1", "OP_ENCOMPASS", {"childInHousehold": ["P1"]}),
            incident("E2", "CUSTODY_CHILD", {"detainee": ["P2"]}),
            incident(
                "E3",
                "EXPLOITATION_RISK",
                {"childSubject": ["P3"]},
                exploitationType="Radicalisation",
            ),
        ],
        [person(f"P{n}") for n in range(1, 4)],
    )
    assert [(kind, summary) for _, kind, summary in told(landing)] == [
        (
            "police_op_encompass",
            "Operation Encompass notification to the school, child of the household, present: yes",
        ),
        ("police_custody_child", "Child in police custody"),
        (
            "police_exploitation_risk",
            "Police recorded a risk of exploitation: radicalisation, about this child",
        ),
    ]


def test_an_event_of_another_type_is_set_aside_with_each_of_its_links(landing: Landing) -> None:
    result = load(
        landing, [incident("E1", "TRAFFIC_STOP", {"childSubject": ["P1"]})], [person("P1")]
    )
    aside = {t.table: t.quarantined for t in result.tables if t.quarantined}
    assert aside == {"incidents": 1, "subjects": 1}
    assert told(landing) == []


def test_a_place_that_is_nobodys_home_is_set_aside(landing: Landing) -> None:
    place = {"type": "location", "id": "L9", "attributes": {"postcode": "XG1 1AA"}}
    result = load(landing, [], [person("P1"), place])
    assert {t.table: t.quarantined for t in result.tables if t.quarantined} == {"locations": 1}


def test_what_no_table_takes_is_noted_and_not_read(landing: Landing) -> None:
    car = {"type": "vehicle", "id": "V1", "attributes": {"registration": "AB12 CDE"}}
    load(landing, [], [person("P1"), car])
    notes = landing.query("SELECT notes FROM meta.deliveries WHERE notes IS NOT NULL")
    assert ("records that no table takes: 1 vehicle",) in notes


def test_a_merged_person_and_a_protected_address_are_marked(landing: Landing) -> None:
    load(landing, [], [person("P1", addressProtected=True), person("P2", mergedInto="P1")])
    query = "SELECT is_restricted, replaced_by FROM identity.person_records ORDER BY record_key"
    assert landing.query(query) == [(True, None), (False, f"{KEY}P1")]


def test_a_person_of_whom_nothing_says_whether_the_address_may_be_shown_is_set_aside(
    landing: Landing,
) -> None:
    one = person("P1")
    del one["attributes"]["addressProtected"]
    result = load(landing, [], [one, person("P2")])
    assert (result.rows_loaded, result.rows_quarantined) == (1, 1)


def test_a_document_that_breaks_off_is_refused_whole(landing: Landing) -> None:
    text = json.dumps({"data": [], "included": [person("P1")]}, indent=1)
    landing.file(POLE.id, NAME, text[:-1])
    (result,) = landing.load()
    assert result.error is not None
    assert (result.status, result.error.rule) == ("refused", "truncated_file")
