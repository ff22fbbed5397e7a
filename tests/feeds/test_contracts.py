"""A fault in a contract names file, line, key and remedy."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from ffp_data import feeds
from ffp_data.feeds.registry import PACKAGED

TEXT = (PACKAGED / "probation.yaml").read_text("utf-8")


@pytest.fixture
def faults(tmp_path: Path) -> Callable[[str, str], list[feeds.FeedError]]:
    """Faults of the probation contract after one text in it is replaced."""

    def check(old: str, new: str) -> list[feeds.FeedError]:
        assert old in TEXT
        (tmp_path / "probation.yaml").write_text(TEXT.replace(old, new, 1), "utf-8")
        return feeds.check_contracts(tmp_path)

    return check


def line_of(text: str) -> int:
    return TEXT[: TEXT.index(text)].count("\n") + 1


CHANGES = {
    "unknown key": ("agency:", "agentcy:"),
    "unknown type": ("logicalType: date,", "logicalType: day,"),
    "unknown code list": ("path: religion.code", "path: religion.code, codes: religions"),
    "path": ("path: gender.code", "path: gender..code"),
    "pattern": ('"^[A-Z]\\\\d{5,6}$"', '"^[A-Z"'),
    "duration": ("every: PT24H", "every: daily"),
    "person attribute": ("person: pnc_id", "person: pnc"),
}


@pytest.mark.parametrize(("old", "new"), CHANGES.values(), ids=CHANGES)
def test_a_fault_is_told_with_its_line(
    faults: Callable[[str, str], list[feeds.FeedError]], old: str, new: str
) -> None:
    found = faults(old, new)
    assert line_of(old) in {error.line for error in found}
    assert all(error.file.endswith("probation.yaml") and error.remedy for error in found)


TABLE_CHANGES = {
    "key that is no column": ("key: [crn]", "key: [number]"),
    "key that may be missing": (
        "{name: crn, logicalType: string, required: true, category: direct_identifier, path: id",
        "{name: crn, logicalType: string, category: direct_identifier, path: id",
    ),
    "two columns for one attribute": ("person: pnc_id", "person: crn"),
    "two main tables for a file": ("    explode: supervisions\n", ""),
    "no path": (", path: religion.code", ""),
}


@pytest.mark.parametrize(("old", "new"), TABLE_CHANGES.values(), ids=TABLE_CHANGES)
def test_what_one_key_demands_of_another_is_checked(
    faults: Callable[[str, str], list[feeds.FeedError]], old: str, new: str
) -> None:
    assert len(faults(old, new)) == 1


PRISON = (PACKAGED / "prison.yaml").read_text("utf-8")
RECORD_CHANGES = {
    "attribute that nobody fills": ("known: [date_of_birth]", "known: [upn]"),
    "condition on a column that is not kept": ("known: [date_of_birth]", "when: {last_name: [S]}"),
    "condition on nobody's list": ("    role: unknown  # a daughter may be forty\n", ""),
    "both ties without a condition": ("    person_if: {known: [date_of_birth]}\n", ""),
    "word of no list": ("codes: prison_contact_relationship", "codes: [SON, DAU]"),
}


@pytest.mark.parametrize(("old", "new"), RECORD_CHANGES.values(), ids=RECORD_CHANGES)
def test_what_makes_a_row_a_record_is_checked(tmp_path: Path, old: str, new: str) -> None:
    assert PRISON.count(old) == 1
    (tmp_path / "prison.yaml").write_text(PRISON.replace(old, new), "utf-8")
    (fault,) = feeds.check_contracts(tmp_path)
    assert "person_if" in fault.message or "relationship" in fault.message


def test_a_key_given_twice_is_a_fault(
    faults: Callable[[str, str], list[feeds.FeedError]],
) -> None:
    (error,) = faults("domain: probation", "domain: probation\ndomain: police")
    assert (error.rule, error.column, error.line) == (
        "double_key",
        "domain",
        line_of("domain:") + 1,
    )


def test_a_file_that_is_no_yaml_is_a_fault_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("id: [\n", "utf-8")
    (error,) = feeds.check_contracts(tmp_path)
    assert error.rule == "not_yaml"
    assert error.line is not None


def test_two_contracts_of_one_feed_are_a_fault(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(TEXT, "utf-8")
    (error,) = feeds.check_contracts(tmp_path)
    assert error.column == "id"


def test_durations() -> None:
    assert feeds.parse_duration("PT36H") == timedelta(hours=36)
    assert feeds.parse_duration("P7DT30M") == timedelta(days=7, minutes=30)
    for text in ("", "P", "PT", "7 days", "P1M"):
        with pytest.raises(ValueError, match="duration"):
            feeds.parse_duration(text)
