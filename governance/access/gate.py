"""The gate of every read: it asks the roles, writes the answer to the ledger, then lets pass or not.

A read is written down *before* the answer is given, permitted or refused, with who, which role,
which right, for what purpose and why. The ledger never holds an identifier or a record key in clear:
each stands there as its keyed pseudonym (`Subjects`), so that all reads of one child can be found by
who holds the key and the identifier, and by nobody else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from governance.access.roles import Principal, Right, Roles
from governance.keys import KeyStore
from governance.pseudonym import pseudonymise

Append = Callable[..., object]
"""Writes one event durably: ``Ledger.append`` or something that batches its calls."""

_LABEL = "ledger/subjects"


class AccessDeniedError(Exception):
    """The principal's role lacks the right, or the reason that it must give."""

    def __init__(self, principal: Principal, right: Right, why: str) -> None:
        """Keep who asked for what, and say why not."""
        super().__init__(f"{principal.name} as {principal.role or 'nobody'}: {why}")
        self.right = right


class Subjects:
    """Turns identifiers and record keys into what the ledger may hold."""

    def __init__(self, keys: KeyStore) -> None:
        """Derive the key; it serves the ledger alone."""
        self._key = keys.key(_LABEL)

    def pseudonym(self, identifier: str) -> str:
        """The pseudonym of one identifier or record key; equal ones have equal pseudonyms."""
        return self.pseudonyms([identifier])[0]

    def pseudonyms(self, identifiers: Iterable[str]) -> list[str]:
        """The pseudonyms, in order."""
        return [token for token in pseudonymise(self._key, identifiers) if token is not None]


@dataclass(frozen=True)
class Gate:
    """Decides on reads and acts, and writes each down."""

    roles: Roles
    subjects: Subjects
    append: Append

    def read(
        self,
        principal: Principal,
        right: Right,
        *,
        subjects: Iterable[str] = (),
        reason: str | None = None,
        **facts: Any,
    ) -> None:
        """Write a read down and let it pass; raises AccessDeniedError, which is written down too.

        ``subjects``: identifiers or record keys that are read; ``facts``: counts and codes only.
        """
        told = self._refuse(principal, right, subjects, reason)
        self.append("read", **told, **facts)

    def check(
        self,
        principal: Principal,
        right: Right,
        *,
        subjects: Iterable[str] = (),
        reason: str | None = None,
    ) -> dict[str, Any]:
        """Let an act pass, or raise AccessDeniedError (written down).

        Gives the facts (who, role, right, purpose, reason, subjects) that the act's own event carries.
        """
        return self._refuse(principal, right, subjects, reason)

    def _refuse(
        self, principal: Principal, right: Right, subjects: Iterable[str], reason: str | None
    ) -> dict[str, Any]:
        told: dict[str, Any] = {
            "who": principal.name,
            "role": principal.role,
            "right": right.value,
            "purpose": self.roles.purpose(principal),
            "reason": reason,
            "subjects": self.subjects.pseudonyms(subjects),
        }
        if why := self._why_not(principal, right, reason):
            self.append("access_refused", **told, why=why)
            raise AccessDeniedError(principal, right, why)
        return told

    def _why_not(self, principal: Principal, right: Right, reason: str | None) -> str | None:
        if not self.roles.may(principal, right):
            return f"this role has no right to {right.value}; ask for one that has"
        if self.roles.needs_reason(principal, right) and not (reason or "").strip():
            return f"{right.value} needs a reason in this role; give it"
        return None
