"""The programme lead's journey in a real browser, on the demonstration."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from tests.end_to_end.looker import Looker

pytestmark = pytest.mark.slow
QUARTER = "2025-26-Q4"

UNTOLD = """() => [...document.querySelectorAll('img.hub-picture')].filter(picture => {
  const drawn = picture.complete && picture.naturalWidth > 0;
  let next = picture.closest('p').nextElementSibling;
  while (next && !next.querySelector('table')) {
    if (next.matches('h2') || next.querySelector('img')) return true;
    next = next.nextElementSibling;
  }
  const rows = next ? next.querySelectorAll('tbody tr').length : 0;
  return !(drawn && picture.alt && rows);
}).map(picture => picture.src)"""
"""Pictures that are not drawn, say nothing, or have no table with rows before the next picture or heading."""


def test_a_programme_lead_reads_the_figures_opens_one_to_its_children_and_signs_the_quarter(
    looker: Looker,
) -> None:
    tab = looker.tab
    looker.sign_in("programme-lead")
    assert tab.url.endswith(f"/quarterly/{QUARTER}")  # where the role begins
    looker.follow("Programme")
    assert tab.locator("img.hub-picture").count() > 4
    assert tab.evaluate(UNTOLD) == []
    looker.follow("Quarterly collection")
    row = tab.locator("tbody tr", has_text="FH-1.3 ")
    figure = row.get_by_role("link").first
    children, told = int(figure.inner_text().split()[0]), row.inner_text()
    looker.open(figure)
    counted = _lines(tab, "What counts")
    assert len(counted) == len({child for child, *_ in counted}) == children
    left_out = Counter(why for *_, why in _lines(tab, "What is left out"))
    assert left_out
    for why, lines in left_out.items():
        assert f"{why}: {lines}" in told
    assert tab.locator('main a[href^="/children/"]').count() == 0  # no way to a name
    looker.follow("Back to the quarter")
    assert "Not signed." in looker.words
    looker.open(tab.get_by_role("button", name=re.compile("Sign v")))
    assert "Signed by Idris Penhale (made up), programme lead, on" in looker.words
    assert tab.get_by_role("button", name=re.compile("Sign v")).count() == 0
    looker.press("Sign out")
    assert tab.title().startswith("Sign in")
    assert looker.complaints == []


def _lines(tab: Any, table: str) -> list[list[str]]:
    """The lines of a figure's table that stand on the last day of the quarter, cell by cell."""
    rows = tab.get_by_role("region", name=table).locator("tbody tr").all()
    cells = [row.locator("td").all_inner_texts() for row in rows]
    return [line for line in cells if line[2].startswith("snapshot:")]
