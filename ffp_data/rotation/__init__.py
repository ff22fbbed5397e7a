"""Every store of a home under new keys: each one copied and swapped in, so that a kill leaves old or new.

The keys say which generation comes next (`governance.rotation`); a store is under the one key or the other,
which trying tells, so the same steps run again after a crash do what is left. What cannot be made anew
keeps its key: the ledger (its chain is over what is written) and one-way tokens (filter of sealed ids, spent
identifiers, digests of reviewed evidence, pseudonyms of past years). Which is which: docs/keys.md.
"""

from __future__ import annotations

from ffp_data.rotation.rotate import Outcome, rotate
from ffp_data.rotation.stores import StoreUnreadableError

__all__ = ["Outcome", "StoreUnreadableError", "rotate"]
