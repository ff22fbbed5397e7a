"""One child's episodes as rows of the Standard Safeguarding Dataset and our extension tables.
Rows are plain mappings until the feed writes them, so that faults can be planted in them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

from ffp_data.synthetic.care import Assessment, Care, EarlyHelp, Need
from ffp_data.synthetic.people import shift

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
        )


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


def write_early_help(s: Scribe, number: int, told: EarlyHelp) -> None:
    """A period of early help as the case system knows it."""
    s.put(
        "ssd_early_help_episodes", earl_episode_id=f"EH{s.person}{number}", earl_person_id=s.person,
        earl_episode_start_date=told.start,
        earl_episode_end_date=told.end, earl_episode_reason=told.primary_need,
        earl_episode_end_reason=TEH_REASONS.get(told.reason, ""),
        earl_episode_organisation=told.organisation, earl_episode_worker_id="SSD_PH",
    )  # fmt: skip


def chains(phases: list[Need | EarlyHelp]) -> list[list[Need | EarlyHelp]]:
    """Group phases into runs of Family Help: the next begins within thirty days of the end of the last."""
    runs: list[list[Need | EarlyHelp]] = []
    for phase in phases:
        if isinstance(phase, Need) and phase.nfa:
            continue
        last = runs[-1][-1] if runs else None
        end = None if last is None else last.closed if isinstance(last, Need) else last.end
        if end and (phase.referral - end).days <= 30:
            runs[-1].append(phase)
        else:
            runs.append([phase])
    return runs


def tier(phase: Need | EarlyHelp) -> str:
    """Return the tier of help that a phase ended, or stands, in."""
    if isinstance(phase, EarlyHelp):
        return "TEH"
    if phase.care and not phase.care.end:
        return "CLA"
    return "CP" if phase.protection and not phase.protection.end else "CIN"


def write_family_help(
    s: Scribe, family: str, number: int, run: list[Need | EarlyHelp], with_plans: bool
) -> None:
    """One run of Family Help, and its plans when the child is the one who carries them for the family."""
    key, last = f"FH{family}{run[0].referral:%y%m%d}", run[-1]
    lead = next((p for p in reversed(run) if isinstance(p, EarlyHelp)), None)
    ended = last.closed if isinstance(last, Need) else last.end
    social = isinstance(last, Need)
    s.put(
        "xt_family_help_episodes", fhe_id=key, fhe_family_id=family, fhe_person_id=s.person,
        start=run[0].start if isinstance(run[0], EarlyHelp) else run[0].referral, end=ended,
        source=run[0].source, end_reason=last.reason,
        tier_at_end=tier(last), lead_practitioner_id=s.worker(number),
        lead_practitioner_type="L2" if social or not lead else lead.role,
        agency="O1" if social or not lead else lead.agency,
    )  # fmt: skip
    if not with_plans:
        return
    spans = [("TEH", p.start, p.end) for p in run if isinstance(p, EarlyHelp)] + [
        ("CIN", a, b) for p in run if isinstance(p, Need) for a, b in p.plans
    ]
    for order, (kind, start, end) in enumerate(spans):
        s.put(
            "xt_family_help_plans", fhp_id=f"FP{key}{order}", fhe_id=key, plan_type=kind, start=start,
            review_due=shift(start, 84), end=end,
            outcome=s.rng.choice(("Met", "Partly met", "Not met")) if end else "",
        )  # fmt: skip


PACKAGE_PURPOSES = (
    "Travel for kinship carers",
    "Beds and equipment",
    "Respite by grandparents",
    "Childcare",
)


def write_meetings(s: Scribe, number: int, offered: date, need: Need, mood: Random) -> None:
    """A family group decision making offer and what came of it; `mood` is shared by the children of the family."""
    key = f"FG{s.person}{number}"
    accepted = mood.random() < 0.7
    held = shift(offered, mood.randint(14, 40))
    met = accepted and held <= s.as_at
    agreed = met and mood.random() < 0.85
    if mood.random() < 0.08:
        s.put(
            "xt_fgdm",
            fgdm_id=key,
            person_id=s.person,
            trigger="pre_proceedings" if need.care else "earlier",
            not_offered_reason="Not in the child's best interests",
        )
        return
    s.put(
        "xt_fgdm", fgdm_id=key, person_id=s.person, trigger="pre_proceedings" if need.care else "earlier",
        offered_date=offered,
        offer_method=mood.choice(("Letter", "Visit", "Telephone")), accepted=accepted,
        declined_reason="" if accepted else "Family did not want it",
        meeting_date=held if met else None, child_took_part=(mood.random() < 0.6) if met else None,
        plan_agreed=agreed if met else None,
        plan_review_date=shift(held, 90) if agreed else None,
    )  # fmt: skip
    if agreed and mood.random() < 0.45:
        start, end = shift(held, 7), shift(held, 7 + mood.randint(60, 200))
        s.put(
            "xt_fnsp", fnsp_id=f"FN{key}", person_id=s.person, fgdm_id=key, agreed=held,
            start=start if start <= s.as_at else None,
            end=end if end <= s.as_at else None,
            amount_band=mood.choice(("under 500", "500 to 1999", "2000 to 4999")),
            purpose=mood.choice(PACKAGE_PURPOSES),
            outcome="Child stayed in family network" if end <= s.as_at else "",
        )  # fmt: skip


def write_missing(s: Scribe, care: Care) -> None:
    """A missing episode of a looked-after child, as social care noted it."""
    on = min(shift(care.start, 20), care.end or s.as_at, s.as_at)
    s.put(
        "ssd_missing", miss_table_id=f"MI{s.person}", miss_person_id=s.person, miss_missing_episode_start_date=on,
        miss_missing_episode_type="M", miss_missing_episode_end_date=min(shift(on, 1), s.as_at),
        miss_missing_rhi_offered="Y", miss_missing_rhi_accepted="N",
    )  # fmt: skip
