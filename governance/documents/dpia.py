"""The annex to a DPIA that can be made from the policy: the ICO's steps 2, 4, 5 and 6, per agreement.

Steps 1, 3 and 7 (is one needed, who was consulted, what was decided) are the controller's own words;
the annex leaves a line for them. It is stale when the agreement gives more than at the approval.
"""

from __future__ import annotations

from typing import Any

from governance.documents.facts import Facts, Terms, period
from governance.documents.page import Document, Section, Table

RISKS = (
    (
        "Data go further than agreed",
        "only agreed columns leave, through one writer, and each release is written down",
    ),
    (
        "A child is taken for another",
        "links carry their reasons, doubtful ones wait for a person, wrong ones can be undone",
    ),
    (
        "A protected place becomes known",
        "places of those who must not be located are withheld at the release",
    ),
    (
        "A file is lost or read on its way",
        "each file is hashed and signed, sealed where the recipient has a key",
    ),
    ("Data are kept for too long", "retention is a term of the agreement and is reported on"),
)
"""Risks that follow from what the hub does, and what in the software answers them."""


def dpia_annexes(facts: Facts) -> list[Document]:
    """Return the annex of each agreement."""
    return [_annex(facts, name, entry) for name, entry in facts.agreements()]


def _annex(facts: Facts, name: str, entry: Any) -> Document:
    terms: Terms = entry["terms"]
    dpia, more = terms["dpia"], facts.stale.get(name)
    warning = (
        f"Stale: {dpia['ref']} version {dpia['version']} of {dpia['approved']} was not asked about this: "
        f"{'; '.join(more)}. Have it approved again, as a new version."
        if more
        else None
    )
    return Document(
        f"dpia/{name}",
        f"DPIA annex: {name}@{terms['version']} {terms['title']}",
        f"Annex to {dpia['ref']} version {dpia['version']}, approved {dpia['approved']}. "
        f"The agreement is {entry['not_in_force'] or 'in force'}.",
        (
            Section("State of the assessment", (_state(terms),), warning=warning),
            Section("Step 2: the processing", table=_processing(facts, terms)),
            Section(
                "Step 4: necessity and proportionality", (terms["necessity"],), _items(facts, terms)
            ),
            Section("Steps 5 and 6: risks and measures", table=_risks(terms)),
            Section(
                "Steps 1, 3 and 7: the controller's own",
                (
                    "Why it was made, who was consulted and what was decided stand in the assessment itself.",
                ),
            ),
        ),
        facts.footer,
        has_csv=False,
    )


def _state(terms: Terms) -> str:
    dpia = terms["dpia"]
    advice = str(dpia["dpo_advice"]).replace("_", " ")
    return f"Residual risk {dpia['residual_risk']}; the DPO's advice was {advice}."


def _processing(facts: Facts, terms: Terms) -> Table:
    rows: tuple[tuple[str | tuple[str, ...], ...], ...] = (
        ("Who gives", facts.parties(terms, "gives")),
        ("Who receives", facts.parties(terms, "receives")),
        ("About whom", tuple(terms["data_subjects"])),
        ("Which rows", facts.lock["cohorts"][terms["rows"]["cohort"]]["title"]),
        ("What for", facts.purposes(terms)),
        ("What gets better", terms["benefits"]),
        ("Categories", facts.categories_of(terms)),
        ("Lawful basis", facts.basis(terms)),
        ("Legal gateway", facts.gateways_of(terms)),
        ("How often, how", (terms["frequency"], terms["method"], terms["format"])),
        ("Who has access", tuple(terms["access"])),
        ("Kept for", f"{period(terms['retention']['period'])} from {terms['retention']['from']}"),
        ("Passed on", str(terms["onward"]).replace("_", " ")),
        ("Rights", terms["rights"]["procedure"]),
    )
    return Table("processing", "Nature, scope, context and purposes", ("What", "How"), rows)


def _items(facts: Facts, terms: Terms) -> Table:
    rows = tuple(
        (
            item.get("relation") or f"{item['feed']}.{item['table']}",
            ", ".join(item["columns"]),
            item.get("transform", "as delivered"),
            str(facts.categories[item["category"]]["title"]),
            item["why"],
        )
        for item in terms["items"]
    )
    heads = ("Table", "Columns", "How", "Category", "Why it is needed")
    return Table("items", "Each column with the reason why it is needed", heads, rows)


def _risks(terms: Terms) -> Table:
    measures = tuple((each, "by agreement", "") for each in terms["security"])
    risks = tuple((risk, "by the software", answer) for risk, answer in RISKS)
    heads = ("Risk or measure", "Where it is met", "How")
    return Table("risks", "Risks and the measures against them", heads, (*risks, *measures))
