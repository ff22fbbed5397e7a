"""One home for all tests of look-ups; a test that changes it takes a copy."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ffp_data.access import Access
from ffp_data.lookups import Lookups
from ffp_data.lookups.register import Register
from ffp_data.pipeline.run import Run
from ffp_data.serving import SearchHere, Serving, load
from ffp_data.settings import Home
from tests.lookups.world import World, make_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world") / "home")


@pytest.fixture
def own_world(world: World, tmp_path: Path) -> World:
    """A copy that the test may change."""
    root = tmp_path / "home"
    shutil.copytree(world.home.root, root)
    run = Run.at(run_id="first", home=root, landing=root / "landing", as_at=world.run.as_at)
    return replace(world, run=run)


@pytest.fixture(scope="session")
def lookups(world: World) -> Iterator[Lookups]:
    with_register = Register.open(world.home.hub_url)
    serving = Serving(world.home, load)
    yield Lookups(Access(world.home), with_register, serving, SearchHere(serving))
    with_register.close()


@pytest.fixture
def open_lookups() -> Iterator[Callable[[Home], Lookups]]:
    opened: list[Register] = []

    def open_(home: Home) -> Lookups:
        opened.append(Register.open(home.hub_url))
        serving = Serving(home, load)
        return Lookups(Access(home), opened[-1], serving, SearchHere(serving))

    yield open_
    for register in opened:
        register.close()
