"""A child's page by keyboard alone, in large text and on paper, in a real browser."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from tests.end_to_end.looker import Looker

pytestmark = pytest.mark.slow

FOCUSED = """() => {
  const e = document.activeElement, seen = e.labels && e.labels.length ? e.labels[0] : e;
  const words = (seen.innerText || e.value || e.textContent || '').trim();
  const marked = s => s.outlineStyle !== 'none' || s.boxShadow !== 'none';
  const shows = marked(getComputedStyle(e)) || marked(getComputedStyle(seen, '::before'));
  return [e.tagName, words, shows];
}"""
"""What has the keyboard: its tag, its label or words, and whether that can be seen."""


class Keyboard:
    """Somebody who has no mouse; every stop of the keyboard must be seen."""

    def __init__(self, tab: Any) -> None:
        self.tab = tab

    def to(self, words: str, most: int = 60) -> None:
        """Press Tab until what begins with these words has the keyboard."""
        for _ in range(most):
            self.tab.keyboard.press("Tab")
            tag, said, is_seen = self.tab.evaluate(FOCUSED)
            if tag == "BODY":  # past the last stop, on the way round to the first
                continue
            assert is_seen, f"{tag} {said!r} has the keyboard and does not show it"
            if said.startswith(words):
                return
        raise AssertionError(f"{words!r} is not reached with {most} tabs from the top of the page")

    def enter(self) -> None:
        with self.tab.expect_navigation():
            self.tab.keyboard.press("Enter")


def test_tab_and_enter_are_enough_to_sign_in_read_filter_search_and_sign_out(
    looker: Looker,
) -> None:
    tab, keys = looker.tab, Keyboard(looker.tab)
    looker.go("/sign-in")
    keys.to("Skip to main content", most=1)
    tab.keyboard.press("Enter")  # past the header
    keys.to("Georgie Kemble", most=3)
    keys.to("Sign in", most=3)
    keys.enter()
    name = tab.locator("table a").first.inner_text()
    keys.to(name)
    keys.enter()
    assert tab.locator("h1").inner_text().startswith(name)
    events = tab.locator(".moj-timeline__item").count()
    keys.to("Since")
    tab.keyboard.type("01032026")  # day, month, year, as the field of an English browser takes them
    keys.to("Show")
    keys.enter()
    assert "since=" in tab.url
    assert tab.locator(".moj-timeline__item").count() <= events
    keys.to("Search")
    keys.enter()
    keys.to("Name, birth date")
    tab.keyboard.type("smith")
    keys.enter()
    assert tab.locator(".hub-hits li").count()
    keys.to("Sign out")
    keys.enter()
    assert tab.title().startswith("Sign in")
    assert looker.complaints == []


def test_text_of_twice_the_size_loses_nothing_and_scrolls_down_alone(looker: Looker) -> None:
    tab = looker.tab
    looker.sign_in("family-help")
    looker.open(tab.locator("table a").first)
    words = looker.words
    tab.evaluate("document.documentElement.style.fontSize = '200%'")
    assert looker.words == words
    sideways = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert tab.evaluate(sideways) == 0
    cut = """() => [...document.querySelectorAll('main *')].filter(e => e.childElementCount === 0
      && e.scrollHeight > e.clientHeight + 2 && getComputedStyle(e).overflow === 'hidden'
      && !e.classList.contains('govuk-visually-hidden')).map(e => e.textContent)"""
    assert tab.evaluate(cut) == []


def test_a_child_on_paper_is_the_child_alone_with_nothing_folded_away(looker: Looker) -> None:
    tab = looker.tab
    looker.sign_in("family-help")
    looker.open(tab.locator("table a").first)
    name = tab.title().partition(" – ")[0]
    folded = tab.locator("details li strong").first.text_content()
    paper = PdfReader(BytesIO(tab.pdf(format="A4")))
    text = "\n".join(page.extract_text() for page in paper.pages)
    assert name in text
    assert folded in text
    assert "Printed by Georgie Kemble" in text
    for menu in ("Skip to main content", "Sign out", "My children", "Accessibility", "/children/"):
        assert menu not in text
    assert len(paper.pages) <= 2 + text.count("\n") // 40  # about as many as the words need
