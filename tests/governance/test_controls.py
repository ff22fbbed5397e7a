"""The controls are a register in order, each names tests that are there, and small ones are shown here."""

from __future__ import annotations

import fnmatch
import importlib.util
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from governance import policy
from governance.documents.controls import load_controls, load_evidence, shown
from governance.documents.verbs import VERBS
from governance.policy.compile import CASE_ONLY
from tests.control_evidence import ROOT, marked_tests
from tests.governance.policies import AS_AT, NORTH, POLICE, copy_policy, rewrite

LOCK = policy.compile_policy(policy.load(), AS_AT).data
CONTROLS = load_controls()
GRANTED = [*LOCK["release"], *LOCK["cases"]]
MARTS = ROOT / "dbt_project" / "models" / "marts"
LEAST_SHOWN = 55


# The register and its evidence.


def test_there_are_66_controls_and_each_names_a_source_of_the_register() -> None:
    ids = [each["id"] for each in CONTROLS["controls"]]
    sources = {each["id"] for each in CONTROLS["sources"]}
    assert len(ids) == len(set(ids)) == 66
    assert ids == sorted(ids)
    assert {name for each in CONTROLS["controls"] for name in each["sources"]} == sources


def test_every_marked_control_is_one_of_the_register() -> None:
    known = {each["id"] for each in CONTROLS["controls"]}
    assert {name for test in marked_tests() for name in test.controls} <= known


def test_the_evidence_names_tests_that_are_there_and_say_so_themselves() -> None:
    there = {each.test: set(each.controls) for each in marked_tests()}
    for each in load_evidence()["tests"]:
        assert each["test"] in there, f"{each['test']} is gone; run: make evidence"
        assert set(each["controls"]) <= there[each["test"]], f"{each['test']}: run: make evidence"


def test_at_least_55_controls_are_shown_by_a_test_that_passed() -> None:
    states = {each.control["id"]: each.state for each in shown(CONTROLS, load_evidence())}
    assert "failing" not in states.values()
    assert sum(state == "shown" for state in states.values()) >= LEAST_SHOWN


def test_a_control_whose_test_failed_or_was_left_out_is_not_shown() -> None:
    def state(*outcomes: str) -> str:
        tests = [
            {"test": f"t{number}", "controls": ["A01"], "cases": 1, "outcome": outcome}
            for number, outcome in enumerate(outcomes)
        ]
        return shown(CONTROLS, {"tests": tests})[0].state

    assert [state(), state("passed"), state("passed", "failed"), state("skipped")] == [
        "not shown",
        "shown",
        "failing",
        "failing",
    ]


# Agreements.


def problems(directory: Path, as_at: date = AS_AT) -> list[policy.Problem]:
    return policy.check(policy.load(directory), as_at)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return copy_policy(tmp_path, "DSA-FHN-01", "DSA-POL-01")


@pytest.mark.control("A09")
@pytest.mark.parametrize(
    ("party", "missing"),
    [
        ({"role": "processor"}, "contract"),
        ({"role": "joint_controller"}, "arrangement"),
        ({"role": None}, "role"),
    ],
)
def test_a_party_without_what_its_role_needs_does_not_compile(
    directory: Path, party: dict[str, Any], missing: str
) -> None:
    def change(each: dict[str, Any]) -> None:
        each["parties"][0] |= party
        each["parties"][0] = {k: v for k, v in each["parties"][0].items() if v is not None}

    rewrite(directory, POLICE, change)
    assert any(
        f"{missing!r} is a required property" in each.message for each in problems(directory)
    )


@pytest.mark.control("A14")
def test_a_purpose_under_the_national_opt_out_gets_nothing_while_no_feed_tells_who_opted_out(
    directory: Path,
) -> None:
    def applies(each: dict[str, Any]) -> None:
        for purpose in each["purposes"]:
            if purpose["id"] == "single_view.family_help":
                purpose["opt_out"] = {"applies": True, "reason": "planning of services"}

    assert not problems(directory)
    rewrite(directory, "purposes.yaml", applies)
    assert {(each.rule, each.file) for each in problems(directory)} == {("opt_out", NORTH)}


@pytest.mark.control("A14")
def test_every_purpose_says_whether_the_national_opt_out_applies_and_why() -> None:
    assert all(each["opt_out"]["reason"] for each in LOCK["purposes"].values())


@pytest.mark.control("A15")
def test_every_flow_of_a_competent_authority_is_marked_as_such() -> None:
    part3 = {org for org, each in LOCK["organisations"].items() if each["regime"] == "part3"}
    given = [
        entry["terms"]
        for entry in LOCK["agreements"].values()
        if part3 & {party["org"] for party in entry["terms"]["parties"] if "gives" in party}
    ]
    assert len(given) > 5
    assert {terms["regime"] for terms in given} == {"part3_source"}


@pytest.mark.control("A15")
def test_each_of_the_six_verbs_is_an_event_that_the_code_writes() -> None:
    written = "\n".join(
        path.read_text("utf-8")
        for room in ("ffp_data", "governance")
        for path in (ROOT / room).rglob("*.py")
        if path.name != "verbs.py"
    )
    assert len(VERBS) == 6
    for kinds in VERBS.values():
        assert kinds
        assert all(f'"{kind}"' in written for kind in kinds)


@pytest.mark.control("C11")
@pytest.mark.parametrize("change", [lambda each: each["terms"].pop("article14")])
def test_a_source_that_does_not_say_how_people_are_told_does_not_compile(
    directory: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    rewrite(directory, "charter/CHARTER-2025.yaml", change)
    told = {each.file for each in problems(directory) if "article14" in each.message}
    assert {NORTH, POLICE} <= told


# What leaves.


def columns_of_marts() -> set[str]:
    return {
        f"{model['name']}.{column['name']}"
        for path in MARTS.rglob("*.yml")
        for model in yaml.safe_load(path.read_text("utf-8")).get("models", ())
        for column in model.get("columns", ())
    }


@pytest.mark.control("B11")
def test_former_names_are_in_the_mart_and_go_to_nobody() -> None:
    assert "children.former_surnames" in columns_of_marts()
    patterns = ("former_*name*", "previous_*name*", "other_*name*", "alias*", "*known_as*")
    given = {each["column"] for each in GRANTED}
    assert not [name for name in given for each in patterns if fnmatch.fnmatch(name, each)]


@pytest.mark.control("C10")
def test_no_score_of_a_child_leaves_but_that_of_a_questionnaire_the_law_asks_for() -> None:
    judged = re.compile(r"score|probability|likelihood|weight|confidence|risk|predict|rank")
    assert any(judged.search(each) for each in columns_of_marts()), "nothing to keep in"
    given = {f"{each['relation']}.{each['column']}" for each in GRANTED}
    found = {each for each in given if judged.search(each.rpartition(".")[2])}
    # the strengths and difficulties questionnaire, which a carer fills in and the department collects
    assert found == {"dataflow.strengths_scores.score"}


@pytest.mark.control("E04")
def test_a_return_goes_to_central_government_alone() -> None:
    returns = ("returns", "dataflow", "annex_a")
    recipients = {
        each["recipient"] for each in GRANTED if each["relation"].partition(".")[0] in returns
    }
    kinds = {LOCK["organisations"][each]["kind"] for each in recipients}
    assert recipients
    assert kinds == {"central_government"}


@pytest.mark.control("A07")
def test_what_the_duty_of_2026_permits_leaves_by_decision_alone() -> None:
    duty = "CA2004-S16LA"
    bulk = {each["agreement"] for each in LOCK["release"]}
    by_case = {
        name for name, each in LOCK["agreements"].items() if each["not_in_force"] == CASE_ONLY
    }
    assert not bulk & by_case
    relying = {n for n, each in LOCK["agreements"].items() if duty in each["terms"]["gateways"]}
    assert not relying & bulk


@pytest.mark.control("B03")
def test_no_model_makes_a_token_by_a_hash_without_a_key() -> None:
    """The one hash is over limits and bank holidays: the version of the rules of a figure."""
    hashed = re.compile(r"\b(md5|sha1|sha256|hash|murmur\w*|md5_number)\s*\(", re.IGNORECASE)
    found = {
        path.name
        for folder in ("models", "macros", "tests")
        for path in (ROOT / "dbt_project" / folder).rglob("*.sql")
        if hashed.search(path.read_text("utf-8"))
    }
    assert found == {"measures.sql"}
    text = (MARTS / "timeliness" / "measures.sql").read_text("utf-8")
    assert "measures.measure_id" in text[: text.index("rules_version")]
    assert "child_id" not in text[: text.index("rules_version")]


# Supply chain.


def sbom() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sbom", ROOT / "scripts" / "sbom.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.control("D14")
def test_the_bill_of_materials_names_every_package_of_the_lock_with_its_hashes() -> None:
    lock = (ROOT / "requirements" / "dev.txt").read_text("utf-8")
    bill = sbom().bill_of_materials(lock)
    named = {f"{each['name']}=={each['version']}" for each in bill["components"]}
    pinned = {
        line.split(" ")[0].lower() for line in lock.splitlines() if re.match(r"[A-Za-z0-9]", line)
    }
    assert named == {re.sub(r"\[.*\]", "", each).replace("_", "-") for each in pinned}
    assert all(each["hashes"] for each in bill["components"])


@pytest.mark.control("D14")
def test_a_package_that_is_pinned_without_a_hash_is_refused() -> None:
    with pytest.raises(ValueError, match="without a hash"):
        sbom().bill_of_materials("duckdb==1.5.5\n")


@pytest.mark.control("D14")
def test_the_lock_names_no_address_to_fetch_from() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        assert "://" not in path.read_text("utf-8")
