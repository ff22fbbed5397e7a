"""Sends what is pending, batch by batch, and records what became of it.

A batch is announced before it leaves and recorded after DfE took it: first in the state, in one
transaction, then by `tell`. Dying in between leaves the batch pending or told late, never recorded
twice; a message that arrives twice changes nothing at DfE. A batch that DfE refuses as a whole is
halved until the child that it refuses is alone. When no answer comes, the rest stays pending.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import duckdb

from ffp_data.returns.dataflow import state
from ffp_data.returns.dataflow.client import TAKEN, Accepted, GaveUp, Outcome, Refused
from ffp_data.returns.dataflow.difference import Payload
from ffp_data.returns.dataflow.layout import Layout
from ffp_data.returns.dataflow.state import Pending
from governance.canonical import digest

CONTENT_REFUSED = frozenset({400, 413, 422})  # the fault of some child, or of too many


class Post(Protocol):
    """How a batch leaves: `Client`, or what a test puts in its place."""

    def post(self, children: Sequence[Payload]) -> Outcome: ...


@dataclass(frozen=True)
class Batch:
    """What is told of a batch: how many children, and SHA-256 of what was sent; never who or what."""

    sha256: str
    children: int
    outcome: str
    reason: str = ""


Tell = Callable[[Batch], None]


@dataclass(frozen=True)
class Sent:
    """What one sending did: children taken and refused, and why it stopped early."""

    accepted: int = 0
    refused: int = 0
    stopped: str = ""

    def __add__(self, other: Sent) -> Sent:
        return Sent(
            self.accepted + other.accepted,
            self.refused + other.refused,
            self.stopped or other.stopped,
        )


def send_pending(con: duckdb.DuckDBPyConnection, layout: Layout, post: Post, tell: Tell) -> Sent:
    """Send every pending child in batches; `tell` hears of each batch before and after."""
    total, size = Sent(), int(layout.batch.value)
    for children in _batches(state.pending_children(con), size):
        total += _send(con, state.messages(con, layout, children), post, tell)
        if total.stopped:
            break
    return total


def _batches(children: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(children), size):
        yield children[start : start + size]


def _send(
    con: duckdb.DuckDBPyConnection, pending: Sequence[Pending], post: Post, tell: Tell
) -> Sent:
    payloads = [each.message for each in pending]
    sha256 = digest(payloads)
    tell(Batch(sha256, len(pending), "intended"))
    outcome = post.post(payloads)
    children = [each.la_child_id for each in pending]
    if isinstance(outcome, Accepted):
        state.mark_sent(con, sha256, dict(zip(children, outcome.receipts, strict=True)))
        tell(Batch(sha256, len(pending), "accepted"))
        return Sent(accepted=len(pending))
    return _not_taken(
        con, pending, Batch(sha256, len(pending), "", outcome.reason), outcome, post, tell
    )


def _not_taken(
    con: duckdb.DuckDBPyConnection,
    pending: Sequence[Pending],
    batch: Batch,
    outcome: Refused | GaveUp,
    post: Post,
    tell: Tell,
) -> Sent:
    if isinstance(outcome, GaveUp):
        tell(replace(batch, outcome="unanswered"))
        return Sent(stopped=outcome.reason)  # the children stay pending
    tell(replace(batch, outcome="refused"))
    if outcome.status in CONTENT_REFUSED and len(pending) > 1:
        return _halved(con, pending, post, tell)
    children = [each.la_child_id for each in pending]
    state.mark_error(con, children, outcome.reason, outcome.answer)
    # any other answer is about the way, not about these children
    stopped = "" if outcome.status in CONTENT_REFUSED | TAKEN else outcome.reason
    return Sent(refused=len(pending), stopped=stopped)


def _halved(
    con: duckdb.DuckDBPyConnection, pending: Sequence[Pending], post: Post, tell: Tell
) -> Sent:
    middle = len(pending) // 2
    first = _send(con, pending[:middle], post, tell)
    return first if first.stopped else first + _send(con, pending[middle:], post, tell)
