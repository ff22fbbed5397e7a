"""A person at a browser who complains of whatever a page should not do, and the server whose pages they read."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.waiting import PATIENCE, wait_until

WIDTHS = (1280, 320)
HEIGHT = 900
PAGE_PATIENCE = PATIENCE * 1000
"""Milliseconds: the first question of lineage after a change of the models works out the whole graph."""
_TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_RUN = (
    f"axe.run({{runOnly: {list(_TAGS)}, resultTypes: ['violations']}})"
    ".then(r => r.violations.map(v => [v.id, v.nodes.map(n => n.target)]))"
)
_SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


class Looker:
    """One tab of a browser, in a session of its own."""

    def __init__(self, tab: Any, address: str) -> None:
        self.tab, self.address = tab, address
        self.complaints: list[str] = []
        tab.on("console", lambda m: self.complaints.append(m.text) if m.type == "error" else None)
        tab.on("pageerror", lambda e: self.complaints.append(str(e)))
        tab.on("request", self._asked)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith(self.address):
            self.complaints.append(f"asked {request.url}")

    def sign_in(self, user: str) -> None:
        """As a user of the demonstration, by their key."""
        self.go("/sign-in")
        self.tab.locator(f'input[name="user"][value="{user}"]').check()
        self.press("Sign in")

    def go(self, path: str) -> None:
        self.tab.goto(f"{self.address}{path}")

    def press(self, words: str) -> None:
        """A button that sends a form."""
        self.open(self.tab.get_by_role("button", name=words))

    def follow(self, words: str) -> None:
        """A link."""
        self.open(self.tab.get_by_role("link", name=words, exact=True))

    def open(self, what: Any) -> None:
        """Click what leads to another page, and wait for that page."""
        with self.tab.expect_navigation():
            what.click()

    @property
    def words(self) -> str:
        """What stands on the page, but for its header and footer."""
        text: str = self.tab.locator("main").inner_text()
        return text

    def look(self, *widths: int) -> None:
        """Nothing is wrong with the page that is shown, on a desk and on a telephone."""
        self.tab.evaluate(_axe())
        for width in widths or WIDTHS:
            self.tab.set_viewport_size({"width": width, "height": HEIGHT})
            where = f"{self.tab.url} at {width}"
            assert self.tab.evaluate(_RUN) == [], where
            assert self.tab.evaluate(_SIDEWAYS) == 0, f"{where} scrolls sideways"
            assert self.complaints == [], where


def _axe() -> str:
    from axe_playwright_python.base import AXE_SCRIPT  # noqa: PLC0415  # with the browser

    return AXE_SCRIPT


@contextmanager
def served(home: Path) -> Iterator[str]:
    """`ffp serve` on a home, as a person starts it, on a port that is free; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = home.parent / "serve.log"
    program = str(Path(sys.executable).with_name("ffp"))
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("FFP_", "DAGSTER_"))}
    with log.open("w") as file:
        server = subprocess.Popen(
            [program, "serve", "--home", str(home), "--port", str(port)],
            stdout=file, stderr=subprocess.STDOUT, env=environment,
        )  # fmt: skip
        try:
            yield _ready(f"http://127.0.0.1:{port}", server, log)
        finally:
            server.terminate()
            server.wait()


def _ready(address: str, server: subprocess.Popen[bytes], log: Path) -> str:
    def answers() -> bool:
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{address}/sign-in", timeout=PATIENCE):
                return True
        except OSError:
            return False

    wait_until(answers, "the pages do not answer")
    return address
