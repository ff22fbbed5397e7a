"""Cases are consistent in time, whatever the seed: each event follows what it must follow, and phases never overlap."""

from __future__ import annotations

from collections import Counter
from datetime import date
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ffp_data.calendar import working_days_between
from ffp_data.synthetic.care import EarlyHelp, Need
from ffp_data.synthetic.partnership import scenes
from ffp_data.synthetic.stories import Phase, ended
from tests.synthetic.conftest import AS_AT


def cases(seed: int) -> list[list[Phase]]:
    """The phases of each child of a small partnership."""
    found = []
    for scene in scenes(250, seed, AS_AT):
        for _, member in scene.unit.each():
            if phases := scene.phases(member.person):
                found.append(phases)
    return found


def in_order(*days: date | None) -> bool:
    known = [day for day in days if day]
    return known == sorted(known)


def check_need(need: Need) -> None:
    last = need.closed or AS_AT
    assert need.referral <= last <= AS_AT
    assert bool(need.closed) == bool(need.reason)
    for assessment in need.assessments:
        assert in_order(need.referral, assessment.start, assessment.done, last)
        assert bool(assessment.factors) == bool(assessment.done)
        if assessment.done is None:
            assert need.closed is None
            assert working_days_between(assessment.start, AS_AT) <= 45
    for start, end in need.plans:
        assert in_order(need.referral, start, end, last)
    if need.enquiry:
        assert in_order(need.referral, need.enquiry.start, need.enquiry.conference_on, last)
        assert in_order(need.enquiry.start, need.enquiry.end, last)
        waiting = need.enquiry.conference_due and not need.enquiry.conference_on
        assert not waiting or working_days_between(need.enquiry.start, AS_AT) <= 15
    check_protection(need, last)


def check_protection(need: Need, last: date) -> None:
    plan = need.protection
    if plan is None:
        return
    held = need.transfer_conference or (need.enquiry and need.enquiry.conference_on)
    assert plan.start == held
    assert in_order(plan.start, *plan.reviews, plan.end, last)
    previous = plan.start
    for number, review in enumerate(plan.reviews):
        assert (review - previous).days <= (93 if number == 0 else 184)
        previous = review
    for start, _ in need.plans:
        assert plan.end is not None
        assert start >= plan.end
    if need.care and need.care.end_reason != "E12":
        assert plan.end == need.care.start


@given(st.integers(0, 10**6))
def test_each_event_follows_what_it_must_follow(seed: int) -> None:
    for phases in cases(seed):
        for phase in phases:
            if isinstance(phase, Need):
                check_need(phase)
            else:
                assert in_order(phase.referral, phase.start, phase.end, AS_AT)
                assert bool(phase.end) == bool(phase.reason)


@given(st.integers(0, 10**6))
def test_phases_of_a_child_never_share_a_day(seed: int) -> None:
    for phases in cases(seed):
        for earlier, later in pairwise(phases):
            end = ended(earlier)
            assert end is not None
            assert end < later.referral


@given(st.integers(0, 10**6))
def test_steps_between_help_and_need_are_both_there(seed: int) -> None:
    for phases in cases(seed):
        for place, phase in enumerate(phases):
            following = phases[place + 1] if place + 1 < len(phases) else None
            if isinstance(phase, EarlyHelp) and phase.reason == "T2":
                assert isinstance(following, Need)
                assert following.source == "5D"
                assert (following.referral - (phase.end or AS_AT)).days <= 7
            if isinstance(phase, Need) and phase.reason == "RC9":
                assert isinstance(following, EarlyHelp)
                assert (following.start - (phase.closed or AS_AT)).days <= 14
                assert following.route == "E2"


def test_need_is_as_common_as_the_rates_say() -> None:
    """The shares that data/rates.yaml promises, of children with each service in the year."""
    children = 4_000
    found: Counter[str] = Counter()
    for scene in scenes(children, 1, AS_AT):
        for _, member in scene.unit.each():
            phases = [
                p for p in scene.phases(member.person) if (ended(p) or AS_AT) >= scene.year_start
            ]
            needs = [p for p in phases if isinstance(p, Need) and not p.nfa]
            found["early help"] += len(needs) < len(phases)
            found["need"] += bool(needs)
            found["protection"] += any(
                n.protection and (n.protection.end or AS_AT) >= scene.year_start for n in needs
            )
            found["care"] += any(
                n.care and (n.care.end or AS_AT) >= scene.year_start for n in needs
            )
    share = {service: count / children for service, count in found.items()}
    assert 0.10 < share["need"] < 0.14
    assert 0.08 < share["early help"] < 0.12
    assert 0.02 < share["protection"] < 0.04
    assert 0.01 < share["care"] < 0.02
