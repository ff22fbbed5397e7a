"""The whole page: sections in the order in which a reader asks, with a list of contents.

One file that asks nothing of any other: style inside, pictures inside, no script. A content security
policy forbids the rest, the style being allowed by its hash alone.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path

from linkage.report import quality_sections, sections
from linkage.report.element import Html, joined, tag
from linkage.report.run import Run

_STYLE = Path(__file__).with_name("page.css").read_text(encoding="utf-8")

_Section = tuple[str, str, Callable[[Run], Html]]


def page(run: Run) -> str:
    """The page as text."""
    chosen = _sections(run)
    title = f"Linkage report: {run.model.name}, version {run.model.version}"
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = joined(
        [
            Html('<meta charset="utf-8">'),
            Html(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
            Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            Html('<meta name="referrer" content="no-referrer">'),
            tag("title", title),
            Html(f"<style>{_STYLE}</style>"),
        ]
    )
    links = [tag("li", tag("a", name, href=f"#{anchor}")) for anchor, name, _ in chosen]
    body = [
        tag("a", "To the report", href="#main", class_="skip"),
        tag("header", tag("h1", title), tag("nav", tag("ul", *links), aria_label="Contents")),
        tag("main", *(_section(run, *s) for s in chosen), id="main"),
        tag(
            "footer",
            "Pairs are shown by record id, level and weight; values of people are nowhere on this page. "
            "Weights are bits: 0 is even odds that two records are one person, each bit doubles the odds.",
        ),
    ]
    return f'<!doctype html>\n<html lang="en">{tag("head", head)}{tag("body", *body)}</html>\n'


def _section(run: Run, anchor: str, name: str, write: Callable[[Run], Html]) -> Html:
    heading = tag("h2", name, id=f"{anchor}-title")
    return tag("section", heading, write(run), id=anchor, aria_labelledby=f"{anchor}-title")


def _sections(run: Run) -> list[_Section]:
    with_truth: list[_Section] = []
    if run.quality:
        with_truth.append(("quality", "Quality against the known truth", quality_sections.figures))
        if run.quality["by"]:
            with_truth.append(("groups", "Is any group behind?", quality_sections.groups))
    return [
        ("words", "In words", sections.summary),
        *with_truth,
        ("weights", "Weights of the pairs", sections.weights),
        ("examples", "How single pairs were judged", sections.examples),
        ("clusters", "Clusters", sections.clusters),
        ("parameters", "What was learnt", sections.parameters),
        ("rules", "Which pairs were compared", sections.rules),
        ("training", "Was the learning sound?", sections.training),
    ]
