"""The steps of a case: each tells one referral, or one period of early help, from the teller's day
on. Dates keep the order that practice and the rules of the children in need census ask for: the
enquiry within the referral, the conference within about fifteen working days of it, the plan from
the day of the conference, reviews within three and then six months, closure after everything else.
What lies after the as-at date is not told; work still open then is no older than practice allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from itertools import accumulate
from random import Random
from typing import Any

from ffp_data.calendar import add_working_days, working_days_between
from ffp_data.synthetic.care import Assessment, Care, EarlyHelp, Enquiry, Need, ProtectionPlan
from ffp_data.synthetic.names import Pool
from ffp_data.synthetic.people import shift
from ffp_data.synthetic.rates import read_data
from ffp_data.synthetic.school_terms import on_working_day

OLDEST_OPEN_ASSESSMENT = 40  # working days; the census queries more than 45 (rule 8670Q)
OLDEST_OPEN_ENQUIRY = 12  # working days; the census queries more than 15 (rule 8675Q)
Facts = dict[str, Any]


@cache
def choices(name: str) -> Pool:
    """Return one weighted list of data/social_care.yaml."""
    weights = read_data("social_care.yaml")[name]
    return Pool(tuple(map(str, weights)), tuple(accumulate(weights.values())))


@dataclass
class Teller:
    """Tells one family's story: the day from which the next step may begin, and how help was entered."""

    rng: Random
    as_at: date
    day: date
    leave_on: date | None = None
    route: str = "E1"

    def known(self, day: date | None) -> date | None:
        """Return the day, or None when it lies in the future."""
        return day if day and day <= self.as_at else None

    def pick(self, name: str) -> str:
        """Draw from a list of data/social_care.yaml."""
        return choices(name).draw(self.rng)

    def later(self, day: date, least: int, most: int) -> date:
        """Return a working day `least` to `most` days after `day`."""
        return on_working_day(shift(day, self.rng.randint(least, most)))

    def soon(self, day: date, most: int) -> date:
        """Return a working day at most `most` days on, or `day` itself when the as-at date is near."""
        return self.later(day, 0, most) if day < shift(self.as_at, -most - 5) else day

    def factors(self) -> tuple[str, ...]:
        """Return one to four factors found at an assessment."""
        return tuple(sorted({self.pick("factor") for _ in range(self.rng.randint(1, 4))}))

    def assessment(self, start: date) -> Assessment:
        """An assessment of 15 to 60 working days, one in seven over the limit of 45."""
        length = self.rng.randint(15, 44) if self.rng.random() < 0.85 else self.rng.randint(46, 60)
        done = add_working_days(start, length)
        if done > self.as_at and working_days_between(start, self.as_at) > OLDEST_OPEN_ASSESSMENT:
            done = add_working_days(start, OLDEST_OPEN_ASSESSMENT)
        seen = self.known(done)
        return Assessment(start, seen, self.factors() if seen else ())

    def closed_after(self, assessment: Assessment) -> date | None:
        """The day a case closes after its assessment, in the same census year.

        An assessment authorised before 1 April is left out of the next census (rule 8696), and a
        case then closed after assessment would be queried as having none (8825Q).
        """
        done = assessment.done
        if done is None:
            return None
        close = self.later(done, 0, 8)
        return done if done < date(close.year, 4, 1) <= close else close

    def enquiry(self, conference: bool) -> Enquiry:
        """A section 47 enquiry; four in five of its conferences are held within 15 working days."""
        start = self.soon(self.day, 2)
        end = add_working_days(start, self.rng.randint(4, 10))
        timely = self.rng.random() < 0.8
        held = add_working_days(
            start, self.rng.randint(10, 15) if timely else self.rng.randint(16, 22)
        )
        if held > self.as_at and working_days_between(start, self.as_at) > OLDEST_OPEN_ENQUIRY:
            held = add_working_days(start, OLDEST_OPEN_ENQUIRY)
        seen = self.known(held) if conference else None
        return Enquiry(start, self.known(end), add_working_days(start, 15), conference, seen)

    def plan(self, start: date) -> tuple[ProtectionPlan, date]:
        """A protection plan as known, and the day it truly ends, which is one of its reviews."""
        reviews = [self.later(start, 70, 88)]
        for _ in range(self.rng.choice((0, 1, 1, 2))):
            reviews.append(self.later(reviews[-1], 140, 178))
        first = self.pick("category_of_abuse")
        latest = first if self.rng.random() < 0.85 else self.pick("category_of_abuse")
        held = tuple(day for day in reviews if day <= self.as_at)
        return ProtectionPlan(start, self.known(reviews[-1]), first, latest, held), reviews[-1]

    def need(self, facts: Facts, close: date | None = None, reason: str = "") -> Need:
        """An episode of need from the teller's day, closed when that is known."""
        closed = self.known(close)
        source, need = self.pick("referral_source"), self.pick("primary_need")
        base = Need(self.day, source, False, need, closed, reason if closed else "")
        return replace(base, **facts)


def no_further_action(t: Teller) -> Need:
    """A referral that goes nowhere."""
    return t.need({"nfa": True, "primary_need": ""}, t.day, "RC7")


def assessed(t: Teller) -> Need:
    """A referral closed after assessment; one in five finds no factors."""
    assessment = t.assessment(t.soon(t.day, 2))
    close = t.known(t.closed_after(assessment))
    if close and t.rng.random() < 0.2:
        assessment = replace(assessment, factors=("21",))
    return t.need({"assessments": (assessment,)}, close, "RC8")


def assessed_to_early_help(t: Teller) -> Need:
    """A referral closed to early help, unless that could not begin in time to be seen."""
    assessment = t.assessment(t.soon(t.day, 2))
    close = t.closed_after(assessment)
    t.route = "E2"
    late = close is not None and close >= shift(t.as_at, -6)
    return t.need({"assessments": (assessment,)}, None if late else close, "RC9")


def need(t: Teller) -> Need:
    """A referral, its assessment and a child in need plan."""
    assessment = t.assessment(t.day)
    facts: Facts = {"assessments": (assessment,)}
    t.route = "E2"
    if not assessment.done:
        return t.need(facts)
    return _with_plan(t, facts, t.later(assessment.done, 0, 10), 260)


def need_stepped_up(t: Teller) -> Need:
    """The same, when early help sends the family."""
    return replace(need(t), source="5D")


def _with_plan(t: Teller, facts: Facts, start: date, longest: int) -> Need:
    end = t.later(start, 60, longest)
    plans = ((start, t.known(end)),) if start <= t.as_at else ()
    return t.need(facts | {"plans": plans}, t.later(end, 0, 5), "RC7")


def need_until_move(t: Teller) -> Need:
    """A child in need plan that ends when the family moves out of the area."""
    done = add_working_days(t.day, 20)
    facts: Facts = {
        "assessments": (Assessment(t.day, done, t.factors()),),
        "plans": ((add_working_days(t.day, 25), t.leave_on),),
    }
    return t.need(facts, t.leave_on, "RC5")


def enquiry_only(t: Teller) -> Need:
    """A section 47 enquiry that leads to no conference."""
    enquiry = t.enquiry(conference=False)
    assessment = t.assessment(enquiry.start)
    facts: Facts = {"assessments": (assessment,), "enquiry": enquiry}
    t.route = "E2"
    if not (assessment.done and enquiry.end):
        return t.need(facts)
    return t.need(facts, t.later(max(assessment.done, enquiry.end), 1, 10), "RC7")


def protection(t: Teller) -> Need:
    """An enquiry, its conference and, nine times in ten, a protection plan."""
    enquiry = t.enquiry(conference=True)
    facts: Facts = {"assessments": (t.assessment(enquiry.start),), "enquiry": enquiry}
    return _from_conference(t, facts, enquiry.conference_on, 0.9)


def transfer_in(t: Teller) -> Need:
    """A family that moved in under another council's plan: a transfer conference, no enquiry of ours."""
    held = t.known(add_working_days(t.day, 8))
    facts: Facts = {"assessments": (t.assessment(t.day),), "transfer_conference": held}
    return _from_conference(t, facts, held, 1.0)


def _from_conference(t: Teller, facts: Facts, held: date | None, plan_share: float) -> Need:
    t.route = "E3"
    if not held:
        return t.need(facts)
    if t.rng.random() >= plan_share:
        return _after(t, facts, held, 1.0)
    plan, end = t.plan(held)
    facts |= {"protection": plan}
    return _after(t, facts, end, 0.7) if plan.end else t.need(facts)


def _after(t: Teller, facts: Facts, day: date, plan_share: float) -> Need:
    """A child in need plan after protection, conference or care, then closure."""
    done = facts["assessments"][0].done
    if done is None:
        return t.need(facts)
    if t.rng.random() < plan_share:
        return _with_plan(t, facts, t.later(max(day, done), 0, 4), 150)
    return t.need(facts, t.later(max(day, done), 1, 6), "RC7")


def care(t: Teller) -> Need:
    """A protection plan that ends when the child comes into care; a third return home in the time told."""
    enquiry = t.enquiry(conference=True)
    facts: Facts = {"assessments": (t.assessment(enquiry.start),), "enquiry": enquiry}
    if not enquiry.conference_on:
        return t.need(facts)
    plan, _ = t.plan(enquiry.conference_on)
    entered = t.later(plan.start, 20, 65)
    if entered > t.as_at:
        return t.need(facts | {"protection": replace(plan, end=None)})
    facts["protection"] = replace(
        plan, end=entered, reviews=tuple(d for d in plan.reviews if d <= entered)
    )
    home = t.known(t.later(entered, 60, 400)) if t.rng.random() < 0.3 else None
    facts["care"] = Care(entered, home, "E4A" if home else "", t.pick("legal_status"))
    t.route = "E4"
    return _after(t, facts, home, 0.7) if home else t.need(facts)


def adoption(t: Teller) -> Need:
    """The case of a child who is placed for adoption; the order itself closes it, child by child."""
    enquiry = t.enquiry(conference=False)
    done = Assessment(enquiry.start, add_working_days(enquiry.start, 30), ("16A",))
    return t.need({"assessments": (done,), "enquiry": enquiry})


def adopted(told: Need, on: date) -> Need:
    """Close an episode on the day of the adoption order (RC1), with the care that ended by it (E12)."""
    placed = Care(add_working_days(told.referral, 40), on, "E12", "E1")
    return replace(told, closed=on, reason="RC1", care=placed)


def early_help(t: Teller) -> EarlyHelp | None:
    """Targeted early help, until the family moves if it does; None when it has not begun yet."""
    start = t.later(t.day, 2, 14)
    reason = "T6" if t.leave_on else t.pick("early_help_end")
    end = t.leave_on or t.later(start, 60, 300)
    return _helped(t, start, end, reason, t.pick("early_help_route")) if start <= t.as_at else None


def early_help_stepped_up(t: Teller) -> EarlyHelp | None:
    """Early help that ends with a referral, when that referral can still be seen."""
    start = t.later(t.day, 2, 14)
    end = t.later(start, 40, 120)
    if shift(end, 6) > t.as_at:
        end = shift(t.as_at, 1)
    return _helped(t, start, end, "T2", t.pick("early_help_route")) if start <= t.as_at else None


def early_help_after(t: Teller) -> EarlyHelp:
    """Early help that takes over from need, protection or care, within a few days."""
    told = _helped(t, t.soon(t.day, 3), t.later(t.day, 60, 300), t.pick("early_help_end"), t.route)
    return replace(told, source="5A")


def _helped(t: Teller, start: date, end: date, reason: str, route: str) -> EarlyHelp:
    done = t.known(add_working_days(start, t.rng.randint(8, 25)))
    role, agency = t.pick("lead").split()
    handed = t.later(start, 25, 40) if t.rng.random() < 0.15 else None
    if handed and handed >= min(end, t.as_at):
        handed = None
    seen = t.known(end)
    return EarlyHelp(
        t.day, t.pick("referral_source"), start, seen, reason if seen else "", t.pick("primary_need"), route,
        Assessment(start, done, t.factors() if done else ()), agency, role, agency, role == "L2", handed,
    )  # fmt: skip


TELL: Mapping[str, Callable[[Teller], Need | EarlyHelp | None]] = {
    step.__name__: step
    for step in (
        no_further_action, assessed, assessed_to_early_help, need, need_stepped_up, need_until_move, enquiry_only,
        protection, transfer_in, care, adoption, early_help, early_help_stepped_up, early_help_after,
    )
}  # fmt: skip
