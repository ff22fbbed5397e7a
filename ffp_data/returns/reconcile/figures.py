"""The figures of a return beside those of the version before, and which of them changed too much."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import duckdb
import yaml
from pydantic import TypeAdapter

from ffp_data.returns.layout import end_year
from ffp_data.returns.versions import TABLES, Version
from ffp_data.strict import Strict

_FILE = Path(__file__).with_name("figures.yaml")


class Tolerance(Strict):
    """A change is worth a look above `percent` of the former figure and from `least` in number."""

    percent: float
    least: int


class Figures(Strict):
    """The figures of one collection: name to SQL with {schema}, {starts} and {ends}."""

    tolerance: Tolerance
    figures: Mapping[str, str]


@dataclass(frozen=True)
class Change:
    """One figure now and in the version before, and whether it changed too much."""

    before_in: str
    figure: str
    before: int
    now: int
    is_outside: bool

    @property
    def percent(self) -> float | None:
        """Change as a share of the former figure; None where that was nought."""
        return round(100 * (self.now - self.before) / self.before, 1) if self.before else None


def changes(build: Version, before: Version) -> list[Change]:
    """Every figure of the collection in both versions, in the order of the file."""
    collection = build.record["collection"].lower()
    asked = _figures()[collection]
    now, then = _values(build, asked), _values(before, asked)
    label = f"{before.record['year']} {before.folder.name}"
    return [
        Change(label, name, then[name], now[name], _is_outside(then[name], now[name], asked))
        for name in asked.figures
    ]


def _is_outside(before: int, now: int, asked: Figures) -> bool:
    change, limit = abs(now - before), asked.tolerance
    return change >= limit.least and change * 100 > limit.percent * before


def _values(version: Version, asked: Figures) -> dict[str, int]:
    """The figures of a version, out of its kept tables. Each of its own year."""
    con = duckdb.connect(config={"temp_file_encryption": "true"})
    for path in sorted((version.folder / TABLES).glob("*.parquet")):
        con.execute(f"CREATE TABLE {path.stem} AS FROM read_parquet(?)", [str(path)])
    ends = end_year(version.record["year"])
    year = {"starts": f"DATE '{date(ends - 1, 4, 1)}'", "ends": f"DATE '{date(ends, 3, 31)}'"}
    found = {}
    for name, sql in asked.figures.items():
        row = con.execute(sql.format(schema="main", **year)).fetchone()
        found[name] = 0 if row is None else int(row[0])
    con.close()
    return found


@cache
def _figures() -> Mapping[str, Figures]:
    return TypeAdapter(dict[str, Figures]).validate_python(yaml.safe_load(_FILE.read_text("utf-8")))
