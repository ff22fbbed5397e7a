"""What an agreement no longer covers leaves the warehouse, and comes back when it does again."""

from __future__ import annotations

import pytest

from ffp_data import feeds
from ffp_data.feeds import replay
from ffp_data.feeds.loading import Terms
from ffp_data.feeds.withdrawing import Withdrawn, withdraw
from tests.feeds.conftest import CONTRACTS
from tests.feeds.samples import Landing, sample_row

EARLY_HELP = CONTRACTS["early_help"]
PERSONS, PLANS = EARLY_HELP.by_name["persons"], EARLY_HELP.by_name["plans"]
ALL = {t.name: {p.name for p in t.properties} for t in EARLY_HELP.tables}
DUMP = ('raw."early_help__persons"', 'identity."early_help__persons"', 'raw."early_help__plans"')


@pytest.fixture
def loaded(landing: Landing) -> Landing:
    for table in (PERSONS, PLANS):
        rows = [sample_row(EARLY_HELP, table, n) for n in (1, 2)]
        landing.rows(EARLY_HELP.id, table.name, rows)
    assert [r.status for r in landing.load()] == ["loaded", "loaded"]
    return landing


def without(table: str, *columns: str) -> dict[str, set[str]]:
    return ALL | {table: ALL[table] - set(columns)}


def held(landing: Landing) -> list[list[tuple[object, ...]]]:
    return [landing.query(f"SELECT * FROM {name} ORDER BY ALL") for name in DUMP]


def count(landing: Landing, table: str, column: str) -> int:
    ((values,),) = landing.query(f"SELECT count({column}) FROM {table}")
    return int(values)


def test_what_is_agreed_stays(loaded: Landing) -> None:
    before = held(loaded)
    assert withdraw(loaded.con, EARLY_HELP, ALL) == []
    assert withdraw(loaded.con, EARLY_HELP, None) == []
    assert held(loaded) == before


@pytest.mark.control("A08")
def test_columns_that_left_the_agreement_are_emptied_in_payload_and_identity(
    loaded: Landing,
) -> None:
    assert count(loaded, DUMP[0], "ethnicity") == count(loaded, DUMP[1], "phone") == 2
    narrowed = without("persons", "ethnicity", "phone")
    assert withdraw(loaded.con, EARLY_HELP, narrowed) == [
        Withdrawn("persons", ("ethnicity", "phone"))
    ]
    assert count(loaded, DUMP[0], "ethnicity") == count(loaded, DUMP[1], "phone") == 0
    assert count(loaded, DUMP[1], "surname") == 2
    assert withdraw(loaded.con, EARLY_HELP, narrowed) == []


def test_a_replay_under_the_widened_agreement_brings_columns_back(loaded: Landing) -> None:
    before = held(loaded)
    withdraw(loaded.con, EARLY_HELP, without("persons", "ethnicity", "phone"))
    replay.replay(loaded.con, loaded.folder, EARLY_HELP, Terms(ALL, loaded.contracts))
    assert held(loaded) == before


def test_a_column_that_the_contract_dropped_is_emptied(loaded: Landing) -> None:
    said = EARLY_HELP.model_dump(by_alias=True)
    (persons,) = (table for table in said["schema"] if table["name"] == "persons")
    persons["properties"] = [p for p in persons["properties"] if p["name"] != "ethnicity"]
    without_it = feeds.Contract.model_validate(said)
    assert withdraw(loaded.con, without_it, None) == [Withdrawn("persons", ("ethnicity",))]


@pytest.mark.parametrize(
    "narrowed",
    [
        {name: columns for name, columns in ALL.items() if name != "plans"},
        without("plans", "plan_id"),  # by which rows are known
    ],
)
def test_rows_of_a_table_that_left_the_agreement_leave_and_come_back_with_it(
    loaded: Landing, narrowed: dict[str, set[str]]
) -> None:
    before = held(loaded)
    assert withdraw(loaded.con, EARLY_HELP, narrowed) == [Withdrawn("plans", rows=2)]
    assert held(loaded) == [*before[:2], []]
    told = feeds.reconcile(loaded.con, {EARLY_HELP.id: EARLY_HELP}).to_pylist()
    assert [row["table_name"] for row in told if row["is_reconciled"]] == ["persons"]
    assert len(told) == 1
    assert [r.status for r in loaded.load()] == ["loaded"]
    assert held(loaded) == before


def test_a_feed_whose_agreement_is_suspended_keeps_its_rows(loaded: Landing) -> None:
    before = held(loaded)
    assert withdraw(loaded.con, EARLY_HELP, {}) == []
    assert held(loaded) == before
