"""The six verbs that a competent authority must log (Data Protection Act 2018 s.62), as the ledger has them.

The hub is no competent authority; its police, prison, probation and youth justice sources are. What
it does with their data is logged under the same verbs, so that they can answer for it.
"""

from __future__ import annotations

from collections.abc import Mapping

from governance.documents.facts import Facts
from governance.documents.page import Section, Table

VERBS: Mapping[str, tuple[str, ...]] = {
    "collection": ("ingest_decision", "delivery_loaded"),
    "alteration": ("identifiers_assigned", "identity_decided", "identity_decision_undone"),
    "consultation": ("read", "access_refused"),
    "disclosure": ("released", "release_refused"),
    "combination": ("identifiers_assigned",),
    "erasure": ("data_withdrawn", "delivery_retracted", "identity_sealed"),
}
"""Kinds of ledger event by verb; `ffp ledger show --kind KIND` lists them."""


def law_enforcement(facts: Facts) -> Section:
    """Return which agreements rest on law enforcement sources, and how each verb is logged."""
    marked = [
        name
        for name, entry in facts.agreements("inbound")
        if entry["terms"]["regime"] == "part3_source"
    ]
    return Section(
        "Data of competent authorities (Data Protection Act 2018 Part 3)",
        (f"Sources under {', '.join(marked) or 'no agreement'}.",),
        Table(
            "verbs",
            "What is logged of each verb of section 62; ffp ledger show --kind lists the events",
            ("Verb", "Events of the ledger"),
            tuple((verb, ", ".join(kinds)) for verb, kinds in VERBS.items()),
        ),
    )
