"""What a rule did not choose, and how each record came to be the child's."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from ffp_data.lineage.answers import Other, Tie
from ffp_data.lineage.cell import CHILDREN, Cell
from ffp_data.lineage.origins import ChildRule, Origins, rules
from ffp_data.lineage.rows import Held, Rows

SAME, OTHERWISE, NOTHING = "the same", "something else", "nothing"

_JOINED = {
    "link": "the linkage model joined it",
    "decision": "a reviewer said that it is the same child",
    "sender": "the agency that sent it said so",
}


@dataclass(frozen=True)
class Candidates:
    """Asks one warehouse what else there was."""

    con: duckdb.DuckDBPyConnection
    rows: Rows
    origins: Origins

    def others(self, cell: Cell, row: Mapping[str, Any], held: Sequence[Held]) -> list[Other]:
        """The candidates that were not chosen, in the order in which the rule ranks them."""
        if cell.table == "involvements":
            return list(self._other_feeds(row))
        if cell.table != CHILDREN:
            return []
        rule = rules().children[cell.column]
        chosen = {each.record_key for each in held}
        if rule.of:
            return list(self._other_records(rule, row["child_id"], chosen))
        if rule.column:
            return list(self._other_rows(rule, row, held))
        return []

    def _other_records(
        self, rule: ChildRule, child_id: str, chosen: Collection[str | None]
    ) -> Iterator[Other]:
        name = rule.shows or rule.of
        found = self.con.execute(
            f"SELECT feed, record_key, valid_from, {name} FROM intermediate.int_persons__records "
            "WHERE child_id = ? ORDER BY survivorship_order",
            [child_id],
        ).fetchall()
        value = next((v for _, key, _, v in found if key in chosen), None)
        for feed, key, as_of, said in found:
            if key not in chosen:
                yield Other(feed=feed, record_key=key, as_of=as_of, says=_says(said, value))

    def _other_rows(
        self, rule: ChildRule, row: Mapping[str, Any], held: Sequence[Held]
    ) -> Iterator[Other]:
        """Other records of the child in the tables that could give the value."""
        table, _, name = (rule.column or "").partition(".")
        could = self.origins.lineage.upstream(f"intermediate.{table}", name).direct
        records = self.con.execute(
            "SELECT feed, record_key, valid_from FROM intermediate.int_persons__records "
            "WHERE child_id = ? ORDER BY survivorship_order",
            [row["child_id"]],
        ).fetchall()
        value = [str(v) for each in held for v in each.values.values()]
        for feed, key, as_of in records:
            if feed in {each.feed for each in could} and key not in {h.record_key for h in held}:
                found = self.rows.held(self.origins.of_column(key, rule))
                said = [str(v) for each in found for v in each.values.values() if v is not None]
                yield Other(feed=feed, record_key=key, as_of=as_of, says=_says(said or None, value))

    def _other_feeds(self, row: Mapping[str, Any]) -> Iterator[Other]:
        """Other feeds that speak for the service, and whether they tell of work with the child."""
        found = self.con.execute(
            "SELECT states.feed, spells.record_key, spells.since FROM intermediate.int_feeds__states "
            "AS states LEFT JOIN intermediate.int_involvements__by_feed AS spells "
            "ON states.feed = spells.feed AND spells.child_id = ? "
            "WHERE states.service = ? AND states.feed <> ? ORDER BY states.precedence, states.feed",
            [row["child_id"], row["service"], row["source"]],
        ).fetchall()
        for feed, key, since in found:
            says = NOTHING if key is None else OTHERWISE
            yield Other(feed=feed, record_key=key, as_of=since, says=says)

    def ties(self, record_keys: Collection[str]) -> dict[str, Tie]:
        """How each record came to be the child's."""
        if not record_keys:
            return {}
        keys = sorted(record_keys)
        found = self.con.execute(
            "SELECT record_key, linked_since, link_confidence FROM identity.child_membership "
            "WHERE record_key IN (SELECT unnest(?))",
            [keys],
        ).fetchall()
        joins = self._joins(keys)
        return {key: _tie(since, confidence, joins.get(key)) for key, since, confidence in found}

    def _joins(self, keys: list[str]) -> dict[str, tuple[float | None, str]]:
        """Weight and reason of the strongest join of each record."""
        found = self.con.execute(
            "SELECT record_id_l, record_id_r, match_weight, reason FROM identity.link_joins "
            "WHERE record_id_l IN (SELECT unnest($keys)) OR record_id_r IN (SELECT unnest($keys)) "
            "ORDER BY match_weight, step, record_id_l, record_id_r",
            {"keys": keys},
        ).fetchall()
        return {
            key: (weight, reason)
            for left, right, weight, reason in found
            for key in (left, right)
            if key in keys
        }


def _tie(since: Any, confidence: float | None, join: tuple[float | None, str] | None) -> Tie:
    if join is None:
        words = "no other record had to be weighed: it stands alone, or came in an earlier run"
        return Tie(since=since, confidence=confidence, weight=None, words=words)
    weight, reason = join
    words = _JOINED.get(reason, f"joined by {reason.replace('_', ' ')}")
    return Tie(since=since, confidence=confidence, weight=weight, words=words)


def _says(said: Any, value: Any) -> str:
    if said is None:
        return NOTHING
    return SAME if said == value else OTHERWISE
