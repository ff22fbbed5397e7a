"""The history of runs is Dagster's own in every respect but speed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage

from assets.history import OPEN_FILES, RunHistory
from tests.waiting import PATIENCE

pytestmark = pytest.mark.slow  # imports Dagster

PACKAGED = Path(__file__).parents[2] / "assets" / "dagster.yaml"


@dg.asset(check_specs=[dg.AssetCheckSpec("holds", asset="thing")])
def thing() -> dg.MaterializeResult:
    return dg.MaterializeResult(
        metadata={"rows": 3}, check_results=[dg.AssetCheckResult(passed=True)]
    )


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "dagster.yaml").write_text(PACKAGED.read_text("utf-8"), "utf-8")
    with dg.DagsterInstance.get() as made:
        yield made


def _runs(instance: dg.DagsterInstance) -> RunHistory:
    storage = instance.event_log_storage
    assert isinstance(storage, RunHistory)
    return storage


def test_dagsters_own_storage_reads_what_was_written(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    run = dg.materialize([thing], instance=instance)
    plain = SqliteEventLogStorage(str(tmp_path / "history" / "runs"))
    assert plain.get_all_run_ids() == [run.run_id]
    told = [each.dagster_event_type for each in plain.get_logs_for_run(run.run_id)]
    assert told == [each.dagster_event_type for each in instance.all_logs(run.run_id)]
    assert dg.DagsterEventType.ASSET_MATERIALIZATION in told
    assert plain.get_latest_materialization_events([thing.key])[thing.key] is not None


def test_what_the_daemon_tells_outside_a_run_is_kept(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    instance.report_runless_asset_event(dg.AssetMaterialization(thing.key))
    plain = SqliteEventLogStorage(str(tmp_path / "history" / "runs"))
    assert plain.get_latest_materialization_events([thing.key])[thing.key] is not None
    assert plain.get_all_run_ids() == []


def test_only_a_few_files_stay_open_and_a_closed_one_opens_again(
    instance: dg.DagsterInstance,
) -> None:
    runs = [dg.materialize([thing], instance=instance).run_id for _ in range(OPEN_FILES + 1)]
    assert len(_runs(instance)._engines) <= OPEN_FILES
    lengths = [len(instance.all_logs(run)) for run in runs]
    assert lengths[0] > 0
    assert len(set(lengths)) == 1


def test_a_page_that_follows_a_run_hears_of_each_event(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    run_id = dg.materialize([thing], instance=instance).run_id
    heard, arrived = [], threading.Event()

    def listen(entry: dg.EventLogEntry, _cursor: str) -> None:
        heard.append(entry.get_dagster_event().message)
        arrived.set()

    page = RunHistory(str(tmp_path / "history" / "runs"))  # as in the process of the web server
    seen = page.get_records_for_run(run_id).cursor
    page.watch(run_id, seen, listen)
    try:
        run = instance.get_run_by_id(run_id)
        assert run is not None
        instance.report_engine_event("still here", run)
        assert arrived.wait(PATIENCE)
    finally:
        page.dispose()
    assert heard == ["still here"]


def test_after_the_history_is_wiped_a_new_one_begins(instance: dg.DagsterInstance) -> None:
    dg.materialize([thing], instance=instance)
    _runs(instance).wipe()
    assert instance.get_latest_materialization_event(thing.key) is None
    dg.materialize([thing], instance=instance)
    assert instance.get_latest_materialization_event(thing.key) is not None
