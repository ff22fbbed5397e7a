"""A late feed is told once when it becomes late and once when it is back."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from ffp_data import feeds
from ffp_data.feeds import Freshness
from ffp_data.home.run import Run
from ffp_data.pipeline.lateness import tell_changes
from ffp_data.warehouse import connect

LAST = datetime.fromisoformat("2026-03-01T03:00:00")


def a_state(feed: str, *, is_late: bool) -> Freshness:
    late_from = LAST + timedelta(days=10)
    return Freshness(feed, LAST, late_from, "late" if is_late else "fresh")


class Hub:
    """A home on which runs follow each other."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def run(self, day: str, **late: bool) -> list[tuple[str, str]]:
        """One run's look at the feeds; the alerts that it added, by kind and feed."""
        run = Run.at(run_id=day, home=self.home, as_at=date.fromisoformat(day))
        before = len(self.alerts())
        with connect(run.home) as con:
            tell_changes(
                con, run, [a_state(feed, is_late=is_late) for feed, is_late in late.items()]
            )
        assert run.ledger.verify() == []
        assert len(list(run.ledger.events())) == len(self.alerts())
        return self.alerts()[before:]

    def alerts(self) -> list[tuple[str, str]]:
        path = self.home / "alerts.jsonl"
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        return [(alert["kind"], alert["feed"]) for alert in map(json.loads, lines)]


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return Hub(tmp_path / "home")


def test_three_runs_of_a_late_feed_tell_once_and_its_return_once(hub: Hub) -> None:
    assert hub.run("2026-03-11", probation=False, police=False) == []
    assert hub.run("2026-03-12", probation=True, police=False) == [("feed_late", "probation")]
    assert hub.run("2026-03-13", probation=True, police=False) == []
    assert hub.run("2026-03-14", probation=False, police=False) == [("feed_recovered", "probation")]
    assert hub.run("2026-03-15", probation=False, police=False) == []


def test_a_second_lateness_is_told_again(hub: Hub) -> None:
    hub.run("2026-03-12", probation=True)
    hub.run("2026-03-13", probation=False)
    assert hub.run("2026-03-14", probation=True) == [("feed_late", "probation")]


def test_a_run_for_a_past_day_tells_nothing_and_forgets_nothing(hub: Hub) -> None:
    hub.run("2026-03-12", probation=True)
    assert hub.run("2026-03-02", probation=False) == []
    assert hub.run("2026-03-13", probation=True) == []


def test_a_withdrawn_agreement_is_no_recovery(hub: Hub) -> None:
    hub.run("2026-03-12", probation=True, police=False)
    assert hub.run("2026-03-13", police=False) == []
    assert hub.run("2026-03-14", probation=True, police=False) == [("feed_late", "probation")]


@pytest.mark.parametrize(
    ("as_at", "state"),
    [
        ("2026-03-01", "fresh"),
        ("2026-03-07", "fresh"),
        ("2026-03-08", "due"),
        ("2026-03-11", "late"),
    ],
)
def test_a_feed_is_due_after_its_promise_and_late_after_its_grace(
    tmp_path: Path, as_at: str, state: str
) -> None:
    contract = feeds.load_contracts()["health_csv"]  # every 7 days, late after 10
    assert (contract.hub.promise.every, contract.hub.promise.late_after) == ("P7D", "P10D")
    run = Run.at(run_id="r1", home=tmp_path / "home")
    with connect(run.home) as con:
        feeds.create_empty_raw_tables(con, {contract.id: contract})
        con.execute(
            "INSERT INTO meta.deliveries BY NAME SELECT 'd' AS delivery_id, 'health_csv' AS feed,"
            " 'f' AS file_name, 1 AS received_seq, ?::TIMESTAMP AS delivered_at, 0 AS rows_delivered,"
            " 0 AS rows_loaded, 0 AS rows_quarantined, 0 AS rows_superseded, 'loaded' AS status,"
            " 0 AS columns_dropped",
            [LAST],
        )
        (found,) = feeds.freshness(con, {contract.id: contract}, date.fromisoformat(as_at))
    assert found.state == state
