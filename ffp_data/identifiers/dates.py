"""Birth dates that are not facts: system defaults and years outside a human life.

Case systems that demand a date get 1900-01-01 or 1970-01-01 (HMPPS name both as a
fault of their sources); 1899-12-30 is day zero of a spreadsheet. They must never
count as agreement between two records. 1 January of other years is kept: for
people whose day of birth is unknown it is the recorded date.
"""

from __future__ import annotations

import re
from datetime import date

from ffp_data.identifiers.result import MALFORMED, MISSING, PLACEHOLDER, Result, refuse

DEFAULT_DATES = frozenset({date(1899, 12, 30), date(1900, 1, 1), date(1970, 1, 1)})
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CENTURIES = ("18", "19", "20")

IMPLAUSIBLE_YEAR = "implausible_year"


def check(value: str | date | None) -> Result:
    """Normalise a date or an ISO text to ISO text, or say why not."""
    text = value.isoformat() if isinstance(value, date) else (value or "").strip(" ")
    if not text:
        return refuse(MISSING)
    if not _ISO.fullmatch(text):
        return refuse(MALFORMED)
    if not text.startswith(_CENTURIES):
        return refuse(IMPLAUSIBLE_YEAR)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return refuse(MALFORMED)
    return refuse(PLACEHOLDER) if day in DEFAULT_DATES else Result(text)


def real_date(value: date | None) -> date | None:
    """The date, or None for a default or implausible one."""
    return value if check(value).is_valid else None
