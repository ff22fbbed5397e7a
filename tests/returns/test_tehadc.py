"""TEHADC: rules at their edges, the cohort, the match, and formats that follow the profile."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from openpyxl import load_workbook

from ffp_data.returns import Header, LayoutError, build_return, tehadc, validate, validate_file
from ffp_data.returns.tehadc.profile import load_profile
from tests.returns.tehadc_returns import CASES, YEAR, a_return, add_child, an_empty_return

PROFILE = Path(tehadc.__file__).parent / "profiles" / f"{YEAR}.yaml"
HEADER = Header.for_year("TEHADC", YEAR, "999", datetime(2026, 6, 1, 9, tzinfo=UTC))


Case = tuple[str, Mapping[str, Any], set[str]]


def cases() -> Iterator[Case]:
    for rule, both in CASES["cases"].items():
        for side, expected in (("breaks", {rule}), ("holds", set())):
            for number, case in enumerate(both[side], 1):
                yield f"{rule}-{side}-{number}", case, expected


def is_of_a_return(case: Mapping[str, Any]) -> bool:
    return bool(case.keys() & {"set_others", "more_cin_children", "alone"})


CHILD_CASES = [found for found in cases() if not is_of_a_return(found[1])]
RETURN_CASES = [found for found in cases() if is_of_a_return(found[1])]


@pytest.fixture(scope="module")
def found_in_child() -> dict[str, set[str]]:
    """All child cases as the children of one return, validated once: key of a child to rules."""
    con = an_empty_return()
    for number, (_, case, _) in enumerate(CHILD_CASES, 1):
        add_child(con, number, case)
    names = con.execute(
        "SELECT child_key, coalesce(la_child_id, '#' || child_key) FROM returns.tehadc_children"
    ).fetchall()
    found: dict[str | None, set[str]] = {}
    for finding in validate(con, YEAR, collection="tehadc"):
        found.setdefault(finding.child, set()).add(finding.rule)
    return {key: found.get(name, set()) for key, name in names}


@pytest.mark.parametrize(
    ("number", "expected"),
    [pytest.param(n, rules, id=name) for n, (name, _, rules) in enumerate(CHILD_CASES, 1)],
)
def test_a_child_breaks_exactly_the_rule_that_its_case_names(
    number: int, expected: set[str], found_in_child: dict[str, set[str]]
) -> None:
    assert found_in_child[str(number)] == expected


@pytest.mark.parametrize(
    ("case", "expected"), [pytest.param(case, rules, id=name) for name, case, rules in RETURN_CASES]
)
def test_a_return_breaks_exactly_the_rule_that_its_case_names(
    case: Mapping[str, Any], expected: set[str]
) -> None:
    found = validate(a_return(case), YEAR, collection="tehadc")
    assert {f.rule for f in found} == expected


def test_every_rule_has_cases_on_both_sides() -> None:
    rules = [rule.rule for rule in tehadc.rule_book(YEAR).rules]
    assert rules == sorted(CASES["cases"], key=lambda code: (code.strip("TEQ"), code))
    # 21 rules of the profile; TE008 is an error and, for what is merely missing, a query.
    assert len(rules) == 22


def build(tmp_path: Path, case: Mapping[str, Any], profile: Path = PROFILE) -> Path:
    folder = tmp_path / "out"
    build_return(a_return(case), folder, HEADER, profile=load_profile(profile))
    return folder


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("case", [{"drop": ["plan"]}, {"drop": ["lead"]}])
def test_a_child_without_plan_or_lead_practitioner_is_in_no_format(
    tmp_path: Path, case: Mapping[str, Any]
) -> None:
    out = build(tmp_path, case)
    assert [r["LAchildID"] for r in rows(out / "child.csv")] == ["2", "3"]
    assert [r["LAchildID"] for r in rows(out / "flat.csv")] == ["2", "3"]
    tree = etree.parse(str(out / f"tehadc-{YEAR}-999.xml"))
    assert [e.text for e in tree.iter("LAchildID")] == ["2", "3"]
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert [f["child"] for f in report] == ["1"]  # left out, and said so


@pytest.mark.parametrize(
    ("start", "end", "is_in"),
    [
        ("2025-01-06", "2025-03-31", False),
        ("2025-01-06", "2025-04-01", True),
        ("2026-03-31", None, True),
        ("2026-04-01", None, False),
    ],
)
def test_an_episode_open_on_any_day_of_the_period_is_in(
    tmp_path: Path, start: str, end: str | None, is_in: bool
) -> None:
    episode = {"teh_start_date": start, "teh_end_date": end}
    out = build(tmp_path, {"set": {"episode": episode}})
    assert ("1" in [r["LAchildID"] for r in rows(out / "child.csv")]) is is_in


def test_the_profile_alone_changes_names_order_and_items_of_every_format(tmp_path: Path) -> None:
    path = tmp_path / "profile.yaml"
    text = PROFILE.read_text(encoding="utf-8")
    text = text.replace("TEHClosureReason", "ReasonEnded")
    text = text.replace(
        "[LAchildID, TEHEpisodeID, TEHPlanStartDate,", "[TEHPlanStartDate, LAchildID,"
    )
    text = text.replace("file: plan.csv", "file: plans_2026.csv")
    text = text.replace(
        "ref: C10, status: INFERRED, include: optional",
        "ref: C10, status: INFERRED, include: 'off'",
    )
    text = text.replace("date_format: '%Y-%m-%d'", "date_format: '%d/%m/%Y'")
    path.write_text(text, encoding="utf-8")
    out = build(tmp_path, {}, path)
    assert list(rows(out / "plans_2026.csv")[0])[:2] == ["TEHPlanStartDate", "LAchildID"]
    assert "FamilyID" not in rows(out / "child.csv")[0]
    assert rows(out / "episode.csv")[0]["ReasonEnded"] == "T1"
    assert rows(out / "episode.csv")[0]["TEHStartDate"] == "06/05/2025"
    xml = (out / f"tehadc-{YEAR}-999.xml").read_text(encoding="utf-8")
    assert "<ReasonEnded>T1</ReasonEnded>" in xml
    assert "FamilyID" not in xml


def test_a_profile_that_asks_for_a_column_that_no_table_has_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "profile.yaml"
    text = PROFILE.read_text(encoding="utf-8")
    path.write_text(
        text.replace(
            "ref: C9, status: SPECULATIVE, include: 'off'",
            "ref: C9, status: SPECULATIVE, include: core",
        ),
        encoding="utf-8",
    )
    con = a_return({})
    con.execute("ALTER TABLE returns.tehadc_children DROP COLUMN nhs_number")
    with pytest.raises(LayoutError, match="no column nhs_number"):
        build_return(con, tmp_path / "o", HEADER, profile=load_profile(path))


def test_a_format_that_names_an_unknown_item_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "profile.yaml"
    text = PROFILE.read_text(encoding="utf-8")
    path.write_text(text.replace("PersonDeathDate, Ethnicity", "DeathDay, Ethnicity"), "utf-8")
    with pytest.raises(LayoutError, match="DeathDay"):
        load_profile(path)


def test_the_cover_sheet_lists_every_item_with_its_standing(tmp_path: Path) -> None:
    book = load_workbook(build(tmp_path, {}) / f"tehadc-{YEAR}-999.xlsx")
    cover = {row[0]: row for row in book["Cover"].iter_rows(min_row=2, values_only=True)}
    profile = tehadc.profile(YEAR)
    for element, (_, item) in profile.items.items():
        assert item.evidence is not None
        assert cover[element][1] == item.evidence.status
        assert cover[element][2] == ("yes" if item.is_written else "no")
    assert "not public" in profile.status
    assert profile.status in cover
    evidenced = {item.evidence.status for _, item in profile.items.values() if item.evidence}
    assert "EVIDENCED_TEHADC" not in evidenced  # no source speaks of any single item


def test_dates_in_the_workbook_are_dates_and_text_is_never_a_formula(tmp_path: Path) -> None:
    out = build(tmp_path, {"set": {"child": {"family_id": "=1+1"}}})
    book = load_workbook(out / f"tehadc-{YEAR}-999.xlsx")
    child = dict(zip(*book["Child"].iter_rows(max_row=2), strict=True))
    cells = {heading.value: cell for heading, cell in child.items()}
    assert cells["FamilyID"].data_type == "s"
    assert cells["FamilyID"].value == "=1+1"
    assert cells["PersonBirthDate"].value.date() == date(2014, 5, 10)


def test_the_xml_reads_back_and_says_the_same_as_the_tables(tmp_path: Path) -> None:
    out = build(tmp_path, {"set": {"child": {"ethnicity": "WHITE"}}})
    findings, code = validate_file("tehadc", out / f"tehadc-{YEAR}-999.xml", YEAR)
    assert ([(f.rule, f.child) for f in findings], code) == ([("TE007", "1")], 1)


def test_a_census_file_is_not_taken_for_a_tehadc(tmp_path: Path) -> None:
    path = build(tmp_path, {}) / f"tehadc-{YEAR}-999.xml"
    (finding,), code = validate_file("cin", path, YEAR)
    assert code == 2
    assert "this is a TEHADC return, not CIN" in finding.message


def test_a_return_built_again_is_the_same_byte_for_byte(tmp_path: Path) -> None:
    first = build(tmp_path, {})
    shutil.move(first, tmp_path / "first")
    second = build(tmp_path, {})
    for path in second.iterdir():
        assert path.read_bytes() == (tmp_path / "first" / path.name).read_bytes(), path.name


def pre_match(tmp_path: Path, *cin_children: dict[str, Any]) -> dict[str, Any]:
    out = build(tmp_path, {"add": {"cin_child": list(cin_children)}})
    found: dict[str, Any] = json.loads((out / "pre-match.json").read_text(encoding="utf-8"))
    return found


def test_the_match_is_by_identifier_first_and_shows_what_differs(tmp_path: Path) -> None:
    found = pre_match(tmp_path, {"sex": "M", "ethnicity": "NOBT"})
    assert found["matched"] == {"LAchildID": 1, "UPN": 0, "birth date and sex": 0}
    assert [c["item"] for c in found["conflicts"]] == ["Ethnicity", "Sex"]
    assert found["family_help_children"] == 3


def test_one_child_under_two_identifiers_is_found_by_upn(tmp_path: Path) -> None:
    found = pre_match(tmp_path, {"la_child_id": "X9"})
    assert found["matched"] == {"LAchildID": 0, "UPN": 1, "birth date and sex": 0}
    assert [(c["item"], c["cin_value"]) for c in found["conflicts"]] == [("LAchildID", "X9")]


def test_birth_date_and_sex_match_only_when_no_other_child_shares_them(tmp_path: Path) -> None:
    # All three children of the return share them: a guess between them would be wrong.
    found = pre_match(tmp_path, {"la_child_id": "X9", "upn": None})
    assert sum(found["matched"].values()) == 0
    assert found["family_help_children"] == 4


@pytest.mark.parametrize(("cin_upn", "matched"), [(None, 1), ("upn(801999999990)", 0)])
def test_two_pupil_numbers_are_two_children_whatever_their_birth_dates(
    tmp_path: Path, cin_upn: str | None, matched: int
) -> None:
    case = {
        "set": {"child": {"person_birth_date": "2012-07-22"}},
        "add": {"cin_child": [{"la_child_id": "X9", "upn": cin_upn}]},
    }
    found = json.loads((build(tmp_path, case) / "pre-match.json").read_text(encoding="utf-8"))
    assert found["matched"] == {"LAchildID": 0, "UPN": 0, "birth date and sex": matched}


def test_every_item_of_the_profile_is_filled_or_reported(tmp_path: Path) -> None:
    book = load_workbook(build(tmp_path, {}) / f"tehadc-{YEAR}-999.xlsx")
    _, *told = book["Completeness"].iter_rows(values_only=True)
    standing = {row[1]: row[4] for row in told}
    assert set(standing) == set(tehadc.profile(YEAR).items)
    assert standing["LAchildID"] == "filled"
    assert standing["StepUpDate"] == "filled in part"
    assert standing["FormerUPN"] == "never filled"
    assert standing["NHSNumber"] == "switched off"


def test_the_figures_to_sign_count_episodes_children_and_how_it_ended(tmp_path: Path) -> None:
    episode = {
        "teh_start_date": "2025-03-31",
        "teh_end_date": "2026-03-31",
        "teh_closure_reason": "T2",
    }
    out = build(tmp_path, {"set": {"episode": episode}})
    sheet = load_workbook(out / f"tehadc-{YEAR}-999.xlsx")["Sign-off"]
    figures = dict(sheet.iter_rows(min_row=2, values_only=True))
    rows_of = rows(out / "episode.csv")
    ended = [r for r in rows_of if r["TEHEndDate"]]
    assert figures["Children in the return"] == len(rows(out / "child.csv"))
    assert figures["Episodes that began in the period"] == len(rows_of) - 1
    assert figures["Episodes that ended in the period"] == len(ended)
    assert figures["Episodes open at the end of the period"] == len(rows_of) - len(ended)
    stepped_up = figures["Of those that ended, stepped up to social care (%)"]
    assert stepped_up == round(100 / len(ended), 1)
    assert figures["Episodes that ended, by reason: T2 stepped up to child in need (s17)"] == 1
    sexes = [n for name, n in figures.items() if name.startswith("Children by sex")]
    assert sum(sexes) == figures["Children in the return"]


CONFLICTS: dict[str, dict[str, Any]] = {
    "Sex": {"cin_child": {"sex": "M"}},
    "Ethnicity": {"cin_child": {"ethnicity": "NOBT"}},
    "PersonBirthDate": {"cin_child": {"person_birth_date": "2010-01-01"}},
    "UPN": {"cin_child": {"upn": "upn(801999999990)"}},
    "LAchildID": {"cin_child": {"la_child_id": "X9"}},
    "TE015": {"cin_episode": {"cin_referral_date": "2025-07-01"}},
    "TE016": {"episode": {"teh_closure_reason": "T2"}},
    "TE017": {
        "cin_episode": {
            "cin_referral_date": "2024-07-01",
            "cin_closure_date": "2024-12-01",
            "reason_for_closure": "RC9",
        }
    },
}


@pytest.mark.parametrize("planted", CONFLICTS)
def test_the_pre_match_finds_every_planted_conflict(tmp_path: Path, planted: str) -> None:
    change = CONFLICTS[planted]
    case = {
        "add": {
            "cin_child": [change.get("cin_child", {})],
            "cin_episode": [change["cin_episode"]] if "cin_episode" in change else [],
        },
        "set": {"episode": change.get("episode", {})},
    }
    out = build(tmp_path, case)
    found = json.loads((out / "pre-match.json").read_text(encoding="utf-8"))
    conflicts = {conflict["item"] for conflict in found["conflicts"]}
    checks = {check["rule"] for check in found["overlap_and_sequence"]}
    # Birth date, sex and ethnicity under one LAchildID are rule TE018 as well.
    assert (conflicts | checks) - {"TE018"} == {planted}
    book = load_workbook(out / f"tehadc-{YEAR}-999.xlsx")
    sheet = "Overlap and sequence" if planted.startswith("TE") else "Conflicts with CIN"
    assert book[sheet].max_row > 1


def test_what_the_systems_say_differently_of_a_child_of_the_return_is_told(tmp_path: Path) -> None:
    con = a_return({})
    con.execute(
        "CREATE TABLE returns.return_conflicts AS "
        "SELECT * FROM (VALUES ('2', 'Sex', 'F', 'M', 'e|1', 'c|1'), "
        "('99', 'Sex', 'F', 'M', 'e|9', 'c|9')) AS "
        "t (child_key, item, early_help_value, case_system_value, early_help_record_key, "
        "case_system_record_key)"
    )
    build_return(con, tmp_path, HEADER, profile=load_profile(PROFILE))
    found = json.loads((tmp_path / "pre-match.json").read_text("utf-8"))["between_systems"]
    assert [tuple(each.values()) for each in found] == [("2", "Sex", "F", "M", "e|1", "c|1")]
    sheet = load_workbook(tmp_path / f"tehadc-{YEAR}-999.xlsx")["Conflicts between systems"]
    assert list(sheet.iter_rows(min_row=2, values_only=True)) == [tuple(found[0].values())]


def test_what_is_switched_off_is_not_written_whatever_was_asked_of_the_profile_first() -> None:
    profile = load_profile(PROFILE)
    everything = {column for table in profile.full_layout.tables for column, _ in table.columns}
    written = {column for table in profile.layout.tables for column, _ in table.columns}
    assert {"full_name", "nhs_number"} <= everything - written
