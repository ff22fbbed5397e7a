"""Static lineage contains what moves when stored values change; and a hole in it is found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from ffp_data import feeds
from ffp_data.home.run import Run
from ffp_data.lineage.columns import ColumnLineage, packaged
from ffp_data.lineage.graph import MANIFEST, Graph, Step
from ffp_data.lineage.perturb import Bench, bench_of, grouped, stored_columns, try_all
from ffp_data.lineage.values import Source
from ffp_data.marts.build_gate import Project, project
from ffp_data.marts.transform import current_manifest, dbt_vars
from ffp_data.paths import DBT_PROJECT
from ffp_data.settings import Home
from tests.dbt_project import partnership
from tests.dbt_project.warehouse import Warehouse

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Project:
    place = Home(tmp_path_factory.mktemp("home"))
    run = Run("perturb", place, place.landing, date(2026, 3, 31))
    return project(current_manifest(MANIFEST), dbt_vars(run))


@pytest.fixture(scope="module")
def bench(asked: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder: Path = tmp_path_factory.mktemp("dbt")
    warehouse = Warehouse(folder)
    warehouse.create(partnership.tables())
    with warehouse.connect() as con:
        for table, columns in asked.columns.items():
            if table in asked.seeds:  # the code lists, which dbt would load
                name = ".".join(table)
                listed = ", ".join(f'"{n}" {kind}' for n, kind in columns.items())
                con.execute(f"CREATE SCHEMA IF NOT EXISTS {table[0]}")
                con.execute(f"CREATE TABLE {name} ({listed})")
                seed = DBT_PROJECT / "seeds" / f"{table[1]}.csv"
                con.execute(
                    f"INSERT INTO {name} BY NAME FROM read_csv('{seed}', header = true, all_varchar = true)"
                )
        with bench_of(con, asked, asked.models) as made:
            made.build()
            yield made


@pytest.mark.control("F01")
def test_whatever_moves_was_foretold(bench: Bench, asked: Project) -> None:
    columns = stored_columns(bench, asked)
    report = try_all(bench, packaged(), grouped(columns, groups=8, seed=1))
    assert report.figures()["missed"] == {}
    assert sum(len(trial.moved) for trial in report.trials) > 300


@pytest.mark.control("F01")
@pytest.mark.parametrize(
    ("relation", "column", "moves"),
    [
        ("identity.person_records", "surname", "children.surname"),
        ("raw.case_system__ssd_cp_plans", "cppl_cp_plan_start_date", "flags.facts"),
        ("identity.person_records", "is_restricted", "children.is_restricted"),
    ],
)
def test_one_column_moves_what_rests_on_it_and_nothing_else(
    bench: Bench, relation: str, column: str, moves: str
) -> None:
    (trial,) = try_all(bench, packaged(), [[Source(relation, column)]]).trials
    assert trial.missed == frozenset()
    table, _, name = moves.partition(".")
    assert Source(f"single_view.{table}", name) in trial.moved


def test_a_hole_in_the_lineage_is_found(bench: Bench) -> None:
    whole = packaged()
    steps = dict(whole.graph.steps)
    blind = {name: Step(frozenset(), frozenset()) for name in steps["single_view.children"]}
    graph: Graph = replace(whole.graph, steps={**steps, "single_view.children": blind})
    lineage = ColumnLineage(graph, feeds.load_contracts(feeds.PACKAGED))
    changed = [Source("identity.person_records", "surname")]
    report = try_all(bench, lineage, [changed])
    assert report.recall < 1
    assert Source("single_view.children", "surname") in report.trials[0].missed
