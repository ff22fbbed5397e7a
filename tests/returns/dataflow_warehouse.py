"""A warehouse of hand-made rows, with the tables and columns that the relations of the flow read.

`tests/dbt_project/test_dataflow.py` fills the same relations from what the real project builds, so a
table here that differs from the project's is found there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

import duckdb

from ffp_data.returns.dataflow import state
from ffp_data.returns.dataflow.build import (
    Problem,
    build_payloads,
    fill_relations,
    find_problems,
)
from ffp_data.returns.dataflow.layout import layout
from ffp_data.returns.dataflow.state import LastBuild

AS_AT = date(2026, 3, 30)  # the window begins on 1 April 2023
LAYOUT = layout()
DELIVERY = "d" * 64
ABOUT = LastBuild(AS_AT.isoformat(), "DSA-DFE-03@1", "t" * 64)

TABLES = {
    "intermediate.int_persons__records": "record_key VARCHAR, child_id VARCHAR, is_for_returns BOOLEAN,"
    " source_person_id VARCHAR, given_name VARCHAR, surname VARCHAR, postcode VARCHAR, survivorship_order BIGINT",
    "intermediate.int_persons__case_numbers": "child_id VARCHAR, la_child_id VARCHAR, la_child_record_key VARCHAR",
    "intermediate.int_persons__survivors": "child_id VARCHAR, is_restricted BOOLEAN",
    "intermediate.int_census__particulars": "child_id VARCHAR, date_of_birth DATE, expected_birth_date DATE,"
    " sex VARCHAR, former_upn VARCHAR, upn VARCHAR, ethnicity_code VARCHAR, upn_unknown_code VARCHAR",
    "intermediate.int_census__disabilities": "child_id VARCHAR, disability_code VARCHAR",
    "intermediate.int_census__referrals": "child_id VARCHAR, referral_id VARCHAR, canonical_referral_id VARCHAR,"
    " delivery_id VARCHAR, referral_date DATE, referral_source_code VARCHAR, is_no_further_action BOOLEAN,"
    " closure_date DATE, closure_reason_code VARCHAR",
    "assessments": "assessment_id VARCHAR, referral_id VARCHAR, start_date DATE, authorisation_date DATE",
    "assessment_factors": "assessment_id VARCHAR, factors_json VARCHAR",
    "need_plans": "plan_id VARCHAR, referral_id VARCHAR, start_date DATE, end_date DATE",
    "enquiries": "enquiry_id VARCHAR, referral_id VARCHAR, start_date DATE, end_date DATE, outcome_json VARCHAR",
    "conferences": "enquiry_id VARCHAR, conference_date DATE, is_transfer_in BOOLEAN",
    "protection_plans": "plan_id VARCHAR, referral_id VARCHAR, start_date DATE, end_date DATE",
    "worker_involvements": "involvement_id VARCHAR, professional_id VARCHAR, referral_id VARCHAR,"
    " role_code VARCHAR, start_date DATE, end_date DATE",
    "professionals": "professional_id VARCHAR, registration_number VARCHAR",
    "care_episodes": "episode_id VARCHAR, care_period_id VARCHAR, placement_id VARCHAR, referral_id VARCHAR,"
    " start_date DATE, end_date DATE, start_reason_code VARCHAR, end_reason_code VARCHAR",
    "placements": "placement_id VARCHAR, care_period_id VARCHAR, start_date DATE, end_date DATE,"
    " placement_type_code VARCHAR, postcode VARCHAR, change_reason_code VARCHAR",
    "strengths_scores": "completed_date DATE, score BIGINT",
    "permanence_steps": "decision_date DATE, matched_date DATE, placed_date DATE",
    "care_leavers": "contact_date DATE, activity_code VARCHAR, accommodation_code VARCHAR",
    "immigration_statuses": "immigration_status VARCHAR, start_date DATE, end_date DATE",
}
"""Columns by table; a name without a schema is a table of the case system in staging."""


def relation(table: str) -> str:
    """The table's name in the warehouse."""
    return table if "." in table else f"staging.stg_case_system__{table}"


def in_drop(number: str) -> str:
    """The number of an event as staging ties it to its drop."""
    return f"{number}@{DELIVERY}"


class Council:
    """The hand-made warehouse: who is known, what happened, and what the flow makes of it."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con
        con.execute("CREATE SCHEMA IF NOT EXISTS staging; CREATE SCHEMA IF NOT EXISTS intermediate")
        for table, columns in TABLES.items():
            own = "" if "." in table else "record_key VARCHAR, delivery_id VARCHAR, "
            con.execute(f"CREATE OR REPLACE TABLE {relation(table)} ({own}{columns})")
        state.prepare(con)

    def add(self, table: str, **row: Any) -> None:
        """One row; numbers of events are tied to the drop."""
        whole = row if "." in table else {"delivery_id": DELIVERY, **row}
        marks = ", ".join("?" for _ in whole)
        self.con.execute(
            f"INSERT INTO {relation(table)} ({', '.join(whole)}) VALUES ({marks})",
            list(whole.values()),
        )

    def child(self, number: str = "1001", **about: Any) -> str:
        """A child whom the case system knows by `number`; returns its record key."""
        key, child = f"case_system|systemc|{number}", f"child-{number}"
        names = {"given_name": "Zoë", "surname": "O'Brien", "postcode": "XF1 2AB"}
        names = {name: about.pop(name, value) for name, value in names.items()}
        self.add(
            "intermediate.int_persons__records",
            record_key=key,
            child_id=child,
            is_for_returns=True,
            source_person_id=number,
            survivorship_order=1,
            **names,
        )
        self.add(
            "intermediate.int_persons__case_numbers",
            child_id=child,
            la_child_id=number,
            la_child_record_key=key,
        )
        self.add(
            "intermediate.int_persons__survivors",
            child_id=child,
            is_restricted=about.pop("is_restricted", False),
        )
        particulars = {"date_of_birth": "2015-06-01", "sex": "F", "upn": "A001000000001", **about}
        self.add("intermediate.int_census__particulars", child_id=child, **particulars)
        return key

    def referral(self, number: str = "1001", episode: str = "R1", **about: Any) -> str:
        """A referral of the child of that number; returns its number as staging has it."""
        row = {
            "referral_date": "2025-05-01",
            "referral_source_code": "1A",
            "is_no_further_action": False,
            "canonical_referral_id": in_drop(episode),
            **about,
        }
        self.add(
            "intermediate.int_census__referrals",
            child_id=f"child-{number}",
            referral_id=in_drop(episode),
            delivery_id=DELIVERY,
            **row,
        )
        return in_drop(episode)

    def change(self, table: str, change: str, where: str = "true") -> None:
        """Mend or spoil rows as SQL says."""
        self.con.execute(f"UPDATE {relation(table)} SET {change} WHERE {where}")

    def forget(self, number: str) -> None:
        """The child is in no delivery any more."""
        self.con.execute(
            f"DELETE FROM intermediate.int_persons__case_numbers WHERE la_child_id = '{number}'"
        )

    def build(self, as_at: date = AS_AT, **options: Any) -> list[Problem]:
        """A build of the day with everything agreed; returns what is wrong."""
        fill_relations(self.con, LAYOUT, as_at)
        problems = find_problems(self.con, LAYOUT)
        build_payloads(self.con, LAYOUT, frozenset(LAYOUT.columns()))
        state.merge(self.con, LAYOUT, problems, ABOUT, **options)
        return problems

    def payloads(self) -> dict[str, dict[str, Any]]:
        """What DfE is to hold, by child."""
        rows = self.con.execute(
            f"SELECT la_child_id, payload FROM {state.SUBMISSIONS} WHERE payload IS NOT NULL"
        ).fetchall()
        return {child: json.loads(payload) for child, payload in rows}

    def states(self) -> dict[str, tuple[str, str]]:
        """State and status of each child."""
        rows = self.con.execute(
            f"SELECT la_child_id, row_state, submission_status FROM {state.SUBMISSIONS} ORDER BY ALL"
        ).fetchall()
        return {child: (row_state, status) for child, row_state, status in rows}

    def pending(self) -> dict[str, Mapping[str, Any]]:
        """What would be sent, by child."""
        children = state.pending_children(self.con)
        return {
            each.la_child_id: each.message for each in state.messages(self.con, LAYOUT, children)
        }

    def take(self) -> None:
        """DfE takes everything that is pending."""
        state.mark_sent(self.con, "b1", dict.fromkeys(state.pending_children(self.con), "r"))


@contextmanager
def council() -> Iterator[Council]:
    """An empty warehouse in memory."""
    with duckdb.connect() as con:
        yield Council(con)
