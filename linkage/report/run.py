"""What a page is made from: a finished run, with a few arrays that several sections read."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from linkage.clerical import in_one_cluster
from linkage.engine import Bools, Floats
from linkage.model import Model


@dataclass(frozen=True)
class Run:
    """A result and its model; ``quality`` is there when the truth was known."""

    model: Model
    clusters: pa.Table
    pairs: pa.Table
    report: dict[str, Any]
    quality: dict[str, Any] | None = None
    unique: list[str] = field(default_factory=list)

    @cached_property
    def weight(self) -> Floats:
        """Weight of each pair in bits."""
        return np.asarray(self.pairs["match_weight"].to_numpy(), dtype=np.float64)

    @cached_property
    def probability(self) -> Floats:
        """Probability of one person."""
        return np.asarray(self.pairs["match_probability"].to_numpy(), dtype=np.float64)

    @cached_property
    def household(self) -> Floats:
        """Probability of one household but two people."""
        return np.asarray(self.pairs["p_same_household"].to_numpy(), dtype=np.float64)

    @cached_property
    def together(self) -> Bools:
        """Pairs in one cluster."""
        return in_one_cluster(self.pairs, self.clusters)

    @cached_property
    def vetoed(self) -> Bools:
        """Pairs that a veto holds apart."""
        result: Bools = self.pairs["veto"].is_valid().to_numpy()
        return result

    @property
    def join_weight(self) -> float:
        """The join threshold as a weight."""
        join = min(self.model.thresholds.join, 1 - 1e-12)
        return float(np.log2(join / (1 - join))) if join > 0 else float("-inf")

    def name(self, stem: str) -> str:
        """A name that no other element of the page has."""
        self.unique.append(stem)
        return f"{stem}-{self.unique.count(stem)}"
