"""A model takes the place of what stood under its name in one step, and leaves it alone when it fails."""

from __future__ import annotations

import pytest

from tests.dbt_project.warehouse import Warehouse, failures

TABLE, VIEW = "intermediate.int_calendar__days", "staging.stg_meta__bank_holidays"
SELECT = ("run", "--select", "+int_calendar__days", "int_census__period")


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    warehouse = Warehouse(tmp_path_factory.mktemp("dbt"))
    warehouse.create({"meta.bank_holidays": []})
    return warehouse


def _kinds(warehouse: Warehouse) -> dict[str, str]:
    """What stands in the schemas of these models, and of what kind it is."""
    return dict(
        warehouse.rows(
            "SELECT table_schema || '.' || table_name, table_type FROM information_schema.tables"
            " WHERE table_schema IN ('staging', 'intermediate')"
        )
    )


BUILT = {TABLE: "BASE TABLE", VIEW: "VIEW", "intermediate.int_census__period": "BASE TABLE"}


def test_a_model_replaces_a_table_or_a_view_of_its_name(warehouse: Warehouse) -> None:
    with warehouse.connect() as con:
        for schema in ("staging", "intermediate"):
            con.execute(f"CREATE SCHEMA {schema}")
        con.execute(f"CREATE TABLE {VIEW} AS SELECT 1 AS of_before")
        con.execute(f"CREATE VIEW {TABLE} AS SELECT 1 AS of_before")
    for _ in range(2):
        assert failures(warehouse.dbt(*SELECT)) == []
        assert _kinds(warehouse) == BUILT


def test_a_model_that_fails_leaves_the_former_table(warehouse: Warehouse) -> None:
    assert failures(warehouse.dbt(*SELECT)) == []
    before = warehouse.rows("FROM intermediate.int_census__period")
    ended = warehouse.dbt(*SELECT, "--vars", '{"period_start": "no day"}')
    assert [each.split(":")[0] for each in failures(ended)] == ["int_census__period"]
    assert warehouse.rows("FROM intermediate.int_census__period") == before
    assert _kinds(warehouse) == BUILT
