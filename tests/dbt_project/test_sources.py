"""Contracts, dbt sources, the loader and the returns name the same tables and columns."""

from __future__ import annotations

import difflib
import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from ffp_data import feeds
from ffp_data.feeds.assertions import ASSERTION_COLUMNS, SUPERSEDED_COLUMNS
from ffp_data.feeds.facts import EVENT_COLUMNS, INVOLVEMENT_COLUMNS
from ffp_data.feeds.identifier_sql import IDENTIFIER_COLUMNS
from ffp_data.feeds.people import PERSON_COLUMNS
from ffp_data.feeds.relationship_sql import RELATIONSHIP_COLUMNS
from ffp_data.pipeline.reference import FEED_STATE
from ffp_data.returns import cin
from ffp_data.returns.validate import rule_book
from tests.dbt_project.warehouse import PROJECT

MODELS = PROJECT / "models"


def _generator() -> ModuleType:
    path = PROJECT / "generate_sources.py"
    spec = importlib.util.spec_from_file_location("generate_sources", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _columns(path: Path, kind: str, name: str) -> dict[str, Any]:
    """Columns of a source table or model in a YAML file, by name."""
    body = yaml.safe_load(path.read_text("utf-8"))
    tables = body["sources"][0]["tables"] if kind == "source" else body["models"]
    (table,) = (t for t in tables if t["name"] == name)
    return {column["name"]: column for column in table["columns"]}


def _diff(expected: str, found: str, path: Path) -> str:
    lines = difflib.unified_diff(
        found.splitlines(), expected.splitlines(), str(path), "from the contracts", lineterm=""
    )
    return "\n".join(lines)


@pytest.mark.parametrize("path", _generator().files(), ids=lambda path: path.name)
def test_generated_files_say_what_the_contracts_say(path: Path) -> None:
    expected = _generator().files()[path]
    found = path.read_text("utf-8") if path.exists() else ""
    assert found == expected, "run `python dbt_project/generate_sources.py`\n" + _diff(
        expected, found, path
    )


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("person_records", PERSON_COLUMNS),
        ("relationships", RELATIONSHIP_COLUMNS),
        ("person_identifiers", IDENTIFIER_COLUMNS),
        ("nhs_number_assertions", ASSERTION_COLUMNS),
        ("superseded_nhs_numbers", SUPERSEDED_COLUMNS),
    ],
)
def test_identity_sources_name_the_columns_that_feeds_write(
    table: str, columns: dict[str, str]
) -> None:
    declared = _columns(MODELS / "staging" / "identity" / "_src_identity.yml", "source", table)
    types = {name: column["data_type"].upper() for name, column in declared.items()}
    assert types == columns


def test_the_state_of_feeds_has_the_columns_that_a_run_writes() -> None:
    path = MODELS / "staging" / "meta" / "_src_meta.yml"
    assert list(_columns(path, "source", "feed_state")) == FEED_STATE.names


@pytest.mark.parametrize(
    ("table", "columns"),
    [("declared_events", EVENT_COLUMNS), ("declared_involvements", INVOLVEMENT_COLUMNS)],
)
def test_declared_sources_name_the_columns_that_facts_have(
    table: str, columns: dict[str, str]
) -> None:
    declared = _columns(MODELS / "staging" / "declared" / "_src_declared.yml", "source", table)
    types = {name: column["data_type"].upper() for name, column in declared.items()}
    assert types == columns


def test_feeds_of_one_service_call_it_by_one_name() -> None:
    labels: dict[str, set[str]] = {}
    for contract in feeds.load_contracts().values():
        if service := contract.hub.service:
            labels.setdefault(service.name, set()).add(service.label)
    assert {name: words for name, words in labels.items() if len(words) > 1} == {}


def _return_tables() -> list[tuple[str, tuple[str, ...]]]:
    tables = rule_book("cin", cin.years()[-1]).layout.tables
    return [(table.name, tuple(name for name, _ in table.columns)) for table in tables]


@pytest.mark.parametrize(("table", "columns"), _return_tables(), ids=lambda v: str(v)[:24])
def test_census_tables_have_the_columns_that_the_return_reads(
    table: str, columns: tuple[str, ...]
) -> None:
    path = MODELS / "marts" / "returns" / f"{table}.yml"
    assert set(_columns(path, "model", table)) >= set(columns)


def _documents() -> list[Path]:
    return sorted(path for path in MODELS.rglob("*.yml") if not path.name.startswith("_src_"))


def test_every_model_stands_in_a_yaml_file_with_a_description_of_each_column() -> None:
    described: set[str] = set()
    mute: list[str] = []
    for path in _documents():
        for model in yaml.safe_load(path.read_text("utf-8")).get("models", []):
            described.add(model["name"])
            mute += [] if model.get("description") else [model["name"]]
            mute += [
                f"{model['name']}.{column['name']}"
                for column in model["columns"]
                if not column.get("description")
            ]
    assert described == {path.stem for path in MODELS.rglob("*.sql")}
    assert mute == []


def test_every_mart_column_carries_its_category_and_every_mart_its_purpose() -> None:
    known = set(re.findall(r"- \{?id: (\w+)", _policy("categories")))
    purposes = set(re.findall(r"- id: ([\w.]+)", _policy("purposes")))
    for path in sorted((MODELS / "marts").glob("*/[!_]*.yml")):
        (model,) = yaml.safe_load(path.read_text("utf-8"))["models"]
        assert model["config"]["meta"]["purpose"] in purposes, path.name
        categories = {c["name"]: c["config"]["meta"]["category"] for c in model["columns"]}
        assert set(categories.values()) <= known, path.name


def _policy(name: str) -> str:
    return (PROJECT.parent / "governance" / "policy" / f"{name}.yaml").read_text("utf-8")
