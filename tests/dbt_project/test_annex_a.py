"""Annex A of the hand-written partnership, from the tables that the real project builds."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ffp_data.returns.annex_a import check_lists, edition_on, fill_lists
from tests.dbt_project.conftest import Marts
from tests.returns.annex_a_warehouse import TABLES, relation

ON = date(2026, 3, 31)
ADA, DOT, EVE, GUS, HAL = "10001", "30001", "EH501", "50001", "60001"
Lists = dict[int, list[dict[str, Any]]]


def lists_on(marts: Marts, on: date) -> Lists:
    edition = edition_on(on)
    with marts.warehouse.connect() as con:
        filled = fill_lists(con, edition, on)
    names = {n: [each.column for each in edition.lists[n].columns] for n in filled}
    return {
        n: [dict(zip(names[n], row, strict=True)) for row in each.rows]
        for n, each in filled.items()
    }


@pytest.fixture(scope="module")
def lists(marts: Marts) -> Lists:
    return lists_on(marts, ON)


def on_list(lists: Lists, number: int, column: str) -> dict[str, Any]:
    return {row["child_unique_id"]: row[column] for row in lists[number]}


def test_each_list_has_the_children_that_its_rule_names(lists: Lists) -> None:
    found = {n: sorted(row["child_unique_id"] for row in rows) for n, rows in lists.items()}
    assert found == {
        1: [],
        2: [EVE],
        3: [DOT],
        4: [DOT, HAL],
        5: [ADA],
        6: [ADA, DOT, GUS, HAL],
        7: [ADA],
        8: [],
        9: [],
        10: [],
        11: [],
    }


def test_a_child_entered_twice_has_one_row_and_one_status(lists: Lists) -> None:
    assert on_list(lists, 6, "case_status") == {
        ADA: "b) Child Protection plan",
        DOT: "d) Open assessment",
        GUS: "c) Child in need plan",
        HAL: "d) Open assessment",
    }
    assert on_list(lists, 6, "ethnicity")[ADA] == "a) WBRI"
    assert on_list(lists, 7, "review_date") == {ADA: date(2026, 3, 20)}


def test_an_unborn_child_has_no_birth_date(lists: Lists) -> None:
    assert on_list(lists, 6, "date_of_birth")[DOT] is None
    assert on_list(lists, 6, "age") == {ADA: 13, DOT: None, GUS: 11, HAL: 18}


def test_early_help_without_an_assessment_is_told_from_its_start(lists: Lists) -> None:
    assert on_list(lists, 2, "assessment_start_date") == {EVE: date(2025, 10, 6)}
    assert on_list(lists, 2, "assessing_organisation") == {EVE: "LA children's services"}


def test_a_past_date_is_read_as_it_was(marts: Marts) -> None:
    """Before the conference there was no plan; the case closed on 31 March 2025 was still in its window."""
    then = lists_on(marts, date(2025, 9, 30))
    assert then[7] == []
    assert on_list(then, 6, "case_status") == {
        ADA: "c) Child in need plan",
        "40001": "e) Closed episode",
        GUS: "c) Child in need plan",
        HAL: "c) Child in need plan",
    }


def test_the_checks_name_the_children_whose_case_nobody_holds(marts: Marts) -> None:
    edition = edition_on(ON)
    with marts.warehouse.connect() as con:
        queries = check_lists(edition, fill_lists(con, edition, ON), ON)
    unallocated = {q.child for q in queries if q.header == "Allocated Worker" and q.number == 6}
    assert unallocated == {ADA, DOT, GUS, HAL}


@pytest.mark.parametrize("table", TABLES)
def test_the_hand_made_warehouse_of_the_fast_tests_has_the_columns_of_the_project(
    marts: Marts, table: str
) -> None:
    schema, _, name = relation(table).partition(".")
    kinds = dict(
        marts.rows(
            "SELECT column_name, data_type FROM duckdb_columns() "
            f"WHERE schema_name = '{schema}' AND table_name = '{name}'"
        )
    )
    for column in TABLES[table].split(", "):
        wanted, kind = column.split()
        assert kinds.get(wanted, "missing") in {kind, "JSON" if kind == "VARCHAR" else kind}
