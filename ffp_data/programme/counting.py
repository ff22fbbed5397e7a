"""One query for every table of the programme: occurrences of a measure, by a code and a column of the population.

Counted are children, or events with how many children are behind them and how many the most of one child. Who must not
be located counts under no area; whom a right keeps out of a publication is not counted in it at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb

from ffp_data.home.protected import MUST_NOT_BE_LOCATED
from ffp_data.programme.tables import TableSpec, programme
from governance.disclosure_control import Dimension, Frame, Table

ALL = "all"
ELSEWHERE = "elsewhere or not known"
NOBODY = "SELECT NULL::VARCHAR AS child_id WHERE false"
Row = tuple[str, str, int, int, int]
"""Code of the row, code of the column, events, children, most events of one child."""

_COUNT = """
WITH people AS (
    SELECT
        p.child_id, p.age, p.ethnicity, p.sex, p.disability,
        coalesce(CASE WHEN protected.child_id IS NULL
            THEN ($names::VARCHAR[])[list_position($districts::VARCHAR[], p.district)] END, '{elsewhere}') AS area
    FROM programme.population AS p
    LEFT JOIN (SELECT DISTINCT child_id FROM ({protected})) AS protected ON protected.child_id = p.child_id
    LEFT JOIN (SELECT DISTINCT child_id FROM ({kept_out})) AS kept_out ON kept_out.child_id = p.child_id
    WHERE kept_out.child_id IS NULL
), per_child AS (
    SELECT o.code, {by} AS other, o.child_id, sum(o.events) AS events
    FROM programme.occurrences AS o INNER JOIN people AS p ON p.child_id = o.child_id
    WHERE o.measure = $measure
    GROUP BY GROUPING SETS ((1, 2, 3), (2, 3), (1, 3), (3))
)
SELECT coalesce(code, '{all}'), coalesce(other, '{all}'), sum(events)::BIGINT, count(*), max(events)::BIGINT
FROM per_child GROUP BY ALL ORDER BY ALL
"""


@dataclass(frozen=True)
class Scope:
    """Who is counted and how places are named: areas with their districts, and SQL for those left out."""

    areas: Mapping[str, Sequence[str]]
    kept_out: str = NOBODY
    protected: str = MUST_NOT_BE_LOCATED
    values: Mapping[str, object] | None = None

    def codes(self, spec: TableSpec, found: Sequence[Row]) -> tuple[list[str], list[str]]:
        """Codes of rows and columns: as listed, areas as named, factors as found."""
        known = programme().codes
        rows = known.get(spec.rows) or sorted({row[0] for row in found} - {ALL}, key=_factor)
        columns = [*self.areas, ELSEWHERE] if spec.by == "area" else known[spec.columns]
        return list(rows), list(columns)


def _factor(code: str) -> tuple[int, str]:
    """Factors in the order of their numbers: 2A before 10A."""
    return int("".join(c for c in code if c.isdigit()) or 0), code


def quarters(con: duckdb.DuckDBPyConnection) -> list[date]:
    """Last days of the quarters that have moves, oldest first."""
    measures = con.execute(
        "SELECT DISTINCT measure FROM programme.occurrences WHERE measure LIKE 'move %' ORDER BY 1"
    ).fetchall()
    return [date.fromisoformat(measure.partition(" ")[2]) for (measure,) in measures]


def measure(spec: TableSpec, quarter: date | None = None) -> str:
    """The measure of a table; of moves, that of the quarter which ends on a day."""
    return f"{spec.of} {quarter.isoformat()}" if quarter else spec.of


def rows(con: duckdb.DuckDBPyConnection, spec: TableSpec, what: str, scope: Scope) -> list[Row]:
    """Every cell that anybody is in, margins among them."""
    sql = _COUNT.format(
        by="o.other_code" if spec.by == "other_code" else f"p.{spec.by}",
        protected=scope.protected,
        kept_out=scope.kept_out,
        elsewhere=ELSEWHERE,
        all=ALL,
    )
    values = {
        "measure": what,
        "districts": [d for each in scope.areas.values() for d in each],
        "names": [name for name, each in scope.areas.items() for _ in each],
        **(scope.values or {}),
    }
    bound = {name: value for name, value in values.items() if f"${name}" in sql}
    return con.execute(sql, bound).fetchall()


def table(spec: TableSpec, found: Sequence[Row], frame: Frame) -> Table:
    """The counts of every cell of a frame, zeros among them."""
    counts = dict.fromkeys(frame.all_keys(), 0)
    people: dict[tuple[str, ...], tuple[int, int]] = {}
    for code, other, events, children, most in found:
        counts[code, other] = events if spec.counts == "events" else children
        if spec.counts == "events":
            people[code, other] = (children, most)
    return Table(frame, counts, people)


def dimensions(
    spec: TableSpec,
    codes: tuple[list[str], list[str]],
    quarter: tuple[date, date] | None,
    day: date,
) -> tuple[Dimension, Dimension]:
    """Rows and columns. A level is named with its day, so that it is one cell in every table of that day."""
    names = [spec.rows, spec.columns]
    if quarter:
        names = [f"level on {each.isoformat()}" for each in quarter]
    elif spec.rows == "level":
        names[0] = f"level on {day.isoformat()}"
    return (
        Dimension.flat(names[0], *codes[0], overlapping=spec.overlapping),
        Dimension.flat(names[1], *codes[1]),
    )
