"""For families: who gets what, what for, and whom to ask, in the words of the policy."""

from __future__ import annotations

from typing import Any

from governance.documents.facts import Facts, Terms, period
from governance.documents.page import Document, Section, Table

Row = tuple[str | tuple[str, ...], ...]


def privacy_notice(facts: Facts) -> Document:
    """Return the tables of the privacy notice: only agreements in force stand in them."""
    out = _in_force(facts, "outbound")
    come = _in_force(facts, "inbound")
    return Document(
        "privacy-notice",
        f"Who uses information about your family: {facts.partnership}",
        "Services that work with children share some information about them. This page says who gets what, "
        "what for, and how long they keep it.",
        (
            Section(
                "Who gets information from us",
                table=Table(
                    "given",
                    "Each organisation or team and what it gets",
                    ("Who", "What", "About whom", "What for", "How often", "Kept for", "Law"),
                    tuple(_given(facts, terms) for terms in out),
                ),
            ),
            Section(
                "Who gives information to us",
                table=Table(
                    "received",
                    "Each organisation and what it tells us",
                    ("Who", "What", "About whom", "What for", "Kept for"),
                    tuple(_received(facts, terms) for terms in come),
                ),
            ),
            Section("Your rights", _rights([*out, *come])),
        ),
        facts.footer,
    )


def _in_force(facts: Facts, direction: str) -> list[Terms]:
    return [
        entry["terms"] for _, entry in facts.agreements(direction) if entry["not_in_force"] is None
    ]


def _given(facts: Facts, terms: Terms) -> Row:
    return (
        facts.organisation(terms["recipient"]),
        _what(facts, terms),
        tuple(terms["data_subjects"]),
        (*facts.purposes(terms), terms["benefits"]),
        terms["frequency"],
        _kept(terms),
        tuple(str(facts.gateways[each]["title"]) for each in terms["gateways"]),
    )


def _received(facts: Facts, terms: Terms) -> Row:
    givers = tuple(facts.organisation(each["org"]) for each in terms["parties"] if "gives" in each)
    return (
        givers,
        _what(facts, terms),
        tuple(terms["data_subjects"]),
        (*facts.purposes(terms), terms["benefits"]),
        _kept(terms),
    )


def _what(facts: Facts, terms: Terms) -> tuple[str, ...]:
    named = dict.fromkeys(str(each["category"]) for each in terms["items"])
    return tuple(str(facts.categories[each]["title"]) for each in named)


def _kept(terms: Terms) -> str:
    return f"{period(terms['retention']['period'])} from {terms['retention']['from']}"


def _rights(agreements: list[Any]) -> tuple[str, ...]:
    """Each way to ask, once."""
    return tuple(
        dict.fromkeys(
            f"{terms['rights']['procedure']}. Write to {terms['rights']['contact']}."
            for terms in agreements
        )
    )
