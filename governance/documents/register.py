"""The register of agreements: what stands on the day, what is due, what rests on which DPIA."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from governance.documents.facts import Facts, Terms, period
from governance.documents.page import Document, Section, Table

STALE_AFTER = timedelta(days=90)
"""An agreement in force that let nothing leave for so long is asked about."""

SOON = timedelta(days=90)

HEADS = (
    "Agreement",
    "Standing",
    "Direction",
    "Parties",
    "Purposes",
    "Rows",
    "Columns",
    "Starts, review, ends",
    "DPIA",
    "Kept for",
    "When it ends",
    "Signed",
    "Last release",
)


def agreement_register(facts: Facts) -> Document:
    """Return the register of the day."""
    rows = tuple(_row(facts, name, entry) for name, entry in facts.agreements())
    return Document(
        "agreement-register",
        f"Register of sharing agreements: {facts.partnership}",
        "Every agreement with its standing on the day, its parties, terms, reviews and DPIA; holds to review.",
        (
            Section(
                "Agreements",
                table=Table("agreements", f"All agreements as at {facts.as_at}", HEADS, rows),
            ),
            _due(facts),
            _holds(facts),
            _unused(facts),
        ),
        facts.footer,
    )


def _row(facts: Facts, name: str, entry: Any) -> tuple[str | tuple[str, ...], ...]:
    terms: Terms = entry["terms"]
    retention = terms["retention"]
    return (
        f"{name}@{terms['version']} {terms['title']}",
        entry["not_in_force"] or "in force",
        terms["direction"],
        facts.parties(terms),
        facts.purposes(terms),
        facts.lock["cohorts"][terms["rows"]["cohort"]]["title"],
        str(sum(len(each["columns"]) for each in terms["items"])),
        (terms["starts"], terms["review"], terms["expires"]),
        dpia_words(facts, name, terms),
        f"{period(retention['period'])} from {retention['from']}",
        terms["on_withdrawal"].replace("_", " "),
        tuple(
            f"{each['on']} {facts.organisation(each['org'])}, {each['by']}"
            for each in terms["signatures"]
        ),
        facts.observed.last_used.get(f"{name}@{terms['version']}", "none"),
    )


def dpia_words(facts: Facts, name: str, terms: Terms) -> tuple[str, ...]:
    """The DPIA with its approval; stale where the agreement gives more than it was asked about."""
    dpia = terms["dpia"]
    lines = (
        f"{dpia['ref']} version {dpia['version']}, approved {dpia['approved']}",
        f"residual risk {dpia['residual_risk']}",
    )
    more = facts.stale.get(name)
    return (*lines, f"stale: {'; '.join(more)}") if more else lines


def _due(facts: Facts) -> Section:
    day = date.fromisoformat(facts.as_at)
    rows = tuple(
        (name, *due)
        for name, entry in facts.agreements()
        if entry["not_in_force"] is None and (due := _what_is_due(facts, name, entry["terms"], day))
    )
    heads = ("Agreement", "What", "By")
    return Section(
        "Due now or soon",
        () if rows else ("No review or end within ninety days, and no DPIA to be asked again.",),
        Table("due", "Reviews, ends and DPIAs", heads, rows) if rows else None,
    )


def _what_is_due(facts: Facts, name: str, terms: Terms, day: date) -> tuple[str, str] | None:
    soon = (day + SOON).isoformat()
    if name in facts.stale:
        return f"ask the DPIA {terms['dpia']['ref']} again", "before more is shared"
    if terms["expires"] <= soon:
        return "it ends", terms["expires"]
    if terms["review"] <= soon:
        return "review", terms["review"]
    return None


def _holds(facts: Facts) -> Section:
    """Holds end when they are lifted, never by themselves: somebody has to look whether each is still needed."""
    rows = tuple((f"hold {each.number}", each.reaches, each.review) for each in facts.holds)
    heads = ("Hold", "Keeps from destruction", "Look by")
    return Section(
        "Holds due for review",
        () if rows else ("No hold is due for review within ninety days.",),
        Table(
            "holds", "Is the hold still needed? ffp hold list tells who asked for it", heads, rows
        )
        if rows
        else None,
    )


def _unused(facts: Facts) -> Section:
    oldest = (date.fromisoformat(facts.as_at) - STALE_AFTER).isoformat()
    rows = tuple(
        (f"{name}@{terms['version']}", facts.organisation(terms["recipient"]), last or "never")
        for name, entry in facts.agreements("outbound")
        if entry["not_in_force"] is None
        and (terms := entry["terms"])
        and (last := facts.observed.last_used.get(f"{name}@{terms['version']}", "")) < oldest
    )
    heads = ("Agreement", "Recipient", "Last release")
    return Section(
        "In force and not used",
        () if rows else ("Every agreement that lets something leave was used within ninety days.",),
        Table("unused", "No release for ninety days: is it still needed?", heads, rows)
        if rows
        else None,
    )
