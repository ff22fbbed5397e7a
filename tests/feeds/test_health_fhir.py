"""FHIR as trusts send it: Bundles beside NDJSON, references of every form, retractions, merged patients."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ffp_data import feeds
from tests.feeds.conftest import CONTRACTS as ALL
from tests.feeds.samples import Landing

CONTRACTS = {"health_fhir": ALL["health_fhir"]}
NHS = "https://fhir.nhs.uk/Id/nhs-number"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
Resource = dict[str, Any]


@pytest.fixture
def landing(tmp_path: Path) -> Iterator[Landing]:
    with duckdb.connect(":memory:", config={"threads": "2"}) as con:
        feeds.create_empty_raw_tables(con, CONTRACTS)
        yield Landing(tmp_path / "landing", CONTRACTS, con)


def patient(identity: str, **own: Any) -> Resource:
    said = {
        "resourceType": "Patient", "id": identity, "name": [{"family": "Reed", "given": ["Mia"]}],
        "birthDate": "2019-05-02",
    }  # fmt: skip
    return said | own


def episode(identity: str, reference: str, **own: Any) -> Resource:
    said = {
        "resourceType": "EpisodeOfCare", "id": identity, "status": "active", "type": [{"text": "CAMHS"}],
        "patient": {"reference": reference}, "period": {"start": "2025-06-01"},
    }  # fmt: skip
    return said | own


def encounter(identity: str, reference: str, **own: Any) -> Resource:
    said = {
        "resourceType": "Encounter", "id": identity, "status": "finished", "class": {"code": "EMER"},
        "subject": {"reference": reference}, "period": {"start": "2025-06-01T10:00:00Z"},
    }  # fmt: skip
    return said | own


def flag(identity: str, reference: str, **own: Any) -> Resource:
    said = {
        "resourceType": "Flag", "id": identity, "status": "active", "code": {"coding": [{"code": "CPP"}]},
        "subject": {"reference": reference}, "period": {"start": "2025-06-01"},
    }  # fmt: skip
    return said | own


def replaced(by: str) -> list[Resource]:
    return [{"type": "replaced-by", "other": {"reference": f"Patient/{by}"}}]


def bundle(*resources: Resource, indent: int | None = None) -> str:
    entries = [r if "resourceType" not in r else {"resource": r} for r in resources]
    return json.dumps(
        {"resourceType": "Bundle", "type": "collection", "entry": entries}, indent=indent
    )


def bundle_name(stamp: str = "20260401T030000Z") -> str:
    return f"health_RXF_Bundle_{stamp}_001.json"


def put(landing: Landing, *resources: Resource, stamp: str = "20260401T030000Z") -> None:
    landing.file("health_fhir", bundle_name(stamp), bundle(*resources))


def put_lines(landing: Landing, *resources: Resource, stamp: str = "20260401T030000Z") -> None:
    kind = resources[0]["resourceType"]
    text = "".join(json.dumps(r) + "\n" for r in resources)
    landing.file("health_fhir", f"health_RXF_{kind}_{stamp}_001.ndjson", text)


def key(identity: str) -> str:
    return f"health_fhir|RXF|{identity}"


def test_a_bundle_and_lines_bring_the_same(landing: Landing) -> None:
    resources = [
        patient("a"),
        episode("e1", "Patient/a"),
        encounter("n1", "Patient/a"),
        flag("f1", "Patient/a"),
    ]
    for resource in resources:
        put_lines(landing, resource)
    landing.load()
    tables = ("patients", "episodes_of_care", "encounters", "flags")
    queries = [
        f"SELECT * EXCLUDE (_delivery_id, _line, _element) FROM raw.health_fhir__{t}"
        for t in tables
    ]
    by_lines = [landing.query(query) for query in queries]
    put(landing, *resources, stamp="20260402T030000Z")
    landing.load()
    assert [landing.query(query) for query in queries] == by_lines
    assert all(len(rows) == 1 for rows in by_lines)


def test_a_bundle_beside_lines_of_the_same_time_adds_to_them(landing: Landing) -> None:
    put_lines(landing, patient("a"), patient("b"))
    put(landing, patient("c"))
    landing.load()
    keys = landing.query("SELECT record_key FROM raw.health_fhir__patients ORDER BY 1")
    assert keys == [(key("a"),), (key("b"),), (key("c"),)]


def test_resources_that_no_table_takes_are_noted(landing: Landing) -> None:
    put(landing, patient("a"), {"resourceType": "Practitioner", "id": "p"})
    (result,) = landing.load()
    assert result.rows_quarantined == 0
    notes = landing.query("SELECT notes FROM meta.deliveries WHERE table_name = 'patients'")
    assert notes == [("records that no table takes: 1 Practitioner",)]


REFERENCES = {
    "Patient/a": "a",
    "https://fhir.fenmarch-community.example.com/R4/Patient/a": "a",
    "Patient/a/_history/3": "a",
    "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0": "a",
    "Group/a": None,
    "RelatedPerson/a": None,
    "#a": None,
    "urn:uuid:00000000-0000-0000-0000-000000000000": None,
}


@pytest.mark.parametrize(("reference", "identity"), REFERENCES.items())
def test_a_reference_is_followed_when_it_leads_to_a_patient(
    landing: Landing, reference: str, identity: str | None
) -> None:
    full_url = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"
    put(landing, episode("e1", reference), {"fullUrl": full_url, "resource": patient("a")})
    landing.load()
    found = landing.query("SELECT record_key FROM raw.health_fhir__episodes_of_care")
    assert found == ([(key(identity),)] if identity else [])
    rules = landing.query("SELECT column_name, rule FROM quarantine.rows")
    assert rules == ([] if identity else [("patient", "not_a_reference")])


def test_a_resource_without_id_is_known_by_its_full_url(landing: Landing) -> None:
    uuid = "0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"
    without = {k: v for k, v in patient("").items() if k != "id"}
    put(
        landing,
        {"fullUrl": f"urn:uuid:{uuid}", "resource": without},
        episode("e", f"urn:uuid:{uuid}"),
    )
    landing.load()
    query = "SELECT record_key FROM raw.health_fhir__{}"
    assert landing.query(query.format("patients")) == [(key(uuid),)]
    assert landing.query(query.format("episodes_of_care")) == [(key(uuid),)]


def test_an_appointment_is_the_patients_whoever_is_listed_first(landing: Landing) -> None:
    people = ("Practitioner/9", "Location/9", "Patient/a")
    put(
        landing,
        {
            "resourceType": "Appointment", "id": "x", "status": "noshow", "start": "2025-06-01T10:00:00Z",
            "participant": [{"actor": {"reference": each}} for each in people],
        },
    )  # fmt: skip
    landing.load()
    assert landing.query("SELECT record_key FROM raw.health_fhir__appointments") == [(key("a"),)]


SECURITY = {
    ("U",): False,
    ("N", "U"): False,
    ("U", "R"): True,
    ("N", "V"): True,
    (): False,
}


@pytest.mark.parametrize(("labels", "restricted"), SECURITY.items())
def test_the_strictest_label_restricts_a_patient(
    landing: Landing, labels: tuple[str, ...], restricted: bool
) -> None:
    other = [{"system": "https://example.com/other", "code": "U"}]
    security = other + [{"system": CONFIDENTIALITY, "code": label} for label in labels]
    put(landing, patient("a", meta={"security": security}))
    landing.load()
    feeds.assemble_identity(landing.con, CONTRACTS, allow_test_numbers=True)
    assert landing.query("SELECT is_restricted FROM identity.person_records") == [(restricted,)]


def test_the_number_and_name_in_use_count_not_those_of_old(landing: Landing) -> None:
    identifier = [
        {"system": NHS, "value": "9000000017", "use": "old"},
        {"system": NHS, "value": "9000000009", "use": "official"},
    ]
    name = [
        {"use": "old", "family": "Birch", "given": ["Mia"]},
        {"use": "usual", "family": "Reed", "given": ["Mia", "Jo"]},
    ]
    telecom = [{"system": "email", "value": "x"}, {"system": "phone", "value": "01632 960001"}]
    address = [{"use": "old", "postalCode": "XF1 1AA"}, {"postalCode": "XF2 2BB"}]
    put(landing, patient("a", identifier=identifier, name=name, telecom=telecom, address=address))
    landing.load()
    found = landing.query(
        "SELECT nhs_number, surname, middle_names, other_surname, phone, postcode"
        " FROM identity.health_fhir__patients"
    )
    assert found == [("9000000009", "Reed", "Jo", "Birch", "01632 960001", "XF2 2BB")]


def deleted(url: str) -> Resource:
    return {"request": {"method": "DELETE", "url": url}}


def contacts(landing: Landing) -> list[tuple[Any, ...]]:
    return landing.query(
        "SELECT encounter_id, status FROM raw.health_fhir__encounters ORDER BY encounter_id"
    )


def test_a_contact_entered_in_error_needs_no_more_than_its_id_to_be_taken_back(
    landing: Landing,
) -> None:
    put_lines(landing, encounter("n1", "Patient/a"), encounter("n2", "Patient/a"))
    wrong = {"resourceType": "Encounter", "id": "n1", "status": "entered-in-error"}
    put_lines(landing, wrong, stamp="20260402T030000Z")
    landing.load()
    assert contacts(landing) == [("n1", "entered-in-error"), ("n2", "finished")]
    assert landing.query("SELECT * FROM quarantine.rows") == []
    assert landing.query("SELECT * FROM quarantine.values") == []


@pytest.mark.parametrize("late", [False, True])
def test_a_deleted_contact_stays_deleted_whatever_comes_late(landing: Landing, late: bool) -> None:
    steps = [
        lambda: put_lines(landing, encounter("n1", "Patient/a")),
        lambda: put(landing, deleted("Encounter/n1"), deleted("Encounter?x=1"), stamp="20260402T030000Z"),
    ]  # fmt: skip
    for step in reversed(steps) if late else steps:
        step()
        landing.load()
    assert contacts(landing) == [("n1", "entered-in-error")]


def test_a_bundle_of_changes_takes_nobody_off_the_list_of_patients(landing: Landing) -> None:
    put(landing, patient("a"), patient("b"), encounter("n1", "Patient/a"))
    put(landing, deleted("Patient/b"), deleted("Encounter/n1"), stamp="20260402T030000Z")
    landing.load()
    keys = landing.query("SELECT record_key FROM raw.health_fhir__patients ORDER BY 1")
    assert keys == [(key("a"),), (key("b"),)]
    assert contacts(landing) == [("n1", "entered-in-error")]


def test_a_bundle_without_flags_leaves_the_flags_of_the_last_list(landing: Landing) -> None:
    put(landing, patient("a"), flag("f1", "Patient/a"))
    put(landing, patient("a"), stamp="20260402T030000Z")
    landing.load()
    assert landing.query("SELECT flag_id FROM raw.health_fhir__flags") == [("f1",)]


def test_a_replaced_patient_names_the_survivor_in_the_hubs_own_words(landing: Landing) -> None:
    elsewhere = [{"type": "seealso", "other": {"reference": "Patient/a"}}]
    put(landing, patient("a", link=elsewhere + replaced("b")), patient("b", link=elsewhere))
    landing.load()
    feeds.assemble_identity(landing.con, CONTRACTS, allow_test_numbers=True)
    query = "SELECT record_key, replaced_by FROM identity.person_records ORDER BY record_key"
    assert landing.query(query) == [(key("a"), key("b")), (key("b"), None)]


def test_flags_tell_what_the_trust_marked(landing: Landing) -> None:
    wrong = {"resourceType": "Flag", "id": "f2", "status": "entered-in-error"}
    put(landing, patient("a"), flag("f1", "Patient/a"), wrong)
    landing.load()
    feeds.build_facts(landing.con, CONTRACTS)
    told = landing.query(
        "SELECT record_key, summary FROM raw.declared_events WHERE feed = 'health_fhir'"
    )
    assert told == [(key("a"), "Safeguarding flag on the health record: child protection plan")]
