"""Sessions end with the day, with an idle hour, and with the user's word; a token holds once."""

from __future__ import annotations

import pytest

from ffp_data.web.session import (
    IDLE,
    LONGEST,
    LOOKING,
    FormRefusedError,
    Sessions,
    SignInNeededError,
)
from ffp_data.web.users import User

WREN = User(name="Wren", role="practitioner")


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_an_idle_hour_ends_a_session() -> None:
    clock = Clock()
    sessions = Sessions(clock)
    cookie = sessions.begin("a", WREN)
    clock.now += IDLE - 1
    assert sessions.find(cookie).key == "a"
    clock.now += IDLE
    with pytest.raises(SignInNeededError):
        sessions.find(cookie)


def test_a_working_day_ends_a_busy_session() -> None:
    clock = Clock()
    sessions = Sessions(clock)
    cookie = sessions.begin("a", WREN)
    for _ in range(LONGEST // (IDLE // 2) - 1):
        clock.now += IDLE // 2
        sessions.find(cookie)
    clock.now += IDLE // 2
    with pytest.raises(SignInNeededError):
        sessions.find(cookie)


def test_a_token_of_one_session_is_none_of_another() -> None:
    sessions = Sessions()
    one, other = (sessions.find(sessions.begin(name, WREN)) for name in "ab")
    token = sessions.form_token(one)
    with pytest.raises(FormRefusedError):
        sessions.use(other, token)
    sessions.use(one, token)
    with pytest.raises(FormRefusedError):
        sessions.use(one, token)


def test_a_reason_counts_for_an_hour_and_one_child() -> None:
    clock = Clock()
    sessions = Sessions(clock)
    session = sessions.find(sessions.begin("a", WREN))
    sessions.give_reason(session, "c1", "why")
    assert sessions.reason_for(session, "c1") == "why"
    assert sessions.reason_for(session, "c2") is None
    clock.now += LOOKING
    assert sessions.reason_for(session, "c1") is None
