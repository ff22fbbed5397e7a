"""A day's changed records into a large hub: what it costs, and that it comes to what a full re-run would.

    python benchmarks/hub/delta.py                                300,000 records, 5,000 of them changed
    python benchmarks/hub/delta.py --records 30000 --changed 500
    python benchmarks/hub/delta.py --database postgresql          a server of our own, started for it

The partnership is that of churn.py, one day old. Linkage keeps its state (linkage.start) and takes the
changed records in (linkage.link_incremental); the hub assigns all of it. A second hub goes another way: all
records linked again with the same parameters, from nothing else. Both must hold the same membership, to
the letter, and the same clusters. Then the rest of the month comes, to see how the database grows. The
result goes to benchmarks/results/hub_delta.json, by kind of database.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from importlib import resources
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import linkage  # noqa: E402
from benchmarks.hub.database import size_mb, url_of  # noqa: E402
from benchmarks.hub.machine import cost, machine, peak_gib  # noqa: E402
from benchmarks.hub.months import MonthlyPartnership  # noqa: E402
from benchmarks.hub.people import Records  # noqa: E402
from ffp_data.hub import Hub, RunSummary  # noqa: E402
from ffp_data.hub.child_id import from_bits  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "hub_delta.json"
FIRST, NEXT_DAY, NEXT_MONTH = date(2026, 3, 31), date(2026, 4, 1), date(2026, 4, 30)
RECORDS_OF_A_CHILD = 2.8  # in the partnership of the first day, adults' records too


def seeded_ids(seed: int) -> Callable[[], str]:
    """The same identifiers in the same order, so that two hubs can be compared to the letter."""
    source = Random(seed)
    return lambda: from_bits(source.getrandbits)


@dataclass
class Days:
    """Person records of the first day, those that change the day after, and all at the month's end."""

    first: pa.Table
    changed: pa.Table
    month_end: pa.Table

    @property
    def second(self) -> pa.Table:
        """All records of the second day, ordered by key."""
        stays = pc.invert(pc.is_in(self.first["record_key"], self.changed["record_key"]))
        return pa.concat_tables([self.first.filter(stays), self.changed]).sort_by("record_key")


def make_days(records: int, changed: int, seed: int, clean: Callable[[pa.Table], pa.Table]) -> Days:
    """As many records as asked for, or a few more; the changes are drawn from those of a month."""
    partnership = MonthlyPartnership(round(records / RECORDS_OF_A_CHILD), seed, FIRST)
    first = clean(partnership.first().records)
    month_end = clean(partnership.next(NEXT_MONTH).records)
    before = {row["record_key"]: row for row in first.to_pylist()}
    news = [
        n for n, row in enumerate(month_end.to_pylist()) if before.get(row["record_key"]) != row
    ]
    some = sorted(Random(seed).sample(news, min(changed, len(news))))
    return Days(first, month_end.take(some), month_end)


@dataclass
class Side:
    """A hub with the records that it is told of."""

    hub: Hub
    records: Records
    model: linkage.Model

    def assign(self, run_id: str, as_at: date, result: linkage.LinkResult) -> RunSummary:
        """One run, as the pipeline makes it."""
        return self.records.assign(self.hub, self.model, run_id, as_at, result)


def measure(records: int, changed: int, seed: int, url: str, folder: Path) -> dict[str, Any]:
    """The benchmark on the hub at ``url``; ``folder`` takes linkage's state and the second hub."""
    model = linkage.Model.from_yaml(
        Path(str(resources.files("ffp_data").joinpath("identity", "person_model.yaml")))
    )
    costs: dict[str, Any] = {}
    with (
        Records() as kept,
        Records() as other,
        Hub.open(url, seeded_ids(seed)) as hub,
        Hub.open(f"sqlite:///{folder}/second.db", seeded_ids(seed)) as second,
    ):
        days = make_days(records, changed, seed, kept.clean)
        side, rerun = Side(hub, kept, model), Side(second, other, model)
        fitted, sizes = _first_day(side, rerun, days, folder, url, costs)
        summary, clusters = _second_day(side, days, folder, url, costs)
        sizes["after the day"] = size_mb(url)
        same = _rerun(rerun, days, fitted, hub.membership(), clusters, costs)
        sizes |= _rest_of_month(side, days, folder, url, costs)
    return {
        "records": days.first.num_rows, "changed": days.changed.num_rows, "day": summary,
        "month": {"records": days.month_end.num_rows}, "size_mb": sizes, "same": same, "seconds": costs,
        "total": {k: round(sum(costs[s][k] for s in DAY), 2) for k in ("wall", "cpu")},
    }  # fmt: skip


DAY = ("day: clean and store", "day: link", "day: assign", "day: read membership")


def _first_day(
    side: Side, rerun: Side, days: Days, folder: Path, url: str, costs: dict[str, Any]
) -> tuple[linkage.Fitted, dict[str, float]]:
    side.records.put(days.first)
    with cost(costs, "first: link"):
        result = linkage.start(side.records.to_link(), side.model, folder / "state")
    with cost(costs, "first: assign"):
        side.assign("first", FIRST, result)
    rerun.records.put(days.first)
    rerun.assign("first", FIRST, result)
    if result.fitted is None:
        raise ValueError("too few records to learn from")
    return result.fitted, {"after the first run": size_mb(url)}


def _second_day(
    side: Side, days: Days, folder: Path, url: str, costs: dict[str, Any]
) -> tuple[dict[str, int], pa.Table]:
    with cost(costs, DAY[0]):
        side.records.put(days.second)
        changed = side.records.to_link()
        changed = changed.filter(pc.is_in(changed["record_key"], days.changed["record_key"]))
    with cost(costs, DAY[1]):
        result = linkage.link_incremental(changed, side.model, folder / "state")
    with cost(costs, DAY[2]):
        summary = side.assign("day", NEXT_DAY, result)
    with cost(costs, DAY[3]):
        side.hub.membership()
    return summary.counts(), result.clusters


def _rerun(
    rerun: Side,
    days: Days,
    fitted: linkage.Fitted,
    membership: pa.Table,
    clusters: pa.Table,
    costs: dict[str, Any],
) -> dict[str, bool]:
    """All records linked anew with the same parameters: is everything the same?"""
    rerun.records.put(days.second)
    with cost(costs, "full: link"):
        result = linkage.link(rerun.records.to_link(), rerun.model, fitted=fitted)
    with cost(costs, "full: assign"):
        rerun.assign("day", NEXT_DAY, result)
    return {
        "clusters": result.clusters.equals(clusters),
        "membership": rerun.hub.membership().equals(membership),
    }


def _rest_of_month(
    side: Side, days: Days, folder: Path, url: str, costs: dict[str, Any]
) -> dict[str, float]:
    side.records.put(days.month_end)
    with cost(costs, "month: link"):
        gone = set(days.second["record_key"].to_pylist()) - set(
            days.month_end["record_key"].to_pylist()
        )
        result = linkage.link_incremental(
            side.records.to_link(), side.model, folder / "state", removed=gone
        )
    with cost(costs, "month: assign"):
        side.assign("month", NEXT_MONTH, result)
    return {"after the month": size_mb(url)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=300_000)
    parser.add_argument("--changed", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    where = machine()
    with tempfile.TemporaryDirectory() as name, url_of(options.database, Path(name)) as url:
        result = measure(options.records, options.changed, options.seed, url, Path(name))
    result |= {"machine": where, "peak_memory_gib": peak_gib()}
    known = json.loads(options.results.read_text()) if options.results.exists() else {}
    known[options.database] = result
    options.results.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
    print(json.dumps({k: v for k, v in result.items() if k != "machine"}, indent=1))
    if not all(result["same"].values()):
        raise SystemExit("the day's result is not that of a full re-run")


if __name__ == "__main__":
    main()
