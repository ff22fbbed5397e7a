"""The figures that a director signs: how many children and episodes, who they are and how it ended.

Counted over the cohort, as it is written. A breakdown is of the children, or of the episodes that began
or ended in the period, as its name says; a code that no label is known for stands as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

import duckdb

from ffp_data.returns.layout import end_year
from ffp_data.returns.tehadc.match import PreMatch
from ffp_data.returns.tehadc.model import COHORT, CohortCounts
from ffp_data.returns.tehadc.profile import Profile

Figure = tuple[str, int | float | None]

_EPISODES = f"""
WITH episode AS (SELECT * FROM {COHORT}.tehadc_episodes),
began AS (SELECT * FROM episode WHERE teh_start_date BETWEEN $starts AND $ends),
ended AS (SELECT * FROM episode WHERE teh_end_date BETWEEN $starts AND $ends)
"""
_NUMBERS = f"""
{_EPISODES}
SELECT
    (SELECT count(*) FROM began) AS "Episodes that began in the period",
    (SELECT count(*) FROM ended) AS "Episodes that ended in the period",
    (SELECT count(*) FROM episode WHERE coalesce(teh_end_date > $ends, TRUE))
        AS "Episodes open at the end of the period",
    (SELECT round(100 * avg((coalesce(teh_closure_reason, '') IN ('T2', 'T3', 'T4'))::INT), 1)
        FROM ended) AS "Of those that ended, stepped up to social care (%)",
    (SELECT round(100 * avg((coalesce(entry_route, '') IN ('E2', 'E3', 'E4'))::INT), 1) FROM began)
        AS "Of those that began, stepped down from social care (%)",
    (SELECT count(*) FROM began AS b WHERE EXISTS (
        SELECT 1 FROM {COHORT}.tehadc_episodes AS e
        WHERE e.child_key = b.child_key AND e.teh_end_date < b.teh_start_date
            AND e.teh_end_date >= b.teh_start_date - INTERVAL 12 MONTH
    )) AS "Of those that began, within twelve months of one in this return"
"""
_AGE_BANDS = """CASE
    WHEN coalesce(person_birth_date > $ends, TRUE) THEN 'unborn or not known'
    WHEN date_sub('year', person_birth_date, $ends) < 1 THEN '00'
    WHEN date_sub('year', person_birth_date, $ends) < 5 THEN '01 to 04'
    WHEN date_sub('year', person_birth_date, $ends) < 10 THEN '05 to 09'
    WHEN date_sub('year', person_birth_date, $ends) < 16 THEN '10 to 15'
    ELSE '16 and over' END"""
_BREAKDOWNS = (
    ("Children by age at the end of the period", _AGE_BANDS, f"{COHORT}.tehadc_children"),
    ("Children by sex", "sex", f"{COHORT}.tehadc_children"),
    ("Children by ethnicity", "ethnicity", f"{COHORT}.tehadc_children"),
    ("Disabilities of children", "disability", f"{COHORT}.tehadc_disabilities"),
    ("Episodes that began, by source", "teh_referral_source", "began"),
    ("Episodes that ended, by reason", "teh_closure_reason", "ended"),
    (
        "Lead practitioners by agency",
        "lead_practitioner_agency",
        f"{COHORT}.tehadc_lead_practitioners",
    ),
)


def sign_off(
    model: duckdb.DuckDBPyConnection, profile: Profile, counts: CohortCounts, match: PreMatch
) -> Iterator[Figure]:
    """Each figure with its name, in the order in which they are read."""
    yield "Children in the return", match.children
    yield "Episodes in the return", counts.included
    yield "Episodes left out: outside the period", counts.outside_period
    yield "Episodes left out: no plan", counts.without_plan
    yield "Episodes left out: no lead practitioner", counts.without_lead_practitioner
    yield from _counted(model, profile)
    yield "Children in the CIN census", match.cin_children
    for method, number in match.matched.items():
        yield f"Children found in the CIN census by {method}", number
    yield "Different children in either return (Family Help)", match.family_help_children


def _counted(model: duckdb.DuckDBPyConnection, profile: Profile) -> Iterator[Figure]:
    ends = end_year(profile.year)
    period = {"starts": date(ends - 1, 4, 1), "ends": date(ends, 3, 31)}
    row = model.execute(_NUMBERS, period)
    names = [column[0] for column in row.description]
    yield from zip(names, row.fetchone() or (), strict=True)
    labels = _labels(profile)
    for name, value, table in _BREAKDOWNS:
        known = labels.get(value, {})
        found = model.execute(
            f"{_EPISODES} SELECT {value} AS value, count(*) FROM {table}, "
            "(SELECT $starts, $ends) GROUP BY 1 ORDER BY 1 NULLS LAST",
            period,
        )
        for code, number in found.fetchall():
            yield f"{name}: {_said(code, known)}", number


def _said(code: str | None, labels: Mapping[str, str]) -> str:
    if code is None:
        return "(none)"
    return f"{code} {labels[code]}" if labels.get(code, code) != code else code


def _labels(profile: Profile) -> dict[str, Mapping[str, str]]:
    """Code to label, by the column of each item that has codes."""
    return {
        item.column: profile.code_sets[item.codes].codes
        for _, item in profile.items.values()
        if item.codes and item.codes in profile.code_sets
    }
