"""A shielded child's place is read with a reason, for minutes, by one person, while somebody else is told."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from ffp_data.access import Access, os_user
from ffp_data.home.run import Run
from ffp_data.hub.orders import OrderError
from ffp_data.rights.break_glass import Broken, break_glass, places
from ffp_data.rights.orders import Kind, Orders, Said
from ffp_data.rights.shield import shield
from governance.access import AccessDeniedError
from tests.rights.small import ids

pytestmark = pytest.mark.control("B10")
NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)


def broken(orders: Orders, child: str, **others: object) -> Broken:
    about = {"reason": "police at the door", "tell": "t.manager", "minutes": 15} | others
    return break_glass(orders, Access(orders.home), child, clock=lambda: NOON, **about)  # type: ignore[arg-type]


def test_it_holds_for_minutes_and_each_read_is_in_the_ledger(run: Run, orders: Orders) -> None:
    child = ids(run)["ann"]
    shield(orders, child, Said("s.worker", "why"))
    access = Access(run.home)
    with pytest.raises(OrderError, match="no glass is broken"):
        places(orders, access, child, clock=lambda: NOON)
    opened = broken(orders, child)
    assert opened.expires_at == NOON + timedelta(minutes=15)
    last = NOON + timedelta(minutes=14, seconds=59)
    found = places(orders, access, child, clock=lambda: last)
    assert {row["postcode"] for row in found} == {"XF1 2AB"}
    with pytest.raises(OrderError, match="no glass is broken"):
        places(orders, access, child, clock=lambda: opened.expires_at)
    with pytest.raises(OrderError, match="no glass is broken"):
        places(orders, access, ids(run)["bob"], clock=lambda: NOON)
    reads = [e["facts"] for e in run.ledger.events() if e["kind"] == "read"]
    assert [r["reason"] for r in reads] == [f"break-glass {opened.number}"]
    assert reads[0]["subjects"] == [orders.subjects.reference(child)]
    assert "XF1 2AB" not in str(list(run.ledger.events()))


def test_it_takes_a_reason_somebody_else_and_a_short_time(run: Run, orders: Orders) -> None:
    child = ids(run)["ann"]
    for others in (
        {"reason": " "},
        {"tell": " "},
        {"tell": os_user()},
        {"minutes": 0},
        {"minutes": 61},
    ):
        with pytest.raises(OrderError):
            broken(orders, child, **others)
    assert orders.listed(Kind.BREAK_GLASS) == []


def test_the_second_person_is_told_without_whom_it_is_about(run: Run, orders: Orders) -> None:
    child = ids(run)["ann"]
    opened = broken(orders, child)
    (alert,) = (run.home.root / "alerts.jsonl").read_text("utf-8").splitlines()
    told = json.loads(alert)
    assert (told["kind"], told["tell"], told["number"]) == (
        "glass_broken",
        "t.manager",
        opened.number,
    )
    assert child not in alert
    (event,) = [e["facts"] for e in run.ledger.events() if e["kind"] == "second_person_told"]
    assert (event["told"], event["who"]) == ("t.manager", os_user())


def test_a_role_without_the_right_may_not(run: Run, orders: Orders) -> None:
    run.home.access_file.write_text(f"users:\n  {os_user()}: [reviewer]\n")
    with pytest.raises(AccessDeniedError):
        broken(orders, ids(run)["ann"])
    kinds = [event["kind"] for event in run.ledger.events()]
    assert "access_refused" in kinds
