"""What a hub that wants to can read out of a partner's tokens: two published attacks.

The hub holds the token file and a list of names with their frequencies, drawn from another sample of
the same population: better than any public list. It has neither the secret nor a known record.

``by_frequency``: the commonest token is the commonest value, the second the second. For filters the
number of set bits, which grows with the length of a value, counts too (Kuzu et al. 2011; Christen et
al. 2017).
``by_pattern``: from the values aligned in that way it learns which bits a q-gram sets, predicts the
filter of every value on the list, assigns each filter to the value that fits best, and learns again
from those (after Christen, Ranbaduge, Vatsalan and Schnell 2018). Noise is first voted away among
filters that resemble one another; salted filters are attacked salt by salt.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from linkage.private.bloom import grams
from linkage.private.settings import Settings

MOST = 600  # commonest tokens that are aligned by frequency
STARTS = (10, 20, 40, 80, 160)  # aligned values that the learning starts from
VALUES = 2000  # commonest values of the public list that are tried
ROUNDS = 6
ALIKE = 0.8  # Dice coefficient from which two noisy filters are taken for one value


@dataclass(frozen=True)
class Known:
    """Values of a public list with their shares, the commonest first."""

    values: list[str]
    shares: NDArray[np.float64]

    @classmethod
    def of(cls, values: list[str]) -> Known:
        """Count a list of values."""
        counts = Counter(values).most_common(VALUES)
        total = len(values)
        return cls([v for v, _ in counts], np.array([c / total for _, c in counts]))


def by_frequency(
    tokens: NDArray[Any], known: Known, bits: NDArray[Any] | None = None, expected: Any = None
) -> dict[Any, str]:
    """Token to value, for the commonest tokens; ``bits`` and ``expected`` are numbers of set bits."""
    distinct, first, counts = np.unique(tokens, return_index=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST]
    values = min(len(known.values), 2 * MOST)
    # Square roots of counts have one variance, so their distance is comparable at all ranks.
    cost = 4 * np.square(
        np.sqrt(counts[order])[:, None] - np.sqrt(known.shares[:values] * len(tokens))[None, :]
    )
    if bits is not None:
        spread = np.maximum(1.0, 0.04 * expected[:values])[None, :]
        cost = cost + np.square((bits[first[order]][:, None] - expected[None, :values]) / spread)
    rows, columns = linear_sum_assignment(cost)
    return {distinct[order[r]]: known.values[c] for r, c in zip(rows, columns, strict=True)}


def expected_bits(known: Known, settings: Settings) -> NDArray[np.float64]:
    """Set bits of each value's filter, on average over all keys."""
    count = np.array([len(grams(v, settings.grams)) for v in known.values])
    share = 1 - (1 - 1 / settings.bits) ** (count * settings.hashes)
    result: NDArray[np.float64] = settings.bits * share
    return settings.bits * share * (1 - share) if settings.fold else result


def by_pattern(filters: NDArray[np.uint8], known: Known, settings: Settings) -> list[str | None]:
    """The value guessed for each record, from (records, bytes) of filters; None without a guess.

    Tries several numbers of aligned values to start from; of the outcomes that one counts whose
    predicted filters fit the real ones best, which the attacker can see.
    """
    distinct, owner, counts = np.unique(filters, axis=0, return_inverse=True, return_counts=True)
    owner = owner.ravel()
    bits = np.unpackbits(distinct, axis=1).astype(np.float32)
    has = _has(known.values, settings.grams)
    aligned = by_frequency(owner, known, bits.sum(axis=1)[owner], expected_bits(known, settings))
    place = {v: i for i, v in enumerate(known.values)}
    start = sorted(aligned, key=lambda f: (-counts[f], f))
    outcomes = [
        _learn(bits, has, np.array([(f, place[aligned[f]]) for f in start[:n]]), settings.hashes)
        for n in STARTS
    ]
    _, guess = max(outcomes, key=lambda o: o[0])
    return [known.values[guess[i]] if guess[i] >= 0 else None for i in owner]


def _has(values: list[str], length: int) -> Any:
    """(values, q-grams) of which value has which q-gram."""
    found = [grams(v, length) for v in values]
    vocabulary = {g: i for i, g in enumerate(sorted(set().union(*found)))}
    result = np.zeros((len(values), len(vocabulary)), np.float32)
    for row, value in enumerate(found):
        result[row, [vocabulary[g] for g in value]] = 1
    return result


def _learn(bits: Any, has: Any, pairs: Any, hashes: int) -> tuple[float, Any]:
    """Mean fit, and the value of each filter or -1, from aligned (filter, value) to start with."""
    guess, fit = np.full(len(bits), -1), 0.0
    for _ in range(ROUNDS):
        dice = _dice(bits, _predict(bits, pairs, has, hashes))
        best = dice.argmax(axis=1)
        fits = dice[np.arange(len(best)), best]
        mutual = dice.argmax(axis=0)[best] == np.arange(len(best))
        keep = np.flatnonzero(mutual & (fits >= np.median(fits)))
        pairs = np.stack([keep, best[keep]], axis=1)
        guess, fit = np.where(fits > 0.5, best, -1), float(fits.mean())
    return fit, guess


def _predict(bits: Any, pairs: Any, has: Any, hashes: int) -> Any:
    """(values, bits) of predicted filters: each q-gram's bits are those that its values set most."""
    seen, filters = has[pairs[:, 1]], bits[pairs[:, 0]]
    with_gram = seen.sum(axis=0)[:, None]
    mean_with = seen.T @ filters / np.maximum(with_gram, 1)
    mean_without = (filters.sum(axis=0) - seen.T @ filters) / np.maximum(len(pairs) - with_gram, 1)
    score = np.where(with_gram > 0, mean_with - mean_without, -1)
    top = np.argpartition(-score, hashes, axis=1)[:, :hashes]
    positions = np.zeros_like(score)
    np.put_along_axis(positions, top, np.take_along_axis(score, top, axis=1) > 0.3, axis=1)
    return np.minimum(has @ positions, 1)


def _dice(a: Any, b: Any) -> Any:
    return 2 * (a @ b.T) / np.maximum(a.sum(axis=1)[:, None] + b.sum(axis=1)[None, :], 1)


def vote(filters: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Noise taken away: filters that resemble one another become their majority."""
    bits = np.unpackbits(filters, axis=1).astype(np.float32)
    leaders: list[Any] = []
    group = np.full(len(bits), -1)
    left = np.arange(len(bits))
    while len(left):
        leader = bits[left[0]]
        alike = _dice(bits[left], leader[None, :])[:, 0] >= ALIKE
        centre = bits[left[alike]].mean(axis=0) >= 0.5
        alike |= _dice(bits[left], centre[None, :].astype(np.float32))[:, 0] >= ALIKE
        group[left[alike]] = len(leaders)
        leaders.append(bits[left[alike]].mean(axis=0) >= 0.5)
        left = left[~alike]
    return np.packbits(np.array(leaders), axis=1)[group]


def share_right(guesses: list[str | None], truth: list[str]) -> float:
    """Share of records whose value was guessed."""
    return sum(g == t for g, t in zip(guesses, truth, strict=True)) / max(1, len(truth))
