"""Made-up runs for the tests of the report: small tables, no names that a page could leak by chance."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

import linkage
from tests.linkage.support import GIVEN, SURNAMES

GROUPS = ("north", "south", "east")


def people(count: int, faults: int = 7) -> pa.Table:
    """Two records of each of ``count`` people; every ``faults``-th second one is mistyped or bare."""
    rows: list[dict[str, Any]] = []
    for i in range(count):
        row = {
            "id": f"a{i:04d}",
            "source": "a",
            "given": GIVEN[(i * 7) % len(GIVEN)],
            "surname": SURNAMES[(i * 11 + i // 24) % len(SURNAMES)],
            "born": f"{1990 + i % 31}-{1 + i % 12:02d}-{1 + (i * 5) % 28:02d}",
            "number": f"n{i:04d}",
            "person": f"p{i:04d}",
            "group": GROUPS[i % 3],
        }
        other = row | {"id": f"b{i:04d}", "source": "b"}
        if i % faults == 0:
            other |= {"number": None, "given": f"{row['given']}x"}
        if i % (faults * 3) == 1:
            other |= {"surname": row["surname"][::-1], "born": "1900-01-01"}
        rows += [row, other]
    return pa.Table.from_pylist(rows)


def run(
    small: dict[str, Any], count: int = 240
) -> tuple[linkage.LinkResult, linkage.Model, pa.Table]:
    """A result, its model and the records."""
    model = linkage.Model.from_dict(
        small | {"vetoes": [{"name": "other_number", "when": {"number": ["different"]}}]}
    )
    table = people(count)
    return linkage.link(table, model), model, table
