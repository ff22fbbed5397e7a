"""A return is made of the tables of its own year and day, and by the profile of its own year."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from ffp_data.home.run import Run
from ffp_data.releases.make_return import notes_on, profile_of, require_tables_of
from ffp_data.returns import LayoutError, tehadc

PACKAGED = Path(tehadc.__file__).parent / "profiles" / "2025-26.yaml"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.at(run_id="r1", home=tmp_path / "home", as_at=date(2026, 6, 30))


def tables_of(year: str, as_at: str) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute("CREATE SCHEMA intermediate")
    con.execute(
        f"CREATE TABLE intermediate.int_census__period AS SELECT '{year}' AS collection_year, "
        f"DATE '{as_at}' AS as_at"
    )
    return con


def in_year(run: Run, year: str) -> Run:
    return Run(run.run_id, run.home, run.landing, run.stated_as_at, stated_year=year)


def test_a_run_speaks_for_the_year_of_its_day_or_the_one_that_is_stated(run: Run) -> None:
    assert run.collection_year == "2026-27"
    earlier = in_year(run, "2025-26")
    assert earlier.census_year == (date(2025, 4, 1), date(2026, 3, 31))
    assert earlier.as_at == run.as_at


def test_tables_of_the_year_and_day_will_do(run: Run) -> None:
    require_tables_of(tables_of("2025-26", "2026-06-30"), in_year(run, "2025-26"))


@pytest.mark.parametrize(("year", "as_at"), [("2025-26", "2026-06-30"), ("2026-27", "2026-06-29")])
def test_tables_of_another_year_or_day_are_refused(run: Run, year: str, as_at: str) -> None:
    with pytest.raises(LayoutError, match=f"hold {year} as at {as_at}, not 2026-27"):
        require_tables_of(tables_of(year, as_at), run)


def test_a_warehouse_of_an_older_version_is_refused(run: Run) -> None:
    with pytest.raises(LayoutError, match="run the hub first"):
        require_tables_of(duckdb.connect(), run)


def test_a_profile_of_the_home_goes_before_the_packaged_one(run: Run) -> None:
    this = in_year(run, "2025-26")
    packaged = profile_of(this, "tehadc")
    assert packaged == tehadc.profile("2025-26")
    this.home.profiles.mkdir()
    own = this.home.profiles / "tehadc-2025-26.yaml"
    own.write_text(PACKAGED.read_text("utf-8").replace("version: '1'", "version: '2'"), "utf-8")
    ours = profile_of(this, "tehadc")
    assert ours is not None
    assert ours.version == "2"
    assert profile_of(this, "cin") is None


def test_a_profile_of_another_year_is_refused(run: Run) -> None:
    run.home.profiles.mkdir()
    own = run.home.profiles / "tehadc-2026-27.yaml"
    own.write_text(PACKAGED.read_text("utf-8"), "utf-8")
    with pytest.raises(LayoutError, match="is a profile of 2025-26"):
        profile_of(run, "tehadc")


def test_what_is_provisional_or_still_runs_is_said() -> None:
    record = {
        "collection": "CIN",
        "year": "2026-27",
        "provisional": "Not final.",
        "about": {"as_at": "2026-06-30"},
        "header": {"reference_date": "2027-03-31"},
    }
    assert notes_on(record) == [
        "CIN 2026-27 is PROVISIONAL: Not final.",
        "The year ends on 2027-03-31; this is how things stood on 2026-06-30.",
    ]
    final = record | {"provisional": None, "about": {"as_at": "2027-03-31"}}
    assert notes_on(final) == []
