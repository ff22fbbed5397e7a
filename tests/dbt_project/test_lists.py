"""The lists of the hand-written partnership, and what becomes of them when a feed stops."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ffp_data.lists import load_lists
from tests.dbt_project.conftest import Marts
from tests.dbt_project.warehouse import Warehouse, failures

pytestmark = pytest.mark.slow
_BY_FEED = "SELECT child_id FROM lists.entries WHERE list_id = 'not_reached' AND source LIKE '{}%'"
_ANEW = ("int_feeds__states", "int_lists__not_reached", "int_lists__states", "int_lists__entries",
         "marts.lists")  # fmt: skip
_EDUCATION_WELFARE = """
INSERT INTO meta.feed_state BY NAME
SELECT * REPLACE ('not_in_school' AS feed, 'education_welfare' AS service) FROM meta.feed_state
WHERE feed = 'case_system'
"""


def copied(marts: Marts, folder: Path) -> Warehouse:
    """The warehouse once more, where the education welfare team sends its list too."""
    shutil.copy(marts.warehouse.file, folder)
    copy = Warehouse(folder)
    change(copy, _EDUCATION_WELFARE)
    return copy


def change(copy: Warehouse, sql: str) -> None:
    """Change how the feeds stand, and make the lists anew."""
    with copy.connect() as connection:
        connection.execute(sql)
    assert failures(copy.dbt("run", "--select", *_ANEW)) == []


def test_every_list_is_there_with_its_owner_and_its_rule(marts: Marts) -> None:
    told = marts.rows("SELECT list_id, rule_in_words, owner FROM lists.lists ORDER BY place")
    assert told == [(one.id, one.rule, one.owner) for one in load_lists()]


def test_no_entry_has_an_empty_cell_or_the_place_of_a_protected_child(marts: Marts) -> None:
    columns = "title, since, facts, source, as_of, is_late, owner, team, district"
    assert marts.value(f"SELECT count(*) FROM lists.entries WHERE ({columns}) IS NULL") == 0
    assert marts.value("SELECT count(*) FROM lists.entries") > 0
    told = marts.rows(
        "SELECT DISTINCT team, district FROM lists.entries"
        " SEMI JOIN (FROM single_view.children WHERE is_restricted) USING (child_id)"
    )
    assert set(told) <= {("withheld", "withheld")}


def test_a_feed_that_stops_makes_nobody_look_missing(marts: Marts, tmp_path: Path) -> None:
    copy = copied(marts, tmp_path)
    assert copy.rows(_BY_FEED.format("education_attendance"))
    others = copy.rows("SELECT list_id, child_id FROM lists.entries WHERE list_id <> 'not_reached'")
    change(
        copy,
        "UPDATE meta.feed_state SET is_late = true, last_delivered_at = TIMESTAMP '2026-03-01 03:00:00'",
    )
    assert copy.rows("FROM lists.entries WHERE list_id = 'not_reached'") == []
    ((since, words),) = copy.rows(
        "SELECT since, state_in_words FROM lists.states"
        " WHERE list_id = 'not_reached' AND feed = 'education_attendance'"
    )
    told = "last delivered on 2026-03-01; nobody is listed for want of it"
    assert words == f"late since {since}, {told}"
    still = copy.rows("SELECT list_id, child_id, is_late FROM lists.entries")
    assert sorted(still) == sorted((*entry, True) for entry in others)  # the last known, marked
