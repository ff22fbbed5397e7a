"""Layouts, years and rule lists as data."""

from __future__ import annotations

from pathlib import Path

import pytest

from ffp_data.identifiers import la_codes
from ffp_data.returns import cin
from ffp_data.returns.layout import LayoutError, end_year, load_layout, year_label
from ffp_data.returns.rules import load_rules


def test_years_stand_side_by_side_and_differ_only_in_data() -> None:
    assert cin.years() == ("2024-25", "2025-26", "2026-27")
    older, newer, newest = map(cin.layout, cin.years())
    assert older.tables == newer.tables == newest.tables
    assert older.code_sets["primary_need"]["N1"] != newer.code_sets["primary_need"]["N1"]
    assert (older.provisional, newer.provisional) == (None, None)


def test_the_provisional_year_has_its_new_module_only_when_it_is_asked_for() -> None:
    off, on = cin.layout("2026-27"), cin.layout("2026-27", ("PreProceedingsandFGDM",))
    assert "2026-27" in str(off.provisional)
    assert off.switched_off == ("PreProceedingsandFGDM",)
    assert {t.name for t in on.tables} - {t.name for t in off.tables} == {"cin_pre_proceedings"}
    (*_, last) = on.tables
    assert last.key_columns == ("child_key", "cin_key", "pp_key")
    assert [item.number for item in last.items] == [f"N008{n}" for n in range(26, 36)]


@pytest.mark.parametrize(
    ("year", "modules", "reason"),
    [
        ("2027-28", (), "no CIN census 2027-28 is held here: 2024-25"),
        ("2026-27", ("Other",), "no module Other"),
        ("2025-26", ("PreProceedingsandFGDM",), "no module PreProceedingsandFGDM"),
    ],
)
def test_a_year_or_module_that_is_not_held_is_named(
    year: str, modules: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(LayoutError, match=reason):
        cin.layout(year, modules)


def test_an_addition_to_a_module_that_is_not_there_names_its_file(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(
        "child: {module: Child, table: t, contents: []}\nadd: [{to: Other, module: {}}]\n",
        encoding="utf-8",
    )
    with pytest.raises(LayoutError, match=r"x\.yaml: there is no module 'Other'"):
        load_layout(path)


@pytest.mark.parametrize("label", ["2025", "2025-27", "25-26", "2025/26", "abcd-ef"])
def test_a_label_that_is_not_a_collection_year_is_refused(label: str) -> None:
    with pytest.raises(ValueError, match="like 2025-26"):
        end_year(label)


@pytest.mark.parametrize("ends", [2000, 2026, 2100])
def test_a_year_label_and_its_end_belong_together(ends: int) -> None:
    assert end_year(year_label(ends)) == ends


def test_a_layout_with_an_unknown_key_names_its_file(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("collection: CIN\nyear: 2025-26\nsurprise: 1\n", encoding="utf-8")
    with pytest.raises(LayoutError, match=r"x\.yaml(.|\n)*surprise"):
        load_layout(path)


def test_a_rule_defined_twice_is_refused(tmp_path: Path) -> None:
    rule = "{rule: '1', severity: error, fields: [A], message: m, sql: s}"
    (tmp_path / "r.yaml").write_text(
        f"module: M\nsource: s\nrules: [{rule}, {rule}]\n", encoding="utf-8"
    )
    with pytest.raises(LayoutError, match="twice: 1"):
        load_rules(tmp_path)


def test_every_authority_that_issues_upns_is_recognised() -> None:
    assert set(la_codes.authorities()) <= set(cin.la_numbers())
    assert "999" not in cin.la_numbers()


def test_every_rule_speaks_of_fields_that_the_layout_has() -> None:
    known = {i.element for t in cin.layout("2025-26").tables for i in t.items}
    groups = {"CINdetails", "Section47", "Assessments", "CINPlanDates", "ChildProtectionPlans"}
    header = {"ReferenceDate", "Year"}
    for rule in cin.rule_book("2025-26").rules:
        assert set(rule.fields) <= known | groups | header, rule.rule
        assert rule.source.startswith("DfE")
