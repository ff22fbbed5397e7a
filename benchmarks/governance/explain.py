"""Is `ffp explain` right, and how fast: random cells after corrections and permuted feeds, read again in the files.

    python -m benchmarks.governance.explain --children 300 --cells 1000

makes a partnership, shuffles the rows of its lists, runs, delivers corrections, runs again, then explains random cells
and has each judged by the oracle, which reads the delivered files alone. `--times N` then measures look-ups in a home
N times as large, made by repeating the rows of everybody under other keys.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.governance.corrections import correct, permute
from benchmarks.governance.larger import enlarge
from benchmarks.governance.oracle import judge
from ffp_data.lineage.explain import Explainer, open_explainer
from ffp_data.settings import Home, make_demonstration
from governance.access import Gate, Journal, Right

LATER = "20260402T030000Z"
AS_AT = "2026-04-02"


def make(folder: Path, children: int, seed: int) -> Home:
    """A home after two runs: permuted lists, then their corrections."""
    home, partnership = Home(folder / "home").prepare(), folder / "partnership"
    make_demonstration(home)
    _ffp("synthesise", partnership, "--children", children, "--seed", seed)
    permute(partnership / "landing", seed)
    _run(home, partnership / "landing")
    correct(partnership / "landing", LATER, seed)
    _run(home, partnership / "landing", "--allow-large-change")
    return home


def _run(home: Home, landing: Path, *words: str) -> None:
    _ffp("run", "--home", home.root, "--landing", landing, "--as-at", AS_AT, *words)


def _ffp(*words: object) -> None:
    program = Path(sys.executable).with_name("ffp")
    done = subprocess.run(
        [str(program), *map(str, words)], capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 3):
        raise RuntimeError(done.stderr[-2000:])


def random_cells(opened: Explainer, number: int, seed: int) -> Iterator[tuple[str, str]]:
    """Children and attributes, of cells that hold something, over all tables of the single view."""
    chosen = random.Random(seed)
    cells = sorted(_filled(opened))
    yield from (chosen.choice(cells) for _ in range(number)) if cells else ()


def _filled(opened: Explainer) -> Iterator[tuple[str, str]]:
    for table, prefix in _TABLES.items():
        for name in opened.lineage.columns(f"single_view.{table}"):
            rows = opened.con.execute(
                f"SELECT DISTINCT child_id, {prefix} FROM single_view.{table} "
                f"WHERE {name} IS NOT NULL AND NOT contains(child_id, '~')"  # copies are nobody's
            ).fetchall()
            for child, picked in rows:
                yield child, f"{table}.{picked}.{name}" if picked else name


_TABLES = {
    "children": "''",
    "involvements": "service",
    "flags": "flag",
    "attendance": "attendance_window",
    "chronology": "event_date || '.' || event_type",
    "family_members": "replace(relationship, ' ', '_')",
}


def measure(home: Home, landing: Path | None, cells: int, seed: int) -> dict[str, Any]:
    """Explain random cells: how many are right, by the oracle, and how long each took."""
    seconds: list[float] = []
    busy: list[float] = []  # of the processors: on a shared machine others take from the wall clock
    problems, rows, wrong, by_table = Counter[str](), 0, 0, Counter[str]()
    with open_explainer(home) as opened, Journal(home.ledger_dir, opened.access.ledger) as journal:
        opened.access.__dict__["gate"] = Gate(
            opened.access.roles, opened.access.subjects, journal.append
        )
        who = opened.access.user(Right.EXPLAIN)
        for child, attribute in random_cells(opened, cells, seed):
            began, worked = time.perf_counter(), time.process_time()
            answer = opened.explain(who, child, attribute)
            seconds.append(time.perf_counter() - began)
            busy.append(time.process_time() - worked)
            by_table[attribute.partition(".")[0] if "." in attribute else "children"] += 1
            if landing is not None:
                verdict = judge(landing, answer.model_dump(mode="json"))
                rows += verdict.checked
                wrong += bool(verdict.problems)
                problems.update(verdict.problems)
    told: dict[str, Any] = {
        "cells": len(seconds),
        "p50_ms": round(statistics.median(seconds) * 1000, 1),
        "p95_ms": round(statistics.quantiles(seconds, n=20)[18] * 1000, 1),
        "p95_cpu_ms": round(statistics.quantiles(busy, n=20)[18] * 1000, 1),
    }
    if landing is not None:
        right = len(seconds) - wrong
        told |= {
            "right": right,
            "rows_read_again": rows,
            "by_table": dict(sorted(by_table.items())),
        }
        told["problems"] = dict(problems.most_common(20))
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--children", type=int, default=300)
    parser.add_argument("--cells", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--times", type=int, default=0)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--out", type=Path)
    told = parser.parse_args()
    folder = told.keep or Path(tempfile.mkdtemp())
    try:
        made = (folder / "home" / "warehouse.duckdb").is_file()
        home = Home(folder / "home") if made else make(folder, told.children, told.seed)
        landing = folder / "partnership" / "landing"
        result = {"children": told.children, **measure(home, landing, told.cells, told.seed)}
        if told.times:
            children = enlarge(home, told.times)
            result["large"] = {"children": children, **measure(home, None, told.cells, told.seed)}
    finally:
        if told.keep is None:
            shutil.rmtree(folder)
    text = json.dumps(result, indent=1)
    sys.stdout.write(text + "\n")
    if told.out:
        told.out.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
