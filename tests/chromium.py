"""The browser of the system, for tests of pages.

It lives as long as one file of tests: while Playwright is open, nothing else on the thread can run an event loop. It
takes half a second to start.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.waiting import PATIENCE


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The system's Chromium."""
    if program() is None:
        missing = "no Chromium on this machine (scripts/install-system-parts)"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    with started() as chromium:
        yield chromium


def program() -> str | None:
    """Where Chromium is."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def started() -> Iterator[Any]:
    """Chromium, until the end of the block."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # heavy

    with sync_playwright() as playwright:
        # Containers run as root and have a small /dev/shm; what is loaded is our own page.
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        chromium = playwright.chromium.launch(
            executable_path=program(),
            args=[*sandbox, "--disable-dev-shm-usage"],
            timeout=PATIENCE * 1000,
        )
        yield chromium
        chromium.close()
