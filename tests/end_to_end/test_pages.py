"""The practitioner's journey in a real browser, on the demonstration as `ffp serve` serves it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.commands import Demo, ffp

pytestmark = pytest.mark.slow
WIDTHS = (320, 1280)


@pytest.fixture(scope="module")
def address(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`ffp serve` on a copy of the home of the demonstration, since reviewers decide; gives where."""
    folder = tmp_path_factory.mktemp("serve")
    home, log = folder / "home", folder / "log"
    shutil.copytree(demo.home, home)
    program = str(Path(sys.executable).with_name("ffp"))
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("FFP_", "DAGSTER_"))}
    with log.open("w") as file:
        server = subprocess.Popen(
            [program, "serve", "--home", str(home), "--port", "8765"],
            stdout=file, stderr=subprocess.STDOUT, env=environment,
        )  # fmt: skip
        try:
            yield _ready("http://127.0.0.1:8765", server, log)
        finally:
            server.terminate()
            server.wait()


def _ready(address: str, server: subprocess.Popen[bytes], log: Path) -> str:
    for _ in range(300):
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{address}/sign-in", timeout=5):
                return address
        except OSError:
            time.sleep(0.2)
    raise AssertionError(log.read_text())


class Looker:
    """A person at a browser who complains of whatever a page should not do."""

    def __init__(self, tab: Any, address: str) -> None:
        self.tab, self.address = tab, address
        self.complaints: list[str] = []
        tab.on("console", lambda m: self.complaints.append(m.text) if m.type == "error" else None)
        tab.on("pageerror", lambda e: self.complaints.append(str(e)))
        tab.on("request", self._asked)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith(self.address):
            self.complaints.append(f"asked {request.url}")

    def look(self) -> None:
        """Nothing is wrong with the page that is shown: axe, width, console, requests."""
        from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415  # with the browser

        found = Axe().run(self.tab).response["violations"]
        assert [(v["id"], [n["target"] for n in v["nodes"]]) for v in found] == [], self.tab.url
        wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert self.tab.evaluate(wider) == 0, self.tab.url
        assert self.complaints == []


@pytest.fixture(params=WIDTHS)
def looker(request: pytest.FixtureRequest, browser: Any, address: str) -> Iterator[Looker]:
    context = browser.new_context(viewport={"width": request.param, "height": 900})
    looker = Looker(context.new_page(), address)
    looker.tab.goto(f"{address}/")
    yield looker
    context.close()


def test_a_practitioner_signs_in_reads_a_child_of_the_team_and_filters_what_happened(
    looker: Looker,
) -> None:
    tab = looker.tab
    looker.look()
    tab.get_by_label("Georgie Kemble (made up)").check()
    tab.get_by_role("button", name="Sign in").click()
    assert tab.title().startswith("My children")
    looker.look()
    first = tab.locator("table a").first
    name = first.inner_text()
    first.click()
    assert tab.locator("h1").inner_text().startswith(name)
    looker.look()
    events = tab.locator(".moj-timeline__item").count()
    assert events > 0
    tab.get_by_label("Since").fill("2026-03-01")
    tab.get_by_role("button", name="Show").click()
    assert tab.locator(".moj-timeline__item").count() < events
    looker.look()
    tab.get_by_role("button", name="Sign out").click()
    assert tab.title().startswith("Sign in")


def test_a_practitioner_finds_a_child_of_others_and_says_why(looker: Looker) -> None:
    tab = looker.tab
    tab.get_by_label("Ash Ingham (made up)").check()
    tab.get_by_role("button", name="Sign in").click()
    tab.get_by_role("link", name="Search", exact=True).click()
    looker.look()
    tab.get_by_label("Name, birth date").fill("smith")
    tab.keyboard.press("Enter")
    tab.locator(".hub-hits li").first.wait_for()
    looker.look()
    tab.locator(".hub-hits a").first.click()
    assert tab.title().startswith("Why do you need to look?")
    looker.look()
    tab.get_by_label("Reason, without names").fill("call from the school this morning")
    tab.get_by_label("Case reference").fill("FD-102")
    tab.get_by_role("button", name="Look at this child").click()
    assert "It is written down" in tab.locator(".hub-elsewhere").inner_text()
    looker.look()


def test_a_reviewer_decides_blind_then_sees_the_evidence_and_takes_it_back(
    looker: Looker, request: pytest.FixtureRequest
) -> None:
    tab = looker.tab
    first = request.node.callspec.params["looker"] == WIDTHS[0]
    name = "Kit Larkin (made up)" if first else "Sam Orrell (made up)"
    tab.get_by_label(name).check()
    tab.get_by_role("button", name="Sign in").click()
    assert tab.title().startswith("Links to review")
    looker.look()
    tab.get_by_role("link", name="Take the first that is free").click()
    looker.look()
    assert "bits" not in tab.locator("main").inner_text()
    tab.get_by_label("Can't tell").check()
    tab.get_by_label("Why, in words").fill("too little stands on one side")
    tab.get_by_role("button", name="Write my verdict down").click()
    assert tab.title().startswith("The evidence")
    looker.look()
    weights = tab.locator("td.govuk-table__cell--numeric", has_not_text="withheld").count()
    assert tab.locator("svg rect").count() == weights
    tab.get_by_text("I have changed my mind").click()
    tab.get_by_label("Not the same person").check()
    tab.get_by_label("Why, in words").fill("another birth date")
    tab.get_by_role("button", name="Give this verdict").click()
    assert "written down" in tab.locator("h1").inner_text()
    looker.look()
    tab.get_by_role("link", name="Decisions").click()
    looker.look()


def test_an_officer_reads_documents_the_ledger_and_who_was_told_of_a_child(looker: Looker) -> None:
    tab = looker.tab
    tab.get_by_label("Georgie Kemble (made up)").check()
    tab.get_by_role("button", name="Sign in").click()
    tab.locator("table a").first.click()
    child_id = tab.url.rsplit("/", 1)[1]
    tab.get_by_role("button", name="Sign out").click()
    tab.get_by_label("Noor Whitby (made up)").check()
    tab.get_by_role("button", name="Sign in").click()
    assert tab.title().startswith("Governance")
    looker.look()
    tab.get_by_role("link", name="List the disclosures of a child").click()
    tab.get_by_label("The child's identifier").fill(child_id)
    tab.get_by_role("button", name="List").click()
    tab.locator("table").wait_for()
    looker.look()
    assert "fenmarch-family-help-north" in tab.locator("main").inner_text()
    tab.get_by_role("link", name="Governance", exact=True).click()
    tab.get_by_role("button", name="Verify it now").click()
    assert tab.locator("h1").inner_text() == "The ledger is whole"
    looker.look()
    tab.goto(f"{looker.address}/governance/documents/agreement-register.html")
    assert "agreements" in tab.locator("h1").inner_text()
    assert looker.complaints == []


def test_the_keyboard_alone_is_enough(looker: Looker) -> None:
    tab = looker.tab
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
