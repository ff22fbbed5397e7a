"""Twelve months of deliveries into the hub: how many children's identifiers change for no reason.

    python benchmarks/hub/churn.py                    30,000 children, 12 months
    python benchmarks/hub/churn.py --children 3000

Each month agencies deliver (benchmarks/hub/months), all records are linked with the model of the hub
and the parameters learnt in the first month, and the hub assigns. What became of each child's identifier
is measured against truth (measures.py), and beside it, in the same run, what two ways without a hub
would have done: a cluster named by its least record, of the same links; and of links whose parameters
are learnt anew each month. The result goes to benchmarks/results/hub_churn.json, .md and .svg.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import pyarrow as pa

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import linkage  # noqa: E402
from benchmarks.hub import churn_shown  # noqa: E402
from benchmarks.hub.machine import cost, machine, peak_gib  # noqa: E402
from benchmarks.hub.measures import Changes, Errors, Members, changes, errors  # noqa: E402
from benchmarks.hub.months.partnership import (  # noqa: E402
    Month,
    MonthlyPartnership,
    ends_of_months,
)
from benchmarks.hub.people import Records  # noqa: E402
from ffp_data.hub import Hub  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "hub_churn.json"
FIRST = date(2026, 3, 31)
MISSING = {5: ("health_fhir",)}  # month: feeds that make no delivery
ABSENT = {8: ("case_system",)}  # month: feeds whose records the run does not bring at all
NOTHING = Errors(frozenset(), frozenset())


@dataclass
class System:
    """One way to name children, followed through the months."""

    members: Members = field(default_factory=dict)
    wrong: Errors = NOTHING
    first: Members = field(default_factory=dict)
    months: list[dict[str, Any]] = field(default_factory=list)
    churned: set[str] = field(default_factory=set)
    seen: list[Changes] = field(default_factory=list)

    def take(self, members: Members, truth: Mapping[str, str], children: frozenset[str]) -> Changes:
        """Follow one month; what changed."""
        found = changes(self.members, members, truth, children)
        wrong = errors(members, truth, children)
        self.months.append({
            "children": found.known,
            "churned": len(found.churned),
            "churn": round(found.churn, 6),
            "true_merges": len(found.true_merges),
            "true_splits": len(found.true_splits),
            "moved_wrongly": found.moved_wrongly,
            "taken_for_another": found.taken_for_another,
            "wrongly_merged": _flow(self.wrong.merged, wrong.merged),
            "wrongly_split": _flow(self.wrong.split, wrong.split),
        })  # fmt: skip
        self.first = self.first or members
        self.members, self.wrong = members, wrong
        self.churned |= found.churned
        self.seen.append(found)
        return found

    def year(self, truth: Mapping[str, str], children: frozenset[str]) -> dict[str, Any]:
        """The whole time: children with any churn, and first month against last."""
        ends = changes(self.first, self.members, truth, children)
        known = max(found.known for found in self.seen)
        return {
            "children": known,
            "children_with_churn": len(self.churned),
            "churn": round(len(self.churned) / max(1, known), 6),
            "first_to_last": {"children": ends.known, "churned": len(ends.churned)},
        }


def _flow(before: frozenset[Any], now: frozenset[Any]) -> dict[str, int]:
    return {"now": len(now), "new": len(now - before), "healed": len(before - now)}


@dataclass
class Run:
    """The months of one benchmark."""

    hub: Hub
    model: linkage.Model
    records: Records
    fitted: linkage.Fitted | None = None
    truth: dict[str, str] = field(default_factory=dict)
    children: set[str] = field(default_factory=set)
    systems: dict[str, System] = field(default_factory=dict)
    months: list[dict[str, Any]] = field(default_factory=list)
    refits: bool = True

    def month(self, number: int, month: Month) -> None:
        """Link, assign and measure one month."""
        costs: dict[str, Any] = {}
        with cost(costs, "clean"):
            self.records.put(self.records.clean(month.records))
            records = self.records.to_link()
        with cost(costs, "link"):
            result = linkage.link(records, self.model, fitted=self.fitted)
        self.fitted = self.fitted or result.fitted
        with cost(costs, "assign"):
            summary = self.records.assign(
                self.hub, self.model, f"month-{number}", month.as_at, result
            )
        self.truth |= month.person_of
        self.children |= month.children
        with cost(costs, "measure"):
            self._take("hub", _names(self.hub.membership(), "record_key", "child_id"))
            clusters = _names(result.clusters, "record_id", "cluster_id")
            self._take("least record", _least(clusters))
        if self.refits:
            with cost(costs, "link, learnt anew"):
                again = linkage.link(records, self.model) if number else result
            clusters = _names(again.clusters, "record_id", "cluster_id")
            self._take("least record, learnt anew", _least(clusters))
        self.months.append({
            "month": number, "as_at": str(month.as_at), "records": len(records), "pairs": len(result.pairs),
            "late": len(month.late), "missing": MISSING.get(number, ()), "absent": ABSENT.get(number, ()),
            "changes": summary.changes, "seconds": costs,
            "happened": {name: len(what) for name, what in vars(month.news).items()},
        })  # fmt: skip

    def _take(self, name: str, members: Members) -> None:
        system = self.systems.setdefault(name, System())
        system.take(members, self.truth, frozenset(self.children))

    def result(self) -> dict[str, Any]:
        children = frozenset(self.children)
        return {
            "months": self.months,
            "systems": {
                name: {"year": s.year(self.truth, children), "months": s.months}
                for name, s in self.systems.items()
            },
        }


def _names(table: pa.Table, record: str, name: str) -> dict[str, str]:
    return dict(zip(table[record].to_pylist(), table[name].to_pylist(), strict=True))


def _least(clusters: Mapping[str, str]) -> dict[str, str]:
    """Each record's cluster under its least record."""
    least: dict[str, str] = {}
    for record, name in clusters.items():
        least[name] = min(record, least.get(name, record))
    return {record: least[name] for record, name in clusters.items()}


def measure(children: int, months: int, seed: int, url: str, refits: bool = True) -> dict[str, Any]:
    """The benchmark at one size; the hub is at ``url``."""
    model = linkage.Model.from_yaml(
        Path(str(resources.files("ffp_data").joinpath("identity", "person_model.yaml")))
    )
    partnership = MonthlyPartnership(children, seed, FIRST)
    with Hub.open(url) as hub, Records() as records:
        run = Run(hub, model, records, refits=refits)
        run.month(0, partnership.first())
        for number, as_at in enumerate(ends_of_months(FIRST, months), start=1):
            run.month(
                number,
                partnership.next(as_at, MISSING.get(number, ()), ABSENT.get(number, ())),
            )
            _tell(run)
        return run.result()


def _tell(run: Run) -> None:
    words = [f"{name}: {s.months[-1]['churned']} churned" for name, s in run.systems.items()]
    print(
        f"month {run.months[-1]['month']}, {run.months[-1]['records']:,} records;",
        ", ".join(words),
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--children", type=int, default=30_000)
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    where, book = machine(), dict[str, Any]()
    with tempfile.TemporaryDirectory() as folder, cost(book, "all"):
        result = measure(
            options.children, options.months, options.seed, f"sqlite:///{folder}/hub.db"
        )
    result |= {
        "asked": {"children": options.children, "months": options.months, "seed": options.seed},
        "seconds": book["all"], "peak_memory_gib": peak_gib(), "machine": where,
    }  # fmt: skip
    options.results.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n")
    churn_shown.write(result, options.results)
    print(json.dumps({n: s["year"] for n, s in result["systems"].items()}, indent=2))


if __name__ == "__main__":
    main()
