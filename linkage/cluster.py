"""Components of records: found, listed, and cut where they are too large to be looked at whole.

Pairs at or above the join threshold connect records. What is connected is a component; ``average``
then decides which of its records belong together. A label is the component's lowest record, so that
the order of the input does not matter.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from linkage.engine import Bools, Floats, Ints

CELLS = 1_000_000  # of (components, k, k) that are looked at together


def components(count: int, left: Ints, right: Ints) -> Ints:
    """Label each of ``count`` records with the lowest record it is connected to."""
    label: Ints = np.arange(count, dtype=np.int64)
    while len(left):
        low, high = np.minimum(left, right), np.maximum(left, right)
        np.minimum.at(label, high, low)
        while not np.array_equal(label, shorter := label[label]):
            label = shorter
        left, right = label[left], label[right]
        apart = left != right
        left, right = left[apart], right[apart]
    return label


def sizes_of(labels: Ints) -> Ints:
    """For each record that names a component the component's size, 0 for the others."""
    return np.bincount(labels, minlength=len(labels))


def by_size(labels: Ints, wanted: Ints) -> Iterator[Ints]:
    """Members of the wanted components (labels, sorted): arrays (components, k), one k at a time.

    Rows are in order of label, records in rows too. Large arrays come in pieces.
    """
    chosen = np.zeros(len(labels), dtype=bool)
    chosen[wanted] = True
    records = np.flatnonzero(chosen[labels])
    records = records[np.argsort(labels[records], kind="stable")]
    sizes = np.bincount(np.searchsorted(wanted, labels[records]), minlength=len(wanted))
    starts = np.cumsum(sizes) - sizes
    for k in np.unique(sizes):
        first = starts[sizes == k]
        pieces = min(len(first), -(-len(first) * int(k) ** 2 // CELLS))
        for piece in np.array_split(first, pieces):
            yield records[piece[:, None] + np.arange(k)]


def pairs_within(groups: Ints) -> tuple[Ints, Ints]:
    """All pairs (left < right) inside groups (groups, k) whose rows are in order."""
    i, j = np.triu_indices(groups.shape[1], 1)
    return groups[:, i].ravel(), groups[:, j].ravel()


def cut_oversized(
    labels: Ints, left: Ints, right: Ints, weight: Floats, largest: int
) -> tuple[Ints, Bools]:
    """Break components over a size by dropping their weakest edges, two bits at a time.

    Returns the new labels and which edges were dropped. Weights of infinity are never dropped, and
    a component that no threshold breaks stays as it is. Each component is cut as if it were alone.
    """
    dropped = np.zeros(len(left), dtype=bool)
    sizes = sizes_of(labels)
    if sizes.max(initial=0) <= largest:
        return labels, dropped
    inside = np.flatnonzero(sizes[labels[left]] > largest)
    records = np.flatnonzero(sizes[labels] > largest)
    number = np.zeros(len(labels), np.int64)
    number[records] = np.arange(len(records))
    local = number[labels[records]]
    a, b, w = number[left[inside]], number[right[inside]], weight[inside]
    keep = np.ones(len(inside), dtype=bool)
    top = float(w[np.isfinite(w)].max(initial=-np.inf))
    floor = 2 * float(np.floor(w.min() / 2)) if np.isfinite(w.min()) else top
    while floor < top:
        floor += 2.0
        weak = keep & (w < floor) & (sizes_of(local)[local[a]] > largest)
        if weak.any():
            keep &= ~weak
            local = components(len(records), a[keep], b[keep])
    labels = labels.copy()
    labels[records] = records[local]
    dropped[inside[~keep]] = True
    return labels, dropped


def join_sparsely(edges: list[tuple[int, int]], forbidden: list[tuple[int, int]]) -> list[int]:
    """Follow edges in their order, unless that would bring a forbidden pair together.

    For components that are too large to compare each record with each. Returns the positions of the
    edges that joined two parts.
    """
    part: dict[int, int] = {}
    members: dict[int, list[int]] = {}
    enemies: dict[int, set[int]] = {}
    for a, b in forbidden:
        enemies.setdefault(a, set()).add(b)
        enemies.setdefault(b, set()).add(a)
    used = []
    for position, (x, y) in enumerate(edges):
        a, b = part.setdefault(x, x), part.setdefault(y, y)
        if a == b:
            continue
        if len(members.setdefault(a, [a])) < len(members.setdefault(b, [b])):
            a, b = b, a
        against = set().union(*(enemies.get(r, ()) for r in members[b]))
        if any(part.get(r, r) == a for r in against):
            continue
        for record in members[b]:
            part[record] = a
        members[a] += members.pop(b)
        used.append(position)
    return used
