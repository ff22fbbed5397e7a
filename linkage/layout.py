"""Levels as one-hot features: where each level of each comparison lies, and which carry no weight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from linkage.engine import Bools, Floats


@dataclass(frozen=True)
class Layout:
    """Where each level of each comparison lies among the one-hot features.

    ``levels[c]`` is the number of codes of comparison c (missing and different included).
    ``silent[f]`` marks features without weight.
    """

    levels: tuple[int, ...]
    silent: Bools

    @property
    def starts(self) -> tuple[int, ...]:
        """First feature of each comparison."""
        return tuple(sum(self.levels[:i]) for i in range(len(self.levels)))

    @property
    def features(self) -> int:
        """Number of one-hot features."""
        return sum(self.levels)

    def slices(self) -> list[slice]:
        """The features of each comparison."""
        return [slice(s, s + n) for s, n in zip(self.starts, self.levels, strict=True)]

    def normalised(self, counts: Floats) -> Floats:
        """(classes, features) of counts to probabilities that add up to 1 over the speaking levels.

        Silent features get probability 1, that is weight 0.
        """
        result = np.ones_like(counts)
        for part in self.slices():
            speaking = ~self.silent[part]
            kept = counts[:, part][:, speaking]
            block = result[:, part]
            block[:, speaking] = kept / kept.sum(axis=1, keepdims=True)
            result[:, part] = block
        return result

    def normalised_row(self, counts: Floats) -> Floats:
        """The same for one class, (features,)."""
        row: Floats = self.normalised(counts[None, :])[0]
        return row
