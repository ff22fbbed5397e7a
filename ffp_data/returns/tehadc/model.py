"""The model from which every TEHADC format is written: a copy in memory, cut to the cohort.

The tables of the warehouse are copied once, with the CIN census beside them for the match; the
cohort is then chosen from the copy. All formats read the same copy and so cannot disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import duckdb

from ffp_data.returns.layout import Layout, LayoutError, end_year
from ffp_data.returns.tables import create_tables, existing_tables
from ffp_data.returns.tehadc.profile import Profile

SOURCE = "source"  # everything that was delivered
COHORT = "cohort"  # what is returned
CONFLICTS = "return_conflicts"  # what the two systems behind a return say differently of a child
CONFLICT_COLUMNS = (
    "child_key",
    "item",
    "early_help_value",
    "case_system_value",
    "early_help_record_key",
    "case_system_record_key",
)


@dataclass(frozen=True)
class CohortCounts:
    """Episodes by what became of them; an episode is counted under its first reason."""

    included: int
    outside_period: int
    without_plan: int
    without_lead_practitioner: int


def copy_tables(
    con: duckdb.DuckDBPyConnection, profile: Profile, cin: Layout, schema: str
) -> duckdb.DuckDBPyConnection:
    """Copy the TEHADC and CIN tables of `schema` to a database in memory, schema `source`.

    The table of conflicts between the systems comes along, empty where `schema` has none.

    Raises LayoutError when a TEHADC table or a column that the profile writes is missing; CIN
    tables may be missing and are then empty.
    """
    model = duckdb.connect(config={"temp_file_encryption": "true"})
    create_tables(model, profile.full_layout, SOURCE)
    create_tables(model, cin, SOURCE)
    present = existing_tables(con, schema)
    missing = {t.name for t in profile.layout.tables} - present
    if missing:
        raise LayoutError(f"schema {schema} has no {', '.join(sorted(missing))}; build marts first")
    needed = {t.name: {i.column for i in t.items} for t in profile.layout.tables}
    for table in (*profile.full_layout.tables, *cin.tables):
        if table.name in present:
            columns = [name for name, _ in table.columns]
            _copy(con, model, table.name, schema, columns, needed.get(table.name, set()))
    columns_of_conflicts = ", ".join(f"{name} VARCHAR" for name in CONFLICT_COLUMNS)
    model.execute(f"CREATE TABLE {SOURCE}.{CONFLICTS} ({columns_of_conflicts})")
    if CONFLICTS in present:
        _copy(con, model, CONFLICTS, schema, CONFLICT_COLUMNS, set(CONFLICT_COLUMNS))
    return model


def _copy(
    con: duckdb.DuckDBPyConnection,
    model: duckdb.DuckDBPyConnection,
    table: str,
    schema: str,
    columns: Sequence[str],
    needed: set[str],
) -> None:
    rows = con.execute(f"SELECT * FROM {schema}.{table}").to_arrow_table()
    lacking = needed - set(rows.column_names)
    if lacking:
        raise LayoutError(f"{schema}.{table} has no column {', '.join(sorted(lacking))}")
    model.register("rows_to_copy", rows.select([c for c in columns if c in rows.column_names]))
    model.execute(f"INSERT INTO {SOURCE}.{table} BY NAME SELECT * FROM rows_to_copy")
    model.unregister("rows_to_copy")


def choose_cohort(model: duckdb.DuckDBPyConnection, profile: Profile) -> CohortCounts:
    """Fill schema `cohort` with the episodes that belong in the return, and their children.

    An episode belongs when it was open on a day of the period and, as the profile asks, had a
    plan and a lead practitioner at some point (FFP programme guide 2026-27: a plan in place and
    a lead practitioner appointed).
    """
    create_tables(model, profile.full_layout, COHORT)
    ends = end_year(profile.year)
    model.execute(
        _REASONS,
        {
            "starts": date(ends - 1, 4, 1),
            "ends": date(ends, 3, 31),
            "plan": profile.cohort.requires_plan,
            "lead": profile.cohort.requires_lead_practitioner,
        },
    )
    for table in profile.full_layout.tables:
        keys = "child_key, teh_episode_id" if "teh_episode_id" in table.key_columns else "child_key"
        model.execute(
            f"INSERT INTO {COHORT}.{table.name} SELECT t.* FROM {SOURCE}.{table.name} AS t "
            f"SEMI JOIN (SELECT * FROM chosen WHERE reason IS NULL) USING ({keys})"
        )
    counts = dict(
        model.execute("SELECT coalesce(reason, ''), count(*) FROM chosen GROUP BY ALL").fetchall()
    )
    return CohortCounts(
        counts.get("", 0), counts.get("period", 0), counts.get("plan", 0), counts.get("lead", 0)
    )


_REASONS = """
CREATE OR REPLACE TEMP TABLE chosen AS
SELECT
    child_key,
    teh_episode_id,
    CASE
        WHEN teh_start_date > $ends OR teh_end_date < $starts THEN 'period'
        WHEN $plan AND (child_key, teh_episode_id) NOT IN (
            SELECT (child_key, teh_episode_id) FROM source.tehadc_plans
            WHERE teh_plan_start_date IS NOT NULL
        ) THEN 'plan'
        WHEN $lead AND (child_key, teh_episode_id) NOT IN (
            SELECT (child_key, teh_episode_id) FROM source.tehadc_lead_practitioners
            WHERE lead_practitioner_start_date IS NOT NULL
        ) THEN 'lead'
    END AS reason
FROM source.tehadc_episodes
"""
