"""Which children the flow is about, what it says of them, and what it makes of a change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from ffp_data.returns.dataflow import state
from ffp_data.returns.dataflow.build import build_payloads, fill_relations
from ffp_data.returns.dataflow.state import NotPendingError, TooManyPurgedError
from ffp_data.returns.layout import LayoutError
from tests.returns.dataflow_warehouse import AS_AT, LAYOUT, Council, council, in_drop, relation


@pytest.fixture
def hub() -> Iterator[Council]:
    with council() as made:
        yield made


def a_case(hub: Council, number: str = "1001", **about: Any) -> str:
    """A child with one of everything; returns its record key."""
    key = hub.child(number, ethnicity_code="WBRI", **about)
    of = {"record_key": key, "referral_id": hub.referral(number, f"R{number}")}
    child = f"child-{number}"
    hub.add("intermediate.int_census__disabilities", child_id=child, disability_code="VIS")
    hub.add("intermediate.int_census__disabilities", child_id=child, disability_code="HAND")
    assessment, enquiry = in_drop(f"A{number}"), in_drop(f"S{number}")
    hub.add(
        "assessments",
        **of,
        assessment_id=assessment,
        start_date="2025-05-02",
        authorisation_date="2025-06-01",
    )
    hub.add("assessment_factors", assessment_id=assessment, factors_json='["4A", "1C"]')
    hub.add(
        "need_plans",
        **of,
        plan_id=in_drop(f"N{number}"),
        start_date="2025-06-02",
        end_date="2025-07-01",
    )
    hub.add(
        "enquiries",
        **of,
        enquiry_id=enquiry,
        start_date="2025-06-20",
        end_date="2025-06-28",
        outcome_json='{"CP_CONFERENCE_FLAG": "Y"}',
    )
    hub.add("conferences", record_key=key, enquiry_id=enquiry, conference_date="2025-07-01")
    hub.add("protection_plans", **of, plan_id=in_drop(f"P{number}"), start_date="2025-07-01")
    worker = in_drop(f"W{number}")
    hub.add("professionals", professional_id=worker, registration_number="SW123456")
    hub.add(
        "worker_involvements",
        **of,
        involvement_id=in_drop(f"I{number}"),
        professional_id=worker,
        role_code="Allocated Case Worker",
        start_date="2025-05-01",
    )
    return key


EPISODE = {
    "social_care_episode_id": "R1001",
    "referral_date": "2025-05-01",
    "referral_source": "1A",
    "referral_no_further_action_flag": False,
    "purge": False,
    "child_and_family_assessments": [
        {
            "child_and_family_assessment_id": "A1001",
            "start_date": "2025-05-02",
            "authorisation_date": "2025-06-01",
            "factors": ["1C", "4A"],
            "purge": False,
        }
    ],
    "child_in_need_plans": [
        {
            "child_in_need_plan_id": "N1001",
            "start_date": "2025-06-02",
            "end_date": "2025-07-01",
            "purge": False,
        }
    ],
    "section_47_assessments": [
        {
            "section_47_assessment_id": "S1001",
            "start_date": "2025-06-20",
            "icpc_required_flag": True,
            "icpc_date": "2025-07-01",
            "end_date": "2025-06-28",
            "purge": False,
        }
    ],
    "child_protection_plans": [
        {"child_protection_plan_id": "P1001", "start_date": "2025-07-01", "purge": False}
    ],
}
DETAILS = {
    "unique_pupil_number": "A001000000001",
    "first_name": "Zoë",
    "surname": "O'Brien",
    "date_of_birth": "2015-06-01",
    "sex": "F",
    "ethnicity": "WBRI",
    "postcode": "XF1 2AB",
    "disabilities": ["HAND", "VIS"],
    "purge": False,
}
WORKER = {"care_worker_details": [{"worker_id": "SW123456", "start_date": "2025-05-01"}]}


def test_a_payload_says_everything_once_and_nothing_empty(hub: Council) -> None:
    a_case(hub)
    assert hub.build() == []
    assert hub.payloads() == {
        "1001": {
            "la_child_id": "1001",
            "mis_child_id": "1001",
            "purge": False,
            "child_details": DETAILS,
            "social_care_episodes": [EPISODE],
        }
    }
    # on 31 March somebody holds the case
    hub.build(date(2026, 3, 31))
    assert hub.payloads()["1001"]["social_care_episodes"] == [{**EPISODE, **WORKER}]


def looked_after(hub: Council, key: str) -> None:
    """Two placements in one period of care, each told by an episode of care, and what comes with them."""
    of = {"record_key": key, "care_period_id": in_drop("C1")}
    for number, placed, left, began, ended, kind, changed in (
        ("1", "2025-08-01", "2025-09-30", "S", "X1", "U1", "CARPL"),
        ("2", "2025-09-30", None, "P", None, "K2", None),
    ):
        hub.add(
            "placements",
            **of,
            placement_id=in_drop(f"L{number}"),
            start_date=placed,
            end_date=left,
            placement_type_code=kind,
            postcode="XG1 1AA",
            change_reason_code=changed,
        )
        hub.add(
            "care_episodes",
            **of,
            episode_id=in_drop(f"E{number}"),
            placement_id=in_drop(f"L{number}"),
            referral_id=in_drop("R1001"),
            start_date=placed,
            end_date=left,
            start_reason_code=began,
            end_reason_code=ended,
        )


PLACEMENTS = [
    {
        "child_looked_after_placement_id": "L1",
        "start_date": "2025-08-01",
        "start_reason": "S",
        "placement_type": "U1",
        "postcode": "XG1 1AA",
        "end_date": "2025-09-30",
        "end_reason": "X1",
        "change_reason": "CARPL",
        "purge": False,
    },
    {
        "child_looked_after_placement_id": "L2",
        "start_date": "2025-09-30",
        "start_reason": "P",
        "placement_type": "K2",
        "postcode": "XG1 1AA",
        "purge": False,
    },
]


def test_a_looked_after_child_has_placements_with_the_reasons_of_its_episodes(hub: Council) -> None:
    looked_after(hub, a_case(hub))
    assert hub.build() == []
    (episode,) = hub.payloads()["1001"]["social_care_episodes"]
    assert episode == {**EPISODE, "child_looked_after_placements": PLACEMENTS}
    hub.build(date(2025, 9, 29))  # it goes on, and nobody knows yet why it will end
    (episode,) = hub.payloads()["1001"]["social_care_episodes"]
    ongoing = {k: v for k, v in PLACEMENTS[0].items() if not k.startswith(("end", "change"))}
    assert episode["child_looked_after_placements"] == [ongoing]


def test_where_episodes_of_care_name_no_placement_their_period_tells_the_reasons(
    hub: Council,
) -> None:
    looked_after(hub, a_case(hub))
    hub.con.execute("DELETE FROM staging.stg_case_system__placements WHERE end_date IS NULL")
    hub.change("care_episodes", "placement_id = NULL")
    hub.build()
    (episode,) = hub.payloads()["1001"]["social_care_episodes"]
    assert episode["child_looked_after_placements"] == PLACEMENTS[:1]


def test_scores_adoption_leaving_care_and_asylum_are_told_where_they_are_known(
    hub: Council,
) -> None:
    key = a_case(hub)
    hub.referral(episode="R0", referral_date="2024-05-01", closure_date="2024-06-01")
    for day, score in (("2025-08-01", 20), ("2023-03-31", 9), ("2024-08-01", 7), ("2026-04-01", 1)):
        hub.add("strengths_scores", record_key=key, completed_date=day, score=score)
    hub.add("permanence_steps", record_key=key, decision_date="2023-01-05")
    hub.add(
        "permanence_steps",
        record_key=key,
        decision_date="2025-01-05",
        matched_date="2025-09-01",
        placed_date="2026-06-01",
    )
    for day, activity in (("2025-10-01", "F2"), ("2025-12-01", "G4")):
        hub.add(
            "care_leavers",
            record_key=key,
            contact_date=day,
            activity_code=activity,
            accommodation_code="B",
        )
    hub.add(
        "immigration_statuses",
        record_key=key,
        immigration_status="Unaccompanied Asylum Seeking Child",
        start_date="2024-01-01",
        end_date="2025-12-31",
    )
    other = hub.child("1002")
    hub.referral("1002", "R1002")
    hub.add("immigration_statuses", record_key=other, immigration_status="Refugee Status")
    assert hub.build() == []
    found = hub.payloads()
    assert found["1001"]["health_and_wellbeing"] == {
        "sdq_assessments": [
            {"date": "2024-08-01", "score": 7},
            {"date": "2025-08-01", "score": 20},
        ],
        "purge": False,
    }
    older, newest = found["1001"]["social_care_episodes"]
    assert older.keys().isdisjoint({"adoption", "care_leavers"})
    assert newest["adoption"] == {
        "initial_decision_date": "2025-01-05",
        "matched_date": "2025-09-01",
        "purge": False,
    }
    assert newest["care_leavers"] == {
        "contact_date": "2025-12-01",
        "activity": "G4",
        "accommodation": "B",
        "purge": False,
    }
    asylum = {number: each["child_details"] for number, each in found.items()}
    assert (asylum["1001"]["uasc_flag"], asylum["1001"]["uasc_end_date"]) == (True, "2025-12-31")
    assert (asylum["1002"]["uasc_flag"], "uasc_end_date" in asylum["1002"]) == (False, False)


def test_what_happens_after_the_day_is_not_told(hub: Council) -> None:
    a_case(hub)
    hub.build(date(2025, 6, 25))
    (episode,) = hub.payloads()["1001"]["social_care_episodes"]
    assert episode["section_47_assessments"] == [
        {
            "section_47_assessment_id": "S1001",
            "start_date": "2025-06-20",
            "icpc_required_flag": True,
            "purge": False,
        }
    ]
    assert "child_protection_plans" not in episode
    assert "end_date" not in episode["child_in_need_plans"][0]


COHORT: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "closed on the first day of the window": ({}, {"closure_date": "2023-04-01"}, True),
    "closed the day before it": ({}, {"closure_date": "2023-03-31"}, False),
    "referred on the day": ({}, {"referral_date": "2026-03-30"}, True),
    "referred the day after": ({}, {"referral_date": "2026-03-31"}, False),
    "26 the day after the window began": ({"date_of_birth": "1997-04-02"}, {}, True),
    "26 when it began": ({"date_of_birth": "1997-04-01"}, {}, False),
    "unborn": ({"date_of_birth": None, "expected_birth_date": "2026-06-01"}, {}, True),
    "unborn for ever": ({"date_of_birth": None, "expected_birth_date": "2023-03-31"}, {}, False),
    "of unknown age": ({"date_of_birth": None}, {}, False),
}


def test_the_flow_is_about_those_in_work_with_social_care_in_its_window(hub: Council) -> None:
    for number, (child, referral, _) in enumerate(COHORT.values(), start=1001):
        hub.child(str(number), **child)
        hub.referral(str(number), f"R{number}", **{"referral_date": "2022-05-01", **referral})
    hub.build()
    found = hub.payloads()
    told = {case: str(number) in found for number, case in enumerate(COHORT, start=1001)}
    assert told == {case: is_in for case, (_, _, is_in) in COHORT.items()}


def test_a_plan_or_care_without_a_referral_of_the_window_is_enough(hub: Council) -> None:
    for number, (table, name) in enumerate(
        [("need_plans", "plan_id"), ("care_episodes", "episode_id")], start=1001
    ):
        key = hub.child(str(number))
        hub.add(table, record_key=key, start_date="2022-01-01", **{name: in_drop("1")})
    hub.build()
    assert sorted(hub.payloads()) == ["1001", "1002"]


def test_a_child_who_must_not_be_located_is_sent_without_postcode(hub: Council) -> None:
    looked_after(hub, a_case(hub, is_restricted=True))
    hub.build()
    assert hub.payloads()["1001"]["social_care_episodes"][0]["child_looked_after_placements"]
    assert "postcode" not in str(hub.payloads())


def test_an_unborn_child_has_an_expected_date_and_no_sex(hub: Council) -> None:
    hub.child(
        date_of_birth="2026-04-10", expected_birth_date=None, upn=None, upn_unknown_code="UN3"
    )
    hub.referral()
    hub.build()
    details = hub.payloads()["1001"]["child_details"]
    assert details["expected_date_of_birth"] == "2026-04-10"
    assert (details["sex"], "date_of_birth" in details) == ("U", False)
    assert details["unique_pupil_number_unknown_reason"] == "UN3"
    assert details["disabilities"] == ["NONE"]


def test_an_event_without_a_known_referral_goes_to_the_episode_of_its_day(hub: Council) -> None:
    key = hub.child()
    hub.referral(episode="R1", referral_date="2025-05-01", closure_date="2025-06-30")
    hub.referral(episode="R2", referral_date="2025-08-01")
    for number, day in (("N1", "2025-06-30"), ("N2", "2025-07-15"), ("N3", "2025-08-01")):
        hub.add(
            "need_plans",
            record_key=key,
            plan_id=in_drop(number),
            referral_id=in_drop("gone"),
            start_date=day,
        )
    hub.build()
    assert {
        episode["social_care_episode_id"]: [
            plan["child_in_need_plan_id"] for plan in episode["child_in_need_plans"]
        ]
        for episode in hub.payloads()["1001"]["social_care_episodes"]
    } == {"R1": ["N1"], "R2": ["N3"]}


def test_what_stands_on_two_records_of_a_child_is_told_once(hub: Council) -> None:
    key = a_case(hub)
    hub.referral(episode="R9", canonical_referral_id=in_drop("R1001"))
    hub.add(
        "need_plans",
        record_key=key,
        plan_id=in_drop("N9999"),
        referral_id=in_drop("R9"),
        start_date="2025-06-02",
        end_date="2025-07-01",
    )
    hub.build()
    assert hub.payloads()["1001"]["social_care_episodes"] == [EPISODE]


# What becomes of a change

CORRECTIONS = {
    "UPN": ("intermediate.int_census__particulars", "upn = 'A001000000002'"),
    "former UPN": ("intermediate.int_census__particulars", "former_upn = 'A001000000003'"),
    "a factor": ("assessment_factors", 'factors_json = \'{"1C": "Yes", "4A": "No"}\''),
    "reason of closure": ("intermediate.int_census__referrals", "closure_reason_code = 'RC8'"),
    "conference flag": ("enquiries", 'outcome_json = \'{"CP_CONFERENCE_FLAG": "N"}\''),
    "day of a plan": ("protection_plans", "start_date = '2025-07-02'"),
    "postcode gone": ("intermediate.int_persons__records", "postcode = NULL"),
}


def test_every_correction_is_sent_and_nothing_else_is(hub: Council) -> None:
    untouched = "1001"
    cases = {str(number): case for number, case in enumerate(CORRECTIONS, start=1002)}
    for number in (untouched, *cases):
        a_case(hub, number)
    hub.build()
    hub.take()
    hub.build()
    assert set(hub.states().values()) == {("Unchanged", "Sent")}
    for number, case in cases.items():
        table, change = CORRECTIONS[case]
        hub.change(table, change, where_of(table, number))
    hub.build()
    assert hub.states() == {
        untouched: ("Unchanged", "Sent"),
        **dict.fromkeys(cases, ("Updated", "Pending")),
    }


def where_of(table: str, number: str) -> str:
    """The rows of one child's case."""
    if table == "professionals":
        return f"professional_id = '{in_drop(f'W{number}')}'"
    if table == "assessment_factors":
        return f"assessment_id = '{in_drop(f'A{number}')}'"
    if table == "intermediate.int_persons__records" or "." not in table:
        return f"record_key = 'case_system|systemc|{number}'"
    return f"child_id = 'child-{number}'"


def test_a_correction_carries_what_changed_and_no_more(hub: Council) -> None:
    a_case(hub)
    hub.build()
    hub.take()
    hub.change(*CORRECTIONS["a factor"])
    hub.build()
    message = hub.pending()["1001"]
    assert message["social_care_episodes"] == [
        {
            "social_care_episode_id": "R1001",
            "purge": False,
            "child_and_family_assessments": [
                {"child_and_family_assessment_id": "A1001", "purge": False, "factors": ["1C"]}
            ],
        }
    ]


def test_a_form_that_gets_a_new_number_every_night_is_sent_once(hub: Council) -> None:
    a_case(hub)
    hub.build()
    hub.take()
    for night in ("51", "52"):
        hub.change("enquiries", f"enquiry_id = '{in_drop(night)}'")
        hub.change("conferences", f"enquiry_id = '{in_drop(night)}'")
        hub.build()
        assert hub.states() == {"1001": ("Unchanged", "Sent")}
    hub.change("enquiries", "end_date = '2025-06-29'")
    hub.build()
    (episode,) = hub.pending()["1001"]["social_care_episodes"]
    assert episode["section_47_assessments"] == [
        {"section_47_assessment_id": "S1001", "purge": False, "end_date": "2025-06-29"}
    ]


def test_a_child_who_left_is_purged_and_may_come_back(hub: Council) -> None:
    for number in ("1001", "1002"):
        a_case(hub, number)
    hub.build()
    hub.take()
    hub.forget("1002")
    hub.build(allow_purges=True)
    assert hub.states() == {"1001": ("Unchanged", "Sent"), "1002": ("Deleted", "Pending")}
    assert hub.pending() == {"1002": {"la_child_id": "1002", "mis_child_id": "1002", "purge": True}}
    hub.take()
    hub.build()
    assert list(hub.states()) == ["1001"]
    hub.add(
        "intermediate.int_persons__case_numbers",
        child_id="child-1002",
        la_child_id="1002",
        la_child_record_key="case_system|systemc|1002",
    )
    hub.build()
    assert hub.states()["1002"] == ("New", "Pending")


def test_a_child_who_left_before_anything_was_sent_is_forgotten(hub: Council) -> None:
    a_case(hub)
    hub.build()
    hub.forget("1001")
    hub.build()
    assert hub.states() == {}


def test_a_drop_that_lost_its_children_purges_nobody_until_somebody_has_looked(
    hub: Council,
) -> None:
    for number in range(1001, 1012):
        a_case(hub, str(number))
    hub.build()
    hub.take()
    before = hub.con.execute(f"SELECT * FROM {state.SUBMISSIONS} ORDER BY ALL").fetchall()
    hub.forget("1001")
    hub.forget("1002")
    with pytest.raises(TooManyPurgedError, match="2 of the 11 children"):
        hub.build()
    assert hub.con.execute(f"SELECT * FROM {state.SUBMISSIONS} ORDER BY ALL").fetchall() == before
    hub.build(allow_purges=True)
    assert sorted(hub.pending()) == ["1001", "1002"]


FAULTS = {
    "factors": ("assessment_factors", "factors_json = '[\"1C\"'", "no_json"),
    "icpc_required_flag": ("enquiries", 'outcome_json = \'{"A": "B" C"}\'', "no_json"),
    "child_details.unique_pupil_number": (
        "intermediate.int_census__particulars",
        "upn = 'A1'",
        "form",
    ),
    "child_details.ethnicity": (
        "intermediate.int_census__particulars",
        "ethnicity_code = 'WBRI1'",
        "too_long",
    ),
    "child_details.sex": ("intermediate.int_census__particulars", "sex = '1'", "code"),
    "care_worker_details.worker_id": ("professionals", "registration_number = 'SW 1'", "form"),
    "child_in_need_plans.child_in_need_plan_id": (
        "need_plans",
        f"plan_id = '{in_drop('N#1')}'",
        "form",
    ),
}


def test_what_dfe_would_refuse_is_told_and_kept_back(hub: Council) -> None:
    cases = {str(number): name for number, name in enumerate(FAULTS, start=1002)}
    for number in ("1001", *cases):
        a_case(hub, number)
    for number, name in cases.items():
        table, change, _ = FAULTS[name]
        hub.change(table, change, where_of(table, number))
    found = hub.build(date(2026, 3, 31))
    assert {each.la_child_id: (each.field, each.rule) for each in found} == {
        number: (name, FAULTS[name][2]) for number, name in cases.items()
    }
    assert len(found) == len(cases)
    assert list(hub.pending()) == ["1001"]
    told = {each["child"]: each["reason"] for each in state.errors(hub.con)}
    assert told == {number: f"{name}: {FAULTS[name][2]}" for number, name in cases.items()}


def test_once_mended_it_goes(hub: Council) -> None:
    a_case(hub)
    hub.change("assessment_factors", "factors_json = '[\"1C\"'")
    hub.build()
    hub.change("assessment_factors", "factors_json = '[\"1C\"]'")
    assert hub.build() == []
    assert hub.states() == {"1001": ("New", "Pending")}


def test_two_events_with_one_number_are_told(hub: Council) -> None:
    key = a_case(hub)
    hub.add(
        "need_plans",
        record_key=key,
        delivery_id="e" * 64,
        plan_id="N1001@" + "e" * 64,
        start_date="2025-09-01",
    )
    assert [each.rule for each in hub.build()] == ["twice"]


# What the agreement gives


def test_a_column_that_is_not_agreed_is_not_in_the_payload(hub: Council) -> None:
    a_case(hub)
    fill_relations(hub.con, LAYOUT, AS_AT)
    kept = {
        ("dataflow.children", "postcode"),
        ("dataflow.disabilities", "disability"),
        ("dataflow.assessment_factors", "factor"),
    }
    build_payloads(hub.con, LAYOUT, set(LAYOUT.columns()) - kept)
    ((payload,),) = hub.con.execute("SELECT payload FROM memory.dataflow.built").fetchall()
    assert "O'Brien" in payload
    assert not any(word in payload for word in ("postcode", "disabilities", "factors"))


def test_without_the_number_of_the_child_there_is_no_payload(hub: Council) -> None:
    a_case(hub)
    fill_relations(hub.con, LAYOUT, AS_AT)
    agreed = set(LAYOUT.columns()) - {("dataflow.children", "la_child_id")}
    with pytest.raises(LayoutError, match=r"does not give dataflow\.children\.la_child_id"):
        build_payloads(hub.con, LAYOUT, agreed)


def test_what_was_recorded_as_sent_is_not_recorded_again(hub: Council) -> None:
    a_case(hub)
    hub.build()
    state.mark_sent(hub.con, "b1", {"1001": "first"})
    with pytest.raises(NotPendingError):
        state.mark_sent(hub.con, "b2", {"1001": "second"})
    assert hub.con.execute(f"SELECT batch, receipt FROM {state.SUBMISSIONS}").fetchall() == [
        ("b1", "first")
    ]


def test_the_same_tables_give_the_same_bytes(hub: Council) -> None:
    for number in ("1002", "1001"):
        a_case(hub, number)
    hub.build()
    first = hub.con.execute("SELECT * FROM memory.dataflow.built ORDER BY ALL").fetchall()
    for table in ("need_plans", "intermediate.int_census__disabilities"):
        name = relation(table)
        hub.con.execute(f"CREATE OR REPLACE TABLE {name} AS FROM {name} ORDER BY ALL DESC")
    hub.build()
    assert hub.con.execute("SELECT * FROM memory.dataflow.built ORDER BY ALL").fetchall() == first
