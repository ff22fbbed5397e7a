"""Who is on each list of Annex A and what it says of them, by children worked out by hand.

The inspection is on 28 February 2026: the six months begin on 28 August 2025, the twelve on
28 February 2025. A child named for an edge has nothing but the fact at that edge.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import duckdb
import pytest

from tests.returns.annex_a_warehouse import ON, child, facts, filled, listed, put, warehouse

FIRST, BEFORE, AFTER = date(2025, 8, 28), date(2025, 8, 27), date(2026, 3, 1)
LONG_AGO = date(2024, 1, 10)
EDGES = {"before": BEFORE, "first": FIRST, "last": ON, "later": AFTER}


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with warehouse() as connection:
        yield connection


def the_row(con: duckdb.DuckDBPyConnection, number: int, on: date = ON) -> dict[str, Any]:
    (row,) = filled(con, number, on)
    return row


# Windows: the first and the last day are inside


@pytest.mark.parametrize(
    ("number", "table", "day", "others"),
    [
        (1, "contacts", "contact_date", {"contact_id": "K", "source_code": "6"}),
        (3, "referrals", "referral_date", {"referral_id": "R", "is_no_further_action": True}),
    ],
)
def test_what_is_received_on_the_first_or_last_day_of_the_window_is_listed(
    con: duckdb.DuckDBPyConnection, number: int, table: str, day: str, others: dict[str, Any]
) -> None:
    for name, edge in EDGES.items():
        facts(con, table, name, **{day: edge}, **others)
    assert listed(con, number) == ["first", "last"]


ENDING = [
    (2, "staging.stg_early_help__assessments", "start_date", "completion_date", {}),
    (4, "assessments", "start_date", "authorisation_date", {"assessment_id": "A"}),
    (5, "enquiries", "start_date", "end_date", {"enquiry_id": "E"}),
    (6, "referrals", "referral_date", "closure_date", {"is_no_further_action": False}),
    (7, "protection_plans", "start_date", "end_date", {"plan_id": "P"}),
    (8, "care_episodes", "start_date", "end_date", {}),
]


@pytest.mark.parametrize(("number", "table", "begins", "ends", "others"), ENDING)
def test_work_that_ended_before_the_window_is_left_out_and_on_its_first_day_is_not(
    con: duckdb.DuckDBPyConnection,
    number: int,
    table: str,
    begins: str,
    ends: str,
    others: dict[str, Any],
) -> None:
    for name, edge in EDGES.items():
        facts(con, table, name, **{begins: LONG_AGO, ends: edge}, **others)
    facts(con, table, "open", **{begins: LONG_AGO}, **others)
    assert listed(con, number) == ["first", "last", "later", "open"]


@pytest.mark.parametrize(("number", "table", "begins", "ends", "others"), ENDING)
def test_work_counts_from_the_day_it_begins_and_not_from_the_day_after_the_inspection(
    con: duckdb.DuckDBPyConnection,
    number: int,
    table: str,
    begins: str,
    ends: str,
    others: dict[str, Any],
) -> None:
    facts(con, table, "today", **{begins: ON}, **others)
    facts(con, table, "tomorrow", **{begins: AFTER}, **others)
    assert listed(con, number) == ["today"]


@pytest.mark.parametrize(("number", "table", "begins", "ends", "others"), ENDING)
def test_an_ending_after_the_inspection_has_not_happened_yet(
    con: duckdb.DuckDBPyConnection,
    number: int,
    table: str,
    begins: str,
    ends: str,
    others: dict[str, Any],
) -> None:
    facts(con, table, "later", **{begins: LONG_AGO, ends: AFTER}, **others)
    then = the_row(con, number)
    assert AFTER not in then.values()
    assert then != the_row(con, number, AFTER)


def test_the_window_of_a_month_without_that_day_begins_on_the_months_last(
    con: duckdb.DuckDBPyConnection,
) -> None:
    for day in (27, 28):
        facts(con, "contacts", f"feb{day}", contact_date=date(2026, 2, day), contact_id="K")
    assert listed(con, 1, date(2026, 8, 31)) == ["feb28"]


# Who a child is on the date


def test_age_is_in_whole_years_on_the_inspection_date(con: duckdb.DuckDBPyConnection) -> None:
    for name, born in (("turned", date(2016, 2, 28)), ("tomorrow", date(2016, 3, 1))):
        child(con, name, born)
        facts(con, "contacts", name, contact_date=ON)
    assert [row["age"] for row in filled(con, 1)] == [9, 10]


def test_a_child_born_after_the_inspection_is_unborn_on_it(con: duckdb.DuckDBPyConnection) -> None:
    child(con, "unborn", AFTER)
    facts(con, "contacts", "unborn", contact_date=ON)
    row = the_row(con, 1)
    assert (row["date_of_birth"], row["age"], row["gender"]) == (
        None,
        None,
        "c) Not stated/recorded",
    )


def test_what_nobody_recorded_has_the_label_for_unknown(con: duckdb.DuckDBPyConnection) -> None:
    child(con, "ada", ethnicity_code=None)
    facts(con, "contacts", "ada", contact_date=ON)
    row = the_row(con, 1)
    assert (row["ethnicity"], row["contact_source"]) == ("u) UNKNOWN", "u) 10: Unknown")


@pytest.mark.parametrize(
    ("codes", "label"), [(["MOB"], "a) Yes"), (["NONE"], "b) No"), ([], "c) Unknown")]
)
def test_a_disability_is_unknown_where_nothing_was_recorded(
    con: duckdb.DuckDBPyConnection, codes: list[str], label: str
) -> None:
    facts(con, "assessments", "ada", start_date=ON, assessment_id="A")
    for code in codes:
        put(
            con,
            "intermediate.int_census__disabilities",
            {"child_id": "ada", "disability_code": code},
        )
    assert the_row(con, 4)["disability"] == label


def test_records_of_a_feed_that_does_not_serve_returns_are_not_read(
    con: duckdb.DuckDBPyConnection,
) -> None:
    facts(con, "contacts", "ada", contact_date=ON)
    con.execute("UPDATE intermediate.int_persons__records SET is_for_returns = false")
    assert listed(con, 1) == []


# List 1 and 3: copies


def test_a_contact_on_two_records_of_a_child_is_one_and_two_on_one_record_are_two(
    con: duckdb.DuckDBPyConnection,
) -> None:
    child(con, "ada", records=2)
    contact = {"contact_date": ON, "source_code": "6"}
    put(con, "contacts", {"record_key": "ada/1", "contact_id": "1", **contact})
    put(con, "contacts", {"record_key": "ada/2", "contact_id": "2", **contact})
    assert len(listed(con, 1)) == 1
    put(con, "contacts", {"record_key": "ada/2", "contact_id": "3", **contact})
    assert len(listed(con, 1)) == 2


def referral(con: duckdb.DuckDBPyConnection, name: str, day: date, **values: Any) -> None:
    facts(
        con,
        "referrals",
        name,
        **{
            "referral_id": f"{name}{day}",
            "referral_date": day,
            "is_no_further_action": False,
            **values,
        },
    )


def test_a_referral_counts_those_of_the_twelve_months_before_it(
    con: duckdb.DuckDBPyConnection,
) -> None:
    for day in (date(2024, 12, 31), date(2025, 1, 1), date(2025, 11, 1), date(2026, 1, 1)):
        referral(con, "ada", day)
    rows = {row["referral_date"]: row["referral_count"] for row in filled(con, 3)}
    assert rows == {date(2025, 11, 1): 2, date(2026, 1, 1): 2}  # a year before, to the day, counts


def test_a_referral_names_the_team_and_worker_it_went_to(con: duckdb.DuckDBPyConnection) -> None:
    put(con, "professionals", {"professional_id": "W1", "professional_name": "Kim Lacey"})
    referral(con, "ada", ON, team="Front Door", worker_id="W1", is_no_further_action=True)
    row = the_row(con, 3)
    assert row["allocated_team"] == "Front Door"
    assert (row["allocated_worker"], row["referral_nfa"]) == ("Kim Lacey", "a) Yes")


# List 2: early help


def help_now(con: duckdb.DuckDBPyConnection, name: str, **values: Any) -> None:
    episode = {"teh_episode_id": f"T{name}", "start_date": LONG_AGO, **values}
    facts(con, "staging.stg_early_help__episodes", name, **episode)
    put(con, "staging.stg_early_help__persons", {"record_key": f"{name}/1"})


def test_help_still_given_is_listed_by_its_last_assessment_however_old(
    con: duckdb.DuckDBPyConnection,
) -> None:
    put(con, "staging.codes", {"code_list": "organisation_type", "code": "O3", "meaning": "school"})
    help_now(con, "ada")
    for start, organisation in ((LONG_AGO, "O5"), (date(2024, 6, 3), "O3")):
        facts(
            con,
            "staging.stg_early_help__assessments",
            "ada",
            teh_episode_id="Tada",
            start_date=start,
            completion_date=start + timedelta(days=20),
            organisation_code=organisation,
        )
    row = the_row(con, 2)
    assert row["assessment_start_date"] == date(2024, 6, 3)
    assert row["assessment_completion_date"] == date(2024, 6, 23)
    assert row["assessing_organisation"] == "school"


def test_help_without_an_assessment_is_listed_from_its_start_by_the_leads_organisation(
    con: duckdb.DuckDBPyConnection,
) -> None:
    help_now(con, "ada")
    lead = {"teh_episode_id": "Tada", "agency_code": "O1", "start_date": LONG_AGO}
    facts(con, "staging.stg_early_help__lead_practitioners", "ada", **lead)
    row = the_row(con, 2)
    assert (row["assessment_start_date"], row["assessing_organisation"]) == (LONG_AGO, "O1")
    assert row["assessment_completion_date"] is None


def test_help_that_an_assessment_of_the_window_stands_for_is_not_listed_twice(
    con: duckdb.DuckDBPyConnection,
) -> None:
    help_now(con, "ada")
    facts(
        con, "staging.stg_early_help__assessments", "ada", teh_episode_id="Tada", start_date=FIRST
    )
    assert listed(con, 2) == ["ada"]


@pytest.mark.parametrize(("ends", "expected"), [(ON, []), (AFTER, ["ada"]), (None, ["ada"])])
def test_help_that_ends_on_the_inspection_date_is_no_longer_given(
    con: duckdb.DuckDBPyConnection, ends: date | None, expected: list[str]
) -> None:
    help_now(con, "ada", end_date=ends)
    assert listed(con, 2) == expected


def test_a_child_in_need_on_the_date_is_on_list_6_and_not_on_list_2_too(
    con: duckdb.DuckDBPyConnection,
) -> None:
    help_now(con, "up")
    referral(con, "up", date(2026, 1, 5))
    help_now(con, "down")
    referral(con, "down", date(2025, 9, 1), closure_date=date(2025, 12, 1))
    assert listed(con, 2) == ["down"]
    assert [(r["child_unique_id"], r["case_status"]) for r in filled(con, 6)] == [
        ("down", "e) Closed episode"),
        ("up", "c) Child in need plan"),
    ]


def test_the_case_system_speaks_of_early_help_only_where_the_early_help_service_does_not(
    con: duckdb.DuckDBPyConnection,
) -> None:
    help_now(con, "told", end_date=date(2025, 1, 1))
    for name in ("told", "alone"):
        facts(con, "early_help_episodes", name, start_date=LONG_AGO, organisation="Bright Futures")
    facts(con, "family_help_episodes", "plan", family_help_id="F", agency_code="O1")
    plan = {"family_help_id": "F", "start_date": FIRST}
    put(con, "family_help_plans", {"plan_type_code": "TEH", **plan})
    facts(con, "family_help_episodes", "need", family_help_id="G")
    put(
        con,
        "family_help_plans",
        {"family_help_id": "G", "plan_type_code": "CIN", "start_date": FIRST},
    )
    assert [(r["child_unique_id"], r["assessing_organisation"]) for r in filled(con, 2)] == [
        ("alone", "Bright Futures"),
        ("plan", "O1"),
    ]


# List 4 and 5


@pytest.mark.parametrize(
    ("authorised", "no_further_action", "expected"),
    [(FIRST, True, "b) No"), (FIRST, False, "a) Yes"), (AFTER, False, None), (FIRST, None, None)],
)
def test_support_is_required_as_the_authorised_assessment_says(
    con: duckdb.DuckDBPyConnection,
    authorised: date,
    no_further_action: bool | None,
    expected: str | None,
) -> None:
    facts(
        con,
        "assessments",
        "ada",
        start_date=LONG_AGO,
        authorisation_date=authorised,
        is_no_further_action=no_further_action,
        is_child_seen=True,
    )
    row = the_row(con, 4)
    assert (row["support_required"], row["child_seen"]) == (expected, "a) Yes")


@pytest.mark.parametrize(
    ("ended", "called", "held", "expected"),
    [
        (None, "{}", None, None),
        (FIRST, "{}", None, "a) Yes"),
        (FIRST, '{"CP_CONFERENCE_FLAG": "Y"}', None, "b) No"),
        (FIRST, "{}", date(2025, 9, 10), "b) No"),
        (FIRST, "{}", AFTER, "a) Yes"),
    ],
)
def test_a_conference_was_unnecessary_where_the_enquiry_ended_with_none_held_or_called(
    con: duckdb.DuckDBPyConnection,
    ended: date | None,
    called: str,
    held: date | None,
    expected: str | None,
) -> None:
    facts(
        con,
        "enquiries",
        "ada",
        enquiry_id="E",
        start_date=LONG_AGO,
        end_date=ended,
        outcome_json=called,
    )
    facts(con, "conferences", "ada", enquiry_id="E", conference_date=held, is_plan_agreed=False)
    row = the_row(con, 5)
    assert row["conference_unnecessary"] == expected
    is_held = held is not None and held <= ON
    assert (row["conference_date"], row["plan_resulted"]) == (
        (held, "b) No") if is_held else (None, None)
    )


def test_an_enquiry_counts_enquiries_and_conferences_of_the_twelve_months_before_it(
    con: duckdb.DuckDBPyConnection,
) -> None:
    days = (date(2024, 12, 31), date(2025, 1, 1), date(2025, 6, 1), date(2026, 1, 1))
    for number, day in enumerate(days):
        ends = day + timedelta(days=10)
        facts(con, "enquiries", "ada", enquiry_id=f"E{number}", start_date=day, end_date=ends)
        facts(con, "conferences", "ada", enquiry_id=f"E{number}", conference_date=ends)
    row = the_row(con, 5)
    assert row["strategy_discussion_date"] == date(2026, 1, 1)
    assert (row["enquiry_count"], row["conference_count"]) == (
        2,
        3,
    )  # a conference of 10 January 2025 counts


# List 6


def test_a_referral_without_further_action_is_no_child_in_need(
    con: duckdb.DuckDBPyConnection,
) -> None:
    referral(con, "ada", ON, is_no_further_action=True)
    assert listed(con, 6) == []


def test_an_adult_is_a_child_in_need_no_more_when_the_window_begins(
    con: duckdb.DuckDBPyConnection,
) -> None:
    for name, birthday in (("adult", FIRST), ("turning", date(2025, 8, 29))):
        child(con, name, birthday.replace(year=birthday.year - 18))
        referral(con, name, LONG_AGO)
    assert listed(con, 6) == ["turning"]


def test_the_open_episode_stands_before_one_that_began_later_and_closed(
    con: duckdb.DuckDBPyConnection,
) -> None:
    referral(con, "ada", LONG_AGO, primary_need_code="N2")
    referral(con, "ada", FIRST, closure_date=date(2025, 12, 1), closure_reason_code="RC8")
    row = the_row(con, 6)
    assert (row["need_start_date"], row["primary_need"]) == (LONG_AGO, "N2 - Child’s disability")
    assert (row["closure_date"], row["closure_reason"]) == (None, None)


def test_the_case_status_is_the_highest_on_the_date(con: duckdb.DuckDBPyConnection) -> None:
    steps = ["none", "assessment", "plan", "protection", "care", "closed"]
    for place, name in enumerate(steps):
        referral(con, name, FIRST, closure_date=ON if name == "closed" else None)
        work = ["assessments", "need_plans", "protection_plans", "care_episodes"][:place]
        for table in work:
            facts(con, table, name, start_date=FIRST)
    found = {row["child_unique_id"]: row["case_status"] for row in filled(con, 6)}
    assert [found[name] for name in steps] == [
        "c) Child in need plan",
        "d) Open assessment",
        "c) Child in need plan",
        "b) Child Protection plan",
        "a) Looked after child",
        "e) Closed episode",
    ]


def test_work_that_ends_on_the_date_gives_no_status_on_it(con: duckdb.DuckDBPyConnection) -> None:
    referral(con, "ada", FIRST)
    facts(con, "need_plans", "ada", start_date=FIRST)
    for table in ("protection_plans", "care_episodes"):
        facts(con, table, "ada", start_date=FIRST, end_date=ON)
    assert the_row(con, 6)["case_status"] == "c) Child in need plan"
    assert the_row(con, 6, ON - timedelta(days=1))["case_status"] == "a) Looked after child"


# Allocation


def test_an_open_case_has_the_worker_of_the_date_and_a_closed_one_its_last(
    con: duckdb.DuckDBPyConnection,
) -> None:
    for number in (1, 2):
        put(
            con,
            "professionals",
            {"professional_id": f"W{number}", "professional_name": f"Worker {number}"},
        )
    for name, closed in (("held", None), ("unallocated", None), ("closed", ON)):
        referral(con, name, LONG_AGO, closure_date=closed)
        first = {
            "professional_id": "W1",
            "team": "North",
            "start_date": LONG_AGO,
            "end_date": FIRST,
        }
        facts(con, "worker_involvements", name, involvement_id="1", **first)
    second = {"professional_id": "W2", "team": "South", "start_date": FIRST, "end_date": AFTER}
    facts(con, "worker_involvements", "held", involvement_id="2", **second)
    assert {
        row["child_unique_id"]: (row["allocated_team"], row["allocated_worker"])
        for row in filled(con, 6)
    } == {
        "held": ("South", "Worker 2"),
        "unallocated": (None, None),
        "closed": ("North", "Worker 1"),
    }


# List 7


def plan(con: duckdb.DuckDBPyConnection, name: str, start: date, **values: Any) -> None:
    facts(con, "protection_plans", name, **{"plan_id": f"P{start}", "start_date": start, **values})


def test_a_child_has_one_row_with_the_plan_of_the_date_and_the_number_before_it(
    con: duckdb.DuckDBPyConnection,
) -> None:
    plan(con, "ada", date(2019, 1, 1), end_date=date(2020, 1, 1))
    plan(con, "ada", LONG_AGO, end_date=FIRST)
    plan(con, "ada", date(2025, 10, 1), initial_category_code="NEG", latest_category_code="EMO")
    facts(con, "protection_reviews", "ada", review_date=date(2025, 7, 1))
    facts(con, "protection_reviews", "ada", review_date=date(2026, 1, 5))
    facts(con, "protection_reviews", "ada", review_date=AFTER)
    row = the_row(con, 7)
    assert (row["plan_start_date"], row["previous_plan_count"]) == (date(2025, 10, 1), 2)
    assert (row["initial_category"], row["latest_category"]) == ("a) Neglect", "d) Emotional abuse")
    assert row["review_date"] == date(2026, 1, 5)


def test_a_plan_kept_for_another_authority_is_not_listed(con: duckdb.DuckDBPyConnection) -> None:
    plan(con, "ada", FIRST, is_for_other_authority=True)
    assert listed(con, 7) == []


@pytest.mark.parametrize(
    ("status", "ended", "expected"),
    [
        ("L1", FIRST, "a) Yes"),
        ("L2", FIRST, "a) Yes"),
        ("L2", BEFORE, "b) No"),
        ("L3", None, "b) No"),
        ("L2", AFTER, "a) Yes"),
    ],
)
def test_emergency_protection_counts_on_any_day_of_the_six_months(
    con: duckdb.DuckDBPyConnection, status: str, ended: date | None, expected: str
) -> None:
    plan(con, "ada", LONG_AGO)
    facts(
        con, "legal_statuses", "ada", legal_status_code=status, start_date=LONG_AGO, end_date=ended
    )
    assert the_row(con, 7)["emergency_protection"] == expected


# List 8


def care(
    con: duckdb.DuckDBPyConnection, name: str, start: date, end: date | None, **values: Any
) -> None:
    facts(con, "care_episodes", name, start_date=start, end_date=end, **values)


def test_episodes_that_follow_on_one_day_are_one_period_and_a_gap_begins_another(
    con: duckdb.DuckDBPyConnection,
) -> None:
    care(con, "whole", LONG_AGO, FIRST, placement_id="A")
    care(con, "whole", FIRST, None, placement_id="B")
    care(con, "parted", LONG_AGO, FIRST, placement_id="A")
    care(con, "parted", date(2025, 8, 29), None, placement_id="A")
    rows = {row["child_unique_id"]: row for row in filled(con, 8)}
    assert rows["whole"]["care_start_date"] == LONG_AGO
    assert (rows["whole"]["second_period"], rows["whole"]["placement_count"]) == ("b) No", 2)
    assert rows["whole"]["placement_start_date"] == FIRST
    assert rows["parted"]["care_start_date"] == date(2025, 8, 29)
    assert rows["parted"]["second_period"] == "a) Yes"


def test_the_placement_of_the_last_episode_has_its_type_and_postcode(
    con: duckdb.DuckDBPyConnection,
) -> None:
    care(con, "ada", LONG_AGO, FIRST, placement_id="A")
    care(con, "ada", FIRST, None, placement_id="B")
    care(con, "ben", FIRST, None, placement_id="C")  # the drop does not tell of C
    for key, kind in (("A", "K2"), ("B", "u4 ")):
        told = {"start_date": FIRST, "placement_type_code": kind, "postcode": f"XG1 1A{key}"}
        facts(con, "placements", "ada", placement_id=key, **told)
    ada, ben = filled(con, 8)
    assert ada["placement_type"] == "d) U4: Foster placement - long term"
    assert ada["placement_postcode"] == "XG1 1AB"
    assert (ben["placement_type"], ben["placement_postcode"]) == (None, None)
    assert ben["placement_start_date"] == FIRST


@pytest.mark.parametrize(
    ("ended", "expected"),
    [(None, "a) Yes"), (date(2025, 2, 28), "a) Yes"), (date(2025, 2, 27), "b) No")],
)
def test_an_unaccompanied_child_is_so_where_a_status_of_the_year_says_it(
    con: duckdb.DuckDBPyConnection, ended: date | None, expected: str
) -> None:
    care(con, "ada", LONG_AGO, None)
    assert the_row(con, 8)["asylum_seeker"] is None  # the drop tells of no status at all
    status = {"immigration_status": "uasc", "start_date": LONG_AGO, "end_date": ended}
    facts(con, "immigration_statuses", "ada", **status)
    assert the_row(con, 8)["asylum_seeker"] == expected


@pytest.mark.parametrize(
    ("ended", "expected"), [(date(2025, 2, 28), "a) Yes"), (date(2025, 2, 27), "b) No")]
)
def test_a_period_counts_as_second_while_the_first_touches_the_twelve_months(
    con: duckdb.DuckDBPyConnection, ended: date, expected: str
) -> None:
    care(con, "ada", LONG_AGO, ended)
    care(con, "ada", FIRST, None)
    assert the_row(con, 8)["second_period"] == expected


def test_why_care_ceased_and_the_legal_status_of_its_last_day_are_told(
    con: duckdb.DuckDBPyConnection,
) -> None:
    care(con, "ada", LONG_AGO, ON, end_reason_code="E4A", primary_need_code="N1")
    status = {"start_date": LONG_AGO, "end_date": date(2025, 5, 1)}
    facts(con, "legal_statuses", "ada", legal_status_code="C1", **status)
    facts(
        con,
        "legal_statuses",
        "ada",
        legal_status_code="C2",
        start_date=date(2025, 5, 1),
        end_date=ON,
    )
    row = the_row(con, 8)
    assert (row["care_end_date"], row["legal_status"]) == (ON, "C2: FCO")
    assert row["care_end_reason"].startswith("e) E4A: Returned home")
    assert row["legal_status_start_date"] == date(2025, 5, 1)


def test_a_series_of_short_breaks_is_no_care(con: duckdb.DuckDBPyConnection) -> None:
    care(con, "ada", LONG_AGO, None)
    facts(con, "legal_statuses", "ada", legal_status_code="V4", start_date=LONG_AGO)
    referral(con, "ada", LONG_AGO)
    assert listed(con, 8) == []
    assert the_row(con, 6)["case_status"] == "c) Child in need plan"


def test_absences_of_twelve_months_are_counted_by_kind_and_the_last_interview_told(
    con: duckdb.DuckDBPyConnection,
) -> None:
    care(con, "ada", LONG_AGO, None)
    told = [
        (date(2025, 2, 27), "M", "Y", "Y"),
        (date(2025, 2, 28), "Missing", "Y", "Y"),
        (date(2025, 12, 1), "M", "Y", "N"),
        (date(2026, 1, 1), "A", "NA", "NA"),
        (AFTER, "M", "N", "N"),
    ]
    for day, kind, offered, accepted in told:
        facts(
            con,
            "missing_episodes",
            "ada",
            start_date=day,
            episode_type=kind,
            return_interview_offered=offered,
            return_interview_accepted=accepted,
        )
    row = the_row(con, 8)
    assert (row["missing_count"], row["absent_count"]) == (2, 1)
    assert (row["return_interview_offered"], row["return_interview_accepted"]) == (
        "a) Yes",
        "b) No",
    )


# List 9


def looked_after(
    con: duckdb.DuckDBPyConnection, name: str, born: date, start: date, end: date | None
) -> None:
    child(con, name, born)
    care(con, name, start, end)


def test_who_was_looked_after_for_thirteen_weeks_and_past_sixteen_has_leaving_care_services(
    con: duckdb.DuckDBPyConnection,
) -> None:
    born = date(2009, 6, 1)  # 16 on 1 June 2025
    looked_after(con, "eligible", born, ON - timedelta(days=91), None)
    looked_after(con, "a day short", born, ON - timedelta(days=90), None)
    looked_after(con, "relevant", born, date(2024, 1, 1), date(2025, 6, 1))
    looked_after(con, "left before 16", born, date(2024, 1, 1), date(2025, 5, 31))
    looked_after(con, "qualifying", born, date(2025, 6, 1), date(2025, 7, 1))
    looked_after(con, "only before 14", born, date(2015, 1, 1), date(2023, 6, 1))
    looked_after(con, "former", date(2005, 6, 1), date(2020, 1, 1), date(2023, 6, 1))
    looked_after(con, "grown", date(2001, 2, 28), date(2016, 1, 1), date(2019, 2, 28))
    assert {row["child_unique_id"]: row["eligibility"][3:] for row in filled(con, 9)} == {
        "eligible": "Eligible child",
        "relevant": "Relevant child",
        "qualifying": "Qualifying care leaver",
        "former": "Former relevant child",
    }


def test_a_care_leaver_has_the_last_contact_and_home_that_the_drop_tells_of(
    con: duckdb.DuckDBPyConnection,
) -> None:
    looked_after(con, "ada", date(2007, 1, 1), LONG_AGO, date(2025, 1, 1))
    for day, home in ((FIRST, "K"), (ON, "u"), (AFTER, "X")):
        facts(con, "care_leavers", "ada", contact_date=day, accommodation_code=home)
    (row,) = filled(con, 9)
    assert (row["contact_date"], row["accommodation"]) == (ON, "U: Independent living")


def test_list_9_is_of_the_inspection_date_itself(con: duckdb.DuckDBPyConnection) -> None:
    looked_after(con, "ada", date(2010, 2, 28), date(2025, 1, 1), None)  # 16 on the date
    assert listed(con, 9) == ["ada"]
    assert listed(con, 9, ON - timedelta(days=1)) == []


# List 10


@pytest.mark.parametrize(
    ("ended", "reason", "expected"),
    [
        (date(2025, 2, 28), "E11", ["ada"]),
        (date(2025, 2, 27), "E11", []),
        (ON, "E12", ["ada"]),
        (AFTER, "E12", []),
        (ON, "E4A", []),
    ],
)
def test_a_child_adopted_in_the_twelve_months_is_listed(
    con: duckdb.DuckDBPyConnection, ended: date, reason: str, expected: list[str]
) -> None:
    care(con, "ada", LONG_AGO, ended, end_reason_code=reason)
    assert listed(con, 10) == expected


@pytest.mark.parametrize(
    ("ended", "expected"), [(None, ["ada"]), (date(2025, 2, 28), ["ada"]), (date(2025, 2, 27), [])]
)
def test_a_child_under_a_placement_order_is_listed(
    con: duckdb.DuckDBPyConnection, ended: date | None, expected: list[str]
) -> None:
    care(con, "ada", LONG_AGO, None)
    order = {"legal_status_code": "E1", "start_date": date(2024, 8, 1), "end_date": ended}
    facts(con, "legal_statuses", "ada", **order)
    assert listed(con, 10) == expected
    for row in filled(con, 10):
        assert (row["care_start_date"], row["placement_order_date"]) == (LONG_AGO, date(2024, 8, 1))
        assert row["adoption_order_date"] is None


def test_a_child_in_care_with_a_decision_for_adoption_is_listed_with_what_followed(
    con: duckdb.DuckDBPyConnection,
) -> None:
    for name, ended in (("ada", None), ("ben", date(2025, 1, 1))):
        care(con, name, LONG_AGO, ended)
        facts(
            con, "permanence_steps", name, decision_date=FIRST, matched_date=ON, placed_date=AFTER
        )
    for kind, day in (("U5", date(2025, 3, 1)), ("U4", LONG_AGO)):
        placement = {"placement_id": kind, "placement_type_code": kind, "start_date": day}
        facts(con, "placements", "ada", **placement)
    (row,) = filled(con, 10)
    assert row["child_unique_id"] == "ada"
    assert (row["decision_date"], row["matching_date"], row["placed_date"]) == (FIRST, ON, None)
    assert row["fostering_for_adoption_date"] == date(2025, 3, 1)


# List 11


def test_nobody_is_on_list_11_because_no_feed_tells_of_adopters(
    con: duckdb.DuckDBPyConnection,
) -> None:
    assert filled(con, 11) == []
