"""The workbook for managers says what the marts say, under an agreement in force, and the ledger knows of it."""

from __future__ import annotations

import hashlib
import stat
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from ffp_data.cli.main import app
from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.pipeline.timeliness import NotPermittedError, report_timeliness
from ffp_data.returns.timeliness import NotBuiltError
from ffp_data.returns.timeliness.figures import band_names, percent
from ffp_data.settings import Home, make_demonstration
from ffp_data.warehouse import connect

AS_AT = date(2026, 3, 31)
BANDS = "0|10|20|30|40|45|50|60"
MEASURES = f"""
CREATE TABLE timeliness.measures AS
SELECT *, 'the start' AS starts_in_words, 'the end' AS stops_in_words, 'in time' AS numerator_in_words,
    'all' AS denominator_in_words, 20.0::DOUBLE AS lower_quartile_days, 30.0::DOUBLE AS median_days,
    40.0::DOUBLE AS upper_quartile_days, 85.7::DECIMAL(4, 1) AS england_percent, '2024-25' AS england_period,
    'evidenced' AS evidence, 'DfE' AS basis, NULL AS note, DATE '2026-03-31' AS as_at,
    DATE '2025-04-01' AS period_start, 'abc' AS rules_version
FROM (VALUES
    ('TM-02', 'Two', 'partnership', NULL, NULL, true, 2, 3, 66.7::DECIMAL(4, 1), '{BANDS}',
        MAP {{'same day': 1, '46-50': 2}}, 1, MAP {{'dated before': 1}}, 45, NULL, 'working_day', 0, 0, 0, NULL),
    ('TM-04', 'Four', 'partnership', NULL, NULL, true, 1, 2, 50.0, '{BANDS}', NULL, 0, NULL, 45, NULL,
        'working_day', 2, 1, 1, DATE '2026-03-30'),
    ('TM-04', 'Four', 'team', 'North', NULL, true, 1, 1, 100.0, '{BANDS}', NULL, 0, NULL, 45, NULL,
        'working_day', 1, 0, 1, DATE '2026-03-30'),
    ('TM-04', 'Four', 'worker', 'North', '=cmd()', true, 1, 1, 100.0, '{BANDS}', NULL, 0, NULL, 45, NULL,
        'working_day', 1, 0, 1, DATE '2026-03-30'),
    ('TM-09', 'Nine', 'partnership', NULL, NULL, true, 0, 0, NULL, NULL, NULL, 0, NULL, 3, 6,
        'calendar_month', 0, 0, 0, NULL),
    ('TM-10', 'Ten', 'partnership', NULL, NULL, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 10, NULL,
        'working_day', NULL, NULL, NULL, NULL)
) AS m (measure_id, title, level, team, worker, is_measured, numerator, denominator, percent, band_limits,
    bands, exclusion_count, exclusions, time_limit, later_limit, limit_unit, running_count, due_soon_count,
    overdue_count, overdue_since)
"""
CLOCKS = """
CREATE TABLE timeliness.clocks AS
SELECT *, '45 working days' AS limit_in_words, 'd1' AS delivery_id FROM (VALUES
    ('TM-04', 'assessment', '100', DATE '2026-01-26', DATE '2026-03-30', NULL, 46, '46-50', 'overdue',
        'overdue since 2026-03-30', true, true, NULL, false, '=cmd()', 'North', NULL, 'case_system|a|100', 2),
    ('TM-04', 'assessment', '200', DATE '2026-01-27', DATE '2026-03-31', NULL, 45, '41-45', 'due_soon',
        'due soon, on 2026-03-31', true, false, NULL, true, NULL, NULL, DATE '2026-03-01', 'case_system|a|200', 3),
    ('TM-02', 'assessment', '300', DATE '2026-02-02', DATE '2026-04-08', DATE '2026-02-01', NULL, NULL,
        'not_counted', 'cannot be judged', false, false, 'the end is dated before the start', false, 'Kim', 'South',
        NULL, 'case_system|a|300', 4)
) AS c (measure_id, clock, la_child_id, start_date, due_date, stop_date, days, band, state, state_in_words,
    is_counted, is_in_numerator, why_not_counted, is_restricted, worker, team, case_closed_on, record_key, line)
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    home = Home(tmp_path / "home").prepare()
    make_demonstration(home)
    run = Run.at(run_id="r1", home=home.root, as_at=AS_AT)
    assert policy.compile_lock(run).problems == []
    return run


@pytest.fixture
def built(run: Run) -> Run:
    """Marts as dbt would leave them."""
    with connect(run.home) as con:
        con.execute(MEASURES)
        con.execute(CLOCKS)
    return run


def sheets(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    book = openpyxl.load_workbook(path)
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book}


def test_a_measure_shows_limit_figure_and_england_and_one_without_data_shows_none(
    built: Run, tmp_path: Path
) -> None:
    report_timeliness(built, tmp_path / "t.xlsx")
    rows = sheets(tmp_path / "t.xlsx")["Measures"]
    told = [tuple(row[n] for n in (0, 2, 5, 7, 9, 10, 15)) for row in rows[1:]]
    assert told == [
        ("TM-02", "45 working days", 2, 3, 66.7, 85.7, 1),
        ("TM-04", "45 working days", 1, 2, 50, 85.7, 0),
        ("TM-09", "3, then 6 calendar months", 0, 0, None, 85.7, 0),
        ("TM-10", "10 working days", None, None, None, 85.7, None),
    ]


def test_empty_bands_are_shown_too_and_what_is_left_out_has_a_reason(
    built: Run, tmp_path: Path
) -> None:
    report_timeliness(built, tmp_path / "t.xlsx")
    found = sheets(tmp_path / "t.xlsx")
    assert [row[2:] for row in found["Bands"][1:] if row[0] == "TM-02"] == [
        ("same day", 1, 33.3),
        ("1-10", 0, 0),
        ("11-20", 0, 0),
        ("21-30", 0, 0),
        ("31-40", 0, 0),
        ("41-45", 0, 0),
        ("46-50", 2, 66.7),
        ("51-60", 0, 0),
        ("61+", 0, 0),
    ]
    assert found["Left out"][1:] == [("TM-02", "Two", "dated before", 1)]


def test_what_is_overdue_stands_by_team_worker_and_child_the_oldest_first(
    built: Run, tmp_path: Path
) -> None:
    report_timeliness(built, tmp_path / "t.xlsx")
    found = sheets(tmp_path / "t.xlsx")
    since = datetime(2026, 3, 30)  # noqa: DTZ001 -- a sheet's date has no zone
    assert found["Teams"][1:] == [("North", "TM-04", "Four", 1, 1, 100, 30, 1, 0, 1, since)]
    assert found["Workers"][1:] == [("North", "=cmd()", "TM-04", "Four", 1, 0, 1, since)]
    due = [(row[0], row[5], *row[6:9]) for row in found["Overdue and due soon"][1:]]
    assert due == [
        ("100", 46, "overdue since 2026-03-30", "North", "=cmd()"),
        ("200", 45, "due soon, on 2026-03-31", "withheld", "withheld"),  # a restricted child
    ]


def test_every_clock_is_listed_with_the_reason_why_it_does_not_count(
    built: Run, tmp_path: Path
) -> None:
    report_timeliness(built, tmp_path / "t.xlsx")
    rows = sheets(tmp_path / "t.xlsx")["Clocks"]
    assert [(row[1], row[9], row[10], row[11]) for row in rows[1:]] == [
        ("300", "no", "no", "the end is dated before the start"),
        ("100", "yes", "yes", None),
        ("200", "yes", "no", None),
    ]


def test_text_of_the_case_system_is_never_a_formula(built: Run, tmp_path: Path) -> None:
    report_timeliness(built, tmp_path / "t.xlsx")
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert [cell.data_type for cell in cells if cell.value == "=cmd()"] == ["s"] * 3


def test_the_report_is_the_owners_alone_the_same_again_and_in_the_ledger(
    built: Run, tmp_path: Path
) -> None:
    first = report_timeliness(built, tmp_path / "t.xlsx")
    again = report_timeliness(built, tmp_path / "t2.xlsx")
    content = (tmp_path / "t.xlsx").read_bytes()
    assert first.sha256 == again.sha256 == hashlib.sha256(content).hexdigest()
    assert stat.S_IMODE((tmp_path / "t.xlsx").stat().st_mode) == 0o600
    told = [e["facts"] for e in built.ledger.events() if e["kind"] == "council_report_written"]
    assert [(e["report"], e["clocks"], e["rules_version"], e["sha256"]) for e in told] == [
        ("timeliness", 3, "abc", first.sha256)
    ] * 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "t.xlsx", "t2.xlsx"]


def test_without_the_agreement_on_the_case_system_nothing_is_written(
    built: Run, tmp_path: Path
) -> None:
    path = policy.start_policy(built.home) / "agreements" / "DSA-CSC-01.yaml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("status: live", "status: suspended"), "utf-8")
    assert policy.compile_lock(built).problems == []
    with pytest.raises(NotPermittedError, match="would cover this"):
        report_timeliness(built, tmp_path / "t.xlsx")
    assert not (tmp_path / "t.xlsx").exists()
    assert [e["kind"] for e in built.ledger.events()][-1] == "council_report_refused"


def test_a_hub_that_has_built_nothing_yet_says_so(run: Run, tmp_path: Path) -> None:
    with connect(run.home):
        pass  # makes the warehouse, empty
    with pytest.raises(NotBuiltError, match="run the hub first"):
        report_timeliness(run, tmp_path / "t.xlsx")
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def ffp(*words: object) -> Result:
    return CliRunner().invoke(app, ["returns", "timeliness", *map(str, words)])


def test_the_command_writes_the_file_and_says_what_is_wrong_in_one_line(
    built: Run, tmp_path: Path
) -> None:
    home = built.home.root
    written = ffp("--out", tmp_path / "t.xlsx", "--home", home)
    assert (written.exit_code, written.stdout.endswith("t.xlsx: 3 clocks\n")) == (0, True)
    nowhere = ffp("--out", tmp_path / "no" / "t.xlsx", "--home", home)
    assert (nowhere.exit_code, "no such folder" in nowhere.stderr) == (2, True)
    nobody = ffp("--out", tmp_path / "t.xlsx", "--home", tmp_path / "other")
    assert (nobody.exit_code, len(nobody.stderr.splitlines())) == (2, 1)


@given(st.lists(st.integers(0, 400), min_size=1, max_size=12, unique=True).map(sorted))
def test_bands_leave_no_day_out_and_none_twice(limits: list[int]) -> None:
    names = band_names(limits)
    assert len(names) == len(limits) + 1
    edges = [name.removesuffix("+").replace("same day", "0-0").split("-") for name in names]
    covered = [range(int(e[0]), int(e[-1]) + 1) for e in edges[:-1]]
    assert [day for days in covered for day in days] == list(range(limits[-1] + 1))
    assert edges[-1] == [str(limits[-1] + 1)]


@given(st.integers(0, 10_000), st.integers(1, 10_000))
def test_a_percent_in_the_workbook_is_rounded_as_in_the_marts(count: int, total: int) -> None:
    by_marts = duckdb.execute(
        "SELECT ((2000 * $1 + $2) // (2 * $2) / 10.0)::DECIMAL(9, 1)", [count, total]
    ).fetchone()
    assert by_marts == (percent(count, total),)


def test_a_half_rounds_up_and_nothing_has_no_percent() -> None:
    assert (percent(1, 16), percent(0, 0)) == (Decimal("6.3"), None)
