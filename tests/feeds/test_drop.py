"""The case system's drop: manifest, required tables, old and new names, faults of its JSON."""

from __future__ import annotations

from typing import Any

import pytest

from ffp_data import feeds
from tests.feeds.conftest import CONTRACTS
from tests.feeds.samples import Landing, csv_text, sample_row

CASES = CONTRACTS["case_system"]
PERSON = CASES.by_name["ssd_person"]
ADDRESS = CASES.by_name["ssd_address"]


def tables(**own: str) -> dict[str, str]:
    """A small whole drop: header alone for every required table but people."""
    required = [t for t in CASES.tables if not t.may_be_missing]
    texts = {t.name: csv_text(t, []) for t in required}
    return texts | {"ssd_person": csv_text(PERSON, [sample_row(CASES, PERSON)])} | own


def refusal(landing: Landing) -> feeds.FeedError:
    (result,) = landing.load()
    assert result.error is not None
    assert landing.query("SELECT count(*) FROM raw.case_system__ssd_person") == [(0,)]
    return result.error


def test_a_whole_drop_loads_and_says_what_was_not_sent(landing: Landing) -> None:
    landing.drop(tables())
    (result,) = landing.load()
    assert (result.status, result.error) == ("loaded", None)
    query = "SELECT notes FROM meta.deliveries WHERE table_name = 'ssd_person'"
    ((notes,),) = landing.query(query)
    assert "ssd_contacts" in notes.partition("tables not sent: ")[2].split(", ")


def test_a_drop_without_a_required_table_is_refused(landing: Landing) -> None:
    landing.drop({name: text for name, text in tables().items() if name != "ssd_cp_plans"})
    error = refusal(landing)
    assert (error.rule, error.column) == ("missing_table", "ssd_cp_plans")
    assert error.file == "ssd_20260401/manifest.yaml"


def test_a_table_that_was_changed_after_sign_off_is_refused(landing: Landing) -> None:
    folder = landing.drop(tables())
    with (folder / "ssd_person.csv").open("a", encoding="utf-8") as file:
        file.write("x\n")
    assert refusal(landing).rule == "manifest_hash"


def test_another_row_count_than_signed_off_is_refused_and_nothing_of_the_drop_loads(
    landing: Landing,
) -> None:
    folder = landing.drop(tables())
    manifest = folder / "manifest.yaml"
    text = manifest.read_text("utf-8")
    assert text.count("rows: 1\n") == 1
    manifest.write_text(text.replace("rows: 1\n", "rows: 2\n"), "utf-8")
    assert refusal(landing).rule == "manifest_rows"


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"case_system": "abacus"}, "unknown_system"),
        ({"window_years": "six"}, "manifest"),
        ({"extra": 1}, "manifest"),
    ],
)
def test_a_manifest_that_is_wrong_is_refused(
    landing: Landing, change: dict[str, Any], rule: str
) -> None:
    landing.drop(tables(), **change)
    assert refusal(landing).rule == rule


def test_a_folder_without_manifest_is_refused(landing: Landing) -> None:
    (landing.drop(tables()) / "manifest.yaml").unlink()
    assert refusal(landing).rule == "no_manifest"


def test_a_listed_table_whose_file_is_missing_is_refused(landing: Landing) -> None:
    (landing.drop(tables()) / "ssd_cp_plans.csv").unlink()
    assert refusal(landing).rule == "missing_file"


def test_names_before_version_1_4_and_schema_prefixes_are_known(landing: Landing) -> None:
    text = tables()["ssd_person"].replace("pers_single_unique_id", "PERS_COMMON_CHILD_ID")
    own = {name: t for name, t in tables().items() if name != "ssd_person"}
    landing.drop(own | {"dbo.ssd_person": text})
    landing.load()
    query = "SELECT nhs_number FROM identity.case_system__ssd_person"
    assert landing.query(query) == [("Sample",)]


def test_unknown_and_missing_columns_are_reported_and_do_no_harm(landing: Landing) -> None:
    text = tables()["ssd_person"].replace("pers_nationality", "pers_shoe_size")
    landing.drop(tables(ssd_person=text))
    landing.load()
    query = "SELECT notes FROM meta.deliveries WHERE table_name = 'ssd_person'"
    ((notes,),) = landing.query(query)
    assert "unknown columns: pers_shoe_size" in notes
    assert "columns not sent: pers_nationality" in notes


def test_an_address_comes_out_of_its_json(landing: Landing) -> None:
    document = '{"FLAT": "Flat 2", "HOUSE": "16", "STREET": "High St", "UPRN": 10001}'
    row = sample_row(CASES, ADDRESS) | {"addr_address_json": document}
    landing.drop(tables(ssd_address=csv_text(ADDRESS, [row])))
    landing.load()
    query = "SELECT address_line, uprn FROM identity.case_system__ssd_address"
    assert landing.query(query) == [("Flat 2 16 High St", "10001")]


def test_broken_json_costs_the_value_not_the_row(landing: Landing) -> None:
    row = sample_row(CASES, ADDRESS) | {"addr_address_json": '{"FLAT": "the "old" mill"'}
    landing.drop(tables(ssd_address=csv_text(ADDRESS, [row])))
    landing.load()
    query = "SELECT address_line, postcode FROM identity.case_system__ssd_address"
    assert landing.query(query) == [(None, "Sample")]
    told = landing.query('SELECT column_name, rule, value_redacted FROM quarantine."values"')
    assert told == [("addr_address_json", "invalid_json", None)]
