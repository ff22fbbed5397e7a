"""The first sheet of an extract: what it is, whose it is, how long, and what not to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from governance.grants import ReleaseDecision
from governance.xlsx import Sheet

_UNITS = {"D": "days", "M": "months", "Y": "years"}


def cover_sheet(decision: ReleaseDecision, as_at: date, rows: Mapping[str, int]) -> Sheet:
    """Return the cover as a two-column sheet of plain sentences."""
    return Sheet(
        "Read first",
        ("Subject", "What applies"),
        list(_lines(decision, as_at, rows)),
        widths=(24, 100),
        is_prose=True,
    )


def _lines(
    decision: ReleaseDecision, as_at: date, rows: Mapping[str, int]
) -> Iterator[tuple[str, str]]:
    terms = decision.terms
    yield "Agreement", f"{decision.agreement}: {terms['title']}"
    yield "Recipient", decision.recipient
    yield "Purpose", decision.purpose
    yield "Why it is shared", str(terms["benefits"])
    yield "As at", as_at.isoformat()
    for relation, count in rows.items():
        yield f"Rows in {relation.partition('.')[2]}", f"{count:,}"
    yield "Which rows", decision.cohort.title if decision.cohort else ""
    if feeds := terms["rows"].get("feeds"):
        yield "Whose facts", ", ".join(feeds)
    yield "Legal gateways", ", ".join(terms["gateways"])
    yield "Keep until", _retention(terms["retention"])
    yield from _prohibitions(decision)
    yield (
        "A person's rights",
        f"{terms['rights']['procedure']}. Write to {terms['rights']['contact']}",
    )
    breach = terms["breach"]
    yield "If it goes astray", f"Tell {breach['contact']} within {breach['hours']} hours"
    yield "Policy", decision.policy


def _prohibitions(decision: ReleaseDecision) -> Iterator[tuple[str, str]]:
    yield "Do not", "use this for any other purpose than the one named above"
    if decision.terms["onward"] == "none":
        yield "Do not", "pass it on, whole or in part, outside the recipient named above"
    if "pseudonymised" in decision.transforms.values():
        yield "Do not", "join the pseudonyms with any other extract, or try to undo them"
    yield "Do not", "take an empty cell for 'nothing happened': read the state beside it"


def _retention(retention: Mapping[str, str]) -> str:
    period = retention["period"]
    length = f"{period[1:-1]} {_UNITS[period[-1]]}"
    return f"{length} from {retention['from']}; then {retention['disposal']}"
