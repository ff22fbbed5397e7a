"""Lines that wait beside the ledger to come into it: signed one by one, facts sealed, numbered without gaps.

A journal (`governance.access.journal`) is a file ``reads-<name>-<part>.journal``; its lines are numbered
``<name>:<n>`` through all its parts. Each is signed, so that none can be edited, added, moved
or taken out between others. What cannot be seen is a cut end: the last lines of a process that was killed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.canonical import canonical_bytes
from governance.keys import Verifier
from governance.ledger_lines import signature_of

JOURNALS = "reads-*.journal"
_FIELDS = {"at", "entry", "facts", "kind", "signature"}


@dataclass(frozen=True)
class Waiting:
    """A line of a journal: number in its file, and its fields, or what is wrong with it."""

    line: int
    record: Mapping[str, str]
    wrong: str = ""


def signed_line(record: Mapping[str, str], key: Ed25519PrivateKey) -> bytes:
    """The line of a record of at, entry, facts (sealed) and kind."""
    signature = key.sign(canonical_bytes(record)).hex()
    return canonical_bytes({**record, "signature": signature}) + b"\n"


def waiting(name: str, text: bytes, key: Verifier) -> Iterator[Waiting]:
    """Each whole line of the journal file ``name``; a cut last line was never acknowledged."""
    prefix, last = name.split("-")[1] + ":", None
    for number, line in enumerate(text.split(b"\n")[:-1], start=1):
        record = _signed_record(line, key)
        if record is None:
            yield Waiting(number, {}, "not a line that this hub signed")
            continue
        own, expected = record["entry"], f"{prefix}{(last or 0) + 1}"
        if not own.startswith(prefix) or (last is not None and own != expected):
            yield Waiting(number, record, f"is entry {own}, which does not belong here")
        else:
            yield Waiting(number, record)
        last = int(own.rpartition(":")[2])


def _signed_record(line: bytes, key: Verifier) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
        signature = signature_of(record["signature"])
        rest = {name: value for name, value in record.items() if name != "signature"}
        key.verify(signature, canonical_bytes(rest))
    except (InvalidSignature, ValueError, KeyError, TypeError):
        return None
    return record if set(record) == _FIELDS and canonical_bytes(record) == line else None


def journals(directory: Path) -> list[Path]:
    """The journals in a ledger's directory."""
    return sorted(directory.glob(JOURNALS))
