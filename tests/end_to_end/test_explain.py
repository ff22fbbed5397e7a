"""`ffp explain` on a hub that was run: each answer is read again in the delivered files by somebody else's reader."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.governance.explain import random_cells
from benchmarks.governance.oracle import judge
from ffp_data.access import Access
from ffp_data.lineage.explain import Explainer, open_explainer
from ffp_data.lookups import NotThereError
from ffp_data.settings import Home
from governance.access import AccessDeniedError, Principal
from tests.end_to_end.commands import Demo, ffp

OFFICER = Principal("somebody", "ig_officer")


@pytest.fixture(scope="module")
def opened(demo: Demo) -> Iterator[Explainer]:
    with open_explainer(Home(demo.home)) as explainer:
        yield explainer


@pytest.fixture(scope="module")
def cells(opened: Explainer) -> list[tuple[str, str]]:
    return list(random_cells(opened, 150, seed=3))


@pytest.mark.control("F02")
def test_random_cells_stand_in_the_lines_that_their_explanations_name(
    opened: Explainer, cells: list[tuple[str, str]], demo: Demo
) -> None:
    checked, problems = 0, []
    for child, attribute in cells:
        answer = opened.explain(OFFICER, child, attribute).model_dump(mode="json")
        verdict = judge(demo.landing, answer)
        checked += verdict.checked
        problems += verdict.problems
    assert problems == []
    assert checked > len(cells) / 3


def test_the_oracle_can_say_no(opened: Explainer, demo: Demo) -> None:
    child = str(opened.con.execute(_WITH_NAME).fetchall()[0][0])
    answer = opened.explain(OFFICER, child, "surname").model_dump(mode="json")
    assert judge(demo.landing, answer).problems == ()
    right = answer["cells"][0]["value"]
    answer["cells"][0]["value"] = "Somebody Else"
    assert judge(demo.landing, answer).problems
    answer["cells"][0]["value"] = right
    for row in answer["cells"][0]["taken_from"]:
        row["line"] = 1  # the header, which says nobody's name
    assert judge(demo.landing, answer).problems


_WITH_NAME = (
    "SELECT child_id FROM single_view.children WHERE NOT is_restricted "
    "AND name_source = 'case_system' ORDER BY child_id"
)


@pytest.mark.control("F02")
def test_a_row_tells_agreement_item_and_tie(opened: Explainer) -> None:
    child = str(opened.con.execute(_WITH_NAME).fetchall()[0][0])
    row = opened.explain(OFFICER, child, "surname").cells[0].taken_from[0]
    assert row.agreed is not None
    assert row.agreed.agreement == "DSA-CSC-01@2"
    assert row.agreed.policy
    assert "pers_surname" in row.agreed.items[0]
    assert row.tie is not None
    assert row.tie.since


@pytest.mark.control("F02")
def test_a_release_that_held_the_cell_is_named_and_one_that_did_not_is_not(
    opened: Explainer,
) -> None:
    team = (
        "SELECT child_id FROM single_view.involvements WHERE service = 'social_care' "
        "AND state = 'current' AND team = 'Family Help North' ORDER BY child_id"
    )
    inside = {str(c) for (c,) in opened.con.execute(team).fetchall()}
    everybody = {str(c) for (c,) in opened.con.execute(_WITH_NAME).fetchall()}
    for child, expected in ((min(inside), True), (min(everybody - inside), False)):
        found = opened.explain(OFFICER, child, "surname").received_by
        assert any(each.recipient == "fenmarch-family-help-north" for each in found) is expected
    assert opened.explain(OFFICER, min(inside), "ethnicity_code").received_by == []


def test_of_a_child_who_must_not_be_located_nothing_that_leads_to_a_place_is_told(
    opened: Explainer,
) -> None:
    query = "SELECT child_id FROM single_view.children WHERE is_restricted ORDER BY child_id"
    hidden = str(opened.con.execute(query).fetchall()[0][0])
    for attribute in ("postcode", "school_urn", "date_of_birth", "involvements.education.team"):
        for cell in opened.explain(OFFICER, hidden, attribute).cells:
            for row in cell.taken_from:
                assert (row.record_key, row.file_name, row.line) == (None, None, None)
                assert {column.value for column in row.columns} <= {None}
            assert all(other.record_key is None for other in cell.others)
    assert opened.explain(OFFICER, hidden, "postcode").cells[0].state == "withheld"


def test_an_empty_cell_says_why(opened: Explainer) -> None:
    child = str(opened.con.execute(_WITH_NAME).fetchall()[0][0])
    silent = opened.explain(OFFICER, child, "flags.no_such_flag").cells[0]
    assert silent.value is None
    assert silent.state in ("no_record_found", "not_covered", "not_shared", "late")
    assert silent.state_in_words


def test_nobody_without_the_right_is_answered_and_both_stand_in_the_ledger(
    opened: Explainer, demo: Demo
) -> None:
    child = str(opened.con.execute(_WITH_NAME).fetchall()[0][0])
    with pytest.raises(AccessDeniedError):
        opened.explain(Principal("somebody", "practitioner"), child, "surname")
    opened.explain(OFFICER, child, "surname")
    told = [e for e in Access(Home(demo.home)).ledger.events() if "explain" in str(e["facts"])]
    assert [each["kind"] for each in told][-2:] == ["access_refused", "read"]
    assert child not in json.dumps(told)


def test_an_identifier_that_was_never_issued_is_not_there(opened: Explainer) -> None:
    with pytest.raises(NotThereError):
        opened.explain(OFFICER, "0000000000000", "surname")


@pytest.mark.control("F02", "F06")
def test_the_commands_answer_in_words_and_in_json(opened: Explainer, demo: Demo) -> None:
    child = str(opened.con.execute(_WITH_NAME).fetchall()[0][0])
    told = ffp("explain", child, "surname", home=demo.home)
    assert told.returncode == 0, told.stderr
    assert "DSA-CSC-01@2" in told.stdout
    machine = json.loads(ffp("explain", child, "surname", "--json", home=demo.home).stdout)
    assert machine["attribute"] == "children.surname"
    who = ffp("who", "single_view.children.surname", "--json", home=demo.home)
    assert who.returncode == 0, who.stderr
    assert json.loads(who.stdout)["beyond"] == []
    assert (Path(demo.home) / "out" / "governance" / "lineage" / "columns.html").is_file()
