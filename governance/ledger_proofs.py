"""Proofs from a ledger for those who hold no copy of it: that an event stands there, that nothing went.

A recipient has its manifest, and in it the checkpoint of that moment. Later the hub gives it a *proof of
inclusion* (the event's line and the hashes beside its way up to the root of the newest checkpoint) and a *proof
of consistency* (that the newest tree begins with the one it was given then). Both are plain JSON; `governance/
verify_ledger.py --proof` judges them with the hub's public key alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from governance.canonical import sha256_hex
from governance.ledger_lines import EVENTS_FILE, Checkpoint, claimed_hash, lines_of
from governance.merkle import ProofImpossibleError, consistency_proof, inclusion_proof, leaf_hash

_PUT_IN_PLACE = ("released", "documents_written")
"""Kinds of events that tell, by its manifest, what lies under out/."""


def prove_event(directory: Path, newest: Checkpoint, number: int) -> dict[str, Any]:
    """That event ``number`` is one of those under ``newest``; raises ProofImpossibleError."""
    _require_root(newest)
    lines = _lines(directory, newest)
    path = inclusion_proof(_leaves(lines), number - 1)
    return {
        "checkpoint": newest.record,
        "event": lines[number - 1].decode(),
        "number": number,
        "path": [each.hex() for each in path],
    }


def prove_release(directory: Path, newest: Checkpoint, manifest: Path) -> dict[str, Any]:
    """That the release of a manifest file stands under ``newest``, which extends the manifest's witness.

    Raises ProofImpossibleError when no event tells of it, ValueError for what is no manifest.
    """
    content = manifest.read_bytes()
    told = number_of_release(directory, sha256_hex(content))
    if told is None:
        raise ProofImpossibleError(f"{manifest}: no event of this ledger tells of its release")
    proof = prove_event(directory, newest, told)
    witness = json.loads(content)["manifest"].get("witness")
    if witness:
        proof["since"] = prove_extension(directory, Checkpoint.of(witness), newest)
    return proof


def prove_extension(directory: Path, earlier: Checkpoint, newest: Checkpoint) -> dict[str, Any]:
    """That the ledger under ``newest`` begins with all of ``earlier``; raises ProofImpossibleError."""
    _require_root(newest)
    _require_root(earlier)
    leaves = _leaves(_lines(directory, newest))
    path = consistency_proof(leaves, earlier.count)
    return {
        "earlier": earlier.record,
        "later": newest.record,
        "path": [each.hex() for each in path],
    }


def number_of_release(directory: Path, manifest_sha256: str) -> int | None:
    """The number of the newest event that tells of the release with this manifest; None when there is none."""
    found = None
    for number, line in lines_of(directory / EVENTS_FILE):
        if manifest_sha256.encode() in line and _tells_of(line, manifest_sha256):
            found = number
    return found


def read_checkpoint(path: Path) -> Checkpoint:
    """The checkpoint of a file: one by itself, or the witness of a manifest. Raises ValueError."""
    record = json.loads(path.read_bytes())
    if isinstance(record, dict) and "manifest" in record:
        record = record["manifest"].get("witness")
    return Checkpoint.of(record)


def _tells_of(line: bytes, manifest_sha256: str) -> bool:
    event = json.loads(line)["event"]
    facts: Mapping[str, Any] = event["facts"] if isinstance(event["facts"], dict) else event
    return event["kind"] in _PUT_IN_PLACE and facts.get("manifest") == manifest_sha256


def _require_root(checkpoint: Checkpoint) -> None:
    if not checkpoint.root:
        raise ProofImpossibleError(
            f"the checkpoint of {checkpoint.count} events was made before checkpoints had roots; "
            "the next event gives one: ffp ledger heartbeat"
        )


def _lines(directory: Path, newest: Checkpoint) -> list[bytes]:
    every = lines_of(directory / EVENTS_FILE)
    return [line.rstrip(b"\n") for number, line in every if number <= newest.count]


def _leaves(lines: Sequence[bytes]) -> list[bytes]:
    return [leaf_hash(bytes.fromhex(claimed_hash(line))) for line in lines]
