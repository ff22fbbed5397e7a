"""How fast the hub answers to whom a child was disclosed, and who is affected by a lost extract.

A ledger is filled with reads of random children and with releases of many of them, as the product writes
them; then the index is built from nothing, and children and releases are asked for at random.

    python benchmarks/governance/disclosures.py --events 10_000_000 --children 100_000 --out FILE.json
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from statistics import quantiles
from typing import Any

import sqlalchemy as sa

from benchmarks.hub.machine import cost, machine
from ffp_data.access import Access
from ffp_data.home.subjects import lists_of
from ffp_data.hub.child_id import new_child_id
from ffp_data.hub.database import create_engine, migrate, writing
from ffp_data.hub.models import ACTIVE, FINISHED, Person, Run
from ffp_data.rights.affected import affected_by
from ffp_data.rights.disclosures import DisclosureRegister
from ffp_data.settings import Home, make_demonstration

RECIPIENTS = 5
RELEASED = 10_000  # children of a lost extract
LIMITS = {"disclosures_p95_s": 1.0, "affected_wall": 10.0, "references_wall": 5.0}
_LOT = 50_000
_COLUMNS = [
    {
        "relation": "single_view.children",
        "name": name,
        "transform": "clear",
        "category": "quasi_identifier",
    }
    for name in ("given_name", "surname", "date_of_birth", "postcode")
]


def main() -> None:
    """Measure and print, or write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--children", type=int, default=100_000)
    parser.add_argument("--asked", type=int, default=100)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="disclosures-"))
    try:
        told = measure(folder, given.events, given.children, given.asked)
    finally:
        shutil.rmtree(folder)
    text = json.dumps(told, indent=1, sort_keys=True)
    print(text)
    if given.out:
        given.out.write_text(text + "\n", "utf-8")


def measure(folder: Path, events: int, children: int, asked: int) -> dict[str, Any]:
    """Seconds of each step, on the clock and of the processor: they part where others use the machine."""
    home = Home(folder / "home").prepare()
    make_demonstration(home)
    people = _issue(home, children)
    access = Access(home)
    figures: dict[str, Any] = {"events": events, "children": children, "limits": LIMITS}
    with cost(figures, "keys_made"):
        access.subjects.keys.ensure()
    with cost(figures, "references"):
        references = access.subjects.keys.references(people)
    with cost(figures, "ledger_filled"):
        _fill(home, access, people, references, events)
    figures["ledger_mib"] = _mib(home.ledger_dir / "ledger.jsonl")
    register = DisclosureRegister(home, access)
    with cost(figures, "index_built"), register.index.opened():
        pass
    figures["index_mib"] = _mib(home.serving / "disclosures" / "index.duckdb")
    figures["disclosures"] = _ask(register, random.Random(1).sample(people, asked), access)
    with cost(figures, "affected"):
        told, rows = affected_by(register, "lost")
    assert told.children == len(rows) == min(RELEASED, children)
    figures["peak_memory_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    figures["machine"] = machine()
    return figures


def _issue(home: Home, count: int) -> list[str]:
    engine = create_engine(home.hub_url)
    migrate(engine)
    people = [new_child_id() for _ in range(count)]
    with writing(engine) as hub:
        run = {"run_id": "r", "as_at": date(2026, 3, 31), "model_version": "m", "state": FINISHED}
        hub.execute(sa.insert(Run), {**run, "seq": 1, "input_digest": "0" * 64})
        rows = [{"child_id": c, "issued_seq": 1, "status": ACTIVE} for c in people]
        hub.execute(sa.insert(Person), rows)
    engine.dispose()
    return people


def _fill(
    home: Home, access: Access, people: list[str], references: list[str], events: int
) -> None:
    """Reads, with a release of everybody to each recipient among them, and one of ten thousand at the end."""
    reads = _reads(references, events - RECIPIENTS - 1)
    for recipient in range(RECIPIENTS):
        for _ in range(max(1, events // RECIPIENTS // _LOT)):
            access.ledger.append_many([next(reads) for _ in range(min(_LOT, events // RECIPIENTS))])
        _release(home, access, people, f"recipient-{recipient}")
    _release(home, access, people[:RELEASED], "lost")


def _reads(references: list[str], count: int) -> Iterator[tuple[str, dict[str, Any]]]:
    chosen = random.Random(2)
    about = {"who": "asmith", "role": "practitioner", "right": "identify", "reason": "a call"}
    while True:
        yield "read", {**about, "purpose": "single_view", "subjects": [chosen.choice(references)]}


def _release(home: Home, access: Access, people: list[str], recipient: str) -> None:
    said = lists_of(home, access.keys).keep({"single_view.children": people})
    about = {
        "recipient": recipient,
        "purpose": "single_view",
        "agreement": "A@1",
        "as_at": "2026-03-31",
    }
    access.ledger.append(
        "released",
        **about,
        manifest=secrets.token_hex(32),
        rows={},
        columns=_COLUMNS,
        subject_list=said,
    )


def _ask(register: DisclosureRegister, people: list[str], access: Access) -> dict[str, float]:
    """Seconds until a child's log is there, with one new event each time to follow."""
    seconds: list[float] = []
    cpu = 0.0
    for child in people:
        access.ledger.append("heartbeat")
        began, used = time.perf_counter(), time.process_time()
        log = register.of_child(register.identity(child))
        seconds.append(time.perf_counter() - began)
        cpu += time.process_time() - used
        assert len(log.recipients) >= RECIPIENTS, "everybody was released to everyone"
    cuts = quantiles(seconds, n=100)
    return {
        "p50_s": round(cuts[49], 4),
        "p95_s": round(cuts[94], 4),
        "most_s": round(max(seconds), 4),
        "cpu_mean_s": round(cpu / len(people), 4),
    }


def _mib(path: Path) -> int:
    return round(path.stat().st_size / 2**20)


if __name__ == "__main__":
    main()
