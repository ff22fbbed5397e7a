"""Documents that information governance keeps, made from the policy and from what was done under it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from governance.documents.controls import control_evidence, load_controls, load_evidence
from governance.documents.dpia import dpia_annexes
from governance.documents.facts import Facts, HoldDue
from governance.documents.observed import NOTHING, Observed, observe
from governance.documents.page import Document, Section, Table
from governance.documents.privacy import privacy_notice
from governance.documents.processing import record_of_processing
from governance.documents.register import agreement_register

__all__ = ["NOTHING", "Facts", "HoldDue", "Observed", "observe", "write_documents"]

START = "index"


def write_documents(
    facts: Facts, folder: Path, also: Sequence[tuple[str, str, str]] = ()
) -> list[str]:
    """Write every document into ``folder``, with a page that leads to them; return their names.

    ``also``: pages that somebody else writes there: file, title and what it is.
    """
    documents = [
        record_of_processing(facts),
        agreement_register(facts),
        privacy_notice(facts),
        control_evidence(load_controls(), load_evidence(), facts.footer),
        *dpia_annexes(facts),
    ]
    for each in (*documents, _start(documents, facts, also)):
        each.write(folder)
    return [each.name for each in documents]


def _start(
    documents: list[Document], facts: Facts, also: Sequence[tuple[str, str, str]]
) -> Document:
    rows = (*((f"{each.name}.html", each.title, each.about) for each in documents), *also)
    return Document(
        START,
        f"Governance of {facts.partnership}",
        f"What is shared, why, and how that is shown, as at {facts.as_at}.",
        (
            Section(
                "Documents",
                table=Table(
                    "documents",
                    "Files of this folder",
                    ("File", "Title", "What it is"),
                    rows,
                    is_linked=True,
                ),
            ),
        ),
        facts.footer,
    )
