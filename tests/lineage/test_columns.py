"""From a column of a mart down to the feeds: what a value is made of, and what only bears on it."""

from __future__ import annotations

import pytest

from ffp_data.lineage.columns import ColumnLineage, UnknownColumnError, packaged
from ffp_data.lineage.graph import graph_of
from ffp_data.lineage.stored import FeedColumn
from ffp_data.lineage.values import Source
from governance.build_gate import Model

BIRTHS = {
    FeedColumn("case_system", "ssd_person", "pers_dob"),
    FeedColumn("education_attendance", "pupils", "date_of_birth"),
    FeedColumn("early_help", "persons", "date_of_birth"),
}


@pytest.fixture(scope="module")
def lineage() -> ColumnLineage:
    return packaged()


@pytest.mark.control("F01")
def test_a_birth_date_is_made_of_birth_dates_alone_and_names_every_feed_that_sends_one(
    lineage: ColumnLineage,
) -> None:
    direct = lineage.upstream("single_view.children", "date_of_birth").direct
    assert direct >= BIRTHS
    names = {(each.feed, each.column) for each in direct}
    assert not {name for _, name in names if "surname" in name or "postcode" in name}


@pytest.mark.control("F01")
def test_what_only_chooses_rows_is_indirect_and_not_lost(lineage: ColumnLineage) -> None:
    up = lineage.upstream("single_view.children", "postcode")
    mark = FeedColumn(
        "health_fhir", "patients", "confidentiality"
    )  # a restricted record hides places
    assert mark in up.indirect
    assert mark not in up.direct


@pytest.mark.control("F01")
def test_every_published_column_knows_its_feeds_and_no_value_is_lost_by_the_engine(
    lineage: ColumnLineage,
) -> None:
    for relation, columns in lineage.graph.steps.items():
        for column, step in columns.items():
            assert step.direct <= step.read, (relation, column)
    for column in lineage.columns("single_view.involvements"):
        assert lineage.upstream("single_view.involvements", column).feeds


def test_declared_facts_lead_to_the_columns_that_the_contract_names(lineage: ColumnLineage) -> None:
    direct = lineage.upstream("single_view.involvements", "contact_phone").direct
    assert FeedColumn("housing", "people", "officer_phone") in direct


def test_which_records_are_one_child_is_told_once_and_not_at_each_column(
    lineage: ColumnLineage,
) -> None:
    up = lineage.upstream("single_view.children", "record_count")
    assert up.rests_on_linkage
    assert FeedColumn("education_attendance", "pupils", "surname") not in up.direct


def test_downstream_is_the_other_way_of_upstream(lineage: ColumnLineage) -> None:
    below = lineage.downstream("early_help", "persons", "postcode")
    assert below[Source("single_view.children", "postcode")] == "direct"
    assert below[Source("single_view.children", "surname")] == "indirect"


@pytest.mark.parametrize(
    ("relation", "column"), [("single_view.children", "nonsense"), ("nowhere.at_all", "x")]
)
def test_a_column_that_is_not_there_is_an_error_with_its_name(relation: str, column: str) -> None:
    with pytest.raises(UnknownColumnError, match=relation):
        packaged().upstream(relation, column)


STORED = {
    ("raw", "a"): {"k": "BIGINT", "v": "VARCHAR", "w": "VARCHAR", "f": "BOOLEAN"},
    ("raw", "b"): {"k": "BIGINT", "g": "VARCHAR", "day": "DATE"},
}

HIDDEN = {
    "exists": "SELECT v FROM raw.a WHERE EXISTS (SELECT 1 FROM raw.b WHERE b.k = a.k AND b.g = 'x')",
    "join": "SELECT a.v FROM raw.a JOIN raw.b USING (k) WHERE b.g = 'x'",
    "count": "SELECT v, (SELECT count(*) FROM raw.b WHERE g = 'x') AS n FROM raw.a",
    "order": "SELECT arg_min(v, g) AS v FROM raw.a JOIN raw.b USING (k)",
    "window": (
        "SELECT v FROM raw.a JOIN raw.b USING (k) QUALIFY row_number() OVER (ORDER BY g) = 1"
    ),
    "case": "SELECT CASE WHEN g = 'x' THEN v ELSE w END AS v FROM raw.a JOIN raw.b USING (k)",
    "common table": (
        "WITH picked AS (SELECT k FROM raw.b WHERE g = 'x') SELECT v FROM raw.a SEMI JOIN picked USING (k)"
    ),
}


@pytest.mark.control("F01")
@pytest.mark.parametrize("sql", HIDDEN.values(), ids=HIDDEN)
def test_a_column_that_filters_joins_counts_or_orders_is_read_and_is_no_value(sql: str) -> None:
    model = Model(("out", "m"), sql, ())
    steps = graph_of([model], STORED).steps["out.m"]
    every = {each for step in steps.values() for each in step.read}
    assert Source("raw.b", "g") in every
    assert Source("raw.b", "g") not in steps["v"].direct
    assert Source("raw.a", "v") in steps["v"].direct


def test_a_common_table_that_is_used_twice_does_not_drag_in_all_its_columns() -> None:
    sql = (
        "WITH c AS (SELECT k, v, w FROM raw.a), d AS (SELECT k, max(w) AS w FROM c GROUP BY k) "
        "SELECT c.v, d.w FROM c JOIN d USING (k)"
    )
    steps = graph_of([Model(("out", "m"), sql, ())], STORED).steps["out.m"]
    assert Source("raw.a", "w") not in steps["v"].read
