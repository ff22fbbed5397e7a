"""Plants canaries in every feed, makes runs fail in every way, and searches every byte that is left.

    python -m benchmarks.governance.canaries FOLDER [--children 80] [--only NAME ...]

Each scenario works on its own copy of a home, in a folder that also holds its HOME, TMPDIR and working folder.
When it has ended, all of that folder is searched but the encrypted stores' own content (their bytes are searched
too), `landing/`, `out/` and `council/`, where people's data belongs; and the streams of each process. Writes what
was found, file by file, and `canaries.json` with the counts; a run of all scenarios also writes it to
benchmarks/results/. Exit status 1 when anything was found.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import time
from pathlib import Path

from benchmarks.governance.canaries.place import FFP, Place
from benchmarks.governance.canaries.scenarios import REPOSITORY, SCENARIOS
from tests.canaries.planting import Canaries, plant
from tests.canaries.scanning import Hit, Scanner

RESULTS = REPOSITORY / "benchmarks" / "results" / "canaries.json"
_APART = {"landing", "out", "council"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--children", type=int, default=80)
    parser.add_argument("--only", nargs="*", choices=SCENARIOS)
    given = parser.parse_args()
    folder: Path = given.folder.resolve()
    base = Place(folder / "base")
    canaries = _prepared(base, given.children)
    told = {}
    for name in given.only or SCENARIOS:
        place = _copy(base, folder / name, canaries)
        begun = time.monotonic()
        code = SCENARIOS[name](place)
        hits = search(place, canaries)
        told[name] = {
            "exit": code,
            "hits": len(hits),
            "seconds": round(time.monotonic() - begun, 1),
        }
        print(name, told[name], flush=True)
        for hit in hits:
            print("   ", hit, flush=True)
    found = json.dumps({"canaries": len(canaries.numbers), "scenarios": told}, indent=1)
    for file in [folder / "canaries.json", *([] if given.only else [RESULTS])]:
        file.write_text(found + "\n", "utf-8")
    return 1 if any(each["hits"] for each in told.values()) else 0


def search(place: Place, canaries: Canaries) -> list[Hit]:
    """What stands outside the places where people's data belongs."""

    def is_apart(path: Path) -> bool:
        parts = path.relative_to(place.folder).parts
        return parts[0] in ("partnership", "answers", "project") or (
            parts[0] == "home" and parts[1] in _APART
        )

    scanner = Scanner(canaries)
    return [
        *scanner.files(place.folder, skip=is_apart),
        *scanner.files(REPOSITORY / "dbt_project" / "target", REPOSITORY / "dbt_project" / "logs"),
    ]


def _prepared(base: Place, children: int) -> Canaries:
    """A partnership with canaries and a home after one run; made once for all calls on the folder."""
    kept = base.folder / "numbers.json"
    if not kept.exists():
        base.folder.mkdir(parents=True, exist_ok=True)
        out = base.folder / "partnership"
        subprocess.run([str(FFP), "synthesise", str(out), "--children", str(children)], check=True)
        canaries = plant(base.landing)
        base.ffp("prepare", "--demo")
        if base.run() not in (0, 3):
            raise SystemExit((base.folder / "1.stderr").read_text("utf-8"))
        kept.write_text(json.dumps([canaries.stem, sorted(canaries.numbers)]), "utf-8")
    stem, numbers = json.loads(kept.read_text("utf-8"))
    return Canaries(stem, frozenset(numbers))


def _copy(base: Place, folder: Path, canaries: Canaries) -> Place:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(base.folder, folder, symlinks=True)
    (folder / "numbers.json").unlink()
    return Place(folder, canaries)


if __name__ == "__main__":
    raise SystemExit(main())
