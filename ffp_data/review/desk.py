"""A reviewer at work: the queue, one pair at a time, blind first, evidence after, and what binds.

Every function asks the gate first, which writes the reading or the act to the ledger; pages and
commands call these and add nothing but words. An act is one transaction of the hub; its line in
the ledger is written before it is committed, so that no decision is in force that the ledger lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ffp_data.hub import deciding, review, review_items
from ffp_data.hub.database import writing
from ffp_data.hub.deciding import Outcome, standing, votes
from ffp_data.hub.review import Act, AskedUndo, PastDecision, Verdict
from ffp_data.hub.review_items import ReviewError, Said
from ffp_data.hub.state import RecordPair
from ffp_data.review.report import report
from ffp_data.review.rules import ReviewRules
from governance.access import Gate, Principal, Right


@dataclass(frozen=True)
class Listed:
    """An open item as it was published: its place and why, and what is to be shown of it."""

    item_id: int
    place: int
    left: str
    right: str
    children: tuple[str, str]
    readers: int
    is_clash: bool
    words: tuple[str, ...]
    reasons: tuple[str, ...]
    sheet: Mapping[str, Any]
    evidence: Mapping[str, Any]

    @property
    def pair(self) -> RecordPair:
        return self.left, self.right

    @property
    def subjects(self) -> tuple[str, ...]:
        """Whom a reading of it is about."""
        return tuple(dict.fromkeys(self.children))


Snapshot = Callable[[], Sequence[Listed]]
"""The queue as the last finished run published it, in order."""


@dataclass(frozen=True)
class Waiting:
    """A line of the queue for one reviewer; ``standing``: what the item waits for."""

    listed: Listed
    standing: str
    is_reserved: bool
    waits_days: int


@dataclass(frozen=True)
class WaitingUndo:
    """A decision that somebody asked to take back; ``is_own``: by this reviewer, so another answers."""

    decision: PastDecision
    asked: AskedUndo
    is_own: bool
    waits_days: int


@dataclass(frozen=True)
class Desk:
    """One reviewer's desk. ``principal`` is who they are; nobody says so themselves."""

    engine: sa.Engine
    snapshot: Snapshot
    rules: ReviewRules
    gate: Gate
    principal: Principal

    # Reading

    def queue(self, at: datetime) -> tuple[Waiting, ...]:
        """What is open for this reviewer, first things first; not what they have settled their word on."""
        self.gate.read(self.principal, Right.QUEUE)
        with self.engine.connect() as hub:
            return tuple(self._waiting(hub, at))

    def clashes(self, at: datetime) -> tuple[Waiting, ...]:
        """Open items that contradict a decision or a rule; also those this reviewer has spoken on."""
        self.gate.read(self.principal, Right.QUEUE, clashes=True)
        with self.engine.connect() as hub:
            return tuple(w for w in self._waiting(hub, at, own_too=True) if w.listed.is_clash)

    def words_of(self, listed: Listed) -> tuple[str, ...]:
        """The clash of an item in words."""
        names = (name for name in listed.reasons if name in self.rules.clashes)
        return tuple(self.rules.reasons[name].words for name in names)

    def take(self, at: datetime, item_id: int | None = None) -> Listed:
        """The side by side of an item, or of the first free one; reserves it. Raises ReviewError."""
        with writing(self.engine) as hub:
            listed = self._find(hub, at, item_id)
            self._refuse_spoken(hub, listed.item_id)
            until = at + timedelta(minutes=self.rules.reserved_minutes)
            review_items.take(hub, listed.item_id, self.principal.name, at, until)
            self._read(listed, "side by side")
        return listed

    def put_back(self, item_id: int, at: datetime) -> None:
        """Give a reserved item back without a verdict."""
        with writing(self.engine) as hub:
            self._refuse_others(hub, item_id, at)
            review_items.release(hub, item_id)

    def has_begun(self, item_id: int) -> bool:
        """Whether this reviewer's first verdict on an item is written down, and the final one is not."""
        with self.engine.connect() as hub:
            words = review_items.said_of(hub, [item_id])
        return any(s.reviewer == self.principal.name and s.final is None for s in words)

    def evidence(self, item_id: int) -> Listed:
        """An item with its evidence, for a reviewer whose first verdict is written down."""
        with self.engine.connect() as hub:
            listed = self._listed(hub, item_id)
            self._own_word(hub, item_id)
        self._read(listed, "evidence")
        return listed

    def report(self, at: datetime) -> dict[str, Any]:
        """Figures of the whole review (``review.report``); no person, and no reviewer, is in them."""
        self.gate.read(self.principal, Right.QUEUE, figures=True)
        with self.engine.connect() as hub:
            items, said = review_items.all_items(hub), review_items.said_of(hub)
            return report(items, said, review.load_decisions(hub), at)

    def decisions(self) -> tuple[PastDecision, ...]:
        """Every decision ever taken, oldest first, with its fate."""
        self.gate.read(self.principal, Right.QUEUE, decisions=True)
        with self.engine.connect() as hub:
            return review.load_decisions(hub)

    def undos(self, at: datetime) -> tuple[WaitingUndo, ...]:
        """Decisions of two people that somebody asked to take back, the longest asked first."""
        found = [(d, d.undo) for d in self.decisions() if d.undo is not None]
        return tuple(
            WaitingUndo(d, asked, asked.reviewer == self.principal.name, (at - asked.at).days)
            for d, asked in sorted(found, key=lambda each: each[1].at)
        )

    # Acts

    def first_verdict(
        self, item_id: int, verdict: Verdict | str, reason: str, at: datetime
    ) -> Listed:
        """Write the blind verdict down, then give the evidence. Raises ReviewError."""
        word, act = Verdict(verdict), Act(self.principal.name, reason, at)
        with self._acting(item_id, Right.DECIDE, act) as (hub, listed, told):
            self._refuse_spoken(hub, item_id)
            self._refuse_others(hub, item_id, at)
            review_items.write_blind(hub, item_id, word, act)
            self.gate.append("review_first_verdict", **told, item=item_id, verdict=word.value)
        self._read(listed, "evidence")
        return listed

    def confirm(
        self, item_id: int, reason: str | None, at: datetime, verdict: Verdict | str | None = None
    ) -> Outcome:
        """The final verdict, the first one again or another; binds as soon as enough people agree.

        A change needs a reason; a confirmation may go by that of the first. Raises ReviewError.
        """
        with self.engine.connect() as hub:
            said = self._own_word(hub, item_id)
        if said.final is not None:
            raise ReviewError(
                f"your verdict on item {item_id} is final; a colleague's may be needed"
            )
        word = Verdict(verdict) if verdict else said.blind
        if word != said.blind and not (reason or "").strip():
            raise ReviewError("a verdict that changes after the evidence needs a reason")
        act = Act(self.principal.name, reason or said.reason, at)
        with self._acting(item_id, Right.DECIDE, act) as (hub, _, told):
            review_items.write_final(hub, item_id, word, act)
            facts = {"item": item_id, "verdict": word.value, "changed": word != said.blind}
            self.gate.append("review_final_verdict", **told, **facts)
            return self._settle(hub, item_id, act, told)

    def undo(self, decision: int, reason: str, at: datetime) -> bool:
        """Take a decision back from the next run on; True when that is done.

        One that two people took stands until another reviewer does the same after the first. Raises
        InvalidInputError for an unknown one, ReviewError for who has asked already.
        """
        with self._undoing(decision, reason, at) as (hub, act, told):
            is_done = deciding.undo(hub, decision, act)
            kind = "identity_decision_undone" if is_done else "identity_undo_asked"
            self.gate.append(kind, **told, decision=decision)
            return is_done

    def keep(self, decision: int, reason: str, at: datetime) -> None:
        """Refuse the undo that waits: the decision stands. Raises InvalidInputError, ReviewError."""
        with self._undoing(decision, reason, at) as (hub, act, told):
            deciding.keep(hub, decision, act)
            self.gate.append("identity_undo_refused", **told, decision=decision)

    def ask(self, left: str, right: str, reason: str, at: datetime) -> int:
        """Ask for a look at two records that no rule lists; the next run puts them into the queue."""
        act = Act(self.principal.name, reason, at)
        with writing(self.engine) as hub:
            told = self.gate.check(
                self.principal, Right.QUEUE, subjects=(left, right), reason=reason
            )
            review.require_known(hub, (left, right))
            number = review_items.ask(hub, (left, right), act)
            self.gate.append("review_asked", **told, question=number)
        return number

    # Inside

    def _waiting(
        self, hub: sa.Connection, at: datetime, *, own_too: bool = False
    ) -> Iterator[Waiting]:
        items = {item.item_id: item for item in review_items.open_items(hub)}
        said = _by_item(review_items.said_of(hub, items))
        held = review_items.holds(hub, at)
        for listed in self.snapshot():
            item = items.get(listed.item_id)
            words = said.get(listed.item_id, [])
            mine = any(s.reviewer == self.principal.name and s.final for s in words)
            if item is None or item.pair != listed.pair or (mine and not own_too):
                continue
            hold = held.get(item.item_id)
            yield Waiting(
                listed,
                standing(votes(words), item.readers),
                hold is not None and hold.reviewer != self.principal.name,
                (at - item.opened_at).days,
            )

    def _find(self, hub: sa.Connection, at: datetime, item_id: int | None) -> Listed:
        if item_id is not None:
            return self._listed(hub, item_id)
        free = (w.listed for w in self._waiting(hub, at) if not w.is_reserved)
        if (first := next(free, None)) is None:
            raise ReviewError("nothing waits for you: the queue is empty, or in others' hands")
        return first

    def _listed(self, hub: sa.Connection, item_id: int) -> Listed:
        item = review_items.open_item(hub, item_id)
        found = next((each for each in self.snapshot() if each.item_id == item_id), None)
        if found is None or found.pair != item.pair:
            raise ReviewError(f"item {item_id} is not published yet; the next run does it")
        return found

    def _read(self, listed: Listed, what: str) -> None:
        self.gate.read(
            self.principal,
            Right.EVIDENCE,
            subjects=listed.subjects,
            item=listed.item_id,
            shown=what,
        )

    @contextmanager
    def _acting(
        self, item_id: int, right: Right, act: Act
    ) -> Iterator[tuple[sa.Connection, Listed, dict[str, Any]]]:
        with writing(self.engine) as hub:
            listed = self._listed(hub, item_id)
            told = self.gate.check(
                self.principal, right, subjects=listed.subjects, reason=act.reason
            )
            yield hub, listed, told

    def _own_word(self, hub: sa.Connection, item_id: int) -> Said:
        words = review_items.said_of(hub, [item_id])
        own = next((s for s in words if s.reviewer == self.principal.name), None)
        if own is None:
            raise ReviewError(f"evidence comes after a first verdict: ffp hub decide {item_id} …")
        return own

    def _refuse_spoken(self, hub: sa.Connection, item_id: int) -> None:
        for said in review_items.said_of(hub, [item_id]):
            if said.reviewer == self.principal.name:
                step = (
                    "is final"
                    if said.final
                    else f"is written down; go on: ffp hub confirm {item_id}"
                )
                raise ReviewError(f"your verdict on item {item_id} {step}")

    def _refuse_others(self, hub: sa.Connection, item_id: int, at: datetime) -> None:
        """Only who has the pair in hand, and so has seen it, may speak on it."""
        hold = review_items.holds(hub, at).get(item_id)
        if hold is None or hold.reviewer != self.principal.name:
            raise ReviewError(f"look at item {item_id} first: ffp hub show {item_id}")

    @contextmanager
    def _undoing(
        self, decision: int, reason: str, at: datetime
    ) -> Iterator[tuple[sa.Connection, Act, dict[str, Any]]]:
        act = Act(self.principal.name, reason, at)
        with writing(self.engine) as hub:
            records = review.records_of(hub, decision)
            told = self.gate.check(self.principal, Right.UNDO, subjects=records, reason=reason)
            yield hub, act, told

    def _settle(
        self, hub: sa.Connection, item_id: int, act: Act, told: Mapping[str, Any]
    ) -> Outcome:
        done = deciding.decide(hub, item_id, act)
        if done.decision is None or done.verdict is None:
            review_items.release(hub, item_id)
            return done
        facts = {"item": item_id, "decision": done.decision, "verdict": done.verdict.value}
        self.gate.append("identity_decided", **told, **facts)
        return done


def _by_item(said: Iterable[Said]) -> dict[int, list[Said]]:
    found: dict[int, list[Said]] = {}
    for each in said:
        found.setdefault(each.item_id, []).append(each)
    return found
