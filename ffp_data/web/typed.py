"""What somebody typed into a field of a page."""

from __future__ import annotations

from datetime import date


def typed_day(text: str | None) -> date | None:
    """A day such as 2026-03-31; None for nothing, and for what is no day."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
