"""Managers are told of their team's looks at children of others, and only of these; officers answer their questions."""

from __future__ import annotations

import re

from ffp_data.access import Access
from tests.waiting import today
from tests.web.conftest import Visitor
from tests.web.world import World


def _look(visitor: Visitor, user: str, child_id: str, why: str) -> None:
    visitor.sign_in(user).get(f"/children/{child_id}")
    visitor.send(f"/children/{child_id}/reason", why=why, case_reference="FD-9")
    visitor.get(f"/children/{child_id}")


def _numbers(page: str, why: str) -> list[str]:
    """The events of the look that gives this reason, as its form names them."""
    (part,) = [part for part in page.split('class="hub-decision"') if why in part]
    return sorted(set(re.findall(r'name="looks" value="(\d+)"', part)))


def test_a_manager_reads_who_looked_at_whom_marks_it_and_asks_the_officer_who_answers(
    visitor: Visitor, world: World
) -> None:
    day = today()
    _look(visitor, "front-door", world.bare, "the health visitor rang")
    _look(visitor, "front-door", world.hidden, "curious about a neighbour")
    visitor.sign_in("family-help-manager")
    assert "Nobody of your team" in visitor.get("/team?day=2026-01-01").text
    page = visitor.get(f"/team?day={day}").text
    assert "the health visitor rang. Case reference FD-9." in page
    usual, odd = (
        _numbers(page, why) for why in ("the health visitor rang", "curious about a neighbour")
    )
    assert len(usual) == 2  # both pages of one look stand together
    assert "Seen by Bel Farrow" in visitor.send("/team/seen", day=day, looks=usual).text
    too_short = visitor.send("/team/ask", day=day, looks=odd, words="hm")
    assert (too_short.status_code, "There is a problem" in too_short.text) == (400, True)
    assert (
        "With the officer"
        in visitor.send("/team/ask", day=day, looks=odd, words="no case of theirs").text
    )
    asked = visitor.sign_in("ig-officer").get("/team/questions").text
    assert "no case of theirs" in asked
    assert world.hidden in asked
    number = re.findall(r"/team/questions/(\d+)", asked)[-1]
    left = visitor.send(f"/team/questions/{number}", words="spoken to, and trained again").text
    assert "no case of theirs" not in left
    answered = visitor.sign_in("family-help-manager").get(f"/team?day={day}").text
    assert "Answered by Noor Whitby (made up): spoken to, and trained again" in answered
    kinds = [event["kind"] for event in Access(world.home).ledger.events()]
    for kind in ("look_seen", "look_questioned"):
        assert kind in kinds


def test_nobody_marks_a_look_that_is_not_of_their_team_or_day(
    visitor: Visitor, world: World
) -> None:
    day = today()
    _look(visitor, "front-door", world.bare, "a call from the nursery")
    visitor.sign_in("family-help-manager").get(f"/team?day={day}")
    numbers = _numbers(visitor.page.text, "a call from the nursery")
    assert visitor.send("/team/seen", day="2026-01-01", looks=numbers).status_code == 404
    visitor.get(f"/team?day={day}")
    assert visitor.send("/team/seen", day=day, looks=[*numbers, "1"]).status_code == 404
    visitor.get(f"/team?day={day}")
    assert visitor.send("/team/seen", day="soon", looks=numbers).status_code == 404
