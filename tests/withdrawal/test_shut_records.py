"""Records of feeds without an agreement leave membership, and with them the confidence that rested on them."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from ffp_data.home.shut_records import without_feeds
from ffp_data.hub.lookup import SCHEMA

A, B, W = "health|1|a", "school|1|b", "police|1|w"


def membership(**sure: float | None) -> pa.Table:
    keys = {"a": A, "b": B, "w": W}
    rows = [
        {
            "record_key": keys[k],
            "child_id": "C1",
            "linked_since": date(2026, 1, 1),
            "link_confidence": s,
        }
        for k, s in sure.items()
    ]
    return pa.Table.from_pylist(rows, SCHEMA)


def pairs(*scored: tuple[str, str, float]) -> pa.Table:
    left, right, share = zip(*scored, strict=True) if scored else ((), (), ())
    return pa.table(
        {
            "record_id_l": pa.array(left, pa.string()),
            "record_id_r": pa.array(right, pa.string()),
            "match_weight": pa.array([5.0] * len(left)),
            "match_probability": pa.array(share, pa.float64()),
        }
    )


def left(found: pa.Table) -> dict[str, float | None]:
    return dict(
        zip(found["record_key"].to_pylist(), found["link_confidence"].to_pylist(), strict=True)
    )


@pytest.mark.control("F04")
def test_confidence_that_led_through_a_record_that_left_is_that_of_the_records_that_stay() -> None:
    before = membership(a=None, b=0.99, w=0.99)
    scored = pairs((A, B, 0.7))
    assert left(without_feeds(before, {"police"}, {A, B}, scored, ())) == {A: None, B: 0.7}


def test_where_no_record_leaves_nothing_is_worked_out_anew() -> None:
    before = membership(a=None, b=0.99)
    assert without_feeds(before, {"police"}, {A, B}, pairs((A, B, 0.7)), ()) is before


def test_what_a_reviewer_called_one_is_certain_and_a_record_that_did_not_come_stays_as_it_was() -> (
    None
):
    before = membership(a=None, b=0.99, w=0.99)
    assert left(without_feeds(before, {"police"}, {A, B}, pairs(), {(A, B)})) == {A: None, B: 1.0}
    assert left(without_feeds(before, {"police"}, {A}, pairs(), ())) == {A: None, B: 0.99}
