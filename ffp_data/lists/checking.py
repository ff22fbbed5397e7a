"""What is wrong with the lists as they stand: a rule nobody looked at again, a feed that is not there, a place told."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date

from ffp_data.lists.entries import WITHHELD, View
from ffp_data.lists.rules import load_lists

_EMPTY = """
SELECT DISTINCT list_id FROM list_entries
WHERE facts IS NULL OR source IS NULL OR as_of IS NULL OR since IS NULL OR team IS NULL OR district IS NULL
"""
_FOR_WANT = """
SELECT DISTINCT e.list_id, s.feed FROM list_entries AS e JOIN list_states AS s USING (list_id)
WHERE s.part = 'expects' AND s.state <> 'in_time' AND contains(', ' || e.source || ', ', ', ' || s.feed || ', ')
"""
_PLACES = "SELECT list_id, child_id FROM list_entries WHERE team <> ? OR district <> ?"
_GAPS = "SELECT list_id, state_in_words FROM lists WHERE state <> 'in_time' ORDER BY place"


@dataclass(frozen=True)
class Finding:
    """One thing to act on: of which list, what, and what to do."""

    list_id: str
    what: str
    remedy: str


def check(view: View, as_at: date, shielded: Collection[str]) -> list[Finding]:
    """Every finding; none of them names a child."""
    return [*_rules(view, as_at), *_gaps(view), *_rows(view, shielded)]


def _rules(view: View, as_at: date) -> Iterator[Finding]:
    built = {row["list_id"] for row in view.rows("SELECT list_id FROM lists")}
    for rule in load_lists():
        if rule.review < as_at:
            what = f"the rule was to be looked at again by {rule.review}"
            yield Finding(rule.id, what, f"ask the {rule.owner}, then set a new day in lists.yaml")
        if rule.id not in built:
            yield Finding(rule.id, "the published view does not have it", "run: ffp run")


def _gaps(view: View) -> Iterator[Finding]:
    for row in view.rows(_GAPS):
        yield Finding(row["list_id"], row["state_in_words"], "ask who sends the feed")


def _rows(view: View, shielded: Collection[str]) -> Iterator[Finding]:
    for row in view.rows(_EMPTY):
        yield Finding(row["list_id"], "an entry has an empty cell", "mend the rule's SQL")
    for row in view.rows(_FOR_WANT):
        yield Finding(
            row["list_id"], f"lists children for want of {row['feed']}", "mend the rule's SQL"
        )
    hidden = view.protected.difference(shielded)  # a shield of today takes effect in the next run
    places = view.rows(_PLACES, [WITHHELD, WITHHELD])
    for list_id in sorted({r["list_id"] for r in places if r["child_id"] in hidden}):
        yield Finding(list_id, "a protected child has a place", "mend marts/lists/entries.sql")
