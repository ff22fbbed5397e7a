"""Taking a decision back so that nothing of it stays, also not by habit.

What a decision joined, later runs may hold together, since breaking asks for less than joining; what
it parted, they hold no longer. So the first run after an undo that brings both records starts, for the
records that the decision moved, from the identifiers that they had before it; everybody else
starts from what is. Records that came later to those, and follow them now, belong to no
identifier before: they go where the moved ones go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
import sqlalchemy.orm

from ffp_data.hub.events import EventKind, Reason
from ffp_data.hub.models import Decision, HubEvent, Membership
from ffp_data.hub.partition import Partition
from ffp_data.hub.state import Links, State

_MOVES = [kind.value for kind in (EventKind.SPLIT, EventKind.MOVED, EventKind.MERGED)]
_MOVES.append(EventKind.RETIRED.value)


@dataclass(frozen=True, slots=True)
class Move:
    """Records that went from one identifier to another in the run of number ``seq``."""

    records: frozenset[str]
    before: str
    after: str
    seq: int


@dataclass(frozen=True, slots=True)
class Undone:
    """A decision that was in force in some run and was taken back since; ``moves`` in order."""

    decision_id: int
    pair: tuple[str, str]
    moves: tuple[Move, ...]
    late: frozenset[str]


def load_undone(connection: sa.Connection, links: Links) -> tuple[Undone, ...]:
    """Decisions that this run, which brings both their records, has to take back."""
    query = (
        sa.select(Decision.__table__)
        .where(
            Decision.undone_at.is_not(None),
            Decision.rewound_seq.is_(None),
            Decision.undone_seq > Decision.after_seq,
        )
        .order_by(Decision.decision_id)
    )
    found = []
    for row in connection.execute(query).all():
        pair = (row.left_record, row.right_record)
        if pair[0] in links.clusters and pair[1] in links.clusters:
            moves = _moves(connection, pair, row.after_seq)
            found.append(Undone(row.decision_id, pair, moves, _late(connection, moves)))
    return tuple(found)


def _moves(connection: sa.Connection, pair: tuple[str, str], after_seq: int) -> tuple[Move, ...]:
    """What the runs moved in which the decision had an effect, as far as it hangs together with it."""
    query = (
        sa.select(HubEvent.evidence, HubEvent.child_id, HubEvent.other_child_id, HubEvent.run_seq)
        .where(
            HubEvent.run_seq > after_seq,
            HubEvent.reason == Reason.DECISION.value,
            HubEvent.kind.in_(_MOVES),
        )
        .order_by(HubEvent.event_id)
    )
    touched: dict[int, set[str]] = {}
    for evidence, before, after, seq in connection.execute(query):
        if after is not None and not set(pair).isdisjoint(evidence["records"]):
            touched.setdefault(seq, set()).update((before, after))
    return tuple(m for seq in touched for m in _hanging_together(connection, seq, touched[seq]))


def _hanging_together(
    connection: sa.Connection, seq: int, touched: Iterable[str]
) -> Iterator[Move]:
    """Moves of one run between identifiers that exchanged records with the touched ones."""
    old, new = sa.orm.aliased(Membership), sa.orm.aliased(Membership)
    query = (
        sa.select(old.record_key, old.child_id, new.child_id)
        .join(new, sa.and_(new.record_key == old.record_key, new.from_seq == seq))
        .where(old.to_seq == seq)
    )
    moved: dict[tuple[str, str], set[str]] = {}
    for record, before, after in connection.execute(query):
        moved.setdefault((before, after), set()).add(record)
    together = Partition({child for move in moved for child in move})
    for before, after in sorted(moved):
        together.unite(before, after)
    wanted = {together.find(child) for child in touched}
    for (before, after), records in sorted(moved.items()):
        if together.find(before) in wanted:
            yield Move(frozenset(records), before, after, seq)


def _late(connection: sa.Connection, moves: Sequence[Move]) -> frozenset[str]:
    """Records that no run had brought before the first move."""
    if not moves:
        return frozenset()
    first = sa.func.min(Membership.from_seq)
    query = (
        sa.select(Membership.record_key)
        .group_by(Membership.record_key)
        .having(first >= moves[0].seq)
    )
    return frozenset(connection.scalars(query))


def mark_rewound(connection: sa.Connection, undone: Iterable[Undone], seq: int) -> None:
    """Remember that a run has taken the decisions back."""
    for each in undone:
        is_it = Decision.decision_id == each.decision_id
        connection.execute(sa.update(Decision).where(is_it).values(rewound_seq=seq))


def rewound(state: State, undone: Iterable[Undone], links: Links) -> State:
    """The state with the moved records back at their former identifiers; pure."""
    for each in undone:
        state = _without(state, each, links)
    return state


def _without(state: State, undone: Undone, links: Links) -> State:
    former: dict[str, str] = {}
    for move in undone.moves:
        here = state.resolve(move.after)
        for record in move.records:
            # What has gone elsewhere since, for another reason, stays where it is.
            if state.members.get(record) == here and record not in former:
                former[record] = _owner(state, move, here)
    following = _following(state, former, undone.late, links)
    members = {r: c for r, c in state.members.items() if r not in following} | former
    living = set(former.values())
    retired = {c: gone for c, gone in state.retired.items() if c not in living}
    return replace(state, members=members, retired=retired)


def _owner(state: State, move: Move, here: str) -> str:
    """The identifier before the move; its successor, if it retired for a reason of its own."""
    successor = state.resolve(move.before)
    return move.before if successor == here else successor


def _following(
    state: State, former: dict[str, str], late: frozenset[str], links: Links
) -> frozenset[str]:
    """Late records under the same identifier as moved ones, and in one cluster with them."""
    places = {
        (state.members[record], links.clusters[record])
        for record in former
        if record in links.clusters
    }
    return frozenset(
        record
        for record in late
        if (state.members.get(record), links.clusters.get(record)) in places
    )
