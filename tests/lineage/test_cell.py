"""How people name a cell of the single view."""

from __future__ import annotations

import pytest

from ffp_data.lineage.cell import Cell, UnknownAttributeError
from ffp_data.lineage.columns import packaged
from ffp_data.lineage.origins import rule_of, rules


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("date_of_birth", "children.date_of_birth"),
        ("children.sex", "children.sex"),
        ("flags.missing_recently", "flags.missing_recently.facts"),
        ("involvements.education", "involvements.education.state"),
        ("involvements.education.contact_name", "involvements.education.contact_name"),
        ("chronology.2026-01-05.referral", "chronology.2026-01-05.referral.summary"),
        ("family_members.mother.related_name", "family_members.mother.related_name"),
    ],
)
def test_a_cell_has_one_full_name(text: str, full: str) -> None:
    assert Cell.named(text).name == full


@pytest.mark.parametrize(
    "text", ["nowhere.x", "involvements", "attendance.academic_year", "children"]
)
def test_what_names_no_cell_is_told_how_to_name_one(text: str) -> None:
    with pytest.raises(UnknownAttributeError, match=r"write it as|there are"):
        Cell.named(text)


def test_every_column_of_every_table_of_the_single_view_has_a_rule_in_words() -> None:
    lineage = packaged()
    for table in (
        "children",
        "involvements",
        "flags",
        "attendance",
        "chronology",
        "family_members",
    ):
        for column in lineage.columns(f"single_view.{table}"):
            assert rules().rules[rule_of(Cell(table, (), column))]


def test_every_rule_in_the_file_is_used() -> None:
    used = {each.rule for each in rules().children.values()}
    used |= {"spell", "service", "event", "flag", "counted", "statement"}
    assert used == set(rules().rules)
