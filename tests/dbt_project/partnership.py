"""A partnership of a dozen people, written by hand: each is here for one rule.

As at 31 March 2026, census year 2025-26. `tables()` gives the rows of the source tables by name; the
comment beside a person says what the tests expect of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from ffp_data import feeds
from ffp_data.calendar import bank_holidays
from ffp_data.pipeline.reference import service_facts

Row = Mapping[str, Any]
DELIVERY = "0" * 64

FEEDS = {
    "case_system": ("systemc", True),
    "early_help": ("ehm", True),
    "education_attendance": ("mis", True),
    "health_fhir": ("RXF", True),
    "health_csv": ("RXG", False),  # the agreement of the hospital is not in force
    "police_safeguarding": ("51", True),
    "probation": ("ndelius", True),
    "prison": ("nomis", True),
}

# child_id -> (feed, number in the feed, attributes)
PEOPLE: dict[str, list[tuple[str, str, dict[str, Any]]]] = {
    # entered twice in the case system; severely absent, with a social worker
    "ada": [
        ("case_system", "20001", {"surname": "Vale", "date_of_birth": "2012-05-01", "sex": "F"}),
        ("case_system", "10001", {"surname": "Vale", "date_of_birth": "2012-05-01", "sex": "F"}),
        ("education_attendance", "990101:7", {"surname": "Dale", "upn": "A001000000001"}),
    ],
    # severely absent, nobody's case; the hospital knows her too
    "bea": [
        (
            "education_attendance",
            "990101:8",
            {"surname": "Moss", "date_of_birth": "2013-02-02", "postcode": "XF1 2AB"},
        ),
        ("health_csv", "H8", {"surname": "Moss", "nhs_number": "9990000018"}),
    ],
    # in hiding: the trust's record is restricted, the school's is not
    "cid": [
        (
            "education_attendance",
            "990101:9",
            {"surname": "Reed", "date_of_birth": "2014-03-03", "postcode": "XF1 9ZZ"},
        ),
        ("health_fhir", "rxf-9", {"surname": "Reed", "is_restricted": True}),
    ],
    # unborn, in need
    "dot": [("case_system", "30001", {"surname": "Vale", "expected_birth_date": "2026-06-01"})],
    # early help alone
    "eve": [
        ("early_help", "501", {"surname": "Hill", "date_of_birth": "2016-01-01"}),
        ("prison", "A0002AA:1", {"surname": "Hill", "date_of_birth": "2016-01-01"}),
    ],
    # closed on 31 March 2025: not in the census
    "fay": [
        ("case_system", "40001", {"surname": "Lane", "date_of_birth": "2011-01-01"}),
        ("prison", "A0003AA:1", {"surname": "Lane", "date_of_birth": "2011-01-01"}),
    ],
    # moved in under a plan
    "gus": [("case_system", "50001", {"surname": "Pike", "date_of_birth": "2015-01-01"})],
    # 18 on the as-at date and still open
    "hal": [("case_system", "60001", {"surname": "Ford", "date_of_birth": "2008-03-31"})],
    # 18 and not open: no child any more
    "ivy": [
        ("education_attendance", "990101:10", {"surname": "Orr", "date_of_birth": "2008-03-31"})
    ],
    # Bea's mother, in prison; Eve's father, whose record is of limited access
    "mother": [
        ("probation", "X100001", {"surname": "Moss", "date_of_birth": "1985-01-01"}),
        ("case_system", "70001", {"surname": "Moss", "date_of_birth": "1985-01-01"}),
    ],
    "father": [
        ("probation", "X100002", {"surname": "Hill", "is_restricted": True}),
        ("early_help", "502", {"surname": "Hill", "date_of_birth": "1980-01-01"}),
        ("prison", "A0002AA", {"surname": "Hill", "date_of_birth": "1980-01-01"}),
    ],
    # Fay's father, whom only the prison knows: he named her
    "prisoner": [("prison", "A0003AA", {"surname": "Lane", "date_of_birth": "1982-01-01"})],
}


def key(feed: str, number: str) -> str:
    return f"{feed}|{FEEDS[feed][0]}|{number}"


def _row(feed: str, number: str | None, line: int, **values: Any) -> Row:
    own = {"record_key": key(feed, number)} if number else {}
    return {**own, **values, "_delivery_id": DELIVERY, "_line": line}


def _identity() -> dict[str, Sequence[Row]]:
    records: list[Row] = []
    membership: list[Row] = []
    for child_id, sightings in PEOPLE.items():
        for feed, number, attributes in sightings:
            system = FEEDS[feed][0]
            about = {
                "record_key": key(feed, number),
                "feed": feed,
                "system": system,
                "source_person_id": number,
                "role": "child" if feed == "education_attendance" else "unknown",
                "given_name": child_id.title(),
                "is_restricted": False,
                "valid_from": "2026-03-30",
                "delivery_id": DELIVERY,
                "line": len(records) + 2,
            }
            records.append(about | attributes)
            membership.append(
                {
                    "record_key": key(feed, number),
                    "child_id": child_id,
                    "linked_since": "2026-03-30",
                    "link_confidence": 0.99,
                }
            )
    adults = {"mother", "father", "prisoner"}
    children = [
        {"child_id": c, "kind": "adult" if c in adults else "unborn" if c == "dot" else "child"}
        for c in PEOPLE
    ]
    return {
        "identity.person_records": records,
        "identity.child_membership": membership,
        "identity.children": children,
    }


def _meta() -> dict[str, Sequence[Row]]:
    contracts = feeds.load_contracts()
    states = [
        {
            "feed": feed,
            **service_facts(contracts[feed]),
            "agreement_state": "in_force" if in_force else "not_in_force",
            "last_delivered_at": "2026-03-31 03:00:00",
            "promise_late_after_hours": 48,
            "is_late": feed == "police_safeguarding",
            "covered": True,
        }
        for feed, (_, in_force) in FEEDS.items()
    ]
    return {
        "meta.feed_state": states,
        "meta.bank_holidays": [{"date": day} for day in sorted(bank_holidays())],
    }


def _education() -> dict[str, Sequence[Row]]:
    feed = "education_attendance"
    pupils = [
        _row(feed, number, line, school_urn="990101", admission_date="2023-09-01")
        for line, number in enumerate(("990101:7", "990101:8", "990101:9"), start=2)
    ]
    days = [date(2025, 9, 1) + timedelta(days=n) for n in range(20)]
    marks = [
        _row(feed, number, line, session_date=day, session=session, attendance_code=code)
        for number in ("990101:7", "990101:8")
        for line, day in enumerate(days, start=2)
        for session, code in (("AM", "O"), ("PM", "/"))  # half of the sessions: severe
    ]
    return {"raw.education_attendance__pupils": pupils, "raw.education_attendance__marks": marks}


def _case_system() -> dict[str, Sequence[Row]]:
    def referral(number: str, referral_id: str, opened: str, line: int, **more: Any) -> Row:
        return _row(
            "case_system",
            number,
            line,
            cine_referral_id=referral_id,
            cine_referral_date=opened,
            cine_referral_source_code="6",
            cine_cin_primary_need_code="N1",
            **({"cine_referral_nfa": False} | more),
        )

    def of(number: str, line: int, **values: Any) -> Row:
        return _row("case_system", number, line, **values)

    return {
        "raw.case_system__ssd_person": [
            of("10001", 2, pers_ethnicity="NOBT", pers_upn_unknown="UN4"),
            of("20001", 3, pers_ethnicity="WBRI"),
            of("30001", 4),
        ],
        "raw.case_system__ssd_cin_episodes": [
            referral("10001", "R1", "2025-05-06", 2),
            referral("20001", "R9", "2025-05-06", 3),  # the same, entered again
            referral("30001", "R2", "2026-02-02", 4),
            referral(
                "40001",
                "R3",
                "2024-05-01",
                5,
                cine_close_date="2025-03-31",
                cine_close_reason="RC7",
            ),
            referral("50001", "R4", "2025-09-01", 6),
            referral("60001", "R5", "2025-07-01", 7),
        ],
        "raw.case_system__ssd_cin_assessments": [
            of(
                "20001",
                2,
                cina_assessment_id="A1",
                cina_referral_id="R9",
                cina_assessment_start_date="2025-05-07",
                cina_assessment_auth_date="2025-06-20",
            ),
            of(
                "60001",
                3,
                cina_assessment_id="A2",
                cina_referral_id="R5",
                cina_assessment_start_date="2026-01-26",  # 46 working days before 31 March
            ),
            of(
                "30001",
                4,
                cina_assessment_id="A3",
                cina_referral_id="R2",
                cina_assessment_start_date="2026-01-27",  # 45: in time
            ),
        ],
        "raw.case_system__ssd_assessment_factors": [
            _row(
                "case_system",
                None,
                2,
                cinf_assessment_id="A1",
                cinf_assessment_factors_json='{"3A": "Yes", "4B": "No", "16A": "yes"}',
            ),
            _row(
                "case_system",
                None,
                3,
                cinf_assessment_id="A2",
                cinf_assessment_factors_json='["1A"]',
            ),
        ],
        "raw.case_system__ssd_s47_enquiry": [
            of(
                "10001",
                2,
                s47e_s47_enquiry_id="E1",
                s47e_referral_id="R1",
                s47e_s47_start_date="2025-12-24",
                s47e_s47_end_date="2026-01-12",
            )
        ],
        "raw.case_system__ssd_initial_cp_conference": [
            of(
                "10001",
                2,
                icpc_icpc_id="I1",
                icpc_s47_enquiry_id="E1",
                icpc_referral_id="R1",
                icpc_icpc_date="2026-01-15",
            ),
            of(
                "50001",
                3,
                icpc_icpc_id="I2",
                icpc_referral_id="R4",
                icpc_icpc_date="2025-09-10",
                icpc_icpc_transfer_in=True,
            ),
        ],
        "raw.case_system__ssd_cp_plans": [
            of(
                "10001",
                2,
                cppl_cp_plan_id="P1",
                cppl_referral_id="R1",
                cppl_cp_plan_start_date="2026-01-15",
                cppl_cp_plan_initial_category="NEG",
                cppl_cp_plan_latest_category="EMO",
            )
        ],
        "raw.case_system__ssd_cp_reviews": [
            of(
                "10001",
                2,
                cppr_cp_review_id="V1",
                cppr_cp_plan_id="P1",
                cppr_cp_review_date="2026-03-20",
            )
        ],
        "raw.case_system__xt_family_members": [
            of("10001", 2, fam_id="F1", relationship="child", lives_in_home=True),
            of("30001", 3, fam_id="F1", relationship="child", lives_in_home=True),
        ],
    }


def _others() -> dict[str, Sequence[Row]]:
    return {
        "identity.relationships": [
            *(
                {
                    "record_key": key("prison", f"{number}:1"),
                    "related_record_key": key("prison", number),
                    "relationship": "parent",
                    "source": "prison.contacts",
                }
                for number in ("A0002AA", "A0003AA")
            ),
            {
                "record_key": key("education_attendance", "990101:8"),
                "related_record_key": key("case_system", "70001"),
                "relationship": "Mother",
            },
        ],
        "raw.early_help__persons": [
            _row("early_help", "501", 2, eh_family_id="EF1", relationship_in_family="child"),
            _row("early_help", "502", 3, eh_family_id="EF1", relationship_in_family="father"),
        ],
        "raw.early_help__episodes": [
            _row(
                "early_help",
                "501",
                2,
                teh_episode_id="T1",
                eh_family_id="EF1",
                referral_date="2025-10-01",
                referral_source="2A",
                start_date="2025-10-06",
            )
        ],
        "raw.early_help__plans": [
            _row("early_help", "501", 2, plan_id="L1", teh_episode_id="T1", start_date="2025-11-03")
        ],
        "raw.early_help__lead_practitioners": [
            _row(
                "early_help",
                "501",
                2,
                appointment_id="W1",
                teh_episode_id="T1",
                practitioner_name="Kim Lacey",
                practitioner_phone="01632 960001",
                role="L1",
                agency="O1",
                start_date="2025-10-06",
            )
        ],
        "raw.probation__persons": [
            _row("probation", "X100001", 2, manager_name="R. Nair", current_exclusion=False),
            _row("probation", "X100002", 3, manager_name="T. Sayer", current_exclusion=False),
        ],
        "raw.probation__sentences": [
            _row(
                "probation",
                number,
                line,
                supervision_number=1,
                is_active=True,
                is_custodial=True,
                sentence_date="2025-11-01",
                expected_release_date="2026-08-01",
            )
            for line, number in enumerate(("X100001", "X100002"), start=2)
        ],
        "raw.prison__prisoners": [
            _row(
                "prison",
                number,
                line,
                custody_status="ACTIVE IN",
                last_movement_type="ADM",
                last_admission_date="2025-10-20",
                planned_release_date="2026-09-01",
                prison_name="HMP Marchmoor",
            )
            for line, number in enumerate(("A0002AA", "A0003AA"), start=2)
        ],
        "raw.police_safeguarding__events": [
            _row(
                "police_safeguarding",
                None,
                2,
                event_id="V1",
                event_type="OP_ENCOMPASS",
                occurred_from="2026-03-01 22:00:00",
            )
        ],
        "raw.health_csv__contacts": [
            _row(
                "health_csv",
                "H8",
                2,
                contact_id="K1",
                contact_type="ED_ATTENDANCE",
                contact_date="2026-02-01",
            )
        ],
        "raw.health_csv__children": [_row("health_csv", "H8", 2, school_urn="990199")],
    }


def tables() -> dict[str, Sequence[Row]]:
    """Rows of every source table that has any."""
    return _identity() | _meta() | _education() | _case_system() | _others()
