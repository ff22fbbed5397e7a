"""Refusals: written to the ledger with their reason before they are raised."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from governance.grants import ReleaseDecision
from governance.ledger import Ledger
from governance.release.errors import ReleaseRefusedError
from governance.release.telling import about


def refuse_if_denied(decision: ReleaseDecision, as_at: date, ledger: Ledger) -> None:
    if not decision.allowed:
        ledger.append("release_refused", **about(decision, as_at), reason=decision.reason)
        raise ReleaseRefusedError(decision.reason)


def refuse_others(
    decision: ReleaseDecision, others: Sequence[str], as_at: date, ledger: Ledger
) -> None:
    if others:
        reason = f"{decision.agreement} does not give {', '.join(others)} to {decision.recipient}"
        ledger.append("release_refused", **about(decision, as_at), reason=reason)
        raise ReleaseRefusedError(f"{reason}; ask for agreed columns, or amend the agreement")
