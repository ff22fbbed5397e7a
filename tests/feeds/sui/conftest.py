"""Early-help records in a warehouse, and searches for their NHS numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from ffp_data import feeds
from tests.feeds.samples import Landing
from tests.feeds.sui.answers import CONTRACTS, Matched


@pytest.fixture
def landing(tmp_path: Path) -> Iterator[Landing]:
    with duckdb.connect(":memory:", config={"threads": "2"}) as con:
        feeds.create_empty_raw_tables(con, CONTRACTS)
        yield Landing(tmp_path / "landing", CONTRACTS, con)


@pytest.fixture
def matched(landing: Landing) -> Matched:
    return Matched(landing)
