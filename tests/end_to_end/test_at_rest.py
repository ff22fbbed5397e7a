"""What a thief of the disk can read of a finished home is what docs/operations.md says, file by file."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from ffp_data.settings import Home
from ffp_data.warehouse import connect
from tests.end_to_end.commands import Demo

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
IN_CLEAR = ("in clear", "sealed to recipients")
PACKAGED_NAMES = sorted((OPERATIONS.parents[1] / "linkage").rglob("*names_england.csv"))
"""Public lists of frequent names, which a kept model has a copy of: equal to the byte, or it is no such copy."""

WORD = re.compile(rb"[A-Za-z]{7,}|[0-9]{10}")
"""What to look for: so many letters next to each other that encrypted bytes do not spell a name by chance."""


@pytest.fixture(scope="module")
def protection() -> dict[str, str]:
    """Path -> protection, as the table under "At rest" has it."""
    text = OPERATIONS.read_text("utf-8").partition("### At rest")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.+?`) \| (.+) \|$", text, re.MULTILINE)
    return {path.strip("/"): how for paths, how in rows for path in re.findall(r"`(.+?)`", paths)}


@pytest.fixture(scope="module")
def people(demo: Demo) -> frozenset[bytes]:
    """NHS numbers and surnames of people of the partnership."""
    with connect(Home(demo.home), read_only=True) as con:
        numbers = con.execute(
            "SELECT DISTINCT nhs_number FROM identity.person_records WHERE nhs_number IS NOT NULL"
        ).fetchall()
        names = con.execute("SELECT DISTINCT surname FROM identity.person_records").fetchall()
    words = [str(word).lower().encode() for (word,) in (*numbers, *names)]
    found = frozenset(word for word in words if WORD.fullmatch(word))
    assert len(found) > 300
    return found


def names_in(path: Path, people: frozenset[bytes]) -> frozenset[bytes]:
    return people & {word.lower() for word in WORD.findall(path.read_bytes())}


def place_of(path: Path, home: Path, protection: dict[str, str]) -> str | None:
    top = path.relative_to(home).parts[0]
    for known in protection:
        if fnmatch(top, known) or fnmatch(top, f"{known}-*") or fnmatch(top, f"{known}.wal"):
            return known
    return None


def files_of(home: Path) -> list[Path]:
    return sorted(p for p in home.rglob("*") if p.is_file() and not p.is_symlink())


@pytest.mark.control("D01")
def test_every_file_of_a_home_stands_in_the_table(demo: Demo, protection: dict[str, str]) -> None:
    unknown = [p for p in files_of(demo.home) if place_of(p, demo.home, protection) is None]
    assert [str(path.relative_to(demo.home)) for path in unknown] == []


@pytest.mark.control("D01", "D06")
def test_nobody_is_named_in_any_file_but_those_that_the_table_calls_clear(
    demo: Demo, protection: dict[str, str], people: frozenset[bytes]
) -> None:
    packaged = {path.read_bytes() for path in PACKAGED_NAMES}
    named: dict[str, str] = {}
    for path in files_of(demo.home):
        place = place_of(path, demo.home, protection)
        how = protection[place] if place else ""
        if path.read_bytes() in packaged:
            continue
        if names_in(path, people) and not how.startswith(IN_CLEAR):
            named[str(path.relative_to(demo.home))] = how
    assert named == {}


def test_the_search_finds_people_where_they_stand_in_clear(
    demo: Demo, people: frozenset[bytes]
) -> None:
    """The control of the test above: the same search on what agencies delivered and on what was released."""
    for folder in (demo.landing, demo.home / "out"):
        assert any(names_in(path, people) for path in files_of(folder)), folder
