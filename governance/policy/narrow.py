"""An agreement may narrow what its charter allows, never widen it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from governance.policy.model import is_below
from governance.policy.source import Document, Problem

_DAYS = {"D": 1.0, "M": 30.4375, "Y": 365.25}
_REMEDY = "narrow the agreement, or change and re-sign the charter"


def days_in(period: str) -> float:
    """Return the mean length in days of an ISO 8601 duration of one unit (P6Y, P18M, P90D)."""
    return int(period[1:-1]) * _DAYS[period[-1]]


def widening_problems(agreement: Document, charter: Document) -> Iterator[Problem]:
    """Yield each point in which an agreement goes beyond its charter."""
    for message, *place in _widenings(agreement.data, charter.data):
        yield agreement.problem("widens", f"{message} ({charter.data['id']})", _REMEDY, *place)


def _widenings(child: dict[str, Any], charter: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    yield from _names(child, charter)
    yield from _accessions(child, charter)
    yield from _terms(child, charter)
    for purpose in child["purposes"]:
        if not any(is_below(purpose, agreed) for agreed in charter["purposes"]):
            yield f"purpose {purpose} is outside the charter", "purposes"
    allowed = charter["limits"]["retention"]
    if days_in(child["retention"]["period"]) > days_in(allowed):
        yield f"keeps data {child['retention']['period']}, the charter {allowed}", "retention"
    if child["starts"] < charter["starts"]:
        yield f"starts before the charter does on {charter['starts']}", "starts"
    if child["expires"] > charter["expires"]:
        yield f"outlives the charter, which ends on {charter['expires']}", "expires"


def _names(child: dict[str, Any], charter: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    named = {
        "parties": [party["org"] for party in child["parties"]],
        "gateways": child["gateways"],
        "items": [item["category"] for item in child["items"]],
    }
    for field, allowed in (
        ("parties", "parties"),
        ("gateways", "gateways"),
        ("items", "categories"),
    ):
        for name in sorted(set(named[field]) - set(charter[allowed])):
            yield f"{name} is not among the charter's {allowed}", field


def _accessions(child: dict[str, Any], charter: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """A partner is bound by the charter from the day on which it signed."""
    signed = {signature["org"]: signature["on"] for signature in charter["signatures"]}
    for party in child["parties"]:
        org = party["org"]
        if org in charter["parties"] and org not in signed:
            yield f"{org} has not signed the charter", "parties"
        elif signed.get(org, "") > child["starts"]:
            yield f"starts before {org} signed the charter on {signed[org]}", "starts"


def _terms(child: dict[str, Any], charter: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Terms that an agreement restates; those it leaves out are the charter's own."""
    terms = charter["terms"]
    for field in ("onward", "transfers"):
        if terms[field] == "none" and child.get(field, "none") != "none":
            yield f"allows {field} where the charter allows none", field
    if child.get("breach", terms["breach"])["hours"] > terms["breach"]["hours"]:
        yield f"tells of breaches later than in {terms['breach']['hours']} hours", "breach"
    for field in ("security", "quality"):
        for lost in sorted(set(terms[field]) - set(child.get(field, terms[field]))):
            yield f"drops the charter's {field} measure {lost!r}", field
