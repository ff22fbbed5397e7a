"""The partnership of partnership.yaml, built once by the real models in an encrypted scratch warehouse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from ffp_data import feeds
from ffp_data.calendar import bank_holidays
from ffp_data.pipeline.reference import service_facts
from tests.dbt_project.warehouse import Row, Warehouse, failures

HERE = Path(__file__).parent
SYSTEMS = {"case_system": "systemc", "early_help": "ehm"}
MODELS = (
    "+marts.quarterly",
    "+int_census__episodes",
    "+int_census__early_help",
    "int_census__period",
)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    warehouse = Warehouse(tmp_path_factory.mktemp("quarterly"))
    warehouse.create(tables(yaml.safe_load((HERE / "partnership.yaml").read_text("utf-8"))))
    result = warehouse.dbt("run", "--select", *MODELS)
    assert failures(result) == []
    return warehouse


@pytest.fixture
def con(built: Warehouse) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection whose changes are taken back."""
    with built.connect() as connection:
        connection.execute("BEGIN")
        yield connection
        connection.execute("ROLLBACK")


def tables(written: Mapping[str, Any]) -> dict[str, list[Row]]:
    """Rows of the source tables, from what is written."""
    found = {
        f"raw.{name.replace('.', '__')}": [
            _row(name.partition(".")[0], row, n) for n, row in enumerate(rows, start=2)
        ]
        for name, rows in written["tables"].items()
    }
    return found | _identity(written) | _reference()


def key(feed: str, number: object) -> str:
    return f"{feed}|{SYSTEMS[feed]}|{number}"


def _row(feed: str, row: Mapping[str, Any], line: int) -> Row:
    values = {name: value for name, value in row.items() if name != "of"}
    if "cine_referral_id" in values:
        values["cine_referral_nfa"] = False
    own = {"record_key": key(feed, row["of"])} if "of" in row else {}
    return {**own, **values, "_delivery_id": "0" * 64, "_line": line}


def _identity(written: Mapping[str, Any]) -> dict[str, list[Row]]:
    sightings = [
        (child, *each.split()) for child, all_of in written["people"].items() for each in all_of
    ]
    return {
        "identity.person_records": [
            {"record_key": key(feed, number), "feed": feed, "system": SYSTEMS[feed], "source_person_id": number,
             "role": "unknown", "given_name": child.title(), "surname": "Vale", "date_of_birth": "2015-01-01",
             "is_restricted": False, "valid_from": "2026-03-30", "delivery_id": "0" * 64, "line": 2}
            for child, feed, number in sightings
        ],
        "identity.child_membership": [
            {"record_key": key(feed, number), "child_id": child, "linked_since": "2026-03-30", "link_confidence": 0.99}
            for child, feed, number in sightings
        ],
        "identity.children": [
            {"child_id": child, "kind": "adult" if child in written["adults"] else "child"}
            for child in written["people"]
        ],
    }  # fmt: skip


def _reference() -> dict[str, list[Row]]:
    contracts = feeds.load_contracts()
    return {
        "meta.feed_state": [
            {"feed": feed, **service_facts(contracts[feed]), "agreement_state": "in_force",
             "last_delivered_at": "2026-03-31 03:00:00", "promise_late_after_hours": 48, "is_late": False,
             "covered": True}
            for feed in SYSTEMS
        ],
        "meta.bank_holidays": [{"date": day} for day in sorted(bank_holidays())],
    }  # fmt: skip
