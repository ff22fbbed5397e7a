"""A warehouse of hand-made rows, with the tables and columns that the queries of Annex A read.

`tests/dbt_project/test_annex_a.py` runs the same queries on what the real project builds, so a table
here that differs from the project's is found there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

import duckdb

from ffp_data.returns.annex_a import Filled, edition_on, fill_lists

Row = Mapping[str, Any]
ON = date(2026, 2, 28)  # an awkward day on purpose: six months before is 28 August

TABLES = {
    "intermediate.int_persons__records": "record_key VARCHAR, child_id VARCHAR, is_for_returns BOOLEAN",
    "intermediate.int_persons__case_numbers": "child_id VARCHAR, la_child_id VARCHAR",
    "intermediate.int_census__particulars": "child_id VARCHAR, date_of_birth DATE, sex VARCHAR, ethnicity_code VARCHAR",
    "intermediate.int_census__disabilities": "child_id VARCHAR, disability_code VARCHAR",
    "staging.codes": "code_list VARCHAR, code VARCHAR, meaning VARCHAR",
    "contacts": "contact_id VARCHAR, contact_date DATE, source_code VARCHAR",
    "referrals": "referral_id VARCHAR, referral_date DATE, referral_source_code VARCHAR, primary_need_code VARCHAR,"
    " is_no_further_action BOOLEAN, closure_date DATE, closure_reason_code VARCHAR, team VARCHAR, worker_id VARCHAR",
    "assessments": "assessment_id VARCHAR, start_date DATE, authorisation_date DATE, is_child_seen BOOLEAN,"
    " is_no_further_action BOOLEAN, team VARCHAR, worker_id VARCHAR",
    "enquiries": "enquiry_id VARCHAR, start_date DATE, end_date DATE, outcome_json VARCHAR, team VARCHAR,"
    " worker_id VARCHAR",
    "conferences": "enquiry_id VARCHAR, conference_date DATE, is_plan_agreed BOOLEAN, is_transfer_in BOOLEAN",
    "need_plans": "start_date DATE, end_date DATE",
    "protection_plans": "plan_id VARCHAR, start_date DATE, end_date DATE, is_for_other_authority BOOLEAN,"
    " initial_category_code VARCHAR, latest_category_code VARCHAR",
    "protection_reviews": "review_date DATE",
    "care_episodes": "start_date DATE, end_date DATE, end_reason_code VARCHAR, primary_need_code VARCHAR,"
    " placement_id VARCHAR, reviewing_officer_contact_date DATE",
    "legal_statuses": "legal_status_code VARCHAR, start_date DATE, end_date DATE",
    "placements": "placement_id VARCHAR, start_date DATE, placement_type_code VARCHAR, postcode VARCHAR",
    "immigration_statuses": "immigration_status VARCHAR, start_date DATE, end_date DATE",
    "care_leavers": "contact_date DATE, accommodation_code VARCHAR",
    "permanence_steps": "decision_date DATE, matched_date DATE, placed_date DATE",
    "missing_episodes": "start_date DATE, episode_type VARCHAR, return_interview_offered VARCHAR,"
    " return_interview_accepted VARCHAR",
    "worker_involvements": "involvement_id VARCHAR, professional_id VARCHAR, team VARCHAR, start_date DATE,"
    " end_date DATE",
    "professionals": "professional_id VARCHAR, professional_name VARCHAR",
    "early_help_episodes": "start_date DATE, end_date DATE, organisation VARCHAR",
    "family_help_episodes": "family_help_id VARCHAR, agency_code VARCHAR, end_date DATE",
    "family_help_plans": "family_help_id VARCHAR, plan_type_code VARCHAR, start_date DATE, end_date DATE",
    "staging.stg_early_help__persons": "record_key VARCHAR",
    "staging.stg_early_help__episodes": "record_key VARCHAR, teh_episode_id VARCHAR, start_date DATE, end_date DATE",
    "staging.stg_early_help__assessments": "record_key VARCHAR, teh_episode_id VARCHAR, start_date DATE,"
    " completion_date DATE, organisation_code VARCHAR",
    "staging.stg_early_help__lead_practitioners": "record_key VARCHAR, teh_episode_id VARCHAR, agency_code VARCHAR,"
    " start_date DATE, end_date DATE",
}
"""Columns by table; a name without a schema is a table of the case system in staging."""
NOBODYS = ("professionals", "family_help_plans")  # tables without a record key


def relation(table: str) -> str:
    """The table's name in the warehouse."""
    return table if "." in table else f"staging.stg_case_system__{table}"


@contextmanager
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty warehouse in memory."""
    with duckdb.connect() as con:
        create(con)
        yield con


def create(con: duckdb.DuckDBPyConnection) -> None:
    """Make every table that the queries read."""
    con.execute("CREATE SCHEMA IF NOT EXISTS staging; CREATE SCHEMA IF NOT EXISTS intermediate")
    for table, columns in TABLES.items():
        own = "" if "." in table or table in NOBODYS else "record_key VARCHAR, "
        con.execute(f"CREATE TABLE {relation(table)} ({own}{columns})")


def put(con: duckdb.DuckDBPyConnection, table: str, *rows: Row) -> None:
    """Add rows; what a row does not name is NULL."""
    for row in rows:
        marks = ", ".join("?" for _ in row)
        con.execute(
            f"INSERT INTO {relation(table)} ({', '.join(row)}) VALUES ({marks})", list(row.values())
        )


def child(
    con: duckdb.DuckDBPyConnection,
    name: str,
    born: date | None = date(2015, 6, 1),
    *,
    records: int = 1,
    **particulars: Any,
) -> None:
    """A child numbered `name`, known by records `name/1`, `name/2` and so on."""
    put(con, "intermediate.int_persons__case_numbers", {"child_id": name, "la_child_id": name})
    about = {"child_id": name, "date_of_birth": born, "sex": "F", "ethnicity_code": "WBRI"}
    put(con, "intermediate.int_census__particulars", about | particulars)
    for number in range(1, records + 1):
        record = {"record_key": f"{name}/{number}", "child_id": name, "is_for_returns": True}
        put(con, "intermediate.int_persons__records", record)


def facts(con: duckdb.DuckDBPyConnection, table: str, name: str, **values: Any) -> None:
    """One fact on the first record of a child, made known to the warehouse if it is not yet."""
    known = con.execute(
        "SELECT 1 FROM intermediate.int_persons__case_numbers WHERE child_id = ?", [name]
    )
    if known.fetchone() is None:
        child(con, name)
    put(con, table, {"record_key": f"{name}/1", **values})


def filled(con: duckdb.DuckDBPyConnection, number: int, on: date = ON) -> list[dict[str, Any]]:
    """Rows of one list as column -> value."""
    whole = edition_on(on)
    edition = whole.model_copy(update={"lists": {number: whole.lists[number]}})
    found: Filled = fill_lists(con, edition, on)[number]
    names = [each.column for each in edition.lists[number].columns]
    return [dict(zip(names, row, strict=True)) for row in found.rows]


def listed(con: duckdb.DuckDBPyConnection, number: int, on: date = ON) -> list[str]:
    """Children on a list, a name for each row."""
    return [row["child_unique_id"] for row in filled(con, number, on)]
