"""From the order on nobody is told where a shielded child is, whatever becomes of the identifier."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date

import pyarrow.parquet as pq
import pytest

from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.hub.orders import OrderError
from ffp_data.lookups import Identify, Lookups
from ffp_data.releases.publish import publish_extracts
from ffp_data.rights import shield_review, stored
from ffp_data.rights.orders import Kind, Orders, Said
from ffp_data.rights.shield import lift, shield
from ffp_data.settings import Home
from ffp_data.warehouse import connect
from governance.access import Principal
from governance.policy import DEMO_DIRECTORY
from tests.lookups.conftest import open_lookups, own_world, world
from tests.lookups.test_service import child_of, known
from tests.lookups.world import NOAH, World
from tests.rights.small import AS_AT, NORTH, extracts, ids, query, regroup

__all__ = ["open_lookups", "own_world", "world"]  # fixtures

WHY = Said("s.worker", "her uncle Zebedee asks at schools")
WORKER = Principal("asmith", "practitioner")
OFFICER = Principal("cdoe", "ig_officer")


def reached(orders: Orders, kind: Kind = Kind.SHIELD) -> set[str]:
    return {child for _, children in orders.reach(AS_AT, kind) for child in children}


@pytest.mark.slow  # links a small world
@pytest.mark.control("B08", "B09")
def test_look_ups_withhold_the_place_from_the_order_on_and_tell_it_again_once_it_is_lifted(
    own_world: World, open_lookups: Callable[[Home], tuple[Lookups, Identify]]
) -> None:
    child = child_of(own_world, "health_csv|RXG|1")
    lookups, identify = open_lookups(own_world.home)
    assert lookups.child(WORKER, child, "a visit").postcode == NOAH["postcode"]
    before = identify(WORKER, known(NOAH), "a call").candidates
    with Orders(own_world.home) as orders:
        number = shield(orders, child, WHY).number
        found = lookups.child(WORKER, child, "a visit")
        assert (found.postcode, found.place_withheld) == (None, True)
        assert found.given_name == NOAH["given_name"], "the name stays, the place goes"
        table, withheld = lookups.as_of(OFFICER, AS_AT)
        assert withheld >= 2, "keys of records can name a school"
        assert not [k for k in table["record_key"].to_pylist() if k == "health_csv|RXG|1"]
        lift(orders, number, WHY)
    assert lookups.child(WORKER, child, "a visit").postcode == NOAH["postcode"]
    assert identify(WORKER, known(NOAH), "a call").candidates == before


@pytest.mark.slow  # links a small world
@pytest.mark.control("B08")
def test_a_search_weighs_a_shielded_child_as_if_no_place_of_it_were_known(
    own_world: World, open_lookups: Callable[[Home], tuple[Lookups, Identify]]
) -> None:
    """Otherwise whoever guesses postcodes sees by the weight which one is right."""
    child = child_of(own_world, "health_csv|RXG|1")
    _, identify = open_lookups(own_world.home)

    def weight(postcode: str | None) -> tuple[float, list[str]]:
        found = identify(WORKER, known(NOAH, postcode=postcode), "a call").candidates
        (mine,) = [each for each in found if each.child_id == child]
        return mine.weight, mine.evidence

    assert weight(NOAH["postcode"]) != weight("XG9 9XX")
    with Orders(own_world.home) as orders:
        shield(orders, child, WHY)
    assert weight(NOAH["postcode"]) == weight("XG9 9XX") == weight(None)


@pytest.mark.control("B08")
def test_the_next_extract_has_no_place_of_the_child_and_the_places_of_others(
    run: Run, orders: Orders
) -> None:
    shield(orders, ids(run)["ann"], WHY)
    extracts(run)
    folder = run.home.out / "extracts" / NORTH
    (children,) = folder.rglob("children.parquet")
    assert {r["given_name"]: r["postcode"] for r in pq.read_table(children).to_pylist()} == {
        "ann": None, "bob": "XF1 2AB", "cat": "XF1 2AB",
    }  # fmt: skip
    (spells,) = folder.rglob("involvements.parquet")
    teams = [r["team"] for r in pq.read_table(spells).to_pylist()]
    assert sorted(teams, key=str) == ["Family Help North", "Family Help North", None]


@pytest.mark.control("B08")
def test_the_build_is_handed_who_is_shielded_on_its_day(run: Run, orders: Orders) -> None:
    shield(orders, ids(run)["ann"], WHY)
    shield(orders, ids(run)["bob"], Said("a", "b", date(2025, 1, 1)))
    shield(orders, ids(run)["cat"], Said("a", "b", AS_AT))
    stored.write(run)
    found = query(run, "SELECT child_id FROM identity.shielded")
    assert {child for (child,) in found} == {ids(run)["ann"], ids(run)["cat"]}


@pytest.mark.control("B08")
def test_a_shield_stands_after_a_merge_and_on_both_sides_of_a_split(
    run: Run, orders: Orders
) -> None:
    before = ids(run)
    shield(orders, before["ann"], WHY)
    regroup(run, "ann ann2 bob / cat")
    merged = ids(run)["ann"]
    assert reached(orders) == {merged}
    regroup(run, "ann / ann2 / bob / cat")
    after = ids(run)
    held_since = {after["ann"], after["ann2"], after["bob"]}
    assert reached(orders) == held_since, "too many rather than one too few, until somebody looks"
    assert after["cat"] not in held_since


@pytest.mark.control("B08")
def test_who_lives_with_the_child_is_hidden_at_once_and_shown_again_with_it(
    run: Run, orders: Orders
) -> None:
    own = ids(run)
    with connect(run.home) as con:
        con.execute(
            "CREATE TABLE intermediate.int_families__members"
            " (child_id VARCHAR, related_child_id VARCHAR, lives_with BOOLEAN, to_date DATE)"
        )
        rows = [
            (own["bob"], own["ann"], None, None),
            (own["cat"], own["ann"], False, None),
            (own["cat"], own["ann"], True, date(2020, 1, 1)),
        ]
        con.executemany("INSERT INTO intermediate.int_families__members VALUES (?, ?, ?, ?)", rows)
    done = shield(orders, own["ann"], WHY)
    assert done.household == 1
    assert reached(orders) == {own["ann"], own["bob"]}
    lift(orders, done.number, WHY)
    assert reached(orders) == set()


@pytest.mark.control("D05")
def test_why_is_closed_in_the_hub_and_in_no_line_of_the_ledger(run: Run, orders: Orders) -> None:
    child = ids(run)["ann"]
    number = shield(orders, child, WHY).number
    orders.close()
    assert orders.listed(Kind.SHIELD)[0].told["reason"] == WHY.reason
    raw = b"".join(path.read_bytes() for path in run.home.root.glob("hub.db*"))
    assert b"Zebedee" not in raw
    told = [e for e in run.ledger.events() if e["kind"] == "shield_ordered"]
    assert [e["facts"]["number"] for e in told] == [number]
    assert told[0]["facts"]["subject"] == orders.subjects.reference(child)
    assert "Zebedee" not in str(told)
    assert child not in str(told)


def test_an_order_without_who_or_why_is_refused_and_one_is_lifted_once(
    run: Run, orders: Orders
) -> None:
    child = ids(run)["ann"]
    for said in (Said("", "why"), Said("who", " ")):
        with pytest.raises(OrderError):
            shield(orders, child, said)
    number = shield(orders, child, WHY).number
    with pytest.raises(OrderError):
        orders.lift(number, [Kind.HOLD], WHY)
    lift(orders, number, WHY)
    with pytest.raises(OrderError):
        lift(orders, number, WHY)


@pytest.mark.control("B09")
def test_real_people_are_released_to_nobody_before_each_partner_looked_for_whom_to_shield(
    run: Run,
) -> None:
    shutil.copytree(DEMO_DIRECTORY, run.home.root / "policy", ignore=shutil.ignore_patterns("*.py"))
    (run.home.root / "partnership.yaml").write_text(
        "name: Real\nla_code: '999'\nis_synthetic: false\n"
    )
    assert shield_review.lacking(run) == sorted(policy.grants(run).givers)
    assert not any(o.permitted for o in publish_extracts(run).by_recipient.values())
    first, *others = shield_review.lacking(run)
    for partner in others:
        shield_review.record(run, partner, "d.officer")
    refused = publish_extracts(run).by_recipient[NORTH]
    assert (refused.permitted, first in refused.reason) == (False, True)
    for partner, by in ((first, " "), ("nobody", "d.officer")):
        with pytest.raises(OrderError):
            shield_review.record(run, partner, by)
    shield_review.record(run, first, "d.officer")
    assert publish_extracts(run).by_recipient[NORTH].permitted
