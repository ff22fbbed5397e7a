"""Whether everything under `out/` is what a release put there: signed, whole and told to the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from governance.files import sha256_of_file
from governance.keys import Verifier
from governance.ledger import Ledger
from governance.manifest import MANIFEST, read_manifest, verify_files

_TOLD = ("released", "documents_written")


def not_released(root: Path, public_key: Verifier, ledger: Ledger) -> list[str]:
    """Return what lies below ``root`` and no release put there, one line each; none when all is in order."""
    told = {event["facts"].get("manifest") for event in ledger.events(*_TOLD)}
    folders = sorted(path.parent for path in root.rglob(MANIFEST))
    return [
        *_in_no_folder(root, folders),
        *(finding for folder in folders for finding in verify_files(folder, public_key)),
        *(
            f"{folder / MANIFEST}: the ledger knows of no such release"
            for folder in folders
            if sha256_of_file(folder / MANIFEST) not in told
        ),
    ]


def _in_no_folder(root: Path, folders: list[Path]) -> Iterator[str]:
    covered = set(folders)
    for path in sorted(root.rglob("*")):
        if path.is_file() and covered.isdisjoint(path.parents):
            yield f"{path}: in no release"


def released_files(root: Path, public_key: Verifier) -> frozenset[str]:
    """SHA-256 of every file of the releases below ``root`` that this hub signed."""
    found: set[str] = set()
    for path in root.rglob(MANIFEST):
        with suppress(ValueError):  # not ours: `withdraw_unpermitted` names it
            found.update(each["sha256"] for each in read_manifest(path.parent, public_key)["files"])
    return frozenset(found)
