"""What a reviewer sees of two records, and what never."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date

import pytest

from ffp_data.review.evidence import comparisons, links, other, parts, says, way
from ffp_data.review.found import Join
from ffp_data.review.rules import ReviewRules
from ffp_data.review.sheet import mark, side_by_side, values_of

RULES = ReviewRules.read()
LEFT = {
    "given_name": "Zoë",
    "surname": "HARE",
    "date_of_birth": date(2020, 1, 2),
    "postcode": "XF1 1AA",
    "address_line": "1 Hidden Lane",
    "upn": "A999200012345",
    "phone": "07000 000001",
    "child_id": "0123456789ABC",
}
RIGHT = {"given_name": "Zoe", "surname": "Hart", "postcode": "XF1 1AA", "sex": "F"}


def test_differences_are_marked_and_empty_fields_left_out() -> None:
    rows = side_by_side(LEFT, RIGHT, RULES, is_protected=False)
    marks = {row.field: row.mark for row in rows}
    assert marks["given name"] == "equal"  # accents and capitals aside
    assert marks["surname"] == "differs"
    assert marks["date of birth"] == "one side only"
    assert marks["postcode"] == "equal"
    assert "PNC id" not in marks


@pytest.mark.control("C10")
def test_neither_an_identifier_nor_a_weight_is_shown() -> None:
    assert "0123456789ABC" not in str(side_by_side(LEFT, RIGHT, RULES, is_protected=False))


@pytest.mark.control("B08")
def test_a_protected_persons_place_is_not_shown_nor_whether_it_is_equal() -> None:
    rows = side_by_side(LEFT, RIGHT, RULES, is_protected=True)
    text = str([asdict(row) for row in rows])
    for secret in ("XF1", "Hidden", "A999200012345", "07000"):
        assert secret not in text
    hidden = {row.field: row for row in rows if row.mark == "withheld"}
    assert hidden.keys() == {RULES.shown[name] for name in RULES.places}
    # The same rows whatever the records hold: not even that there is a place is told.
    assert hidden == {r.field: r for r in side_by_side({}, {}, RULES, is_protected=True)}


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("Anne-Marie", "anne-marie", "equal"),
        ("Ann", "Anne", "differs"),
        (None, "x", "one side only"),
    ],
)
def test_marks(left: str | None, right: str | None, expected: str) -> None:
    assert mark(left, right) == expected


def test_bookkeeping_is_no_evidence() -> None:
    assert values_of({**LEFT, "valid_from": "2026-01-01"}, RULES) == values_of(LEFT, RULES)
    assert values_of({**LEFT, "surname": "Hart"}, RULES) != values_of(LEFT, RULES)


@pytest.mark.parametrize(
    ("bits", "words"),
    [
        (0.5, "says next to nothing"),
        (-2.0, "speaks weakly against one person"),
        (6.9, "speaks clearly for one person"),
        (-30.0, "speaks strongly against one person"),
    ],
)
def test_bits_are_told_in_words(bits: float, words: str) -> None:
    assert says(bits, RULES) == words


def test_weights_are_told_the_strongest_first_and_without_places_for_the_protected() -> None:
    steps = [
        ("any two records", -11.0),
        ("given_name: exact", 8.04),
        ("address: same_property", 9.0),
    ]
    told = comparisons(steps, RULES, is_protected=False)
    assert [(c.of, c.bits) for c in told] == [
        ("any two records", -11.0),
        ("address: same property", 9.0),
        ("given name: exact", 8.0),
    ]
    # Nor any sum or number from which the share of the address could be worked out.
    hidden = comparisons(steps, RULES, is_protected=True)
    assert [(c.of, c.bits) for c in hidden] == [("given name: exact", None)]


CHAIN = [Join("a", "b", 9.0), Join("b", "c", 2.0), Join("c", "d", 8.0), Join("b", "x", 9.0)]


def test_the_way_between_two_records_of_an_identifier_is_told_by_their_feeds() -> None:
    steps = way(CHAIN, "a", "d")
    assert [(j.left, j.right) for j in steps] == [("a", "b"), ("b", "c"), ("c", "d")]
    told = links(steps, {"a": "school", "b": "health", "c": "police", "d": "housing"}, RULES)
    assert (told[1].left, told[1].right, told[1].says) == (
        "health",
        "police",
        "speaks weakly for one person",
    )
    assert way(CHAIN, "a", "elsewhere") == ()


def test_an_identifier_falls_into_its_parts_at_the_weakest_join_between_the_two() -> None:
    assert parts(CHAIN, "a", "d") == (frozenset("abx"), frozenset("cd"))
    assert parts([], "a", "d") == (frozenset("a"), frozenset("d"))


def test_other_records_are_told_without_places_for_the_protected() -> None:
    told = other("School", LEFT, RULES, is_protected=False)
    assert "postcode XF1 1AA" in told.says
    assert other("School", LEFT, RULES, is_protected=True).says == (
        "given name Zoë",
        "surname HARE",
        "date of birth 2020-01-02",
    )
