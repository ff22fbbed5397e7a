"""What became of every row of the feed and every child of the single view in a return.

The SQL of a collection places each row and each child and gives what is on one side alone the first
reason that fits (categories.yaml). It reads the same tables as the return was made of, but comes to
its answer by the dates and links of the rows themselves, not by the models of the return: what those
lose for another reason comes out as `unexplained`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from functools import cache
from pathlib import Path

import duckdb
import yaml
from pydantic import TypeAdapter

from ffp_data.returns.layout import LayoutError
from ffp_data.sql_text import literal
from ffp_data.strict import Strict

UNEXPLAINED = "unexplained"
FEED, VIEW = "feed", "single view"
_FOLDER = Path(__file__).parent


class Category(Strict):
    """Why something is on one side alone; `mend` when somebody should look at it."""

    says: str
    mend: bool


@dataclass(frozen=True)
class Basis:
    """The year of the return, and the cohort of its profile where it has one."""

    collection: str
    starts: date
    ends: date
    requires_plan: bool = True
    requires_lead_practitioner: bool = True


@dataclass(frozen=True)
class Total:
    """Of one module: rows or children over there, in the return, and in both."""

    against: str
    module: str
    there: int
    in_return: int
    both: int


@dataclass(frozen=True)
class Count:
    """Of one module: how many are on one side alone for one reason. `side` is where they are."""

    against: str
    module: str
    side: str
    category: str
    number: int


@dataclass(frozen=True)
class Difference:
    """One row or child that somebody should look at."""

    against: str
    module: str
    side: str
    category: str
    child: str | None
    record_key: str | None
    table: str | None
    file: str | None
    line: int | None
    detail: str | None


@dataclass(frozen=True)
class Reconciliation:
    """Everything that return, feed and single view differ in."""

    totals: tuple[Total, ...]
    counts: tuple[Count, ...]
    to_look_at: tuple[Difference, ...]

    @property
    def unexplained(self) -> int:
        """Rows and children for which no reason was found."""
        return sum(each.number for each in self.counts if each.category == UNEXPLAINED)

    def as_dict(self) -> dict[str, object]:
        """Counts alone, for JSON: no child is named."""
        return {
            "unexplained": self.unexplained,
            "totals": [asdict(each) for each in self.totals],
            "differences": [asdict(each) for each in self.counts],
        }


def reconcile(
    con: duckdb.DuckDBPyConnection, basis: Basis, rows_to: Path | None = None
) -> Reconciliation:
    """Hold the return in schema `returns` of the warehouse against feed and single view.

    With `rows_to`, every difference is written there as CSV, those that are a rule of the return too.
    Raises LayoutError for a collection without such SQL.
    """
    path = _FOLDER / f"{basis.collection}.sql"
    if not path.is_file():
        raise LayoutError(f"'{basis.collection}' cannot be reconciled")
    for name, value in _parameters(basis).items():
        con.execute(f"CREATE OR REPLACE TEMP MACRO {name}() AS {value}")
    con.execute(path.read_text("utf-8"))
    con.execute(_DIFFERENCES)
    if rows_to is not None:
        con.execute(f"COPY (FROM difference ORDER BY ALL) TO {literal(rows_to)} (HEADER)")
    mend = [name for name, category in categories().items() if category.mend]
    looked_at = con.execute(_TO_LOOK_AT, [mend]).fetchall()
    return Reconciliation(
        tuple(Total(*row) for row in con.execute(_TOTALS).fetchall()),
        tuple(Count(*row) for row in con.execute(_COUNTS).fetchall()),
        tuple(Difference(*row) for row in looked_at),
    )


@cache
def categories() -> Mapping[str, Category]:
    """Every reason by its name."""
    text = (_FOLDER / "categories.yaml").read_text("utf-8")
    return TypeAdapter(dict[str, Category]).validate_python(yaml.safe_load(text))


def _parameters(basis: Basis) -> dict[str, str]:
    return {
        "period_start": f"DATE '{basis.starts}'",
        "period_end": f"DATE '{basis.ends}'",
        "requires_plan": str(int(basis.requires_plan)),
        "requires_lead_practitioner": str(int(basis.requires_lead_practitioner)),
    }


_DIFFERENCES = f"""
CREATE OR REPLACE TEMP TABLE difference AS
SELECT
    '{FEED}' AS against, f.module, '{FEED}' AS side, f.category, n.la_child_id AS child,
    f.record_key, f.source_table, d.file_name AS file, f.line, f.start_date, f.end_date, f.detail
FROM of_feed AS f
LEFT JOIN intermediate.int_persons__case_numbers AS n ON f.child_id = n.child_id
LEFT JOIN (
    SELECT delivery_id, table_name, min(file_name) AS file_name FROM meta.deliveries GROUP BY ALL
) AS d ON f.delivery_id = d.delivery_id AND f.source_table = d.table_name
WHERE f.category IS NOT NULL
UNION ALL BY NAME
SELECT
    '{VIEW}' AS against, v.module, CASE WHEN v.is_in_view THEN '{VIEW}' ELSE 'return' END AS side,
    v.category, n.la_child_id AS child
FROM of_view AS v
LEFT JOIN intermediate.int_persons__case_numbers AS n ON v.child_id = n.child_id
WHERE v.category IS NOT NULL
"""

_TOTALS = f"""
SELECT '{FEED}', module, count(*), count(*) FILTER (WHERE category IS NULL) AS matched, matched
FROM of_feed GROUP BY module
UNION ALL
SELECT
    '{VIEW}', module, count(*) FILTER (WHERE is_in_view), count(*) FILTER (WHERE is_in_return),
    count(*) FILTER (WHERE is_in_view AND is_in_return)
FROM of_view GROUP BY module
ORDER BY 1, 2
"""

_COUNTS = (
    "SELECT against, module, side, category, count(*) FROM difference GROUP BY ALL ORDER BY ALL"
)

_TO_LOOK_AT = """
SELECT against, module, side, category, child, record_key, source_table, file, line, detail
FROM difference WHERE category IN (SELECT unnest(?::VARCHAR[])) ORDER BY ALL
"""
