"""Merkle trees of RFC 6962: one root for any number of leaves, with short proofs.

A leaf and an inner node are hashed behind different bytes, so neither can be passed off as the other.
`Tree` keeps only the roots of the complete subtrees (at most one for each bit of the count), so adding a
leaf and telling the root cost a logarithm. An *inclusion* proof shows that a leaf stands in the tree that a
root sums up, a *consistency* proof that a later tree only adds to an earlier one; both are judged
without the other leaves (RFC 9162, 2.1.3 and 2.1.4, says how), by `verify_ledger`, which shares no code with
this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

_LEAF, _NODE = b"\x00", b"\x01"
EMPTY = sha256(b"").digest()


class ProofImpossibleError(ValueError):
    """A proof was asked for a leaf or an earlier tree that this tree does not hold."""


def leaf_hash(data: bytes) -> bytes:
    """Hash one leaf."""
    return sha256(_LEAF + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees to the one over them."""
    return sha256(_NODE + left + right).digest()


@dataclass
class Tree:
    """The roots of the complete subtrees of ``count`` leaves, the largest first."""

    count: int = 0
    peaks: list[bytes] = field(default_factory=list)

    def add(self, leaf: bytes) -> None:
        """Add the hash of the next leaf."""
        self._push(leaf, 1)

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Add the hashes of many leaves: what makes a complete subtree is hashed level by level."""
        at = 0
        while at < len(leaves):
            size = _split(len(leaves) - at + 1)  # the largest power of two that is there
            size = min(size, self.count & -self.count or size)  # and that may begin here
            level = leaves[at : at + size]
            while len(level) > 1:
                pairs = zip(level[::2], level[1::2], strict=True)
                level = [sha256(_NODE + left + right).digest() for left, right in pairs]
            self._push(level[0], size)
            at += size

    def _push(self, whole: bytes, size: int) -> None:
        """Add a complete subtree of ``size`` leaves, a power of two that the count is a multiple of."""
        peaks, rest = self.peaks, self.count // size
        peaks.append(whole)
        while rest & 1:  # two subtrees of equal size become one
            right = peaks.pop()
            peaks[-1] = node_hash(peaks[-1], right)
            rest >>= 1
        self.count += size

    def root(self) -> bytes:
        """The root over all leaves so far."""
        if not self.peaks:
            return EMPTY
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def copy(self) -> Tree:
        """A tree that grows by itself from here."""
        return Tree(self.count, list(self.peaks))


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over hashed leaves."""
    tree = Tree()
    tree.extend(leaves)
    return tree.root()


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes beside the way from leaf ``index`` (from 0) up to the root of all ``leaves``."""
    if not 0 <= index < len(leaves):
        raise ProofImpossibleError(f"leaf {index} is not among {len(leaves)}")
    return _way(leaves, index)


def _way(leaves: Sequence[bytes], index: int) -> list[bytes]:
    if len(leaves) == 1:
        return []
    half = _split(len(leaves))
    if index < half:
        return [*_way(leaves[:half], index), root_of(leaves[half:])]
    return [*_way(leaves[half:], index - half), root_of(leaves[:half])]


def consistency_proof(leaves: Sequence[bytes], earlier: int) -> list[bytes]:
    """The hashes that show the first ``earlier`` leaves to be the beginning of all ``leaves``."""
    if not 0 < earlier <= len(leaves):
        raise ProofImpossibleError(f"{earlier} leaves are not the beginning of {len(leaves)}")
    return _beginning(leaves, earlier, True)


def _beginning(leaves: Sequence[bytes], earlier: int, is_whole: bool) -> list[bytes]:
    if earlier == len(leaves):
        return [] if is_whole else [root_of(leaves)]
    half = _split(len(leaves))
    if earlier <= half:
        return [*_beginning(leaves[:half], earlier, is_whole), root_of(leaves[half:])]
    return [*_beginning(leaves[half:], earlier - half, False), root_of(leaves[:half])]


def _split(count: int) -> int:
    """The largest power of two below ``count``."""
    return 1 << ((count - 1).bit_length() - 1)
