"""Tampers with a ledger at random, many times over, and counts what each verifier does not find.

    python benchmarks/governance/tamper.py [--times 20000] [--folder FOLDER]

The test suite does the same a thousand times (`tests/governance/test_ledger_tampering.py`). Writes
benchmarks/results/ledger_tampering.json; exit status 1 when something was not found.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections import Counter
from pathlib import Path

from tests.governance.tampering import make_case, tampered

RESULTS = Path(__file__).parents[1] / "results" / "ledger_tampering.json"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=20_000)
    parser.add_argument("--folder", type=Path, default=Path("build/tamper-bench"))
    given = parser.parse_args()
    shutil.rmtree(given.folder, ignore_errors=True)
    given.folder.mkdir(parents=True)
    case = make_case(given.folder / "case")
    times: Counter[str] = Counter()
    unseen: Counter[str] = Counter()
    for number in range(given.times):
        how = tampered(case, given.folder / "copy", number).__name__
        own, apart = case.findings(given.folder / "copy")
        times[how] += 1
        unseen.update(
            f"{how} {number}: {who}" for who, found in (("own", own), ("apart", apart)) if not found
        )
    result = {
        "tamperings": given.times,
        "by kind": dict(sorted(times.items())),
        "not found": dict(unseen),
    }
    print(json.dumps(result, indent=1))
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    shutil.rmtree(given.folder)
    return 1 if unseen else 0


if __name__ == "__main__":
    raise SystemExit(main())
