"""Rows of our extension tables about the family network and the multi-agency team: group decisions and
support packages, steps before proceedings, plans to go home, strategy discussions, advice of the team, offers
to parents, and the register of practitioners. What the children of a family share is drawn once, from a
stream of the family's own, so that brothers and sisters have the same offer and the same package."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from random import Random

from ffp_data.synthetic.care import Need
from ffp_data.synthetic.case_rows import STAFF, TEAMS, Rows, Scribe
from ffp_data.synthetic.numbers import stream
from ffp_data.synthetic.people import shift
from ffp_data.synthetic.rates import rates
from ffp_data.synthetic.scene import Truth

STAGES = ("family_help", "child_protection", "pre_proceedings", "reunification")
PACKAGES = {  # categories that the programme guide names, with the pounds that a package may cost
    "Travel": (80, 600),
    "Furniture and equipment for a baby": (150, 900),
    "Childcare": (200, 1800),
    "Home adaptations": (600, 4500),
    "Rent or a deposit": (500, 2500),
    "Activity passes": (40, 300),
}
ROUTES = {"family_help": "teh", "reunification": "looked_after", "pre_proceedings": "s47"}
AFTER_CARE = 90  # days after care in which help with going home is still help with going home


@dataclass(frozen=True)
class Legal:
    """Steps before proceedings about one episode of need; a step that lies ahead is None."""

    planned: date
    letter: date
    meeting: date | None
    application: date | None
    end: date | None
    reason: str


@dataclass(frozen=True)
class Family:
    """Whose rows are written: the family's number and the number of its stream."""

    number: str
    mood: int

    def stream(self, purpose: str) -> Random:
        """A stream for one purpose, the same for each child of the family."""
        return stream(f"{self.mood}/{purpose}")


def legal_steps(need: Need, family: Family, as_at: date) -> Legal | None:
    """Steps before proceedings: before most care, and about some long plans that get better."""
    rng = family.stream(f"legal/{need.referral}")
    lead, stays = rng.randint(21, 60), rng.random() < 0.25
    if need.care and need.care.end_reason != "E12":
        letter = max(shift(need.care.start, -lead), need.referral)
        applied = need.care.start if need.care.legal_status != "V2" else None
        end, reason = need.care.start, "proceedings" if applied else "other"
    elif need.protection and not need.care and stays:
        letter = shift(need.protection.start, 45 + lead)
        if letter > min(need.protection.end or as_at, as_at):
            return None
        applied, reason = None, "stepped_down"
        end = min(need.protection.end or shift(letter, 150), shift(letter, 150))
    else:
        return None
    met = shift(letter, 12)
    done = end <= as_at
    return Legal(
        shift(letter, -7), letter, met if met <= min(end, as_at) else None, applied,
        end if done else None, reason if done else "",
    )  # fmt: skip


def stage_on(need: Need, legal: Legal | None, on: date) -> str:
    """The stage at which a family truly was on a day."""
    if legal and legal.letter <= on and (legal.end is None or on < legal.end):
        return "pre_proceedings"
    care = need.care
    if care and on >= care.start and (care.end is None or on <= shift(care.end, AFTER_CARE)):
        return "reunification" if care.end else "child_protection"
    enquiry = need.enquiry
    if enquiry and on >= enquiry.start:
        until = need.protection.end if need.protection else enquiry.end
        if until is None or on < until:
            return "child_protection"
    return "family_help"


def write_network(
    s: Scribe, truth: Truth, person_id: str, family: Family, need: Need, offered: date
) -> None:
    """The group decision of one episode of need, and what came of it; `offered`: the day without proceedings."""
    legal = legal_steps(need, family, s.as_at)
    if legal:
        offered = max(shift(legal.letter, family.stream("days").randint(-5, 10)), need.referral)
        _legal(s, family, need, legal)
    if offered > s.as_at:
        return
    stage = stage_on(need, legal, max(offered, legal.letter) if legal else offered)
    chance, rng = rates("family_network"), family.stream(f"offer/{need.referral}")
    share = {
        "family_help": chance["offered_in_family_help"],
        "pre_proceedings": chance["offered_before_proceedings"],
    }
    is_offered, reasoned = (
        rng.random() < share.get(stage, chance["offered_in_protection"]),
        rng.random(),
    )
    key = f"FG{family.number}{need.referral:%y%m%d}"
    if is_offered:
        _offer(s, truth, person_id, Offer(key, stage, offered, legal is not None), rng)
    elif legal:
        reason = (
            "Not in the child's best interests"
            if reasoned < chance["reason_when_not_offered"]
            else ""
        )
        record = s.record
        truth.case("fgdm_not_offered", record, person_id, legal.letter, reason)
        if reason:
            s.put(
                "xt_fgdm", fgdm_id=key, person_id=s.person, trigger="pre_proceedings", stage=stage,
                not_offered_reason=reason, not_offered_date=offered, signed_off=reasoned < 0.4,
                recorded_date=offered,
            )  # fmt: skip


@dataclass(frozen=True)
class Offer:
    """An offer as made: its key, the true stage, the day, and whether proceedings are near."""

    key: str
    stage: str
    on: date
    is_before_proceedings: bool


def _recorded(rng: Random, on: date, as_at: date) -> date:
    late = rng.random() < rates("family_network")["recorded_late"]
    return min(shift(on, rng.randint(21, 63) if late else rng.randint(0, 3)), as_at)


def _stage(rng: Random, stage: str) -> str:
    """The stage as recorded: mostly, and mostly rightly."""
    chance, roll = rates("family_network"), rng.random()
    if roll < chance["stage_mistaken"]:
        return STAGES[(STAGES.index(stage) + 1) % len(STAGES)]
    return stage if roll < chance["stage_recorded"] else ""


def _offer(s: Scribe, truth: Truth, person_id: str, offer: Offer, rng: Random) -> None:
    chance = rates("family_network")
    again = rng.random() < chance["offered_again"]
    first_day = shift(offer.on, -rng.randint(10, 35))
    recorded, method = _stage(rng, offer.stage), rng.choice(("Letter", "Visit", "Telephone"))
    trigger = "pre_proceedings" if offer.is_before_proceedings else "earlier"
    base = {"person_id": s.person, "trigger": trigger, "stage": recorded, "offer_method": method}
    if again:
        s.put(
            "xt_fgdm", fgdm_id=f"{offer.key}A", offered_date=first_day, accepted=False,
            declined_reason="Family did not want it", recorded_date=_recorded(rng, first_day, s.as_at), **base,
        )  # fmt: skip
    held, wanted = shift(offer.on, rng.randint(14, 40)), rng.random() < chance["met"]
    withdrawn = not wanted and rng.random() < chance["withdrawn"]
    met, took_part = wanted and held <= s.as_at, rng.random() < 0.6
    agreed = met and rng.random() < chance["plan_agreed"]
    s.put(
        "xt_fgdm", fgdm_id=offer.key, offered_date=offer.on, accepted=wanted or withdrawn,
        declined_reason="" if wanted or withdrawn else "Family did not want it",
        meeting_date=held if met else None, child_took_part=took_part if met else None,
        plan_agreed=agreed if met else None, plan_agreed_date=held if agreed else None,
        plan_review_date=shift(held, 90) if agreed else None,
        withdrawn_date=min(shift(offer.on, 12), s.as_at) if withdrawn else None,
        withdrawn_reason="Contact would not be safe" if withdrawn else "",
        recorded_date=_recorded(rng, offer.on, s.as_at), **base,
    )  # fmt: skip
    if agreed and rng.random() < chance["package"]:
        _package(s, truth, person_id, offer, held, rng)


def _package(
    s: Scribe, truth: Truth, person_id: str, offer: Offer, agreed: date, rng: Random
) -> None:
    chance = rates("family_network")
    purpose = rng.choice(list(PACKAGES))
    pounds = rng.randint(*PACKAGES[purpose])
    paid, stuck = shift(agreed, rng.randint(5, 45)), rng.random() < chance["not_distributed"]
    if rng.random() < chance["distributed_before_agreed"]:
        paid = shift(agreed, -rng.randint(1, 5))
    unknown, recorded = rng.random() < chance["no_agreed_date"], _stage(rng, offer.stage)
    is_paid = paid <= s.as_at and not stuck
    end = shift(paid, rng.randint(60, 200))
    band = "under 500" if pounds < 500 else "500 to 1999" if pounds < 2000 else "2000 to 4999"
    s.put(
        "xt_fnsp", fnsp_id=f"FN{offer.key}", person_id=s.person, fgdm_id=offer.key,
        agreed=None if unknown and is_paid else agreed, start=paid if is_paid else None,
        end=end if is_paid and end <= s.as_at else None, amount_band=band, purpose=purpose,
        outcome="Child stayed in family network" if is_paid and end <= s.as_at else "",
        stage=recorded, route=ROUTES.get(offer.stage, "s17"),
        approved_date=min(shift(agreed, 4), s.as_at), distributed_date=paid if is_paid else None,
        amount_pounds=pounds, recorded_date=_recorded(rng, agreed, s.as_at),
    )  # fmt: skip
    if not is_paid:
        record = s.record
        truth.case("fnsp_not_paid", record, person_id, agreed, "never" if stuck else "not yet")


def _legal(s: Scribe, family: Family, need: Need, legal: Legal) -> None:
    s.put(
        "xt_legal_tracker", tracker_id=f"LT{family.number}{need.referral:%y%m%d}", person_id=s.person,
        legal_planning_date=legal.planned, letter_date=legal.letter, first_meeting_date=legal.meeting,
        application_date=legal.application, end=legal.end, end_reason=legal.reason,
    )  # fmt: skip


def write_team(s: Scribe, family: Family, number: int, need: Need) -> None:
    """Strategy discussions, advice of the team, and the plan to go home, of one episode of need."""
    referral, chance = f"RE{s.person}{number}", rates("family_network")
    rng = family.stream(f"team/{need.referral}")
    alone, advised = (
        rng.random() < chance["discussion_without_enquiry"],
        rng.random() < chance["consultation"],
    )
    day = shift(need.referral, rng.randint(1, 10))
    if need.enquiry:
        held = max(shift(need.enquiry.start, -rng.randint(0, 2)), need.referral)
        s.put(
            "xt_strategy_discussions", discussion_id=f"SD{referral}", person_id=s.person, held_date=held,
            concluded_date=need.enquiry.start, outcome="section_47", s47_id=f"EN{referral}",
        )  # fmt: skip
    elif alone and need.assessments and day <= (need.closed or s.as_at):
        s.put(
            "xt_strategy_discussions", discussion_id=f"SD{referral}", person_id=s.person, held_date=day,
            concluded_date=day, outcome="no_enquiry",
        )  # fmt: skip
    if advised and need.plans and day <= s.as_at:
        s.put(
            "xt_macpt_consultations", consultation_id=f"CN{family.number}{need.referral:%y%m%d}",
            person_id=s.person, consulted_date=day, asked_by_team=s.team(number),
        )  # fmt: skip
    if need.care and need.care.end and need.care.end_reason != "E12":
        s.put(
            "xt_return_home_plans", plan_id=f"RH{referral}", person_id=s.person,
            start=max(shift(need.care.end, -rng.randint(30, 60)), need.care.start), end=need.care.end,
        )  # fmt: skip


def parent_offers(
    family: Family, enquiries: Iterable[tuple[str, date]], adults: Iterable[str]
) -> Rows:
    """Offers to the adults of a family when enquiries start; `enquiries`: key and day, one for each child."""
    rows, share = Rows(), rates("family_network")["parent_offered"]
    known = list(adults)
    for key, started in enquiries:
        for adult in known:
            rng = family.stream(f"parents/{started}/{adult}")
            if rng.random() < share:
                rows.setdefault("xt_parent_offers", []).append(
                    {
                        "offer_id": f"PO{key}{adult}", "adult_person_id": adult, "s47_id": key,
                        "offered_date": started, "is_taken_up": rng.random() < 0.5,
                    }
                )  # fmt: skip
    return rows


_LEADS = {  # department of the case system's workers -> role in the register
    TEAMS[1]: "family_help_lead",
    TEAMS[2]: "family_help_lead",
    TEAMS[3]: "lead_child_protection",
}
_PARTNERS = (  # employer, role, job title, grade, how many
    ("police", "police", "Detective sergeant", "Sergeant", 2),
    ("health", "health", "Named nurse for safeguarding", "Band 8a", 2),
    ("education", "education", "Education safeguarding lead", "Soulbury 12", 2),
    ("health", "family_help_lead", "Health visitor", "Band 6", 3),
    ("voluntary", "family_help_lead", "Family worker", "Point 22", 4),
)
_SPECIALISMS = ("Domestic abuse", "Parental mental health", "Substance use", "Young carers")


def practitioners() -> list[dict[str, object]]:
    """The register: the case system's workers, and those of partners."""
    rows: list[dict[str, object]] = []
    for n in range(STAFF):
        role = _LEADS.get(TEAMS[n % len(TEAMS)], "other")
        is_manager = n % 16 == 3
        title = "Team manager" if is_manager else "Practitioner"
        rows.append({
            "professional_id": f"PR{1001 + n}", "employer": "local_authority",
            "role": "team_manager" if is_manager else role, "job_title": title,
            "grade": "Grade 12" if is_manager else "Grade 9", "is_social_work_qualified": n % 4 != 3,
            "specialism": _SPECIALISMS[n % 4] if role == "family_help_lead" and n % 3 == 0 else "",
            "is_fgdm_facilitator": n % 8 == 1, "is_in_macpt": role == "lead_child_protection",
            "from": date(2025, 4 + n % 9, 1),
        })  # fmt: skip
    for employer, role, title, grade, count in _PARTNERS:
        for _ in range(count):
            rows.append({
                "professional_id": f"PX{2001 + len(rows)}", "employer": employer, "role": role,
                "job_title": title, "grade": grade, "is_social_work_qualified": False,
                "is_fgdm_facilitator": False, "is_in_macpt": role in ("police", "health", "education"),
                "from": date(2025, 9, 1),
            })  # fmt: skip
    return rows
