"""Each row of a feed and each child of the single view is found in the return, or told why not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import duckdb
import pytest

from ffp_data.returns.reconcile import Basis, Reconciliation, reconcile
from tests.dbt_project.conftest import Marts

YEAR = (date(2025, 4, 1), date(2026, 3, 31))
CIN, TEHADC = Basis("cin", *YEAR), Basis("tehadc", *YEAR)


@contextmanager
def unchanged(marts: Marts) -> Iterator[duckdb.DuckDBPyConnection]:
    """The built warehouse, whatever is done to it inside undone afterwards."""
    with marts.warehouse.connect() as con:
        con.execute("BEGIN")
        con.execute("CREATE SCHEMA quarantine")
        con.execute(
            "CREATE TABLE quarantine.rows (delivery_id VARCHAR, feed VARCHAR, table_name VARCHAR, "
            "line BIGINT, column_name VARCHAR, rule VARCHAR)"
        )
        con.execute(
            "CREATE TABLE IF NOT EXISTS meta.deliveries "
            "(delivery_id VARCHAR, table_name VARCHAR, file_name VARCHAR)"
        )
        try:
            yield con
        finally:
            con.execute("ROLLBACK")


def counted(found: Reconciliation) -> dict[tuple[str, str], int]:
    return {(each.module, each.category): each.number for each in found.counts}


def test_everything_in_feed_and_view_is_found_in_the_returns_or_explained(marts: Marts) -> None:
    with unchanged(marts) as con:
        census, early_help = reconcile(con, CIN), reconcile(con, TEHADC)
    assert (census.unexplained, early_help.unexplained) == (0, 0)
    assert counted(census) == {("CINdetails", "before_the_year"): 1}
    assert counted(early_help) == {}
    there = {(each.against, each.module): (each.there, each.both) for each in census.totals}
    assert there["feed", "CINdetails"] == (6, 5)
    assert there["single view", "Child"] == (4, 4)
    assert there["single view", "Unborn child"] == (1, 1)


ADA, STRANGER = "case_system|systemc|10001", "case_system|systemc|99999"
REFERRAL, ASSESSMENT = "raw.case_system__ssd_cin_episodes", "raw.case_system__ssd_cin_assessments"
PLAN, REVIEW = "raw.case_system__ssd_cp_plans", "raw.case_system__ssd_cp_reviews"
ADDED = {
    "unexplained": (REFERRAL, {"cine_referral_date": "2025-09-01"}),
    "after_the_year": (REFERRAL, {"cine_referral_date": "2026-04-01"}),
    "no_date": (REFERRAL, {}),
    "no_further_action_before": (
        REFERRAL,
        {"cine_referral_date": "2025-03-31", "cine_referral_nfa": "true"},
    ),
    "no_person": (REFERRAL, {"record_key": STRANGER, "cine_referral_date": "2025-09-01"}),
    "outside_episodes": (ASSESSMENT, {"cina_assessment_start_date": "2010-01-01"}),
    "other_authority": (
        PLAN,
        {"cppl_cp_plan_start_date": "2025-09-01", "cppl_cp_plan_ola": "true"},
    ),
    "outside_plans": (REVIEW, {"cppr_cp_review_date": "2025-04-01"}),
}


@pytest.mark.parametrize("category", ADDED)
def test_a_row_that_is_not_in_the_return_has_its_reason(marts: Marts, category: str) -> None:
    table, values = ADDED[category]
    row = {"record_key": ADA, "_delivery_id": "new", "_line": "7"} | values
    with unchanged(marts) as con:
        before = counted(reconcile(con, CIN))
        marks = ", ".join("?" for _ in row)
        con.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", [*row.values()])
        found = reconcile(con, CIN)
    more = {key: n for key, n in counted(found).items() if n != before.get(key)}
    ((_, told),) = more
    assert told == category
    looked_at = [each.line for each in found.to_look_at if each.category == category]
    assert looked_at in ([], [7])


def test_a_row_whose_person_carries_no_identifier_is_named_as_such(marts: Marts) -> None:
    with unchanged(marts) as con:
        con.execute("DELETE FROM intermediate.int_persons__records WHERE record_key = ?", [ADA])
        con.execute(
            f"INSERT INTO {REFERRAL} (record_key, cine_referral_date, _delivery_id, _line) "
            "VALUES (?, '2025-09-01', 'new', 7)",
            [ADA],
        )
        found = reconcile(con, CIN)
    assert counted(found)["CINdetails", "not_linked"] == 1
    assert [d.record_key for d in found.to_look_at] == [ADA]


def test_a_row_that_was_set_aside_is_told_with_its_rule(marts: Marts) -> None:
    with unchanged(marts) as con:
        ((delivery,),) = con.execute(f"SELECT DISTINCT _delivery_id FROM {REFERRAL}").fetchall()
        con.execute(
            "INSERT INTO quarantine.rows VALUES (?, 'case_system', 'ssd_cin_episodes', 99, 'x', 'code')",
            [delivery],
        )
        found = reconcile(con, CIN)
    ((each,),) = ([d for d in found.to_look_at if d.category == "set_aside"],)
    assert (each.line, each.detail) == (99, "x code")


def test_a_child_that_the_return_lost_is_unexplained(marts: Marts) -> None:
    with unchanged(marts) as con:
        con.execute("DELETE FROM returns.cin_children WHERE la_child_id = '10001'")
        found = reconcile(con, CIN)
    assert [(d.module, d.side, d.child) for d in found.to_look_at] == [
        ("Child", "single view", "10001")
    ]
    assert found.unexplained == 1


def test_an_episode_without_a_plan_is_told_where_the_profile_asks_for_one(marts: Marts) -> None:
    with unchanged(marts) as con:
        con.execute("DELETE FROM returns.tehadc_plans")
        asked = counted(reconcile(con, TEHADC))
        not_asked = counted(reconcile(con, Basis("tehadc", *YEAR, requires_plan=False)))
    assert asked["TEHEpisode", "no_plan"] == asked["Child", "no_plan"] == 1
    assert "no_plan" not in {category for _, category in not_asked}
