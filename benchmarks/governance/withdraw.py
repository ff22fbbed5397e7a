"""Withdraw each agreement of a home in turn and prove it; and the time of the proof at 100,000 children.

    python benchmarks/governance/withdraw.py HOME LANDING [--only DSA-POL-01,...] [--children 100000] [--skip-each]

HOME is a home in which a run was made of LANDING; it is only read. *Each*: in a copy of it the agreement is ended,
every step of a run is made, what a run leaves is removed, and the proof is made; cells and rows left must be 0.
*Scale*: the stored rows of the home are copied under other keys until there are so many children, one agreement is
suspended (so that its rows are there to be poisoned), every model is built, and the proof alone is timed. Copies of
people are no people: this measures rebuilding and comparing, not linkage, which the proof does not repeat.
Results: benchmarks/results/withdraw.json. Ends with 1 when anything is left, or the proof takes over 60 s.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from ffp_data.feeds import Contract
from ffp_data.home import policy
from ffp_data.home.run import Run, leased
from ffp_data.home.shut_records import feeds_in_force
from ffp_data.hub.database import create_engine
from ffp_data.pipeline import reference
from ffp_data.pipeline.review_queue import build_queue
from ffp_data.releases import publish
from ffp_data.serving import publish as publish_snapshot
from ffp_data.warehouse import connect
from ffp_data.withdrawal.apply import clear, end_agreement
from ffp_data.withdrawal.prove import Proof, prove
from ffp_data.withdrawal.scope import current_lock, scope_of
from ffp_data.withdrawal.scratch import Project, assemble, qualified
from governance.syntax import quoted
from tests.withdrawal import homes

RESULTS = Path(__file__).resolve().parents[1] / "results" / "withdraw.json"
MOST_SECONDS = 60.0
SCALED = ("DSA-POL-01", "DSA-EDU-01")
"""Measured at scale: a feed of few rows, and the one with most (a year of marks)."""


def run_at(home: Path, landing: Path, run_id: str = "withdraw") -> Run:
    """A run for the day of the home's last one."""
    day = Run.at(run_id=run_id, home=home, landing=landing).as_at
    return Run.at(run_id=run_id, home=home, landing=landing, as_at=day)


# Each agreement


def each(home: Path, landing: Path, agreements: Iterable[str]) -> Iterator[dict[str, Any]]:
    """End, run, remove, prove: for each agreement in a copy of the home."""
    for agreement in agreements:
        with tempfile.TemporaryDirectory(dir=home.parent) as folder:
            copy = Path(shutil.copytree(home, Path(folder) / "home"))
            run = run_at(copy, landing)
            end_agreement(run, agreement, "withdrawn", "benchmark", "measured")
            began = time.perf_counter()
            run = Run.at(run_id="after", home=copy, landing=landing, as_at=run.as_at)
            project = whole_run(replace(run, allow_large_change=True), agreement)
            ran = time.perf_counter() - began
            run = run_at(copy, landing)
            clear(run, agreement)
            yield {**proved(run, agreement, project), "run_seconds": round(ran, 1)}


def whole_run(run: Run, agreement: str) -> Project | None:
    """The steps of a run one after the other; models by their compiled SQL, without dbt's tests of them.

    After an outbound agreement nothing that came in is another: the lock and what leaves are made anew.
    """
    with leased(run.home, run.run_id):
        assert policy.compile_lock(run).problems == []
        project = None
        if scope_of(current_lock(run), agreement).is_inbound:
            project = homes.steps(run)
            homes.build(run, project)
            build_queue(run)
            publish_snapshot(run)
        publish.withdraw_unpermitted(run)
        for collection in publish.COLLECTIONS.values():
            publish.publish_return(run, collection)
        publish.publish_extracts(run)
    return project


def proved(run: Run, agreement: str, project: Project | None = None) -> dict[str, Any]:
    """The figures of a proof, with the processor's seconds beside the clock's."""
    began = time.process_time()
    found = told(prove(run, agreement, project))
    return {**found, "proof_cpu_seconds": round(time.process_time() - began, 1)}


def told(proof: Proof) -> dict[str, Any]:
    """The figures of a proof."""
    return {
        "agreement": proof.scope.versioned,
        "holds": proof.holds,
        "cells": proof.cells,
        "rows": proof.rows,
        "tables": len(proof.tables),
        "poisoned_rows": proof.poisoned_rows,
        "deliveries_read_again": proof.read_again,
        "links": vars(proof.links) if proof.links else None,
        "identifiers": vars(proof.identifiers) if proof.identifiers else None,
        "left": proof.failures(),
        "proof_seconds": round(proof.seconds, 1),
    }


# Scale


def scale(home: Path, landing: Path, children: int) -> Iterator[dict[str, Any]]:
    """The proof's time with the rows of the home copied under other keys."""
    for agreement in SCALED:
        with tempfile.TemporaryDirectory(dir=home.parent) as folder:
            copy = Path(shutil.copytree(home, Path(folder) / "home"))
            run = run_at(copy, landing)
            count = inflate(run, children)
            suspend_alone(run, agreement)
            forget_records(run, agreement)
            project = build(run_at(copy, landing))
            clear(run_at(copy, landing), agreement)
            yield {"children": count, **proved(run_at(copy, landing), agreement, project)}


def suspend_alone(run: Run, agreement: str) -> None:
    """A policy in which this agreement is suspended and every other as packaged."""
    shutil.rmtree(run.home.root / "policy", ignore_errors=True)
    end_agreement(run, agreement, "suspended", "benchmark", "measured")
    problems = policy.compile_lock(run).problems
    assert not problems, problems


def forget_records(run: Run, agreement: str) -> None:
    """What linking anew would leave out: the feed's records in links and membership, and the old snapshots."""
    shutil.rmtree(run.home.serving, ignore_errors=True)
    feeds = scope_of(current_lock(run), agreement).feeds
    named = {
        "child_membership": ("record_key",),
        "record_facts": ("record_key",),
        "clusters": ("record_id",),
        "link_pairs": ("record_id_l", "record_id_r"),
        "link_joins": ("record_id_l", "record_id_r"),
    }
    with connect(run.home) as con:
        for table, columns in named.items():
            test = " OR ".join(f"starts_with({c}, '{feed}|')" for c in columns for feed in feeds)
            con.execute(f"DELETE FROM identity.{table} WHERE {test}")


def inflate(run: Run, children: int) -> int:
    """Copy every stored row under other keys until there are as many children; how many there are then."""
    with connect(run.home) as con:
        (had,) = con.execute("SELECT count(*) FROM single_view.children").fetchone() or (0,)
        times = -(-children // had)
        con.execute(f"CREATE TEMP TABLE copies AS SELECT unnest(range(1, {times})) AS n")
        for contract in run.contracts.values():
            keys = keys_of(contract)
            for table in contract.tables:
                copy_rows(con, contract.raw_name(table).replace('"', ""), keys)
                if table.identity:
                    copy_rows(con, contract.identity_name(table).replace('"', ""), keys)
        copy_rows(con, "identity.child_membership", {"child_id", "record_key"})
        copy_rows(con, "identity.children", {"child_id"})
        copy_rows(con, "identity.link_pairs", {"record_id_l", "record_id_r"})
    inflate_hub(run, times)
    return int(had * times)


def keys_of(contract: Contract) -> set[str]:
    """Columns that join the rows of a feed to each other, or tell one from another."""
    names = {"record_key", "related_record_key"}
    for table in contract.tables:
        for listed in (table.key, table.record_key, getattr(table.relationship, "related_key", ())):
            names |= set(listed or ())
        names |= {p.name for p in table.properties if p.name.endswith(("_id", "_ref", "_key"))}
    return names


def copy_rows(con: Any, name: str, keys: set[str]) -> None:
    kinds = {row[0]: row[1] for row in con.execute(f"DESCRIBE {qualified(name)}").fetchall()}
    other = [
        f"{quoted(c)} || '~' || n AS {quoted(c)}"
        for c, kind in kinds.items()
        if c in keys and kind == "VARCHAR"
    ]
    if "_line" in kinds:  # both halves of a row know each other by it
        other.append("_line + n * 100000000 AS _line")
    replaced = f" REPLACE ({', '.join(other)})" if other else ""
    con.execute(
        f"INSERT INTO {qualified(name)} SELECT * EXCLUDE (n){replaced} FROM {qualified(name)}, temp.copies"
    )


def inflate_hub(run: Run, times: int) -> None:
    """The same people again in the hub's database."""
    engine = create_engine(run.home.hub_url)
    with closing(engine.raw_connection()) as hub:
        con = hub.cursor()
        con.execute("PRAGMA foreign_keys = OFF")
        numbers = f"WITH RECURSIVE copies(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copies WHERE n < {times - 1})"
        for table, keys in (
            ("hub_person", ("child_id", "replaced_by")),
            ("hub_membership", ("child_id", "record_key")),
        ):
            columns = [row[1] for row in con.execute(f"PRAGMA table_info({table})")]
            columns = [c for c in columns if c != "membership_id"]
            values = [f"t.{c} || '~' || n" if c in keys else f"t.{c}" for c in columns]
            con.execute(
                f"INSERT INTO {table} ({', '.join(columns)})"
                f" {numbers} SELECT {', '.join(values)} FROM {table} AS t, copies"
            )
        hub.commit()
    engine.dispose()


def build(run: Run) -> Project:
    """Everything that a run makes of the stored rows but links and membership."""
    grants = policy.grants(run)
    with connect(run.home) as con:
        reference.store_feed_state(con, run, grants)
        in_force = feeds_in_force(run, grants)
        assemble(con, in_force, allow_test_numbers=run.partnership.is_synthetic)
    return homes.build(run, Project.of(run))


def main() -> int:
    ask = argparse.ArgumentParser()
    ask.add_argument("home", type=Path)
    ask.add_argument("landing", type=Path)
    ask.add_argument("--only", default="")
    ask.add_argument("--children", type=int, default=0)
    ask.add_argument("--skip-each", action="store_true")
    given = ask.parse_args()
    home, landing = given.home.resolve(), given.landing.resolve()
    os.environ["FFP_HOME"] = str(home)
    known = sorted(current_lock(run_at(home, landing)).data["agreements"])
    chosen = given.only.split(",") if given.only else known
    results: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    fine = True
    if not given.skip_each:
        before = {one["agreement"]: one for one in results.get("each", ())}
        for found in each(home, landing, chosen):
            print(json.dumps(found), flush=True)
            before[found["agreement"]] = found
            results["each"] = [before[name] for name in sorted(before)]
            RESULTS.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
            fine &= found["holds"]
    if given.children:
        results["scale"] = []
        for found in scale(home, landing, given.children):
            print(json.dumps(found), flush=True)
            results["scale"].append(found)
            fine &= found["holds"] and found["proof_seconds"] <= MOST_SECONDS
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
