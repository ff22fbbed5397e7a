"""The known faults of a hospital's flat files: what is mended, what is set aside, what is kept as it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from ffp_data import feeds
from tests.feeds.conftest import CONTRACTS as ALL
from tests.feeds.samples import Landing, csv_text, file_name, sample_row

CONTRACTS = {"health_csv": ALL["health_csv"]}
CHILDREN = CONTRACTS["health_csv"].by_name["children"]
CONTACTS = CONTRACTS["health_csv"].by_name["contacts"]
NUMBER = "9000000009"


@pytest.fixture
def landing(tmp_path: Path) -> Iterator[Landing]:
    with duckdb.connect(":memory:", config={"threads": "2"}) as con:
        feeds.create_empty_raw_tables(con, CONTRACTS)
        yield Landing(tmp_path / "landing", CONTRACTS, con)


def child(identity: str, **own: str) -> dict[str, str]:
    said = {"local_patient_id": identity, "nhs_number": "", "date_of_birth": "2019-05-02"}
    return sample_row(CONTRACTS["health_csv"], CHILDREN) | said | own


def people(landing: Landing, columns: str) -> list[tuple[object, ...]]:
    feeds.assemble_identity(landing.con, CONTRACTS, allow_test_numbers=True)
    return landing.query(f"SELECT {columns} FROM identity.person_records ORDER BY record_key")


def test_three_ways_of_writing_a_date_in_one_file_are_one_day(landing: Landing) -> None:
    written = ("2019-05-02", "02/05/2019", "20190502")
    landing.rows(
        "health_csv", "children", [child(str(n), date_of_birth=w) for n, w in enumerate(written)]
    )
    landing.load()
    assert {str(day) for (day,) in people(landing, "date_of_birth")} == {"2019-05-02"}


def test_an_nhs_number_in_groups_is_the_same_number_and_two_rows_may_have_it(
    landing: Landing,
) -> None:
    spaced = f"{NUMBER[:3]} {NUMBER[3:6]} {NUMBER[6:]}"
    rows = [child("1", nhs_number=spaced), child("2", nhs_number=NUMBER)]
    landing.rows("health_csv", "children", rows)
    landing.load()
    assert people(landing, "nhs_number") == [(NUMBER,), (NUMBER,)]


def test_a_row_of_commas_is_set_aside_and_a_letter_of_windows_is_read(landing: Landing) -> None:
    text = csv_text(CHILDREN, [child("1", first_name="Zoë")])
    commas = "," * text.splitlines()[0].count(",")
    landing.file("health_csv", file_name(CHILDREN), f"{text}{commas}\n".encode("cp1252"))
    (result,) = landing.load()
    assert (result.rows_delivered, result.rows_loaded, result.rows_quarantined) == (2, 1, 1)
    assert people(landing, "given_name") == [("Zoë",)]


def test_a_parent_in_one_field_is_a_tie_by_name_and_no_record(landing: Landing) -> None:
    row = child("1", parent_1_name="Ann O'Hara", parent_1_relationship="mum")
    landing.rows("health_csv", "children", [row])
    landing.load()
    assert len(people(landing, "record_key")) == 1
    ties = landing.query("SELECT related_name, relationship FROM identity.relationships")
    assert ties == [("Ann O'Hara", "mum")]


def test_a_day_that_is_none_costs_the_child_and_a_later_file_corrects_a_contact(
    landing: Landing,
) -> None:
    landing.rows("health_csv", "children", [child("1"), child("2", date_of_birth="31/02/2015")])
    first = sample_row(CONTRACTS["health_csv"], CONTACTS) | {"attended": "5"}
    landing.rows("health_csv", "contacts", [first])
    landing.rows("health_csv", "contacts", [first | {"attended": "3"}], "20260402T030000Z")
    landing.load()
    assert landing.query("SELECT column_name, rule FROM quarantine.rows") == [
        ("date_of_birth", "not_a_date")
    ]
    assert landing.query("SELECT attended FROM raw.health_csv__contacts") == [("3",)]
