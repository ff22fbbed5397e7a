"""From files to a release: signed, intended, put in place, released."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from governance.envelope import PublicKey, seal_for
from governance.grants import ReleaseDecision
from governance.keys import KeyStore
from governance.ledger import Ledger
from governance.manifest import write_manifest
from governance.release.refusing import refuse_if_denied, refuse_others
from governance.release.telling import about, columns, facts
from governance.release.two_phases import put_in_place


@dataclass(frozen=True)
class Extract:
    """A written extract: where it lies, its manifest's hash and the rows of each table."""

    directory: Path
    agreement: str
    manifest_sha256: str
    rows: Mapping[str, int]


def publish(
    decision: ReleaseDecision,
    write: Callable[[Path], Mapping[str, int]],
    *,
    as_at: date,
    out: Path,
    keys: KeyStore,
    ledger: Ledger,
    keep_list: Callable[[], Mapping[str, Any]] | None = None,
) -> Extract:
    """Let ``write`` fill a hidden directory, sign it, record it and put it in the place of ``out``.

    For files of another shape than `write_extract` makes, such as the XML of a statutory return.
    ``write`` returns the number of rows written of each relation; naming one outside the decision
    refuses the whole, and nothing of it stays. ``keep_list`` keeps the list of whom it disclosed
    (`governance.subject_lists`) and gives what the ledger says of it. The manifest carries the ledger's
    newest checkpoint: its recipient is a witness of all that stood in the ledger then. Raises
    CheckpointsStoppedError, LedgerDamagedError or OSError before a byte is written when the ledger makes none.
    """
    refuse_if_denied(decision, as_at, ledger)
    ledger.append("release_begun", **about(decision, as_at))  # cannot be written: nothing is
    witness = ledger.require_fresh()

    def fill(part: Path) -> dict[str, Any]:
        rows = write(part)
        refuse_others(decision, sorted(set(rows) - set(decision.relations)), as_at, ledger)
        told = {**facts(decision, as_at, rows), "witness": witness.record}
        manifest = _sign(part, decision, told, keys)
        listed = {"subject_list": dict(keep_list())} if keep_list else {}
        return {
            **about(decision, as_at),
            "manifest": manifest,
            "rows": dict(rows),
            "columns": columns(decision),
            **listed,
            "sealed_to": PublicKey.parse(decision.seal_to).id.hex() if decision.seal_to else None,
        }

    said = put_in_place(out, fill, ledger)
    return Extract(out, str(decision.agreement), said["manifest"], said["rows"])


def _sign(part: Path, decision: ReleaseDecision, told: Mapping[str, Any], keys: KeyStore) -> str:
    """Sign the files as they are, or sealed to the recipient where one registered a key."""
    if decision.seal_to is None:
        return write_manifest(part, told, keys.signing_key)
    return seal_for(PublicKey.parse(decision.seal_to), part, told, keys.signing_key)


def publish_documents(
    write: Callable[[Path], None],
    *,
    title: str,
    as_at: date,
    out: Path,
    keys: KeyStore,
    ledger: Ledger,
) -> str:
    """Let ``write`` fill a folder with documents that tell of no person; sign it and write it down.

    For what is generated of the agreements themselves, which no agreement has to give. Returns the
    SHA-256 of the manifest; raises as `publish` does when the ledger makes no checkpoint.
    """
    witness = ledger.require_fresh()

    def fill(part: Path) -> dict[str, Any]:
        write(part)
        told = {"title": title, "as_at": as_at.isoformat()}
        of_nobody: dict[str, Any] = {
            "recipient": None,
            "purpose": None,
            "tables": [],
            "witness": witness.record,
        }
        return {**told, "manifest": write_manifest(part, {**told, **of_nobody}, keys.signing_key)}

    return str(put_in_place(out, fill, ledger, done="documents_written")["manifest"])
