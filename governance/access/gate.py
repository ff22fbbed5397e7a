"""The gate of every read: it asks the roles, writes the answer to the ledger, then lets pass or not.

A read is written down *before* the answer is given, permitted or refused, with who, which role,
which right, for what purpose and why. The ledger never holds an identifier or a record key in clear:
the child's reference (`governance.subjects`) stands there, so that all reads of one child can be found by
who holds the child's key, and by nobody once it is destroyed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from governance.access.roles import Principal, Right, Roles

Append = Callable[..., object]
"""Writes one event durably: ``Ledger.append`` or something that batches its calls."""


class AccessDeniedError(Exception):
    """The principal's role lacks the right, or the reason that it must give."""

    def __init__(self, principal: Principal, right: Right, why: str) -> None:
        """Keep who asked for what, and say why not."""
        super().__init__(f"{principal.name} as {principal.role or 'nobody'}: {why}")
        self.principal, self.right, self.why = principal, right, why

    def __reduce__(self) -> tuple[type[AccessDeniedError], tuple[Principal, Right, str]]:
        """Made again from its parts, where it comes from another process."""
        return type(self), (self.principal, self.right, self.why)


class Subjects(Protocol):
    """Turns identifiers and record keys into what the ledger may hold."""

    def references(self, identifiers: Sequence[str]) -> list[str]:
        """The references, in order; a random one where nobody is known."""


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
            "subjects": self.subjects.references(list(subjects)),
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
