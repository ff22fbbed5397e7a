"""A warehouse in memory and deliveries made from the contracts themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from ffp_data import feeds
from tests.feeds.samples import Landing

CONTRACTS = feeds.load_contracts()


@pytest.fixture(scope="session")
def contracts() -> dict[str, feeds.Contract]:
    return CONTRACTS


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect(":memory:", config={"threads": "2"})
    feeds.create_empty_raw_tables(connection, CONTRACTS)
    yield connection
    connection.close()


@pytest.fixture
def landing(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> Landing:
    return Landing(tmp_path / "landing", CONTRACTS, con)
