"""What `codes.yaml` may say: lists of codes, their meanings and the days on which they may be used."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from ffp_data.feeds.vocabulary import StrictModel


class CodeList(StrictModel):
    """Codes with their meanings; a code may be valid only from or to a day."""

    source: str
    status: Literal["evidenced", "inferred"]
    values: dict[str, dict[str, Any] | str]

    def meanings(self) -> dict[str, str]:
        """What each code means, in words."""
        return {
            code: str(entry.get("meaning", code)) if isinstance(entry, dict) else entry
            for code, entry in self.values.items()
        }

    def periods(self) -> dict[tuple[date | None, date | None], tuple[str, ...]]:
        """Codes by the first and last day on which they may be used; None stands for no limit."""
        found: dict[tuple[date | None, date | None], list[str]] = {}
        for code, entry in self.values.items():
            said = entry if isinstance(entry, dict) else {}
            period = (_day(said.get("valid_from")), _day(said.get("valid_to")))
            found.setdefault(period, []).append(code)
        return {period: tuple(codes) for period, codes in found.items()}


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
