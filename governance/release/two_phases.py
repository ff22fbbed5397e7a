"""Two phases, so that a crash at any moment leaves one release or none, and never a file nobody knows of.

What is about to be released is written beside its place and told to the ledger; then the folder takes
its place; then the ledger hears that it has. `settle` finishes what a crash left in between: a folder
that is the one intended is told as released, any other is as it was before and told as abandoned.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from governance.canonical import canonical_bytes
from governance.files import replacing, replacing_directory, sha256_of_file
from governance.ledger import Ledger
from governance.manifest import MANIFEST

_INTENDED = ".intended"
_LEFT = re.compile(r"\.{1,2}([^.].*?)\.(?:intended|part|old|intended\.[0-9a-f]+\.part)")


def put_in_place(
    out: Path, fill: Callable[[Path], Mapping[str, Any]], ledger: Ledger, done: str = "released"
) -> Mapping[str, Any]:
    """Let ``fill`` write and sign a hidden folder, tell the ledger, and put it in the place of ``out``.

    ``fill`` returns what the ledger says of it: ``manifest`` is the SHA-256 of its manifest, and
    ``columns`` are told once, with the event ``done``. Returns what was said.
    """
    settle(out, ledger)
    with replacing_directory(out) as part:
        said = fill(part)
        _intend(out, done, said)
        ledger.append("release_intended", **{k: v for k, v in said.items() if k != "columns"})
    ledger.append(done, **said)
    _marker(out).unlink()
    return said


def settle_all(root: Path, ledger: Ledger) -> list[Path]:
    """Finish what crashes left below ``root``; return the places where something was."""
    places = sorted(set(_places(root)))
    for place in places:
        settle(place, ledger)
    return places


def _places(root: Path) -> Iterator[Path]:
    """The place of each hidden thing below ``root`` that is not itself in a hidden folder."""
    for path in root.rglob(".*"):
        is_inside = any(part.startswith(".") for part in path.parent.relative_to(root).parts)
        if not is_inside and (match := _LEFT.fullmatch(path.name)):
            yield path.with_name(match[1])


def settle(out: Path, ledger: Ledger) -> None:
    """Finish what a crash left at one place; nothing when it left nothing."""
    for half in out.parent.glob(f"..{out.name}{_INTENDED}.*.part"):
        half.unlink()
    _restore(out)
    if (marker := _marker(out)).is_file():
        intended = json.loads(marker.read_bytes())
        _tell(out, intended["done"], intended["said"], ledger)
        marker.unlink()


def _restore(out: Path) -> None:
    """The former folder back in its place when the new one did not get there; no halves beside it."""
    part, old = out.with_name(f".{out.name}.part"), out.with_name(f".{out.name}.old")
    if old.exists() and not out.exists():
        old.rename(out)
    for left in (part, old):
        if left.exists():
            shutil.rmtree(left)


def _tell(out: Path, done: str, said: Mapping[str, Any], ledger: Ledger) -> None:
    about = {name: said[name] for name in ("recipient", "purpose", "manifest") if name in said}
    # first, since this sets aside a line that was never acknowledged: what follows is then on record
    ledger.append("release_interrupted", **about)
    manifest = out / MANIFEST
    if not manifest.is_file() or sha256_of_file(manifest) != said["manifest"]:
        ledger.append("release_abandoned", **about)
    elif not _is_told(ledger, done, said["manifest"]):
        ledger.append(done, **said)


def _is_told(ledger: Ledger, done: str, manifest: str) -> bool:
    return any(event["facts"].get("manifest") == manifest for event in ledger.events(done))


def _intend(out: Path, done: str, said: Mapping[str, Any]) -> None:
    with replacing(_marker(out)) as handle:
        handle.write(canonical_bytes({"done": done, "said": dict(said)}))


def _marker(out: Path) -> Path:
    return out.with_name(f".{out.name}{_INTENDED}")
