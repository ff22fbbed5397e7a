"""The files are what the feed contracts say: the product's own reader takes them and sets aside what was planted."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import duckdb
import pytest
import yaml

from ffp_data import feeds
from ffp_data.synthetic.writing import Table
from tests.synthetic.conftest import AS_AT, Made

FEEDS = sorted(feeds.load_contracts())


@pytest.fixture(scope="module")
def loaded(made: Made) -> duckdb.DuckDBPyConnection:
    """The whole landing folder, loaded by the product's reader."""
    con = duckdb.connect(":memory:", config={"threads": "2"})
    contracts = feeds.load_contracts()
    feeds.create_empty_raw_tables(con, contracts)
    for contract in contracts.values():
        for delivery in feeds.discover_feed(made.folder / "landing", contract, contracts, con):
            result = feeds.load(con, delivery, contract, None, contracts)
            assert result.error is None, str(result.error)
    return con


@pytest.mark.parametrize("feed", FEEDS)
def test_every_row_is_loaded_or_set_aside(
    loaded: duckdb.DuckDBPyConnection, made: Made, feed: str
) -> None:
    delivered = loaded.execute(
        "SELECT sum(rows_delivered) FROM meta.deliveries WHERE feed = ?", [feed]
    ).fetchone()
    blank = sum(
        f["fault"] == "blank_row" for f in made.truth("planted_faults") if f["feed"] == feed
    )
    expected = sum(made.summary.rows[feed].values())
    if (
        feed == "probation"
    ):  # sentences, registers and contacts are rows inside the lines of persons
        assert delivered is not None
        assert delivered[0] > expected
    else:
        assert delivered is not None
        assert expected - blank <= delivered[0] <= expected


@pytest.mark.parametrize("feed", FEEDS)
def test_just_the_planted_rows_are_set_aside(
    loaded: duckdb.DuckDBPyConnection, made: Made, feed: str
) -> None:
    planted = Counter(
        f["table"]
        for f in made.truth("planted_faults")
        if f["feed"] == feed and f["explains"] == "quarantine" and f["fault"] != "blank_row"
    )
    query = """SELECT table_name, count(DISTINCT (delivery_id, line)) FROM quarantine.rows
        WHERE feed = ? AND NOT (table_name = 'children' AND rule = 'required') GROUP BY ALL"""
    assert dict(loaded.execute(query, [feed]).fetchall()) == dict(planted)


def test_truth_names_the_person_of_every_record_once(
    loaded: duckdb.DuckDBPyConnection, made: Made
) -> None:
    feeds.assemble_identity(loaded, feeds.load_contracts(), allow_test_numbers=True)
    records = loaded.execute("SELECT record_key FROM identity.person_records").fetchall()
    known = [row["record_key"] for row in made.truth("record_person")]
    assert len(known) == len(set(known)) == made.summary.records
    assert sorted(records) == sorted((key,) for key in known)
    people = {row["person_id"] for row in made.truth("persons")}
    assert {row["person_id"] for row in made.truth("record_person")} <= people


def test_a_pupil_has_two_marks_on_each_school_day_and_none_on_a_holiday(
    loaded: duckdb.DuckDBPyConnection,
) -> None:
    query = """SELECT max(n), min(n), count(DISTINCT session_date) FROM (
        SELECT record_key, session_date, count(*) AS n FROM raw.education_attendance__marks GROUP BY ALL)"""
    most, _, days = loaded.execute(query).fetchone() or (0, 0, 0)
    assert most == 2
    assert 185 <= days <= 192
    off = """SELECT count(*) FROM raw.education_attendance__marks
        WHERE isodow(session_date) > 5 OR session_date = '2025-12-25'"""
    assert loaded.execute(off).fetchone() == (0,)


def test_children_with_a_case_miss_more_school(
    loaded: duckdb.DuckDBPyConnection, made: Made
) -> None:
    person = {r["record_key"]: r["person_id"] for r in made.truth("record_person")}
    in_need = {r["person_id"] for r in made.truth("involvement") if r["service"] == "child_in_need"}
    rates: dict[bool, list[float]] = {True: [], False: []}
    query = """SELECT record_key, avg((attendance_code IN ('I', 'M', 'C', 'E', 'G', 'N', 'O', 'U'))::INT)
        FROM raw.education_attendance__marks GROUP BY ALL ORDER BY ALL"""
    for key, absent in loaded.execute(query).fetchall():
        rates[person[key] in in_need].append(absent)
    mean = {case: sum(found) / len(found) for case, found in rates.items()}
    assert 0.03 < mean[False] < 0.10
    assert mean[True] > 1.7 * mean[False]
    assert any(absent > 0.5 for absent in rates[True])


def test_the_manifest_of_the_drop_fits_its_files(made: Made) -> None:
    (path,) = (made.folder / "landing" / "case_system").glob("ssd_*/manifest.yaml")
    manifest = yaml.safe_load(path.read_text("utf-8"))
    for table in manifest["tables"]:
        assert (path.parent / f"{table['name']}.csv").exists()
    assert {t["name"] for t in manifest["tables"]} == {
        t.name for t in feeds.load_contracts()["case_system"].tables
    }


def test_fhir_patients_look_like_uk_core(made: Made) -> None:
    (path,) = (made.folder / "landing" / "health_fhir").glob("health_RXF_Patient_*.ndjson")
    patients = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    restricted = [p for p in patients if p["meta"]["security"][0]["code"] == "R"]
    assert restricted
    assert not any("address" in p or "telecom" in p for p in restricted)
    babies = [p for p in patients if p["name"][0]["given"][0] in ("Baby", "Twin 1", "Twin 2")]
    assert babies
    assert all(p["name"][0]["given"] and p["birthDate"] <= AS_AT.isoformat() for p in patients)


def test_the_border_clinic_sends_one_bundle_and_its_patients_stand_nowhere_else(made: Made) -> None:
    folder = made.folder / "landing" / "health_fhir"
    (path,) = folder.glob("health_RXF_Bundle_*.json")
    resources = [entry["resource"] for entry in json.loads(path.read_text("utf-8"))["entry"]]
    kinds = Counter(resource["resourceType"] for resource in resources)
    assert set(kinds) == {"Patient", "EpisodeOfCare", "Encounter", "Appointment", "Flag"}
    (lines,) = folder.glob("health_RXF_Patient_*.ndjson")
    elsewhere = {json.loads(line)["id"] for line in lines.read_text("utf-8").splitlines()}
    assert not elsewhere & {r["id"] for r in resources if r["resourceType"] == "Patient"}


def test_the_pupil_file_has_a_byte_order_mark_and_early_help_is_not_utf8(made: Made) -> None:
    (pupils,) = (made.folder / "landing" / "education_attendance").glob("attendance_pupils_*")
    assert pupils.read_bytes().startswith(b"\xef\xbb\xbf")
    folder = made.folder / "landing" / "early_help"
    assert any(
        not _is_utf8(path)
        for path in [*folder.iterdir(), *(made.folder / "landing" / "health_csv").iterdir()]
    )


def _is_utf8(path: Path) -> bool:
    try:
        path.read_text("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def test_a_column_that_the_contract_lacks_cannot_be_written() -> None:
    table = Table("health_csv", "children")
    with pytest.raises(TypeError, match="SHOE_SIZE"):
        table.add(ORG_ODS="RXG", SHOE_SIZE="4")


def test_no_record_of_one_adopted_identity_shares_a_number_with_the_other(made: Made) -> None:
    persons = made.truth("persons")
    old = {p["person_id"] for p in persons if p["adopted"] == "old"}
    new = {p["person_id"] for p in persons if p["adopted"] == "new"}
    ids: dict[str, set[str]] = {"old": set(), "new": set()}
    for row in made.truth("record_person"):
        for kind, members in (("old", old), ("new", new)):
            if row["person_id"] in members:
                ids[kind].add(row["record_key"].split("|")[2])
    assert ids["old"]
    assert ids["new"]
    assert not ids["old"] & ids["new"]
