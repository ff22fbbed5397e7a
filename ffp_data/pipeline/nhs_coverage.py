"""How far the NHS number has come as the single unique identifier, as the mart counted it in the last run."""

from __future__ import annotations

from typing import Any

from ffp_data.settings import Home
from ffp_data.warehouse import connect

_COVERAGE = """
SELECT feed, group_name, records, with_number, verified, share_verified, reached, share_reached
FROM matching.nhs_number_coverage WHERE group_by = ?
ORDER BY feed = 'all_feeds' DESC, feed, group_name
"""


def coverage(home: Home, group_by: str) -> list[dict[str, Any]]:
    """Rows of the mart for one grouping (everyone, age_band, sex or ethnicity); children over all feeds first."""
    with connect(home) as con:
        rows: list[dict[str, Any]] = con.execute(_COVERAGE, [group_by]).to_arrow_table().to_pylist()
    return rows
