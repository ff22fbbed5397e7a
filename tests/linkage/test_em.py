"""The extended EM: equal to recordlinkage's own where both apply, and right where only ours does."""

from __future__ import annotations

import numpy as np
from recordlinkage.algorithms.nb_sklearn import ECM

from linkage.em import GroupedECM
from linkage.layout import Layout

# u, household, m of three comparisons: levels 1 (exact), 2 (similar), 3 (different); no missing.
TRUE = [
    np.array([[0.01, 0.04, 0.95], [0.02, 0.03, 0.95], [0.90, 0.06, 0.04]]),
    np.array([[0.02, 0.03, 0.95], [0.92, 0.05, 0.03], [0.85, 0.09, 0.06]]),
    np.array([[0.005, 0.015, 0.98], [0.05, 0.10, 0.85], [0.93, 0.05, 0.02]]),
    np.array([[0.1, 0.1, 0.8], [0.15, 0.05, 0.8], [0.88, 0.08, 0.04]]),
]
SHARES = np.array([0.5, 0.3, 0.2])


def _silent_missing(levels: int, comparisons: int) -> Layout:
    silent = np.zeros(levels * comparisons, dtype=bool)
    silent[::levels] = True
    return Layout((levels,) * comparisons, silent)


def _expected_counts(pairs: float) -> tuple[np.ndarray, np.ndarray]:
    """Every pattern of the three levels, and exactly the number of pairs the parameters imply."""
    grid = np.array(np.meshgrid(*[[1, 2, 3]] * len(TRUE))).reshape(len(TRUE), -1).T
    by_class = np.stack(
        [np.prod([TRUE[c][k][grid[:, c] - 1] for c in range(len(TRUE))], axis=0) for k in range(3)],
        axis=1,
    )
    return grid, pairs * by_class @ SHARES


def test_known_parameters_of_three_classes_are_recovered_from_exactly_expected_counts() -> None:
    levels, counts = _expected_counts(1e7)
    layout = _silent_missing(4, len(TRUE))
    start = np.ones((3, layout.features))
    for part, true in zip(layout.slices(), TRUE, strict=True):
        start[0, part][1:] = true[0]
        start[1, part][1:] = [0.5, 0.2, 0.3] if true[1][0] > 0.5 else [0.1, 0.1, 0.8]
        start[2, part][1:] = [0.7, 0.2, 0.1]
    free = np.zeros_like(start, dtype=bool)
    free[1:] = ~layout.silent
    ecm = GroupedECM(layout, max_iter=3000, atol=1e-9).set_parameters(np.full(3, 1 / 3), start)
    ecm.fit(ecm.encode(levels), counts, free, smoothing=1e-6)
    found = np.exp(ecm.feature_log_prob_)
    assert ecm.converged_
    np.testing.assert_allclose(np.exp(ecm.class_log_prior_), SHARES, atol=0.01)
    for part, true in zip(layout.slices(), TRUE, strict=True):
        np.testing.assert_allclose(found[:, part][:, 1:], true, atol=0.02)


def test_grouped_counts_give_what_recordlinkage_gives_for_the_pairs_one_by_one() -> None:
    rng = np.random.default_rng(7)
    matching = rng.random(4000) < 0.3
    agree = np.where(matching[:, None], [0.9, 0.85, 0.95], [0.1, 0.2, 0.05])
    pairs = (rng.random((4000, 3)) < agree).astype(int)
    theirs = ECM(init="jaro", max_iter=500, binarize=None, atol=1e-9).fit(pairs)

    unique, counts = np.unique(pairs, axis=0, return_counts=True)
    layout = _silent_missing(3, 3)
    start = np.ones((2, layout.features))
    for part in layout.slices():
        # recordlinkage starts "jaro" at 0.1 and 0.9; our level 1 is agreement, 2 is difference.
        start[0, part][1:], start[1, part][1:] = [0.1, 0.9], [0.9, 0.1]
    ours = GroupedECM(layout, max_iter=500, atol=1e-9)
    ours.set_parameters(np.array([0.9, 0.1]), start)
    free = np.broadcast_to(~layout.silent, start.shape)
    ours.fit(ours.encode(2 - unique), counts.astype(float), free, smoothing=1e-9)

    np.testing.assert_allclose(ours.class_log_prior_, theirs.class_log_prior_, atol=1e-4)
    # Their features: disagree, agree for each comparison; ours: missing, agree, differ.
    agree_theirs = np.exp(theirs.feature_log_prob_)[:, 1::2]
    agree_ours = np.exp(ours.feature_log_prob_)[:, 1::3]
    np.testing.assert_allclose(agree_ours, agree_theirs, atol=1e-4)


def test_a_missing_comparison_says_nothing() -> None:
    layout = _silent_missing(4, 2)
    ecm = GroupedECM(layout)
    probabilities = np.ones((2, layout.features))
    for part in layout.slices():
        probabilities[:, part][:, 1:] = [[0.1, 0.1, 0.8], [0.8, 0.1, 0.1]]
    ecm.set_parameters(np.array([0.5, 0.5]), probabilities)
    posterior = ecm.predict_proba(ecm.encode(np.array([[0, 0], [1, 0], [1, 3]])))
    np.testing.assert_allclose(posterior[0], [0.5, 0.5])
    np.testing.assert_allclose(posterior[1, 1], 0.8 / 0.9)
    np.testing.assert_allclose(posterior[2, 1], 0.5)


def test_a_vetoed_pattern_does_not_teach_what_one_person_looks_like() -> None:
    levels, counts = np.array([[1, 1], [1, 3], [3, 3]]), np.array([100.0, 100.0, 100.0])
    layout = _silent_missing(4, 2)
    start = np.ones((2, layout.features))
    for part in layout.slices():
        start[:, part][:, 1:] = [[0.1, 0.1, 0.8], [0.8, 0.1, 0.1]]
    free = np.zeros_like(start, dtype=bool)
    free[1] = ~layout.silent
    offset = np.zeros((3, 2))
    offset[1, 1] = -60.0
    fitted = [
        GroupedECM(layout)
        .set_parameters(np.array([0.5, 0.5]), start)
        .fit(GroupedECM(layout).encode(levels), counts, free, 1.0, given)
        for given in (None, offset)
    ]
    differs = [np.exp(ecm.feature_log_prob_)[1, 7] for ecm in fitted]
    assert differs[1] < 0.02 < differs[0]
