"""The answer that every identifier check gives: the normal form or none, and a reason.

A reason beside a normal form is a warning (the value may be kept); a reason
without one is a refusal. Reasons are stable codes: quarantine reports, contracts
and the DuckDB macros use the same words.
"""

from __future__ import annotations

from dataclasses import dataclass

MISSING = "missing"
MALFORMED = "malformed"
PLACEHOLDER = "placeholder"


@dataclass(frozen=True, slots=True)
class Result:
    """Outcome of a check; never carries the refused value."""

    normalised: str | None
    reason: str | None = None

    @property
    def is_valid(self) -> bool:
        return self.normalised is not None

    @property
    def fault(self) -> str | None:
        """The reason for a refusal; None when the value was accepted."""
        return None if self.is_valid else self.reason


def refuse(reason: str) -> Result:
    return Result(None, reason)
