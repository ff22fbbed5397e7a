"""One home for all tests of look-ups; a test that changes it takes a copy."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ffp_data.access import Access
from ffp_data.home.run import Run
from ffp_data.lookups import Identify, Lookups
from ffp_data.lookups.register import Register
from ffp_data.serving import Serving, load
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
def _both(world: World) -> Iterator[tuple[Lookups, Identify]]:
    register = Register.open(world.home.hub_url)
    yield _opened(world.home, register)
    register.close()


@pytest.fixture(scope="session")
def lookups(_both: tuple[Lookups, Identify]) -> Lookups:
    return _both[0]


@pytest.fixture(scope="session")
def identify(_both: tuple[Lookups, Identify]) -> Identify:
    return _both[1]


@pytest.fixture
def open_lookups() -> Iterator[Callable[[Home], tuple[Lookups, Identify]]]:
    registers: list[Register] = []

    def open_(home: Home) -> tuple[Lookups, Identify]:
        registers.append(Register.open(home.hub_url))
        return _opened(home, registers[-1])

    yield open_
    for register in registers:
        register.close()


def _opened(home: Home, register: Register) -> tuple[Lookups, Identify]:
    access, serving = Access(home), Serving(home, load)
    return Lookups(access, register, serving), Identify(register, serving, access.gate)
