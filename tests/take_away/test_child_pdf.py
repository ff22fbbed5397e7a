"""A child's page on paper: what it holds, what it never holds, and what no text of a feed can do to it."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from ffp_data import printable
from ffp_data.rights.orders import Kind, Orders, Said
from ffp_data.single_view.child import child_page
from ffp_data.take_away.child_pdf import to_pdf
from tests.take_away.conftest import PLAIN, Desk


def _read(content: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(content))


def _pages(content: bytes) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in _read(content).pages]


def _flat(words: str) -> str:
    """Words without spaces, which a line's end may take or add."""
    return re.sub(r"\s", "", words)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)


@pytest.fixture(scope="module")
def mine(desk: Desk) -> bytes:
    return desk.pdf(desk.world.mine).content


def test_it_is_tagged_and_says_its_language_and_title(mine: bytes) -> None:
    read = _read(mine)
    root = read.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"].value
    assert root["/StructTreeRoot"]["/K"]
    assert root["/Lang"] == "en-GB"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"].value
    assert read.metadata is not None
    assert read.metadata.title == "Wren Ottaway, as at 31 March 2026"
    assert b"pdfuaid:part" in root["/Metadata"].get_data()


def test_its_words_stand_in_the_order_of_the_page(mine: bytes) -> None:
    words = " ".join(_pages(mine))
    headings = ["Wren Ottaway", "To look at", "Who is working with this family", "What is due", "What happened",
                "Family and household", "School attendance", "Who this is", "About this copy"]  # fmt: skip
    places = [words.index(heading) for heading in headings]
    assert places == sorted(places)


def test_every_word_of_the_page_is_on_it(desk: Desk, mine: bytes) -> None:
    """What a feed that the agreement does not name tells is left out, and its name beside a value with it."""
    page = asdict(child_page(desk.view, desk.world.mine))
    printed = _flat(" ".join(_pages(mine)))
    unprinted = {
        "iso",
        "known",
        "state",
        "is_confident",
        "event_sources",
        "event_types",
        "short",
        "child_id",
        "words",  # what of them the state does not say is `more`
    }
    facts = {k: v for k, v in page.items() if k not in unprinted}
    rows = [
        {k: v for k, v in row.items() if k not in unprinted}
        for name in (
            "involvements",
            "flags",
            "events",
            "family",
            "attendance",
            "months",
            "clocks",
            "identity",
        )
        for row in facts.pop(name)
        if ("domestic abuse" not in json.dumps(row) or "label" in row)
        and row.get("label") != "Other surnames"
    ]
    wanted = [
        each
        for each in _texts([*facts.values(), rows])
        if each not in ("domestic abuse", "High risk")
    ]
    assert len(wanted) > 50
    missing = [each for each in wanted if _flat(each).lower() not in printed.lower()]
    assert missing == []


def test_each_sheet_says_whose_it_is_and_which_copy(desk: Desk, mine: bytes) -> None:
    pages = _pages(mine)
    released = [e for e in desk.events if e["kind"] == "released"]
    number = next(
        e["facts"]["copy"] for e in released if e["facts"]["meeting"] == "core group on 2 April"
    )
    for at, page in enumerate(pages, start=1):
        assert f"Page {at} of {len(pages)}" in page
        assert f"Copy {number[:4]}-{number[4:8]}-{number[8:]}" in page
        assert "Taken by Georgie Kemble" in page
    first = pages[0]
    for words in (
        "Data as at 31 March 2026",
        "For: core group on 2 April",
        "single_view.family_help",
        "DSA-PRA-01@1",
    ):
        assert words in first


def test_a_feed_that_the_agreement_does_not_name_is_nowhere_on_it(mine: bytes) -> None:
    words = " ".join(_pages(mine)).lower()
    assert [w for w in ("domestic", "marac", "ordinator", "high risk") if w in words] == []
    assert "female the hub" in words  # the value stays, and does not say who told it


def test_a_former_name_goes_to_nobody(mine: bytes) -> None:
    assert "Vane" not in " ".join(_pages(mine))
    assert "Other surnames" not in " ".join(_pages(mine))


def test_a_protected_child_has_no_place_and_a_banner_on_every_sheet(desk: Desk) -> None:
    pages = _pages(desk.pdf(desk.world.hidden).content)
    assert all("PROTECTED: tell nobody" in page for page in pages)
    words = " ".join(pages)
    assert [
        p for p in ("Ash Lane", "XF1 2AB", "990155", "01632", "Family Help North,") if p in words
    ] == []
    assert "contact withheld to protect a place" in words


def test_events_before_the_day_asked_for_are_left_out_and_that_is_said(desk: Desk) -> None:
    words = " ".join(_pages(desk.pdf(desk.world.mine, since=date(2026, 1, 1)).content))
    assert "Reported missing" in words
    assert "Joined a school" not in words
    assert "Events before 2026-01-01 are left out" in words


def test_no_text_of_a_feed_is_taken_for_a_command(desk: Desk) -> None:
    words = _flat(" ".join(_pages(desk.pdf(desk.world.other).content)))
    assert words.count(_flat(PLAIN)) >= 3  # the name, a contact and a rule
    assert "root:" not in words
    assert _flat("The sign \ufffd stands for a letter that cannot be printed here") in words


def test_who_is_known_by_nothing_has_a_page_of_reasons(desk: Desk) -> None:
    words = " ".join(_pages(desk.pdf(desk.world.bare).content))
    assert "Name not known" in words
    assert (
        "two different NHS numbers are recorded; one of the 2 records may be of somebody else"
        in words
    )
    assert "no feed that is shared has recorded this" in words


def test_a_shield_of_this_minute_counts(desk: Desk) -> None:
    with Orders(desk.world.home) as orders:
        number = orders.give(Kind.SHIELD, desk.world.mine, Said("a.head", "the father searches"))
        pages = _pages(desk.pdf(desk.world.mine).content)
        orders.lift(number, {Kind.SHIELD}, Said("a.head", "it is over"))
    assert all("PROTECTED" in page for page in pages)
    words = " ".join(pages)
    assert [
        p for p in ("Ash Lane", "XF1 2AB", "990155", "01632 960001", "G Kemble,") if p in words
    ] == []


def test_numbers_that_an_order_leaves_out_are_not_on_it(desk: Desk) -> None:
    with Orders(desk.world.home) as orders:
        said = Said("ig", "more detrimental")
        number = orders.give(
            Kind.IDENTIFIER, desk.world.mine, said, recipient="fenmarch-practitioners"
        )
        words = " ".join(_pages(desk.pdf(desk.world.mine).content))
        orders.lift(number, {Kind.IDENTIFIER}, said)
    assert [n for n in (desk.world.mine, "999 000 0018", "A999001400001") if n in words] == []
    assert "left out, an order keeps this child's numbers from copies" in words


@given(st.text(max_size=200))
def test_what_is_printed_turns_no_line_round_and_has_a_letter(words: str) -> None:
    kept = printable.plain(words)
    assert not set(kept) & set(
        "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
    )
    assert printable.plain(kept) == kept
    assert kept.isprintable() or "\xa0" in kept


def test_the_font_has_every_letter_that_is_let_through() -> None:
    letters = [chr(n) for n in range(0x20, 0x2300) if printable.plain(chr(n)) == chr(n)]
    assert len(letters) > 1_500
    empty = (
        "flags",
        "spoken",
        "silent",
        "clocks",
        "events",
        "family",
        "attendance",
        "months",
        "identity",
    )
    facts: dict[str, list[str]] = {each: [] for each in empty}
    child = {"name": "Wren", "child_id": "X", "age": " ".join(letters), "open_to": [], "is_protected": False,
             "doubt": None, "as_at": "today", "since": None, **facts}  # fmt: skip
    stamp = dict.fromkeys(
        ("copy", "taken_by", "taken_at", "meeting", "agreement", "purpose", "keep", "breach"), "x"
    )
    to_pdf(json.dumps({"child": child, "stamp": stamp, "has_unknown": False}))
