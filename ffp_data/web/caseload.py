"""Whose child is whose: who helps a child now, as the single view says, beside a user's teams and names."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ffp_data.single_view.published import Published
from ffp_data.single_view.words import age_of, name_of
from ffp_data.web.users import User

_MINE = "state = 'current' AND (list_contains(?::VARCHAR[], team) OR list_contains(?::VARCHAR[], contact_name))"

_CASELOAD = f"""
WITH mine AS (
    SELECT child_id, min(since) AS since, string_agg(DISTINCT service_label, ', ' ORDER BY service_label) AS services
    FROM involvements WHERE {_MINE} GROUP BY child_id
)
SELECT c.child_id, c.given_name, c.middle_names, c.surname, c.date_of_birth, c.expected_birth_date, c.age_years,
       c.is_restricted, m.since, m.services, f.flags, e.last_event
FROM mine AS m
JOIN children AS c USING (child_id)
LEFT JOIN (
    SELECT child_id, list(rule_in_words ORDER BY flag) AS flags FROM flags SEMI JOIN mine USING (child_id) GROUP BY ALL
) AS f USING (child_id)
LEFT JOIN (
    SELECT child_id, max(event_date) AS last_event FROM chronology SEMI JOIN mine USING (child_id) GROUP BY ALL
) AS e USING (child_id)
ORDER BY coalesce(len(f.flags), 0) DESC, e.last_event DESC NULLS LAST, c.surname, c.given_name, c.child_id
"""


def caseload(view: Published, user: User, shielded: Collection[str] = ()) -> list[dict[str, Any]]:
    """The user's children, those with most flags first; `shielded`: those hidden since the view was made."""
    rows = view.rows(_CASELOAD, [list(user.teams), list(user.workers)])
    hidden = view.protected.union(shielded)
    return [
        {
            **row,
            "name": name_of(row),
            "age": age_of(row),
            "flags": row["flags"] or [],
            "is_restricted": row["is_restricted"] or row["child_id"] in hidden,
        }
        for row in rows
    ]


def own_children(view: Published, user: User) -> list[str]:
    """The identifiers of the user's children."""
    sql = f"SELECT DISTINCT child_id FROM involvements WHERE {_MINE}"
    return [row["child_id"] for row in view.rows(sql, [list(user.teams), list(user.workers)])]


def is_own(view: Published, user: User, child_id: str) -> bool:
    """Whether one of the user's teams or names helps this child now."""
    sql = f"SELECT 1 FROM involvements WHERE child_id = ? AND {_MINE}"
    return bool(view.rows(sql, [child_id, list(user.teams), list(user.workers)]))
