"""What the linkage tests share besides fixtures."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pyarrow as pa

GIVEN = [
    "Martha", "Oliver", "Sadiq", "Noah", "Amara", "Leo", "Freya", "Idris", "Chloe", "Ethan",
    "Zofia", "Jacob", "Priya", "Lucas", "Grace", "Omar", "Isla", "Henry", "Ruby", "Theo",
    "Nadia", "Arthur", "Evie", "Oscar", "Lily", "Kofi", "Phoebe", "Rafael", "Ella", "Hugo",
]  # fmt: skip
SURNAMES = [
    "Abbott", "Begum", "Carter", "Dhillon", "Evans", "Fletcher", "Gibson", "Hussain", "Iqbal",
    "Jenkins", "Kowalski", "Lambert", "Murphy", "Nguyen", "Okafor", "Patel", "Quinn", "Roberts",
    "Sharma", "Thompson", "Underwood", "Vaughan", "Walters", "Young",
]  # fmt: skip


def groups(clusters: pa.Table) -> set[frozenset[str]]:
    """Clusters as sets of record ids."""
    found: dict[str, set[str]] = {}
    for row in clusters.to_pylist():
        found.setdefault(row["cluster_id"], set()).add(row["record_id"])
    return {frozenset(g) for g in found.values()}


def invented(seed: int, people: int) -> list[dict[str, Any]]:
    """One to three records for each person, with typing errors, swaps and gaps."""
    rng = random.Random(seed)
    rows = []
    for person in range(people):
        given, surname = rng.choice(GIVEN), rng.choice(SURNAMES)
        born = dt.date(2000, 1, 1) + dt.timedelta(days=rng.randrange(6000))
        for copy in range(rng.choice([1, 2, 3])):
            row = {
                "id": f"r{rng.randrange(10**9):09d}", "source": f"s{copy}", "given": given,
                "surname": surname, "born": born, "number": f"{person}",
            }  # fmt: skip
            if rng.random() < 0.15:
                row["given"] = given[:-1] + rng.choice("aeiou")
            if rng.random() < 0.05:
                row["given"], row["surname"] = surname, given
            if rng.random() < 0.1 and born.day <= 12:
                row["born"] = born.replace(month=born.day, day=born.month)
            if rng.random() < 0.3:
                row["number"] = None
            if rng.random() < 0.05:
                row["born"] = None
            rows.append(row)
    return rows
