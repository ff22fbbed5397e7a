"""What the linkage tests share besides fixtures."""

from __future__ import annotations

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
