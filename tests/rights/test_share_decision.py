"""Sharing about one child takes a recorded decision on a ground that is law; not sharing is one too."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook

from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.hub.orders import OrderError
from ffp_data.releases.publish import publish_extracts
from ffp_data.rights import restriction, share_decision, share_release, stored
from ffp_data.rights.orders import Kind, Orders, Said
from ffp_data.rights.share_decision import Asked
from ffp_data.warehouse import connect
from tests.rights.small import (
    AS_AT,
    CASE,
    NORTH,
    NORTH_FOR,
    POLICE,
    POLICE_FOR,
    extracts,
    ids,
    names_given,
    next_run,
    query,
    regroup,
)

pytestmark = pytest.mark.control("A07")
WHY = Said("s.worker", "a bruise that nobody explains")
RETURNS = ("case_system", "early_help", "education_attendance")


def asked(child: str, **others: Any) -> Asked:
    about = {
        "recipient": POLICE, "purpose": POLICE_FOR, "agreement": CASE, "said": WHY,
        "ground": "CA1989-S47", "facilitates": "the police's part in the enquiry",
    }  # fmt: skip
    return Asked(child, **{**about, **others})


def decide(orders: Orders, run: Run, child: str, **others: Any) -> int:
    return share_decision.share(orders, policy.grants(run), asked(child, **others), run.as_at)


def withhold(orders: Orders, run: Run, child: str, **others: Any) -> int:
    about = asked(child, ground=None, facilitates=None, **others)
    return share_decision.withhold(orders, policy.grants(run), about, run.as_at, RETURNS)


def test_an_agreement_by_case_gives_nothing_in_bulk(run: Run) -> None:
    assert (POLICE, POLICE_FOR) not in policy.grants(run).recipients("single_view")
    refused = policy.grants(run).release(POLICE, POLICE_FOR)
    assert not refused.allowed
    assert "child by child after a recorded decision" in refused.reason
    publish_extracts(run)
    assert not (run.home.out / "extracts" / POLICE).exists()


def test_a_decision_releases_the_rows_of_that_child_alone(run: Run, orders: Orders) -> None:
    child = ids(run)["ann"]
    made = share_release.release(run, child, decide(orders, run, child))
    assert made.rows == {"single_view.children": 1, "single_view.involvements": 1}
    (row,) = pq.read_table(made.directory / "children.parquet").to_pylist()
    assert row["given_name"] == "ann"
    (event,) = [e["facts"] for e in run.ledger.events() if e["kind"] == "case_shared"]
    assert event["manifest"] == made.manifest_sha256
    assert event["subject"] == orders.subjects.reference(child)
    assert child not in str([e for e in run.ledger.events() if "case" in e["kind"]])


def test_it_may_name_fewer_columns_than_the_agreement_and_no_others(
    run: Run, orders: Orders
) -> None:
    child = ids(run)["ann"]
    columns = ("single_view.children.given_name", "single_view.children.date_of_birth")
    made = share_release.release(run, child, decide(orders, run, child, columns=columns))
    table = pq.read_table(made.directory / "children.parquet")
    assert table.column_names == ["given_name", "date_of_birth"]
    with pytest.raises(OrderError, match="does not give that"):
        decide(orders, run, child, columns=("single_view.flags.flag",))


@pytest.mark.parametrize(
    ("others", "why"),
    [
        ({"ground": "CA2004-S16LA"}, "not commenced"),
        ({"ground": "CA2004-S10"}, "rests on CA1989-S47"),
        ({"ground": "CA1899-S1"}, "no such gateway"),
        ({"ground": None}, "no ground"),
        ({"facilitates": " "}, "which function"),
        ({"said": Said("", "why")}, "needs somebody"),
        ({"said": Said("who", "")}, "needs somebody"),
        ({"recipient": "ofsted"}, "not to ofsted"),
        ({"purpose": "single_view"}, "is for single_view.enquiry"),
        ({"agreement": "DSA-FHN-01"}, "gives in bulk"),
        ({"agreement": "DSA-NONE-1"}, "no such agreement"),
    ],
)
def test_a_decision_that_lacks_ground_reason_or_agreement_is_refused_with_words(
    small: Run, others: dict[str, Any], why: str
) -> None:
    with Orders(small.home) as orders:
        with pytest.raises(OrderError, match=why):
            decide(orders, small, ids(small)["ann"], **others)
        assert orders.listed(Kind.SHARE) == []


def test_a_gateway_counts_from_its_day_to_its_end(run: Run, orders: Orders) -> None:
    grants = policy.grants(run)
    gateway = {**grants.gateways["CA1989-S47"], "in_force_from": "2026-04-01"}

    def on(day: str, **dates: Any) -> str | None:
        changed = {"CA1989-S47": {**gateway, **dates}}
        law = type("Law", (), {"gateways": changed, "terms": grants.terms, "case": grants.case})()
        flow = (CASE, POLICE, POLICE_FOR, "CA1989-S47")
        return share_decision.why_not(law, *flow, date.fromisoformat(day))

    assert "comes into force on 2026-04-01" in str(on("2026-03-31"))
    assert on("2026-04-01") is None
    assert "ceased" in str(on("2027-01-01", in_force_to="2027-01-01"))
    assert on("2026-12-31", in_force_to="2027-01-01") is None


def test_a_decision_that_was_withdrawn_or_is_over_releases_nothing(
    run: Run, orders: Orders
) -> None:
    child = ids(run)["ann"]
    number = decide(orders, run, child)
    order = orders.lift(number, [Kind.SHARE], WHY)
    with pytest.raises(OrderError, match="withdrawn"):
        share_release.release(run, child, number)
    assert not share_release.folder_of(run, order).exists()
    over = decide(orders, run, child, said=replace(WHY, until=date(2026, 3, 30)))
    with pytest.raises(OrderError, match="held until"):
        share_release.release(run, child, over)
    with pytest.raises(OrderError, match="another child"):
        share_release.release(run, ids(run)["bob"], decide(orders, run, child))


def test_files_of_a_decision_go_with_it_at_once_or_with_the_next_run(
    run: Run, orders: Orders
) -> None:
    child = ids(run)["ann"]
    first, second = (share_release.release(run, child, decide(orders, run, child)) for _ in "12")
    next_run(run)
    assert first.directory.is_dir(), "a decision that stands keeps its files"
    order = orders.lift(1, [Kind.SHARE], WHY)
    assert share_release.take_back(run, order, "decision 1 was withdrawn")
    assert not first.directory.exists()
    restriction.restrict(
        orders, Kind.RESTRICTION, child, WHY, purpose=POLICE_FOR, recipient=None,
        purposes=policy.grants(run).purposes,
    )  # fmt: skip
    next_run(run)
    assert not second.directory.exists(), "a restriction since then takes them back"


def test_a_child_whose_identifier_was_replaced_is_decided_on_anew(run: Run, orders: Orders) -> None:
    bob = ids(run)["bob"]
    number = decide(orders, run, bob)
    regroup(run, "ann ann2 bob / cat")
    if ids(run)["bob"] == bob:  # the other one was retired
        bob = ids(run)["ann"]
        number = decide(orders, run, bob)
        regroup(run, "ann ann2 bob cat")
    assert ids(run)["bob"] != bob, "one of two was retired"
    with pytest.raises(OrderError, match="decide anew"):
        share_release.release(run, bob, number)


def test_a_child_outside_the_agreements_cohort_is_not_shared(run: Run, orders: Orders) -> None:
    child = ids(run)["ann"]
    with connect(run.home) as con:
        con.execute("UPDATE single_view.involvements SET state = 'historic'")
    with pytest.raises(OrderError, match="not one of whom"):
        share_release.release(run, child, decide(orders, run, child))


def test_withheld_rows_are_absent_in_all_formats_and_counts_and_come_back_once_it_is_revoked(
    run: Run, orders: Orders
) -> None:
    number = withhold(
        orders, run, ids(run)["ann"], recipient=NORTH, purpose=NORTH_FOR, agreement="DSA-FHN-01"
    )
    rows = extracts(run).by_recipient[NORTH].rows
    assert set(rows.values()) == {2}
    assert names_given(run) == ["bob", "cat"]
    folder = run.home.out / "extracts" / NORTH / AS_AT.isoformat()
    book = load_workbook(folder / "extract.xlsx")
    cells = [c.value for sheet in book for row in sheet.iter_rows() for c in row]
    assert "bob" in cells
    assert "ann" not in cells
    orders.lift(number, [Kind.WITHHOLD], WHY)
    extracts(run)
    assert names_given(run) == ["ann", "bob", "cat"]


def test_a_decision_not_to_share_outweighs_one_to_share(run: Run, orders: Orders) -> None:
    child = ids(run)["ann"]
    number = decide(orders, run, child)
    withhold(orders, run, child)
    with pytest.raises(OrderError, match="keeps it back"):
        share_release.release(run, child, number)


def test_what_an_agency_tells_is_handed_to_the_view_as_withheld(run: Run, orders: Orders) -> None:
    """The view then says: not shared: more detrimental to the child (unit test of the model)."""
    child = ids(run)["ann"]
    about = {"recipient": "fenmarch-council", "purpose": "single_view", "agreement": "DSA-POL-01"}
    withhold(orders, run, child, **about)
    stored.write(run)
    found = query(run, "SELECT child_id, feed FROM identity.withheld_feeds")
    assert found == [(child, "police_safeguarding")]
    with pytest.raises(OrderError, match="the law requires them"):
        withhold(orders, run, child, **{**about, "agreement": "DSA-CSC-01"})
    returns = {"recipient": "dfe", "purpose": "statutory_returns.cin_census"}
    with pytest.raises(OrderError, match="required by law"):
        withhold(orders, run, child, **returns, agreement="DSA-DFE-01")


def test_the_register_has_who_when_what_to_whom_and_why(run: Run, orders: Orders) -> None:
    decide(orders, run, ids(run)["ann"])
    (order,) = orders.listed(Kind.SHARE)
    assert (order.recipient, order.purpose, order.scope) == (POLICE, POLICE_FOR, CASE)
    assert order.told["by"] == WHY.by
    assert order.told["reason"] == WHY.reason
    assert order.told["facilitates"]
    assert order.told["ground"] == "CA1989-S47"


def test_the_agreement_by_case_is_signed_by_all_and_rests_on_law(run: Run) -> None:
    grants = policy.grants(run)
    assert grants.case(CASE).allowed
    terms = grants.terms(CASE)
    assert terms is not None
    assert {p["org"] for p in terms["parties"]} == {s["org"] for s in terms["signatures"]}
