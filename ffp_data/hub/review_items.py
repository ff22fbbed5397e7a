"""Reads and writes of the review inside the caller's transaction: questions, verdicts, reservations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from ffp_data.hub.errors import HubError, InvalidInputError
from ffp_data.hub.models import Decision, Run
from ffp_data.hub.review import Act, Verdict, as_utc
from ffp_data.hub.review_models import ReviewHold, ReviewItem, ReviewQuestion, ReviewVerdict
from ffp_data.hub.state import RecordPair


class ReviewError(HubError):
    """A step of a review that can't be taken: not open, in other hands, out of order."""


@dataclass(frozen=True)
class Wanted:
    """A question that a run's findings raise."""

    left: str
    right: str
    reasons: tuple[str, ...]
    readers: int
    evidence: str

    @property
    def pair(self) -> RecordPair:
        return self.left, self.right


@dataclass(frozen=True)
class Item:
    """A question as the hub keeps it; ``decision_id`` is what closed it, if a decision did."""

    item_id: int
    left: str
    right: str
    reasons: tuple[str, ...]
    readers: int
    evidence: str
    opened_at: datetime
    closed_at: datetime | None
    decision_id: int | None

    @property
    def pair(self) -> RecordPair:
        return self.left, self.right


@dataclass(frozen=True)
class Said:
    """One reviewer's verdicts on an item; the final ones None until the evidence was seen."""

    item_id: int
    reviewer: str
    blind: Verdict
    blind_at: datetime
    final: Verdict | None
    final_at: datetime | None
    reason: str


@dataclass(frozen=True)
class Hold:
    item_id: int
    reviewer: str
    until: datetime


def publish(
    connection: sa.Connection, wanted: Iterable[Wanted], at: datetime
) -> dict[RecordPair, Item]:
    """Make the open questions those that are wanted; one that stays keeps its number.

    A question that is no longer raised is closed; one whose pair was settled meanwhile is not opened
    by a caller that asks ``outstanding`` first.
    """
    before = {item.pair: item for item in open_items(connection)}
    after = {each.pair: each for each in wanted}
    _close(connection, [i.item_id for pair, i in before.items() if pair not in after], at)
    new = []
    for pair in sorted(after):
        values = {
            "reasons": list(after[pair].reasons),
            "readers": after[pair].readers,
            "evidence": after[pair].evidence,
        }
        if pair not in before:
            named = {"left_record": pair[0], "right_record": pair[1], "opened_at": _utc(at)}
            new.append({**values, **named})
        elif _changed(before[pair], after[pair]):
            is_it = ReviewItem.item_id == before[pair].item_id
            connection.execute(sa.update(ReviewItem).where(is_it).values(values))
    if new:
        connection.execute(sa.insert(ReviewItem), new)
    return {item.pair: item for item in open_items(connection)}


def _changed(item: Item, wanted: Wanted) -> bool:
    kept = (item.reasons, item.readers, item.evidence)
    return kept != (wanted.reasons, wanted.readers, wanted.evidence)


def close(connection: sa.Connection, item_id: int, decision_id: int, at: datetime) -> None:
    """Close an item by the decision that its verdicts led to."""
    _close(connection, [item_id], at, decision_id)


def _close(
    connection: sa.Connection, items: Sequence[int], at: datetime, decision_id: int | None = None
) -> None:
    for item_id in items:
        is_it = ReviewItem.item_id == item_id
        values = {"closed_at": _utc(at), "decision_id": decision_id}
        connection.execute(sa.update(ReviewItem).where(is_it).values(values))
        connection.execute(sa.delete(ReviewHold).where(ReviewHold.item_id == item_id))


def open_items(connection: sa.Connection) -> tuple[Item, ...]:
    """Every open question, by number."""
    return _items(connection, ReviewItem.closed_at.is_(None))


def all_items(connection: sa.Connection) -> tuple[Item, ...]:
    """Every question ever asked, by number."""
    return _items(connection, sa.true())


def open_item(connection: sa.Connection, item_id: int) -> Item:
    """One open question; raises ReviewError for any other number."""
    found = _items(connection, ReviewItem.item_id == item_id)
    if not found:
        raise ReviewError(f"there is no item {item_id}; `ffp hub queue` lists what is open")
    if found[0].closed_at is not None:
        decided = found[0].decision_id
        how = f"by decision {decided}" if decided else "because nothing is in doubt any more"
        raise ReviewError(f"item {item_id} was closed {how}; `ffp hub queue` lists what is open")
    return found[0]


def _items(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> tuple[Item, ...]:
    query = sa.select(ReviewItem.__table__).where(condition).order_by(ReviewItem.item_id)
    return tuple(_item(row) for row in connection.execute(query))


def _item(row: sa.Row[Any]) -> Item:
    return Item(
        item_id=row.item_id,
        left=row.left_record,
        right=row.right_record,
        reasons=tuple(row.reasons),
        readers=row.readers,
        evidence=row.evidence,
        opened_at=as_utc(row.opened_at),
        closed_at=as_utc(row.closed_at) if row.closed_at else None,
        decision_id=row.decision_id,
    )


def evidence_of_decisions(connection: sa.Connection) -> dict[int, str]:
    """For each decision that a review led to: the digest of what could be seen."""
    query = sa.select(ReviewItem.decision_id, ReviewItem.evidence)
    rows = connection.execute(query.where(ReviewItem.decision_id.is_not(None)))
    return {number: evidence for number, evidence in rows if number is not None}


# Verdicts


def said_of(connection: sa.Connection, items: Iterable[int] | None = None) -> tuple[Said, ...]:
    """What reviewers said of some items, or of all; in order of the final word, unfinished ones last."""
    query = sa.select(ReviewVerdict.__table__)
    if items is not None:
        query = query.where(ReviewVerdict.item_id.in_(sorted(items)))
    rows = [_said(row) for row in connection.execute(query.order_by(ReviewVerdict.verdict_id))]
    never = datetime.max.replace(tzinfo=UTC)
    return tuple(sorted(rows, key=lambda said: said.final_at or never))


def _said(row: sa.Row[Any]) -> Said:
    return Said(
        item_id=row.item_id,
        reviewer=row.reviewer,
        blind=Verdict(row.blind_verdict),
        blind_at=as_utc(row.blind_at),
        final=Verdict(row.final_verdict) if row.final_verdict else None,
        final_at=as_utc(row.final_at) if row.final_at else None,
        reason=row.final_reason or row.blind_reason,
    )


def write_blind(connection: sa.Connection, item_id: int, verdict: Verdict, act: Act) -> None:
    """Keep a reviewer's first word."""
    values = {
        "item_id": item_id,
        "reviewer": act.reviewer,
        "blind_verdict": verdict.value,
        "blind_reason": act.reason,
        "blind_at": _utc(act.at),
    }
    connection.execute(sa.insert(ReviewVerdict), [values])


def write_final(connection: sa.Connection, item_id: int, verdict: Verdict, act: Act) -> None:
    """Keep the same reviewer's last word, beside the first."""
    connection.execute(
        sa.update(ReviewVerdict)
        .where(ReviewVerdict.item_id == item_id, ReviewVerdict.reviewer == act.reviewer)
        .values(final_verdict=verdict.value, final_reason=act.reason, final_at=_utc(act.at))
    )


# Reservations


def holds(connection: sa.Connection, at: datetime) -> Mapping[int, Hold]:
    """Reservations in force, by item."""
    rows = connection.execute(sa.select(ReviewHold.__table__)).all()
    found = (Hold(row.item_id, row.reviewer, as_utc(row.until)) for row in rows)
    return {hold.item_id: hold for hold in found if hold.until > at}


def take(
    connection: sa.Connection, item_id: int, reviewer: str, at: datetime, until: datetime
) -> None:
    """Reserve an item; raises ReviewError while somebody else has it."""
    held = holds(connection, at).get(item_id)
    if held is not None and held.reviewer != reviewer:
        raise ReviewError(
            f"item {item_id} is in another reviewer's hands until {held.until:%H:%M} UTC; take the "
            "next one: ffp hub show"
        )
    connection.execute(sa.delete(ReviewHold).where(ReviewHold.item_id == item_id))
    values = {"item_id": item_id, "reviewer": reviewer, "until": _utc(until)}
    connection.execute(sa.insert(ReviewHold), [values])


def release(connection: sa.Connection, item_id: int) -> None:
    """Give an item back."""
    connection.execute(sa.delete(ReviewHold).where(ReviewHold.item_id == item_id))


# Questions


def ask(connection: sa.Connection, pair: RecordPair, act: Act) -> int:
    """Ask for a look at two records; the next run puts the pair into the queue."""
    left, right = sorted(pair)
    if left == right:
        raise InvalidInputError("a question needs two different records")
    values = {
        "left_record": left,
        "right_record": right,
        "asked_by": act.reviewer,
        "reason": act.reason,
        "asked_at": _utc(act.at),
    }
    new = sa.insert(ReviewQuestion).returning(ReviewQuestion.question_id)
    number: int = connection.scalars(new, values).one()
    return number


def asked(connection: sa.Connection) -> tuple[RecordPair, ...]:
    """Pairs that were asked about since the last decision on them."""
    rows = connection.execute(sa.select(ReviewQuestion.__table__)).all()
    decided = sa.select(Decision.left_record, Decision.right_record, Decision.decided_at)
    last: dict[RecordPair, datetime] = {}
    for left, right, at in connection.execute(decided):
        last[left, right] = max(as_utc(at), last.get((left, right), as_utc(at)))
    pairs = {
        (row.left_record, row.right_record)
        for row in rows
        if (row.left_record, row.right_record) not in last
        or as_utc(row.asked_at) > last[row.left_record, row.right_record]
    }
    return tuple(sorted(pairs))


def clashes_of_last_run(connection: sa.Connection) -> tuple[tuple[str, str, str], ...]:
    """(left, right, reason in words) of the contradictions that the last run met."""
    query = sa.select(Run.summary).order_by(Run.seq.desc()).limit(1)
    summary = connection.scalar(query)
    found = summary["clashes"] if summary else ()
    return tuple((each["left"], each["right"], each["reason"]) for each in found)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
