"""The report of a run as plain data: model, rules, parameters, training, clusters, constraints."""

from __future__ import annotations

from typing import Any

import numpy as np

from linkage.arrays import distinct_counts
from linkage.assemble import Assembled
from linkage.engine import Loaded, RuleSize
from linkage.estimate import Parameters
from linkage.model import Model


def run_report(
    model: Model,
    loaded: Loaded,
    parameters: Parameters | None,
    sizes: list[RuleSize],
    assembled: Assembled,
) -> dict[str, Any]:
    """What a run was given, learnt and made; keys that need more are filled in by the caller."""
    sizes_of_clusters, counts = distinct_counts(distinct_counts(assembled.labels)[1])
    return {
        "model": {"name": model.name, "version": model.version},
        "records": loaded.count,
        "comparisons_dropped": loaded.dropped,
        "rules": [
            {"rule": s.name, "pairs": s.pairs, "largest_block": s.largest_block} for s in sizes
        ],
        "pairs": {},
        "parameters": [*parameter_rows(parameters), *moved_rows(model, parameters)]
        if parameters
        else [],
        "parameters_apart": apart_rows(parameters) if parameters else [],
        "training": parameters.training if parameters else [],
        "clusters": {
            "count": int(counts.sum()),
            "by_size": {int(s): int(c) for s, c in zip(sizes_of_clusters, counts, strict=True)},
        },
        "constraints": assembled.report,
        "shares_of_all_pairs": {},
        "warnings": [*loaded.warnings, *(parameters.warnings if parameters else ())],
    }


def parameter_rows(parameters: Parameters) -> list[dict[str, Any]]:
    """m, household and u of each level, and its weight in bits."""
    rows = []
    classes = parameters.classes
    for index, comparison in enumerate(parameters.packing.comparisons):
        m, u = parameters.of(index, classes.same), parameters.of(index, 0)
        household = parameters.of(index, 1) if classes.count == 3 else u
        for code, level in enumerate(comparison.level_names):
            if code in comparison.neutral_codes:
                continue
            rows.append(
                {
                    "comparison": comparison.name,
                    "level": level,
                    "m": float(m[code]),
                    "household": float(household[code]) if classes.count == 3 else None,
                    "u": float(u[code]),
                    "weight_bits": float(np.log2(m[code] / u[code])),
                }
            )
    return rows


def moved_rows(model: Model, parameters: Parameters) -> list[dict[str, Any]]:
    """The same for the comparison that says whether a family moved together (``moves``)."""
    if model.moves is None or (rates := parameters.moved) is None:
        return []
    row = {
        "comparison": model.moves.name,
        "level": model.moves.level_names[1],
        "m": float(rates[-1]),
        "household": float(rates[1]) if parameters.classes.count == 3 else None,
        "u": float(rates[0]),
        "weight_bits": float(np.log2(rates[-1] / rates[0])),
    }
    return [row]


def apart_rows(parameters: Parameters) -> list[dict[str, Any]]:
    """The same for pairs at some levels of another comparison (``apart_when``), which ``among`` names."""
    classes, comparisons = parameters.classes, parameters.packing.comparisons
    rows = []
    for apart in parameters.apart:
        comparison, other = comparisons[apart.comparison], comparisons[apart.other]
        for code, level in enumerate(comparison.level_names):
            if code in comparison.neutral_codes:
                continue
            found = apart.probabilities[:, code]
            rows.append(
                {
                    "comparison": comparison.name,
                    "among": {other.name: [other.level_names[c] for c in apart.codes]},
                    "level": level,
                    "m": float(found[classes.same]),
                    "household": float(found[1]) if classes.count == 3 else None,
                    "u": float(found[0]),
                    "weight_bits": float(np.log2(found[classes.same] / found[0])),
                }
            )
    return rows
