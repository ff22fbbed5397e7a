"""How fast the ledger takes events, is checked and gives proofs; each figure beside the disk's own.

    python benchmarks/governance/ledger.py [--folder FOLDER] [--events 200000]

Appends are durable: events and checkpoint are flushed to disk, two waits for each batch, so the rate of small
batches is the disk's. The time of the processor alone is told beside it, since a shared machine makes others wait.
Writes benchmarks/results/ledger.json.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance import verify_ledger
from governance.ledger import Ledger
from governance.ledger_proofs import prove_event, prove_extension

RESULTS = Path(__file__).parents[1] / "results" / "ledger.json"
KEY = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
FACTS = {
    "agreement": "DSA-CSC-01@1",
    "allowed": True,
    "columns": 13,
    "dropped": ["pers_nationality"],
    "feed": "case_system",
    "policy": "4be48170" * 8,
    "reason": "yes: DSA-CSC-01@1 (children's social care records to the hub) lets 13 columns in",
    "run_id": "16a82798-df6d-48a2-9940-c15b7183bee1",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("build/ledger-bench"))
    parser.add_argument("--events", type=int, default=200_000)
    given = parser.parse_args()
    folder: Path = given.folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    told: dict[str, Any] = {"events": given.events, "flush of this disk, ms": flush(folder)}
    for batch in (1, 100, 1_000, 5_000):
        told[f"append in batches of {batch}"] = append(
            folder / str(batch), min(given.events, batch * 100), batch
        )
    ledger = Ledger(folder / "whole", KEY)
    for _ in range(given.events // 5_000):
        ledger.append_many(("ingest_decision", FACTS) for _ in range(5_000))
    witness = ledger.last_checkpoint()
    assert witness is not None
    ledger.append("read")
    told["verify"] = timed(given.events, ledger.verify)
    told["verify, stand-alone"] = timed(
        given.events, lambda: verify_ledger.verify(ledger.directory, KEY.public_key())
    )
    told["read with facts opened"] = timed(given.events, lambda: sum(1 for _ in ledger.events()))
    told["append after others wrote, tree from its file"] = timed(
        1, lambda: Ledger(ledger.directory, KEY).append("read")
    )
    (ledger.directory / "tree.json").unlink()
    told["append with the tree made anew"] = timed(
        1, lambda: Ledger(ledger.directory, KEY).append("read")
    )
    newest = ledger.last_checkpoint()
    assert newest is not None
    proof = prove_event(ledger.directory, newest, given.events // 3)
    told["hashes in a proof of inclusion"] = len(proof["path"])
    told["prove one event"] = timed(
        1, lambda: prove_event(ledger.directory, newest, given.events // 3)
    )
    told["prove an extension"] = timed(
        1, lambda: prove_extension(ledger.directory, witness, newest)
    )
    told["check a proof"] = timed(
        100, lambda: [verify_ledger.judge(proof, [KEY.public_key()], None) for _ in range(100)]
    )
    print(json.dumps(told, indent=1))
    RESULTS.write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    shutil.rmtree(folder)
    return 0


def append(folder: Path, events: int, batch: int) -> dict[str, float]:
    ledger = Ledger(folder, KEY)

    def work() -> None:
        for _ in range(events // batch):
            ledger.append_many(("ingest_decision", FACTS) for _ in range(batch))

    return timed(events, work)


def timed(count: int, work: Callable[[], object]) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {
        "seconds": round(wall, 4),
        "a second": round(count / wall),
        "a second of the processor": round(count / cpu),
    }


def flush(folder: Path) -> float:
    """Milliseconds that this disk takes to make 60 kB durable: the median of 40."""
    times = []
    with (folder / "flush").open("ab") as file:
        for _ in range(40):
            begun = time.perf_counter()
            file.write(b"x" * 60_000)
            file.flush()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - begun)
    return round(sorted(times)[20] * 1000, 2)


if __name__ == "__main__":
    raise SystemExit(main())
