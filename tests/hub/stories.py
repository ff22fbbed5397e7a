"""Words for the hub's tests: clusters as a line of text, pairs as a dictionary, a telling of runs.

``"ann1 ann2 | bob1"`` are two clusters; ``{"ann1 ann2": 0.99}`` is a scored pair.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from ffp_data.hub import Hub, RunSummary, Verdict, deciding, review_items
from ffp_data.hub.child_id import from_bits
from ffp_data.hub.database import writing
from ffp_data.hub.review import Act
from ffp_data.hub.review_items import Wanted
from ffp_data.lookups.tables import write_keys

AS_AT = date(2026, 3, 31)
NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
Scores = Mapping[str, float]


def seeded_ids(seed: int = 0) -> Callable[[], str]:
    """Identifiers that are the same in every run of the tests."""
    bits = random.Random(seed).getrandbits
    return lambda: from_bits(bits)


def clusters(text: str) -> pa.Table:
    rows = [(r, f"c{n}") for n, part in enumerate(text.split("|")) for r in part.split()]
    return pa.table(
        {"record_id": [r for r, _ in rows], "cluster_id": [c for _, c in rows]},
        pa.schema([("record_id", pa.string()), ("cluster_id", pa.string())]),
    )


def pairs(scores: Scores, veto: Mapping[str, str] | None = None) -> pa.Table:
    rows = [(*key.split(), math.log2(p / (1 - p)), p) for key, p in scores.items()]
    names = ["record_id_l", "record_id_r", "match_weight", "match_probability"]
    kinds = [pa.string(), pa.string(), pa.float64(), pa.float64()]
    columns = zip(*rows, strict=True) if rows else ([] for _ in names)
    table = pa.table([pa.array(c, k) for c, k in zip(columns, kinds, strict=True)], names)
    if veto is None:
        return table
    return table.append_column("veto", pa.array([veto.get(key) for key in scores], pa.string()))


class Story:
    """A hub and its runs, numbered from 1, each a day later than the one before."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.runs = 0

    def run(
        self,
        text: str,
        scores: Scores | None = None,
        veto: Mapping[str, str] | None = None,
        **options: Any,
    ) -> RunSummary:
        self.runs += 1
        day = date.fromordinal(AS_AT.toordinal() + self.runs)
        found = (clusters(text), pairs(scores or {}, veto))
        return self.hub.apply_run(f"run-{self.runs}", day, "model-1", *found, **options)

    def ids(self) -> dict[str, str]:
        table = self.hub.membership()
        keys, children = table["record_key"].to_pylist(), table["child_id"].to_pylist()
        return dict(zip(keys, children, strict=True))

    def together(self) -> str:
        """The children as a line of text, records and children in order."""
        children: dict[str, list[str]] = {}
        for record, child_id in self.ids().items():
            children.setdefault(child_id, []).append(record)
        return " | ".join(" ".join(records) for records in sorted(children.values()))

    def decide(self, left: str, right: str, verdict: Verdict, *people: str) -> int:
        return decide(self.hub, left, right, verdict, *people)

    def undo(self, decision_id: int, who: str = "s.second") -> bool:
        return undo(self.hub, decision_id, who)


def decide(
    hub: Hub, left: str, right: str, verdict: Verdict, *people: str, reason: str = "papers seen"
) -> int:
    """A decision by the only door: the pair is asked about, and so many people say the same."""
    people = people or ("r.reviewer",)
    pair = min(left, right), max(left, right)
    with writing(hub._engine) as connection:
        open_ = {
            item.pair: Wanted(*item.pair, item.reasons, item.readers, item.evidence)
            for item in review_items.open_items(connection)
        }
        asked = open_ | {pair: Wanted(*pair, ("asked",), len(people), "evidence")}
        item = review_items.publish(connection, asked.values(), NOON)[pair].item_id
        for act in (Act(name, reason, NOON) for name in people):
            review_items.write_blind(connection, item, verdict, act)
            review_items.write_final(connection, item, verdict, act)
            done = deciding.decide(connection, item, act)
    assert done.decision is not None
    return done.decision


def undo(hub: Hub, decision_id: int, who: str = "s.second") -> bool:
    with writing(hub._engine) as connection:
        return deciding.undo(connection, decision_id, Act(who, "wrong child", NOON))


def export(hub: Hub, path: Path) -> None:
    """Write what `ffp hub export` writes of these identifiers."""
    write_keys(hub.membership().select(["record_key", "child_id"]), path)
