"""What others kept of the ledger, held against it: checkpoints, and manifests with the checkpoint of their day."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature

from governance.canonical import canonical_bytes, sha256_hex
from governance.ledger_lines import Checkpoint
from governance.ledger_proofs import number_of_release
from governance.manifest import MANIFEST

if TYPE_CHECKING:
    from governance.ledger import Ledger


def wrong_with_witnesses(ledger: Ledger, paths: Iterable[Path]) -> list[str]:
    """Return what the ledger does not bear out of the files and folders given, each with its name."""
    found: list[str] = []
    kept: list[tuple[Path, Checkpoint]] = []
    for path in _files(paths):
        try:
            record, checkpoint = _read(path)
        except ValueError:
            found.append(f"{path}: neither a checkpoint nor a manifest")
            continue
        if checkpoint:
            kept.append((path, checkpoint))
        if "manifest" in record:
            found += _wrong_with_release(ledger, path, record, checkpoint)
    problems = ledger.verify([checkpoint for _, checkpoint in kept]) if kept else []
    named = (each for each in problems if each.file == "witness")
    return found + [f"{kept[each.line - 1][0]}: {each.message}" for each in named]


def _read(path: Path) -> tuple[dict[str, Any], Checkpoint | None]:
    record = json.loads(path.read_bytes())
    if not isinstance(record, dict):
        raise ValueError("not an object")
    if "manifest" not in record:
        return record, Checkpoint.of(record)
    told = record["manifest"].get("witness") if isinstance(record["manifest"], dict) else 0
    return record, None if told is None else Checkpoint.of(told)


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(path.rglob(MANIFEST)) if path.is_dir() else [path]


def _wrong_with_release(
    ledger: Ledger, path: Path, record: dict[str, Any], checkpoint: Checkpoint | None
) -> Iterator[str]:
    try:
        signature = bytes.fromhex(str(record.get("signature")))
        ledger.trusted.verify(signature, canonical_bytes(record["manifest"]))
    except (InvalidSignature, ValueError):
        yield f"{path}: not a manifest that this hub signed"
        return
    told = number_of_release(ledger.directory, sha256_hex(path.read_bytes()))
    if told is None:
        yield f"{path}: no event of the ledger tells that it was released"
    elif checkpoint and told <= checkpoint.count:
        yield f"{path}: its release stands before its own witness"
