"""The append-only record of runs, decisions and disclosures, hash-chained and check-pointed.

``ledger.jsonl`` holds one event per line in canonical JSON; each line carries the hash of the line
before and its own, over that and the event's bytes as written, so an edited, removed, inserted or
moved line breaks the chain. A chain alone cannot show
that its end was cut: after each batch a checkpoint (count, head hash, Merkle root, time, Ed25519 signature),
itself chained, goes to ``checkpoints.jsonl``. Cutting both files alike, or restoring an older copy of
both, is found by giving `verify` a checkpoint that someone else kept (a witness): every release carries
one in its manifest. Events are durable when `append` returns: file and checkpoint are flushed to disk,
one flush per batch, under an exclusive file lock. Lines beyond the last checkpoint (a crash between the two
writes, or a forgery) were never acknowledged: the next append sets them aside in a file and says so
in an event. Facts hold counts, codes, column names and hashes, never a person's data, and
are encrypted on disk (`governance.ledger_facts`); checking needs no key but the public one.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance import ledger_fresh
from governance.canonical import canonical_bytes, sha256_hex
from governance.journal_lines import signed_line, waiting
from governance.keybook import derive
from governance.keys import KeyStore, Verifier
from governance.ledger_check import LedgerProblem, verify_ledger
from governance.ledger_facts import FactsCipher, FactsUnreadableError
from governance.ledger_fresh import CheckpointsStoppedError, ClockWentBackError
from governance.ledger_lines import (
    CHECKPOINTS_FILE,
    EVENTS_FILE,
    GENESIS,
    Checkpoint,
    append_durably,
    claimed_hash,
    drop_half_line,
    last_line,
    last_line_of,
    lines_back,
    lines_of,
    parsed_checkpoint,
    read_time,
    written_time,
)
from governance.ledger_tree import LedgerDamagedError, TreeOf

__all__ = [
    "CHECKPOINTS_FILE",
    "EVENTS_FILE",
    "Checkpoint",
    "CheckpointsStoppedError",
    "ClockWentBackError",
    "FactsUnreadableError",
    "Ledger",
    "LedgerDamagedError",
    "LedgerProblem",
    "utc_now",
]

FRESH_SECONDS = 14_400
FACTS = "ledger/facts"
CLOCK_CORRECTED = "clock_corrected"
_MANIFEST = re.compile(r"[0-9a-f]{64}")


def utc_now() -> datetime:
    """The one clock of the package: event times are facts, all other dates are parameters."""
    return datetime.now(UTC)


class Ledger:
    """Appends to and verifies one ledger directory; safe for several processes at once."""

    def __init__(
        self,
        directory: Path,
        keys: KeyStore | Ed25519PrivateKey,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Open the ledger in ``directory``, making the directory if needed.

        ``keys``: the hub's; of a signing key alone the key of the facts is derived.
        """
        self._directory = Path(directory)
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._key = keys.signing_key if isinstance(keys, KeyStore) else keys
        self.trusted: Verifier = keys.trusted if isinstance(keys, KeyStore) else keys.public_key()
        self._clock = clock
        self._tree = TreeOf(self._directory)
        self._own: bytes = b""
        self.facts = FactsCipher(
            keys.key(FACTS)
            if isinstance(keys, KeyStore)
            else derive(keys.private_bytes_raw(), FACTS)
        )

    @property
    def directory(self) -> Path:
        """Where the ledger's files lie."""
        return self._directory

    def append(self, kind: str, /, **facts: Any) -> str:
        """Record one event durably; return its hash."""
        return self.append_many([(kind, facts)])[-1]

    def append_many(self, events: Iterable[tuple[str, Mapping[str, Any]]]) -> list[str]:
        """Record a batch with one flush to disk; return the hash of each event in order.

        Raises LedgerDamagedError when the end of the ledger is not what this hub signed, ClockWentBackError
        when the clock is behind the newest checkpoint, OSError when the disk refuses.
        """
        with self._locked():
            set_aside = self._set_aside_unsigned_tail()
            hashes = self._write([*set_aside, *events])
            return hashes[len(set_aside) :]

    def append_left(self, events: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
        """Record what a process that is gone left waiting, without what it had recorded before it ended.

        ``events``: of `waiting_events`, one at least. Gives the hashes of those that were missing; raises what
        `append_many` raises.
        """
        with self._locked():
            set_aside = self._set_aside_unsigned_tail()
            since = min(read_time(facts["read_at"]) for _, facts in events)
            there = self._entries_since(since, {kind for kind, _ in events})
            missing = [event for event in events if event[1]["entry"] not in there]
            return self._write([*set_aside, *missing])[len(set_aside) :]

    def _entries_since(self, moment: datetime, kinds: set[str]) -> set[str]:
        """The names of the entries recorded since; times in a ledger never fall but when a clock is corrected."""
        since, entries = written_time(moment - ledger_fresh.SLACK), set()
        for line in lines_back(self._directory / EVENTS_FILE):
            event = json.loads(line)["event"]
            if event["at"] < since:
                break
            if event["kind"] in kinds:
                entries.add(self.opened(event)["facts"].get("entry"))
        return entries

    def heartbeat(self, **facts: Any) -> Checkpoint:
        """Record that the ledger can be written, and return the checkpoint that this made."""
        self.append("heartbeat", **facts)
        newest = self.last_checkpoint()
        assert newest is not None, "just made"
        return newest

    def waiting_line(self, entry: str, at: str, kind: str, facts: Mapping[str, Any]) -> bytes:
        """The line of an event that waits in a journal to come into the ledger, named ``entry`` there."""
        named = {**facts, "entry": entry, "read_at": at}
        sealed = self.facts.seal(_waits(entry, kind), named)
        return signed_line({"at": at, "entry": entry, "facts": sealed, "kind": kind}, self._key)

    def waiting_events(
        self, name: str, text: bytes
    ) -> tuple[list[tuple[str, Mapping[str, Any]]], list[str]]:
        """The events of a journal's lines, and what is wrong with the others."""
        lines = list(waiting(name, text, self.trusted))
        events: list[tuple[str, Mapping[str, Any]]] = [
            (
                one.record["kind"],
                self.facts.open(
                    _waits(one.record["entry"], one.record["kind"]), one.record["facts"]
                ),
            )
            for one in lines
            if not one.wrong
        ]
        return events, [f"line {one.line} {one.wrong}" for one in lines if one.wrong]

    def correct_clock(self, **facts: Any) -> str:
        """Record that the newest checkpoint's time was wrong and the clock is right; events go on from now."""
        with self._locked():
            set_aside = self._set_aside_unsigned_tail()
            was = {"newest": self._signed_end().at}
            return self._write([*set_aside, (CLOCK_CORRECTED, {**facts, **was})], corrects=True)[-1]

    def events(self, *kinds: str) -> Iterator[dict[str, Any]]:
        """Yield the events in order as written, facts in clear; call `verify` first if trust matters.

        ``kinds``: the only ones wanted. Kinds stand in clear, so that lines of others are passed over unopened: most of
        a ledger are looks. Raises FactsUnreadableError where facts were sealed under another root key.
        """
        said = [f'"kind":"{kind}"'.encode() for kind in kinds]
        for _, line in lines_of(self._directory / EVENTS_FILE):
            if said and not any(each in line for each in said):
                continue
            event = json.loads(line)["event"]
            if not kinds or event["kind"] in kinds:
                yield self.opened(event)

    def opened(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """An event with its facts in clear; those of before facts were sealed stand as they are."""
        names = ("at", "facts", "kind", "number")
        clear = {name: event[name] for name in names}
        if isinstance(clear["facts"], str):
            clear["facts"] = self.facts.open(_bound(event["kind"], event["number"]), event["facts"])
        return clear

    def in_clear(self, path: Path) -> Iterator[bytes]:
        """Yield the lines of any file of a ledger with facts in clear: what a search must look through."""
        for _, line in lines_of(path):
            try:
                yield self._line_in_clear(json.loads(line)) or line
            except (ValueError, KeyError, TypeError, FactsUnreadableError):
                yield line  # not ours: as it stands

    def _line_in_clear(self, record: Mapping[str, Any]) -> bytes | None:
        if "event" in record:
            return canonical_bytes(self.opened(record["event"]))
        if "entry" in record:
            bound = _waits(record["entry"], record["kind"])
            return canonical_bytes(self.facts.open(bound, record["facts"]))
        return None

    def last_checkpoint(self) -> Checkpoint | None:
        """Return the newest checkpoint, to hand to a recipient as witness; None when empty."""
        line = last_line_of(self._directory / CHECKPOINTS_FILE)
        return Checkpoint.of(json.loads(line)) if line else None

    def require_fresh(self, limit_seconds: int = FRESH_SECONDS) -> Checkpoint:
        """Return the newest checkpoint; raise CheckpointsStoppedError when there is none to go by.

        It must be signed by this hub, not older than the limit and not ahead of the clock, and nothing
        may have waited longer to come under one. The limit is X-Road's: a security server stops
        passing messages on when its log could not be time-stamped for 14,400 seconds
        (X-Road, System Parameters User Guide, acceptable-timestamp-failure-period).
        """
        newest = self.last_checkpoint()
        ledger_fresh.require(self._directory, newest, self.trusted, self._clock(), limit_seconds)
        assert newest is not None, "required above"
        return newest

    def verify(self, witnesses: Sequence[Checkpoint] = ()) -> list[LedgerProblem]:
        """Return every disagreement found; an empty list means the ledger is whole."""
        return verify_ledger(self._directory, self.trusted, witnesses)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        # A new handle each time, so that the lock also holds between threads of one process.
        with (self._directory / ".lock").open("wb") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _write(
        self, events: Sequence[tuple[str, Mapping[str, Any]]], corrects: bool = False
    ) -> list[str]:
        signed = self._signed_end()
        now = self._clock()
        at = written_time(now) if corrects else ledger_fresh.time_after(signed, now)
        lines: list[bytes] = []
        hashes = [signed.head]
        for number, (kind, facts) in enumerate(events, start=signed.count + 1):
            line, event_hash = self._line(number, at, kind, facts, hashes[-1])
            lines.append(line)
            hashes.append(event_hash)
        if data := b"".join(lines):
            root = self._tree.grown(signed, hashes[1:])
            append_durably(self._directory / EVENTS_FILE, data)
            count, size = signed.count + len(lines), signed.size + len(data)
            self._append_checkpoint(Checkpoint(count, size, hashes[-1], at, "", "", root))
            self._tree.keep()
        return hashes[1:]

    def _line(
        self, number: int, at: str, kind: str, facts: Mapping[str, Any], previous: str
    ) -> tuple[bytes, str]:
        """The line of one event and its hash, over the previous hash and the event's bytes."""
        sealed = self.facts.seal(_bound(kind, number), facts)
        event = b'{"at":"%b","facts":"%b","kind":%b,%b"number":%d}' % (
            at.encode(),
            sealed.encode(),
            canonical_bytes(kind),
            _open_part(facts),
            number,
        )
        own = sha256_hex(previous.encode() + event)
        template = b'{"event":%b,"hash":"%b","previous":"%b"}\n'
        return template % (event, own.encode(), previous.encode()), own

    def _signed_end(self) -> Checkpoint:
        """The newest checkpoint, which must be this hub's own."""
        line = last_line_of(self._directory / CHECKPOINTS_FILE)
        if not line:
            return Checkpoint(0, 0, GENESIS, "", GENESIS, "")
        checkpoint = parsed_checkpoint(line + b"\n")
        if checkpoint is None or not (line == self._own or checkpoint.is_signed_by(self.trusted)):
            raise LedgerDamagedError(
                f"{self._directory / CHECKPOINTS_FILE}: the last checkpoint is not one that this hub "
                "signed; verify the ledger and restore it"
            )
        self._own = line
        return checkpoint

    def _set_aside_unsigned_tail(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Leave exactly what was signed in the file; return the event that tells of the rest."""
        drop_half_line(self._directory / CHECKPOINTS_FILE)
        signed, path = self._signed_end(), self._directory / EVENTS_FILE
        path.touch(mode=0o600)
        with path.open("r+b") as handle:
            self._refuse_if_cut(signed, handle)
            handle.seek(signed.size)
            if not (tail := handle.read()):
                return []
            name = f"unsigned-{sha256_hex(tail)[:16]}.jsonl"
            append_durably(self._directory / name, tail)
            handle.truncate(signed.size)
            os.fsync(handle.fileno())
        facts = {"file": name, "bytes": len(tail), "lines": tail.count(b"\n")}
        return [("unsigned_tail_set_aside", facts)]

    def _refuse_if_cut(self, signed: Checkpoint, handle: BinaryIO) -> None:
        line = last_line(handle, signed.size)
        size = handle.seek(0, os.SEEK_END)
        if size < signed.size or (claimed_hash(line) if line else GENESIS) != signed.head:
            raise LedgerDamagedError(
                f"{self._directory / EVENTS_FILE}: event {signed.count} was signed and is not "
                "at its place; verify the ledger and restore the missing lines"
            )

    def _append_checkpoint(self, made: Checkpoint) -> None:
        path = self._directory / CHECKPOINTS_FILE
        line = last_line_of(path)
        unsigned = replace(made, previous=sha256_hex(line) if line else GENESIS)
        signature = self._key.sign(canonical_bytes(unsigned.statement)).hex()
        signed = canonical_bytes(replace(unsigned, signature=signature).record)
        append_durably(path, signed + b"\n")
        self._own = signed


def _bound(kind: str, number: int) -> str:
    """What sealed facts are bound to."""
    return f"event {number}, {kind}"


def _waits(entry: str, kind: str) -> str:
    return f"entry {entry}, {kind}"


def _open_part(facts: Mapping[str, Any]) -> bytes:
    """The one fact that stands in clear: a manifest's hash, by which a recipient finds its release."""
    manifest = facts.get("manifest")
    is_hash = isinstance(manifest, str) and _MANIFEST.fullmatch(manifest)
    return b'"manifest":"%b",' % manifest.encode() if is_hash and manifest else b""
