"""A copy is a release: what the policy and people's rights say of it, and what the ledger tells afterwards."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable

import pytest

from ffp_data.access import Access
from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.rights import restriction, share_decision
from ffp_data.rights.disclosures import DisclosureRegister
from ffp_data.rights.orders import Kind, Orders, Said
from ffp_data.take_away import workbook
from ffp_data.take_away.agreed import grants_of
from ffp_data.take_away.copies import Taker, take, traced
from governance.access import AccessDeniedError, Principal
from governance.policy import DEMO_DIRECTORY
from governance.release import ReleaseRefusedError
from tests.take_away.conftest import TAKER, Desk
from tests.web.world import AS_AT

SAID = Said("ig-officer", "asked for by the family")
FOR, TO = "single_view.family_help", "fenmarch-practitioners"


def test_the_number_on_a_copy_leads_back_to_who_took_it_and_to_the_child(desk: Desk) -> None:
    copy = desk.pdf(desk.world.bare)
    told = traced(desk.hub.ledger, f" {copy.number.lower()} ")
    assert told is not None
    assert (told["who"], told["role"], told["meeting"]) == (
        "family-help",
        "practitioner",
        TAKER.meeting,
    )
    assert told["sha256"] == hashlib.sha256(copy.content).hexdigest()
    assert told["children"] == 1
    register = DisclosureRegister(desk.world.home, Access(desk.world.home))
    found = register.of_child(register.identity(desk.world.bare)).disclosures[-1]
    assert (found.what, found.to, found.agreement) == (
        "released",
        TO,
        "DSA-PRA-01@1",
    )
    assert found.role == "practitioner"
    assert {f"{f.relation}.{f.name}" for f in found.fields} >= {"single_view.children.nhs_number"}
    assert "single_view.chronology" not in {
        f.relation for f in found.fields
    }  # nothing is recorded of them


def test_a_number_that_stands_on_no_copy_leads_nowhere(desk: Desk) -> None:
    assert traced(desk.hub.ledger, "0000-0000-0000") is None


def _object(orders: Orders, child: str, desk: Desk) -> int:
    purposes = grants_of(desk.world.home, AS_AT).purposes
    return restriction.restrict(
        orders, Kind.OBJECTION, child, SAID, purpose=FOR, recipient=TO, purposes=purposes
    )


def _withhold_feed(orders: Orders, child: str, desk: Desk) -> int:
    """Decided after the run: the page shows it until the next, a copy must not."""
    grants = grants_of(desk.world.home, AS_AT)
    asked = share_decision.Asked(child, "fenmarch-council", "single_view", "DSA-POL-01", SAID)
    return share_decision.withhold(orders, grants, asked, AS_AT, [])


@pytest.mark.parametrize("order", [_object, _withhold_feed])
def test_an_order_of_this_minute_keeps_a_child_out_of_every_copy(
    desk: Desk, order: Callable[[Orders, str, Desk], int]
) -> None:
    child = desk.world.mine
    with Orders(desk.world.home) as orders:
        number = order(orders, child, desk)
        try:
            with pytest.raises(ReleaseRefusedError, match="an order on this child"):
                desk.pdf(child)
            both = take(desk.hub, TAKER, desk.view, [child, desk.world.bare], workbook.compose)
        finally:
            orders.lift(number, {Kind.OBJECTION, Kind.WITHHOLD}, SAID)
    refused = [e["facts"] for e in desk.events if e["kind"] == "release_refused"][-1]
    assert "an order on this child" in refused["reason_refused"]
    assert len(refused["subjects"]) == 1
    told = traced(desk.hub.ledger, both.number)
    assert told is not None
    assert told["children"] == 1
    assert desk.pdf(child).content


def test_a_role_without_the_right_takes_nothing_and_is_written_down(desk: Desk) -> None:
    reviewer = Taker(Principal("kit", "reviewer"), "Kit", "just to see it")
    with pytest.raises(AccessDeniedError):
        take(desk.hub, reviewer, desk.view, [desk.world.mine], workbook.compose)
    assert desk.events[-1]["kind"] == "access_refused"
    assert desk.events[-1]["facts"]["right"] == "take_away"


@pytest.mark.parametrize(
    ("was", "becomes", "why"),
    [
        ("status: live", "status: suspended", "would cover this, but|suspended"),
        ("purposes: [single_view.family_help]", "purposes: [single_view.enquiry]", "one agreement must let copies"),
    ],
)  # fmt: skip
def test_without_an_agreement_in_force_nothing_is_read(
    desk: Desk, was: str, becomes: str, why: str
) -> None:
    home = desk.world.home
    lock = (home.root / "policy.lock.json").read_bytes()
    own = home.root / "policy"
    shutil.copytree(DEMO_DIRECTORY, own)
    try:
        file = own / "agreements" / "DSA-PRA-01.yaml"
        file.write_text(file.read_text("utf-8").replace(was, becomes, 1), "utf-8")
        run = Run.at(run_id="third", home=home.root, as_at=AS_AT)
        assert policy.compile_lock(run).problems == []
        with pytest.raises(ReleaseRefusedError, match=why):
            desk.pdf(desk.world.mine)
        kinds = [event["kind"] for event in desk.events]
        assert kinds[-1] == "release_refused"
        assert "copy_begun" not in kinds[kinds.index("policy_compiled", len(kinds) - 4) :]
    finally:
        shutil.rmtree(own)
        (home.root / "policy.lock.json").write_bytes(lock)


def test_no_copy_lies_on_the_hub(desk: Desk) -> None:
    desk.pdf(desk.world.mine)
    take(desk.hub, TAKER, desk.view, [desk.world.mine], workbook.compose)
    left = [
        p
        for p in desk.world.home.root.rglob("*")
        if p.suffix in (".pdf", ".xlsx") or ".copy-" in p.name
    ]
    assert left == []


def test_a_brother_of_whom_a_copy_tells_is_on_the_list_of_whom_it_disclosed(desk: Desk) -> None:
    register = DisclosureRegister(desk.world.home, Access(desk.world.home))
    before = register.of_child(register.identity(desk.world.other)).disclosures
    copy = desk.pdf(desk.world.mine)
    told = traced(desk.hub.ledger, copy.number)
    assert told is not None
    assert told["children"] == 2
    found = register.of_child(register.identity(desk.world.other)).disclosures
    assert len(found) == len(before) + 1
    assert {field.relation for field in found[-1].fields} == {"single_view.family_members"}
