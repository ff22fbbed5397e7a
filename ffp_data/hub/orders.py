"""Orders in the hub's database: given, lifted, listed, and whom each reaches now.

An order follows the child, not the identifier: it reaches the identifier in use for the one it named, and
every identifier that now holds a record which that one held at the order or since. So it stands after a
merge, and after a split it stands on both sides until somebody lifts it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from ffp_data.hub import lookup
from ffp_data.hub.errors import HubError
from ffp_data.hub.models import Membership, Run
from ffp_data.hub.order_models import Order
from ffp_data.hub.review import as_utc

_TABLE: sa.Table = Order.metadata.tables[Order.__tablename__]


class OrderError(HubError):
    """An order that can't be given or lifted; says what to do."""


@dataclass(frozen=True)
class Standing:
    """An order as the database has it; `payload` and `lifting` are closed."""

    number: int
    kind: str
    child_id: str | None
    scope: str | None
    purpose: str | None
    recipient: str | None
    until: date | None
    made_at: datetime
    lifted_at: datetime | None
    payload: bytes
    lifting: bytes | None

    def holds_on(self, day: date) -> bool:
        """Whether it stands on a day: not lifted, and its last day is not over."""
        return self.lifted_at is None and (self.until is None or self.until >= day)


def last_seq(connection: sa.Connection) -> int:
    """The number of the hub's last run; 0 before the first."""
    return connection.scalar(sa.select(sa.func.max(Run.seq))) or 0


def add(connection: sa.Connection, values: dict[str, Any]) -> int:
    """Write an order down; gives its number."""
    row = {**values, "after_seq": last_seq(connection)}
    number: int = connection.scalars(sa.insert(Order).returning(Order.number), row).one()
    return number


def lift(connection: sa.Connection, number: int, at: datetime, lifting: bytes) -> None:
    """Lift an order that stands; raises OrderError when there is none of this number."""
    query = (
        sa.update(Order)
        .where(Order.number == number, Order.lifted_at.is_(None))
        .values(lifted_at=at, lifting=lifting)
    )
    if not connection.execute(query).rowcount:
        raise OrderError(f"{number}: no order of this number stands; list them for the numbers")


def listed(connection: sa.Connection, *kinds: str) -> list[Standing]:
    """Every order of these kinds, lifted ones too, oldest first."""
    names = list(Standing.__dataclass_fields__)
    query = (
        sa.select(*(_TABLE.c[name] for name in names))
        .where(_TABLE.c.kind.in_(kinds))
        .order_by(_TABLE.c.number)
    )
    return [_standing(row) for row in connection.execute(query).mappings()]


def _standing(row: Any) -> Standing:
    lifted = row["lifted_at"]
    told = {**row, "made_at": as_utc(row["made_at"]), "lifted_at": lifted and as_utc(lifted)}
    return Standing(**told)


def standing(connection: sa.Connection, day: date, *kinds: str) -> list[Standing]:
    """The orders of these kinds that stand on a day, oldest first."""
    return [order for order in listed(connection, *kinds) if order.holds_on(day)]


def reach(connection: sa.Connection, orders: Iterable[Standing]) -> dict[int, frozenset[str]]:
    """Number of each order about a child -> the identifiers in use that it reaches now."""
    named = {order.number: order.child_id for order in orders if order.child_id is not None}
    reached = {number: {lookup.resolve(connection, child)} for number, child in named.items()}
    for number, child in _holders(connection, named):
        reached[number].add(child)
    return {number: frozenset(children) for number, children in reached.items()}


def _holders(connection: sa.Connection, numbers: Collection[int]) -> Iterable[tuple[int, str]]:
    then, now = aliased(Membership), aliased(Membership)
    query = (
        sa.select(Order.number, now.child_id)
        .join(then, then.child_id == Order.child_id)
        .join(now, now.record_key == then.record_key)
        .where(
            Order.lifted_at.is_(None),
            sa.or_(then.to_seq.is_(None), then.to_seq > Order.after_seq),
            now.to_seq.is_(None),
        )
        .distinct()
    )
    rows = connection.execute(query)
    return [(number, child) for number, child in rows if number in numbers]


def reached(connection: sa.Connection, day: date, *kinds: str) -> frozenset[str]:
    """The identifiers in use that any standing order of these kinds reaches."""
    found = reach(connection, standing(connection, day, *kinds))
    return frozenset[str]().union(*found.values())


def version(connection: sa.Connection) -> tuple[int, int, int]:
    """What changes whenever an order, its lifting, or the holder of a record does."""
    counts = sa.select(sa.func.count(), sa.func.count(_TABLE.c.lifted_at)).select_from(_TABLE)
    orders, lifted = connection.execute(counts).one()
    return orders, lifted, last_seq(connection)
