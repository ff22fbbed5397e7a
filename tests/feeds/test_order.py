"""Deliveries in any order, any number of times: the same warehouse, and every row accounted for."""

from __future__ import annotations

import itertools
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ffp_data import feeds
from tests.feeds.conftest import CONTRACTS
from tests.feeds.samples import Landing, Row, csv_text, file_name, sample_row

EDUCATION = CONTRACTS["education_attendance"]
PUPILS, MARKS = EDUCATION.by_name["pupils"], EDUCATION.by_name["marks"]
DAYS = ("20260401T030000Z", "20260402T030000Z", "20260403T030000Z")


def pupil(number: int, **own: str) -> Row:
    return sample_row(EDUCATION, PUPILS, number, **own)


def mark(number: int, code: str = "/", **own: str) -> Row:
    return sample_row(EDUCATION, MARKS, number, attendance_code=code, **own)


def books(landing: Landing, table: str) -> list[tuple[int, ...]]:
    """Delivered, loaded, quarantined, superseded of each delivery in the order of their time."""
    return landing.query(
        "SELECT rows_delivered, rows_loaded, rows_quarantined, rows_superseded FROM meta.deliveries"
        f" WHERE table_name = '{table}' AND status = 'loaded' ORDER BY delivered_at, file_name"
    )


def assert_reconciled(landing: Landing) -> None:
    told = feeds.reconcile(landing.con, landing.contracts).to_pylist()
    assert told
    assert [row for row in told if not row["is_reconciled"]] == []


def test_a_second_run_finds_nothing_new(landing: Landing) -> None:
    landing.rows("education_attendance", "marks", [mark(1), mark(2)])
    landing.load()
    before = landing.query("SELECT * FROM meta.deliveries")
    assert landing.load() == []
    assert landing.query("SELECT * FROM meta.deliveries") == before


def test_the_same_bytes_under_another_name_change_nothing(landing: Landing) -> None:
    for stamp in DAYS[:2]:
        landing.rows("education_attendance", "marks", [mark(1)], stamp)
    assert [r.status for r in landing.load()] == ["loaded", "duplicate"]
    assert landing.query("SELECT count(*) FROM raw.education_attendance__marks") == [(1,)]
    assert_reconciled(landing)


def test_a_newer_snapshot_replaces_the_older_and_counts_its_rows(landing: Landing) -> None:
    landing.rows("education_attendance", "pupils", [pupil(1), pupil(2), pupil(3)], DAYS[0])
    landing.rows("education_attendance", "pupils", [pupil(2), pupil(4)], DAYS[1])
    landing.load()
    assert books(landing, "pupils") == [(3, 0, 0, 3), (2, 2, 0, 0)]
    query = "SELECT count(*) FROM identity.education_attendance__pupils"
    assert landing.query(query) == [(2,)]
    assert_reconciled(landing)


def test_a_delta_replaces_rows_of_the_same_key_alone(landing: Landing) -> None:
    landing.rows("education_attendance", "marks", [mark(1), mark(2), mark(3)], DAYS[0])
    landing.rows("education_attendance", "marks", [mark(2, "I"), mark(4)], DAYS[1])
    landing.load()
    assert books(landing, "marks") == [(3, 2, 0, 1), (2, 2, 0, 0)]
    query = "SELECT pupil_key, attendance_code FROM raw.education_attendance__marks ORDER BY 1"
    assert landing.query(query) == [
        ("Sample1", "/"),
        ("Sample2", "I"),
        ("Sample3", "/"),
        ("Sample4", "/"),
    ]
    assert_reconciled(landing)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("table", ["pupils", "marks"])
def test_late_deliveries_never_overwrite_newer_ones(
    landing: Landing, table: str, order: tuple[int, ...]
) -> None:
    row = pupil if table == "pupils" else mark
    content = [[row(1), row(2)], [row(2), row(3)], [row(3), row(4), row(1)]]
    for day in order:
        landing.rows("education_attendance", table, content[day], DAYS[day])
        landing.load()
    expected = {
        "pupils": [(2, 0, 0, 2), (2, 0, 0, 2), (3, 3, 0, 0)],
        "marks": [(2, 0, 0, 2), (2, 1, 0, 1), (3, 3, 0, 0)],
    }
    assert books(landing, table) == expected[table]
    assert_reconciled(landing)


def test_parts_of_one_snapshot_stand_side_by_side(landing: Landing) -> None:
    for part, numbers in (("001", (1, 2)), ("002", (2, 3))):
        rows = [pupil(n, surname=f"Part{part}") for n in numbers]
        name = file_name(PUPILS).replace("_001.csv", f"_{part}.csv")
        landing.file("education_attendance", name, csv_text(PUPILS, rows))
    landing.load()
    query = "SELECT surname FROM identity.education_attendance__pupils ORDER BY record_key"
    assert landing.query(query) == [("Part001",), ("Part002",), ("Part002",)]
    assert_reconciled(landing)


def test_a_failure_while_writing_leaves_nothing_behind(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise duckdb.IOException("disk full")

    landing.rows("education_attendance", "pupils", [pupil(1, sex="X")])
    with monkeypatch.context() as patch:
        patch.setattr("ffp_data.feeds.loading.insert_rows", fail)
        with pytest.raises(duckdb.IOException):
            landing.load()
    assert landing.query("SELECT * FROM meta.deliveries") == []
    assert landing.query('SELECT * FROM quarantine."values"') == []
    assert landing.query("SELECT table_name FROM duckdb_tables() WHERE temporary") == []
    assert [r.status for r in landing.load()] == ["loaded"]


def test_columns_that_no_agreement_covers_are_never_read(landing: Landing) -> None:
    covered = {p.name for p in PUPILS.properties} - {"ethnicity", "postcode"}
    # An invalid value would be set aside if it were looked at.
    landing.rows("education_attendance", "pupils", [pupil(1, ethnicity="Klingon")])
    (result,) = landing.load({"pupils": covered})
    assert result.columns_dropped == 2
    assert landing.query("SELECT ethnicity FROM raw.education_attendance__pupils") == [(None,)]
    assert landing.query("SELECT postcode FROM identity.education_attendance__pupils") == [(None,)]
    assert landing.query('SELECT * FROM quarantine."values"') == []
    assert landing.query("SELECT columns_dropped FROM meta.deliveries") == [(2,)]


def test_a_column_that_is_not_covered_need_not_be_sent(landing: Landing) -> None:
    header, row = csv_text(PUPILS, [pupil(1)]).splitlines()
    assert header.endswith(",enrol_status")
    cut = "\n".join(line.rsplit(",", 1)[0] for line in (header, row)) + "\n"
    landing.file("education_attendance", file_name(PUPILS), cut)
    (result,) = landing.load({"pupils": {p.name for p in PUPILS.properties} - {"enrol_status"}})
    assert result.status == "loaded"


def test_a_table_without_agreement_does_not_come_in(landing: Landing) -> None:
    landing.rows("education_attendance", "pupils", [pupil(1)])
    (result,) = landing.load({"marks": ["school_urn"]})
    assert result.status == "not_permitted"
    assert landing.query("SELECT * FROM raw.education_attendance__pupils") == []


def test_an_agreement_that_leaves_out_the_key_is_refused(landing: Landing) -> None:
    landing.rows("education_attendance", "pupils", [pupil(1)])
    (result,) = landing.load({"pupils": {p.name for p in PUPILS.properties} - {"pupil_key"}})
    assert result.error is not None
    assert (result.error.rule, result.error.column) == ("not_permitted", "pupil_key")


def test_the_mark_of_a_restricted_record_must_be_covered() -> None:
    assert "current_restriction" in CONTRACTS["probation"].by_name["persons"].structural
    assert "confidentiality" in CONTRACTS["health_fhir"].by_name["patients"].structural


# ---- any bytes at all

_CELLS = st.one_of(
    st.sampled_from(
        ["100001", "Sample1", "2025-09-03", "AM", "/", "", "H", "é", "1,2", 'a"b', " x "]
    ),
    st.text(alphabet=st.characters(codec="utf-8"), max_size=6),
)
_ROW = st.one_of(
    st.builds(
        lambda n, code: list(mark(n, code).values()), st.integers(1, 4), st.sampled_from("/IH?")
    ),
    st.lists(_CELLS, max_size=10),
)
_JOIN = st.sampled_from(["quoted", "plain"])


def _line(cells: list[str], how: str) -> str:
    if how == "plain":
        return ",".join(cells)
    return ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.lists(st.tuples(_ROW, _JOIN), max_size=6), min_size=1, max_size=3))
def test_every_delivered_row_is_loaded_set_aside_or_superseded(
    tmp_path_factory: pytest.TempPathFactory,
    deliveries: list[list[tuple[list[str], str]]],
) -> None:
    con = duckdb.connect(config={"threads": "1"})
    feeds.create_empty_raw_tables(con, {"education_attendance": EDUCATION})
    folder: Path = tmp_path_factory.mktemp("any")
    landing = Landing(folder, {"education_attendance": EDUCATION}, con)
    header = csv_text(MARKS, []).strip()
    for stamp, rows in zip(DAYS, deliveries, strict=False):
        text = "\n".join([header, *(_line(*row) for row in rows)]) + "\n"
        landing.file("education_attendance", file_name(MARKS, stamp), text)
    statuses = [result.status for result in landing.load()]
    assert set(statuses) <= {"loaded", "duplicate"}
    assert_reconciled(landing)
    keys = "school_urn, pupil_key, session_date, session"
    query = f"SELECT {keys} FROM raw.education_attendance__marks GROUP BY ALL HAVING count(*) > 1"
    assert landing.query(query) == []
    con.close()
