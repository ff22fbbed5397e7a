"""The prisons' files with their known faults: who is a record, who is a name, and what is no home."""

from __future__ import annotations

from datetime import date

import pytest

from tests.feeds.justice import assemble, people, row, set_aside, ties
from tests.feeds.samples import Landing, Row

NUMBER = "A1234AA"


def contact(number: int = 1, **own: str) -> Row:
    return row("prison", "contacts", prison_number=NUMBER, contact_id=str(number), **own)


@pytest.mark.parametrize(
    ("address", "postcode"),
    [
        ("HMP Marchmoor, Moor Road, Fenwick", "XF99 9HM"),
        ("No fixed abode", "NF1 1NF"),
        ("", ""),
    ],
)
def test_a_prison_and_no_fixed_abode_are_nobodys_home(
    landing: Landing, address: str, postcode: str
) -> None:
    landing.rows(
        "prison", "prisoners", [row("prison", "prisoners", address_line=address, postcode=postcode)]
    )
    assemble(landing)
    assert people(landing, "postcode, date_of_birth") == [(NUMBER, None, date(2025, 9, 3))]


def test_a_child_with_a_date_of_birth_is_a_record_tied_to_its_parent(landing: Landing) -> None:
    landing.rows("prison", "prisoners", [row("prison", "prisoners")])
    landing.rows("prison", "contacts", [contact(7, relationship_code="SDAU")])
    assemble(landing)
    assert people(landing, "role") == [(NUMBER, "unknown"), (f"{NUMBER}:7", "unknown")]
    assert ties(landing) == [(f"{NUMBER}:7", NUMBER, None, "step-parent")]


@pytest.mark.parametrize("born", ["", "1900-01-01"])
def test_a_child_without_a_date_of_birth_is_only_a_name(landing: Landing, born: str) -> None:
    landing.rows("prison", "prisoners", [row("prison", "prisoners")])
    named = contact(
        date_of_birth=born, first_name="Bobby", last_name="Test", relationship_code="SON"
    )
    landing.rows("prison", "contacts", [named])
    assemble(landing)
    assert people(landing, "given_name") == [(NUMBER, "Sample")]
    assert ties(landing) == [(NUMBER, None, "Bobby Test", "son")]


def test_one_contact_of_two_prisoners_is_a_record_of_each(landing: Landing) -> None:
    landing.rows("prison", "contacts", [contact(7), contact(7) | {"prison_number": "A1234AB"}])
    assemble(landing)
    assert people(landing, "feed") == [("A1234AA:7", "prison"), ("A1234AB:7", "prison")]


def test_an_official_contact_is_set_aside(landing: Landing) -> None:
    landing.rows("prison", "contacts", [contact(1), contact(2, relationship_type="O")])
    assemble(landing)
    assert set_aside(landing) == [("row", "relationship_type", "unknown_code")]
    assert people(landing, "feed") == [(f"{NUMBER}:1", "prison")]


def test_a_reason_that_nobody_knows_is_set_aside_and_its_event_stays(landing: Landing) -> None:
    event = row("prison", "events", reason="ESCAPED", removed_number="")
    landing.rows("prison", "events", [event])
    assemble(landing)
    assert set_aside(landing) == [("value", "reason", "unknown_code")]
    assert landing.query("SELECT reason FROM raw.prison__events") == [(None,)]


def test_a_number_of_another_form_is_no_prison_number(landing: Landing) -> None:
    landing.rows(
        "prison", "prisoners", [row("prison", "prisoners"), row("prison", "prisoners", prison_number="1234567")]
    )  # fmt: skip
    assemble(landing)
    assert set_aside(landing) == [("row", "prison_number", "pattern")]
