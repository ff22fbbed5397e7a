"""Restriction (UK GDPR Article 18), objection (Article 21), and numbers left out for a recipient.

A restriction or objection takes every row of the child out of what a recipient gets for a purpose; without a
recipient, out of what any gets. It covers the purpose, all below it and the wider ones that would carry
it. A purpose marked `safeguarding` may override it, by an order of its own with a reason; one marked
`required_by_law` can't be objected to, and is made whole. Section 16LC of the Children Act 2004 lets an
identifier be left out where including it would be more detrimental: that is an order for child and recipient.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from ffp_data.hub.orders import OrderError
from ffp_data.rights.orders import Kind, Orders, Said
from governance.policy.model import is_below

RESTRICTING = (Kind.RESTRICTION, Kind.OBJECTION)

Purposes = Mapping[str, Mapping[str, Any]]
"""The register of purposes by id, as in `purposes.yaml`."""


def restrict(
    orders: Orders,
    kind: Kind,
    child_id: str,
    said: Said,
    *,
    purpose: str,
    recipient: str | None,
    purposes: Purposes,
    complaint: str | None = None,
) -> int:
    """Give a restriction or an objection; `complaint` is the reference of a complaint it came with.

    Raises OrderError for a purpose that is unknown or that the law requires.
    """
    if law := _term(purposes, purpose, "required_by_law"):
        raise OrderError(f"{purpose}: can't be {_WORDS[kind]}: {law}. Answer the person so")
    facts: dict[str, Any] = {"complaint": complaint} if complaint else {}
    return orders.give(kind, child_id, said, purpose=purpose, recipient=recipient, **facts)


_WORDS = {Kind.RESTRICTION: "restricted", Kind.OBJECTION: "objected to"}


def override(
    orders: Orders, number: int, said: Said, *, purpose: str, recipient: str, purposes: Purposes
) -> int:
    """Let a restricted child's rows go to a recipient for a safeguarding purpose after all.

    Raises OrderError for another purpose, and for a number that is no restriction or objection.
    """
    order = orders.find(number, *RESTRICTING)
    if not _term(purposes, purpose, "safeguarding"):
        raise OrderError(
            f"{purpose}: no safeguarding purpose; a {order.kind} may be overridden for such alone"
        )
    return orders.give(
        Kind.OVERRIDE, order.child_id, said, purpose=purpose, recipient=recipient, of=number
    )


def leave_out(orders: Orders, child_id: str, said: Said, *, recipient: str) -> int:
    """Leave numbers that name the child out of what a recipient gets."""
    return orders.give(Kind.IDENTIFIER, child_id, said, recipient=recipient)


def withheld(
    orders: Orders, day: date, flows: Iterable[tuple[str, str]]
) -> set[tuple[str | None, ...]]:
    """(child, purpose, recipient) of which no row may leave, of the flows (recipient, agreed purpose) there are."""
    bound = [(order, reached) for order, reached in orders.reach(day, *RESTRICTING)]
    passed = [(order, reached) for order, reached in orders.reach(day, Kind.OVERRIDE)]
    return {
        (child, purpose, recipient)
        for recipient, purpose in flows
        for order, reached in bound
        if order.recipient in (None, recipient) and covers(str(order.purpose), purpose)
        for child in reached
        if not any(
            other.recipient == recipient
            and is_below(purpose, str(other.purpose))
            and other.made_at > order.made_at
            and child in children
            for other, children in passed
        )
    }


def numbers_left_out(orders: Orders, day: date) -> set[tuple[str | None, ...]]:
    """(child, recipient) for which numbers that name the child are left out."""
    return {
        (child, order.recipient)
        for order, reached in orders.reach(day, Kind.IDENTIFIER)
        for child in reached
    }


def covers(ordered: str, asked: str) -> bool:
    """Whether an order about a purpose bears on a release for another: it lies below, or carries it."""
    return is_below(asked, ordered) or is_below(ordered, asked)


def _term(purposes: Purposes, purpose: str, name: str) -> str | None:
    """What the purpose, or the nearest above it, says under a name."""
    if purpose not in purposes:
        raise OrderError(f"{purpose}: no such purpose; they are {', '.join(sorted(purposes))}")
    parts = purpose.split(".")
    for length in range(len(parts), 0, -1):
        found = purposes.get(".".join(parts[:length]), {}).get(name)
        if found is not None:
            return str(found)
    return None
