"""Which case a family has, from when, and who of its children takes part. A scenario is a list of
steps (data/social_care.yaml); each begins on or after the working day that follows the end of the
last, so that phases never overlap and early help is never open on a day of need."""

from __future__ import annotations

from datetime import date
from functools import cache
from random import Random

from ffp_data.calendar import add_working_days
from ffp_data.synthetic.care import EarlyHelp, Need, Story
from ffp_data.synthetic.people import Family, Person, shift
from ffp_data.synthetic.rates import rates, read_data
from ffp_data.synthetic.school_terms import on_working_day
from ffp_data.synthetic.story_steps import TELL, Teller, adopted

FURTHEST_BEFORE_BIRTH = 200  # a child not yet born joins a case at most so many days before birth
Phase = Need | EarlyHelp


@cache
def scenarios() -> dict[str, tuple[str, ...]]:
    """Return the steps of each scenario."""
    return {
        name: tuple(steps) for name, steps in read_data("social_care.yaml")["scenarios"].items()
    }


def tell(rng: Random, family: Family, as_at: date) -> Story:
    """Return the story of a family; most have none."""
    scenario = _scenario(rng, family)
    if scenario == "none":
        return Story()
    teller = Teller(rng, as_at, _first_day(rng, family, scenario, as_at), family.left_on)
    first = teller.day
    phases = _phases(teller, scenario)
    if not family.left_on and scenario != "adoption":
        phases += _again(teller, phases)
    children = _taking_part(rng, family, first, scenario)
    if not children:
        return Story()
    return Story(
        scenario, children, _contacts(teller, first), tuple(phases), _meetings(rng, phases)
    )


def part_of(person: Person, phase: Phase) -> bool:
    """True when a child of the case is in a phase: born or to be born soon, and not adopted by then."""
    if person.birth > shift(phase.referral, FURTHEST_BEFORE_BIRTH):
        return False
    return not (person.adopted_away_on and phase.referral > person.adopted_away_on)


def for_child(person: Person, phase: Phase) -> Phase:
    """Return a phase as it concerns one child: an adoption order closes the case of that child."""
    on = person.adopted_away_on
    return adopted(phase, on) if on and isinstance(phase, Need) else phase


def _scenario(rng: Random, family: Family) -> str:
    roll = rng.random()
    if any(m.person.adopted_away_on for m in family.children):
        return "adoption"
    if any(m.person.adopted for m in family.children):
        return "none"  # the adopters are known to no case under the new name
    if family.left_on:
        return "left_with_case" if roll < 0.25 else "left_with_teh" if roll < 0.4 else "none"
    if family.from_outside and roll < 0.1:
        return "moved_in_on_plan"
    for name in scenarios():
        roll -= rates("need").get(name, 0.0)
        if roll < 0:
            return name
    return "none"


def _first_day(rng: Random, family: Family, scenario: str, as_at: date) -> date:
    """Return a working day on which the first step begins, tied to the move or adoption that it leads to."""
    child = next((m.person for m in family.children if m.person.adopted_away_on), None)
    if child and child.adopted_away_on:
        begin = shift(child.adopted_away_on, -rng.randint(500, 700))
        return on_working_day(max(begin, shift(child.birth, 3)))
    if family.left_on:
        least, most = (120, 200) if scenario == "left_with_case" else (60, 200)
        return on_working_day(shift(family.left_on, -rng.randint(least, most)))
    if scenario == "moved_in_on_plan" and family.moved_on:
        return min(
            on_working_day(shift(family.moved_on, rng.randint(3, 15))), _last_working_day(as_at)
        )
    late = rng.random() < rates("need")["in_year"]
    day = shift(as_at, -rng.randint(0, 400) if late else -rng.randint(400, 730))
    if family.from_outside and family.moved_on:
        day = max(day, shift(family.moved_on, 5))
    return min(on_working_day(day), _last_working_day(as_at))


def _last_working_day(as_at: date) -> date:
    return add_working_days(as_at, 0)


def _phases(teller: Teller, scenario: str) -> list[Phase]:
    told: list[Phase] = []
    for step in scenarios()[scenario]:
        phase = TELL[step](teller) if teller.day <= teller.as_at else None
        if phase is None:
            break
        told.append(phase)
        end = ended(phase)
        if end is None:
            break
        teller.day = on_working_day(shift(end, 1))
    return told


def _again(teller: Teller, phases: list[Phase]) -> list[Phase]:
    """A fifth of the closed cases come back after some months."""
    end = ended(phases[-1]) if phases else None
    if end is None or teller.rng.random() >= rates("need")["second_scenario"]:
        return []
    teller.day = teller.later(end, 40, 250)
    return _phases(teller, teller.rng.choice(read_data("social_care.yaml")["again"]))


def ended(phase: Phase) -> date | None:
    """Return the day a phase ended, if it has."""
    return phase.end if isinstance(phase, EarlyHelp) else phase.closed


def _taking_part(rng: Random, family: Family, first: date, scenario: str) -> tuple[str, ...]:
    horizon = shift(first, FURTHEST_BEFORE_BIRTH)
    known = [m.person for m in family.children if m.in_home and m.person.birth <= horizon]
    if scenario == "adoption":
        return tuple(p.person_id for p in known if p.adopted_away_on)
    kept = [p for p in known if rng.random() >= rates("need")["child_left_out"]] or known[:1]
    return tuple(p.person_id for p in kept)


def _contacts(teller: Teller, first: date) -> tuple[tuple[date, str], ...]:
    days = (
        shift(first, -teller.rng.choice((0, 0, 1, 3, 40, 90)))
        for _ in range(teller.rng.choice((1, 1, 1, 2, 3)))
    )
    return tuple((day, teller.pick("referral_source")) for day in days)


def _meetings(rng: Random, phases: list[Phase]) -> tuple[date, ...]:
    """Days on which family group decision making is offered: once in each case with a plan or care."""
    needs = [p for p in phases if isinstance(p, Need) and (p.protection or p.care or p.plans)]
    return tuple(add_working_days(p.referral, rng.randint(10, 60)) for p in needs)
