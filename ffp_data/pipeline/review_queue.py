"""The queue of doubtful links, computed at the end of a run and published for reviewers.

Numbers, verdicts and decisions are the hub's. What is published, encrypted and apart from the warehouse, so
that it can be read while the next run writes, is for each open item where it stands and why, the two
records side by side and the evidence; neither the place of a protected person nor a record that is in
no doubt is in it.
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
import pyarrow as pa
import sqlalchemy as sa

from ffp_data.fence import token_of
from ffp_data.home.run import Run
from ffp_data.hub import lease, review_items
from ffp_data.hub.database import create_engine, migrate, writing
from ffp_data.hub.review_items import Item, Wanted
from ffp_data.hub.state import RecordPair
from ffp_data.identity.link_reasons import read_weights
from ffp_data.identity.live_model import choose_model
from ffp_data.pipeline import review_inputs
from ffp_data.pipeline.review_desk import ROOM, TABLE, review_rules
from ffp_data.review import evidence, found
from ffp_data.review.decided import outstanding
from ffp_data.review.found import Candidate, Decided, Join, Known
from ffp_data.review.order import Consequence, Placed, in_order
from ffp_data.review.rules import ReviewRules
from ffp_data.review.sheet import side_by_side, values_of
from ffp_data.serving import store
from ffp_data.warehouse import connect
from governance.canonical import canonical_bytes
from governance.ledger import utc_now
from linkage.report.examples import steps

_WORDS = pa.list_(pa.string())
SCHEMA = pa.schema(
    [
        ("place", pa.int32()),
        ("item_id", pa.int64()),
        ("record_left", pa.string()),
        ("record_right", pa.string()),
        ("child_left", pa.string()),
        ("child_right", pa.string()),
        ("readers", pa.int32()),
        ("is_clash", pa.bool_()),
        ("words", _WORDS),
        ("reasons", _WORDS),
        ("sheet", pa.string()),
        ("evidence", pa.string()),
    ]
)


@dataclass(frozen=True)
class QueueOutcome:
    """How many items are open, and for which reasons (an item may have several)."""

    open: int
    by_reason: Mapping[str, int]

    def figures(self) -> dict[str, Any]:
        return {"open items": self.open, **self.by_reason}


def build_queue(run: Run, at: datetime | None = None) -> QueueOutcome:
    """Compute the queue of a run, number its items in the hub, publish it for reviewers."""
    rules = review_rules(run.home)
    engine = create_engine(run.home.hub_url)
    try:
        migrate(engine)
        with connect(run.home, read_only=True) as con, writing(engine) as hub:
            lease.require(hub, token_of(run.home))
            builder = _Builder(run, con, hub, rules)
            placed, rows = builder.build(at or utc_now())
    finally:
        engine.dispose()
    # After the commit: a number that readers see is one that the hub has given.
    published = {TABLE: pa.Table.from_pylist(rows, SCHEMA)}
    store.write(run.home, run.run_id, published, room=ROOM)
    return _outcome(placed, rules)


class _Builder:
    def __init__(
        self, run: Run, con: duckdb.DuckDBPyConnection, hub: sa.Connection, rules: ReviewRules
    ) -> None:
        self.run, self.con, self.hub, self.rules = run, con, hub, rules
        self.key = run.keys.key("review/evidence")

    def build(self, at: datetime) -> tuple[tuple[Placed, ...], list[dict[str, Any]]]:
        """The questions in order, and the rows that readers are shown."""
        thresholds = choose_model(self.run).model.thresholds
        limits = {"review": thresholds.review, "break": thresholds.break_, "join": thresholds.join}
        known = review_inputs.read_known(self.con, self.hub, limits, self.rules)
        raised = found.find(known, self.rules)
        self._read_people(known, raised)
        open_ = self._outstanding(known, self._continued(known, raised))
        self.consequences = self._consequences(open_)
        placed = in_order(open_, self.consequences, self.rules)
        items = review_items.publish(self.hub, [self._wanted(p) for p in placed], at)
        return placed, self._rows(placed, items, known)

    def _read_people(self, known: Known, raised: Iterable[Candidate]) -> None:
        children = {child for c in raised for child in c.children}
        decided = {r for d in known.decisions for r in (d.left, d.right)} & known.child_of.keys()
        children |= {known.child_of[record] for record in decided}
        self.records, self.members = review_inputs.read_people(self.con, children)
        self.decisions: dict[str, list[Decided]] = {}
        for d in known.decisions:
            for child in {known.child_of.get(d.left, ""), known.child_of.get(d.right, "")}:
                self.decisions.setdefault(child, []).append(d)

    def _decisions_among(self, c: Candidate) -> list[Decided]:
        """Decisions in force on two records of the identifiers, in order of their number."""
        inside = {key for child in c.children for key in self.members.get(child, ())}
        near = {d.number: d for child in c.children for d in self.decisions.get(child, ())}
        return [d for _, d in sorted(near.items()) if {d.left, d.right} <= inside]

    def _continued(self, known: Known, raised: Iterable[Candidate]) -> list[Candidate]:
        """The candidates, by the pair that reviewers have on their list already, where they have one."""
        listed: dict[tuple[str, ...], RecordPair] = {}
        for item in reversed(review_items.open_items(self.hub)):
            if {item.left, item.right} <= known.child_of.keys():
                children = {known.child_of[item.left], known.child_of[item.right]}
                listed[tuple(sorted(children))] = item.pair
        probability = {(p.left, p.right): p.probability for p in known.pairs}

        def with_pair(c: Candidate) -> Candidate:
            pair = listed.get(c.children)
            if pair is None or len(c.children) == 1 or found.is_own_question(c):
                return c
            return replace(c, left=pair[0], right=pair[1], probability=probability.get(pair))

        return [with_pair(c) for c in raised]

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
            self._evidence_digest,
            self.rules,
        )

    def _evidence_digest(self, c: Candidate, about: RecordPair) -> str:
        """Keyed digest of what can be seen: all records of the identifiers, decisions on other pairs."""
        keys = sorted(key for child in c.children for key in self.members.get(child, ()))
        seen = [
            [key, self.records[key]["replaced_by"] or "", *values_of(self.records[key], self.rules)]
            for key in keys
        ]
        others = sorted(
            [d.left, d.right, str(d.verdict)]
            for d in self._decisions_among(c)
            if (d.left, d.right) != about
        )
        return hmac.new(self.key, canonical_bytes([seen, others]), hashlib.sha256).hexdigest()

    def _wanted(self, placed: Placed) -> Wanted:
        c = placed.candidate
        digest = self._evidence_digest(c, c.pair)
        return Wanted(c.left, c.right, c.reasons, placed.readers, digest)

    # Consequence

    def _consequences(self, candidates: Sequence[Candidate]) -> dict[Candidate, Consequence]:
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
            left, right = (self._services(side, service) for side in self._sides(c))
            result[c] = Consequence(
                own=nothing.union(*(own.get(child, nothing) for child in c.children)),
                of_family=nothing.union(*(family.get(child, nothing) for child in c.children)),
                services_left=left,
                services_right=right,
                waiting_since=waiting.get(c.pair, "~"),  # after every date
            )
        return result

    def _services(self, records: Iterable[str], service: Mapping[str, str]) -> frozenset[str]:
        feeds = {record.partition("|")[0] for record in records}
        return frozenset(service.get(feed, feed) for feed in feeds)

    def _sides(self, c: Candidate) -> tuple[Iterable[str], Iterable[str]]:
        """The records that stand on each side of the question."""
        if len(c.children) == 2:
            by_record = {r: child for child in c.children for r in self.members[child]}
            return self.members[by_record[c.left]], self.members[by_record[c.right]]
        return evidence.parts(self.joins.get(c.children[0], ()), c.left, c.right)

    # What reviewers read

    def _rows(
        self, placed: Sequence[Placed], items: Mapping[RecordPair, Item], known: Known
    ) -> list[dict[str, Any]]:
        scores = review_inputs.read_scores(self.con, [p.candidate.pair for p in placed])
        asked = {child for p in placed for child in p.candidate.children}
        self.compared = review_inputs.read_edges(self.con, asked)
        weights = read_weights(self.con)
        rows = []
        for place, each in enumerate(placed, start=1):
            c = each.candidate
            row, hidden = scores.get(c.pair), self._is_protected(c)
            bits = [(s.label, s.bits) for s in steps(weights, row)] if row else []
            shown = evidence.as_plain(self._evidence(c, row, bits, hidden))
            rows.append(
                {
                    "place": place,
                    "item_id": items[c.pair].item_id,
                    "record_left": c.left,
                    "record_right": c.right,
                    "child_left": known.child_of[c.left],
                    "child_right": known.child_of[c.right],
                    "readers": each.readers,
                    "is_clash": not set(self.rules.clashes).isdisjoint(c.reasons),
                    "words": each.words,
                    "reasons": c.reasons,
                    "sheet": json.dumps(self._sheet(c, hidden)),
                    "evidence": json.dumps(shown),
                }
            )
        return rows

    def _is_protected(self, c: Candidate) -> bool:
        """Whether a place of the two could tell where somebody is who must not be located."""
        of = self.consequences[c]
        return "protected" in of.own | of.of_family

    def _sheet(self, c: Candidate, hidden: bool) -> dict[str, Any]:
        left, right = (self.records[key] for key in c.pair)
        rows = side_by_side(left, right, self.rules, is_protected=hidden)
        return {
            "left": self._feed(c.left),
            "right": self._feed(c.right),
            "rows": [asdict(row) for row in rows],
        }

    def _feed(self, record_key: str) -> str:
        feed = record_key.partition("|")[0]  # its contract may be gone: records outlive feeds
        return self.run.contracts[feed].name if feed in self.run.contracts else feed

    def _evidence(
        self,
        c: Candidate,
        row: Mapping[str, Any] | None,
        bits: evidence.Bits,
        hidden: bool,
    ) -> evidence.Evidence:
        joins = self.joins.get(c.children[0], ()) if len(c.children) == 1 else ()
        shown = row if row and not hidden else {}
        left, right = (self._others(c, side, hidden) for side in self._sides(c))
        names = self._names(c)
        return evidence.Evidence(
            reasons=tuple(self.rules.reasons[name].words for name in c.reasons),
            are_together=len(c.children) == 1,
            comparisons=evidence.comparisons(bits, self.rules, is_protected=hidden),
            weight=shown.get("match_weight"),
            probability=shown.get("match_probability"),
            veto=row["veto"] if row else None,
            path=self._path(joins, c),
            others_left=left,
            others_right=right,
            notes=self._notes(c),
            nodes=tuple(evidence.Node(name, self._feed(key)) for key, name in names.items()),
            edges=tuple(
                evidence.edge(
                    names[one], names[other], weight, veto, self.rules, is_protected=hidden
                )
                for one, other, weight, veto in self.compared
                if one in names and other in names
            ),
        )

    def _names(self, c: Candidate) -> dict[str, str]:
        """What each record around a pair is called: A, B, and with each in their order A1, A2, B1 ..."""
        names = {c.left: "A", c.right: "B"}
        for letter, side in zip("AB", self._sides(c), strict=True):
            others = (key for key in sorted(side) if key not in c.pair and key in self.records)
            names |= {key: f"{letter}{n}" for n, key in enumerate(others, start=1)}
        return names

    def _others(
        self, c: Candidate, side: Iterable[str], hidden: bool
    ) -> tuple[evidence.Other, ...]:
        return tuple(
            evidence.other(self._feed(key), self.records[key], self.rules, is_protected=hidden)
            for key in sorted(side)
            if key not in c.pair and key in self.records
        )

    def _notes(self, c: Candidate) -> tuple[str, ...]:
        return tuple(
            f"Decision {d.number} on records of these says {d.verdict.replace('_', ' ')}."
            for d in self._decisions_among(c)
        )

    def _path(self, joins: Sequence[Join], c: Candidate) -> tuple[evidence.Link, ...]:
        way = evidence.way(joins, c.left, c.right)
        labels = {r: self._feed(r) for join in way for r in (join.left, join.right)}
        return evidence.links(way, labels, self.rules)


def _outcome(placed: Sequence[Placed], rules: ReviewRules) -> QueueOutcome:
    counts = {name: sum(name in p.candidate.reasons for p in placed) for name in rules.reasons}
    return QueueOutcome(len(placed), {name: count for name, count in counts.items() if count})
