"""One small home for the tests of orders; a test that changes it takes a copy."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ffp_data.home.run import Run
from ffp_data.rights.orders import Orders
from tests.rights.small import make


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make(tmp_path_factory.mktemp("small"))


@pytest.fixture
def run(small: Run, tmp_path: Path) -> Run:
    shutil.copytree(small.home.root.parent, tmp_path / "own")
    own = tmp_path / "own"
    return Run.at(run_id="second", home=own / "home", landing=own / "landing", as_at=small.as_at)


@pytest.fixture
def orders(run: Run) -> Iterator[Orders]:
    with Orders(run.home) as opened:
        yield opened
