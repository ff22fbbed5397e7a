"""Models that reach what no agreement gives them are stopped before the build; the project itself is not.

Each mutant is a model that somebody might add. It must be refused with its own name, the stored column or
table that it reaches, and what is missing; a mutant that is let through is a leak.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

import pytest

from ffp_data import feeds
from ffp_data.marts import build_gate, transform
from ffp_data.paths import DBT_PROJECT
from governance.build_gate import Gate, Model, Refusal, Replica, replica
from governance.policy import compile_policy, load
from governance.policy.compile import Lock
from governance.readset import reading

AS_AT = date(2026, 3, 31)
LOCK = compile_policy(load(), AS_AT)
RETURN, VIEW = "statutory_returns.cin_census", "single_view"
POLICE = "warehouse.raw.police_safeguarding__persons"
MATCHER = "warehouse.raw.sui_matcher__successes"
PEOPLE = "warehouse.identity.person_records"
NAME = "returns.cin_added"


@dataclass
class Standing:
    """The project's models, standing as views over empty tables."""

    project: build_gate.Project
    gate: Gate
    warehouse: Replica

    def refuse(self, *models: Model) -> list[Refusal]:
        """What the gate has against models that are added to the project."""
        failed = list(self.warehouse.stand(models))
        if failed:
            return failed
        return self.examine(models)

    def examine(self, models: Sequence[Model], gate: Gate | None = None) -> list[Refusal]:
        """What the gate has against models that stand."""
        with reading(self.warehouse.con) as columns_of:
            return [e for m in models for e in (gate or self.gate).of_model(columns_of, m)]


@pytest.fixture(scope="module")
def standing() -> Iterator[Standing]:
    manifest = transform.current_manifest(DBT_PROJECT / "target" / "manifest.json")
    project = build_gate.project(manifest, AS_AT_VARS)
    stored = build_gate.stored(feeds.load_contracts(feeds.PACKAGED), project)
    with replica(project.columns, frozenset(stored)) as warehouse:
        assert list(warehouse.stand(project.models)) == []
        yield Standing(project, Gate(LOCK, stored), warehouse)


AS_AT_VARS = (
    '{"as_at": "2026-03-31", "period_start": "2025-04-01", "period_end": "2026-03-31",'
    ' "collection_year": "2025-26", "fence": null}'
)


def mart(
    sql: str, purpose: str = RETURN, table: tuple[str, str] = ("returns", "cin_added")
) -> Model:
    return Model(table, sql, (purpose,))


def test_the_project_itself_may_be_built(standing: Standing) -> None:
    assert [str(each) for each in standing.examine(standing.project.models)] == []
    assert standing.project.beside == []


# {t} is the table, {c} a column of it that the purpose may not have, {k} a key of it.
WAYS = {
    "plain": "select {c} from {t}",
    "renamed": "select {c} as note from {t}",
    "star": "select * from {t}",
    "star without it": "select * exclude ({c}) from {t}",
    "columns by pattern": "select columns('.*') from {t}",
    "whole row": "select t from {t} as t",
    "whole row as json": "select to_json(t) as j from {t} as t",
    "counting": "select count(*) as n from {t}",
    "counting distinct": "select count(distinct {c}) as n from {t}",
    "a constant a row": "select 1 as one from {t}",
    "filter": "select record_key from {t} where {c} is not null",
    "order": "select record_key from {t} order by {c} limit 5",
    "group": "select any_value(record_key) as k from {t} group by {c}",
    "having": "select record_key from {t} group by record_key having max({c}) > ''",
    "window": "select record_key, row_number() over (order by {c}) as n from {t}",
    "qualify": "select record_key from {t} qualify row_number() over (partition by {c}) = 1",
    "exists": "select 1 as one where exists (select 1 from {t} where {c} is null)",
    "not exists": "select 1 as one where not exists (from {t})",
    "in": "select child_id from warehouse.single_view.children where child_id in (select {c} from {t})",
    "scalar": "select (select max({c}) from {t}) as worst",
    "correlated": "select child_id, (select max({c}) from {t} where record_key = c.child_id) as w"
    " from warehouse.single_view.children as c",
    "lateral": "select c.child_id, x.w from warehouse.single_view.children as c,"
    " lateral (select max({c}) as w from {t} where record_key = c.child_id) as x",
    "semi join": "select child_id from warehouse.single_view.children as c"
    " semi join {t} as t on c.child_id = t.record_key",
    "anti join": "select child_id from warehouse.single_view.children as c"
    " anti join {t} as t on c.child_id = t.record_key",
    "positional join": "select c.child_id from warehouse.single_view.children as c positional join {t}",
    "asof join": "select c.child_id from warehouse.single_view.children as c"
    " asof join {t} as t on c.child_id >= t.record_key",
    "union": "select child_id from warehouse.single_view.children union all select {c} from {t}",
    "except": "select child_id from warehouse.single_view.children except select {c} from {t}",
    "lambda": "select list_filter(list({c}), lambda v: v is not null) as notes from {t}",
    "list of structs": "select list({{'k': record_key, 'v': {c}}}) as rows from {t}",
    "pivot": "select * from (pivot (select record_key, {c} from {t}) on {c} in ('a', 'b') using count(*))",
    "unpivot": "select * from (unpivot (select record_key, {c} from {t}) on record_key, {c})",
    "recursive": "with recursive r as (select {c} as v, 1 as n from {t}"
    " union all select v, n + 1 from r where n < 3) select v from r",
    "common table": "with a as (from {t}), b as (select {c} from a) select * from b",
    "unused common table": "with a as materialized (select {c} from {t}) select 1 as one",
    "query text": "select * from query('select {c} from {t}')",
    "query table": "select * from query_table('{q}')",
    "sampled": "select {c} from {t} using sample 1",
    "never true": "select record_key from {t} where 1 = 0",
    "no rows wanted": "select {c} from {t} limit 0",
    "a branch that is never taken": "select case when false then (select max({c}) from {t}) end as w",
    "hashed": "select md5({c}) as token from {t}",
    "length alone": "select length({c}) > 0 as has_note from {t}",
}  # fmt: skip

TARGETS = {
    "police in a return": (
        POLICE,
        "force_code",
        RETURN,
        "an agreement that gives police_safeguarding",
    ),
    "matcher in the view": (
        MATCHER,
        "identifier_kind",
        VIEW,
        "an agreement that gives sui_matcher",
    ),
    "people past the door": (PEOPLE, "surname", RETURN, "its door"),
}


@pytest.mark.control("A02")
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("way", WAYS)
def test_no_way_to_a_column_passes_the_gate(standing: Standing, way: str, target: str) -> None:
    table, column, purpose, words = TARGETS[target]
    query = table.removeprefix("warehouse.")
    sql = WAYS[way].format(t=table, c=column, k="record_key", q=query)
    refused = standing.refuse(mart(sql, purpose))
    assert refused, f"{way} passed: {sql}"
    assert {each.model for each in refused} == {NAME}
    reached = [each for each in refused if query in each.source]
    assert reached, [each.missing for each in refused]
    assert all(words in each.missing for each in reached)


OTHER_WAYS = {
    "a file of an extract": "select * from read_parquet('out/children.parquet')",
    "a file by its name": "select * from 'out/children.csv'",
    "a csv": "select * from read_csv('out/children.csv')",
    "any file": "select * from glob('**/*')",
    "text of a file": "select content from read_text('out/children.csv')",
    "a setting": "select current_setting('home_directory') as s, * from duckdb_settings()",
    "another catalogue": "select * from memory.main.anything",
    "the catalogue itself": "select * from duckdb_tables()",
    "a table that nobody declared": "select * from warehouse.raw.brought_by_hand",
    "two statements": "select 1 as one; select * from warehouse.raw.police_safeguarding__persons",
    "no query": "insert into warehouse.raw.police_safeguarding__persons default values",
    "a variable": "select getvariable('x') as x, * from read_json('x.json')",
}


@pytest.mark.control("D09")
@pytest.mark.parametrize("way", OTHER_WAYS)
def test_what_is_no_table_of_the_warehouse_is_refused(standing: Standing, way: str) -> None:
    (refused,) = {each.model for each in standing.refuse(mart(OTHER_WAYS[way]))}
    assert refused == NAME


@pytest.mark.control("A02")
def test_a_copy_of_a_copy_carries_what_it_read(standing: Standing) -> None:
    table, column, *_ = TARGETS["police in a return"]
    first = Model(
        ("intermediate", "int_copied"), f"select {column} as note from {table}", (), False
    )
    second = Model(
        ("intermediate", "int_again"),
        "select note as n from warehouse.intermediate.int_copied",
        (),
        False,
    )
    third = mart("select n is null as x from warehouse.intermediate.int_again")
    refused = standing.refuse(third, second, first)
    assert [(each.model, each.source) for each in refused] == [
        (NAME, f"raw.police_safeguarding__persons.{column}")
    ]


def test_the_columns_of_the_view_are_no_way_into_a_return(standing: Standing) -> None:
    refused = standing.refuse(
        mart("select max(event_type) as e from warehouse.single_view.chronology")
    )
    assert any("police_safeguarding" in each.source for each in refused)


def test_a_mart_without_a_purpose_is_refused(standing: Standing) -> None:
    (refused,) = standing.refuse(Model(("returns", "cin_added"), "select 1 as one", ()))
    assert "a purpose" in refused.missing


def test_a_purpose_that_nobody_agreed_gives_nothing(standing: Standing) -> None:
    table, column, *_ = TARGETS["police in a return"]
    assert standing.refuse(mart(f"select {column} from {table}", "marketing"))
    assert standing.refuse(
        mart("select surname from warehouse.intermediate.int_persons__records", "marketing")
    )


@pytest.mark.control("A02")
def test_a_parent_purpose_does_not_follow_from_a_narrower_one(standing: Standing) -> None:
    column = "current_exclusion"
    sql = f"select {column} from warehouse.raw.probation__persons"
    assert standing.refuse(mart(sql, "statutory_returns.timeliness")) == []
    assert standing.refuse(mart(sql, "statutory_returns"))


@pytest.mark.parametrize(
    "model",
    [
        replace(mart(""), language="python"),
        replace(mart("select 1 as one"), besides=("insert into single_view.children from raw.x",)),
    ],
    ids=["a model in Python", "a hook"],
)
def test_a_model_that_is_not_one_query_is_refused(standing: Standing, model: Model) -> None:
    (refused,) = standing.refuse(model)
    assert refused.source.startswith("by ")


def test_an_agreement_that_was_never_signed_gives_nothing(standing: Standing) -> None:
    data = {**LOCK.data, "agreements": {}}
    gate = replace(standing.gate, lock=Lock(data))
    table, column, *_ = TARGETS["police in a return"]
    model = mart(f"select {column} from {table}", VIEW)
    assert standing.refuse(model) == []
    assert standing.examine([model], gate)


def test_a_return_reads_people_through_the_door_for_returns(standing: Standing) -> None:
    through = "from warehouse.intermediate.int_persons__records"
    assert standing.refuse(mart(f"select surname {through} where is_for_returns")) == []
    (refused,) = standing.refuse(mart(f"select surname {through}"))
    assert (refused.source, refused.missing) == (
        "intermediate.int_persons__records.surname",
        "its door; read intermediate.int_persons__records.is_for_returns and keep the rows it lets in",
    )
