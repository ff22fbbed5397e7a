"""The queue of doubtful links, computed at the end of a run and kept in the warehouse.

Numbers, verdicts and decisions are the hub's; review.queue holds, for each open item, where it stands
and why, the two records side by side and the evidence. So a page reads one row, and neither the place of
a protected person nor a record that is in no doubt is in what reviewers read.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import duckdb
import sqlalchemy as sa

from ffp_data.fence import token_of
from ffp_data.hub import lease, review_items
from ffp_data.hub.database import create_engine, migrate, writing
from ffp_data.hub.review_items import Item, Wanted
from ffp_data.hub.state import RecordPair
from ffp_data.pipeline import review_inputs
from ffp_data.pipeline.link_reasons import read_weights
from ffp_data.pipeline.live_model import choose_model
from ffp_data.pipeline.review_desk import review_rules
from ffp_data.pipeline.run import Run
from ffp_data.review import evidence, found
from ffp_data.review.decided import outstanding
from ffp_data.review.found import Candidate, Decided, Join, Known
from ffp_data.review.order import Consequence, Placed, in_order
from ffp_data.review.rules import ReviewRules
from ffp_data.review.sheet import side_by_side, values_of
from ffp_data.warehouse import connect
from governance.canonical import canonical_bytes
from governance.ledger import utc_now
from linkage.report.examples import steps

_QUEUE = """
CREATE OR REPLACE TABLE review.queue (
    place INTEGER, item_id BIGINT, record_left VARCHAR, record_right VARCHAR,
    child_left VARCHAR, child_right VARCHAR, readers INTEGER, is_protected BOOLEAN, is_clash BOOLEAN,
    words VARCHAR[], reasons VARCHAR[], sheet VARCHAR, evidence VARCHAR
)
"""


@dataclass(frozen=True)
class QueueOutcome:
    """How many items are open, and for which reasons (an item may have several)."""

    open: int
    by_reason: Mapping[str, int]

    def figures(self) -> dict[str, Any]:
        return {"open items": self.open, **self.by_reason}


def build_queue(run: Run, at: datetime | None = None) -> QueueOutcome:
    """Compute the queue of a run, number its items in the hub, write review.queue."""
    rules = review_rules(run.home)
    engine = create_engine(run.home.hub_url)
    try:
        migrate(engine)
        with connect(run.home) as con, writing(engine) as hub:
            lease.require(hub, token_of(run.home))
            return _Builder(run, con, hub, rules).build(at or utc_now())
    finally:
        engine.dispose()


class _Builder:
    def __init__(
        self, run: Run, con: duckdb.DuckDBPyConnection, hub: sa.Connection, rules: ReviewRules
    ) -> None:
        self.run, self.con, self.hub, self.rules = run, con, hub, rules
        self.key = run.keys.key("review/evidence")

    def build(self, at: datetime) -> QueueOutcome:
        thresholds = choose_model(self.run).model.thresholds
        limits = {"review": thresholds.review, "break": thresholds.break_, "join": thresholds.join}
        known = review_inputs.read_known(self.con, self.hub, limits, self.rules)
        raised = found.find(known, self.rules)
        self._read_people(known, raised)
        open_ = self._outstanding(known, self._continued(known, raised))
        placed = in_order(open_, self._consequences(known, open_), self.rules)
        items = review_items.publish(self.hub, [self._wanted(p, known) for p in placed], at)
        self._write(placed, items, known)
        return _outcome(placed, self.rules)

    def _read_people(self, known: Known, raised: Iterable[Candidate]) -> None:
        children = {child for c in raised for child in c.children}
        decided = {r for d in known.decisions for r in (d.left, d.right)} & known.child_of.keys()
        children |= {known.child_of[record] for record in decided}
        self.records, self.members = review_inputs.read_people(self.con, children)

    def _continued(self, known: Known, raised: Iterable[Candidate]) -> list[Candidate]:
        """The candidates, by the pair that reviewers have on their list already, where they have one."""
        listed: dict[tuple[str, ...], RecordPair] = {}
        for item in reversed(review_items.open_items(self.hub)):
            if {item.left, item.right} <= known.child_of.keys():
                children = {known.child_of[item.left], known.child_of[item.right]}
                listed[tuple(sorted(children))] = item.pair
        return [self._with_pair(c, listed.get(c.children), known) for c in raised]

    def _with_pair(self, c: Candidate, pair: RecordPair | None, known: Known) -> Candidate:
        if pair is None or len(c.children) == 1 or found.is_own_question(c):
            return c
        scored = {(p.left, p.right): p.probability for p in known.pairs}
        return replace(c, left=pair[0], right=pair[1], probability=scored.get(pair))

    def _outstanding(self, known: Known, raised: Sequence[Candidate]) -> tuple[Candidate, ...]:
        names: dict[tuple[str, ...], str] = {}
        alike = {
            key: names.setdefault(values_of(record, self.rules), key)
            for key, record in sorted(self.records.items())
        }
        return outstanding(
            raised,
            known.decisions,
            known.child_of,
            alike,
            lambda c, about: self._evidence_digest(c, about, known.decisions),
            self.rules,
        )

    def _evidence_digest(
        self, c: Candidate, about: RecordPair, decisions: Iterable[Decided]
    ) -> str:
        """Keyed digest of what can be seen: all records of the identifiers, decisions on other pairs."""
        keys = sorted(key for child in c.children for key in self.members.get(child, ()))
        seen = [
            [key, self.records[key]["replaced_by"] or "", *values_of(self.records[key], self.rules)]
            for key in keys
        ]
        inside = set(keys)
        others = sorted(
            [d.left, d.right, str(d.verdict)]
            for d in decisions
            if {d.left, d.right} <= inside and (d.left, d.right) != about
        )
        return hmac.new(self.key, canonical_bytes([seen, others]), hashlib.sha256).hexdigest()

    def _wanted(self, placed: Placed, known: Known) -> Wanted:
        c = placed.candidate
        digest = self._evidence_digest(c, c.pair, known.decisions)
        return Wanted(c.left, c.right, c.reasons, placed.readers, digest)

    # Consequence

    def _consequences(
        self, known: Known, candidates: Sequence[Candidate]
    ) -> dict[Candidate, Consequence]:
        own, family = review_inputs.facts_of_people(
            self.con, self.run.as_at, self.rules.infant_under_days
        )
        service = review_inputs.service_of_feeds(self.run.contracts)
        together = [c.children[0] for c in candidates if len(c.children) == 1]
        self.joins = review_inputs.read_joins(self.con, together)
        waiting = {i.pair: i.opened_at.isoformat() for i in review_items.open_items(self.hub)}
        nothing = frozenset[str]()
        result = {}
        for c in candidates:
            left, right = (
                frozenset(service[r.partition("|")[0]] for r in s) for s in self._sides(c)
            )
            result[c] = Consequence(
                own=nothing.union(*(own.get(child, nothing) for child in c.children)),
                of_family=nothing.union(*(family.get(child, nothing) for child in c.children)),
                services_left=left,
                services_right=right,
                waiting_since=waiting.get(c.pair, "~"),  # after every date
            )
        return result

    def _sides(self, c: Candidate) -> tuple[Iterable[str], Iterable[str]]:
        """The records that stand on each side of the question."""
        if len(c.children) == 2:
            by_record = {r: child for child in c.children for r in self.members[child]}
            return self.members[by_record[c.left]], self.members[by_record[c.right]]
        return evidence.parts(self.joins.get(c.children[0], ()), c.left, c.right)

    # What reviewers read

    def _write(
        self, placed: Sequence[Placed], items: Mapping[RecordPair, Item], known: Known
    ) -> None:
        scores = review_inputs.read_scores(self.con, [p.candidate.pair for p in placed])
        weights = read_weights(self.con)
        self.con.execute(_QUEUE)
        rows = []
        for place, each in enumerate(placed, start=1):
            c = each.candidate
            row = scores.get(c.pair)
            hidden = self._is_protected(c)
            bits = [(s.label, s.bits) for s in steps(weights, row)] if row else []
            rows.append(
                [
                    place,
                    items[c.pair].item_id,
                    *c.pair,
                    *(known.child_of[record] for record in c.pair),
                    each.readers,
                    hidden,
                    not set(self.rules.clashes).isdisjoint(c.reasons),
                    list(each.words),
                    list(c.reasons),
                    json.dumps(self._sheet(c, hidden)),
                    json.dumps(evidence.as_plain(self._evidence(c, row, bits, hidden))),
                ]
            )
        if rows:
            self.con.executemany(
                f"INSERT INTO review.queue VALUES ({', '.join('?' * len(rows[0]))})", rows
            )

    def _is_protected(self, c: Candidate) -> bool:
        keys = (key for child in c.children for key in self.members[child])
        return any(self.records[key]["is_restricted"] for key in keys)

    def _sheet(self, c: Candidate, hidden: bool) -> dict[str, Any]:
        left, right = (self.records[key] for key in c.pair)
        rows = side_by_side(left, right, self.rules, is_protected=hidden)
        return {
            "left": self._feed(c.left),
            "right": self._feed(c.right),
            "rows": [asdict(row) for row in rows],
        }

    def _feed(self, record_key: str) -> str:
        return self.run.contracts[record_key.partition("|")[0]].name

    def _evidence(
        self, c: Candidate, row: Mapping[str, Any] | None, bits: evidence.Bits, hidden: bool
    ) -> evidence.Evidence:
        joins = self.joins.get(c.children[0], ()) if len(c.children) == 1 else ()
        shown = row if row and not hidden else {}
        return evidence.Evidence(
            reasons=tuple(self.rules.reasons[name].words for name in c.reasons),
            are_together=len(c.children) == 1,
            comparisons=evidence.comparisons(bits, self.rules, is_protected=hidden),
            weight=shown.get("match_weight"),
            probability=shown.get("match_probability"),
            veto=row["veto"] if row else None,
            path=self._path(joins, c),
        )

    def _path(self, joins: Sequence[Join], c: Candidate) -> tuple[evidence.Link, ...]:
        way = evidence.way(joins, c.left, c.right)
        labels = {r: self._feed(r) for join in way for r in (join.left, join.right)}
        return evidence.links(way, labels, self.rules)


def _outcome(placed: Sequence[Placed], rules: ReviewRules) -> QueueOutcome:
    counts = {name: sum(name in p.candidate.reasons for p in placed) for name in rules.reasons}
    return QueueOutcome(len(placed), {name: count for name, count in counts.items() if count})
