"""The checks of an estimation: they are quiet where the data settle it, and speak where they do not."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa

import linkage
from linkage.diagnose import Climb, climbs, elsewhere, overlap, too_alike, well_taught
from linkage.em import GroupedECM
from linkage.layout import Layout
from tests.linkage.support import GIVEN, SURNAMES


def _layout(comparisons: int) -> Layout:
    """Comparisons with the levels missing (silent), agree, different."""
    silent = np.zeros(3 * comparisons, dtype=bool)
    silent[::3] = True
    return Layout((3,) * comparisons, silent)


def _verdict(agree: np.ndarray, pairs: float) -> dict[str, Any]:
    """What other start values lead to, for exactly the counts that two even classes imply.

    ``agree`` (classes, comparisons) is the probability of agreement.
    """
    comparisons = agree.shape[1]
    layout = _layout(comparisons)
    levels = np.array(np.meshgrid(*[[1, 2]] * comparisons)).reshape(comparisons, -1).T
    each = np.where(levels[:, None, :] == 1, agree, 1 - agree).prod(axis=2)
    counts = pairs * each.mean(axis=1)
    start = np.ones((2, layout.features))
    for part in layout.slices():
        start[:, part][:, 1:] = [[0.2, 0.8], [0.8, 0.2]]
    free = np.broadcast_to(~layout.silent, start.shape)
    X = GroupedECM(layout).encode(levels)  # noqa: N806  # a matrix

    def solve(values: np.ndarray) -> GroupedECM:
        ecm = GroupedECM(layout, max_iter=5000, atol=1e-9).set_parameters(np.full(2, 0.5), values)
        return ecm.fit(X, counts, free, smoothing=1e-9)

    return elsewhere(Climb.of(solve(start), pairs), climbs(solve, start, free, layout, pairs), free)


def test_four_comparisons_settle_two_classes_from_any_start() -> None:
    verdict = _verdict(np.array([[0.1, 0.2, 0.05, 0.3], [0.9, 0.85, 0.95, 0.7]]), 1e6)
    assert verdict["settled"]
    assert verdict["other_starts"] == verdict["as_good"] == 2


def test_two_comparisons_do_not_settle_two_classes_and_that_is_said() -> None:
    # Three free counts, five unknowns: many answers explain the pairs equally well.
    verdict = _verdict(np.array([[0.1, 0.2], [0.9, 0.85]]), 1e6)
    assert not verdict["settled"]
    assert verdict["difference"] > 0.05


def test_classes_overlap_wholly_when_equal_and_hardly_when_apart() -> None:
    layout, spoken = _layout(2), np.ones(2)
    same = np.array([1, 0.99, 0.01, 1, 0.99, 0.01])
    other = np.array([1, 0.01, 0.99, 1, 0.01, 0.99])
    assert overlap(same, same, spoken, layout) == 1.0
    assert overlap(same, other, spoken, layout) < 0.05
    assert overlap(same, other, np.zeros(2), layout) == 1.0
    names = ("pairs of strangers", "pairs of one household")
    found = list(too_alike(np.stack([other, same, same]), spoken, layout, names))
    assert len(found) == 1
    assert "one household overlap by 100%" in found[0]


def test_only_comparisons_with_enough_pairs_are_judged() -> None:
    seen = np.array([[0.0, 40, 5, 0, 400, 50]])
    np.testing.assert_array_equal(well_taught(seen, _layout(2)), [[False] * 3 + [True] * 3])


def test_a_comparison_that_few_pairs_taught_is_named_in_the_report(small: dict[str, Any]) -> None:
    rng = np.random.default_rng(3)
    rows = []
    for person in range(1200):
        row = {
            "given": str(rng.choice(GIVEN)) + str(person % 7),
            "surname": str(rng.choice(SURNAMES)) + str(person % 11),
            "born": dt.date(2008, 1, 1) + dt.timedelta(days=int(rng.integers(5000))),
            "number": f"n{person}" if person < 20 else None,
        }
        rows += [row | {"id": f"{source}{person}", "source": source} for source in "ab"]
    report = linkage.link(pa.Table.from_pylist(rows), linkage.Model.from_dict(small)).report
    few = [w for w in report["warnings"] if "rough" in w]
    assert len(few) == 1
    assert "'number'" in few[0]
    assert all(fit["start_values"]["settled"] for fit in report["training"])
