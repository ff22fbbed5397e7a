"""Suppression against an attacker: what the plain rule leaves open, what closing it costs, and how long it takes.

    python benchmarks/governance/suppression.py [--home HOME] [--out RESULTS.json]

Tables: a grid of sizes and densities with a fixed seed, of two dimensions with margins, with districts
between team and all, two linked tables, and quarters that add up; with `--home` also the tables that a home
publishes. Each is protected twice, by the plain rule (1 to 5 hidden) and by `protect`, and attacked by linear
programming; once with exact counts and once with counts rounded to 5. Figures are of processor time, on whatever
else the machine does.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ffp_data.home import policy
from ffp_data.home.release_zone import ZONE
from ffp_data.home.run import Run
from ffp_data.publications.counting import Counting
from ffp_data.publications.published import PURPOSE
from ffp_data.publications.published_counts import PUBLICATIONS
from ffp_data.warehouse import connect
from governance.disclosure_control import Dimension, Frame, Published, Rules, Table
from governance.disclosure_control.attack import attack, recovered
from governance.disclosure_control.protect import protect

RULES = Rules("benchmark")
ROUNDED = replace(RULES, base=5)
"""As the demonstration publishes (suppression.yaml)."""
SIZES = ((4, 4), (5, 8), (8, 6), (10, 10), (12, 8), (20, 20))
MEANS = (2, 4, 8, 20, 60)


@dataclass(frozen=True)
class Case:
    """Tables that are published together, after those before."""

    name: str
    tables: tuple[Table, ...]
    before: tuple[Table, ...] = ()


def counts(random: np.random.Generator, rows: int, columns: int, mean: float) -> np.ndarray:
    """Counts as uneven as those of services, ages and areas are: a gamma of shape 1 under a Poisson."""
    return random.poisson(random.gamma(1.0, mean, (rows, columns)))


def crossed(name: str, found: np.ndarray, names: str = "ab", **frame: object) -> Table:
    rows, columns = found.shape
    down = Dimension.flat(names[0], *(f"{names[0]}{i}" for i in range(rows)))
    across = Dimension.flat(names[1], *(f"{names[1]}{i}" for i in range(columns)))
    made = Frame(name, "children", "2026-03-31", (down, across))
    return Table.summed(replace(made, **frame), dict(_leaves(found, *names)))  # type: ignore[arg-type]


def _leaves(found: np.ndarray, first: str, second: str) -> Iterator[tuple[tuple[str, str], int]]:
    for i, row in enumerate(found.tolist()):
        for j, count in enumerate(row):
            yield (f"{first}{i}", f"{second}{j}"), count


def flat(seed: int) -> Iterator[Case]:
    for rows, columns in SIZES:
        for mean in MEANS:
            random = np.random.default_rng([seed, rows, columns, mean])
            name = f"{rows} x {columns}, mean {mean}"
            yield Case(name, (crossed(name, counts(random, rows, columns, mean)),))


def districts(seed: int) -> Iterator[Case]:
    """Teams in districts by age."""
    for mean in MEANS:
        random = np.random.default_rng([seed, 77, mean])
        parents: dict[str, str | None] = {"all": None}
        parents |= {f"d{i}": "all" for i in range(3)}
        parents |= {f"a{i}": f"d{i // 4}" for i in range(12)}
        ages = Dimension.flat("b", *(f"b{j}" for j in range(5)))
        frame = Frame("t", "children", "2026-03-31", (Dimension("a", parents), ages))
        leaves = dict(_leaves(counts(random, 12, 5, mean), "a", "b"))
        yield Case(f"12 teams in 3 districts x 5, mean {mean}", (Table.summed(frame, leaves),))


def linked(seed: int) -> Iterator[Case]:
    """One population by a and b, and by a and c."""
    for mean in MEANS:
        random = np.random.default_rng([seed, 78, mean])
        cube = random.poisson(random.gamma(1.0, mean / 4, (8, 5, 4)))
        tables = (crossed("ab", cube.sum(2)), crossed("ac", cube.sum(1), "ac"))
        yield Case(f"8 x 5 linked with 8 x 4, mean {mean}", tables)


def quarters(seed: int) -> Iterator[Case]:
    """Counts since April, a quarter later; about one cell in five gained children."""
    for mean in (8, 20, 60):
        random = np.random.default_rng([seed, 79, mean])
        first = counts(random, 8, 6, mean)
        gained = random.poisson(random.gamma(1.0, mean / 2, first.shape))
        then = crossed("q1", first, since="2025-04-01", as_at="2025-12-31")
        now = crossed("q2", first + gained * (random.random(first.shape) < 0.2), since="2025-04-01")
        yield Case(f"8 x 6 a quarter later, mean {mean}", (now,), (then,))


def of_home(home: Path) -> Iterator[Case]:
    """The true tables behind what a home publishes today."""
    run = Run.at(run_id="benchmark", home=home)
    grants = policy.grants(run)
    ((recipient, _),) = grants.recipients(PURPOSE)
    with connect(run.home, read_only=True) as con:
        rights = ZONE.rights
        for name, count in PUBLICATIONS.items():
            terms = grants.suppression(name)
            assert terms is not None
            counting = Counting(
                con, rights, recipient, PURPOSE, run.as_at, run.census_year[0], terms, 1
            )
            things: dict[str, list[Table]] = {}
            for table in count(counting):
                things.setdefault(table.frame.counted, []).append(table)
            yield from (Case(f"home: {thing}", tuple(tables)) for thing, tables in things.items())


def plain(table: Table) -> Published:
    """What hiding 1 to 5 and nothing else shows."""
    cells = {key: None if RULES.is_small(n) else n for key, n in table.counts.items()}
    return Published(table.frame, cells)


def measure(case: Case, rules: Rules = RULES) -> dict[str, object]:
    before = [published for table in case.before for published in protect([table], rules).tables]
    started = time.process_time()
    protected = protect(case.tables, rules, before)
    seconds = time.process_time() - started
    by_plain = attack([*map(plain, (*case.before, *case.tables))])
    ours = attack([*before, *protected.tables])
    names = {t.frame.cell(key) for t in case.tables for key in t.counts}
    small = {t.frame.cell(k) for t in case.tables for k, n in t.counts.items() if RULES.is_small(n)}
    hidden = {t.frame.cell(k) for t in protected.tables for k, n in t.cells.items() if n is None}
    return {
        "case": case.name,
        "cells": len(names),
        "hidden by the plain rule": len(small),
        "hidden for themselves": protected.primary,
        "hidden by ours": len(hidden),
        "plain: found exactly": sum(i.width == 0 for i in by_plain.values()),
        "plain: found within 5": len(recovered(by_plain, RULES.width)),
        "ours: found exactly": sum(i.width == 0 for i in ours.values()),
        "ours: found within 5": len(recovered(ours, RULES.width)),
        "seconds": round(seconds, 2),
    }


def summary(rows: Sequence[dict[str, object]]) -> dict[str, object]:
    def total(name: str) -> float:
        return sum(float(str(row[name])) for row in rows)

    few, ours, cells = total("hidden by the plain rule"), total("hidden by ours"), total("cells")
    own = total("hidden for themselves")
    largest = [float(str(r["seconds"])) for r in rows if str(r["case"]).startswith("20 x 20")]
    return {
        "cases": len(rows),
        "cells": cells,
        "hidden by the plain rule": few,
        "hidden for themselves": own,
        "plain: found exactly, share": round(total("plain: found exactly") / few, 3),
        "plain: found within 5, share": round(total("plain: found within 5") / few, 3),
        "ours: found exactly": total("ours: found exactly"),
        "ours: found within 5": total("ours: found within 5"),
        "further cells, of those hidden by the plain rule": round((ours - few) / few, 3),
        "further cells, of those hidden for themselves": round((ours - own) / own, 3),
        "further cells, of all cells": round((ours - few) / cells, 3),
        "seconds of all": round(total("seconds"), 1),
        "seconds of the slowest 20 x 20": max(largest, default=None),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    told = parser.parse_args()
    groups = {
        "made-up tables": [*flat(told.seed), *districts(told.seed), *linked(told.seed)],
        "a quarter later, audited with the last": list(quarters(told.seed)),
        "of the home": list(of_home(told.home)) if told.home else [],
    }
    result: dict[str, object] = {}
    for how, rules in (("not rounded", RULES), ("rounded to 5", ROUNDED)):
        found = {name: [measure(case, rules) for case in cases] for name, cases in groups.items()}
        told_by = {name: summary(rows) for name, rows in found.items() if rows}
        result[how] = {**told_by, "by case": [row for rows in found.values() for row in rows]}
    text = json.dumps(result, indent=1)
    print(text)
    if told.out:
        told.out.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
