"""Stand-alone check of a ledger: shares no code with the package that wrote it.

It needs Python and `cryptography` only, so a partner or auditor can run it from a copy of this one file.
No secret key: what events tell is encrypted, that and when they happened is not.

    python verify_ledger.py LEDGER_DIR PUBLIC_KEY.pem [WITNESS ...]
    python verify_ledger.py --proof PROOF.json PUBLIC_KEY.pem [MANIFEST.json]

The first form checks a copy of the whole ledger: chain, numbers, Merkle roots (RFC 6962), checkpoints, reads
that wait in journals. A WITNESS is kept by somebody else: a checkpoint, the manifest of a release, or a folder of
such; it shows whether the ledger was cut or an older copy restored, and of each manifest whether its release
stands in the ledger. The second form needs no copy: it checks what `ffp ledger prove` or
`ffp ledger consistency` gave. PUBLIC_KEY.pem holds the hub's keys, the newest first. Exit code 0: whole;
1: findings, one on each line; 2: wrong use.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

NOTHING = "0" * 64
PEM = re.compile(rb"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", re.DOTALL)

Record = dict[str, Any]
Keys = list[Ed25519PublicKey]


def as_bytes(value: Any) -> bytes:
    """Canonical JSON: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha256(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def without(record: Record, key: str) -> Record:
    """A copy of the record that lacks one key."""
    return {name: value for name, value in record.items() if name != key}


def is_signed(statement: Any, signature: Any, keys: Keys) -> bool:
    """Say whether one of the keys signed the canonical form of the statement."""
    try:
        given = bytes.fromhex(str(signature))
    except ValueError:
        return False
    if given.hex() != signature:  # in its one form, or it is not what was written
        return False
    for key in keys:
        try:
            key.verify(given, as_bytes(statement))
        except InvalidSignature:
            continue
        return True
    return False


# Merkle trees, from the recursive definitions of RFC 6962, section 2.1, and RFC 9162, sections 2.1.3.2 and 2.1.4.2


def parent(left: bytes, right: bytes) -> bytes:
    """The hash over two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def leaf(event_hash: str) -> bytes:
    """The leaf of an event: the hash of its hash."""
    return hashlib.sha256(b"\x00" + bytes.fromhex(event_hash)).digest()


class Roots:
    """Roots over the first n leaves of one list, from the hashes of its complete subtrees, level by level."""

    def __init__(self, leaves: list[bytes]) -> None:
        """Hash every complete subtree once."""
        self.levels = [leaves]
        while len(self.levels[-1]) > 1:
            below = self.levels[-1]
            self.levels.append(
                [parent(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)]
            )

    def over(self, count: int) -> str:
        """The root over the first ``count`` leaves, in hex."""
        root, done = None, count
        for level, hashes in enumerate(self.levels):
            if done >> level & 1:
                whole = hashes[(done >> level) - 1]
                root = whole if root is None else parent(whole, root)
        return (root or hashlib.sha256(b"").digest()).hex()


def sides(at: int, last: int, steps: int) -> list[bool] | None:
    """For each of ``steps`` hashes of a proof, whether it stands left; None when they do not lead to the root."""
    found = []
    for _ in range(steps):
        if last == 0:
            return None
        is_left = at % 2 == 1 or at == last
        while is_left and at % 2 == 0 and at:
            at, last = at // 2, last // 2
        found.append(is_left)
        at, last = at // 2, last // 2
    return found if last == 0 else None


def joined(found: bytes, beside: bytes, is_left: bool) -> bytes:
    """One step up."""
    return parent(beside, found) if is_left else parent(found, beside)


def is_included(proof: Record, event_hash: str) -> bool:
    """Judge an inclusion proof against the root of its checkpoint."""
    checkpoint, at = proof["checkpoint"], proof["number"] - 1
    path = [bytes.fromhex(each) for each in proof["path"]]
    if not 0 <= at < checkpoint["count"]:
        return False
    found, way = leaf(event_hash), sides(at, checkpoint["count"] - 1, len(path))
    for beside, is_left in zip(path, way or [], strict=False):
        found = joined(found, beside, is_left)
    return way is not None and found.hex() == str(checkpoint.get("root"))


def is_extension(proof: Record) -> bool:
    """Judge a consistency proof between the roots of two checkpoints."""
    first, second = proof["earlier"], proof["later"]
    at, last = first["count"] - 1, second["count"] - 1
    path = [bytes.fromhex(each) for each in proof["path"]]
    if not 0 <= at < last:
        return at == last >= 0 and not path and bool(first["root"] == second["root"])
    while at % 2 == 1:
        at, last = at // 2, last // 2
    if at == 0:  # the earlier tree is itself a complete subtree of the later one
        path.insert(0, bytes.fromhex(first["root"]))
    if not path or (way := sides(at, last, len(path) - 1)) is None:
        return False
    old = new = path[0]
    for beside, is_left in zip(path[1:], way, strict=True):
        old = parent(beside, old) if is_left else old
        new = joined(new, beside, is_left)
    return (old.hex(), new.hex()) == (first["root"], second["root"])


# A copy of the ledger


def read_records(path: Path, findings: list[str]) -> list[Record]:
    """Read one canonical JSON object per line; stop at the first line that is not one."""
    records = []
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], start=1):
        record = parsed(line)
        if record is None:
            findings.append(f"{path.name}:{number}: not a canonical record")
            break
        records.append(record)
    if not path.read_bytes().endswith(b"\n") and path.stat().st_size:
        findings.append(f"{path.name}: the last line is cut")
    return records


def parsed(line: bytes) -> Record | None:
    """The object of one line, if it is written in the canonical form."""
    try:
        record = json.loads(line)
        is_canonical = isinstance(record, dict) and as_bytes(record) == line
    except (ValueError, RecursionError):
        return None
    return record if is_canonical else None


def check_events(records: list[Record], findings: list[str]) -> None:
    """Each line must hold its number, the hash before it, and the hash of that and the event."""
    before = NOTHING
    for number, record in enumerate(records, start=1):
        event = record.get("event")
        own = sha256(before.encode() + as_bytes(event))
        given = event.get("number") if isinstance(event, dict) else None
        if record != {"event": event, "hash": own, "previous": before} or given != number:
            findings.append(f"ledger.jsonl:{number}: the chain breaks here")
        before = str(record.get("hash"))


def roots_of(events: list[Record]) -> Roots:
    """The roots over the events' own hashes; a hash that is none counts as nothing."""
    hashes = [str(event.get("hash")) for event in events]
    return Roots([leaf(one if re.fullmatch("[0-9a-f]{64}", one) else NOTHING) for one in hashes])


def check_checkpoints(
    checkpoints: list[Record], events: list[Record], roots: Roots, findings: list[str]
) -> None:
    """Checkpoints must be chained, rise, name the events that stand there, and keep their roots."""
    before, count, rooted = NOTHING, 0, False
    for number, checkpoint in enumerate(checkpoints, start=1):
        rises = type(checkpoint.get("count")) is int and checkpoint["count"] > count
        chained = checkpoint.get("previous") == before and rises
        if not chained or not agrees(checkpoint, events, roots):
            findings.append(f"checkpoints.jsonl:{number}: disagrees with chain or events")
        if rooted and "root" not in checkpoint:
            findings.append(f"checkpoints.jsonl:{number}: has no root, though one before it has")
        before, rooted = sha256(as_bytes(checkpoint)), "root" in checkpoint
        count = checkpoint["count"] if rises else count
    if count != len(events):
        findings.append(f"ledger.jsonl: {len(events)} events, {count} signed")


def agrees(checkpoint: Record, events: list[Record], roots: Roots) -> bool:
    """Say whether event number ``count`` has the hash that was signed, and all up to it the root."""
    count = checkpoint.get("count")
    if type(count) is not int or not 1 <= count <= len(events):
        return False
    if events[count - 1].get("hash") != checkpoint.get("head"):
        return False
    return "root" not in checkpoint or checkpoint["root"] == roots.over(count)


def check_journal(path: Path, keys: Keys, findings: list[str]) -> None:
    """Reads that wait to come into the ledger must be signed and numbered without gaps."""
    last: int | None = None
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], start=1):
        record = parsed(line) or {}
        if not is_signed(without(record, "signature"), record.get("signature"), keys):
            findings.append(f"{path.name}:{number}: not a line that this hub signed")
            continue
        own, _, entry = str(record.get("entry")).partition(":")
        follows = entry.isdecimal() and last in (None, int(entry) - 1)
        if own != path.name.split("-")[1] or not follows:
            findings.append(f"{path.name}:{number}: does not belong here")
        last = int(entry) if entry.isdecimal() else last


# Witnesses


def witnesses_in(paths: list[Path]) -> list[tuple[str, Record, str]]:
    """Name, content and hash of each witness file; of a folder, of each manifest below it."""
    found = []
    for path in paths:
        for file in sorted(path.rglob("manifest.json")) if path.is_dir() else [path]:
            content = file.read_bytes()
            found.append((str(file), as_object(content), sha256(content)))
    return found


def as_object(content: bytes) -> Record:
    """The JSON object of a file; an empty one for anything else."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def check_checkpoint_witness(
    name: str, witness: Record, ledger: tuple[list[Record], Roots], keys: Keys
) -> list[str]:
    """A checkpoint kept elsewhere must be signed by the hub and agree with what is there now."""
    signed = is_signed(without(witness, "signature"), witness.get("signature"), keys)
    if signed and agrees(witness, *ledger):
        return []
    return [f"{name}: witness of {witness.get('count')} events: not borne out"]


def check_manifest_witness(
    name: str, envelope: Record, digest: str, ledger: tuple[list[Record], Roots], keys: Keys
) -> list[str]:
    """A manifest must be signed, its checkpoint borne out, and its release told of after that."""
    manifest = envelope["manifest"]
    if not isinstance(manifest, dict) or not is_signed(manifest, envelope.get("signature"), keys):
        return [f"{name}: not a manifest that this hub signed"]
    witness = manifest.get("witness")
    findings = check_checkpoint_witness(name, witness, ledger, keys) if witness else []
    numbers = [
        number
        for number, record in enumerate(ledger[0], start=1)
        if is_release(record.get("event"), digest)
    ]
    if not numbers:
        findings.append(f"{name}: no event of the ledger tells that it was released")
    elif not findings and witness and max(numbers) <= witness["count"]:
        findings.append(f"{name}: its release stands before its own witness")
    return findings


def is_release(event: Any, manifest_sha256: str) -> bool:
    """Say whether an event tells of the release of this manifest."""
    if not isinstance(event, dict) or event.get("kind") not in ("released", "documents_written"):
        return False
    facts = event.get("facts")
    told = facts if isinstance(facts, dict) else event  # once facts stood in clear
    return bool(told.get("manifest") == manifest_sha256)


def verify(
    directory: Path,
    keys: Keys | Ed25519PublicKey,
    witnesses: list[Record] | None = None,
    files: list[Path] | None = None,
) -> list[str]:
    """Return every finding, in words; an empty list means the ledger is whole."""
    keys = keys if isinstance(keys, list) else [keys]
    findings: list[str] = []
    names = ("ledger.jsonl", "checkpoints.jsonl")
    if missing := [name for name in names if not (directory / name).exists()]:
        return [f"{name}: missing" for name in missing]
    events, checkpoints = (read_records(directory / name, findings) for name in names)
    check_events(events, findings)
    roots = roots_of(events)
    check_checkpoints(checkpoints, events, roots, findings)
    last = checkpoints[-1] if checkpoints else {}
    # A rotation is itself an event, so what a retired key signed is never last.
    if not is_signed(without(last, "signature"), last.get("signature"), keys[:1]):
        findings.append("checkpoints.jsonl: the last signature is wrong or missing")
    for journal in sorted(directory.glob("reads-*.journal")):
        check_journal(journal, keys, findings)
    for witness in witnesses or []:
        findings += check_checkpoint_witness("given", witness, (events, roots), keys)
    for name, content, digest in witnesses_in(files or []):
        if "manifest" in content:
            findings += check_manifest_witness(name, content, digest, (events, roots), keys)
        else:
            findings += check_checkpoint_witness(name, content, (events, roots), keys)
    return findings


# Proofs


def judge(proof: Record, keys: Keys, manifest: bytes | None) -> list[str]:
    """Return what is wrong with a proof, be it of whatever form."""
    try:
        if "event" not in proof and "earlier" not in proof:
            return ["not a proof"]
        return check_proof(proof, keys, manifest)
    except (KeyError, TypeError, ValueError, AttributeError):
        return ["not a proof of the form that this file knows"]


def check_proof(proof: Record, keys: Keys, manifest: bytes | None) -> list[str]:
    """Return what is wrong with a proof of inclusion, of consistency, or both."""
    findings = []
    if "event" in proof:
        findings += check_inclusion(proof, keys, manifest)
    extension = proof.get("since", proof if "earlier" in proof else None)
    if extension is not None:
        ends = [extension["earlier"], extension["later"]]
        if not all(
            is_signed(without(end, "signature"), end.get("signature"), keys) for end in ends
        ):
            findings.append("consistency: a checkpoint was not signed by this hub")
        elif not is_extension(extension):
            findings.append("consistency: the later ledger does not extend the earlier one")
        if "checkpoint" in proof and extension["later"] != proof["checkpoint"]:
            findings.append("consistency: ends in another checkpoint than the inclusion")
        if manifest and json.loads(manifest)["manifest"].get("witness") != extension["earlier"]:
            findings.append("consistency: does not begin with the checkpoint of the manifest")
    return findings


def check_inclusion(proof: Record, keys: Keys, manifest: bytes | None) -> list[str]:
    """The event's line must give its hash, that the root, and the checkpoint be signed."""
    record, checkpoint = parsed(proof["event"].encode()) or {}, proof["checkpoint"]
    event = record.get("event")
    own = sha256(str(record.get("previous")).encode() + as_bytes(event))
    findings = []
    if not is_signed(without(checkpoint, "signature"), checkpoint.get("signature"), keys):
        findings.append("inclusion: the checkpoint was not signed by this hub")
    if record.get("hash") != own or not is_included(proof, own):
        findings.append("inclusion: the event is not in the tree that was signed")
    if manifest is not None and not is_release(event, sha256(manifest)):
        findings.append("inclusion: the event does not tell of this manifest's release")
    return findings


# Command line


def read_keys(path: Path) -> Keys:
    """The Ed25519 keys of a PEM file; ValueError when there is another or none."""
    keys = [load_pem_public_key(each) for each in PEM.findall(path.read_bytes())]
    ed25519 = [key for key in keys if isinstance(key, Ed25519PublicKey)]
    if not keys or len(ed25519) != len(keys):
        raise ValueError(f"{path}: not an Ed25519 public key")
    return ed25519


def main(arguments: list[str]) -> int:
    """Command line; see the module's text."""
    is_proof = arguments[:1] == ["--proof"]
    paths = [Path(each) for each in arguments[is_proof:]]
    if len(paths) < 2:  # what to check, and the key
        sys.stderr.write(f"{__doc__}\n")
        return 2
    try:
        keys = read_keys(paths[1])
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if is_proof:
        manifest = paths[2].read_bytes() if len(paths) > 2 else None
        findings, good = (
            check_proof(json.loads(paths[0].read_bytes()), keys, manifest),
            "it is proved",
        )
    else:
        findings, good = verify(paths[0], keys, files=paths[2:]), "the ledger is whole"
    sys.stdout.writelines(f"{each}\n" for each in findings or [good])
    return 1 if findings else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
