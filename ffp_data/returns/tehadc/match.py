"""Pre-match of the TEHADC with the CIN census, as DfE says it will match them.

Each child of the cohort is looked for in the census by LAchildID, then by UPN, then by birth date
and sex where that pair is unique in both returns and not both have a UPN: two pupil numbers are
two children. A match by anything but LAchildID means one child under two identifiers; values that
differ between the two records are conflicts. Where both returns take a value from one of two
systems, what the other system says is a conflict between systems.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import duckdb

from ffp_data.returns.tehadc.model import COHORT, CONFLICTS, SOURCE

METHODS = ("LAchildID", "UPN", "birth date and sex")


@dataclass(frozen=True)
class Conflict:
    """One item on which the two returns differ, or one child under two identifiers."""

    la_child_id: str
    cin_la_child_id: str
    matched_by: str
    item: str
    tehadc_value: str | None
    cin_value: str | None


@dataclass(frozen=True)
class SystemConflict:
    """One item of one child on which early help module and case system differ, and where they say so."""

    la_child_id: str
    item: str
    early_help_value: str
    case_system_value: str
    early_help_record_key: str
    case_system_record_key: str


@dataclass(frozen=True)
class PreMatch:
    """Counts of children by how they were matched, and the conflicts in a fixed order."""

    children: int
    cin_children: int
    matched: Mapping[str, int]
    family_help_children: int
    conflicts: tuple[Conflict, ...]
    between_systems: tuple[SystemConflict, ...]

    def as_dict(self) -> dict[str, object]:
        """For JSON. `family_help_children` is the number of different children in both returns."""
        return asdict(self)


def pre_match(model: duckdb.DuckDBPyConnection) -> PreMatch:
    """Match schema `cohort` with the CIN tables of schema `source`."""
    model.execute(_MATCH.format(cohort=COHORT, source=SOURCE))
    counts = dict(model.execute("SELECT method, count(*) FROM match GROUP BY ALL").fetchall())
    conflicts = tuple(Conflict(*row) for row in model.execute(_CONFLICTS).fetchall())
    systems = model.execute(_BETWEEN_SYSTEMS).fetchall()
    children = _count(model, f"{COHORT}.tehadc_children")
    cin_children = _count(model, f"{SOURCE}.cin_children")
    return PreMatch(
        children=children,
        cin_children=cin_children,
        matched={name: counts.get(place, 0) for place, name in enumerate(METHODS, 1)},
        family_help_children=children + cin_children - sum(counts.values()),
        conflicts=conflicts,
        between_systems=tuple(SystemConflict(*row) for row in systems),
    )


def _count(model: duckdb.DuckDBPyConnection, table: str) -> int:
    row = model.execute(f"SELECT count(*) FROM {table}").fetchone()
    return 0 if row is None else int(row[0])


_MATCH = """
CREATE OR REPLACE TEMP TABLE match AS
WITH teh AS (SELECT * FROM {cohort}.tehadc_children),
cin AS (SELECT * FROM {source}.cin_children),
teh_pair AS (
    SELECT * FROM teh WHERE person_birth_date IS NOT NULL
    QUALIFY count(*) OVER (PARTITION BY person_birth_date, sex) = 1
),
cin_pair AS (
    SELECT * FROM cin WHERE person_birth_date IS NOT NULL
    QUALIFY count(*) OVER (PARTITION BY person_birth_date, sex) = 1
),
candidates AS (
    SELECT teh.child_key AS teh_key, cin.child_key AS cin_key, 1 AS method
    FROM teh JOIN cin USING (la_child_id)
    UNION ALL
    SELECT teh.child_key, cin.child_key, 2 FROM teh JOIN cin USING (upn)
    UNION ALL
    SELECT t.child_key, c.child_key, 3
    FROM teh_pair AS t JOIN cin_pair AS c USING (person_birth_date, sex)
    WHERE t.upn IS NULL OR c.upn IS NULL
),
best_for_teh AS (
    SELECT * FROM candidates
    QUALIFY row_number() OVER (PARTITION BY teh_key ORDER BY method, cin_key) = 1
),
best AS (
    SELECT * FROM best_for_teh
    QUALIFY row_number() OVER (PARTITION BY cin_key ORDER BY method, teh_key) = 1
)
SELECT
    method,
    t.la_child_id, c.la_child_id AS cin_la_child_id,
    t.upn, c.upn AS cin_upn,
    t.person_birth_date, c.person_birth_date AS cin_person_birth_date,
    t.sex, c.sex AS cin_sex,
    t.ethnicity, c.ethnicity AS cin_ethnicity
FROM best JOIN teh AS t ON t.child_key = teh_key JOIN cin AS c ON c.child_key = cin_key
"""

_CONFLICTS = """
WITH compared AS (
    SELECT *, unnest([
        {'item': 'LAchildID', 'teh': la_child_id, 'cin': cin_la_child_id},
        {'item': 'UPN', 'teh': upn, 'cin': cin_upn},
        {'item': 'PersonBirthDate', 'teh': CAST(person_birth_date AS VARCHAR),
            'cin': CAST(cin_person_birth_date AS VARCHAR)},
        {'item': 'Sex', 'teh': sex, 'cin': cin_sex},
        {'item': 'Ethnicity', 'teh': ethnicity, 'cin': cin_ethnicity}
    ]) AS pair
    FROM match
)
SELECT
    la_child_id, cin_la_child_id,
    ['LAchildID', 'UPN', 'birth date and sex'][method],
    pair.item, pair.teh, pair.cin
FROM compared
WHERE pair.teh IS DISTINCT FROM pair.cin
ORDER BY la_child_id, cin_la_child_id, pair.item
"""

_BETWEEN_SYSTEMS = f"""
SELECT
    la_child_id, item, early_help_value, case_system_value,
    early_help_record_key, case_system_record_key
FROM {SOURCE}.{CONFLICTS} JOIN {COHORT}.tehadc_children USING (child_key)
ORDER BY ALL
"""
