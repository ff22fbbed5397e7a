"""Batches on their way: whole, in part refused, unanswered, cut off, and never recorded twice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from ffp_data.https import Patience
from ffp_data.returns.dataflow import state
from ffp_data.returns.dataflow.client import Client, Outcome
from ffp_data.returns.dataflow.sender import Batch, Sent, send_pending
from tests.returns.dataflow_server import PATH, RECEIPT, Department, department
from tests.returns.dataflow_warehouse import LAYOUT, Council, council

QUICK = Patience(tries=3)


@pytest.fixture
def dfe(monkeypatch: pytest.MonkeyPatch) -> Iterator[Department]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with department() as running:
        yield running


@pytest.fixture
def hub() -> Iterator[Council]:
    with council() as made:
        yield made


def fill(hub: Council, children: int, first: int = 1001) -> list[str]:
    """This many children with payloads to send, put where a build would put them."""
    numbers = [str(number) for number in range(first, first + children)]
    for number in numbers:
        payload = {
            "la_child_id": number,
            "purge": False,
            "child_details": {"surname": "O'Brien", "first_name": 'Zoë "Z" \\ 🙂', "purge": False},
        }
        hub.con.execute(
            f"INSERT INTO {state.SUBMISSIONS} (la_child_id, payload, row_state, submission_status)"
            " VALUES (?, ?, 'New', 'Pending')",
            [number, json.dumps(payload)],
        )
    return numbers


class Told(list[Batch]):
    """What was told of batches."""

    def outcomes(self) -> list[tuple[int, str]]:
        return [(each.children, each.outcome) for each in self]


def send(hub: Council, dfe: Department, told: Told | None = None) -> Sent:
    way = Client(dfe.access, PATH, lambda _: None, QUICK)
    return send_pending(hub.con, LAYOUT, way, (told if told is not None else Told()).append)


def test_children_go_in_batches_of_a_hundred_and_are_held_as_they_are(
    hub: Council, dfe: Department
) -> None:
    numbers, told = fill(hub, 201), Told()
    assert send(hub, dfe, told) == Sent(accepted=201)
    assert [len(batch) for batch in dfe.batches] == [100, 100, 1]
    assert told.outcomes() == [
        (size, outcome) for size in (100, 100, 1) for outcome in ("intended", "accepted")
    ]
    assert dfe.holds == hub.payloads()
    assert list(dfe.holds) == numbers
    assert set(hub.states().values()) == {("New", "Sent")}
    receipts = hub.con.execute(
        f"SELECT la_child_id, receipt FROM {state.SUBMISSIONS} ORDER BY ALL"
    ).fetchall()
    assert receipts == [(each, RECEIPT.format(at)) for at, each in enumerate(numbers, start=1)]
    assert send(hub, dfe) == Sent()


def test_what_dfe_holds_follows_every_change(hub: Council, dfe: Department) -> None:
    for number in ("1001", "1002"):
        key = hub.child(number)
        of = {"record_key": key, "referral_id": hub.referral(number, f"R{number}")}
        hub.add("need_plans", **of, plan_id=f"N@{'d' * 64}", start_date="2025-06-01")
        hub.add("protection_plans", **of, plan_id=f"P@{'d' * 64}", start_date="2025-06-01")

    def settle() -> None:
        hub.build(allow_purges=True)
        send(hub, dfe)
        assert dfe.holds == hub.payloads()

    settle()
    hub.change("need_plans", "end_date = '2025-07-01'")
    hub.con.execute("DELETE FROM staging.stg_case_system__protection_plans")
    settle()
    hub.change("need_plans", "end_date = NULL")
    hub.change("intermediate.int_persons__records", "postcode = NULL")
    settle()
    hub.forget("1001")
    settle()
    assert list(dfe.holds) == ["1002"]
    assert "postcode" not in dfe.holds["1002"]["child_details"]


def test_a_child_that_dfe_refuses_is_found_and_the_others_go(hub: Council, dfe: Department) -> None:
    numbers = fill(hub, 100)
    dfe.refuses = {"1017", "1080"}
    assert send(hub, dfe) == Sent(accepted=98, refused=2)
    assert sorted(dfe.holds) == sorted(set(numbers) - dfe.refuses)
    assert Counter(hub.states().values()) == {("New", "Sent"): 98, ("New", "Error"): 2}
    assert state.errors(hub.con) == [
        {
            "child": child,
            "state": "New",
            "reason": "HTTP 400",
            "answer": f'{{"errors": ["[0] of {child}"]}}',
        }
        for child in ("1017", "1080")
    ]
    assert dfe.requests < 30


def test_a_batch_that_is_too_large_is_halved_until_it_fits(hub: Council, dfe: Department) -> None:
    fill(hub, 100)
    dfe.limit = 30
    assert send(hub, dfe) == Sent(accepted=100)
    assert [len(batch) for batch in dfe.batches] == [25, 25, 25, 25]


@pytest.mark.parametrize("fault", ["lost", "drop", 503])
def test_an_answer_that_is_lost_is_asked_for_again_and_recorded_once(
    hub: Council, dfe: Department, fault: Any
) -> None:
    fill(hub, 3)
    dfe.faults, told = [fault], Told()
    assert send(hub, dfe, told) == Sent(accepted=3)
    assert told.outcomes() == [(3, "intended"), (3, "accepted")]
    assert dfe.holds == hub.payloads()
    assert len(dfe.batches) == (2 if fault == "lost" else 1)


def test_when_nobody_answers_the_rest_stays_pending_and_goes_next_time(
    hub: Council, dfe: Department
) -> None:
    fill(hub, 201)
    dfe.faults, told = [500, 503, 503], Told()
    assert send(hub, dfe, told) == Sent(stopped="HTTP 503 after 3 tries")
    assert told.outcomes() == [(100, "intended"), (100, "unanswered")]
    assert set(hub.states().values()) == {("New", "Pending")}
    assert send(hub, dfe) == Sent(accepted=201)


def test_nobody_answering_while_a_batch_is_halved_stops_it_too(
    hub: Council, dfe: Department
) -> None:
    fill(hub, 4)
    dfe.faults = [400, 503, 503, 503]
    assert send(hub, dfe) == Sent(stopped="HTTP 503 after 3 tries")
    assert (dfe.requests, len(state.pending_children(hub.con))) == (4, 4)


@pytest.mark.parametrize("status", [302, 404, 405])
def test_a_way_that_is_wrong_is_not_tried_with_every_batch(
    hub: Council, dfe: Department, status: int
) -> None:
    fill(hub, 101)
    dfe.faults = [status]
    assert send(hub, dfe) == Sent(refused=100, stopped=f"HTTP {status}")
    assert dfe.requests == 1


@pytest.mark.parametrize("fault", ["garbage", "short"])
def test_without_a_receipt_for_each_child_none_is_recorded_as_sent(
    hub: Council, dfe: Department, fault: str
) -> None:
    fill(hub, 3)
    dfe.faults = [fault]
    assert send(hub, dfe) == Sent(refused=3)
    assert set(hub.states().values()) == {("New", "Error")}


class DyingError(BaseException):
    """The process dies."""


class DiesAfterwards:
    """A way on which the batch arrives and the process dies before it hears of it."""

    def __init__(self, way: Client) -> None:
        self.way = way

    def post(self, children: Sequence[dict[str, Any]]) -> Outcome:
        self.way.post(children)
        raise DyingError


def test_dying_before_the_record_sends_the_same_again_and_records_it_once(
    hub: Council, dfe: Department
) -> None:
    fill(hub, 3)
    way, told = Client(dfe.access, PATH, lambda _: None, QUICK), Told()
    with pytest.raises(DyingError):
        send_pending(hub.con, LAYOUT, DiesAfterwards(way), told.append)
    assert set(hub.states().values()) == {("New", "Pending")}
    assert send(hub, dfe, told) == Sent(accepted=3)
    assert told.outcomes() == [(3, "intended"), (3, "intended"), (3, "accepted")]
    assert len({each.sha256 for each in told}) == 1
    assert dfe.holds == hub.payloads()
