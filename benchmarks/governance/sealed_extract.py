"""What sealing an extract costs beside writing it: zstd Parquet plain, then the same sealed and signed.

    python benchmarks/governance/sealed_extract.py                500,000 rows
    python benchmarks/governance/sealed_extract.py --rows 50000 --rounds 2

*Plain* is what a recipient without a registered key gets: the Parquet file, flushed to disk, and the signed
manifest with its hash. *Sealed* is that file in a container for one recipient, the manifest signed and the
data key wrapped, everything flushed. The kinds take turns in one process; best and median of the rounds are
told, of CPU and wall. On a machine with other work the wall figures tell of that work too: CPU is what
sealing costs, and `load_before` says how busy it was. What was sealed is opened again by the stand-alone
opener and compared. The result goes to benchmarks/results/sealed_extract.json.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.hub.machine import machine  # noqa: E402
from governance.envelope import HYBRID_SUITE, X25519_SUITE, PublicKey, make_key, seal_for  # noqa: E402
from governance.files import replacing, sha256_of_file  # noqa: E402
from governance.manifest import write_manifest  # noqa: E402
from governance.open_extract import RecipientKey, open_extract  # noqa: E402
from governance.pseudonym import pseudonymise  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "sealed_extract.json"
PLAIN = "plain"
FACTS = {"agreement": "DSA-FHN-01@1", "as_at": "2026-03-31", "recipient": "a-team"}
NAME = "children.parquet"


def rows(number: int, seed: int) -> pa.Table:
    """Rows as of an extract of the single view: token, year and month, codes, flags, a name and a phone number."""
    draw = Random(seed)
    first = date(2008, 1, 1)
    names = [f"Surname{n}" for n in range(5_000)]
    return pa.table(
        {
            "child_pseudonym": pseudonymise(b"k" * 32, (f"child {n}" for n in range(number))),
            "birth_date": [first + timedelta(draw.randrange(6_500)) for _ in range(number)],
            "ethnicity": [
                draw.choice(("WBRI", "APKN", "BAFR", "NOBT", None)) for _ in range(number)
            ],
            "team": [f"team {draw.randrange(40)}" for _ in range(number)],
            "lead_practitioner": [draw.choice(names) for _ in range(number)],
            "phone": [f"01632 96{draw.randrange(10_000):04}" for _ in range(number)],
            "is_open_to_social_care": [draw.random() < 0.1 for _ in range(number)],
            "last_contact": [first + timedelta(6_000 + draw.randrange(600)) for _ in range(number)],
        }
    )


def write(table: pa.Table, folder: Path, to: PublicKey | None, hub: Ed25519PrivateKey) -> None:
    """One release: plain, or sealed to a key."""
    folder.mkdir()
    with replacing(folder / NAME) as handle:
        pq.write_table(table, handle, compression="zstd")
    if to is None:
        write_manifest(folder, FACTS, hub)
    else:
        seal_for(to, folder, FACTS, hub)


def measure(number: int, rounds: int, seed: int) -> dict[str, Any]:
    """Best and median wall and CPU seconds of each kind, and each over plain."""
    table, hub = rows(number, seed), Ed25519PrivateKey.generate()
    pairs = {suite: make_key(suite) for suite in (X25519_SUITE, HYBRID_SUITE)}
    kinds: dict[str, PublicKey | None] = {PLAIN: None, **{s: p for s, (_, p) in pairs.items()}}
    spent: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
    sizes: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as top:
        for turn in range(rounds):
            for kind, to in kinds.items():
                folder = Path(top) / f"{turn} {kind}"
                spent[kind].append(_timed(table, folder, to, hub))
                sizes[kind] = sum(path.stat().st_size for path in folder.iterdir())
        plain = sha256_of_file(Path(top) / f"0 {PLAIN}" / NAME)
        opened = {
            suite: _opens(Path(top) / f"0 {suite}", RecipientKey(pem), hub) == plain
            for suite, (pem, _) in pairs.items()
        }
    seconds = {kind: _summed_up(each) for kind, each in spent.items()}
    ratio = {
        kind: {
            name: round(value / seconds[PLAIN][name], 3) for name, value in seconds[kind].items()
        }
        for kind in pairs
    }
    return {
        "rows": number, "rounds": rounds, "seconds": seconds, "ratio": ratio, "bytes": sizes,
        "opened_equal": opened,
    }  # fmt: skip


def _summed_up(spent: list[dict[str, float]]) -> dict[str, float]:
    return {
        f"{what} {how}": round(of([each[what] for each in spent]), 4)
        for what in ("cpu", "wall")
        for how, of in (("best", min), ("median", median))
    }


def _timed(
    table: pa.Table, folder: Path, to: PublicKey | None, hub: Ed25519PrivateKey
) -> dict[str, float]:
    wall, cpu = time.perf_counter(), _cpu()
    write(table, folder, to, hub)
    return {"wall": time.perf_counter() - wall, "cpu": _cpu() - cpu}


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _opens(folder: Path, key: RecipientKey, hub: Ed25519PrivateKey) -> str:
    out = folder.with_name(f"{folder.name} opened")
    open_extract(folder, key, [hub.public_key()], out)
    return sha256_of_file(out / NAME)


def main() -> None:
    """Command line; see the module's text."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    result = {**measure(options.rows, options.rounds, options.seed), "machine": machine()}
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
