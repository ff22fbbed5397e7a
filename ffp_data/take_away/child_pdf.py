"""One child on paper: the page's own facts and words (`single_view.child`), set as a tagged PDF (PDF/UA-1).

The facts reach the typesetter as data, never as source, so that no text of a feed can be taken for a command; only the
fonts that the typesetter carries are used, so that a copy looks alike wherever it is made.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from importlib import resources

import typst

from ffp_data.printable import UNKNOWN, all_plain
from ffp_data.single_view.child import ChildPage, Filters, child_page
from ffp_data.take_away.agreed import Agreed
from ffp_data.take_away.copies import Stamp

NUMBERS_LEFT_OUT = "left out, an order keeps this child's numbers from copies"
_NUMBERS = ("NHS number", "Unique pupil number")
_NOWHERE = ("Other surnames",)
"""Facts of the page that go to nobody."""

_SPOKEN = ("current", "late", "historic", "not_shared")
"""States of a service that the page shows in its table; the others stand below it."""


def compose(found: Agreed, stamp: Stamp, child_id: str, filters: Filters) -> bytes:
    """The PDF of a child whose rows were agreed; raises UnknownChildError."""
    return to_pdf(told(printed_page(found, child_id, filters), stamp, filters))


def printed_page(found: Agreed, child_id: str, filters: Filters) -> ChildPage:
    """The page as a copy may say it: without former names, and without numbers where an order leaves them out."""
    page = child_page(found.view, child_id, filters, found.shielded)
    identity = tuple(each for each in page.identity if each.label not in _NOWHERE)
    if child_id not in found.unnumbered:
        return replace(page, identity=identity)
    unnumbered = (
        replace(each, value=NUMBERS_LEFT_OUT) if each.label in _NUMBERS else each
        for each in identity
    )
    return replace(page, child_id=NUMBERS_LEFT_OUT, identity=tuple(unnumbered))


def told(page: ChildPage, stamp: Stamp, filters: Filters) -> str:
    """What the PDF says, as JSON."""
    facts = asdict(page)
    facts["spoken"] = [each for each in facts["involvements"] if each["state"] in _SPOKEN]
    facts["silent"] = [each for each in facts["involvements"] if each["state"] not in _SPOKEN]
    facts["since"] = filters.since.isoformat() if filters.since else None
    clean = all_plain({"child": facts, "stamp": asdict(stamp)})
    clean["has_unknown"] = UNKNOWN in json.dumps(clean, ensure_ascii=False)
    return json.dumps(clean, ensure_ascii=False)


def to_pdf(text: str) -> bytes:
    """Set the JSON that `told` gives."""
    source = resources.files(__package__).joinpath("child.typ").read_bytes()
    pdf = typst.compile(
        source, pdf_standards="ua-1", ignore_system_fonts=True, sys_inputs={"told": text}
    )
    assert isinstance(pdf, bytes), "one document"
    return pdf
