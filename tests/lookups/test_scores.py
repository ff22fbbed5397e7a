"""A look-up weighs a pair as the run did, to the last bit that anybody uses."""

from __future__ import annotations

import pytest

from ffp_data.serving import load
from ffp_data.warehouse import connect
from linkage.lookup import TooLittleError
from tests.lookups.world import World


def test_every_pair_of_the_run_that_a_rule_proposes_has_the_same_weight_and_veto(
    world: World,
) -> None:
    served = load(world.home)
    known = {str(key) for key in served.lookup.catalogue.ids.to_pylist()}
    with connect(world.home, read_only=True) as con:
        pairs = con.execute("SELECT * FROM identity.link_pairs").to_arrow_table().to_pylist()
    rows = {row["record_key"]: row for row in world.rows.to_pylist()}
    compared = unproposed = 0
    for pair in pairs:
        left, right = pair["record_id_l"], pair["record_id_r"]
        if not {left, right} <= known or pair.get("level_moved") not in (None, "missing"):
            continue  # an adult, a protected child, or what only the whole population tells
        if served.child_of(left) in served.protected or served.child_of(right) in served.protected:
            continue
        text = {k: None if v is None else str(v) for k, v in rows[left].items()}
        found = {match.record_id: match for match in served.lookup.find(text, at_least=0)}
        if right not in found:
            unproposed += 1  # looked at by the run because others of the cluster were proposed
            continue
        assert found[right].weight == pytest.approx(pair["match_weight"], abs=1e-9)
        assert (found[right].veto or "") == (pair["veto"] or "")
        compared += 1
    assert compared > 100
    assert unproposed < compared / 20


def test_what_no_rule_can_search_for_says_what_would_do(world: World) -> None:
    with pytest.raises(TooLittleError) as refused:
        load(world.home).lookup.find({"given_name": "Noah"})
    assert ("nhs_number",) in refused.value.ways
