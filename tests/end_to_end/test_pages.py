"""Each role's pages and journeys in a real browser, on the demonstration as `ffp serve` serves it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.end_to_end.commands import Demo, ffp
from tests.end_to_end.looker import Looker

pytestmark = pytest.mark.slow


def found(looker: Looker) -> None:
    """What a search found."""
    looker.go("/search")
    looker.tab.get_by_label("Name, birth date").fill("smith")
    looker.press("Search")


def asked_why(looker: Looker) -> None:
    """The question before a child of others, not answered well."""
    found(looker)
    looker.open(looker.tab.locator(".hub-hits a").first)
    looker.press("Look at this child")
    assert looker.tab.title().startswith("Error: Why")
    looker.complaints.clear()  # the console names the status of the refusal


PAGES: dict[str, tuple[str | Callable[[Looker], None], ...]] = {
    "nobody": ("/sign-in",),
    "family-help": ("/", "/search", "/children/{child}", "/children/{child}/take-away", "/take-away", found),
    "front-door": (asked_why,),
    "family-help-manager": ("/",),
    "reviewer": ("/review", "/review/decisions"),
    "ig-officer": ("/governance", "/governance/disclosures"),
}
"""Every main page: by user of the demonstration, the address or how it is reached.

`{child}` is the first child of the user's own list. Axe, widths, console and requests are looked at on each.
"""


@pytest.mark.parametrize("user", PAGES)
def test_no_page_breaks_a_rule_of_accessibility_scrolls_sideways_or_asks_elsewhere(
    looker: Looker, user: str
) -> None:
    child = ""
    if user != "nobody":
        looker.sign_in(user)
        own = looker.tab.locator('a[href^="/children/"]')
        child = own.first.get_attribute("href").rpartition("/")[2] if own.count() else ""
    for page in PAGES[user]:
        if callable(page):
            page(looker)
        else:
            looker.go(page.format(child=child))
        looker.look()


def test_a_practitioner_signs_in_reads_a_child_of_the_team_and_filters_what_happened(
    looker: Looker,
) -> None:
    tab = looker.tab
    looker.go("/")
    tab.get_by_label("Georgie Kemble (made up)").check()
    looker.press("Sign in")
    assert tab.title().startswith("My children")
    first = tab.locator("table a").first
    name = first.inner_text()
    looker.open(first)
    assert tab.locator("h1").inner_text().startswith(name)
    events = tab.locator(".moj-timeline__item").count()
    assert events > 0
    tab.get_by_label("Since").fill("2026-03-01")
    looker.press("Show")
    assert tab.locator(".moj-timeline__item").count() < events
    looker.look()
    looker.press("Sign out")
    assert tab.title().startswith("Sign in")


def test_a_practitioner_finds_a_child_of_others_and_says_why(looker: Looker) -> None:
    tab = looker.tab
    looker.sign_in("front-door")
    found(looker)
    looker.open(tab.locator(".hub-hits a").first)
    assert tab.title().startswith("Why do you need to look?")
    tab.get_by_label("Reason, without names").fill("call from the school this morning")
    tab.get_by_label("Case reference").fill("FD-102")
    looker.press("Look at this child")
    assert "It is written down" in tab.locator(".hub-elsewhere").inner_text()
    looker.look()


def test_a_reviewer_decides_blind_then_sees_the_evidence_and_takes_it_back(looker: Looker) -> None:
    tab = looker.tab
    looker.sign_in("reviewer")
    assert tab.title().startswith("Links to review")
    looker.follow("Take the first that is free")
    looker.look()
    assert "bits" not in looker.words
    tab.get_by_label("Can't tell").check()
    tab.get_by_label("Why, in words").fill("too little stands on one side")
    looker.press("Write my verdict down")
    assert tab.title().startswith("The evidence")
    looker.look()
    weights = tab.locator("td.govuk-table__cell--numeric", has_not_text="withheld").count()
    assert tab.locator("svg rect").count() == weights
    tab.get_by_text("I have changed my mind").click()
    tab.get_by_label("Not the same person").check()
    tab.get_by_label("Why, in words").fill("another birth date")
    looker.press("Give this verdict")
    assert "written down" in tab.locator("h1").inner_text()
    looker.look()
    looker.follow("Decisions")
    looker.look()


def test_an_officer_reads_documents_the_ledger_and_who_was_told_of_a_child(looker: Looker) -> None:
    tab = looker.tab
    looker.sign_in("family-help")
    looker.open(tab.locator("table a").first)
    child_id = tab.url.rsplit("/", 1)[1]
    looker.press("Sign out")
    looker.sign_in("ig-officer")
    assert tab.title().startswith("Governance")
    looker.follow("List the disclosures of a child")
    tab.get_by_label("The child's identifier").fill(child_id)
    looker.press("List")
    looker.look()
    assert "fenmarch-family-help-north" in looker.words
    looker.follow("Governance")
    looker.press("Verify it now")
    assert tab.locator("h1").inner_text() == "The ledger is whole"
    looker.look()
    looker.go("/governance/documents/agreement-register.html")
    assert "agreements" in tab.locator("h1").inner_text()
    assert looker.complaints == []


def test_the_keyboard_alone_is_enough(looker: Looker) -> None:
    tab = looker.tab
    looker.go("/")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Skip to main content"
    tab.get_by_role("button", name="Sign in").focus()
    tab.keyboard.press("Enter")
    tab.wait_for_url(f"{looker.address}/")
    tab.locator("table a").first.focus()
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/children/*")
    tab.locator("summary").first.focus()
    tab.keyboard.press("Enter")
    assert tab.locator("details").first.get_attribute("open") is not None


def test_the_demonstration_is_not_served_to_other_machines(demo: Demo) -> None:
    refused = ffp("serve", "--home", demo.home, "--host", "0.0.0.0")
    assert refused.returncode == 2
    assert "127.0.0.1 only" in refused.stderr
