"""Local authority codes of the Department for Education, with ONS codes and years of use.

``la_codes.csv`` lists the authorities in DfE's published statistics "Characteristics
of children in need" (Explore education statistics; collected in the public repository
dfe-analytical-services/CSC_outcomes_and_enablers), reporting years 2013 to 2025.
``first_period`` and ``last_period`` are years in which the code appears there, not
legal dates. Closed codes stay: identifiers issued under them remain valid.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

from ffp_data.identifiers.result import MALFORMED, MISSING, Result, refuse
from ffp_data.identifiers.text import compact

_SHAPE = re.compile(r"[0-9]{3}")
# Codes inside UPNs that are no authority: 001-005 pseudo authorities, 7xx others.
_PSEUDO = re.compile(r"00[1-5]|7[0-9]{2}")

UNKNOWN_LA = "unknown_la"


@dataclass(frozen=True, slots=True)
class LocalAuthority:
    la_code: str
    ons_code: str
    la_name: str
    region: str
    first_period: int
    last_period: int
    is_current: bool


@cache
def periods() -> Sequence[LocalAuthority]:
    """Every authority in every form it has had, in order of its last year.

    A code can stand here twice: North Yorkshire kept 815 when its ONS code changed.
    """
    text = resources.files(__package__).joinpath("la_codes.csv").read_text("utf-8")
    rows = map(_authority, csv.DictReader(text.splitlines()))
    return tuple(sorted(rows, key=lambda la: (la.last_period, la.la_code)))


@cache
def authorities() -> Mapping[str, LocalAuthority]:
    """The latest form of each authority by its three-digit code."""
    return MappingProxyType({la.la_code: la for la in periods()})


def _authority(row: Mapping[str, str]) -> LocalAuthority:
    return LocalAuthority(
        la_code=row["la_code"],
        ons_code=row["ons_code"],
        la_name=row["la_name"],
        region=row["region"],
        first_period=int(row["first_period"]),
        last_period=int(row["last_period"]),
        is_current=row["current"] == "True",
    )


def is_known(code: str) -> bool:
    """Whether the digits may stand in a UPN: an authority, open or closed, or a pseudo code."""
    return code in authorities() or _PSEUDO.fullmatch(code) is not None


def check(value: str | None) -> Result:
    """Normalise to three digits; a code that the list doesn't hold is kept with a warning."""
    code = compact(value)
    if not code:
        return refuse(MISSING)
    if not _SHAPE.fullmatch(code):
        return refuse(MALFORMED)
    return Result(code, None if code in authorities() else UNKNOWN_LA)
