"""Over whom a publication counts: children whom no right keeps out of it, with age and area."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from governance.disclosure_control import Dimension, Frame
from governance.release import Rights, those_kept_out


@dataclass(frozen=True)
class Counting:
    """What counting needs: a connection, whose rights bind it, the publication's terms, day and edition."""

    con: duckdb.DuckDBPyConnection
    rights: Rights
    recipient: str
    purpose: str
    as_at: date
    since: date
    terms: Mapping[str, Any]
    edition: int

    def rows(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        """Rows of a query over `counted`, the children that count, with age and area."""
        known = {
            "recipient": self.recipient,
            "purpose": self.purpose,
            "districts": [d for each in self.areas.values() for d in each],
            "names": [name for name, each in self.areas.items() for _ in each],
            **values,
        }
        full = (
            _COUNTED.format(kept_out=those_kept_out(self.rights), protected=self.rights.protected)
            + sql
        )
        bound = {name: value for name, value in known.items() if f"${name}" in full}
        return self.con.execute(full, bound).fetchall()

    @property
    def areas(self) -> Mapping[str, list[str]]:
        found: Mapping[str, list[str]] = self.terms.get("areas", {})
        return found

    def frame(self, name: str, counted: str, *split: Dimension, since: date | None = None) -> Frame:
        """The frame of a table of this publication and day."""
        begun = since.isoformat() if since else None
        return Frame(name, counted, self.as_at.isoformat(), split, begun, self.edition)


_COUNTED = """
WITH counted AS (
    SELECT
        c.child_id,
        CASE
            WHEN c.age_years IS NULL THEN 'not known'
            WHEN c.age_years < 5 THEN '0 to 4'
            WHEN c.age_years < 10 THEN '5 to 9'
            WHEN c.age_years < 16 THEN '10 to 15'
            ELSE '16 and 17'
        END AS age,
        CASE WHEN p.child_id IS NULL
            THEN ($names::VARCHAR[])[list_position($districts::VARCHAR[], split_part(c.postcode, ' ', 1))]
        END AS area
    FROM single_view.children AS c
    LEFT JOIN ({kept_out}) AS o ON o.child_id = c.child_id
    LEFT JOIN (SELECT DISTINCT child_id FROM ({protected})) AS p ON p.child_id = c.child_id
    WHERE o.child_id IS NULL AND NOT coalesce(c.is_unborn, false) AND coalesce(c.age_years, 0) < 18
)
"""
