"""One small partnership, run the whole way once and shared by the tests; its pages, served once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.end_to_end.adoption import Story, make_story
from tests.end_to_end.commands import Demo, run_demo
from tests.end_to_end.looker import HEIGHT, PAGE_PATIENCE, WIDTHS, Looker, served


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return run_demo(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="session")
def story(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Story:
    return make_story(demo, tmp_path_factory.mktemp("adoption"))


@pytest.fixture(scope="session")
def address(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the pages are served, of a copy of the demonstration's home, since people decide there."""
    home = tmp_path_factory.mktemp("serve") / "home"
    shutil.copytree(demo.home, home)
    with served(home) as address:
        yield address


@pytest.fixture
def looker(browser: Any, address: str) -> Iterator[Looker]:
    """Somebody who has not signed in. `browser` starts once for each file of tests: see tests/chromium.py."""
    context = browser.new_context(viewport={"width": WIDTHS[0], "height": HEIGHT})
    context.set_default_timeout(PAGE_PATIENCE)
    yield Looker(context.new_page(), address)
    context.close()
