"""The youth justice service's export with its known faults."""

from __future__ import annotations

import pytest

from ffp_data import feeds
from tests.feeds.conftest import CONTRACTS
from tests.feeds.justice import assemble, people, row, set_aside
from tests.feeds.samples import Landing


@pytest.mark.parametrize(
    ("day", "kept", "faults"),
    [
        ("2013-04-07", "REPRIMAND", []),
        ("2013-04-08", None, [("value", "legal_outcome", "code_not_valid_on_date")]),
        ("2026-01-05", None, [("value", "legal_outcome", "code_not_valid_on_date")]),
    ],
)
def test_an_abolished_outcome_stands_only_on_a_day_of_its_time(
    landing: Landing, day: str, kept: str | None, faults: list[tuple[str, str, str]]
) -> None:
    work = row("youth_justice", "interventions", legal_outcome="REPRIMAND", outcome_date=day)
    landing.rows("youth_justice", "interventions", [work])
    assemble(landing)
    assert landing.query("SELECT legal_outcome FROM raw.youth_justice__interventions") == [(kept,)]
    assert set_aside(landing) == faults


def test_a_child_of_another_area_is_a_child_like_any_other(landing: Landing) -> None:
    landing.rows(
        "youth_justice", "persons", [row("youth_justice", "persons", local_status="Other")]
    )
    assemble(landing)
    assert people(landing, "role") == [("Sample1", "child")]


def test_work_is_told_with_its_worker_and_without_its_cause(landing: Landing) -> None:
    work = row(
        "youth_justice", "interventions",
        intervention_type="DIVERSION", legal_outcome="YOUTH_CAUTION", intervention_start="2026-01-05",
        intervention_end="", custody_start="", custody_end="", worker_name="Kim Ashdown",
    )  # fmt: skip
    landing.rows("youth_justice", "interventions", [work])
    assemble(landing)
    feeds.build_facts(landing.con, {"youth_justice": CONTRACTS["youth_justice"]})
    assert landing.query("SELECT event_type, summary FROM raw.declared_events") == [
        ("youth_justice_intervention", "Youth justice work began: diversion or an out-of-court measure")
    ]  # fmt: skip
    told = "SELECT contact_name, until, through FROM raw.declared_involvements"
    assert landing.query(told) == [("Kim Ashdown", None, "person")]
