"""Every contract loads a delivery made from itself."""

from __future__ import annotations

import pytest

from ffp_data import feeds
from tests.feeds.conftest import CONTRACTS
from tests.feeds.samples import Landing, csv_text, sample_row

FILE_FEEDS = [
    (contract.id, table.name)
    for contract in CONTRACTS.values()
    if contract.hub.format != "ssd_drop"
    for table in contract.tables
]


def test_the_packaged_contracts_have_no_fault() -> None:
    assert feeds.check_contracts() == []
    assert len(CONTRACTS) >= 7


@pytest.mark.parametrize(("feed", "table"), FILE_FEEDS)
def test_a_file_made_from_the_contract_loads_without_a_fault(
    landing: Landing, feed: str, table: str
) -> None:
    contract = CONTRACTS[feed]
    declared = contract.by_name[table]
    landing.rows(feed, table, [sample_row(contract, declared, 1)])
    (result,) = landing.load()
    assert (result.status, result.error) == ("loaded", None)
    mine = next(t for t in result.tables if t.table == table)
    assert (mine.delivered, mine.loaded) == (1, 1)
    assert landing.query(f"SELECT count(*) FROM {contract.raw_name(declared)}") == [(1,)]
    assert landing.query(f"SELECT * FROM quarantine.values WHERE table_name = '{table}'") == []


def test_a_drop_made_from_the_contract_loads_every_table(landing: Landing) -> None:
    contract = CONTRACTS["case_system"]
    tables = {
        t.name: csv_text(t, [sample_row(contract, t, n) for n in (1, 2)]) for t in contract.tables
    }
    landing.drop(tables)
    (result,) = landing.load()
    assert result.error is None
    assert {t.table: t.loaded for t in result.tables} == {t.name: 2 for t in contract.tables}
    assert landing.query("SELECT * FROM quarantine.values") == []
