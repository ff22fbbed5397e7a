"""The list of children not in school: what its rows mean, and which are nobody's record."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffp_data import feeds
from tests.feeds.conftest import CONTRACTS
from tests.feeds.samples import Landing, sample_row

FEED = CONTRACTS["not_in_school"]
EPISODES = FEED.by_name["episodes"]
ONE_NAME = re.compile(EPISODES.by_name["forename"].pattern or "")


def episode(number: int, **own: str) -> dict[str, str]:
    told = {"end_date": "", "upn": "", "nhs_number": "", "last_school_urn": ""}
    return sample_row(FEED, EPISODES, number, **(told | own))


def test_a_row_of_two_siblings_is_set_aside_and_one_child_is_not(landing: Landing) -> None:
    names = ["Ann", "Ann and Ben", "Andrew", "Mary Anne", "Ann & Ben", "Ann, Ben", "Sandy"]
    landing.rows("not_in_school", "episodes", [episode(n, forename=v) for n, v in enumerate(names)])
    (result,) = landing.load()
    assert (result.rows_loaded, result.rows_quarantined) == (4, 3)
    query = "SELECT line, column_name, rule FROM quarantine.rows ORDER BY line"
    assert landing.query(query) == [(n, "forename", "pattern") for n in (3, 6, 7)]


WORD = st.from_regex(r"[A-Za-zÀ-ÿ'’-]{1,9}", fullmatch=True).filter(lambda w: w.lower() != "and")


@given(st.lists(WORD, min_size=1, max_size=4), st.lists(WORD, min_size=1, max_size=2))
def test_any_words_are_a_name_unless_and_stands_between_them(
    one: list[str], other: list[str]
) -> None:
    assert ONE_NAME.fullmatch(" ".join(one))
    for sign in ("and", "AND", "&", "+"):
        assert not ONE_NAME.fullmatch(" ".join([*one, sign, *other]))


@pytest.mark.parametrize(
    ("status", "events"),
    [
        ("EHE", ["home_education_began", "home_education_ended"]),
        ("CME", ["missing_education_began", "missing_education_ended"]),
    ],
)
def test_an_episode_is_told_from_its_beginning_to_its_end(
    landing: Landing, status: str, events: list[str]
) -> None:
    days = {"start_date": "2025-10-06", "end_date": "2026-01-09"}
    landing.rows("not_in_school", "episodes", [episode(1, status_type=status, **days)])
    landing.load()
    feeds.build_facts(landing.con, {"not_in_school": FEED})
    query = "SELECT event_type, event_date::VARCHAR FROM raw.declared_events ORDER BY 2"
    assert landing.query(query) == list(zip(events, days.values(), strict=True))


def test_an_open_episode_has_a_beginning_alone(landing: Landing) -> None:
    landing.rows("not_in_school", "episodes", [episode(1, status_type="CME")])
    landing.load()
    feeds.build_facts(landing.con, {"not_in_school": FEED})
    assert landing.query("SELECT event_type FROM raw.declared_events") == [
        ("missing_education_began",)
    ]


@pytest.mark.control("B01")
def test_a_child_without_any_number_is_a_record_with_a_parent_by_name(landing: Landing) -> None:
    landing.rows("not_in_school", "episodes", [episode(1, parent_name="Kim Sample")])
    landing.load()
    feeds.assemble_identity(landing.con, {"not_in_school": FEED}, allow_test_numbers=True)
    query = "SELECT role, upn, nhs_number FROM identity.person_records"
    assert landing.query(query) == [("child", None, None)]
    query = "SELECT related_name, relationship FROM identity.relationships"
    assert landing.query(query) == [("Kim Sample", "parent")]
