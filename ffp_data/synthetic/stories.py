"""The case of a family over the two years to the as-at date. A scenario is a list of steps; each step begins on or after the
day the last one ended, so that a referral, its enquiry, conference, plan, reviews and closure, and targeted early help
before and after, fall in an order that practice and the rules of the children in need census allow. Nothing after the
as-at date is told: what has not ended has no end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from random import Random

from ffp_data.synthetic.care import (
    Assessment,
    Care,
    EarlyHelp,
    Enquiry,
    Need,
    ProtectionPlan,
    Story,
)
from ffp_data.synthetic.people import Family, Person, shift
from ffp_data.synthetic.rates import rates
from ffp_data.calendar import add_working_days, working_days_between
from ffp_data.synthetic.school_terms import on_working_day

SOURCES = (
    "1A",
    "1C",
    "1D",
    "2A",
    "2A",
    "2A",
    "2B",
    "3A",
    "3B",
    "3B",
    "3C",
    "3D",
    "3E",
    "3F",
    "4",
    "5A",
    "5B",
    "6",
    "6",
    "6",
    "7",
    "8",
    "9",
)
FACTORS = (
    "3A",
    "3B",
    "3B",
    "4B",
    "4B",
    "4A",
    "16A",
    "16A",
    "17A",
    "1B",
    "2B",
    "18C",
    "14A",
    "20",
    "5B",
    "6A",
    "7A",
    "15A",
    "24A",
    "11A",
    "10A",
    "13A",
    "19C",
)
NEEDS = ("N1", "N1", "N1", "N1", "N3", "N4", "N4", "N5", "N5", "N2", "N6")
LEADS = (
    ("L1", "O1"),
    ("L1", "O1"),
    ("L1", "O1"),
    ("L3", "O3"),
    ("L3", "O3"),
    ("L4", "O5"),
    ("L7", "O4"),
    ("L6", "O7"),
    ("L10", "O9"),
    ("L2", "O1"),
)
CATEGORIES = ("NEG", "NEG", "NEG", "EMO", "EMO", "EMO", "PHY", "SAB", "MUL")
FURTHEST_BEFORE_BIRTH = 200  # a child not yet born joins a case at most so many days before birth

STEPS: dict[str, tuple[str, ...]] = {
    "contact_only": (),
    "referral_nfa": ("nfa",),
    "teh_only": ("teh",),
    "teh_step_up": ("teh_up", "cin_plan"),
    "assessed_nfa": ("assessed",),
    "assessed_to_teh": ("assessed_to_teh", "teh_after"),
    "cin_plan": ("cin_plan",),
    "cin_step_down": ("cin_plan", "teh_after"),
    "s47_no_conference": ("enquiry_only",),
    "child_protection": ("protection",),
    "looked_after": ("care",),
    "moved_in_on_plan": ("transfer_in",),
    "left_with_case": ("left_cin",),
    "left_with_teh": ("left_teh",),
    "adoption": ("adoption",),
}


@dataclass
class Teller:
    """Tells one family's story: its random stream, the as-at date and the day from which the next phase may begin."""

    rng: Random
    as_at: date
    day: date
    route: str = "E1"
    leave_on: date | None = None

    def known(self, day: date | None) -> date | None:
        """Return the day, or None when it lies in the future."""
        return day if day and day <= self.as_at else None

    def factors(self) -> tuple[str, ...]:
        return tuple(sorted(set(self.rng.choices(FACTORS, k=self.rng.randint(1, 4)))))

    def assessment(self, start: date) -> Assessment:
        """An assessment of 15 to 60 working days; one still open at the as-at date is at most 40 working days old."""
        days = self.rng.randint(15, 44) if self.rng.random() < 0.85 else self.rng.randint(46, 60)
        done = add_working_days(start, days)
        if done > self.as_at and working_days_between(start, self.as_at) > 40:
            done = add_working_days(start, 40)
        seen = self.known(done)
        return Assessment(start, seen, self.factors() if seen else ())

    def need(self, referral: date, **facts: object) -> Need:
        base = Need(referral, self.rng.choice(SOURCES), False, self.rng.choice(NEEDS), None, "")
        return replace(base, **facts)  # type: ignore[arg-type]


def tell(rng: Random, family: Family, as_at: date) -> Story:
    """Return the story of a family; most have none."""
    chance = rates("need")
    scenario = _scenario(rng, family)
    if scenario == "none":
        return Story()
    begin = _first_day(rng, family, scenario, as_at)
    teller = Teller(rng, as_at, begin, leave_on=family.left_on)
    phases = _phases(teller, STEPS[scenario])
    closed = not family.left_on and scenario != "adoption" and _ended(phases)
    if closed and rng.random() < chance["second_scenario"]:
        teller.day = on_working_day(shift(closed, rng.randint(40, 250)))
        if teller.day < as_at:
            phases += _phases(
                teller,
                STEPS[
                    rng.choice(("assessed_nfa", "cin_plan", "child_protection", "assessed_to_teh"))
                ],
            )
    first = phases[0].referral if phases else on_working_day(begin)
    contacts = tuple(
        (min(first, day), rng.choice(SOURCES)) for day in _contact_days(rng, first, as_at)
    )
    children = _taking_part(rng, family, first, scenario)
    if not children:
        return Story()
    meetings = _meeting_days(rng, phases)
    return Story(scenario, children, contacts, tuple(phases), meetings)


def _scenario(rng: Random, family: Family) -> str:
    names = [n for n in STEPS if n in rates("need")]
    weights = [rates("need")[n] for n in names]
    roll = rng.random()
    if any(m.person.adopted_away_on for m in family.children):
        return "adoption"
    if family.family_id.endswith("D"):  # adopters: known to no case under the new name
        return "none"
    if family.left_on:
        return "left_with_case" if roll < 0.25 else "left_with_teh" if roll < 0.4 else "none"
    if family.from_outside and roll < 0.1:
        return "moved_in_on_plan"
    for name, weight in zip(names, weights, strict=True):
        roll -= weight
        if roll < 0:
            return name
    return "none"


def _first_day(rng: Random, family: Family, scenario: str, as_at: date) -> date:
    if scenario == "left_with_case" and family.left_on:
        return on_working_day(shift(family.left_on, -rng.randint(120, 200)))
    if scenario == "left_with_teh" and family.left_on:
        return on_working_day(shift(family.left_on, -rng.randint(60, 200)))
    if scenario == "moved_in_on_plan" and family.moved_on:
        return on_working_day(shift(family.moved_on, rng.randint(3, 15)))
    if scenario == "adoption":
        on = next(m.person.adopted_away_on for m in family.children if m.person.adopted_away_on)
        child = next(m.person for m in family.children if m.person.adopted_away_on)
        return on_working_day(
            max(shift(on or as_at, -rng.randint(500, 700)), shift(child.birth, 3))
        )
    late = rng.random() < rates("need")["in_year"]
    day = shift(as_at, -rng.randint(0, 400) if late else -rng.randint(400, 730))
    if family.moved_on and family.from_outside:
        day = max(day, shift(family.moved_on, 10))
    return (
        min(on_working_day(day), as_at)
        if on_working_day(day) <= as_at
        else add_working_days(shift(as_at, -6), 1)
    )


def _taking_part(rng: Random, family: Family, first: date, scenario: str) -> tuple[str, ...]:
    known = [
        m.person
        for m in family.children
        if m.in_home and shift(first, FURTHEST_BEFORE_BIRTH) >= m.person.birth
    ]
    if scenario == "adoption":
        return tuple(p.person_id for p in known if p.adopted_away_on)
    kept = [p for p in known if rng.random() >= rates("need")["child_left_out"]] or known[:1]
    return tuple(p.person_id for p in kept)


def _contact_days(rng: Random, first: date, as_at: date) -> list[date]:
    return [
        shift(first, -rng.choice((0, 0, 1, 3, 40, 90))) for _ in range(rng.choice((1, 1, 1, 2, 3)))
    ]


def _meeting_days(rng: Random, phases: list[Need | EarlyHelp]) -> tuple[date, ...]:
    needs = [p for p in phases if isinstance(p, Need) and (p.protection or p.care or p.plans)]
    return tuple(add_working_days(p.referral, rng.randint(10, 60)) for p in needs)


def _ended(phases: list[Need | EarlyHelp]) -> date | None:
    last = phases[-1] if phases else None
    return (last.end if isinstance(last, EarlyHelp) else last.closed) if last else None


def _phases(teller: Teller, steps: tuple[str, ...]) -> list[Need | EarlyHelp]:
    told: list[Need | EarlyHelp] = []
    for step in steps:
        if teller.day > teller.as_at:
            break
        phase = TELL[step](teller)
        if phase is None:
            break
        told.append(phase)
        end = _ended(told)
        if end is None:
            break
        teller.day = on_working_day(shift(end, 1))
    return told


def _nfa(t: Teller) -> Need:
    return t.need(t.day, nfa=True, primary_need="", closed=t.day, reason="RC7")


def _closing(t: Teller, day: date | None, reason: str) -> dict[str, object]:
    seen = t.known(day)
    return {"closed": seen, "reason": reason if seen else ""}


def _assessed(t: Teller, to_help: bool = False) -> Need:
    assessment = t.assessment(
        add_working_days(t.day, t.rng.randint(0, 2)) if t.day < shift(t.as_at, -5) else t.day
    )
    close = on_working_day(shift(assessment.done, t.rng.randint(0, 8))) if assessment.done else None
    none_found = (
        not to_help
        and assessment.done is not None
        and t.known(close) is not None
        and t.rng.random() < 0.2
    )
    if none_found:
        assessment = replace(assessment, factors=("21",))
    if to_help and close and close >= shift(t.as_at, -6):
        close = None  # early help could not begin in time to be seen
    t.route = "E2"
    return t.need(
        t.day, assessments=(assessment,), **_closing(t, close, "RC9" if to_help else "RC8")
    )


def _cin_plan(t: Teller, end_by: date | None = None) -> Need:
    assessment = t.assessment(t.day)
    t.route = "E2"
    if not assessment.done:
        return t.need(t.day, assessments=(assessment,))
    start = on_working_day(shift(assessment.done, t.rng.randint(0, 10)))
    end = end_by or on_working_day(shift(start, t.rng.randint(60, 260)))
    close = end_by or on_working_day(shift(end, t.rng.randint(0, 5)))
    plans = ((start, t.known(end)),) if start <= t.as_at else ()
    reason = "RC5" if end_by else "RC7"
    return t.need(t.day, assessments=(assessment,), plans=plans, **_closing(t, close, reason))


def _left_cin(t: Teller) -> Need:
    told = _cin_plan(t, end_by=t.leave_on)
    short = replace(told.assessments[0], done=add_working_days(t.day, 20), factors=t.factors())
    start = add_working_days(t.day, 25)
    return replace(
        told, assessments=(short,), plans=((start, t.leave_on),), closed=t.leave_on, reason="RC5"
    )


def _enquiry(t: Teller, conference: bool) -> Enquiry:
    start = (
        on_working_day(shift(t.day, t.rng.randint(0, 2))) if t.day < shift(t.as_at, -6) else t.day
    )
    target = add_working_days(start, 15)
    end = add_working_days(start, t.rng.randint(4, 10))
    days = t.rng.randint(10, 15) if t.rng.random() < 0.8 else t.rng.randint(16, 22)
    held = add_working_days(start, days)
    if held > t.as_at and working_days_between(start, t.as_at) > 12:
        held = add_working_days(start, 12)
    return Enquiry(start, t.known(end), target, conference, t.known(held) if conference else None)


def _enquiry_only(t: Teller) -> Need:
    enquiry = _enquiry(t, conference=False)
    assessment = t.assessment(enquiry.start)
    close = (
        on_working_day(shift(max(assessment.done, enquiry.end), t.rng.randint(1, 10)))
        if assessment.done and enquiry.end
        else None
    )
    t.route = "E2"
    return t.need(t.day, assessments=(assessment,), enquiry=enquiry, **_closing(t, close, "RC7"))


def _plan(t: Teller, start: date) -> tuple[ProtectionPlan, date]:
    """A plan with its reviews: the first within three months, then each within six; it ends at a review.

    Returns the plan as known and the true day of its end, which may lie ahead.
    """
    reviews = [on_working_day(shift(start, t.rng.randint(70, 88)))]
    for _ in range(t.rng.choice((0, 1, 1, 2))):
        reviews.append(on_working_day(shift(reviews[-1], t.rng.randint(140, 178))))
    first = t.rng.choice(CATEGORIES)
    latest = first if t.rng.random() < 0.85 else t.rng.choice(CATEGORIES[:8])
    end = reviews[-1]
    return ProtectionPlan(
        start, t.known(end), first, latest, tuple(d for d in reviews if d <= t.as_at)
    ), end


def _protection(t: Teller, transfer: bool = False) -> Need:
    enquiry = None if transfer else _enquiry(t, conference=True)
    assessment = t.assessment(t.day if transfer else enquiry.start if enquiry else t.day)
    held = (
        t.known(add_working_days(t.day, 8))
        if transfer
        else enquiry.conference_on
        if enquiry
        else None
    )
    facts: dict[str, object] = {
        "assessments": (assessment,),
        "enquiry": enquiry,
        "transfer_conference": held if transfer else None,
    }
    t.route = "E3"
    if not held:
        return t.need(t.day, **facts)
    if not transfer and t.rng.random() < 0.1:  # the conference asks for no protection plan
        return _after(t, facts, held, assessment, plan_always=True)
    plan, end = _plan(t, held)
    facts["protection"] = plan
    if plan.end is None:
        return t.need(t.day, **facts)
    return _after(t, facts, end, assessment)


def _after(
    t: Teller,
    facts: dict[str, object],
    day: date,
    assessment: Assessment,
    plan_always: bool = False,
) -> Need:
    """A child in need plan after protection or conference, then closure."""
    earliest = max(day, assessment.done) if assessment.done else None
    if earliest is None:
        return t.need(t.day, **facts)
    if plan_always or t.rng.random() < 0.7:
        start = on_working_day(shift(day, t.rng.randint(0, 4)))
        end = on_working_day(shift(max(start, earliest), t.rng.randint(60, 150)))
        facts["plans"] = ((start, t.known(end)),) if start <= t.as_at else ()
        earliest = end
    close = on_working_day(shift(earliest, t.rng.randint(1, 6)))
    return t.need(t.day, **facts, **_closing(t, close, "RC7"))


def _care(t: Teller) -> Need:
    """A protection plan that ends when the child comes into care; a third return home in the time told."""
    told = _protection(t)
    if told.protection is None:
        return told
    entered = on_working_day(shift(told.protection.start, t.rng.randint(20, 65)))
    facts: dict[str, object] = {"closed": None, "reason": "", "plans": ()}
    if entered > t.as_at:
        return replace(told, protection=replace(told.protection, end=None), **facts)  # type: ignore[arg-type]
    plan = replace(
        told.protection,
        end=entered,
        reviews=tuple(d for d in told.protection.reviews if d <= entered),
    )
    home = on_working_day(shift(entered, t.rng.randint(60, 400))) if t.rng.random() < 0.3 else None
    legal = t.rng.choice(("C1", "C2", "V2", "V2"))
    care = Care(entered, t.known(home), "E4A" if t.known(home) else "", legal)
    told = replace(told, protection=plan, care=care, **facts)  # type: ignore[arg-type]
    if not care.end or not told.assessments[0].done:
        return told
    t.route = "E4"
    return replace(_after(t, {}, care.end, told.assessments[0]), referral=told.referral, source=told.source,
                   primary_need=told.primary_need, assessments=told.assessments, enquiry=told.enquiry, protection=plan, care=care)  # fmt: skip


def _adopted(t: Teller) -> Need:
    enquiry = _enquiry(t, conference=False)
    return t.need(
        t.day,
        assessments=(
            replace(
                t.assessment(enquiry.start),
                done=add_working_days(enquiry.start, 30),
                factors=("16A",),
            ),
        ),
        enquiry=enquiry,
    )


def _early_help(t: Teller, up: bool = False, after: bool = False) -> EarlyHelp | None:
    start = on_working_day(shift(t.day, t.rng.randint(0, 3) if after else t.rng.randint(2, 14)))
    if start > t.as_at:
        if not after:
            return None
        start = t.day
    done = t.known(add_working_days(start, t.rng.randint(8, 25)))
    assessment = Assessment(start, done, t.factors() if done else ())
    end = t.leave_on or on_working_day(
        shift(start, t.rng.randint(40, 120) if up else t.rng.randint(60, 300))
    )
    reason = "T2" if up else "T6" if t.leave_on else t.rng.choice(("T1", "T1", "T1", "T5", "T7"))
    if up and shift(end, 6) > t.as_at:
        end = shift(t.as_at, 1)
    role, agency = t.rng.choice(LEADS)
    handed = on_working_day(shift(start, 30)) if t.rng.random() < 0.15 else None
    seen = t.known(end)
    if handed and (handed > t.as_at or (seen and handed >= seen)):
        handed = None
    route = t.route if after else t.rng.choice(("E1", "E1", "E1", "E6"))
    source = "5A" if after else t.rng.choice(SOURCES)
    return EarlyHelp(
        t.day, source, start, seen, reason if seen else "", t.rng.choice(NEEDS), route, assessment,
        agency, role, agency, role == "L2", handed,
    )  # fmt: skip


TELL: dict[str, Callable[[Teller], Need | EarlyHelp | None]] = {
    "nfa": _nfa,
    "assessed": _assessed,
    "assessed_to_teh": lambda t: _assessed(t, to_help=True),
    "cin_plan": _cin_plan,
    "left_cin": _left_cin,
    "enquiry_only": _enquiry_only,
    "protection": _protection,
    "transfer_in": lambda t: _protection(t, transfer=True),
    "care": _care,
    "adoption": _adopted,
    "teh": _early_help,
    "teh_up": lambda t: _early_help(t, up=True),
    "teh_after": lambda t: _early_help(t, after=True),
    "left_teh": _early_help,
}


def part_of(person: Person, phase: Need | EarlyHelp, as_at: date) -> bool:
    """True when a child of the case takes part in a phase: born, or to be born soon enough, and not adopted yet."""
    if person.birth > shift(phase.referral, FURTHEST_BEFORE_BIRTH):
        return False
    return not (person.adopted_away_on and phase.referral > person.adopted_away_on)


def adopted_need(need: Need, person: Person) -> Need:
    """Close an episode on the day of the adoption order (RC1), with the care that ended by it (E12)."""
    on = person.adopted_away_on
    if on is None:
        return need
    care = Care(add_working_days(need.referral, 40), on, "E12", "E1")
    return replace(need, closed=on, reason="RC1", care=care)
