"""An invented town in a home of its own: its records go straight to where feeds would put them."""

from __future__ import annotations

import copy
import shutil
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.linkage import families
from ffp_data.feeds.people import PERSON_COLUMNS
from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.hub import Hub
from ffp_data.pipeline import identify
from ffp_data.pipeline.identify import IdentifierOutcome, LinkOutcome
from ffp_data.settings import Home, make_demonstration
from ffp_data.warehouse import connect

AS_AT = date(2026, 4, 1)
Record = dict[str, Any]


@dataclass
class Town:
    """A home, the records that the next run finds, and the runs so far, each a day later."""

    home: Home
    records: dict[str, Record] = field(default_factory=dict)
    runs: int = 0

    @classmethod
    def make(cls, folder: Path, households: int = 350) -> Town:
        """A town whose first run is done; its model's first fit is live."""
        home = Home(folder).prepare()
        make_demonstration(home)
        people, truth = families.make(households, seed=11)
        town = cls(home, {row["record_key"]: row for row in people.to_pylist()})
        write_truth(folder / "truth", truth)
        policy.compile_lock(town.at())
        town.run()
        return town

    def copy(self, folder: Path) -> Town:
        """The same in another folder, to be changed there."""
        shutil.copytree(self.home.root, folder)
        return Town(Home(folder), copy.deepcopy(self.records), self.runs)

    def at(self, run_id: str = "") -> Run:
        day = date.fromordinal(AS_AT.toordinal() + self.runs)
        return Run.at(run_id=run_id or f"run-{self.runs}", home=self.home.root, as_at=day)

    def deliver(self, *records: Record) -> None:
        """New records, or other words of known ones."""
        for record in records:
            self.records[record["record_key"]] = self.records.get(record["record_key"], {}) | record

    def write_records(self) -> None:
        with connect(self.home) as con:
            declared = ", ".join(f"{name} {kind}" for name, kind in PERSON_COLUMNS.items())
            con.execute(f"CREATE OR REPLACE TABLE identity.person_records ({declared})")
            rows = pa.Table.from_pylist(  # noqa: F841 -- read by name
                [{name: r.get(name) for name in PERSON_COLUMNS} for r in self.records.values()]
            )
            con.execute("INSERT INTO identity.person_records BY NAME SELECT * FROM rows")

    def run(self, run_id: str = "") -> tuple[LinkOutcome, IdentifierOutcome]:
        """One more run, a day later; under another id, one more of the same day."""
        self.runs += not run_id
        self.write_records()
        run = self.at(run_id)
        linked = identify.link_records(run)
        return linked, identify.assign_identifiers(run)

    def ids(self) -> dict[str, str]:
        with Hub.open(self.home.hub_url) as hub:
            table = hub.membership()
        return dict(
            zip(table["record_key"].to_pylist(), table["child_id"].to_pylist(), strict=True)
        )

    def events(self) -> list[dict[str, Any]]:
        return list(self.at().ledger.events())


def write_truth(folder: Path, truth: pa.Table) -> None:
    """The town's truth in the form of a synthetic partnership's."""
    folder.mkdir()
    records, persons = ["record_key,person_id,operators"], {}
    for row in truth.to_pylist():
        records.append(f"{row['record_id']},{row['person_id']},")
        persons[row["person_id"]] = f"{row['person_id']},{row['tradition']},F,2015-01-01"
    (folder / "record_person.csv").write_text("\n".join(records) + "\n", "utf-8")
    (folder / "persons.csv").write_text(
        "\n".join(["person_id,ethnicity,sex,birth_date", *persons.values()]) + "\n", "utf-8"
    )
