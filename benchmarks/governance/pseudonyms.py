"""A million children under pseudonyms for two recipients, two purposes and two years: no token is shared.

    python benchmarks/governance/pseudonyms.py
    python benchmarks/governance/pseudonyms.py --children 100000

Also the rate of one core. The result goes to benchmarks/results/pseudonyms.json.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.hub.machine import machine  # noqa: E402
from ffp_data.hub.child_id import from_bits  # noqa: E402
from governance.keys import KeyStore  # noqa: E402
from governance.pseudonym import pseudonym_key, pseudonymise  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "pseudonyms.json"
OF = {
    "a recipient": ("family-help-north", "single_view.family_help", "2026"),
    "another recipient": ("community-nhs", "single_view.family_help", "2026"),
    "another purpose": ("family-help-north", "statistics", "2026"),
    "the next year": ("family-help-north", "single_view.family_help", "2027"),
}


def measure(number: int, seed: int) -> dict[str, Any]:
    """Tokens in common between each two of the four, and tokens a second of one core."""
    children = [from_bits(Random(seed + n).getrandbits) for n in range(number)]
    tokens: dict[str, set[str | None]] = {}
    rates = []
    with tempfile.TemporaryDirectory() as folder:
        keys = KeyStore(Path(folder) / "keys")
        for name, whose in OF.items():
            key = pseudonym_key(keys, *whose)
            began = time.process_time()
            made = pseudonymise(key, children)
            rates.append(number / (time.process_time() - began))
            tokens[name] = set(made)
    return {
        "children": len(set(children)),
        "tokens": {name: len(made) for name, made in tokens.items()},
        "in_common": {
            f"{one} / {other}": len(tokens[one] & tokens[other])
            for one, other in combinations(OF, 2)
        },
        "per_second": {"slowest": round(min(rates)), "fastest": round(max(rates))},
    }


def main() -> None:
    """Command line; see the module's text."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--children", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    result = {**measure(options.children, options.seed), "machine": machine()}
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
