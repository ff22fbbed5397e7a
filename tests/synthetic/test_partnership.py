"""The call as a whole: the same bytes each time, the asked number of children, nothing overwritten that isn't ours."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ffp_data.synthetic import OutputInUseError, synthesise
from tests.synthetic.conftest import AS_AT, CHILDREN, Made, read_csv

# What ends a row of one of the tables that XML files hold.
XML_ROWS = tuple(
    f"</{name}>".encode()
    for name in (
        "Pupil",
        "YearData",
        "School",
        "PupilOnRoll",
        "PupilNoLongerOnRoll",
        "TermlyAttendance",
        "SessionDetail",
    )
)


def digests(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    first, second, third = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    synthesise(first, 60, 7, AS_AT)
    synthesise(second, 60, 7, AS_AT)
    synthesise(third, 60, 8, AS_AT)
    assert digests(first) == digests(second)
    assert digests(first) != digests(third)


def test_a_second_run_replaces_its_own_output_and_leaves_nothing_behind(tmp_path: Path) -> None:
    out = tmp_path / "partnership"
    synthesise(out, 30, 1, AS_AT)
    (out / "landing" / "education_attendance" / "stale.csv").write_text("left from before")
    synthesise(out, 30, 1, AS_AT)
    assert not list(out.rglob("stale.csv"))
    assert [p.name for p in tmp_path.iterdir()] == ["partnership"]


def test_a_folder_of_somebody_else_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputInUseError, match="empty folder"):
        synthesise(tmp_path, 10, 1, AS_AT)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputInUseError, match="is a file"):
        synthesise(tmp_path / "out", 10, 1, AS_AT)


@pytest.mark.parametrize("children", [0, -1, 300_001])
def test_an_impossible_number_of_children_is_refused(tmp_path: Path, children: int) -> None:
    with pytest.raises(ValueError, match="between 1 and"):
        synthesise(tmp_path / "out", children, 1, AS_AT)


@pytest.mark.parametrize("children", [1, 2, 7, 50])
def test_there_are_exactly_as_many_children_as_asked_for(tmp_path: Path, children: int) -> None:
    summary = synthesise(tmp_path / "out", children, 3, AS_AT)
    persons = read_csv(tmp_path / "out" / "truth" / "persons.csv")
    assert summary.children == children
    assert sum(p["is_child"] == "1" and p["adopted"] != "old" for p in persons) == children
    assert summary.persons == len(persons)


def test_the_first_families_stay_the_same_when_more_are_asked_for(
    tmp_path: Path, made: Made
) -> None:
    synthesise(tmp_path / "small", 100, 20, AS_AT)
    small = read_csv(tmp_path / "small" / "truth" / "persons.csv")
    last_family = small[-1]["family_id"]  # may have been cut short to hit the number
    kept = [p for p in small if p["family_id"][:7] != last_family[:7]]
    assert len(kept) > 150
    assert made.truth("persons")[: len(kept)] == kept


def rows_in(path: Path) -> int:
    """Rows of a delivered file, by the marks at which rows end."""
    match path.suffix:
        case ".csv":
            return path.read_bytes().count(b"\n") - 1
        case ".ndjson":
            return path.read_bytes().count(b"\n")
        case ".xml":
            return sum(path.read_bytes().count(end) for end in XML_ROWS)
        case ".zip":
            with zipfile.ZipFile(path) as archive:
                return sum(archive.read(name).count(b"\n") - 1 for name in archive.namelist())
        case ".json":
            return records_in(json.loads(path.read_bytes()))
    return 0


def records_in(document: dict[str, Any]) -> int:
    """Entries of a Bundle; of a police document resources, and each link of an event to a person."""
    if document.get("resourceType") == "Bundle":
        return len(document["entry"])
    roles = [role for event in document["data"] for role in event["relationships"].values()]
    return sum(map(len, document.values())) + sum(len(role["data"]) for role in roles)


def test_the_summary_counts_every_row_delivered(made: Made) -> None:
    for feed, tables in made.summary.rows.items():
        files = (p for p in (made.folder / "landing" / feed).rglob("*") if p.is_file())
        assert sum(map(rows_in, files)) == sum(tables.values()), feed
    assert made.summary.children == CHILDREN


def test_progress_is_told_in_words(tmp_path: Path) -> None:
    words: list[str] = []
    synthesise(tmp_path / "out", 20, 1, AS_AT, progress=words.append)
    assert words[0].endswith("of 20 children")
    assert "writing CaseSystem" in words
