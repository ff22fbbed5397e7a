"""The programme's published tables, written by hand: a quarter of eight children."""

from __future__ import annotations

import pyarrow as pa

from ffp_data.programme.figures import CELLS, CODES, POPULATION, RECORDS, SCHEMAS
from ffp_data.programme.tables import programme

ALL = "all"
MOVES = {
    ("no service", "child in need"): 3,
    ("child in need", "closed"): 1,
    ("no service", "no service"): 4,
}
NEEDS = {
    ("domestic abuse", "5 to 9"): 2,
    ("domestic abuse", "10 to 15"): 1,
    ("neglect", "5 to 9"): 1,
}
GROUPS: dict[str, tuple[tuple[str, int, int], ...]] = {
    "ethnicity": (("White", 500, 480), ("Black", 100, 70)),
    "age": (("5 to 9", 600, 550),),
}


def tables() -> dict[str, pa.Table]:
    """By name, with the columns that a run publishes."""
    found: dict[str, list[tuple[object, ...]]] = {
        CELLS: [
            *_cells("moves", MOVES, "2026-03-31"),
            *_cells("needs_by_age", NEEDS, ""),
            *_cells("returns_home", {("returned within 12 months", "12 to 24 months ago"): 1,
                                     ("not returned within 24 months", "24 to 36 months ago"): 3}, ""),
            *_cells("levels_by_ethnicity", {("child in need", "White"): 10, ("no service", "White"): 390,
                                            ("child in need", "Black"): 12, ("no service", "Black"): 88}, ""),
        ],
        RECORDS: [
            (by, group, records, linked, 0, 0)
            for by, groups in GROUPS.items()
            for group, records, linked in groups
        ],
        POPULATION: [],
        CODES: [
            (spec.id, split, place, code)
            for spec in programme().tables
            for split, name in (("code", spec.rows), ("other", spec.columns))
            for place, code in enumerate(programme().codes.get(name, ("North",)))
        ],
    }  # fmt: skip
    return {
        name: pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in found[name]], schema)
        for name, schema in SCHEMAS.items()
    }  # fmt: skip


def _cells(
    table: str, leaves: dict[tuple[str, str], int], quarter: str
) -> list[tuple[str, str, str, str, int, int]]:
    """Each cell, and its margins by addition."""
    counts: dict[tuple[str, str], int] = {}
    for (code, other), n in leaves.items():
        for key in ((code, other), (code, ALL), (ALL, other), (ALL, ALL)):
            counts[key] = counts.get(key, 0) + n
    return [(table, quarter, *key, n, n) for key, n in counts.items()]
