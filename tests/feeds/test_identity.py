"""identity.person_records: who each record is about, in one form."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import duckdb
import pytest

from ffp_data import feeds
from ffp_data.feeds.landing import time_in_name
from ffp_data.feeds.people import PERSON_COLUMNS
from tests.feeds.conftest import CONTRACTS
from tests.feeds.samples import Landing, Row, csv_text, sample_row

EDUCATION, CASES = CONTRACTS["education_attendance"], CONTRACTS["case_system"]
VALID_NHS = "9990000018"
OTHER_NHS = "9990000026"


def people(
    landing: Landing, columns: str, *, allow_test_numbers: bool = True
) -> list[tuple[Any, ...]]:
    delivered = {result.delivery.feed for result in landing.load()}
    contracts = {feed: CONTRACTS[feed] for feed in sorted(delivered)}
    feeds.assemble_identity(landing.con, contracts, allow_test_numbers=allow_test_numbers)
    return landing.query(f"SELECT {columns} FROM identity.person_records ORDER BY record_key")


def pupil(number: int = 1, **own: str) -> Row:
    return sample_row(EDUCATION, EDUCATION.by_name["pupils"], number, **own)


def early_help(number: int = 1, **own: str) -> Row:
    contract = CONTRACTS["early_help"]
    return sample_row(contract, contract.by_name["persons"], number, **own)


def test_columns_and_their_order_are_what_linkage_reads(con: duckdb.DuckDBPyConnection) -> None:
    feeds.assemble_identity(con, CONTRACTS, allow_test_numbers=True)
    told = con.execute("DESCRIBE identity.person_records").fetchall()
    assert {row[0]: row[1] for row in told} == PERSON_COLUMNS
    assert [row[0] for row in told][:5] == [
        "record_key",
        "feed",
        "system",
        "source_person_id",
        "role",
    ]


def test_a_record_key_names_feed_system_and_person(landing: Landing) -> None:
    landing.rows("education_attendance", "pupils", [pupil(1)])
    told = people(landing, "record_key, feed, system, source_person_id, role, valid_from, line")
    key = "education_attendance|mis|100001:Sample1"
    expected = (key, "education_attendance", "mis", "100001:Sample1", "child", date(2026, 4, 1), 2)
    assert told == [expected]


def test_values_take_one_form(landing: Landing) -> None:
    rows = [
        early_help(1, sex="f", postcode="xf12ab", nhs_number=f"{VALID_NHS[:3]} {VALID_NHS[3:]}"),
        early_help(2, sex="U", postcode="ZZ99 3VZ", nhs_number="9990000019"),
    ]
    landing.rows("early_help", "persons", rows)
    told = people(landing, "sex, postcode, nhs_number, surname")
    assert told == [("F", "XF1 2AB", VALID_NHS, "Sample"), (None, None, None, "Sample")]


def test_numbers_kept_for_tests_count_only_where_people_are_made_up(landing: Landing) -> None:
    landing.rows("early_help", "persons", [early_help(nhs_number=VALID_NHS)])
    assert people(landing, "nhs_number", allow_test_numbers=False) == [(None,)]
    told = landing.query(
        "SELECT value, is_valid FROM identity.person_identifiers WHERE identifier_type = 'nhs_number'"
    )
    assert told == [(VALID_NHS, False)]


@pytest.mark.parametrize("day", ["1900-01-01", "1970-01-01"])
def test_a_default_birth_date_is_unknown_but_the_row_stays(landing: Landing, day: str) -> None:
    landing.rows("education_attendance", "pupils", [pupil(date_of_birth=day)])
    assert people(landing, "date_of_birth") == [(None,)]


def test_a_birth_date_after_the_delivery_is_an_expected_one(landing: Landing) -> None:
    row = early_help(date_of_birth="01/07/2026", expected_birth_date="")
    landing.rows("early_help", "persons", [row])
    assert people(landing, "date_of_birth, expected_birth_date") == [(None, date(2026, 7, 1))]


def test_holding_names_stay_as_sent(landing: Landing) -> None:
    landing.rows("education_attendance", "pupils", [pupil(forename="Baby", surname="O’NEIL  ")])
    assert people(landing, "given_name, surname") == [("Baby", "O’NEIL")]


@pytest.mark.parametrize(
    ("code", "expected"), [("U", False), ("R", True), ("V", True), ("REDACTED", True), ("", False)]
)
def test_a_confidential_patient_is_restricted(landing: Landing, code: str, expected: bool) -> None:
    fhir = CONTRACTS["health_fhir"]
    row = sample_row(fhir, fhir.by_name["patients"], confidentiality=code)
    landing.rows("health_fhir", "patients", [row])
    assert people(landing, "is_restricted") == [(expected,)]


def test_police_say_who_is_a_child(landing: Landing) -> None:
    police = CONTRACTS["police_safeguarding"]
    table = police.by_name["persons"]
    rows = [sample_row(police, table, n, under_18=said) for n, said in enumerate(("1", "0", ""))]
    landing.rows("police_safeguarding", "persons", rows)
    assert people(landing, "role") == [("child",), ("adult",), ("unknown",)]


def case_drop(landing: Landing, **rows: list[Row]) -> None:
    texts = {t.name: csv_text(t, []) for t in CASES.tables if not t.may_be_missing}
    texts |= {name: csv_text(CASES.by_name[name], own) for name, own in rows.items()}
    landing.drop(texts)


def case_row(table: str, number: int = 1, **own: str) -> Row:
    return sample_row(CASES, CASES.by_name[table], number, **own)


def test_the_latest_address_and_linked_numbers_join_the_person(landing: Landing) -> None:
    person = case_row("ssd_person", pers_person_id="7", pers_single_unique_id="", pers_upn="")
    addresses = [
        case_row(
            "ssd_address",
            n,
            addr_person_id="7",
            addr_address_start_date=day,
            addr_address_postcode=code,
        )
        for n, (day, code) in enumerate(
            [("2024-01-01", "XF1 1AA"), ("2025-01-01", "XF2 2BB"), ("", "XF3 3CC")]
        )
    ]
    numbers = [
        case_row(
            "ssd_linked_identifiers",
            n,
            link_person_id="7",
            link_identifier_type="NHS Number",
            link_identifier_value=value,
            link_valid_from_date=day,
        )
        for n, (value, day) in enumerate(
            [(VALID_NHS, "2020-01-01"), (OTHER_NHS, "2024-01-01"), ("12345", "2025-01-01")]
        )
    ]
    case_drop(landing, ssd_person=[person], ssd_address=addresses, ssd_linked_identifiers=numbers)
    assert people(landing, "source_person_id, postcode, nhs_number") == [
        ("7", "XF2 2BB", OTHER_NHS)
    ]
    told = landing.query("SELECT identifier_type, value, is_valid FROM identity.person_identifiers")
    assert sorted(told) == [
        ("nhs_number", "12345", False),
        ("nhs_number", VALID_NHS, True),
        ("nhs_number", OTHER_NHS, True),
    ]


def test_a_mother_is_tied_to_her_child(landing: Landing) -> None:
    mother = case_row("ssd_mother", moth_person_id="8", moth_childs_person_id="7")
    case_drop(landing, ssd_person=[case_row("ssd_person")], ssd_mother=[mother])
    people(landing, "1")
    told = landing.query(
        "SELECT record_key, related_record_key, relationship, source FROM identity.relationships"
    )
    key = "case_system|systemc|"
    assert told == [(f"{key}7", f"{key}8", "mother", "case_system.ssd_mother")]


def test_a_named_contact_is_tied_by_name(landing: Landing) -> None:
    probation = CONTRACTS["probation"]
    row = sample_row(probation, probation.by_name["contacts"], forename="Ann", surname="Other")
    landing.rows("probation", "contacts", [row])
    people(landing, "1")
    told = landing.query(
        "SELECT related_record_key, related_name, relationship FROM identity.relationships"
    )
    assert told == [(None, "Ann Other", "Sample")]


def test_payload_tables_carry_no_person_attribute(con: duckdb.DuckDBPyConnection) -> None:
    told = con.execute(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE schema_name = 'raw'"
    ).fetchall()
    columns = set(told)
    assert columns
    for contract in CONTRACTS.values():
        for table in contract.tables:
            name = f"{contract.id}__{table.name}"
            assert (name, "record_key") in columns
            assert not {(name, p.name) for p in table.identity} & columns


def test_freshness_follows_the_promise(landing: Landing) -> None:
    landing.rows("education_attendance", "pupils", [pupil()])
    landing.load()
    states = {
        day: next(
            f.state for f in feeds.freshness(landing.con, CONTRACTS, day) if f.feed == EDUCATION.id
        )
        for day in (date(2026, 3, 31), date(2026, 4, 1), date(2026, 4, 2))
    }
    assert list(states.values()) == ["fresh", "fresh", "late"]
    police = feeds.freshness(
        landing.con, {"police_safeguarding": CONTRACTS["police_safeguarding"]}, date(2026, 4, 1)
    )
    assert [(f.state, f.last_delivered_at) for f in police] == [("never", None)]


def test_the_quarantine_report_counts_by_rule(landing: Landing) -> None:
    rows = [pupil(1), pupil(2, sex="X"), pupil(3, sex="Q"), pupil(4, surname="")]
    landing.rows("education_attendance", "pupils", rows)
    landing.load()
    told = feeds.quarantine_report(landing.con).to_pylist()
    assert [
        (r["kind"], r["rule"], r["column_name"], r["faults"], r["first_line"]) for r in told
    ] == [
        ("row", "required", "surname", 1, 5),
        ("value", "unknown_code", "sex", 2, 3),
    ]


def test_a_time_in_a_name_is_read_whatever_else_the_name_holds() -> None:
    assert (
        str(time_in_name("attendance_marks_999_100001_20260401T030000Z_002.csv"))
        == "2026-04-01 03:00:00"
    )
    assert str(time_in_name("ssd_20260401")) == str(datetime.fromisoformat("2026-04-01"))
    assert time_in_name("attendance_99999999.csv") is None
