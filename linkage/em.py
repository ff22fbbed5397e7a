"""recordlinkage's expectation-maximisation, extended to grouped patterns, many levels and classes.

``recordlinkage.algorithms.nb_sklearn.ECM`` holds the latent-class model: one-hot features, the joint
log-likelihood, the posterior of each class. It takes every pair as a row, two classes and binary
features. ``GroupedECM`` keeps its parts and overrides ``fit``: each row is a distinct pattern with a
number of pairs, features have any number of levels, levels without evidence (missing, neutral) have
weight zero, parameters known from elsewhere stay fixed, start values act as a Dirichlet prior, and
an offset by row and class carries constraints. Patterns are encoded once and not checked in every
iteration, which took most of its time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from recordlinkage.algorithms.nb_sklearn import ECM, safe_sparse_dot

from linkage.engine import Bools, Floats, Ints
from linkage.layout import Layout


class GroupedECM(ECM):  # type: ignore[misc]  # recordlinkage carries no types
    """Latent classes over grouped comparison patterns; see the module's text.

    Attributes after ``fit``: ``class_log_prior_`` (classes,), ``feature_log_prob_`` (classes,
    features), ``n_iter_``, ``converged_``, ``log_likelihood_`` (one value for each iteration).
    """

    def __init__(self, layout: Layout, max_iter: int = 200, atol: float = 1e-4) -> None:
        super().__init__(init="given", max_iter=max_iter, binarize=None, atol=atol)
        self.layout = layout
        self.offset: Floats | None = None

    def set_parameters(self, priors: Floats, probabilities: Floats) -> GroupedECM:
        """Set class priors (classes,) and level probabilities (classes, features)."""
        self.classes_ = np.arange(len(priors))
        self.class_log_prior_ = np.log(priors)
        self.feature_log_prob_ = np.log(probabilities)
        return self

    def encode(self, levels: Ints) -> Floats:
        """(patterns, comparisons) of level codes to one-hot features."""
        features = np.zeros((len(levels), self.layout.features))
        features[np.arange(len(levels))[:, None], levels + np.array(self.layout.starts)] = 1.0
        return features

    def _joint_log_likelihood(self, X: Any) -> Any:  # noqa: N803  # recordlinkage's name
        likelihood = safe_sparse_dot(X, self.feature_log_prob_.T) + self.class_log_prior_
        self._joint = likelihood if self.offset is None else likelihood + self.offset
        return self._joint

    def fit(
        self,
        X: Floats,  # noqa: N803  # recordlinkage's name
        counts: Floats,
        free: Bools,
        smoothing: float,
        offset: Floats | None = None,
    ) -> GroupedECM:
        """Fit to encoded patterns (patterns, features) that stand for ``counts`` pairs each.

        Starts from ``set_parameters``. ``free`` (classes, features) marks the probabilities that
        may move; ``smoothing`` pseudo-pairs at the start values keep rare levels finite; ``offset``
        (patterns, classes) is added to the log-likelihood.
        """
        start = np.exp(self.feature_log_prob_)
        self.offset, self.log_likelihood_, self.converged_ = offset, [], False
        for iteration in range(1, self.max_iter + 1):
            self.n_iter_ = iteration
            posterior = self.predict_proba(X)  # recordlinkage's expectation step
            weighted = posterior * counts[:, None]
            self.log_likelihood_.append(self._log_likelihood(counts))
            pseudo = smoothing * start
            found = self.layout.normalised(safe_sparse_dot(weighted.T, X) + pseudo)
            new = np.where(free, found, start)
            prior = (weighted.sum(axis=0) + smoothing) / (counts.sum() + smoothing * len(start))
            moved = max(
                np.abs(new - np.exp(self.feature_log_prob_)).max(),
                np.abs(prior - np.exp(self.class_log_prior_)).max(),
            )
            self.class_log_prior_, self.feature_log_prob_ = np.log(prior), np.log(new)
            if moved < self.atol:
                self.converged_ = True
                break
        self.offset = None
        return self

    def _log_likelihood(self, counts: Floats) -> float:
        """Of all pairs, from the joint log-likelihood that the expectation step left behind."""
        top = self._joint.max(axis=1)
        return float(counts @ (top + np.log(np.exp(self._joint - top[:, None]).sum(axis=1))))
