"""A restricted child is in no file and no count of the recipient; safeguarding may override, with a reason."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.hub.orders import OrderError
from ffp_data.rights import restriction
from ffp_data.rights.orders import Kind, Orders, Said
from governance.manifest import read_manifest
from tests.rights.small import AS_AT, NORTH, NORTH_FOR, extracts, ids, names_given

WHY = Said("d.officer", "the accuracy is disputed")


def restrict(
    orders: Orders,
    run: Run,
    child: str,
    purpose: str = NORTH_FOR,
    recipient: str | None = NORTH,
    kind: Kind = Kind.RESTRICTION,
    said: Said = WHY,
) -> int:
    return restriction.restrict(
        orders, kind, child, said, purpose=purpose, recipient=recipient,
        purposes=policy.grants(run).purposes, complaint="C-17",
    )  # fmt: skip


def folder(run: Run) -> Path:
    return run.home.out / "extracts" / NORTH / AS_AT.isoformat()


@pytest.mark.control("C05")
@pytest.mark.parametrize(
    ("kind", "purpose", "recipient"),
    [
        (Kind.RESTRICTION, NORTH_FOR, NORTH),
        (Kind.OBJECTION, "single_view", None),
        (Kind.OBJECTION, "single_view.family_help.one_plan", NORTH),
    ],
)
def test_a_restricted_child_is_absent_from_every_file_and_count_until_it_is_lifted(
    run: Run, orders: Orders, kind: Kind, purpose: str, recipient: str | None
) -> None:
    purposes = {**policy.grants(run).purposes, "single_view.family_help.one_plan": {}}
    number = restriction.restrict(
        orders, kind, ids(run)["ann"], WHY, purpose=purpose, recipient=recipient, purposes=purposes
    )
    rows = extracts(run).by_recipient[NORTH].rows
    assert rows == {f"single_view.{t}": 2 for t in ("children", "involvements", "flags")}
    assert names_given(run) == ["bob", "cat"]
    told = read_manifest(folder(run), run.keys.trusted)
    assert {table["rows"] for table in told["tables"]} == {2}
    orders.lift(number, [kind], WHY)
    extracts(run)
    assert names_given(run) == ["ann", "bob", "cat"]


@pytest.mark.control("C05")
def test_a_restriction_of_another_recipient_or_purpose_changes_nothing(
    run: Run, orders: Orders
) -> None:
    restrict(orders, run, ids(run)["ann"], recipient="ofsted")
    restrict(orders, run, ids(run)["ann"], purpose="identity_matching")
    over = Said("d.officer", "only last year", date(2025, 12, 31))
    restrict(orders, run, ids(run)["ann"], said=over)
    extracts(run)
    assert names_given(run) == ["ann", "bob", "cat"]


@pytest.mark.control("C05")
def test_a_safeguarding_purpose_overrides_with_a_reason_and_the_ledger_has_it(
    run: Run, orders: Orders
) -> None:
    purposes = policy.grants(run).purposes
    number = restrict(orders, run, ids(run)["ann"])
    for purpose, reason in (("identity_matching", "risk"), (NORTH_FOR, " ")):
        with pytest.raises(OrderError):
            restriction.override(
                orders, number, Said("s.worker", reason), purpose=purpose, recipient=NORTH,
                purposes=purposes,
            )  # fmt: skip
    extracts(run)
    assert names_given(run) == ["bob", "cat"]
    given = restriction.override(
        orders, number, Said("s.worker", "risk in the home"), purpose=NORTH_FOR, recipient=NORTH,
        purposes=purposes,
    )  # fmt: skip
    extracts(run)
    assert names_given(run) == ["ann", "bob", "cat"]
    (event,) = [e["facts"] for e in run.ledger.events() if e["kind"] == "override_ordered"]
    assert (event["number"], event["of"], event["recipient"]) == (given, number, NORTH)
    restrict(orders, run, ids(run)["ann"])
    extracts(run)
    assert names_given(run) == ["bob", "cat"], "an override is of what stood when it was given"


@pytest.mark.control("C05")
def test_what_the_law_requires_cannot_be_objected_to(run: Run, orders: Orders) -> None:
    with pytest.raises(OrderError, match="a return is made whole"):
        restrict(orders, run, ids(run)["ann"], purpose="statutory_returns.cin_census")
    with pytest.raises(OrderError, match="no such purpose"):
        restrict(orders, run, ids(run)["ann"], purpose="marketing")


@pytest.mark.control("C08")
def test_the_reference_of_a_complaint_stands_with_the_order_and_in_the_ledger(
    run: Run, orders: Orders
) -> None:
    number = restrict(orders, run, ids(run)["ann"], kind=Kind.OBJECTION)
    (event,) = [e["facts"] for e in run.ledger.events() if e["kind"] == "objection_ordered"]
    assert (event["number"], event["complaint"]) == (number, "C-17")
    assert event["subject"] == orders.subjects.reference(ids(run)["ann"])


@pytest.mark.control("B01")
def test_numbers_that_name_a_child_are_left_out_for_the_recipient_they_would_harm_with(
    run: Run, orders: Orders
) -> None:
    restriction.leave_out(orders, ids(run)["ann"], WHY, recipient=NORTH)
    restriction.leave_out(orders, ids(run)["bob"], WHY, recipient="ofsted")
    extracts(run)
    table = pq.read_table(folder(run) / "children.parquet").to_pylist()
    by_name = {row["given_name"]: row for row in table}
    assert (by_name["ann"]["nhs_number"], by_name["ann"]["upn"]) == (None, None)
    assert by_name["ann"]["date_of_birth"] is not None
    assert by_name["bob"]["nhs_number"] == "9990000018"
