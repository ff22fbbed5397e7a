"""Releases that today's agreements would not make again: named, written down and taken out."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from governance.files import sha256_of_file
from governance.grants import ReleaseDecision
from governance.keys import KeyStore
from governance.ledger import Ledger
from governance.manifest import MANIFEST, read_manifest


def why_withdrawn(manifest: Mapping[str, Any], decision: ReleaseDecision) -> str | None:
    """Say why today's ``decision`` would not release what ``manifest`` tells of; None when it would."""
    if not decision.allowed:
        return decision.reason
    given = {(each.relation, each.name, each.transform) for each in decision.items}
    excess = [
        f"{column['relation']}.{column['name']}"
        for table in manifest["tables"]
        for column in table["columns"]
        if (column["relation"], column["name"], column["transform"]) not in given
    ]
    if excess:
        return f"{decision.agreement} does not give {', '.join(sorted(excess))} as it was released"
    if manifest["cohort"] != decision.terms["rows"]["cohort"]:
        return f"{decision.agreement} gives other rows than were released"
    return None


def withdraw(directory: Path, reason: str, *, keys: KeyStore, ledger: Ledger) -> None:
    """Remove a release that may no longer lie there; the ledger has it before and keeps it for ever.

    Raises ValueError when the directory holds no release of this hub; then it stays.
    """
    manifest = read_manifest(directory, keys.trusted)
    about = {name: manifest[name] for name in ("recipient", "purpose", "agreement", "as_at")}
    digest = sha256_of_file(directory / MANIFEST)
    ledger.append("release_withdrawn", **about, manifest=digest, reason=reason)
    shutil.rmtree(directory)
