"""One small partnership for all tests of this folder, made once."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pytest

from ffp_data.returns import cin
from ffp_data.returns.checks import validate_tables
from ffp_data.returns.findings import Finding
from ffp_data.synthetic import Summary, synthesise

AS_AT = date(2026, 3, 31)
YEAR_START = date(2025, 4, 1)
CHILDREN = 1_200
CENSUS = Path(__file__).with_name("census.sql")


@dataclass(frozen=True)
class Made:
    """A partnership on disk and what the call returned."""

    folder: Path
    summary: Summary

    def truth(self, table: str) -> list[dict[str, str]]:
        """Return the rows of a table of truth."""
        return read_csv(self.folder / "truth" / f"{table}.csv")

    def feed(self, feed: str, pattern: str, encoding: str = "utf-8-sig") -> list[dict[str, str]]:
        """Return the rows of the one file of a feed that fits the pattern."""
        (path,) = (self.folder / "landing" / feed).glob(pattern)
        return read_csv(path, encoding)


def read_csv(path: Path, encoding: str = "utf-8") -> list[dict[str, str]]:
    """Return the rows of a CSV file by header."""
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file))


def census_findings(folder: Path) -> list[Finding]:
    """Return what the rules of the census find in the case system's drop."""
    (drop,) = (folder / "landing" / "case_system").glob("ssd_*")
    with duckdb.connect() as con:
        for path in sorted(drop.glob("*.csv")):
            con.execute(
                f"CREATE TABLE {path.stem} AS FROM read_csv('{path}', all_varchar=true, header=true)"
            )
        con.execute("CREATE SCHEMA returns")
        con.execute(CENSUS.read_text("utf-8").format(year_start=YEAR_START, as_at=AS_AT))
        return validate_tables(con, cin.rule_book("2025-26"), AS_AT, "returns")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The partnership that most tests look at."""
    folder = tmp_path_factory.mktemp("synthetic") / "partnership"
    return Made(folder, synthesise(folder, CHILDREN, 20, AS_AT))
