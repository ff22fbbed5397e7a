"""Sessions, kept by the server: the cookie is a random word and nothing else.

A session ends with the working day, after an hour without a page, when its user signs out, and when the service
stops. Each form carries a token that holds once, so that neither another site nor a repeated request can act
for the user. In a session the user's reasons for looking at children of others are kept for an hour each.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ffp_data.web.users import User

COOKIE = "hub_session"
LONGEST, IDLE, LOOKING = 8 * 3600, 3600, 3600
"""Seconds: a session, a session without a page, and a reason to look at a child."""

_FORMS = 64
_SESSIONS = 10_000


class SignInNeededError(Exception):
    """Nobody is signed in, or the session has ended."""


class FormRefusedError(Exception):
    """A form without a token of this session, or sent a second time."""


@dataclass
class Session:
    """One user at one browser."""

    key: str
    user: User
    began: float
    last: float
    forms: list[str] = field(default_factory=list)
    reasons: dict[str, tuple[str, float]] = field(default_factory=dict)


class Sessions:
    """All sessions of a service; safe for several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds."""
        self._clock, self._lock = clock, threading.Lock()
        self._open: dict[str, Session] = {}

    def begin(self, key: str, user: User) -> str:
        """A new session of the user who signs in by `key`; gives its cookie."""
        now, cookie = self._clock(), secrets.token_urlsafe(32)
        with self._lock:
            self._open = {k: s for k, s in self._open.items() if self._lives(s, now)}
            while len(self._open) >= _SESSIONS:
                del self._open[next(iter(self._open))]
            self._open[cookie] = Session(key, user, now, now)
        return cookie

    def find(self, cookie: str | None) -> Session:
        """The session of a cookie; raises SignInNeededError."""
        now = self._clock()
        with self._lock:
            found = self._open.get(cookie or "")
            if found is None or not self._lives(found, now):
                self._open.pop(cookie or "", None)
                raise SignInNeededError
            found.last = now
            return found

    def end(self, cookie: str | None) -> None:
        """Forget a session."""
        with self._lock:
            self._open.pop(cookie or "", None)

    def form_token(self, session: Session) -> str:
        """A new token for a form of this session."""
        token = secrets.token_urlsafe(16)
        with self._lock:
            session.forms = [*session.forms, token][-_FORMS:]
        return token

    def use(self, session: Session, token: str) -> None:
        """Let a form pass once; raises FormRefusedError."""
        with self._lock:
            if token not in session.forms:
                raise FormRefusedError
            session.forms.remove(token)

    def give_reason(self, session: Session, child_id: str, reason: str) -> None:
        """Keep why the user looks at a child."""
        with self._lock:
            session.reasons[child_id] = (reason, self._clock() + LOOKING)

    def reason_for(self, session: Session, child_id: str) -> str | None:
        """Why the user looks at a child, while that counts."""
        with self._lock:
            reason, until = session.reasons.get(child_id, (None, 0.0))
            return reason if self._clock() < until else None

    @staticmethod
    def _lives(session: Session, now: float) -> bool:
        return now - session.began < LONGEST and now - session.last < IDLE
