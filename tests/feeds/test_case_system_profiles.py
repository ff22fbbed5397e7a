"""The profiles of case systems: they name only what the contract has, and a fault is told with file, line and key."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from ffp_data import feeds
from ffp_data.cli.feeds import app
from ffp_data.feeds.case_system import PACKAGED, find_profile, profile_problems, profiles
from tests.feeds.conftest import CONTRACTS

CASES = CONTRACTS["case_system"]


@pytest.mark.parametrize("system", ["systemc", "mosaic", "eclipse", "azeus"])
def test_a_profile_names_only_tables_and_columns_of_the_contract(system: str) -> None:
    profile = find_profile(system)
    assert profile is not None
    assert list(profile_problems(profile, CASES)) == []


def test_a_profile_that_names_another_column_is_told() -> None:
    profile = profiles()["mosaic"]
    wrong = profile.model_copy(
        update={"absent": {"ssd_shoes": "none", "ssd_person.pers_shoe": "none"}}
    )
    assert list(profile_problems(wrong, CASES)) == [
        (("absent", "ssd_shoes"), "ssd_shoes is not of the contract case_system"),
        (
            ("absent", "ssd_person.pers_shoe"),
            "ssd_person.pers_shoe is not of the contract case_system",
        ),
    ]


OURS = """\
system: mosaic
label: Our Mosaic
status: inferred
source: us
about: ours
tables:
  ssd_person:
    status: inferred
    columns:
      pers_sex: {column: SEX, values: {MALE: M, GIRL: girl}}
      pers_shoe: SHOE
      pers_ethnicity: {fixed: XXXX}
  ssd_shoes: {status: inferred}
"""


def test_every_fault_of_the_profiles_of_a_home_is_told_with_file_line_and_key(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.yaml").write_text(OURS, "utf-8")
    (tmp_path / "b.yaml").write_text("system: mosaic\nlabel: Twice\nstatus: guessed\n", "utf-8")
    (tmp_path / "c.yaml").write_text("system: [\n", "utf-8")
    (tmp_path / "d.yaml").write_text(OURS.partition("tables")[0], "utf-8")
    found = [
        (Path(e.file).name, e.line, e.column, e.message)
        for e in feeds.check_profiles(tmp_path, CONTRACTS)
    ]
    columns = "tables.ssd_person.columns"
    assert [each for each in found if each[0] == "a.yaml"] == [
        ("a.yaml", 10, f"{columns}.pers_sex", "girl is no code of pers_sex"),
        ("a.yaml", 11, f"{columns}.pers_shoe", "ssd_person has no column pers_shoe"),
        ("a.yaml", 12, f"{columns}.pers_ethnicity", "XXXX is no code of pers_ethnicity"),
        ("a.yaml", 13, "tables.ssd_shoes", "the contract case_system has no table ssd_shoes"),
    ]
    assert {each[2] for each in found if each[0] == "b.yaml"} == {"status", "source", "about"}
    assert [each[3] for each in found if each[0] == "c.yaml"] == ["the file is not YAML"]
    assert [each[3] for each in found if each[0] == "d.yaml"] == [
        "mosaic has another profile in this folder already"
    ]


def test_the_packaged_profiles_and_a_home_without_any_have_no_fault(tmp_path: Path) -> None:
    assert feeds.check_profiles(PACKAGED, CONTRACTS) == []
    assert feeds.check_profiles(tmp_path / "none", CONTRACTS) == []


def test_the_command_checks_the_profiles_of_a_home(tmp_path: Path) -> None:
    place = tmp_path / "case_systems"
    place.mkdir()
    (place / "mosaic.yaml").write_text(OURS, "utf-8")
    for named in ([], [str(place / "mosaic.yaml")]):
        told = CliRunner().invoke(app, ["check", *named, "--home", str(tmp_path)])
        assert told.exit_code == 1
        assert "mosaic.yaml:10: [tables.ssd_person.columns.pers_sex]" in told.stderr
    (place / "mosaic.yaml").write_text(OURS.partition("tables")[0], "utf-8")
    told = CliRunner().invoke(app, ["check", "--home", str(tmp_path)])
    assert (told.exit_code, "no error" in told.stdout) == (0, True)


def test_a_profile_of_the_partnership_goes_before_the_packaged_one(tmp_path: Path) -> None:
    text = "system: mosaic\nlabel: Our Mosaic\nstatus: inferred\nsource: us\nabout: ours\n"
    (tmp_path / "mosaic.yaml").write_text(text, "utf-8")
    own = find_profile("mosaic", own=str(tmp_path))
    assert own is not None
    assert own.label == "Our Mosaic"
    assert [each.label for each in profiles(str(tmp_path)).values()] == [
        "Azeus", "Eclipse", "Our Mosaic", "Liquidlogic",
    ]  # fmt: skip


def test_a_fault_in_a_profile_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("system: x\nlabel: X\nstatus: guessed\n", "utf-8")
    with pytest.raises(feeds.FeedError) as caught:
        profiles(str(tmp_path))
    assert (caught.value.file, caught.value.line) == (str(tmp_path / "x.yaml"), 3)
