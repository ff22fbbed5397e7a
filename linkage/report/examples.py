"""Pairs that show how the engine decides: a sure one, doubtful ones, held apart, and one household.

The steps of a pair add up to its weight. They start at the odds of any two records, add each
comparison's bits (one person against strangers), take away what the chance of another member of
the household costs, and end with what the frequency of the very values (and anything later) adds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc

from linkage.engine import Bools, Floats
from linkage.report.run import Run

_SHOWN_VETOES = 2


@dataclass(frozen=True)
class Step:
    """One step of a waterfall, in bits."""

    label: str
    bits: float


@dataclass(frozen=True)
class Example:
    """A pair, why it is shown, what became of it, and its steps."""

    why: str
    left: str
    right: str
    weight: float
    probability: float
    outcome: str
    steps: tuple[Step, ...]


def choose(run: Run) -> list[Example]:
    """Up to seven pairs; the same run gives the same pairs."""
    if not run.pairs.num_rows or not run.report["parameters"]:
        return []
    open_, linked = ~run.vetoed, run.probability >= run.model.thresholds.join
    wanted: list[tuple[str, Bools, Floats]] = [
        ("A sure pair", run.together & open_ & linked, -_from_median(run, run.together & linked)),
        ("The weakest pair that joins by itself", run.together & open_ & linked, -run.weight),
        ("The strongest pair that stayed apart without a veto", ~run.together & open_, run.weight),
        (
            "In one cluster although the pair itself speaks against it",
            run.together & (run.weight < 0),
            -run.weight,
        ),
        ("Most like one household with two people", open_ & ~run.together, run.household),
    ]
    for veto in run.model.vetoes:
        mine = pc.fill_null(pc.equal(run.pairs["veto"], veto.name), False).to_numpy()
        wanted.append((f"Held apart by the veto '{veto.name}'", mine & ~run.together, run.weight))
    held = sorted(wanted[5:], key=lambda w: -max(run.weight[w[1]], default=-np.inf))
    found, seen = [], set()
    for why, chosen, order in [*wanted[:5], *held[:_SHOWN_VETOES]]:
        index = _best(chosen, order)
        if index is not None and index not in seen:
            seen.add(index)
            found.append(_example(run, index, why))
    return found


def _from_median(run: Run, chosen: Bools) -> Floats:
    middle = float(np.median(run.weight[chosen])) if chosen.any() else 0.0
    result: Floats = np.abs(run.weight - middle)
    return result


def _best(chosen: Bools, order: Floats) -> int | None:
    """The chosen pair with the highest value; the first of equals."""
    places = np.flatnonzero(chosen & np.isfinite(order))
    return int(places[np.argmax(order[places])]) if len(places) else None


def _example(run: Run, index: int, why: str) -> Example:
    row = run.pairs.slice(index, 1).to_pylist()[0]
    outcome = "in one cluster" if run.together[index] else "in two clusters"
    if row["veto"]:
        outcome += f", veto '{row['veto']}'"
    return Example(
        why,
        row["record_id_l"],
        row["record_id_r"],
        row["match_weight"],
        row["match_probability"],
        outcome,
        tuple(steps(run.report, row)),
    )


def steps(report: Mapping[str, Any], row: Mapping[str, object]) -> list[Step]:
    """The waterfall of one row of the pairs, by the parameters and shares of the run's report."""
    shares = report["shares_of_all_pairs"]
    same = shares["same"]
    found = [Step("any two records", float(np.log2(same / (1 - same))))]
    household = 0.0
    for level in report["parameters"]:
        if row.get(f"level_{level['comparison']}") == level["level"]:
            weight, shared = _evidence(level, report.get("parameters_apart", []), row)
            found.append(Step(f"{level['comparison']}: {level['level']}", weight))
            household += shared
    if "household" in shares:
        # Odds against strangers and household together, less the odds against strangers alone.
        part = np.array([shares["stranger"], shares["household"] * 2.0**household]) / (1 - same)
        found.append(Step("may be another of the household", -float(np.log2(part.sum()))))
    weight = float(row["match_weight"])  # type: ignore[arg-type]  # a float column
    rest = weight - sum(s.bits for s in found)
    if abs(rest) >= 0.05:
        found.append(Step("how rare the values are", rest))
    return found


def _evidence(
    level: dict[str, Any], apart: list[dict[str, Any]], row: Mapping[str, object]
) -> tuple[float, float]:
    """Bits of a level for one person, and for one household, against strangers.

    Each set of probabilities learnt apart that is for this pair changes them by its difference.
    """
    one, shared = level["weight_bits"], _household_bits(level)
    for other in apart:
        if (other["comparison"], other["level"]) == (level["comparison"], level["level"]) and all(
            row.get(f"level_{name}") in levels for name, levels in other["among"].items()
        ):
            one += other["weight_bits"] - level["weight_bits"]
            shared += _household_bits(other) - _household_bits(level)
    return one, shared


def _household_bits(level: dict[str, Any]) -> float:
    if level["household"] is None:
        return 0.0
    return float(np.log2(level["household"] / level["u"]))
