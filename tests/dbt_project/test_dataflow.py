"""DfE's data flow of the hand-written partnership, from the tables that the real project builds."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from ffp_data.returns.dataflow.build import build_payloads, fill_relations, find_problems
from ffp_data.returns.dataflow.layout import layout
from tests.dbt_project.conftest import Marts
from tests.returns.dataflow_warehouse import TABLES, relation

pytestmark = pytest.mark.slow

LAYOUT = layout()
ON = date(2026, 3, 31)
Payloads = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def payloads(marts: Marts) -> Payloads:
    with marts.warehouse.connect() as con:
        fill_relations(con, LAYOUT, ON)
        assert find_problems(con, LAYOUT) == []
        build_payloads(con, LAYOUT, frozenset(LAYOUT.columns()))
        rows = con.execute("SELECT la_child_id, payload FROM memory.dataflow.built").fetchall()
    return {child: json.loads(payload) for child, payload in rows}


def test_the_tables_of_the_other_tests_are_those_of_the_project(marts: Marts) -> None:
    with marts.warehouse.connect() as con:
        for table, columns in TABLES.items():
            built = {
                row[0]: row[1] for row in con.execute(f"DESCRIBE {relation(table)}").fetchall()
            }
            told = dict(column.split() for column in columns.split(", "))
            assert told == {name: built.get(name) for name in told}, table


def test_the_children_are_those_in_work_with_social_care_whatever_the_census_year(
    payloads: Payloads,
) -> None:
    census = {"10001", "30001", "50001", "60001"}
    assert payloads.keys() == census | {"40001"}  # Fay's case closed the day before the year


def test_a_child_with_two_records_is_one_with_every_event_once(payloads: Payloads) -> None:
    ada = payloads["10001"]
    (episode,) = ada["social_care_episodes"]
    assert ada["child_details"]["unique_pupil_number"] == "A001000000001"
    assert ada["child_details"]["ethnicity"] == "WBRI"
    assert {name: len(value) for name, value in episode.items() if isinstance(value, list)} == {
        "section_47_assessments": 1,
        "child_and_family_assessments": 1,
        "child_protection_plans": 1,
    }
