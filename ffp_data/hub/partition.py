"""Disjoint sets. Each set is named by its least member, so that no order of input shows."""

from __future__ import annotations

from collections.abc import Iterable


class Partition:
    """Union-find over texts; ``find`` gives the least member of the set."""

    def __init__(self, items: Iterable[str]) -> None:
        self._parent = {item: item for item in items}

    def find(self, item: str) -> str:
        root = item
        while (parent := self._parent[root]) != root:
            root = parent
        while (parent := self._parent[item]) != root:
            self._parent[item], item = root, parent
        return root

    def unite(self, left: str, right: str) -> tuple[str, str] | None:
        """Join two sets: the names (kept, gone), or None where they were one already."""
        kept, gone = sorted((self.find(left), self.find(right)))
        if kept == gone:
            return None
        self._parent[gone] = kept
        return kept, gone
