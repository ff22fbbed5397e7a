"""One school year of session marks: wall, CPU and memory of the whole load, beside a bare `read_csv`.

    python benchmarks/attendance_ingest.py                     100,000 pupils, 38 million marks
    python benchmarks/attendance_ingest.py --pupils 10000

The files are those of the education_attendance contract, one delivery for each half-term: 190 school
days, a morning and an afternoon mark each. The hub's load finds the files, checks every value, key and
line and writes raw with its provenance into the encrypted warehouse. The peer is DuckDB alone: the same
files through `read_csv` with the same declared column types into a table of a plain DuckDB file, which
checks nothing but types. Each runs in a process of its own, in turns; medians go to
benchmarks/results/attendance_ingest.json.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from ffp_data import feeds
from ffp_data.settings import Home
from ffp_data.warehouse import connect

RESULTS = Path(__file__).parent / "results" / "attendance_ingest.json"
HALF_TERMS = ("20251025", "20251220", "20260214", "20260328", "20260523", "20260722")
SCHOOL_DAYS = 190

MARKS = """
COPY (
    SELECT
        990000 + pupil % 250 AS school_urn,
        10000000 + pupil AS pupil_key,
        strftime(DATE '{first}' + day::INTEGER + (day // 5 * 2)::INTEGER, '%Y-%m-%d') AS session_date,
        session.name AS session,
        CASE hash(pupil, day, session.name) % 100
            WHEN 0 THEN 'I' WHEN 1 THEN 'I' WHEN 2 THEN 'O' WHEN 3 THEN 'M' WHEN 4 THEN 'L' WHEN 5 THEN 'C'
            ELSE session.present END AS attendance_code,
        CASE WHEN hash(pupil, day, session.name) % 100 = 4 THEN '12' END AS minutes_late,
        NULL AS comment,
        strftime(DATE '{first}' + day::INTEGER + (day // 5 * 2)::INTEGER, '%Y-%m-%d')
            || session.clock AS last_changed_at
    FROM range({pupils}) AS p (pupil), range({days}) AS d (day),
        (VALUES ('AM', '/', 'T09:00:00Z'), ('PM', '\\', 'T13:00:00Z')) AS session (name, present, clock)
    ORDER BY pupil, day, name
) TO '{path}' (HEADER, DELIMITER ',')
"""
TYPES = {
    "school_urn": "VARCHAR",
    "pupil_key": "VARCHAR",
    "session_date": "DATE",
    "session": "VARCHAR",
    "attendance_code": "VARCHAR",
    "minutes_late": "BIGINT",
    "comment": "VARCHAR",
    "last_changed_at": "TIMESTAMP",
}


def make_files(landing: Path, pupils: int) -> None:
    """The year's deliveries: marks of every pupil for each half-term's days."""
    folder = landing / "education_attendance"
    folder.mkdir(parents=True)
    shares = [SCHOOL_DAYS // 6 + (n < SCHOOL_DAYS % 6) for n in range(6)]
    for number, (stamp, days) in enumerate(zip(HALF_TERMS, shares, strict=True)):
        path = folder / f"attendance_marks_999_all_{stamp}T030000Z_001.csv"
        first = ("2025-09-01", "2025-11-03", "2026-01-05", "2026-02-23", "2026-04-13", "2026-06-01")
        duckdb.execute(MARKS.format(first=first[number], pupils=pupils, days=days, path=path))


def hub(landing: Path, home: Path) -> int:
    """Load everything as a run does; the number of rows in the warehouse."""
    contracts = feeds.load_contracts()
    with connect(Home(home)) as con:
        feeds.create_empty_raw_tables(con, contracts)
        for delivery in feeds.discover(landing, contracts, con):
            result = feeds.load(con, delivery, contracts[delivery.feed])
            if result.error:
                raise SystemExit(str(result.error))
        (rows,) = con.execute("SELECT count(*) FROM raw.education_attendance__marks").fetchone()
    return rows


def bare(landing: Path, home: Path) -> int:
    """The peer: DuckDB's own reader with declared types, into a plain file."""
    home.mkdir(parents=True)
    with duckdb.connect(str(home / "bare.duckdb"), config={"threads": "2"}) as con:
        con.execute(
            "CREATE TABLE marks AS SELECT * FROM read_csv(?, auto_detect=false, header=true,"
            f" delim=',', columns={TYPES})",
            [str(landing / "education_attendance" / "attendance_marks_*.csv")],
        )
        (rows,) = con.execute("SELECT count(*) FROM marks").fetchone()
    return rows


WAYS: dict[str, Callable[[Path, Path], int]] = {"hub": hub, "bare": bare}


def measure(way: str, folder: Path) -> dict[str, float]:
    """One run of a way in a process of its own."""
    shutil.rmtree(folder / "home", ignore_errors=True)
    command = [sys.executable, __file__, "--only", way, "--folder", str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout))


def run_alone(way: str, folder: Path) -> dict[str, float]:
    """What `measure` starts: the work, and what this process used for it."""
    started = time.perf_counter()
    rows = WAYS[way](folder / "landing", folder / "home")
    wall = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "rows": rows,
        "wall_seconds": round(wall, 1),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
        "peak_memory_gib": round(used.ru_maxrss / 2**20, 2),  # kilobytes on Linux
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pupils", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("build/bench-attendance"))
    parser.add_argument("--only", choices=sorted(WAYS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        print(json.dumps(run_alone(options.only, options.folder)))
        return 0
    shutil.rmtree(options.folder, ignore_errors=True)
    make_files(options.folder / "landing", options.pupils)
    runs = [{way: measure(way, options.folder) for way in WAYS} for _ in range(options.runs)]
    medians = {
        way: {
            figure: statistics.median(run[way][figure] for run in runs) for figure in runs[0][way]
        }
        for way in WAYS
    }
    result = {
        "pupils": options.pupils,
        "runs": options.runs,
        **medians,
        "ratio_wall": round(medians["hub"]["wall_seconds"] / medians["bare"]["wall_seconds"], 2),
        "ratio_cpu": round(medians["hub"]["cpu_seconds"] / medians["bare"]["cpu_seconds"], 2),
    }
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    known[str(options.pupils)] = result
    RESULTS.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")
    print(json.dumps(result, indent=2))
    shutil.rmtree(options.folder)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
