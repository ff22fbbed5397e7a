"""One child's episodes as rows of the Standard Safeguarding Dataset and our extension tables.
Rows are plain mappings until the feed writes them, so that faults can be planted in them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

from ffp_data.synthetic.care import Assessment, Care, EarlyHelp, Need
from ffp_data.synthetic.numbers import stream
from ffp_data.synthetic.people import shift
from ffp_data.synthetic.rates import rates

Rows = dict[str, list[dict[str, Any]]]
TEAMS = (
    "Front Door",
    "Family Help North",
    "Family Help South",
    "Protection and Court",
    "Children in Care",
)
STAFF = 48
TEH_REASONS = {
    "T1": "Outcomes met",
    "T2": "Stepped up",
    "T5": "Disengaged",
    "T6": "Moved out of area",
    "T7": "Stepped down to universal",
}


@dataclass
class Scribe:
    """Writes the rows of one child; ids carry the child's number and the order of the event."""

    rng: Random
    person: str
    as_at: date
    staff: int
    rows: Rows
    age: int = 0
    system: str = "systemc"

    @property
    def record(self) -> str:
        """The hub's key of the child's record."""
        return f"case_system|{self.system}|{self.person}"

    def put(self, table: str, **values: object) -> dict[str, object]:
        """Add a row and return it."""
        self.rows.setdefault(table, []).append(values)
        return values

    def worker(self, offset: int = 0) -> str:
        """Return the number of a worker of the child's team."""
        return f"PR{(self.staff + offset) % STAFF + 1001}"

    def team(self, offset: int = 0) -> str:
        """Return that worker's team."""
        return TEAMS[(self.staff + offset) % STAFF % len(TEAMS)]


def flags(on: str, names: tuple[str, ...]) -> str:
    """Return the dataset's outcome JSON: every flag, one of them Y."""
    return json.dumps({name: "Y" if name == on else "N" for name in names})


REFERRAL_FLAGS = (
    "SINGLE_ASSESSMENT_FLAG",
    "NFA_FLAG",
    "STRATEGY_DISCUSSION_FLAG",
    "CLA_REQUEST_FLAG",
    "CP_TRANSFER_IN_FLAG",
    "OTHER_OUTCOMES_EXIST_FLAG",
)
ENQUIRY_FLAGS = (
    "NFA_FLAG",
    "LEGAL_ACTION_FLAG",
    "PROV_OF_SERVICES_FLAG",
    "CP_CONFERENCE_FLAG",
    "MONITOR_FLAG",
    "OTHER_OUTCOMES_EXIST_FLAG",
)
ASSESSMENT_FLAGS = (
    "NFA_FLAG",
    "STRATEGY_DISCUSSION_FLAG",
    "PROV_OF_SERVICES_FLAG",
    "REFERRAL_TO_OTHER_AGENCY_FLAG",
    "OTHER_OUTCOMES_EXIST_FLAG",
)
CONTACT_FLAGS = (
    "NEW_REFERRAL_FLAG",
    "EXISTING_REFERRAL_FLAG",
    "CP_ENQUIRY_FLAG",
    "NFA_FLAG",
    "ADVICE_FLAG",
    "OTHER_OUTCOMES_EXIST_FLAG",
)
CONFERENCE_FLAGS = ("NFA_FLAG", "PROV_OF_SERVICES_FLAG", "CP_FLAG", "OTHER_OUTCOMES_EXIST_FLAG")


def write_contact(s: Scribe, number: int, on: date, source: str, referred: bool) -> None:
    """A contact at the front door."""
    outcome = flags(
        "NEW_REFERRAL_FLAG" if referred else s.rng.choice(("NFA_FLAG", "ADVICE_FLAG")),
        CONTACT_FLAGS,
    )
    s.put(
        "ssd_contacts", cont_contact_id=f"CO{s.person}{number}", cont_person_id=s.person, cont_contact_date=on,
        cont_contact_source_code=source, cont_contact_outcome_json=outcome,
    )  # fmt: skip


def write_need(s: Scribe, number: int, need: Need) -> None:
    """A referral with all that followed from it."""
    referral = f"RE{s.person}{number}"
    first = (
        "NFA_FLAG"
        if need.nfa
        else "STRATEGY_DISCUSSION_FLAG"
        if need.enquiry
        else "CP_TRANSFER_IN_FLAG"
        if need.transfer_conference
        else "SINGLE_ASSESSMENT_FLAG"
    )
    s.put(
        "ssd_cin_episodes", cine_referral_id=referral, cine_person_id=s.person,
        cine_referral_date=need.referral,
        cine_cin_primary_need_code=need.primary_need, cine_referral_source_code=need.source,
        cine_referral_outcome_json=flags(first, REFERRAL_FLAGS), cine_referral_nfa=need.nfa,
        cine_close_reason=need.reason,
        cine_close_date=need.closed, cine_referral_team=s.team(number),
        cine_referral_worker_id=s.worker(number),
    )  # fmt: skip
    for order, assessment in enumerate(need.assessments):
        _assessment(s, referral, order, assessment, need)
    for order, (start, end) in enumerate(need.plans):
        s.put(
            "ssd_cin_plans", cinp_cin_plan_id=f"PL{referral}{order}", cinp_referral_id=referral,
            cinp_person_id=s.person,
            cinp_cin_plan_start_date=start, cinp_cin_plan_end_date=end, cinp_cin_plan_team=s.team(number),
            cinp_cin_plan_worker_id=s.worker(number),
        )  # fmt: skip
    _enquiry(s, referral, need)
    _protection(s, referral, need)
    _care(s, referral, need)
    if not need.nfa:
        _workers(s, referral, need)


def _workers(s: Scribe, referral: str, need: Need) -> None:
    changed = shift(need.referral, 45)
    second = (
        changed <= s.as_at
        and (need.closed is None or changed < need.closed)
        and s.rng.random() < 0.3
    )
    spans = [
        (need.referral, changed if second else need.closed),
        *([(changed, need.closed)] if second else []),
    ]
    for order, (start, end) in enumerate(spans):
        s.put(
            "ssd_involvements", invo_involvements_id=f"IN{referral}{order}",
            invo_professional_id=s.worker(order),
            invo_professional_role_id="Allocated Case Worker", invo_professional_team=s.team(order),
            invo_person_id=s.person,
            invo_involvement_start_date=start, invo_involvement_end_date=end, invo_referral_id=referral,
        )  # fmt: skip


def _assessment(s: Scribe, referral: str, order: int, assessment: Assessment, need: Need) -> None:
    key = f"AS{referral}{order}"
    nfa = need.reason == "RC8"
    outcome = (
        flags("NFA_FLAG" if nfa else "PROV_OF_SERVICES_FLAG", ASSESSMENT_FLAGS)
        if assessment.done
        else None
    )
    s.put(
        "ssd_cin_assessments", cina_assessment_id=key, cina_person_id=s.person, cina_referral_id=referral,
        cina_assessment_start_date=assessment.start, cina_assessment_child_seen=s.rng.random() < 0.94,
        cina_assessment_auth_date=assessment.done,
        cina_assessment_outcome_json=outcome, cina_assessment_outcome_nfa=nfa if assessment.done else None,
        cina_assessment_team=s.team(), cina_assessment_worker_id=s.worker(),
    )  # fmt: skip
    if assessment.factors:
        as_list = (
            s.rng.random() < 0.5
        )  # both shapes are in the wild since the dataset's version 1.3.9
        factors = json.dumps(
            list(assessment.factors) if as_list else dict.fromkeys(assessment.factors, "Yes")
        )
        s.put(
            "ssd_assessment_factors",
            cinf_table_id=f"FA{key}",
            cinf_assessment_id=key,
            cinf_assessment_factors_json=factors,
        )


def _enquiry(s: Scribe, referral: str, need: Need) -> None:
    enquiry = need.enquiry
    if enquiry is None:
        return
    key = f"EN{referral}"
    ended = enquiry.end is not None
    outcome = (
        "CP_CONFERENCE_FLAG"
        if enquiry.conference_due
        else "PROV_OF_SERVICES_FLAG"
        if need.plans
        else "NFA_FLAG"
    )
    s.put(
        "ssd_s47_enquiry", s47e_s47_enquiry_id=key, s47e_referral_id=referral, s47e_person_id=s.person,
        s47e_s47_start_date=enquiry.start,
        s47e_s47_end_date=enquiry.end, s47e_s47_nfa=ended and not enquiry.conference_due,
        s47e_s47_outcome_json=flags(outcome, ENQUIRY_FLAGS) if ended else None,
        s47e_s47_completed_by_team=s.team(), s47e_s47_completed_by_worker_id=s.worker(),
    )  # fmt: skip
    if enquiry.conference_on:
        _conference(s, referral, need, enquiry.conference_on, enquiry.target, key)
    if s.rng.random() < 0.7:
        end = need.protection.end if need.protection else enquiry.end
        s.put(
            "xt_macpt",
            person_id=s.person,
            s47_id=key,
            lead_child_protection_practitioner_id=s.worker(7),
            team="MACPT",
            start=enquiry.start,
            end=end,
            harm_outside_home=harm_outside_home(key, s.age),
        )


def harm_outside_home(enquiry: str, age: int) -> bool:
    """Whether harm outside the home is a primary concern; its own stream, so that no other value changes with it."""
    likely = rates("family_network")["harm_outside_home"] if age >= 11 else 0.0
    return stream(f"{enquiry}/harm").random() < likely


def _conference(
    s: Scribe, referral: str, need: Need, on: date, target: date | None, enquiry: str
) -> None:
    plan = bool(need.protection)
    s.put(
        "ssd_initial_cp_conference", icpc_icpc_id=f"IC{referral}", icpc_icpc_meeting_id=f"ME{referral}",
        icpc_s47_enquiry_id=enquiry,
        icpc_person_id=s.person, icpc_cp_plan_id=f"CP{referral}" if plan else "", icpc_referral_id=referral,
        icpc_icpc_transfer_in=not enquiry,
        icpc_icpc_target_date=target, icpc_icpc_date=on, icpc_icpc_outcome_cp_flag=plan,
        icpc_icpc_outcome_json=flags("CP_FLAG" if plan else "PROV_OF_SERVICES_FLAG", CONFERENCE_FLAGS),
        icpc_icpc_team=s.team(), icpc_icpc_worker_id=s.worker(),
    )  # fmt: skip


def _protection(s: Scribe, referral: str, need: Need) -> None:
    plan = need.protection
    if need.transfer_conference:
        _conference(s, referral, need, need.transfer_conference, None, "")
    if plan is None:
        return
    key = f"CP{referral}"
    s.put(
        "ssd_cp_plans", cppl_cp_plan_id=key, cppl_referral_id=referral, cppl_icpc_id=f"IC{referral}",
        cppl_person_id=s.person,
        cppl_cp_plan_start_date=plan.start, cppl_cp_plan_end_date=plan.end, cppl_cp_plan_ola=False,
        cppl_cp_plan_initial_category=plan.first_category, cppl_cp_plan_latest_category=plan.latest_category,
    )  # fmt: skip
    due = shift(plan.start, 91)
    for order, on in enumerate(plan.reviews):
        s.put(
            "ssd_cp_reviews", cppr_cp_review_id=f"RV{key}{order}", cppr_person_id=s.person,
            cppr_cp_plan_id=key, cppr_cp_review_due=due,
            cppr_cp_review_date=on, cppr_cp_review_meeting_id=f"MV{key}{order}",
            cppr_cp_review_outcome_continue_cp=on != plan.end,
            cppr_cp_review_quorate="Y", cppr_cp_review_participation=s.rng.choice(("PN1", "PN2", "PN3", "PN0")),
        )  # fmt: skip
        due = shift(on, 182)


def _care(s: Scribe, referral: str, need: Need) -> None:
    care = need.care
    if care is None:
        return
    s.put(
        "ssd_cla_episodes", clae_cla_episode_id=f"CE{referral}", clae_person_id=s.person,
        clae_cla_placement_id=f"PM{referral}",
        clae_cla_episode_start_date=care.start, clae_cla_episode_start_reason="S",
        clae_cla_primary_need_code=need.primary_need,
        clae_cla_episode_ceased_date=care.end, clae_cla_episode_ceased_reason=care.end_reason,
        clae_cla_id=f"CL{referral}", clae_referral_id=referral,
        clae_cla_last_iro_contact_date=min(shift(care.start, 28), s.as_at), clae_entered_care_date=care.start,
    )  # fmt: skip
    s.put(
        "ssd_legal_status", lega_legal_status_id=f"LS{referral}", lega_person_id=s.person,
        lega_legal_status=care.legal_status,
        lega_legal_status_start_date=care.start, lega_legal_status_end_date=care.end,
    )  # fmt: skip
    _placement(s, referral, care)


def _placement(s: Scribe, referral: str, care: Care) -> None:
    """One placement for the whole period, and a questionnaire once the child is looked after for a year."""
    rng = stream(f"{referral}/placement")  # its own, so that no other table changes with it
    kinds = rates("placement_type")
    inward = f"{rng.randint(1, 9)}{rng.choice('ABDE')}{rng.choice('JLNP')}"
    s.put(
        "ssd_cla_placement", clap_cla_placement_id=f"PM{referral}", clap_person_id=s.person,
        clap_cla_id=f"CL{referral}", clap_cla_placement_start_date=care.start,
        clap_cla_placement_type=rng.choices(list(kinds), list(kinds.values()))[0],
        clap_cla_placement_postcode=f"XG{rng.randint(1, 3)} {inward}",
        clap_cla_placement_end_date=care.end,
    )  # fmt: skip
    scored = shift(care.start, 365)
    if scored <= min(care.end or s.as_at, s.as_at):
        s.put(
            "ssd_sdq_scores", csdq_table_id=f"SD{referral}", csdq_person_id=s.person,
            csdq_sdq_completed_date=scored, csdq_sdq_score=min(40, max(0, round(rng.gauss(14, 7)))),
        )  # fmt: skip


def write_early_help(s: Scribe, number: int, told: EarlyHelp) -> None:
    """A period of early help as the case system knows it."""
    s.put(
        "ssd_early_help_episodes", earl_episode_id=f"EH{s.person}{number}", earl_person_id=s.person,
        earl_episode_start_date=told.start,
        earl_episode_end_date=told.end, earl_episode_reason=told.primary_need,
        earl_episode_end_reason=TEH_REASONS.get(told.reason, ""),
        earl_episode_organisation=told.organisation, earl_episode_worker_id="SSD_PH",
    )  # fmt: skip
