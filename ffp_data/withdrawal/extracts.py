"""What recipients would get otherwise: the agreed columns of the agreed rows, before and after.

Counted is what an agreement gives of the marts. What is changed on the way out (pseudonyms, months, protected
places, small numbers) is not repeated here: a value that differs before it differs after, or is hidden in both.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import date

import duckdb

from ffp_data.home.run import Run
from ffp_data.warehouse import CATALOG
from ffp_data.withdrawal.compare import Difference, compare_rows
from ffp_data.withdrawal.scope import Scope, current_lock
from ffp_data.withdrawal.scratch import HOME, qualified
from governance.grants import Cohort, Grants, ReleaseDecision
from governance.syntax import quoted

_PURPOSES = ("single_view", "statutory_returns", "identity_matching")


def of_recipients(
    con: duckdb.DuckDBPyConnection, run: Run, touched: Collection[str]
) -> tuple[Difference, ...]:
    """What changes for each recipient of a table that differs between home and scratch."""
    grants = Grants(current_lock(run))
    asked = sorted({each for purpose in _PURPOSES for each in grants.recipients(purpose)})
    found = [
        difference
        for recipient, purpose in asked
        for relation, names, cohort in _tables(grants.release(recipient, purpose))
        if relation in touched
        and not (
            difference := replace(
                _compared(con, relation, names, cohort, run.as_at),
                relation=f"{recipient} ({purpose}): {relation}",
            )
        ).is_none
    ]
    return tuple(found)


def of_recipient(con: duckdb.DuckDBPyConnection, run: Run, scope: Scope) -> tuple[Difference, ...]:
    """What the recipient of an outbound agreement would no longer get: all that it gives."""
    grants, found = Grants(current_lock(run)), []
    for purpose in scope.terms["purposes"]:
        decision = grants.release(scope.terms["recipient"], purpose)
        for relation, names, cohort in _tables(decision):
            rows = _given(con, HOME, relation, names, cohort, run.as_at)
            difference = compare_rows(con, relation, rows, f"{rows} AND false", names)
            found.append(
                replace(difference, relation=f"{decision.recipient} ({purpose}): {relation}")
            )
    return tuple(found)


def _tables(decision: ReleaseDecision) -> Iterator[tuple[str, list[str], Cohort]]:
    if decision.allowed and decision.cohort:
        for relation in decision.relations:
            names = [item.column for item in decision.items if item.relation == relation]
            yield relation, list(dict.fromkeys(names)), decision.cohort


def _compared(
    con: duckdb.DuckDBPyConnection, relation: str, names: list[str], cohort: Cohort, as_at: date
) -> Difference:
    before = _given(con, HOME, relation, names, cohort, as_at)
    after = _given(con, CATALOG, relation, names, cohort, as_at)
    return compare_rows(con, relation, before, after, names)


def _given(
    con: duckdb.DuckDBPyConnection,
    catalog: str,
    relation: str,
    names: list[str],
    cohort: Cohort,
    as_at: date,
) -> str:
    """SQL of the agreed rows in one catalog; the cohort is read there too, and kept as a list."""
    listed = ", ".join(map(quoted, names))
    query = f"SELECT {listed} FROM {catalog}.{qualified(relation)} WHERE true"
    if cohort.members is None:
        return query
    members = f"members_{catalog}"
    con.execute(f"USE {catalog}")
    given = {"as_at": as_at} if "$as_at" in cohort.members else {}
    con.execute(f"CREATE OR REPLACE TEMP TABLE {members} AS {cohort.members}", given)
    con.execute(f"USE {CATALOG}")
    return f"{query} AND {quoted(cohort.key)} IN (FROM temp.{members})"
