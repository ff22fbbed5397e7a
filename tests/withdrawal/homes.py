"""A small home on which agreements can be withdrawn: the steps of a run, without Dagster and the outputs.

Models are built by the SQL that dbt compiled, so that a test may plant a leak in one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.marts.transform import build_vars
from ffp_data.pipeline import identify, ingest, reference
from ffp_data.rights import stored
from ffp_data.settings import Home, make_demonstration
from ffp_data.synthetic import synthesise
from ffp_data.warehouse import connect
from ffp_data.withdrawal.apply import end_agreement
from ffp_data.withdrawal.scratch import Project
from tests import compiled as compiled_models
from tests.compiled import compiled, load_code_lists

AS_AT = date(2026, 3, 31)
POLICE = "DSA-POL-01"


@dataclass(frozen=True)
class Place:
    """A home and where its deliveries lie."""

    root: Path
    landing: Path

    def at(self, run_id: str) -> Run:
        return Run.at(run_id=run_id, home=self.root, landing=self.landing, as_at=AS_AT)

    def query(self, sql: str) -> list[tuple[object, ...]]:
        with connect(Home(self.root), read_only=True) as con:
            return con.execute(sql).fetchall()

    def write(self, *statements: str) -> None:
        with connect(Home(self.root)) as con:
            for sql in statements:
                con.execute(sql)


def make(folder: Path, children: int = 30) -> tuple[Place, Project]:
    """A made-up partnership, delivered and run once."""
    synthesise(folder / "partnership", children=children, seed=7, as_at=AS_AT, progress=print)
    place = Place(folder / "home", folder / "partnership" / "landing")
    make_demonstration(Home(place.root).prepare())
    policy.start_policy(Home(place.root))
    return place, next_run(place, "first")


def next_run(place: Place, run_id: str) -> Project:
    """All that a run does before anything leaves."""
    run = place.at(run_id)
    return build(run, steps(run))


def steps(run: Run) -> Project:
    """All that a run does before the models; gives them, compiled."""
    assert policy.compile_lock(run).problems == []
    for contract in run.contracts.values():
        ingest.ingest_feed(run, contract)
    reference.write_bank_holidays(run)
    reference.write_feed_state(run)
    reference.write_declared_facts(run)
    identify.assemble(run)
    identify.link_records(run)
    identify.assign_identifiers(run)
    stored.write(run)
    project, asked = compiled(build_vars(run))
    if run.run_id == "first":
        with connect(run.home) as con:
            load_code_lists(con, asked)
    return project


def build(run: Run, project: Project) -> Project:
    """Every model in the warehouse of the home, in place of dbt."""
    with connect(run.home) as con:
        compiled_models.build(con, project.in_order)
    return project


def end(place: Place, status: str, agreement: str = POLICE) -> None:
    end_agreement(place.at("end"), agreement, status, "an officer", "the agency left")


def leaky(project: Project, changes: Mapping[str, str]) -> Project:
    """The project with the SQL of some models replaced; `{sql}` stands for what it was."""
    models = [
        replace(m, sql=changes[m.name].format(sql=m.sql)) if m.name in changes else m
        for m in project.models
    ]
    return Project(models)
