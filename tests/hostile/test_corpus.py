"""No hostile delivery crashes a load, loads in part, or hides its reason; the next good file still loads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from ffp_data import feeds
from tests.hostile import csv_cases, json_cases, landing_cases, xml_cases, zip_cases
from tests.hostile.corpus import CONTRACTS, SECRET, Case

PARTS = (csv_cases, json_cases, xml_cases, zip_cases, landing_cases)
CASES = [case for part in PARTS for case in part.cases()]


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:", config={"threads": "2"}) as connection:
        feeds.create_empty_raw_tables(connection, CONTRACTS)
        yield connection


def test_the_corpus_has_sixty_cases_of_different_name() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 60


@pytest.mark.control("D07")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_hostile_delivery_is_told_and_harms_nothing(
    case: Case, tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    folder = tmp_path / "landing" / case.feed
    folder.mkdir(parents=True)
    case.build(folder)
    (delivery,) = feeds.discover(tmp_path / "landing", CONTRACTS, con)
    result = feeds.load(con, delivery, CONTRACTS[case.feed], None, CONTRACTS)

    rules = {rule for (rule,) in con.execute(_RULES).fetchall()}
    if result.error:
        rules.add(result.error.rule)
        assert result.error.remedy
    assert rules <= case.rules, f"told {rules}"
    assert bool(rules) == bool(case.rules)
    assert result.status == ("refused" if case.outcome == "refused" else "loaded")
    assert con.execute(f"SELECT count(*) FROM raw.{case.feed}__people").fetchone() == (case.rows,)
    assert all(row["is_reconciled"] for row in feeds.reconcile(con, CONTRACTS).to_pylist())
    assert SECRET not in str(result.error) + str(con.execute(_BOOKS).fetchall())


_RULES = "SELECT rule FROM quarantine.rows UNION SELECT rule FROM quarantine.values"
_BOOKS = (
    "SELECT d::VARCHAR FROM meta.deliveries d UNION ALL SELECT q::VARCHAR FROM quarantine.rows q"
    " UNION ALL SELECT q::VARCHAR FROM quarantine.values q"
)
