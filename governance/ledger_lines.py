"""What stands in the files of a ledger: an event on each line, a checkpoint on each line.

Both sides read this: `governance.ledger` writes the lines, `governance.ledger_check` judges them. The
hash of an event is over the hash before it and the event's bytes as written, so nothing is parsed to check it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidSignature

from governance.canonical import canonical_bytes
from governance.files import fsync_directory
from governance.keys import Verifier

GENESIS = "0" * 64
EVENTS_FILE = "ledger.jsonl"
CHECKPOINTS_FILE = "checkpoints.jsonl"
_TAIL_BLOCK = 1 << 16
_LINE = re.compile(rb'\{"event":(\{.*\}),"hash":"([0-9a-f]{64})","previous":"([0-9a-f]{64})"\}\n?')


@dataclass(frozen=True)
class Checkpoint:
    """A signed statement: ``count`` events, ``size`` bytes, end in the event hashed ``head``.

    ``root`` is the Merkle root over the hashes of these events (`governance.merkle`), in hex; empty in a
    checkpoint from before there were roots, and then no part of what is signed.
    """

    count: int
    size: int
    head: str
    at: str
    previous: str
    signature: str
    root: str = ""

    @property
    def statement(self) -> dict[str, Any]:
        """What is signed: everything but the signature."""
        return {k: v for k, v in self.record.items() if k != "signature"}

    @property
    def record(self) -> dict[str, Any]:
        """The checkpoint as it stands in its line and in manifests."""
        return {k: v for k, v in asdict(self).items() if k != "root" or v}

    @classmethod
    def of(cls, record: object) -> Checkpoint:
        """Read a record; raises ValueError for anything else than a checkpoint."""
        if not isinstance(record, dict):
            raise ValueError("not a checkpoint")
        kinds = {name: type(value) for name, value in record.items()}
        if {"root": str, **kinds} != _KINDS:
            raise ValueError("not a checkpoint")
        return cls(**record)

    def is_signed_by(self, key: Verifier) -> bool:
        """Say whether the signature is ``key``'s over this statement."""
        try:
            key.verify(signature_of(self.signature), canonical_bytes(self.statement))
        except (InvalidSignature, ValueError):
            return False
        return True


_KINDS = {
    "count": int,
    "size": int,
    "head": str,
    "at": str,
    "previous": str,
    "signature": str,
    "root": str,
}


def signature_of(text: str) -> bytes:
    """The bytes of a signature in its one form, lower-case hex without spaces; ValueError for another."""
    signature = bytes.fromhex(text)
    if signature.hex() != text:
        raise ValueError("not in the form that it was written in")
    return signature


def parsed_checkpoint(line: bytes) -> Checkpoint | None:
    """The checkpoint of a whole line; None when it is not the one form of one."""
    try:
        checkpoint = Checkpoint.of(json.loads(line))
    except ValueError:
        return None
    return checkpoint if canonical_bytes(checkpoint.record) + b"\n" == line else None


def parts_of(line: bytes) -> tuple[bytes, str, str] | None:
    """Event bytes, own hash and hash before of an event's line; None when it is none."""
    parts = _LINE.fullmatch(line)
    return (parts[1], parts[2].decode(), parts[3].decode()) if parts else None


def claimed_hash(line: bytes) -> str:
    """The hash a line claims: the next line is judged by it, so one edit is one finding."""
    parts = parts_of(line)
    return parts[1] if parts else ""


def lines_of(path: Path) -> Iterator[tuple[int, bytes]]:
    """Number (from 1) and bytes of each line; none when there is no file."""
    if path.exists():
        with path.open("rb") as handle:
            yield from enumerate(handle, start=1)


def lines_back(path: Path) -> Iterator[bytes]:
    """The lines from the last to the first, without their newlines."""
    with path.open("rb") as handle:
        end = handle.seek(0, os.SEEK_END)
        while end:
            line = last_line(handle, end)
            yield line
            end = max(0, end - len(line) - 1)


def last_line_of(path: Path) -> bytes:
    """The last line without its newline; b'' if there is none."""
    if not path.exists():
        return b""
    with path.open("rb") as handle:
        return last_line(handle, handle.seek(0, os.SEEK_END))


def last_line(handle: BinaryIO, end: int) -> bytes:
    """Return the last line before byte ``end`` without its newline; b'' if there is none."""
    tail, position = b"", end
    while position and b"\n" not in tail.rstrip(b"\n"):
        position = max(0, position - _TAIL_BLOCK)
        handle.seek(position)
        tail = handle.read(end - position)
    return tail.rstrip(b"\n").rpartition(b"\n")[2]


def drop_half_line(path: Path) -> None:
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


def append_durably(path: Path, data: bytes) -> None:
    """Add bytes to a file, on disk when this returns; a new file is its owner's alone."""
    is_new = not path.exists()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "ab") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        fsync_directory(path.parent)


def written_time(moment: datetime) -> str:
    """A time as it stands in events: UTC, microseconds, so that times sort as text."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def read_time(text: str) -> datetime:
    """The moment of a written time."""
    return datetime.fromisoformat(text)
