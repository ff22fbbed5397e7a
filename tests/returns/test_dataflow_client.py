"""The way to DfE: what is tried again, what is not, and what is never said."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ffp_data.https import Patience, SettingsError
from ffp_data.returns.dataflow.client import Accepted, Access, Client, GaveUp, Refused
from tests.returns.dataflow_server import (
    PATH,
    RECEIPT,
    SECRET,
    SUPPLIER_KEY,
    Department,
    Fault,
    department,
)

CHILD = {"la_child_id": "1", "purge": False, "child_details": {"surname": "O'Brien"}}
QUICK = Patience(tries=4, first_wait=5, longest_wait=12, timeout=3)


@pytest.fixture
def dfe(monkeypatch: pytest.MonkeyPatch) -> Iterator[Department]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with department() as running:
        yield running


class Clock:
    """Waits without waiting."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.waits.append(seconds)


def client(dfe: Department, clock: Clock) -> Client:
    return Client(dfe.access, PATH, clock, QUICK)


def test_a_batch_goes_with_token_and_supplier_key_and_comes_back_with_receipts(
    dfe: Department,
) -> None:
    clock = Clock()
    way = client(dfe, clock)
    children = [CHILD, {**CHILD, "la_child_id": "2"}]
    assert way.post(children) == Accepted((RECEIPT.format(1), RECEIPT.format(2)))
    assert way.post([CHILD]) == Accepted((RECEIPT.format(3),))
    assert dfe.batches[0] == children
    assert (dfe.tokens, clock.waits) == (1, [])


@pytest.mark.parametrize("fault", [401, 403, 429, 500, 502, 503, 504, "drop", "hang"])
def test_what_may_pass_is_tried_again(dfe: Department, fault: Fault) -> None:
    dfe.faults = [fault]
    clock = Clock()
    assert isinstance(client(dfe, clock).post([CHILD]), Accepted)
    assert clock.waits == [5]
    assert dfe.tokens == (2 if fault == 401 else 1)


def test_a_token_that_lost_its_force_is_replaced(dfe: Department) -> None:
    way = client(dfe, Clock())
    way.post([CHILD])
    dfe.valid_from = 2
    assert isinstance(way.post([CHILD]), Accepted)
    assert dfe.tokens == 2


def test_after_every_try_it_gives_up_and_says_why(dfe: Department) -> None:
    dfe.faults = [503, "drop", 429, 503, 503]
    clock = Clock()
    assert client(dfe, clock).post([CHILD]) == GaveUp("HTTP 503 after 4 tries")
    assert clock.waits == [5, 10, 12]
    assert (dfe.requests, dfe.taken) == (4, 0)


@pytest.mark.parametrize(("asked", "waited"), [("7", 7), ("2", 5), ("600", 12), ("soon", 5)])
def test_it_waits_as_long_as_it_is_asked_to_within_its_limit(
    dfe: Department, asked: str, waited: float
) -> None:
    dfe.faults, dfe.retry_after = [429], asked
    clock = Clock()
    client(dfe, clock).post([CHILD])
    assert clock.waits == [waited]


@pytest.mark.parametrize("status", [204, 400, 404, 413, 422])
def test_an_answer_that_will_not_change_is_not_asked_for_again(
    dfe: Department, status: int
) -> None:
    dfe.faults = [status]
    clock = Clock()
    assert client(dfe, clock).post([CHILD]) == Refused(status, f"HTTP {status}")
    assert (dfe.requests, clock.waits) == (1, [])


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(dfe: Department, status: int) -> None:
    dfe.faults = [status]
    assert client(dfe, Clock()).post([CHILD]) == Refused(status, f"HTTP {status}")
    assert dfe.elsewhere == 0


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("garbage", "the answer is no list of receipts"), ("short", "0 receipts for 1 children")],
)
def test_an_answer_that_proves_nothing_is_no_receipt(
    dfe: Department, fault: Fault, reason: str
) -> None:
    dfe.faults = [fault]
    assert client(dfe, Clock()).post([CHILD]) == Refused(200, reason)


def test_the_token_is_asked_for_with_the_same_patience(dfe: Department) -> None:
    dfe.token_faults = [500, "drop", "garbage"]
    clock = Clock()
    assert isinstance(client(dfe, clock).post([CHILD]), Accepted)
    assert clock.waits == [5, 10, 12]
    dfe.token_faults = [401] * 4
    assert client(dfe, Clock()).post([CHILD]) == GaveUp("token endpoint: HTTP 401 after 4 tries")


def test_no_secret_is_ever_shown(dfe: Department) -> None:
    assert SECRET not in repr(dfe.access)
    assert SUPPLIER_KEY not in repr(dfe.access)


def test_what_the_environment_lacks_is_named_and_only_https_will_do(dfe: Department) -> None:
    lacking = {k: v for k, v in dfe.environment.items() if not k.endswith(("SCOPE", "KEY"))}
    with pytest.raises(SettingsError, match="FFP_DATAFLOW_SCOPE, FFP_DATAFLOW_SUPPLIER_KEY"):
        Access.from_environment(lacking)
    for url in ("http://api.example", "file:///etc/passwd", "http://127.0.0.1.example"):
        with pytest.raises(SettingsError, match="FFP_DATAFLOW_ENDPOINT must begin with https"):
            Access.from_environment({**dfe.environment, "FFP_DATAFLOW_ENDPOINT": url})
