"""Wrapped keys in a dictionary: a store for what needs no database."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from governance.subjects import Wrapped


class KeysInMemory:
    """Keys of the children who are named at the beginning."""

    def __init__(self, children: Collection[str]) -> None:
        self.children, self.kept = set(children), dict[str, Wrapped]()

    def read(self, child_ids: Collection[str]) -> dict[str, Wrapped]:
        return {child: self.kept[child] for child in child_ids if child in self.kept}

    def add(self, new: Mapping[str, Wrapped]) -> None:
        self.kept = {c: k for c, k in new.items() if c in self.children} | self.kept

    def lacking(self) -> list[str]:
        return sorted(self.children - self.kept.keys())

    def is_complete(self) -> bool:
        return not self.lacking()

    def remove(self, child_ids: Collection[str]) -> int:
        return sum(self.kept.pop(child, None) is not None for child in set(child_ids))

    def under(self, kek: str, limit: int) -> dict[str, Wrapped]:
        found = [child for child, key in sorted(self.kept.items()) if key.kek == kek][:limit]
        return {child: self.kept[child] for child in found}

    def replace(self, kek: str, new: Mapping[str, Wrapped]) -> None:
        self.kept |= {c: k for c, k in new.items() if self.kept[c].kek == kek}
