"""How long a quarter takes once the marts are built: counted three times (it, the one before, an earlier one), rated,
checked, and written with the lines behind every figure.

    python -m benchmarks.quarterly --children 100000

The marts are made of hashes (quarterly.sql) in an encrypted file, since no home of 100,000 children is needed to read
ten tables. DuckDB has two threads; Python has one. Writes benchmarks/results/quarterly.json.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb

from ffp_data.quarterly import Quarter, count_quarter, load_items, load_settings
from ffp_data.quarterly.checks import run_checks
from ffp_data.quarterly.report import make_report
from ffp_data.quarterly.writing import write_files
from ffp_data.releases.quarterly import write_rows
from ffp_data.warehouse import httpfs_extension

RESULT = Path(__file__).parent / "results" / "quarterly.json"
SQL = Path(__file__).with_suffix(".sql")
QUARTER = Quarter.parse("2025-26-Q4")


@contextmanager
def marts(folder: Path, children: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection on an encrypted file with the marts."""
    con = duckdb.connect(":memory:", config={"threads": 2})
    try:
        con.execute(f"LOAD '{httpfs_extension()}'")
        con.execute(
            f"ATTACH '{folder / 'marts.duckdb'}' AS warehouse (ENCRYPTION_KEY 'of-a-benchmark'); USE warehouse"
        )
        for statement in SQL.read_text("utf-8").replace("$children", str(children)).split(";\n"):
            if statement.strip():
                con.execute(statement)
        con.execute("CHECKPOINT")
        yield con
    finally:
        con.close()


def measure(con: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, float | int]:
    """Seconds of each step, and what was made."""
    items, settings = load_items(), load_settings()
    began = time.perf_counter()
    before = count_quarter(con, QUARTER.before, settings, for_figures=True)
    baseline = count_quarter(con, QUARTER.later(-3), settings, for_figures=True)
    counted = count_quarter(con, QUARTER, settings)
    counting = time.perf_counter() - began
    report = make_report(items, settings, counted, before, baseline, {}, {})
    report = replace(
        report, checks=run_checks(con, items, counted, report.figures, date(2026, 3, 31))
    )
    rating = time.perf_counter() - began - counting
    write_files(folder, report, "Fenmarch")
    write_rows(folder / "lines.ndjson", counted.lines)
    whole = time.perf_counter() - began
    return {
        "lines": len(counted.lines),
        "counting_s": round(counting, 2),
        "rating_and_checks_s": round(rating, 2),
        "writing_s": round(whole - counting - rating, 2),
        "whole_s": round(whole, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--children", type=int, default=100_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, marts(Path(folder), asked.children) as con:
        used = resource.getrusage(resource.RUSAGE_SELF)
        found = measure(con, Path(folder))
        now = resource.getrusage(resource.RUSAGE_SELF)
    cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    told = {
        "children": asked.children,
        "threads": 2,
        "limit_s": 30,
        **found,
        "cpu_s": round(cpu, 2),
        "load_average": round(os.getloadavg()[0], 1),
        "peak_mb": now.ru_maxrss // 1024,
    }
    RESULT.write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
