"""The rules of a publication, from the policy's register `suppression`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Rules:
    """What may not be seen in one publication.

    Counts from 1 to ``hide_to`` are hidden (from 0 unless ``zeros_shown``), and what is hidden must stay
    open to an attacker by at least ``width``. ``symbol`` stands for a hidden count, ``not_applicable``
    for a share of nothing. Counts are rounded to ``base``. A cell of events is hidden too when one person
    gives more than ``dominance`` of it. A table nearer than ``days_between`` to a published one of the same
    things is taken for a correction of it.
    """

    id: str
    hide_to: int = 5
    width: int = 5
    zeros_shown: bool = False
    symbol: str = "c"
    not_applicable: str = "z"
    base: int = 1
    full_cells_hidden: bool = True
    dominance: float = 0.8
    days_between: int = 80
    smallest_mean: int = 6

    @property
    def least(self) -> int:
        """The least count but zero that is shown."""
        return self.hide_to + 1

    @property
    def lowest(self) -> int:
        """The least that a hidden count can be."""
        return 1 if self.zeros_shown else 0

    def is_small(self, count: int) -> bool:
        """Whether a count of people is hidden for its size."""
        return 0 < count <= self.hide_to

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Rules:
        """The rules of an entry of the register `suppression`."""
        told = dict(entry["rules"])
        return cls(id=entry["id"], dominance=told.pop("dominance_percent") / 100, **told)
