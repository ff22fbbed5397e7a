"""The software bill of materials: CycloneDX 1.6 JSON of every package that the lock pins, with its hashes.

`make sbom` writes build/sbom.cdx.json. It is made of the lock file alone, so it names what a build
installs and not what happens to be installed here, and equal locks give equal bytes.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements" / "dev.txt"
_PACKAGE = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def bill_of_materials(lock: str) -> dict[str, Any]:
    """The bill of a lock file's text; ValueError for a package without a hash."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "ffp-data"}},
        "components": list(_components(lock)),
    }


def _components(lock: str) -> Iterator[dict[str, Any]]:
    for entry in lock.replace("\\\n", " ").splitlines():
        found = _PACKAGE.match(entry)
        if found is None:
            continue
        name, version = found["name"].lower().replace("_", "-"), found["version"]
        hashes = _HASH.findall(entry)
        if not hashes:
            raise ValueError(f"{name}: pinned without a hash; compile the lock again")
        yield {
            "type": "library",
            "bom-ref": f"pkg:pypi/{name}@{version}",
            "name": name,
            "version": version,
            "purl": f"pkg:pypi/{name}@{version}",
            "hashes": [{"alg": "SHA-256", "content": each} for each in sorted(hashes)],
        }


def main() -> None:
    """Write the bill to the path given."""
    path = Path(sys.argv[1])
    path.parent.mkdir(parents=True, exist_ok=True)
    bill = bill_of_materials(LOCK.read_text("utf-8"))
    path.write_text(json.dumps(bill, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
