"""Five ways in which a delivery can be bad: one clear error each, and the other feeds go on."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from tests.end_to_end.commands import Demo, ffp

pytestmark = pytest.mark.slow
SPOILT = ("health_csv", "probation", "police_safeguarding", "early_help", "education_attendance")
WHOLE = ("case_system", "health_fhir")


@pytest.fixture(scope="module")
def bad(
    demo: Demo, tmp_path_factory: pytest.TempPathFactory
) -> tuple[int, dict[str, object], Path]:
    """The demonstration's files of seven feeds with five of them spoilt, run into a fresh home."""
    folder = tmp_path_factory.mktemp("bad")
    landing = folder / "landing"
    for feed in (*SPOILT, *WHOLE):
        shutil.copytree(demo.landing / feed, landing / feed)
    _one(landing, "health_csv/health_RXG_children_*.csv").write_bytes(b"")
    probation = _one(landing, "probation/probation_*_person_*.ndjson")
    probation.write_bytes(probation.read_bytes()[:-40])
    _spoil_member(_one(landing, "police_safeguarding/police_51_*.zip"), "links")
    episodes = _one(landing, "early_help/eh_episodes_*.csv")
    episodes.write_bytes(episodes.read_bytes().decode("cp1252").encode("utf-16"))
    pupils = _one(landing, "education_attendance/attendance_pupils_*.csv")
    shutil.copyfile(_one(landing, "early_help/eh_persons_*.csv"), pupils)
    assert ffp("prepare", "--demo", "--home", folder / "home").returncode == 0
    done = ffp(
        "run", "--landing", landing, "--home", folder / "home", "--as-at", "2026-03-31", "--json"
    )
    return done.returncode, json.loads(done.stdout), landing


@pytest.mark.parametrize(
    ("file", "rule"),
    [
        ("health_RXG_children", "empty_file"),
        ("police_51_", "wrong_header"),
        ("eh_episodes", "wrong_encoding"),
        ("attendance_pupils", "other_feed"),
    ],
)
def test_a_bad_delivery_is_refused_with_file_rule_and_remedy(
    bad: tuple[int, dict[str, object], Path], file: str, rule: str
) -> None:
    _, summary, _ = bad
    (line,) = [text for text in summary["refused"] if text.startswith(file)]  # type: ignore[attr-defined]
    assert rule in line
    assert "Remedy: " in line


def test_a_truncated_delivery_is_named_with_its_line(
    bad: tuple[int, dict[str, object], Path],
) -> None:
    _, summary, landing = bad
    name = _one(landing, "probation/probation_*_person_*.ndjson").name
    (line,) = [text for text in summary["refused"] if text.startswith(name)]  # type: ignore[attr-defined]
    assert line.split(":")[1].isdigit()


def test_other_feeds_go_on_and_the_exit_status_says_that_some_were_refused(
    bad: tuple[int, dict[str, object], Path],
) -> None:
    status, summary, _ = bad
    assert status == 3
    feeds = {row["feed"]: row for row in summary["feeds"]}  # type: ignore[attr-defined]
    assert feeds["case_system"]["loaded"] > 0
    assert feeds["health_fhir"]["loaded"] > 0
    assert feeds["education_attendance"]["loaded"] > 0, "marks came in; only the pupils file is bad"


def test_returns_that_rest_on_a_bad_file_are_not_released_and_the_run_says_without_what(
    bad: tuple[int, dict[str, object], Path],
) -> None:
    _, summary, landing = bad
    told = {line.split(",")[0]: line for line in summary["returns_lack"]}  # type: ignore[attr-defined]
    assert set(told) == {"early_help", "education_attendance"}, "the others are for no return"
    assert "refused: eh_episodes" in told["early_help"]
    assert "Remedy: " in told["early_help"]
    assert "Not released without it: cin, ffp_quarterly, tehadc" in told["early_help"]
    assert summary["returns"] == summary["quarterly"] == []
    assert not (landing.parent / "home" / "out" / "returns").exists()


def test_nothing_is_lost_the_refused_file_stays_where_it_was(
    bad: tuple[int, dict[str, object], Path],
) -> None:
    _, summary, landing = bad
    for line in summary["refused"]:  # type: ignore[attr-defined]
        delivered = str(line).split(":")[0].split(".zip/")[0]  # of a member, its archive
        assert list(landing.rglob(f"{delivered}*"))


def _spoil_member(path: Path, table: str) -> None:
    """Pack the archive anew with a column of one member under another name."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            wrong = content.replace(b"nominal_id", b"nominal_no", 1)
            archive.writestr(name, wrong if table in name else content)


def _one(landing: Path, pattern: str) -> Path:
    return sorted(landing.glob(pattern))[0]
