"""Each role's pages and journeys in a real browser, on the demonstration as `ffp serve` serves it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ffp_data.settings import Home
from ffp_data.web.app import make_app
from tests.end_to_end.commands import Demo, ffp
from tests.end_to_end.looker import Looker
from tests.waiting import today
from tests.web.routes import pages_of

pytestmark = pytest.mark.slow


def found(looker: Looker) -> None:
    """What a search found."""
    looker.go("/search")
    looker.tab.get_by_label("Name, birth date").fill("smith")
    looker.press("Search")


def asked_why(looker: Looker, user: str = "") -> None:
    """The question before a child of others, not answered well."""
    if user:
        looker.sign_in(user)
    found(looker)
    looker.open(looker.tab.locator(".hub-hits a").first)
    looker.press("Look at this child")
    assert looker.tab.title().startswith("Error: Why")
    looker.complaints.clear()  # the console names the status of the refusal


PAGES: dict[str, tuple[str | Callable[[Looker], None], ...]] = {
    "nobody": ("/sign-in", "/accessibility"),
    "family-help": (
        "/",
        "/search",
        "/children/{child}",
        "/children/{child}/wrong",
        "/children/{child}/take-away",
        "/take-away",
        found,
    ),
    "front-door": (asked_why,),
    "family-help-manager": ("/", "/team", "/lists", "/lists/referred_again"),
    "programme-lead": (
        "/quarterly",
        "/quarterly/2025-26-Q4",
        "/quarterly/2025-26-Q4/figures/FN-1.2",
        "/quarterly/2025-26-Q4/checks/tehadc",
        "/quarterly/2025-26-Q4/changes",
        "/quarterly/2025-26-Q4/entries/FH-1.1",
        "/programme",
        "/lists",
        "/lists/referred_again",
    ),
    "reviewer": ("/review", "/review/clashes", "/review/figures", "/review/decisions", "/wrong"),
    "ig-officer": (
        "/governance",
        "/governance/agreements",
        "/governance/agreements/DSA-CSC-01",
        "/governance/lineage",
        "/governance/explain",
        "/governance/disclosures",
        "/governance/access",
        "/governance/withdrawal",
        "/governance/withdrawal/DSA-HOU-01",
        "/governance/orders",
        "/governance/ledger",
        "/wrong",
        "/team/questions",
    ),
    "data-engineer": ("/engineer", "/engineer/model"),
}
"""Every main page: by user of the demonstration, the address or how it is reached.

`{child}` is the first child of the user's own list. Axe, widths, console and requests are looked at on each.
"""


ELSEWHERE = {
    "GET /sign-in/begin": "leads to the provider",
    "GET /sign-in/done": "leads back from it",
    "GET /review/{item}": "looked at on the reviewer's journey",
    "GET /review/{item}/evidence": "looked at on the reviewer's journey",
    "GET /governance/documents/{path:path}": "made for print, with a style of its own",
    "GET /governance/withdrawal/{agreement}/answer": "the same page while an answer is waited for",
    "GET /programme/pictures/{name}.svg": "a picture",
    "GET /programme/published/{name}": "a file",
    "GET /engineer/model/gate": "a file",
}
"""Why a route is not in the table."""


def test_every_page_that_has_an_address_is_looked_at() -> None:
    looked = [
        page.format(child="x")
        for pages in PAGES.values()
        for page in pages
        if isinstance(page, str)
    ]
    missing = [
        page.name
        for page in pages_of(make_app(Home(Path("nowhere"))))
        if page.method == "GET"
        and page.name not in ELSEWHERE
        and not any(re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", page.path), each) for each in looked)
    ]
    assert missing == []


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


def test_a_practitioner_tells_the_owner_of_a_fact_that_it_is_wrong(looker: Looker) -> None:
    tab = looker.tab
    looker.sign_in("family-help")
    assert "Not looked at yet" in looker.words
    looker.open(tab.locator("table a").last)
    assert "for the first time" in looker.words
    name = tab.locator("h1").inner_text()
    looker.open(tab.get_by_role("link", name=re.compile("wrong here.*Who this is")))
    tab.get_by_label("Who says it").select_option("case_system")
    tab.get_by_label("What it says, and what is right").fill("the birth date is that of a brother")
    looker.press("Tell them")
    looker.look()
    looker.follow("Back to the child")
    assert tab.locator("h1").inner_text() == name
    looker.press("Sign out")
    looker.sign_in("ig-officer")
    looker.follow("Reported as wrong")
    assert "that of a brother" in looker.words
    assert "dpo@fenmarch.example" in looker.words
    looker.look()
    looker.press("Answered: remove it")
    assert "No report waits" in looker.words


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


def test_a_manager_reads_who_looked_elsewhere_and_asks_the_officer_who_answers(
    looker: Looker,
) -> None:
    tab = looker.tab
    day = today()
    asked_why(looker, "front-door")
    tab.get_by_label("Reason, without names").fill("a neighbour of mine, I wondered")
    tab.get_by_label("Case reference").fill("FD-7")
    looker.press("Look at this child")
    looker.press("Sign out")
    looker.sign_in("family-help-manager")
    looker.follow("Looks of my team")
    looker.go(f"/team?day={day}")
    look = tab.locator(".hub-decision", has_text="a neighbour of mine")
    assert "FD-7" in look.inner_text()
    look.get_by_text("Ask the officer about it").click()
    looker.look()
    look.get_by_label("What should they look into?").fill("no case of theirs is known to me")
    looker.open(look.get_by_role("button", name="Ask the officer"))
    assert "With the officer" in look.inner_text()
    looker.press("Sign out")
    looker.sign_in("ig-officer")
    looker.follow("Questions of managers")
    looker.look()
    tab.get_by_label("What came of it?").last.fill("spoken to; access is for work alone")
    looker.open(tab.get_by_role("button", name="Answer").last)
    assert "no case of theirs" not in looker.words


def test_an_engineer_reads_how_feeds_and_runs_fare_and_what_the_model_weighs(
    looker: Looker,
) -> None:
    tab = looker.tab
    looker.sign_in("data-engineer")
    assert tab.title().startswith("Feeds and runs")
    feeds = tab.locator("table").first.locator("tbody tr")
    assert feeds.count() > 10
    assert "In time" in feeds.last.inner_text().replace("\xa0", " ")
    assert "Ended well" in looker.words
    address = tab.get_by_role("link", name="in Dagster").first.get_attribute("href")
    assert re.fullmatch(r"http://127\.0\.0\.1:3000/runs/[0-9a-f-]{36}", address)
    looker.follow("What it weighs")
    assert tab.locator("svg rect").count() == tab.locator("tbody tr").count()


def test_the_demonstration_is_not_served_to_other_machines(demo: Demo) -> None:
    refused = ffp("serve", "--home", demo.home, "--host", "0.0.0.0")
    assert refused.returncode == 2
    assert "127.0.0.1 only" in refused.stderr
