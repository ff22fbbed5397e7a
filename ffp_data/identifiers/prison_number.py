"""Prison number (NOMIS id): ``A1234BC`` (HMPPS); it has no check digit."""

from __future__ import annotations

import re

from ffp_data.identifiers.result import MALFORMED, MISSING, Result, refuse
from ffp_data.identifiers.text import compact

_SHAPE = re.compile(r"[A-Za-z][0-9]{4}[A-Za-z]{2}")


def check(value: str | None) -> Result:
    """Normalise to ``A1234BC``, or say why not."""
    text = compact(value)
    if not text:
        return refuse(MISSING)
    return Result(text.upper()) if _SHAPE.fullmatch(text) else refuse(MALFORMED)
