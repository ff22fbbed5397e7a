"""The record of processing (UK GDPR Article 30), declared and observed.

Each agreement is one processing with what Article 30 asks and what the ICO adds: the Schedule 1
condition, the lawful basis, whether retention is kept. Then comes what the hub did: columns given
and stored that no agreement declares (there must be none), and what is agreed and was never used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from governance.documents.facts import Facts, Terms, period
from governance.documents.page import Document, Section, Table
from governance.documents.verbs import law_enforcement
from governance.policy.model import is_below

Row = tuple[str | tuple[str, ...], ...]

HEADS = (
    "Processing",
    "Controllers and processors",
    "Purposes",
    "People",
    "Categories of data",
    "Recipients",
    "Lawful basis",
    "Legal gateway",
    "Kept for",
    "Transfers abroad",
    "Security",
    "How people are told",
    "Standing",
)


def record_of_processing(facts: Facts) -> Document:
    """Return the record of processing of the day."""
    rows = tuple(_processing(facts, name, entry) for name, entry in facts.agreements())
    return Document(
        "record-of-processing",
        f"Record of processing: {facts.partnership}",
        "What is processed under which agreement (UK GDPR Article 30), and whether the hub did just that.",
        (
            Section(
                "Processing by agreement",
                table=Table(
                    "agreements", f"One row for each agreement, as at {facts.as_at}", HEADS, rows
                ),
            ),
            _undeclared(facts),
            _given(facts),
            _unused(facts),
            law_enforcement(facts),
        ),
        facts.footer,
    )


def _processing(facts: Facts, name: str, entry: dict[str, Any] | Any) -> Row:
    terms: Terms = entry["terms"]
    return (
        f"{name}@{terms['version']} {terms['title']}",
        facts.parties(terms),
        facts.purposes(terms),
        tuple(terms["data_subjects"]),
        facts.categories_of(terms),
        _recipients(facts, terms),
        facts.basis(terms),
        facts.gateways_of(terms),
        (
            f"{period(terms['retention']['period'])} from {terms['retention']['from']}",
            terms["retention"]["disposal"],
        ),
        str(terms["transfers"]).replace("_", " "),
        tuple(terms["security"]),
        _told(terms),
        entry["not_in_force"] or "in force",
    )


def _recipients(facts: Facts, terms: Terms) -> tuple[str, ...]:
    if "recipient" in terms:
        return (facts.organisation(terms["recipient"]),)
    return facts.parties(terms, "receives")


def _told(terms: Terms) -> tuple[str, ...]:
    """Article 14: which notice, when, and who is not told and why."""
    told = terms.get("article14", {})
    lines = [f"notice {terms['privacy_notice']}"]
    lines += [told["when"]] if "when" in told else []
    lines += [f"not told: {told['exemption']}"] if "exemption" in told else []
    return tuple(lines)


def _undeclared(facts: Facts) -> Section:
    found = facts.observed.undeclared
    rows = tuple((each.what, each.where, each.policy) for each in found)
    unknown = facts.observed.unknown_locks
    said = "Nothing was given or stored that no agreement declares." if not found else ""
    not_kept = (
        f"{len(unknown)} older policies were not kept, so what rested on them cannot be judged."
        if unknown
        else ""
    )
    return Section(
        "Done and not declared",
        tuple(each for each in (said, not_kept, *_withheld(facts)) if each),
        Table(
            "undeclared",
            "What was done without an agreement",
            ("What", "Which column", "Under which policy"),
            rows,
        )
        if rows
        else None,
        f"{len(found)} columns were given or stored that no agreement declares." if found else None,
    )


def _withheld(facts: Facts) -> Iterator[str]:
    for name, columns in sorted(facts.observed.withheld.items()):
        yield f"{columns} columns are kept of {name}, which is suspended; they are shut out and used by nobody."


def _given(facts: Facts) -> Section:
    columns: dict[tuple[str, str, str], list[str]] = {}
    for each in sorted(facts.observed.given):
        key = each.recipient, each.purpose, each.relation
        columns.setdefault(key, []).append(f"{each.name} ({each.transform})")
    rows = tuple(
        (facts.organisation(recipient), _title(facts, purpose), relation, ", ".join(names))
        for (recipient, purpose, relation), names in columns.items()
    )
    return Section(
        "Done: what was given to whom",
        ("From the ledger's releases of the last twelve months.",)
        if rows
        else ("Nothing was released.",),
        Table("given", "Columns that left", ("Recipient", "Purpose", "Table", "Columns"), rows)
        if rows
        else None,
    )


def _title(facts: Facts, purpose: str) -> str:
    entry = facts.lock["purposes"].get(purpose)
    return str(entry["title"]) if entry else purpose


def _unused(facts: Facts) -> Section:
    """What is agreed and never left: to be asked about at the next review (data minimisation)."""
    rows = tuple(
        (name, facts.organisation(recipient), relation, ", ".join(columns))
        for (name, recipient, relation), columns in never_given(facts).items()
    )
    return Section(
        "Declared and not done",
        (
            "Agreed, and not given in the last twelve months: ask at the review whether it is needed.",
        )
        if rows
        else ("Everything that may leave was given.",),
        Table(
            "unused",
            "Agreed columns that did not leave",
            ("Agreement", "Recipient", "Table", "Columns"),
            rows,
        )
        if rows
        else None,
    )


def never_given(facts: Facts) -> dict[tuple[str, str, str], list[str]]:
    """Return the columns of each (agreement, recipient, table) that may leave and were not given."""
    given: dict[tuple[str, str, str, str], set[str]] = {}
    for one in facts.observed.given:
        key = one.recipient, one.relation, one.name, one.transform
        given.setdefault(key, set()).add(one.purpose)
    unused: dict[tuple[str, str, str], list[str]] = {}
    for each in facts.lock["release"]:
        served = given.get(
            (each["recipient"], each["relation"], each["name"], each["transform"]), ()
        )
        if not any(is_below(purpose, agreed) for purpose in served for agreed in each["purposes"]):
            place = each["agreement"], each["recipient"], each["relation"]
            unused.setdefault(place, []).append(each["name"])
    return unused
