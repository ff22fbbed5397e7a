"""The true counts of each publication, from the marts: tables that nobody outside sees as they are.

Who is kept out of the publication by a right of theirs is not counted, and who must not be located counts
under no area, whatever the mart says of their address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from ffp_data.publications import programme
from ffp_data.publications.counting import Counting
from governance.disclosure_control import Dimension, Frame, Table
from governance.disclosure_control.table import Key

ALL = "all"
NOT_KNOWN = "not known"
ELSEWHERE = "elsewhere or not known"
AGES = ("0 to 4", "5 to 9", "10 to 15", "16 and 17")
EARLY_HELP = (
    "early_help_started",
    "early_help_plan_started",
    "family_help_started",
    "need_plan_started",
    "support_package_started",
)
OUTCOMES = ("in the share", "not in the share")
RELATIONS: Mapping[str, tuple[str, ...]] = {
    "statistics.children_by_service_and_age": ("service", "age", "children"),
    "statistics.children_by_service_and_area": ("service", "area", "children"),
    "statistics.early_help_by_type_and_age": ("type", "age", "events"),
    "statistics.timeliness": ("measure", "outcome", "team", "clocks", "percent"),
    **programme.relations(),
}
"""Relations of publications, each with its dimensions, its count and, of timeliness, the share."""


def by_service(counting: Counting) -> list[Table]:
    """Children with a service at work now, by age and by area; one child counts under each of its services."""
    services = Dimension.flat("service", *counting.terms["services"], overlapping=True)
    ages = Dimension.flat("age", *AGES, NOT_KNOWN)
    areas = Dimension.flat("area", *counting.areas, ELSEWHERE)
    rows = counting.rows(_BY_SERVICE, services=list(services.parts[ALL]))
    return [
        Table.summed(
            counting.frame(
                f"statistics.children_by_service_and_{split.name}", "children", services, split
            ),
            _summed(((row[0], row[column]), row[3]) for row in rows),
        )
        for column, split in ((1, ages), (2, areas))
    ]


_BY_SERVICE = f"""
SELECT service, age, coalesce(area, '{ELSEWHERE}'), count(*)
FROM (
    SELECT '{ALL}' AS service, child_id, age, area FROM counted
    UNION ALL
    SELECT DISTINCT i.service, c.child_id, c.age, c.area
    FROM counted AS c INNER JOIN single_view.involvements AS i ON i.child_id = c.child_id
    WHERE i.state = 'current' AND list_contains($services::VARCHAR[], i.service)
)
GROUP BY ALL ORDER BY ALL
"""


def _summed(rows: Iterable[tuple[Key, int]]) -> dict[Key, int]:
    found: dict[Key, int] = {}
    for key, count in rows:
        found[key] = found.get(key, 0) + count
    return found


def early_help(counting: Counting) -> list[Table]:
    """Early help begun since April, by type and age; each beginning counts."""
    types, ages = Dimension.flat("type", *EARLY_HELP), Dimension.flat("age", *AGES, NOT_KNOWN)
    frame = counting.frame(
        "statistics.early_help_by_type_and_age",
        "early_help_events",
        types,
        ages,
        since=counting.since,
    )
    rows = counting.rows(
        _EARLY_HELP, types=list(EARLY_HELP), since=counting.since, until=counting.as_at
    )
    return [_of_events(frame, rows)]


_EARLY_HELP = f"""
, per_child AS (
    SELECT e.event_type, c.age, c.child_id, count(*) AS events
    FROM counted AS c INNER JOIN single_view.chronology AS e ON e.child_id = c.child_id
    WHERE list_contains($types::VARCHAR[], e.event_type) AND e.event_date BETWEEN $since AND $until
    GROUP BY GROUPING SETS (
        (e.event_type, c.age, c.child_id), (c.age, c.child_id), (e.event_type, c.child_id), (c.child_id)
    )
)
SELECT
    coalesce(event_type, '{ALL}'), coalesce(age, '{ALL}'),
    sum(events)::BIGINT, count(*), max(events)
FROM per_child GROUP BY ALL ORDER BY ALL
"""


def timeliness(counting: Counting) -> list[Table]:
    """Clocks of each measure by team, in the share that counts as timely or not."""
    found: dict[tuple[str, date], list[tuple[Any, ...]]] = {}
    for measure, since, *row in counting.rows(_TIMELINESS, until=counting.as_at):
        found.setdefault((measure, since), []).append(tuple(row))
    return [_of_measure(counting, *named, rows) for named, rows in found.items()]


def _of_measure(
    counting: Counting, measure: str, since: date, rows: list[tuple[Any, ...]]
) -> Table:
    teams = sorted({row[1] for row in rows} - {ALL})
    frame = counting.frame(
        f"statistics.timeliness {measure}",
        f"clocks {measure}",
        Dimension.flat("outcome", *OUTCOMES),
        Dimension.flat("team", *teams),
        since=since,
    )
    return _of_events(frame, rows)


_TIMELINESS = f"""
, clocks AS (
    SELECT
        k.measure_id, m.period_start, k.child_id, coalesce(k.team, 'not shown') AS team,
        if(k.is_in_numerator, '{OUTCOMES[0]}', '{OUTCOMES[1]}') AS outcome
    FROM counted AS c
    INNER JOIN timeliness.clocks AS k ON k.child_id = c.child_id
    INNER JOIN timeliness.measures AS m ON m.measure_id = k.measure_id AND m.level = 'partnership'
    WHERE k.is_counted AND m.as_at = $until
), per_child AS (
    SELECT measure_id, period_start, outcome, team, child_id, count(*) AS clocks
    FROM clocks
    GROUP BY GROUPING SETS (
        (measure_id, period_start, outcome, team, child_id), (measure_id, period_start, team, child_id),
        (measure_id, period_start, outcome, child_id), (measure_id, period_start, child_id)
    )
)
SELECT
    measure_id, period_start, coalesce(outcome, '{ALL}'), coalesce(team, '{ALL}'),
    sum(clocks)::BIGINT, count(*), max(clocks)
FROM per_child GROUP BY ALL ORDER BY ALL
"""


def _of_events(frame: Frame, rows: list[tuple[Any, ...]]) -> Table:
    """A table of events, each row a cell with its count, its people and the most that one of them gives."""
    counts = dict.fromkeys(frame.all_keys(), 0)
    people: dict[tuple[str, ...], tuple[int, int]] = {}
    for first, second, count, persons, largest in rows:
        counts[first, second] = count
        people[first, second] = (persons, largest)
    return Table(frame, counts, people)


PUBLICATIONS: Mapping[str, Callable[[Counting], list[Table]]] = {
    "children_by_service": by_service,
    "early_help": early_help,
    "timeliness": timeliness,
    "programme": programme.tables,
}
