"""What a contract declares of its rows becomes events and spells of work, without SQL of the feed's own."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from ffp_data import feeds
from ffp_data.feeds.contract import Contract

YAML = Path(__file__).parents[1] / "end_to_end" / "young_carers" / "young_carers.yaml"
TEXT = YAML.read_text("utf-8")
CARERS = feeds.load_contracts(YAML)["young_carers"]
ROW: dict[str, Any] = {
    "record_key": "young_carers|yc|YC1",
    "carer_no": "YC1",
    "assessed_on": date(2026, 2, 2),
    "outcome": "support",
    "parent": True,
    "place": "Mill House",
    "supported_from": date(2026, 2, 5),
    "worker": "Pat Oak",
    "_delivery_id": "d1",
    "_line": 2,
}


def built(contract: Contract, *rows: dict[str, Any], unread: str | None = None) -> dict[str, Any]:
    """Events and involvements of these rows of raw; `unread` is a column whose value was set aside."""
    with duckdb.connect() as con:
        feeds.create_empty_raw_tables(con, {contract.id: contract})
        (table,) = contract.tables
        for row in rows:
            names = ", ".join(f'"{name}"' for name in row)
            marks = ", ".join("?" for _ in row)
            con.execute(
                f"INSERT INTO {contract.raw_name(table)} ({names}) VALUES ({marks})",
                list(row.values()),
            )
        if unread:
            con.execute(
                "INSERT INTO quarantine.values BY NAME SELECT 'd1' AS delivery_id, ? AS feed, ? AS table_name,"
                " 'f' AS file_name, 2 AS line, ? AS column_name, 'not_a_boolean' AS rule, '' AS remedy",
                [contract.id, table.name, unread],
            )
        counts = feeds.build_facts(con, {contract.id: contract})
        found = {
            name: con.execute(f"FROM raw.{name}").to_arrow_table().to_pylist() for name in counts
        }
    assert counts == {name: len(rows) for name, rows in found.items()}
    return found


def events(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = built(CARERS, *rows)["declared_events"]
    return found


def test_an_event_tells_its_day_kind_words_and_line() -> None:
    assert events(ROW) == [
        {
            "feed": "young_carers",
            "table_name": "children",
            "record_key": "young_carers|yc|YC1",
            "event_date": date(2026, 2, 2),
            "event_type": "young_carer_assessed",
            "summary": "Young carer's assessment: support, at Mill House; cares for a parent: yes",
            "guarded_summary": "Young carer's assessment: support, at withheld; cares for a parent: yes",
            "delivery_id": "d1",
            "line": 2,
        }
    ]


@pytest.mark.parametrize(
    "change",
    [{"assessed_on": None}, {"outcome": "waiting"}, {"outcome": None}, {"record_key": None}],
)
def test_a_row_without_date_person_or_the_values_asked_for_tells_no_event(
    change: dict[str, Any],
) -> None:
    assert events(ROW | change) == []


def test_what_was_not_sent_or_not_agreed_is_said_not_to_be_given() -> None:
    (event,) = events(ROW | {"place": None, "parent": None})
    assert event["summary"].endswith("at not given; cares for a parent: not given")


def test_a_code_of_a_list_is_told_by_its_meaning_and_a_place_among_codes_can_be_withheld() -> None:
    text = TEXT.replace("codes: [support, none, waiting]", "codes: primary_need")
    text = text.replace("when: {outcome: [support, none]}", "locating: [outcome]")
    contract = Contract.model_validate(yaml.safe_load(text))
    (event,) = built(contract, ROW | {"outcome": "N2"})["declared_events"]
    assert event["summary"].startswith("Young carer's assessment: child's disability, at")
    assert event["guarded_summary"].startswith("Young carer's assessment: withheld, at")


def test_a_spell_tells_its_days_contact_and_line() -> None:
    (spell,) = built(CARERS, ROW)["declared_involvements"]
    assert spell == {
        "feed": "young_carers",
        "table_name": "children",
        "record_key": "young_carers|yc|YC1",
        "since": date(2026, 2, 5),
        "until": None,
        "contact_name": "Pat Oak",
        "contact_phone": None,
        "team": "Mill House",
        "is_withheld": False,
        "through": "person",
        "delivery_id": "d1",
        "line": 2,
    }


def test_a_record_is_withheld_by_its_mark_and_by_a_mark_that_could_not_be_read() -> None:
    def withheld(**more: Any) -> bool:
        (spell,) = built(CARERS, ROW | {"hidden": more.get("hidden")}, unread=more.get("unread"))[
            "declared_involvements"
        ]
        return bool(spell["is_withheld"])

    assert withheld(hidden=True)
    assert not withheld(hidden=False)
    assert not withheld(hidden=None)
    assert withheld(hidden=None, unread="hidden")
    assert not withheld(hidden=None, unread="place")


def test_an_agreement_cannot_let_the_table_in_without_the_mark() -> None:
    assert "hidden" in CARERS.tables[0].structural


def test_a_quote_in_a_value_or_a_summary_is_text() -> None:
    (event,) = events(ROW | {"place": "O'Hara's'); DROP TABLE x; --"})
    assert "at O'Hara's'); DROP TABLE x; --; cares" in event["summary"]


CHANGES = {
    "a date that is none": ("date: assessed_on", "date: place"),
    "a spell's edge that is no date": ("since: supported_from", "since: place"),
    "a mark that is no boolean": ("withheld: hidden", "withheld: place"),
    "a column that is not there": ("at {place};", "at {somewhere};"),
    "a person's column": ("at {place};", "at {last_name};"),
    "an identifier in words": ("at {place};", "at {carer_no};"),
    "a contact in words": ("at {place};", "at {worker_phone};"),
    "a brace that is no column": ("at {place};", "at {Place};"),
    "a place that is not told": (
        "when: {outcome: [support, none]}",
        "locating: [parent, protected]",
    ),
    "no service": ("  service:", "  # service:"),
}


@pytest.mark.parametrize(("old", "new"), CHANGES.values(), ids=CHANGES)
def test_facts_that_cannot_be_told_are_a_fault_of_the_contract(
    tmp_path: Path, old: str, new: str
) -> None:
    assert old in TEXT
    (tmp_path / "a.yaml").write_text(TEXT.replace(old, new, 1), "utf-8")
    (error,) = feeds.check_contracts(tmp_path / "a.yaml")
    assert error.line is not None
    assert "facts" in error.message


def test_all_packaged_contracts_build_without_a_row(contracts: dict[str, Contract]) -> None:
    with duckdb.connect() as con:
        counts = feeds.build_facts(con, contracts)
    assert set(counts.values()) == {0}
