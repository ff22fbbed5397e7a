"""What an extract says of its own columns."""

from __future__ import annotations

import pyarrow as pa
import pytest

from ffp_data import feeds
from ffp_data.take_away.agreed import grants_of
from ffp_data.take_away.dictionary import dictionary
from tests.take_away.conftest import Desk
from tests.web.world import AS_AT

TEAM, PURPOSE = "fenmarch-family-help-north", "single_view.family_help"


@pytest.fixture(scope="module")
def told(desk: Desk) -> dict[tuple[str, str], dict[str, str]]:
    decision = grants_of(desk.world.home, AS_AT).release(TEAM, PURPOSE)
    tables = {
        relation: pa.schema(
            [
                (each.name, pa.date32() if each.name == "since" else pa.string())
                for each in decision.items
                if each.relation == relation
            ]
        ).empty_table()
        for relation in decision.relations
    }
    (found,) = dictionary(decision, tables, feeds.load_contracts(feeds.PACKAGED)).values()
    assert found.num_rows == len(decision.items)
    return {(row["table"], row["column"]): row for row in found.to_pylist()}


def test_every_column_that_leaves_has_a_meaning_a_type_a_source_and_its_agreement(
    told: dict[tuple[str, str], dict[str, str]],
) -> None:
    assert [row for row in told.values() if not all(row.values())] == []
    assert {row["agreement"].partition(",")[0] for row in told.values()} == {"DSA-FHN-01@1"}
    assert told["involvements", "since"]["type"] == "date32"
    assert told["flags", "rule_in_words"]["meaning"] == "The rule as a person would say it."
    assert told["children", "postcode"]["meaning"].endswith(
        "Empty for whoever must not be located."
    )


def test_a_feed_whose_facts_do_not_leave_is_no_source(
    told: dict[tuple[str, str], dict[str, str]],
) -> None:
    named = {feed for row in told.values() for feed in row["source"].split(", ")}
    assert "case_system" in named
    assert "marac" not in named


def test_the_tables_make_a_star_around_the_children(
    told: dict[tuple[str, str], dict[str, str]],
) -> None:
    key = "child_id_pseudonym"
    assert told["children", key]["joins_to"] == "one row a child"
    joined = {
        table
        for table, column in told
        if told[table, column]["joins_to"] == f"children.{key}, many to one"
    }
    assert joined == {"involvements", "flags"}
    assert "As a pseudonym for this recipient" in told["flags", key]["meaning"]
