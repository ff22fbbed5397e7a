"""What the tests of the justice, housing and domestic abuse feeds share: rows, and what came of them."""

from __future__ import annotations

from typing import Any

from ffp_data import feeds
from tests.feeds.conftest import CONTRACTS
from tests.feeds.samples import Landing, Row, sample_row


def row(feed: str, table: str, **own: str) -> Row:
    """A row that the contract accepts, with some columns of the test's own."""
    contract = CONTRACTS[feed]
    return sample_row(contract, contract.by_name[table], 1, **own)


def assemble(landing: Landing) -> list[feeds.DeliveryResult]:
    """Loads what lies in the landing folder and puts together who it is about."""
    results = landing.load()
    assert [result.error for result in results if result.error] == []
    contracts = {feed: CONTRACTS[feed] for feed in sorted({r.delivery.feed for r in results})}
    feeds.assemble_identity(landing.con, contracts, allow_test_numbers=True)
    return results


def people(landing: Landing, columns: str) -> list[tuple[Any, ...]]:
    """Person records by their id in the source."""
    return landing.query(
        f"SELECT source_person_id, {columns} FROM identity.person_records ORDER BY ALL"
    )


def ties(landing: Landing) -> list[tuple[Any, ...]]:
    """Who is tied to whom or to what name, and as what, by ids in the source."""
    return landing.query(
        "SELECT split_part(record_key, '|', 3), split_part(related_record_key, '|', 3), related_name,"
        " relationship FROM identity.relationships ORDER BY ALL"
    )


def set_aside(landing: Landing) -> list[tuple[Any, ...]]:
    """Columns and rules of the rows and values in quarantine."""
    return landing.query(
        "SELECT 'row' AS part, column_name, rule FROM quarantine.rows"
        " UNION ALL SELECT 'value', column_name, rule FROM quarantine.values ORDER BY ALL"
    )
