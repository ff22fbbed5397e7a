"""What the marts say of the hand-written partnership: each person of it stands for one rule."""

from __future__ import annotations

from datetime import date

import pytest

from ffp_data.calendar import add_working_days
from tests.dbt_project.conftest import Marts
from tests.dbt_project.warehouse import failures

pytestmark = pytest.mark.slow


def test_the_project_builds_and_every_data_test_passes(marts: Marts) -> None:
    assert marts.failures == []


def test_every_unit_test_of_a_model_passes(marts: Marts) -> None:
    result = marts.warehouse.dbt("test", "--select", "test_type:unit")
    assert failures(result) == []
    ran = getattr(result.result, "results", [])
    assert len(ran) > 50, "a selection that finds nothing proves nothing"


def test_children_are_the_young_the_unborn_and_those_with_an_open_case(marts: Marts) -> None:
    found = {row[0] for row in marts.rows("SELECT child_id FROM single_view.children")}
    assert found == {"ada", "bea", "cid", "dot", "eve", "fay", "gus", "hal"}


def test_a_child_carries_the_name_of_the_case_system_and_keeps_the_other(marts: Marts) -> None:
    (row,) = marts.rows(
        "SELECT surname, name_source, former_surnames, upn, upn_source, ethnicity_code, "
        "la_child_id, record_count, feed_count, is_open_to "
        "FROM single_view.children WHERE child_id = 'ada'"
    )
    assert row == (
        "Vale",
        "case_system",
        ["Dale"],
        "A001000000001",
        "education_attendance",
        "WBRI",  # "not yet obtained" on the other record yields
        "10001",
        3,
        2,
        ["child_in_need", "child_protection"],
    )


@pytest.mark.control("B08")
def test_nothing_places_a_child_of_whom_one_record_is_restricted(marts: Marts) -> None:
    (row,) = marts.rows(
        "SELECT is_restricted, postcode, address_line, school_urn FROM single_view.children "
        "WHERE child_id = 'cid'"
    )
    assert row == (True, None, None, None)
    (school,) = marts.rows(
        "SELECT state, team, is_contact_withheld FROM single_view.involvements "
        "WHERE child_id = 'cid' AND service = 'education'"
    )
    assert school == ("current", None, True)
    assert marts.rows(
        "SELECT summary FROM single_view.chronology WHERE child_id = 'cid' AND source LIKE 'edu%'"
    ) == [("Joined a school",)]


def test_a_feed_without_agreement_leaves_no_value_anywhere(marts: Marts) -> None:
    assert marts.rows(
        "SELECT state, record_key, since FROM single_view.involvements "
        "WHERE child_id = 'bea' AND service = 'hospital'"
    ) == [("not_shared", None, None)]
    assert marts.value("SELECT count(nhs_number) FROM single_view.children") == 0
    assert marts.value("SELECT record_count FROM single_view.children WHERE child_id = 'bea'") == 1
    assert (
        marts.value("SELECT count(*) FROM single_view.chronology WHERE source = 'health_csv'") == 0
    )


@pytest.mark.parametrize(
    ("child_id", "service", "state"),
    [
        ("ada", "social_care", "current"),
        ("fay", "social_care", "historic"),
        ("eve", "early_help", "current"),
        ("bea", "early_help", "no_record_found"),
        ("dot", "education", "not_covered"),  # unborn
        ("eve", "police", "late"),
        ("bea", "probation", "current"),  # through her mother
        ("eve", "probation", "not_shared"),  # her father's record is of limited access
        ("gus", "probation", "not_covered"),  # no adult of his family is known
        ("fay", "prison", "current"),  # her father named her
        ("eve", "prison", "not_shared"),  # what probation withholds the prison does not tell
        ("bea", "prison", "no_record_found"),  # her mother is held elsewhere
    ],
)
def test_every_silence_has_a_state(marts: Marts, child_id: str, service: str, state: str) -> None:
    found = marts.value(
        "SELECT state FROM single_view.involvements "
        f"WHERE child_id = '{child_id}' AND service = '{service}'"
    )
    assert found == state


def test_a_worker_is_named_with_a_telephone_where_the_feed_gives_one(marts: Marts) -> None:
    assert marts.rows(
        "SELECT contact_name, contact_phone, since FROM single_view.involvements "
        "WHERE child_id = 'eve' AND service = 'early_help'"
    ) == [("Kim Lacey", "01632 960001", date(2025, 10, 6))]


def test_flags_are_raised_for_these_children_and_no_others(marts: Marts) -> None:
    assert set(marts.rows("SELECT child_id, flag FROM single_view.flags")) == {
        ("ada", "child_protection_plan_open"),
        ("bea", "severely_absent_without_social_worker"),  # Ada has a social worker
        ("bea", "parent_in_custody"),  # Eve's father is of limited access
        ("fay", "parent_in_custody"),
        ("hal", "assessment_overdue"),  # 46 working days; Dot's 45 are in time
    }


def test_a_flag_shows_the_facts_it_rests_on_and_never_an_offence(marts: Marts) -> None:
    facts = dict(marts.rows("SELECT flag, facts FROM single_view.flags WHERE child_id = 'bea'"))
    assert facts == {
        "severely_absent_without_social_worker": "absent 20 of 40 possible sessions up to 2025-09-20",
        "parent_in_custody": "mother in custody, release expected 2026-08-01",
    }


def test_a_parent_whom_only_the_prison_knows_is_told_with_the_prison_as_source(
    marts: Marts,
) -> None:
    assert marts.rows(
        "SELECT since, facts, source FROM single_view.flags WHERE child_id = 'fay'"
    ) == [(date(2025, 10, 20), "parent in custody, release expected 2026-09-01", "prison")]


def test_every_event_leads_to_the_delivered_line(marts: Marts) -> None:
    assert (
        marts.value(
            "SELECT count(*) FROM single_view.chronology WHERE delivery_id IS NULL OR line IS NULL"
        )
        == 0
    )
    # Entered on both of Ada's records, told once.
    assert (
        marts.value(
            "SELECT count(*) FROM single_view.chronology "
            "WHERE child_id = 'ada' AND event_type = 'referral'"
        )
        == 1
    )


def test_family_members_say_who_says_so(marts: Marts) -> None:
    found = marts.rows(
        "SELECT child_id, related_child_id, relationship, source, lives_with "
        "FROM single_view.family_members ORDER BY ALL"
    )
    assert found == [
        ("ada", "dot", "child of the family", "case_system", True),
        ("bea", "mother", "mother", "education_attendance", None),
        ("dot", "ada", "child of the family", "case_system", True),
        ("eve", "father", "father", "early_help", None),  # not that the prison says so too
        ("fay", "prisoner", "parent", "prison", None),
    ]


def test_the_census_holds_the_cases_of_the_year(marts: Marts) -> None:
    assert marts.rows(
        "SELECT child_key, la_child_id, upn, upn_unknown, sex, ethnicity, "
        "expected_person_birth_date FROM returns.cin_children ORDER BY child_key"
    ) == [
        ("ada", "10001", "A001000000001", None, "F", "WBRI", None),
        ("dot", "30001", None, None, "U", None, date(2026, 6, 1)),
        ("gus", "50001", None, None, "U", None, None),
        ("hal", "60001", None, None, "U", None, None),
    ]


def test_an_enquiry_carries_the_fifteenth_working_day_as_target(marts: Marts) -> None:
    ((start, target, held, not_required),) = marts.rows(
        "SELECT s47_actual_start_date, initial_cpc_target, date_of_initial_cpc, icpc_not_required "
        "FROM returns.cin_section47"
    )
    assert (start, held, not_required) == (date(2025, 12, 24), date(2026, 1, 15), "0")
    assert target == date(2026, 1, 19)  # over Christmas, Boxing Day and New Year


@pytest.mark.parametrize(
    ("start", "limit", "due"),
    [  # DfE counts the day after the start as day 1; vectors worked by hand with the holidays of 2026
        (date(2026, 4, 1), 45, date(2026, 6, 9)),
        (date(2026, 4, 1), 15, date(2026, 4, 24)),
        (date(2026, 3, 28), 15, date(2026, 4, 21)),  # a Saturday
        (date(2026, 4, 3), 1, date(2026, 4, 7)),  # Good Friday
        (date(2026, 12, 24), 10, date(2027, 1, 12)),
        (date(2026, 5, 1), 45, date(2026, 7, 7)),
    ],
)
def test_the_calendar_of_dbt_counts_as_the_hub_does(
    marts: Marts, start: date, limit: int, due: date
) -> None:
    found = marts.value(
        "SELECT due.calendar_date FROM intermediate.int_calendar__days AS start "
        "JOIN intermediate.int_calendar__days AS due ON due.is_working_day "
        f"AND due.working_day_number = start.working_day_number + {limit} "
        f"WHERE start.calendar_date = '{start}'"
    )
    assert found == due == add_working_days(start, limit)


def test_a_transfer_in_stands_on_the_episode_and_a_conference_of_ours_on_the_enquiry(
    marts: Marts,
) -> None:
    assert marts.rows(
        "SELECT child_key, date_of_initial_cpc FROM returns.cin_details ORDER BY child_key"
    ) == [("ada", None), ("dot", None), ("gus", date(2025, 9, 10)), ("hal", None)]


def test_factors_come_from_finished_assessments_in_both_shapes(marts: Marts) -> None:
    assert marts.rows(
        "SELECT child_key, assessment_factor FROM returns.cin_assessment_factors ORDER BY ALL"
    ) == [("ada", "16A"), ("ada", "3A")]


def test_plan_and_review_of_either_record_meet(marts: Marts) -> None:
    assert marts.rows(
        "SELECT cpp_key, cpp_start_date, cpp_end_date, number_of_previous_cpp "
        "FROM returns.cin_protection_plans"
    ) == [("ada-1-P1", date(2026, 1, 15), None, 0)]
    assert marts.rows("SELECT cpp_key, cpp_review_date FROM returns.cin_reviews") == [
        ("ada-1-P1", date(2026, 3, 20))
    ]


def test_early_help_is_returned_under_the_number_of_its_own_system(marts: Marts) -> None:
    assert marts.rows("SELECT child_key, la_child_id, family_id FROM returns.tehadc_children") == [
        ("eve", "EH501", "EF1")
    ]


@pytest.mark.control("A02")
def test_what_the_nhs_said_never_reaches_a_return(marts: Marts) -> None:
    feeds = marts.rows(
        "SELECT DISTINCT feed FROM intermediate.int_persons__records WHERE is_for_returns ORDER BY 1"
    )
    assert feeds == [("case_system",), ("early_help",), ("education_attendance",)]
