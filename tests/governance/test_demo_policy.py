"""The Fenmarch agreements and the feed contracts speak of the same columns."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from ffp_data.publications.published_counts import RELATIONS
from ffp_data.quarterly.writing import RELATIONS as QUARTERLY
from governance import policy
from governance.grants import Grants

CONTRACTS = Path(__file__).parents[2] / "ffp_data" / "feeds" / "contracts"
MARTS = Path(__file__).parents[2] / "dbt_project" / "models" / "marts"
ANNEX_A = MARTS.parents[2] / "ffp_data" / "returns" / "annex_a" / "editions" / "2024-01.yaml"
DATA_FLOW = ANNEX_A.parents[2] / "dataflow" / "layout.yaml"
FEEDS = sorted(path.stem for path in CONTRACTS.glob("*.yaml"))
COMPILED = policy.compile_policy(policy.load(), date(2026, 3, 31))
GRANTS, LOCK = Grants(COMPILED), COMPILED.data


LISTED = {
    f"{each['relation']}.{column['column']}"
    for each in yaml.safe_load(ANNEX_A.read_text("utf-8"))["lists"].values()
    for column in each["columns"]
    if "no_source" not in column
}


def flowing(node: dict[str, Any], relation: str = "") -> set[str]:
    """Columns that the data flow sends, of a node of its layout and all below."""
    own = node.get("relation", relation)
    fields = [*node.get("fields", ()), *([node["value"]] if "value" in node else [])]
    below = (flowing(each, own) for each in node.get("contents", ()))
    return {f"dataflow.{own}.{each['name']}" for each in fields}.union(*below)


FLOWING = flowing(yaml.safe_load(DATA_FLOW.read_text("utf-8"))["child"])


def contract(feed: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((CONTRACTS / f"{feed}.yaml").read_text("utf-8"))
    return loaded


@pytest.mark.control("A01")
def test_every_feed_has_an_agreement_and_every_agreement_a_feed() -> None:
    assert {each["feed"] for each in LOCK["ingest"]} == set(FEEDS)


@pytest.mark.control("A03")
@pytest.mark.parametrize("feed", FEEDS)
def test_every_column_of_the_contract_is_agreed_or_excluded_on_purpose(feed: str) -> None:
    for table in contract(feed)["schema"]:
        decision = GRANTS.ingest(feed, table["name"])
        assert decision.allowed, decision.reason
        names = [each["name"] for each in table["properties"]]
        assert sorted(decision.columns + decision.dropped) == sorted(names)


@pytest.mark.parametrize("feed", FEEDS)
def test_the_contract_names_the_agreement_that_decides(feed: str) -> None:
    named = contract(feed)["hub"]["agreement"]
    assert {each["agreement"] for each in LOCK["ingest"] if each["feed"] == feed} == {named}
    givers = {
        party["org"]
        for party in LOCK["agreements"][named]["terms"]["parties"]
        if party.get("gives")
    }
    assert givers == {contract(feed)["hub"]["agency"]}


@pytest.mark.parametrize("feed", FEEDS)
def test_contract_and_agreement_put_a_column_in_the_same_category(feed: str) -> None:
    declared = {
        (table["name"], each["name"]): each["category"]
        for table in contract(feed)["schema"]
        for each in table["properties"]
    }
    granted = {
        (each["table"], each["column"]): each["category"]
        for each in LOCK["ingest"]
        if each["feed"] == feed
    }
    assert granted == {key: declared[key] for key in granted}


def test_every_column_that_may_leave_is_one_that_the_marts_or_the_lists_have() -> None:
    built = {
        f"{path.parent.name}.{model['name']}.{column['name']}"
        for path in MARTS.glob("*/*.yml")
        for model in yaml.safe_load(path.read_text("utf-8")).get("models", ())
        for column in model["columns"]
    }
    given = {f"{each['relation']}.{each['column']}" for each in LOCK["release"]}
    counted = {
        f"{relation}.{column}"
        for relation, columns in {**RELATIONS, **QUARTERLY}.items()
        for column in columns
    }
    assert given <= built | LISTED | FLOWING | counted
    assert counted <= given


def test_ofsted_gets_every_column_of_its_lists_that_has_a_source() -> None:
    given = {
        f"{each['relation']}.{each['column']}"
        for each in LOCK["release"]
        if each["recipient"] == "ofsted" and each["relation"].startswith("annex_a.")
    }
    assert given == LISTED


def test_no_free_text_enters() -> None:
    assert "free_text" not in {each["category"] for each in LOCK["ingest"]}


def test_only_the_council_feeds_and_the_roll_serve_the_returns() -> None:
    feeds = {each["feed"] for each in LOCK["ingest"] if "statutory_returns" in each["purposes"]}
    assert feeds == {"case_system", "early_help", "education_attendance"}


@pytest.mark.control("B02")
def test_the_hubs_own_identifier_leaves_only_as_a_pseudonym() -> None:
    """Control B02; child_key of a return only nests its modules and is not written to the file."""
    leaving = {each["transform"] for each in LOCK["release"] if each["column"] == "child_id"}
    assert leaving == {"pseudonymised"}
