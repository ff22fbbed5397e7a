"""What Dagster's pages show of the dbt project, and what happens when only a part of it is built."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from assets.dbt import dbt_models
from assets.resources import HubResource
from ffp_data.settings import Home
from ffp_data.warehouse import connect
from tests.end_to_end.commands import Demo

pytestmark = pytest.mark.slow
ATTENDANCE = dg.AssetKey(["single_view", "attendance"])
NOT_NULL = dg.AssetCheckKey(ATTENDANCE, "not_null_attendance_child_id")


@pytest.fixture
def home(demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A copy of the demonstration's state, to build on."""
    shutil.copytree(demo.home, tmp_path / "home")
    monkeypatch.setenv("FFP_LANDING", str(demo.landing))
    return Home.at(tmp_path / "home")


@pytest.fixture
def history(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """What Dagster's pages read of the demonstration."""
    monkeypatch.setenv("DAGSTER_HOME", str(demo.home / "dagster"))
    with dg.DagsterInstance.get() as instance:
        yield instance


def _build(home: Home, selection: dg.AssetSelection) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        [dbt_models],
        selection=selection,
        resources={"hub": HubResource(home=str(home.root))},
        raise_on_error=False,
    )


def test_every_model_shows_its_columns_and_where_they_come_from_and_every_table_its_rows(
    history: dg.DagsterInstance,
) -> None:
    events = {key: history.get_latest_materialization_event(key) for key in dbt_models.keys}
    shown = {key: event.asset_materialization for key, event in events.items() if event}
    assert set(shown) == set(dbt_models.keys)
    for key, asset in shown.items():
        assert asset is not None
        kind = asset.metadata["unique_id"].value
        schema = asset.metadata["dagster/column_schema"].value
        assert schema.columns, key
        assert ("dagster/row_count" in asset.metadata) is (
            key.path[0] != "staging" or "seed" in kind
        )
        if "seed" not in kind:
            lineage = asset.metadata["dagster/column_lineage"].value.deps_by_column
            assert set(lineage) == {column.name for column in schema.columns}, key
            reads = dbt_models.asset_deps[key]  # a model of the run's own days reads nothing
            assert any(lineage.values()) is bool(reads), key


def test_lineage_leads_from_the_single_view_back_to_the_feed(history: dg.DagsterInstance) -> None:
    def parents(key: dg.AssetKey, column: str) -> set[tuple[dg.AssetKey, str]]:
        event = history.get_latest_materialization_event(key)
        asset = event.asset_materialization if event else None
        if asset is None or "dagster/column_lineage" not in asset.metadata:
            return set()  # a feed or a code list: values begin there
        shown = asset.metadata["dagster/column_lineage"].value.deps_by_column
        return {(source.asset_key, source.column_name) for source in shown.get(column, ())}

    reached = waiting = {(ATTENDANCE, "last_session_date")}
    while waiting:
        waiting = {found for each in waiting for found in parents(*each)} - reached
        reached |= waiting
    assert (dg.AssetKey(["raw", "education_attendance"]), "session_date") in reached


def test_one_model_can_be_built_by_itself_with_its_own_checks(home: Home) -> None:
    with connect(home) as con:
        con.execute("DELETE FROM single_view.attendance")
        con.execute("DELETE FROM single_view.chronology")
    result = _build(home, dg.AssetSelection.assets(ATTENDANCE))
    assert result.success
    built = [event.asset_key for event in result.all_events if event.is_step_materialization]
    assert built == [ATTENDANCE]
    checked = result.get_asset_check_evaluations()
    assert {check.asset_key for check in checked} == {ATTENDANCE}
    assert all(check.passed for check in checked)
    with connect(home, read_only=True) as con:
        rows = con.execute(
            "SELECT (FROM single_view.attendance SELECT count(*)), (FROM single_view.chronology SELECT count(*))"
        ).fetchone()
    assert rows is not None
    assert rows[0] > 0
    assert rows[1] == 0, "what was not picked is left alone"


def test_a_failed_test_fails_its_check_and_the_step_and_is_named(home: Home) -> None:
    with connect(home) as con:
        con.execute("UPDATE single_view.attendance SET child_id = NULL")
    result = _build(home, dg.AssetSelection.checks(NOT_NULL))
    assert not result.success
    (check,) = result.get_asset_check_evaluations()
    assert (check.check_name, check.passed) == (NOT_NULL.name, False)
    (failed,) = [event for event in result.all_events if event.is_step_failure]
    assert NOT_NULL.name in str(failed.step_failure_data.error)
