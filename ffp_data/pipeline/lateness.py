"""One alert when a feed becomes late and one when it is back, not one at each run.

What was last told is kept in meta.feed_lateness. The alert goes out before it is kept: a run that is
killed between the two tells twice, never not at all. A run for an earlier day than the last told
one looks into the past and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from ffp_data.feeds import Freshness
from ffp_data.home.run import Run
from ffp_data.pipeline import notify

_TABLE = """
CREATE TABLE IF NOT EXISTS meta.feed_lateness (feed VARCHAR PRIMARY KEY, is_late BOOLEAN NOT NULL, as_at DATE NOT NULL)
"""


def tell_changes(
    con: duckdb.DuckDBPyConnection, run: Run, states: Iterable[Freshness]
) -> list[str]:
    """Alert for each feed that became late or came back; returns their ids.

    `states` are the feeds that are expected, those with an agreement in force; others are forgotten,
    so that a withdrawn agreement neither counts as a recovery nor hides the next lateness.
    """
    con.execute(_TABLE)
    told = {
        feed: (is_late, as_at)
        for feed, is_late, as_at in con.execute("FROM meta.feed_lateness").fetchall()
    }
    expected = list(states)
    if any(as_at > run.as_at for _, as_at in told.values()):
        return []
    changed = [s for s in expected if (s.state == "late") != told.get(s.feed, (False,))[0]]
    for state in changed:
        _tell(run, state)
    con.begin()
    con.execute("DELETE FROM meta.feed_lateness")
    for state in expected:
        con.execute(
            "INSERT INTO meta.feed_lateness VALUES (?, ?, ?)",
            [state.feed, state.state == "late", run.as_at],
        )
    con.commit()
    return [state.feed for state in changed]


def _tell(run: Run, state: Freshness) -> None:
    last = state.last_delivered_at
    notify.tell(
        run,
        "feed_late" if state.state == "late" else "feed_recovered",
        feed=state.feed,
        as_at=run.as_at.isoformat(),
        last_delivered_at=last.isoformat() if last else None,
        late_from=state.late_from.isoformat() if state.late_from else None,
    )
