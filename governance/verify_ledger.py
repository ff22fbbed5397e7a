"""Stand-alone check of a ledger: shares no code with the package that wrote it.

Give it the ledger directory and the hub's public key (PEM). It needs Python and `cryptography`
only, so a partner or auditor can run it from a copy of this one file:

    python verify_ledger.py LEDGER_DIR PUBLIC_KEY.pem [WITNESS.json ...]

A witness is a checkpoint kept elsewhere (from an earlier manifest, say); it shows whether the
ledger was cut or an older copy restored. Exit code 0: whole; 1: findings, one on each line.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

NOTHING = "0" * 64


def as_bytes(value: Any) -> bytes:
    """Canonical JSON: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def without(record: dict[str, Any], key: str) -> dict[str, Any]:
    """A copy of the record that lacks one key."""
    return {name: value for name, value in record.items() if name != key}


def read_records(path: Path, findings: list[str]) -> list[dict[str, Any]]:
    """Read one canonical JSON object per line; stop at the first line that is not one."""
    records = []
    for number, line in enumerate(path.read_bytes().splitlines(keepends=True), start=1):
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        if not isinstance(record, dict) or as_bytes(record) + b"\n" != line:
            findings.append(f"{path.name}:{number}: not a canonical record")
            break
        records.append(record)
    return records


def check_events(records: list[dict[str, Any]], findings: list[str]) -> None:
    """Each line must hold its number, the hash before it, and the hash of that and the event."""
    before = NOTHING
    for number, record in enumerate(records, start=1):
        event = record.get("event")
        own = hashlib.sha256(before.encode() + as_bytes(event)).hexdigest()
        given = event.get("number") if isinstance(event, dict) else None
        if record != {"event": event, "hash": own, "previous": before} or given != number:
            findings.append(f"ledger.jsonl:{number}: the chain breaks here")
        before = str(record.get("hash"))


def check_checkpoints(
    checkpoints: list[dict[str, Any]], events: list[dict[str, Any]], findings: list[str]
) -> None:
    """Checkpoints must be chained, rise, and name the events that stand there."""
    before, count = NOTHING, 0
    for number, checkpoint in enumerate(checkpoints, start=1):
        rises = isinstance(checkpoint.get("count"), int) and checkpoint["count"] > count
        if checkpoint.get("previous") != before or not rises or not agrees(checkpoint, events):
            findings.append(f"checkpoints.jsonl:{number}: disagrees with chain or events")
        before = hashlib.sha256(as_bytes(checkpoint)).hexdigest()
        count = checkpoint["count"] if rises else count
    if count != len(events):
        findings.append(f"ledger.jsonl: {len(events)} events, {count} signed")


def agrees(checkpoint: dict[str, Any], events: list[dict[str, Any]]) -> bool:
    """Say whether event number ``count`` has the hash that the checkpoint signed."""
    count = checkpoint.get("count")
    if not isinstance(count, int) or not 1 <= count <= len(events):
        return False
    return bool(events[count - 1].get("hash") == checkpoint.get("head"))


def is_signed(checkpoint: dict[str, Any], key: Ed25519PublicKey) -> bool:
    """Say whether the checkpoint bears the key's signature over all its other fields."""
    try:
        signature = bytes.fromhex(str(checkpoint.get("signature")))
        key.verify(signature, as_bytes(without(checkpoint, "signature")))
    except (InvalidSignature, ValueError):
        return False
    return True


def verify(directory: Path, key: Ed25519PublicKey, witnesses: list[dict[str, Any]]) -> list[str]:
    """Return every finding, in words; an empty list means the ledger is whole."""
    findings: list[str] = []
    names = ("ledger.jsonl", "checkpoints.jsonl")
    if missing := [name for name in names if not (directory / name).exists()]:
        return [f"{name}: missing" for name in missing]
    events, checkpoints = (read_records(directory / name, findings) for name in names)
    check_events(events, findings)
    check_checkpoints(checkpoints, events, findings)
    if not checkpoints or not is_signed(checkpoints[-1], key):
        findings.append("checkpoints.jsonl: the last signature is wrong or missing")
    for witness in witnesses:
        if not is_signed(witness, key) or not agrees(witness, events):
            findings.append(f"witness of {witness.get('count')} events: not borne out")
    return findings


def main(arguments: list[str]) -> int:
    """Command line; see the module's text."""
    if len(arguments) < 2:  # directory and key
        sys.stderr.write(f"{__doc__}\n")
        return 2
    key = load_pem_public_key(Path(arguments[1]).read_bytes())
    if not isinstance(key, Ed25519PublicKey):
        sys.stderr.write(f"{arguments[1]}: not an Ed25519 public key\n")
        return 2
    witnesses = [json.loads(Path(each).read_bytes()) for each in arguments[2:]]
    findings = verify(Path(arguments[0]), key, witnesses)
    sys.stdout.writelines(f"{each}\n" for each in findings or ["the ledger is whole"])
    return 1 if findings else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
