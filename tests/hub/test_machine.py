"""Random histories of a hub, step by step: whatever happens, identifiers keep their promises.

A history is made of deliveries, corrections, withdrawn records, scores and NHS numbers that come and go, merges by a
sender, model changes, decisions, undos, seals and runs. Two hubs live through it: the second gets every
table in another order of rows and with other cluster names, and must hold the same. After each step:
no identifier is lost, reused or issued twice, though the source of identifiers offers old ones again;
each record has one open membership; old identifiers lead to a living one; what was written stays
written; each earlier run shows what it showed then; and no decision in force is overruled.
"""

from __future__ import annotations

import hmac
import random
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from itertools import combinations
from typing import Any
from uuid import uuid4

import pyarrow as pa
import sqlalchemy as sa
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ffp_data.hub import Hub, Rules, Verdict, seals
from ffp_data.hub.child_id import from_bits
from ffp_data.hub.database import create_engine, writing
from ffp_data.hub.models import Base, HubEvent, Membership, Person, Run
from ffp_data.hub.state import Facts
from tests.hub.stories import AS_AT, decide, pairs, undo

RECORDS = [f"r{n}" for n in range(7)]
PAIRS = [f"{left} {right}" for left, right in combinations(RECORDS, 2)]
CLUSTERS = st.sampled_from("pqrs")
RECORD = st.sampled_from(RECORDS)
PAIR = st.sampled_from(PAIRS)
INDEX = st.integers(0, 9)
THRESHOLDS = st.sampled_from([(0.95, 0.5), (0.9, 0.5), (0.95, 0.8)])
SPENT_KEY = b"k" * 32
Rows = list[tuple[Any, ...]]


def miserly_ids(seed: int) -> Callable[[], str]:
    """A source that offers what it gave before as often as something new."""
    dice, given = random.Random(seed), [from_bits(random.Random(seed + 1).getrandbits)]

    def draw() -> str:
        given.append(dice.choice(given) if dice.random() < 0.7 else from_bits(dice.getrandbits))
        return given[-1]

    return draw


class Histories(RuleBasedStateMachine):
    """The world as the feeds tell it, two hubs that hear of it, and what was seen of them."""

    url = "sqlite://"

    @initialize(
        found=st.fixed_dictionaries({r: CLUSTERS for r in RECORDS[:5]}),
        dice=st.randoms(use_true_random=False),
    )
    def begin(self, found: Mapping[str, str], dice: random.Random) -> None:
        self.hubs = [self.new_hub() for _ in range(2)]
        self.cluster: dict[str, str] = {}
        self.score: dict[str, float] = {}
        self.veto: dict[str, str] = {}
        self.number: dict[str, str] = {}
        self.merged: set[str] = set()
        self.model, self.rules = 1, Rules()
        self.runs = 0
        self.known: set[str] = set()  # records that a run brought
        self.sealed: set[str] = set()  # records and identifiers that were sealed
        self.living: set[str] = set()
        self.held: dict[str, set[str]] = {}  # records that each identifier ever held
        self.shown: dict[str, pa.Table] = {}
        self.told: Rows = []
        self.is_touched = True
        self.deliver(found)
        self.run(dice)

    def new_hub(self) -> Hub:
        engine = create_engine(self.url)
        Base.metadata.create_all(engine)  # what the migrations make: test_database.py
        return Hub(engine, miserly_ids(3), spent_key=SPENT_KEY)

    def teardown(self) -> None:
        for hub in getattr(self, "hubs", ()):
            hub.close()

    @property
    def hub(self) -> Hub:
        return self.hubs[0]

    # What may happen

    @rule(found=st.dictionaries(RECORD, CLUSTERS, min_size=2))
    def deliver(self, found: Mapping[str, str]) -> None:
        """New records, and known ones that linkage now finds elsewhere."""
        self.cluster |= {r: c for r, c in found.items() if r not in self.sealed}

    @rule(records=st.sets(RECORD, min_size=1, max_size=4))
    def withdraw(self, records: set[str]) -> None:
        """Records that the next runs do not bring."""
        for record in records:
            self.cluster.pop(record, None)

    @rule(pair=PAIR, score=st.sampled_from([0.3, 0.6, 0.85, 0.92, 0.99]), vetoed=st.booleans())
    def weigh(self, pair: str, score: float, vetoed: bool) -> None:
        self.score[pair] = score
        self.veto |= {pair: "two birth dates"} if vetoed else {}

    @rule(record=RECORD, number=st.sampled_from(["", "9434765919", "9434765870"]))
    def correct_number(self, record: str, number: str) -> None:
        self.number[record] = number

    @rule(pair=PAIR)
    def merge_by_sender(self, pair: str) -> None:
        self.merged.symmetric_difference_update({pair})

    @rule(thresholds=THRESHOLDS)
    def change_model(self, thresholds: tuple[float, float]) -> None:
        self.model += 1
        self.rules = Rules(*thresholds)
        self.veto.clear()

    @rule(pair=PAIR, verdict=st.sampled_from(Verdict))
    def decide(self, pair: str, verdict: Verdict) -> None:
        self.decided(pair, verdict)

    @precondition(lambda self: self.standing())
    @rule(index=INDEX)
    def undo(self, index: int) -> None:
        self.undone(self.standing()[index % len(self.standing())])

    @precondition(lambda self: self.cluster)
    @rule(dice=st.randoms(use_true_random=False))
    def run(self, dice: random.Random) -> None:
        """The same input for both hubs, for the second in another order and with other names."""
        self.is_touched = True
        self.runs += 1
        self.known |= self.cluster.keys()
        for hub, is_shuffled in zip(self.hubs, (False, True), strict=True):
            self.apply(hub, dice if is_shuffled else None)
        self.shown[f"run-{self.runs}"] = self.hub.membership()
        self.require_same_hubs()
        self.require_decisions_kept()
        self.require_no_reuse()

    @precondition(lambda self: self.cluster)
    @rule(dice=st.randoms(use_true_random=False))
    def run_twice(self, dice: random.Random) -> None:
        """The same findings a day later change nothing."""
        self.run(dice)
        events = self.events()
        self.run(dice)
        assert self.events() == events

    @precondition(lambda self: len(self.cluster) > 1)
    @rule(pair=PAIR, verdict=st.sampled_from(Verdict), dice=st.randoms(use_true_random=False))
    def try_a_decision(self, pair: str, verdict: Verdict, dice: random.Random) -> None:
        """A decision that binds one run and is taken back restores every identifier."""
        self.run(dice)
        before = self.hub.membership().select(["record_key", "child_id"])
        for number in self.decided(pair, verdict):
            self.run(dice)
            self.undone(number)
            self.run(dice)
            assert self.hub.membership().select(["record_key", "child_id"]).equals(before)

    @precondition(lambda self: len(self.known) > 2)
    @rule(index=INDEX)
    def seal(self, index: int) -> None:
        """An identity leaves the hub, its records never come again, and a new child comes as any other."""
        living = sorted(set(self.hub.membership()["child_id"].to_pylist()))
        child = living[index % len(living)]
        self.is_touched = True
        for hub in self.hubs:
            with writing(hub._engine) as connection:
                ids, records = seals.identity_of(connection, child)
                spent = {hmac.digest(SPENT_KEY, i.encode(), "sha256").hex() for i in ids}
                seals.add_tokens(connection, (), spent)
                seals.purge(connection, ids | records)
        self.forget(ids, records)
        self.cluster[f"new{self.runs}"] = "n"

    # How it happens

    def apply(self, hub: Hub, dice: random.Random | None) -> None:
        records = sorted(self.cluster)
        scores = {p: s for p, s in self.score.items() if set(p.split()) <= self.cluster.keys()}
        names = {name: name for name in "npqrs"}
        if dice:
            dice.shuffle(records)
            shuffled = dice.sample(sorted(scores), k=len(scores))
            scores = {p: scores[p] for p in shuffled}
            names = dict(zip("npqrs", dice.sample("vwxyz", k=5), strict=True))
        clusters = [names[self.cluster[record]] for record in records]
        hub.apply_run(
            f"run-{self.runs}",
            day_of(self.runs),
            f"model-{self.model}",
            pa.table({"record_id": records, "cluster_id": clusters}),
            pairs(scores, {p: v for p, v in self.veto.items() if p in scores}),
            rules=self.rules,
            allow_large_change=True,
            facts=self.facts(),
        )

    def facts(self) -> Facts:
        numbers = {r: n for r, n in self.number.items() if n and r in self.cluster}
        merged = [tuple(p.split()) for p in self.merged if set(p.split()) <= self.cluster.keys()]
        return Facts(numbers, frozenset((left, right) for left, right in merged))

    def decided(self, pair: str, verdict: Verdict) -> list[int]:
        """The number of the decision; none where a record is unknown."""
        left, right = pair.split()
        if not {left, right} <= self.known:
            return []
        self.is_touched = True
        return list({decide(hub, left, right, verdict) for hub in self.hubs})

    def standing(self) -> list[int]:
        return [d.decision_id for d in self.hub.decisions() if d.undone_at is None]

    def undone(self, number: int) -> None:
        self.is_touched = True
        for hub in self.hubs:
            assert undo(hub, number)

    def forget(self, ids: frozenset[str], records: frozenset[str]) -> None:
        self.sealed |= ids | records
        self.known -= records
        self.living -= ids
        self.held = {c: held - records for c, held in self.held.items() if c not in ids}
        for record in records:
            self.cluster.pop(record, None)
        self.shown = {run_id: self.unsealed(table) for run_id, table in self.shown.items()}
        self.told = self.events()

    def unsealed(self, table: pa.Table) -> pa.Table:
        """The rows that name neither a sealed record nor a sealed identifier."""
        rows = zip(rows_of(table), table["child_id"].to_pylist(), strict=True)
        return table.filter(pa.array([self.sealed.isdisjoint(row) for row in rows], pa.bool_()))

    def events(self) -> Rows:
        return rows(self.hub, sa.select(HubEvent.__table__).order_by(HubEvent.event_id))

    # What must hold

    def require_same_hubs(self) -> None:
        one, other = self.hubs
        for query in (
            sa.select(Run.__table__).order_by(Run.seq),
            sa.select(Person.__table__).order_by(Person.child_id),
            sa.select(Membership.__table__).order_by(Membership.record_key, Membership.from_seq),
        ):
            assert [r[1:] for r in rows(one, query)] == [r[1:] for r in rows(other, query)]
        assert one.membership().equals(other.membership())

    def require_decisions_kept(self) -> None:
        child = self.members()
        for left, right in self.hub.constraints()[1]:
            if {left, right} <= self.cluster.keys():
                assert child[left] != child[right], "a run joined what a reviewer keeps apart"

    def require_no_reuse(self) -> None:
        """An identifier comes into use once, and again only for a record that it stood for before."""
        holds: dict[str, set[str]] = {}
        for record, child in self.members().items():
            holds.setdefault(child, set()).add(record)
        for child in holds.keys() - self.living:
            assert child not in self.sealed, "issued again after a seal"
            if child in self.held:
                assert self.held[child] & holds[child], "restored for others than it stood for"
        self.living = set(holds)
        for child, records in holds.items():
            self.held.setdefault(child, set()).update(records)

    def members(self) -> dict[str, str]:
        table = self.hub.membership()
        return dict(zip(rows_of(table), table["child_id"].to_pylist(), strict=True))

    @invariant()
    def promises_hold(self) -> None:
        """Looked at when the hub was written to; what the feeds tell changes nothing by itself."""
        if self.is_touched:
            self.each_record_has_one_open_membership()
            self.no_identifier_is_lost_and_old_ones_lead_to_living_ones()
            self.each_identifier_was_issued_once()
            self.what_was_written_stays_written()
            self.each_earlier_run_shows_what_it_showed()
        self.is_touched = False

    def each_record_has_one_open_membership(self) -> None:
        open_ones = sa.select(Membership.record_key).where(Membership.to_seq.is_(None))
        assert Counter(r for (r,) in rows(self.hub, open_ones)) == Counter(self.known)

    def no_identifier_is_lost_and_old_ones_lead_to_living_ones(self) -> None:
        living = set(self.members().values())
        successor = dict(rows(self.hub, sa.select(Person.child_id, Person.replaced_by)))
        assert successor.keys() == self.held.keys() | living, "lost, or issued and never used"
        for child in successor:
            way = [child]
            while (after := successor[way[-1]]) is not None:
                assert after not in way, "replaced in a circle"
                way.append(after)
            assert way[-1] in living
            assert (len(way) == 1) == (child in living)

    def each_identifier_was_issued_once(self) -> None:
        kinds = sa.select(HubEvent.kind, HubEvent.child_id)
        issued = Counter(child for kind, child in rows(self.hub, kinds) if kind == "issued")
        assert issued == Counter(self.held.keys()), "not issued once"

    def what_was_written_stays_written(self) -> None:
        now = self.events()
        assert now[: len(self.told)] == self.told
        self.told = now

    def each_earlier_run_shows_what_it_showed(self) -> None:
        for run_id, table in self.shown.items():
            assert self.hub.as_of(run_id).equals(table)
            assert self.hub.as_of(day_of(int(run_id.removeprefix("run-")))).equals(table)


def day_of(run: int) -> date:
    return AS_AT + timedelta(days=run)


def rows(hub: Hub, query: sa.Select[Any]) -> Rows:
    with hub._engine.connect() as connection:
        return [tuple(row) for row in connection.execute(query)]


def rows_of(table: pa.Table) -> list[str]:
    keys: list[str] = table["record_key"].to_pylist()
    return keys


# No shrinking: it takes minutes, and a history of twenty steps can be read as it is.
FEW = settings(stateful_step_count=25, phases=[Phase.generate])


def test_no_history_breaks_a_promise_of_the_hub() -> None:
    run_state_machine_as_test(Histories, settings=FEW)


def test_no_history_breaks_a_promise_on_postgresql(postgres_url: str) -> None:
    class OnPostgres(Histories):
        def new_hub(self) -> Hub:
            schema = f"hub_{uuid4().hex}"
            engine = sa.create_engine(postgres_url)
            with engine.begin() as connection:
                connection.execute(sa.schema.CreateSchema(schema))
            engine.dispose()
            self.url = f"{postgres_url}&options=-csearch_path%3D{schema}"
            return super().new_hub()

    run_state_machine_as_test(OnPostgres, settings=settings(FEW, max_examples=2))
