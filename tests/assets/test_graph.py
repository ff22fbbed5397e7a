"""The asset graph has the shape that people rely on, and what starts it by itself does so for a reason."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from assets.automation import landing_folder
from assets.definitions import defs
from assets.resources import HubResource
from ffp_data.feeds import load_contracts

pytestmark = pytest.mark.slow  # importing the graph parses the dbt project

FEEDS = set(load_contracts())


@pytest.fixture(scope="module")
def graph() -> dg.AssetGraph:
    return defs.resolve_asset_graph()


def _key(text: str) -> dg.AssetKey:
    return dg.AssetKey(text.split("/"))


def test_there_is_one_asset_for_each_feed_and_none_loads_before_the_agreements(
    graph: dg.AssetGraph,
) -> None:
    feeds = {key for key in graph.get_all_asset_keys() if key.path[0] == "raw"}
    assert {key.path[1] for key in feeds} == FEEDS
    assert all(graph.get(key).parent_keys == {_key("policy/lock")} for key in feeds)


@pytest.mark.parametrize(
    "output", ["out/cin", "out/tehadc", "out/single_view_extracts", "out/early_warning_lists"]
)
def test_every_output_descends_from_every_feed_the_hub_and_the_agreements(
    graph: dg.AssetGraph, output: str
) -> None:
    ancestors = _ancestors(graph, _key(output))
    assert {_key(f"raw/{feed}") for feed in FEEDS} <= ancestors
    assert {_key("policy/lock"), _key("identity/child_membership")} <= ancestors


def test_nothing_flows_back_from_an_output_but_into_the_documents_about_it(
    graph: dg.AssetGraph,
) -> None:
    outputs = [key for key in graph.get_all_asset_keys() if key.path[0] == "out"]
    assert len(outputs) == 6
    documents = _key("out/governance")
    assert all(graph.get(key).child_keys == {documents} - {key} for key in outputs)


def test_the_checks_that_guard_the_way_are_there(graph: dg.AssetGraph) -> None:
    names = {(key.asset_key.to_user_string(), key.name) for key in graph.asset_check_keys}
    for feed in FEEDS:
        for check in ("agreement_in_force", "contract_holds", "counts_reconcile"):
            assert (f"raw/{feed}", check) in names
    for expected in (
        ("policy/lock", "agreements_hold"),
        ("policy/lock", "models_permitted"),
        ("identity/links", "no_linkage_drift"),
        ("identity/child_membership", "every_record_has_one_identifier"),
        ("out/cin", "validation_has_no_errors"),
    ):
        assert expected in names
    assert sum(asset.startswith(("single_view/", "returns/")) for asset, _ in names) > 30


def test_a_new_file_in_the_landing_folder_starts_one_run(tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    (landing / "early_help").mkdir(parents=True)
    hub = HubResource(home=str(tmp_path / "home"), landing=str(landing), as_at="2026-03-31")

    def look(cursor: str | None) -> dg.SensorResult:
        with dg.build_sensor_context(cursor=cursor, resources={"hub": hub}) as context:
            result = landing_folder(context)
        assert isinstance(result, dg.SensorResult)
        return result

    assert not look(None).run_requests
    (landing / "early_help" / "eh_plans_20260401.csv").write_text("plan_id\n", "utf-8")
    first = look(None)
    assert first.run_requests
    assert len(first.run_requests) == 1
    assert not look(first.cursor).run_requests
    (landing / "early_help" / "eh_plans_20260402.csv").write_text("plan_id\n", "utf-8")
    assert look(first.cursor).run_requests


def _ancestors(graph: dg.AssetGraph, key: dg.AssetKey) -> set[dg.AssetKey]:
    found: set[dg.AssetKey] = set()
    waiting = [key]
    while waiting:
        parents = graph.get(waiting.pop()).parent_keys - found
        found |= parents
        waiting += parents
    return found
