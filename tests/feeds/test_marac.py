"""The MARAC list with its known faults, and what must never come of it."""

from __future__ import annotations

from datetime import date

from ffp_data import feeds
from governance import policy
from governance.grants import Grants
from tests.feeds.conftest import CONTRACTS
from tests.feeds.justice import assemble, people, row, set_aside, ties
from tests.feeds.samples import Landing, Row

MARAC = CONTRACTS["marac"]


def person(number: int, role: str, **own: str) -> Row:
    values = {
        "relationship_to_victim": {"CHILD": "CHILD", "PERPETRATOR": "PARTNER"}.get(role, ""),
        "address_confidential": "0",
        "restricted_case": "0",
    }
    return row(
        "marac", "people", marac_ref="M1", person_no=str(number), role=role, **(values | own)
    )


def test_several_children_in_one_cell_are_set_aside_to_be_sent_again(landing: Landing) -> None:
    both = person(2, "CHILD", forenames="Ann 5, Bob 7", date_of_birth="")
    landing.rows("marac", "people", [person(1, "VICTIM"), both])
    assemble(landing)
    assert set_aside(landing) == [("row", "forenames", "pattern")]
    assert people(landing, "role") == [("M1:1", "unknown")]


def test_an_age_for_a_birth_date_leaves_nobodys_record(landing: Landing) -> None:
    child = person(2, "CHILD", forenames="Ann", surname="Test", date_of_birth="7")
    landing.rows("marac", "people", [person(1, "VICTIM"), child])
    assemble(landing)
    assert set_aside(landing) == [("value", "date_of_birth", "not_a_date")]
    assert people(landing, "role") == [("M1:1", "unknown")]


def test_a_perpetrator_is_nobodys_record_and_tied_to_nobody(landing: Landing) -> None:
    """Under age or of age, with or without a date of birth: the row is loaded and stays dumb."""
    rows = [person(1, "VICTIM"), person(2, "PERPETRATOR"), person(4, "CHILD")]
    rows.append(person(3, "PERPETRATOR", date_of_birth=""))
    landing.rows("marac", "people", rows)
    (result,) = assemble(landing)
    assert result.rows_loaded == 4
    assert people(landing, "role") == [("M1:1", "unknown"), ("M1:4", "child")]
    assert ties(landing) == []


def test_a_household_that_fled_is_restricted_and_a_mute_mark_keeps_the_row_out(
    landing: Landing,
) -> None:
    rows = [
        person(1, "VICTIM", address_confidential="1"),
        person(2, "CHILD", address_confidential=""),
    ]
    landing.rows("marac", "people", rows)
    assemble(landing)
    assert people(landing, "is_restricted") == [("M1:1", True)]
    assert set_aside(landing) == [("row", "address_confidential", "required")]


def test_the_marker_reaches_the_child_itself_and_the_victims_children_and_tells_no_event(
    landing: Landing,
) -> None:
    rows = [person(1, "VICTIM"), person(2, "PERPETRATOR"), person(3, "CHILD", restricted_case="1")]
    dated = {
        "meeting_date": "2026-01-08",
        "marker_until": "2027-01-08",
        "coordinator": "Val Penrose",
    }
    landing.rows("marac", "people", [r | dated for r in rows])
    assemble(landing)
    feeds.build_facts(landing.con, {"marac": MARAC})
    told = """SELECT split_part(record_key, '|', 3), through, since, until, contact_name, is_withheld
        FROM raw.declared_involvements ORDER BY ALL"""
    stays = (date(2026, 1, 8), date(2027, 1, 8), "Val Penrose")
    assert landing.query(told) == [
        ("M1:1", "family", *stays, False),
        ("M1:3", "person", *stays, True),
    ]
    assert landing.query("SELECT count(*) FROM raw.declared_events") == [(0,)]


def test_the_agreement_lets_in_no_address_no_grade_and_nothing_of_who_spoke() -> None:
    grants = Grants(policy.compile_policy(policy.load(), date(2026, 3, 31)))
    let_in = set(grants.ingest("marac", "people").columns)
    secret = {
        "address", "postcode", "safe_contact", "child_school", "pregnant", "dash_score", "risk_grade",
        "relationship_to_victim", "referring_agency", "referral_date", "crime_report_number",
        "repeat_referral", "notes",
    }  # fmt: skip
    assert secret <= set(MARAC.by_name["people"].by_name)
    assert not secret & let_in


def test_without_the_role_the_whole_list_is_refused(landing: Landing) -> None:
    """Who may not tell a perpetrator's row from a child's may not have either."""
    landing.rows("marac", "people", [person(1, "VICTIM")])
    everything = [p.name for p in MARAC.by_name["people"].properties if p.name != "role"]
    (result,) = landing.load({"people": everything})
    assert result.error is not None
    assert (result.error.rule, result.error.column) == ("not_permitted", "role")
