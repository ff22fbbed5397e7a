"""The school rolls a child was on in the last twelve months. Children change school when they grow
from primary to secondary, when the family moves town, or in mid year; a few are registered at two;
families who come from or go outside the county join or leave a roll that day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from random import Random

from ffp_data.synthetic.people import Family, Member, age_at, shift
from ffp_data.synthetic.places import School, schools_near
from ffp_data.synthetic.rates import rates

LAST_COMPULSORY, LAST = 11, 13  # national curriculum years
LAST_PRIMARY = 6


@dataclass(frozen=True, slots=True)
class Span:
    """Time on one roll; `last` None while the child is there. status: C current, M main, S subsidiary."""

    school: School
    first: date
    last: date | None
    status: str = "C"


def academic_year(day: date) -> int:
    """Return the year in which the school year of a day began."""
    return day.year if day.month >= 9 else day.year - 1


def year_group(birth: date, day: date) -> int:
    """Return the national curriculum year on a day; 0 is reception, negative before school."""
    return age_at(birth, date(academic_year(day), 8, 31)) - 4


def spans(rng: Random, family: Family, member: Member, start: date, as_at: date) -> Iterator[Span]:
    """Yield a child's rolls that touch start..as_at, in order."""
    arrived = family.moved_on if family.from_outside and member.in_home else None
    left = family.left_on if member.in_home else None
    for span in _moved(rng, _phases(rng, member, as_at), member, start, as_at):
        first = max(span.first, shift(arrived, 5)) if arrived else span.first
        last = min(span.last or as_at, left) if left else span.last
        last = None if last and last >= as_at else last
        if first <= (last or as_at) and (last is None or last >= start):
            yield replace(span, first=first, last=last)


def _phases(rng: Random, member: Member, as_at: date) -> list[Span]:
    """One span for each phase of school in this school year and the one before."""
    birth, this_year = member.person.birth, academic_year(as_at)
    highest = LAST if rng.random() < rates("education")["post_16_on_roll"] else LAST_COMPULSORY
    found: list[Span] = []
    for year in (this_year - 1, this_year):
        first, last = date(year, 9, 3), date(year + 1, 7, 22)
        group = year_group(birth, first)
        if not 0 <= group <= highest:
            continue
        phase = "primary" if group <= LAST_PRIMARY else "secondary"
        if found and found[-1].school.phase == phase:
            found[-1] = replace(found[-1], last=last)
            continue
        years_there = group if phase == "primary" else group - LAST_PRIMARY - 1
        town = member.address_on(shift(first, 30)).town
        school = rng.choice(schools_near(town, phase))
        found.append(Span(school, date(year - min(years_there, 4), 9, 3), last))
    return found


def _moved(
    rng: Random, found: list[Span], member: Member, start: date, as_at: date
) -> Iterator[Span]:
    chance = rates("education")
    for span in found:
        on = _changes_on(rng, member, start)
        if on and span.first < on < min(span.last or as_at, as_at):
            school = rng.choice(schools_near(member.address_on(as_at).town, span.school.phase))
            yield replace(span, last=on)
            yield Span(school, shift(on, rng.choice((1, 1, 4, 9))), span.last)
        elif span.school.phase == "secondary" and rng.random() < chance["dual_registration"]:
            yield replace(span, status="M")
            provision = schools_near("", "other")[0]
            yield Span(provision, max(span.first, shift(start, 40)), span.last, "S")
        else:
            yield span


def _changes_on(rng: Random, member: Member, start: date) -> date | None:
    """Return the day of a change of school: most moves of town bring one, a few have no such reason."""
    moved_town = member.before and member.before.town != member.home.town
    if member.moved_on and moved_town and rng.random() < 0.7:
        return member.moved_on
    if rng.random() < rates("education")["mid_year_move"]:
        return shift(start, rng.randrange(30, 330))
    return None
