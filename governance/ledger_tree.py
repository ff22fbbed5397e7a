"""The Merkle tree of a ledger between appends: kept in a small file, so that no append reads the ledger.

``tree.json`` holds the roots of the complete subtrees. It needs no signature: they give the root that
the newest checkpoint signed, or they are not used and made anew from the ledger's hashes. So is a ledger
whose checkpoints had no roots yet: the first append gives it one over all its events.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from governance.canonical import canonical_bytes
from governance.ledger_lines import EVENTS_FILE, Checkpoint, claimed_hash, lines_of
from governance.merkle import EMPTY, Tree, leaf_hash

TREE_FILE = "tree.json"


class LedgerDamagedError(Exception):
    """The ledger cannot be appended to, because its end does not agree with its checkpoint."""


class TreeOf:
    """The tree of one ledger directory, as far as this process knows it."""

    def __init__(self, directory: Path) -> None:
        """Read nothing yet."""
        self._directory = directory
        self._tree = Tree()
        self._next = self._tree

    def grown(self, signed: Checkpoint, hashes: Sequence[str]) -> str:
        """The root (hex) with these hashes of events after what is ``signed``; `keep` makes it the tree."""
        grown = self._at(signed).copy()
        grown.extend([leaf_hash(bytes.fromhex(each)) for each in hashes])
        self._next = grown
        return grown.root().hex()

    def keep(self) -> None:
        """Take over what `grown` made, once it is signed, and put it on file."""
        self._tree = self._next
        record = {"count": self._tree.count, "peaks": [each.hex() for each in self._tree.peaks]}
        (self._directory / TREE_FILE).write_bytes(canonical_bytes(record) + b"\n")

    def _at(self, signed: Checkpoint) -> Tree:
        for tree in (self._tree, self._on_file()):
            root = signed.root or (EMPTY.hex() if not signed.count else None)
            if tree.count == signed.count and tree.root().hex() == root:
                return tree
        return self._made_anew(signed)

    def _on_file(self) -> Tree:
        try:
            record = json.loads((self._directory / TREE_FILE).read_bytes())
            return Tree(int(record["count"]), [bytes.fromhex(each) for each in record["peaks"]])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return Tree()  # never kept, or torn by a crash: it is made anew

    def _made_anew(self, signed: Checkpoint) -> Tree:
        tree = Tree()
        for number, line in lines_of(self._directory / EVENTS_FILE):
            if number > signed.count:
                break
            tree.add(leaf_hash(bytes.fromhex(claimed_hash(line))))
        if tree.count != signed.count or (signed.root and tree.root().hex() != signed.root):
            raise LedgerDamagedError(
                f"{self._directory / EVENTS_FILE}: the first {signed.count} events do not give the root "
                "that was signed; verify the ledger and restore the lines"
            )
        return tree
