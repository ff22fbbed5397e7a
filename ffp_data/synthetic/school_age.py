"""School age as the children in need census counts it, and the reason it asks for when there is
no UPN."""

from __future__ import annotations

from datetime import date

from ffp_data.synthetic.people import Person


def of_school_age(birth: date, as_at: date) -> bool:
    """True when born by 31 August six years before the August after the as-at date (CIN rule 8770Q)."""
    august = as_at.year if as_at <= date(as_at.year, 8, 31) else as_at.year + 1
    return birth <= date(august - 6, 8, 31)


def upn_unknown(person: Person, upn: str, as_at: date) -> str:
    """Return the UPN-unknown code: none with a UPN, UN1 below school age, UN4 otherwise."""
    if upn:
        return ""
    return "UN4" if of_school_age(person.birth, as_at) and not person.unborn else "UN1"
