"""A run leaves no child's number outside the encrypted stores, landing, council and out."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from ffp_data.access import Access
from ffp_data.settings import Home
from tests.canaries.planting import Canaries, numbers_in
from tests.canaries.scanning import Scanner
from tests.end_to_end.commands import Demo

_APART = {"landing", "out", "council"}


@pytest.fixture(scope="module")
def scanner(demo: Demo) -> Scanner:
    """Looks for every NHS number and UPN that was delivered; names are planted by the benchmark."""
    numbers: set[str] = set()
    for path in demo.landing.rglob("*"):
        if path.is_file():
            numbers |= set(numbers_in(_content(path)))
    assert len(numbers) > 300
    return Scanner(Canaries("no-name-is-planted-here", frozenset(numbers)))


def _content(path: Path) -> bytes:
    if not zipfile.is_zipfile(path):
        return path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        return b"\n".join(archive.read(each) for each in archive.namelist())


@pytest.mark.control("D06")
def test_no_number_of_a_child_is_in_a_log_a_record_of_runs_or_a_working_file(
    demo: Demo, scanner: Scanner
) -> None:
    def is_apart(path: Path) -> bool:
        return path.relative_to(demo.home).parts[0] in _APART

    assert scanner.files(demo.home / "out")  # where they belong they are found
    assert [str(hit) for hit in scanner.files(demo.home, skip=is_apart)] == []


@pytest.mark.control("D05")
def test_the_ledger_holds_no_number_of_a_child_even_when_it_is_opened(
    demo: Demo, scanner: Scanner
) -> None:
    events = list(Access(Home(demo.home)).ledger.events())
    assert len(events) > 100
    assert scanner.text(str(events)) == []
