"""The append-only record of runs, decisions and disclosures, hash-chained and check-pointed.

``ledger.jsonl`` holds one event per line in canonical JSON; each line carries the hash of the line
before and its own, over that and the event's bytes as written, so an edited, removed, inserted or
moved line breaks the chain. A chain alone cannot show
that its end was cut: after each batch a checkpoint (count, head hash, Ed25519 signature), itself
chained, goes to ``checkpoints.jsonl``. Cutting both files alike, or restoring an older copy of
both, is found by giving `verify` a checkpoint that someone else kept (a witness). Events are
durable when `append` returns: file and checkpoint are flushed to disk, one flush per batch, under
an exclusive file lock. Lines beyond the last checkpoint (a crash between the two writes, or a
forgery) were never acknowledged: the next append sets them aside in a file and says so in an event.
Facts hold counts, codes, column names and hashes, never a person's data.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from governance.canonical import canonical_bytes, sha256_hex

GENESIS = "0" * 64
EVENTS_FILE = "ledger.jsonl"
CHECKPOINTS_FILE = "checkpoints.jsonl"
_TAIL_BLOCK = 1 << 16
_LINE = re.compile(rb'\{"event":(\{.*\}),"hash":"([0-9a-f]{64})","previous":"([0-9a-f]{64})"\}\n')


class LedgerDamagedError(Exception):
    """The ledger cannot be appended to, because its end does not agree with its checkpoint."""


@dataclass(frozen=True)
class Checkpoint:
    """A signed statement: ``count`` events, ``size`` bytes, end in the event hashed ``head``."""

    count: int
    size: int
    head: str
    at: str
    previous: str
    signature: str

    @property
    def statement(self) -> dict[str, Any]:
        """What is signed: everything but the signature."""
        return {key: value for key, value in asdict(self).items() if key != "signature"}

    def is_signed_by(self, key: Ed25519PublicKey) -> bool:
        """Say whether the signature is ``key``'s over this statement."""
        try:
            key.verify(bytes.fromhex(self.signature), canonical_bytes(self.statement))
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class LedgerProblem:
    """One finding of `verify`: file name, line (1-based; 0 for the whole file) and words."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        """One line: file, line, finding."""
        return f"{self.file}:{self.line}: {self.message}"


def utc_now() -> datetime:
    """The one clock of the package: event times are facts, all other dates are parameters."""
    return datetime.now(UTC)


class Ledger:
    """Appends to and verifies one ledger directory; safe for several processes at once."""

    def __init__(
        self,
        directory: Path,
        signing_key: Ed25519PrivateKey,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Open the ledger in ``directory``, making the directory if needed."""
        self._directory = Path(directory)
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._key = signing_key
        self._clock = clock

    def append(self, kind: str, /, **facts: Any) -> str:
        """Record one event durably; return its hash."""
        return self.append_many([(kind, facts)])[-1]

    def append_many(self, events: Iterable[tuple[str, Mapping[str, Any]]]) -> list[str]:
        """Record a batch with one flush to disk; return the hash of each event in order."""
        with self._locked():
            set_aside = self._set_aside_unsigned_tail()
            hashes = self._write([*set_aside, *events])
            return hashes[len(set_aside) :]

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield the events in order as written; call `verify` first if trust matters."""
        for _, line in _lines(self._directory / EVENTS_FILE):
            yield json.loads(line)["event"]

    def last_checkpoint(self) -> Checkpoint | None:
        """Return the newest checkpoint, to hand to a recipient as witness; None when empty."""
        line = _last_line_of(self._directory / CHECKPOINTS_FILE)
        return Checkpoint(**json.loads(line)) if line else None

    def verify(self, witnesses: Sequence[Checkpoint] = ()) -> list[LedgerProblem]:
        """Return every disagreement found; an empty list means the ledger is whole."""
        return verify_ledger(self._directory, self._key.public_key(), witnesses)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        # A new handle each time, so that the lock also holds between threads of one process.
        with (self._directory / ".lock").open("wb") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _write(self, events: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
        signed = self._signed_end()
        at = _written_time(self._clock())
        lines: list[bytes] = []
        hashes = [signed.head]
        for number, (kind, facts) in enumerate(events, start=signed.count + 1):
            line, event_hash = event_line(number, at, kind, facts, hashes[-1])
            lines.append(line)
            hashes.append(event_hash)
        if data := b"".join(lines):
            _append_durably(self._directory / EVENTS_FILE, data)
            count, size = signed.count + len(lines), signed.size + len(data)
            self._append_checkpoint(count, size, hashes[-1], at)
        return hashes[1:]

    def _signed_end(self) -> Checkpoint:
        return self.last_checkpoint() or Checkpoint(0, 0, GENESIS, "", GENESIS, "")

    def _set_aside_unsigned_tail(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Leave exactly what was signed in the file; return the event that tells of the rest."""
        _drop_half_line(self._directory / CHECKPOINTS_FILE)
        signed, path = self._signed_end(), self._directory / EVENTS_FILE
        path.touch(mode=0o600)
        with path.open("r+b") as handle:
            self._refuse_if_cut(signed, handle)
            handle.seek(signed.size)
            if not (tail := handle.read()):
                return []
            name = f"unsigned-{sha256_hex(tail)[:16]}.jsonl"
            _append_durably(self._directory / name, tail)
            handle.truncate(signed.size)
            os.fsync(handle.fileno())
        facts = {"file": name, "bytes": len(tail), "lines": tail.count(b"\n")}
        return [("unsigned_tail_set_aside", facts)]

    def _refuse_if_cut(self, signed: Checkpoint, handle: BinaryIO) -> None:
        line = _last_line(handle, signed.size)
        size = handle.seek(0, os.SEEK_END)
        if size < signed.size or (_claimed_hash(line + b"\n") if line else GENESIS) != signed.head:
            raise LedgerDamagedError(
                f"{self._directory / EVENTS_FILE}: event {signed.count} was signed and is not "
                "at its place; verify the ledger and restore the missing lines"
            )

    def _append_checkpoint(self, count: int, size: int, head: str, at: str) -> None:
        path = self._directory / CHECKPOINTS_FILE
        line = _last_line_of(path)
        previous = sha256_hex(line) if line else GENESIS
        unsigned = Checkpoint(count, size, head, at, previous, "")
        signature = self._key.sign(canonical_bytes(unsigned.statement)).hex()
        signed = canonical_bytes({**unsigned.statement, "signature": signature})
        _append_durably(path, signed + b"\n")


def event_line(
    number: int, at: str, kind: str, facts: Mapping[str, Any], previous: str
) -> tuple[bytes, str]:
    """Return the line of one event and its hash, over the previous hash and the event's bytes."""
    event = canonical_bytes({"at": at, "facts": facts, "kind": kind, "number": number})
    own = sha256_hex(previous.encode("ascii") + event)
    return b'{"event":%b,"hash":"%b","previous":"%b"}\n' % (
        event,
        own.encode(),
        previous.encode(),
    ), own


def verify_ledger(
    directory: Path, public_key: Ed25519PublicKey, witnesses: Sequence[Checkpoint] = ()
) -> list[LedgerProblem]:
    """Check chain, checkpoints and witnesses of a ledger directory; return what disagrees."""
    problems: list[LedgerProblem] = []
    heads = _verify_events(directory / EVENTS_FILE, problems)
    last = _verify_checkpoints(directory / CHECKPOINTS_FILE, heads, public_key, problems)
    if (last.count if last else 0) != len(heads) - 1:
        signed = last.count if last else 0
        message = f"{len(heads) - 1} events, but the last checkpoint signs {signed}"
        problems.append(LedgerProblem(EVENTS_FILE, 0, message))
    for witness in witnesses:
        problems.extend(_verify_witness(witness, heads, public_key))
    return problems


def _verify_events(path: Path, problems: list[LedgerProblem]) -> list[str]:
    """Return the hash after each event (index = count), noting every line that is wrong."""
    heads = [GENESIS]
    for line_number, line in _lines(path):
        wrong = _wrong_with_event(line, line_number, heads[-1])
        if wrong:
            problems.append(LedgerProblem(path.name, line_number, wrong))
        heads.append(_claimed_hash(line))
    return heads


def _wrong_with_event(line: bytes, line_number: int, previous: str) -> str | None:
    """Judge bytes, not their meaning: what was hashed is what was written, to the last space."""
    parts = _LINE.fullmatch(line)
    if parts is None:
        return "not an event"
    event, own, before = parts.groups()
    if before.decode() != previous:
        return "does not follow the line before it"
    if sha256_hex(before + event) != own.decode():
        return "content does not give the recorded hash"
    if not event.endswith(b',"number":%d}' % line_number):
        return f"stands on line {line_number}, which is not its number"
    return None


def _verify_checkpoints(
    path: Path, heads: list[str], public_key: Ed25519PublicKey, problems: list[LedgerProblem]
) -> Checkpoint | None:
    """Check the chain of checkpoints; the last signature covers those before it by the chain."""
    previous, count, last = GENESIS, 0, None
    for line_number, line in _lines(path):
        checkpoint = _parsed_checkpoint(line)
        if checkpoint is None:
            problems.append(LedgerProblem(path.name, line_number, "not a checkpoint"))
            continue
        wrong = _wrong_with_checkpoint(checkpoint, previous, count, heads)
        if wrong:
            problems.append(LedgerProblem(path.name, line_number, wrong))
        previous, count, last = sha256_hex(line.rstrip(b"\n")), checkpoint.count, checkpoint
    if last and not last.is_signed_by(public_key):
        problems.append(LedgerProblem(path.name, 0, "the last checkpoint's signature is wrong"))
    return last


def _wrong_with_checkpoint(
    checkpoint: Checkpoint, previous: str, count: int, heads: list[str]
) -> str | None:
    if checkpoint.previous != previous:
        return "does not follow the checkpoint before it"
    if checkpoint.count <= count:
        return f"signs {checkpoint.count} events after {count} were signed"
    return _wrong_with_head(checkpoint, heads)


def _wrong_with_head(checkpoint: Checkpoint, heads: list[str]) -> str | None:
    if checkpoint.count >= len(heads):
        return f"signs {checkpoint.count} events, but {len(heads) - 1} are there"
    if heads[checkpoint.count] != checkpoint.head:
        return f"event {checkpoint.count} is not the one that was signed"
    return None


def _verify_witness(
    witness: Checkpoint, heads: list[str], public_key: Ed25519PublicKey
) -> Iterator[LedgerProblem]:
    if not witness.is_signed_by(public_key):
        yield LedgerProblem("witness", 0, "a witness was not signed by this hub")
    elif wrong := _wrong_with_head(witness, heads):
        yield LedgerProblem("witness", 0, f"a witness {wrong}")


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _parsed_checkpoint(line: bytes) -> Checkpoint | None:
    value = _parsed(line)
    types = {each.name: type(value.get(each.name)) for each in fields(Checkpoint)} if value else {}
    if value is None or set(value) != set(types) or canonical_bytes(value) + b"\n" != line:
        return None
    if any(each is not (int if name in {"count", "size"} else str) for name, each in types.items()):
        return None
    return Checkpoint(**value)


def _claimed_hash(line: bytes) -> str:
    """The hash a line claims: the next line is judged by it, so one edit is one finding."""
    parts = _LINE.fullmatch(line)
    return parts[2].decode() if parts else ""


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    if path.exists():
        with path.open("rb") as handle:
            yield from enumerate(handle, start=1)


def _last_line_of(path: Path) -> bytes:
    if not path.exists():
        return b""
    with path.open("rb") as handle:
        return _last_line(handle, handle.seek(0, os.SEEK_END))


def _last_line(handle: BinaryIO, end: int) -> bytes:
    """Return the last line before byte ``end`` without its newline; b'' if there is none."""
    tail, position = b"", end
    while position and b"\n" not in tail.rstrip(b"\n"):
        position = max(0, position - _TAIL_BLOCK)
        handle.seek(position)
        tail = handle.read(end - position)
    return tail.rstrip(b"\n").rpartition(b"\n")[2]


def _drop_half_line(path: Path) -> None:
    """Cut a last line that lacks its newline: a write that was never acknowledged."""
    if not path.exists():
        return
    with path.open("r+b") as handle:
        size = handle.seek(0, os.SEEK_END)
        handle.seek(max(0, size - _TAIL_BLOCK))
        tail = handle.read()
        if tail and not tail.endswith(b"\n"):
            handle.truncate(size - len(tail) + tail.rfind(b"\n") + 1)
            os.fsync(handle.fileno())


def _append_durably(path: Path, data: bytes) -> None:
    with path.open("ab") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())


def _written_time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
