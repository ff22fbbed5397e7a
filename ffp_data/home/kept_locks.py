"""Every lock that a home ever ran under, by digest; and what each DPIA was asked about.

A decision quotes the digest of its lock, so years later the lock says what that decision rested on.
A DPIA covers what its agreement gave when a lock first named that DPIA. `asked.json` names that
lock for each agreement; it is signed, and the ledger tells of each entry (`dpia_recorded`), so that
a second beginning of the same DPIA is seen. Where an agreement has grown since, the DPIA is stale.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature

from ffp_data.settings import Home
from governance.canonical import canonical_bytes
from governance.files import replacing
from governance.keys import KeyStore
from governance.ledger import Ledger
from governance.policy.compile import Lock, LockError
from governance.policy.widening import widenings

ASKED = "asked.json"
_DIGEST = re.compile(r"[0-9a-f]{8,64}")


@dataclass(frozen=True)
class KeptLocks:
    """The kept locks of one home."""

    home: Home
    keys: KeyStore

    def keep(self, lock: Lock) -> None:
        """Keep a lock; one that is kept already stays as it is."""
        path = self._path(lock.sha256)
        if not path.exists():
            self.home.locks.mkdir(mode=0o700, exist_ok=True)
            with replacing(path) as handle:
                handle.write(gzip.compress(lock.signed(self.keys.signing_key), mtime=0))

    def find(self, digest: str) -> Lock | None:
        """The lock of a digest, or of its first eight digits or more; None where it was not kept.

        Raises LockError when it was altered, or when the digits are those of several.
        """
        if not _DIGEST.fullmatch(digest):
            return None
        found = sorted(self.home.locks.glob(f"{digest}*.json.gz"))
        if len(found) > 1:
            raise LockError(f"{digest}: {len(found)} kept locks begin so; give more digits")
        return self._read(found[0]) if found else None

    def record_dpias(self, lock: Lock, ledger: Ledger) -> None:
        """Remember for each DPIA not seen before that it was asked about what this lock gives."""
        asked = self._asked()
        new = {
            name: {"dpia": entry["terms"]["dpia"], "policy": lock.sha256}
            for name, entry in lock.data["agreements"].items()
            if asked.get(name, {}).get("dpia") != entry["terms"]["dpia"]
        }
        if new:
            self.keep(lock)
            self._write_asked({**asked, **new})
            ledger.append_many(
                ("dpia_recorded", {"agreement": name, **each["dpia"], "policy": each["policy"]})
                for name, each in sorted(new.items())
            )

    def stale_dpias(self, lock: Lock) -> dict[str, list[str]]:
        """What each agreement gives beyond what its DPIA was asked about, in words; of those that do."""
        return {name: more for name, more in self._grown(lock) if more}

    def _grown(self, lock: Lock) -> Iterator[tuple[str, list[str]]]:
        before: dict[str, Lock] = {lock.sha256: lock}  # most agreements were asked about together
        for name, asked in sorted(self._asked().items()):
            entry, digest = lock.data["agreements"].get(name), asked["policy"]
            if entry is not None and asked["dpia"] == entry["terms"]["dpia"]:
                if digest not in before:
                    before[digest] = self._kept(digest)
                yield name, widenings(before[digest].data, lock.data, name)

    def _kept(self, digest: str) -> Lock:
        lock = self.find(digest)
        if lock is None:
            raise LockError(f"{self._path(digest)}: missing; restore it, a DPIA was asked about it")
        return lock

    def _path(self, digest: str) -> Path:
        return self.home.locks / f"{digest}.json.gz"

    def _read(self, path: Path) -> Lock:
        try:
            content = gzip.decompress(path.read_bytes())
        except (OSError, EOFError) as error:
            raise LockError(f"{path}: not a kept lock; restore it from a backup") from error
        return Lock.parse(content, self.keys.trusted, path)

    def _asked(self) -> dict[str, Any]:
        path = self.home.locks / ASKED
        if not path.exists():
            return {}
        try:
            envelope = json.loads(path.read_bytes())
            asked: dict[str, Any] = envelope["asked"]
            signature = bytes.fromhex(envelope["signature"])
            self.keys.trusted.verify(signature, canonical_bytes(asked))
        except (InvalidSignature, ValueError, KeyError, TypeError):
            raise LockError(f"{path}: altered; restore it from a backup") from None
        return asked

    def _write_asked(self, asked: dict[str, Any]) -> None:
        signature = self.keys.signing_key.sign(canonical_bytes(asked)).hex()
        with replacing(self.home.locks / ASKED) as handle:
            handle.write(canonical_bytes({"asked": asked, "signature": signature}) + b"\n")
