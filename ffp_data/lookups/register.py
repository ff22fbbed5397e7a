"""What look-ups ask of the register of identifiers, which has readers while a run writes.

It opens the register as it is: a look-up never migrates it, and so never waits for a run.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Self

import pyarrow as pa
import sqlalchemy as sa

from ffp_data.hub import lookup, orders
from ffp_data.hub.child_id import parse
from ffp_data.hub.database import create_engine
from ffp_data.hub.events import PastEvent
from ffp_data.hub.models import Membership, Person, Run
from ffp_data.hub.order_models import Order

ORDERS, SHIELD = Order.__tablename__, "shield"
_LOT = 500


@dataclass(frozen=True)
class Standing:
    """How an identifier stands: in use or not, which one is in use for it, since when it exists."""

    child_id: str
    in_use: str
    issued_on: date
    records: int


class Register:
    """Reads the register; safe for several threads. Each method is one short transaction."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._shields: tuple[object, frozenset[str]] | None = None

    @classmethod
    def open(cls, url: str) -> Self:
        return cls(create_engine(url))

    def close(self) -> None:
        self._engine.dispose()

    def resolve(self, child_id: str) -> str:
        """The identifier in use for one that was issued; raises HubError."""
        wanted = parse(child_id)
        with self._engine.connect() as connection:
            return lookup.resolve(connection, wanted)

    def in_use(self, child_ids: Collection[str]) -> dict[str, str]:
        """The identifier in use for each that the register knows; one that it has not is left out."""
        with self._engine.connect() as connection:
            leads_to = self._leads_to(connection, set(child_ids))
        return {child: end for child in child_ids if (end := _end(child, leads_to)) is not None}

    def _leads_to(self, connection: sa.Connection, wanted: set[str]) -> dict[str, str | None]:
        """Successor (None for one in use) of the wanted identifiers and of all that they lead to."""
        found: dict[str, str | None] = {}
        while wanted:
            asked = sorted(wanted)
            for lot in (asked[at : at + _LOT] for at in range(0, len(asked), _LOT)):
                query = sa.select(Person.child_id, Person.replaced_by).where(
                    Person.child_id.in_(lot)
                )
                found |= {row.child_id: row.replaced_by for row in connection.execute(query)}
            wanted = {n for n in found.values() if n is not None and n not in found} - set(asked)
        return found

    def standing(self, child_id: str) -> Standing:
        """How an identifier stands; raises HubError."""
        wanted = parse(child_id)
        with self._engine.connect() as connection:
            in_use = lookup.resolve(connection, wanted)
            issued = sa.select(Run.as_at).join(Person, Person.issued_seq == Run.seq)
            day = connection.scalars(issued.where(Person.child_id == wanted)).one()
            held = sa.select(sa.func.count()).where(
                Membership.child_id == in_use, Membership.to_seq.is_(None)
            )
            return Standing(wanted, in_use, day, connection.scalar(held) or 0)

    def history(self, child_id: str) -> tuple[PastEvent, ...]:
        """Every event that names the identifier, oldest first; raises HubError."""
        wanted = parse(child_id)
        with self._engine.connect() as connection:
            lookup.resolve(connection, wanted)
            return lookup.history(connection, wanted)

    def as_of(self, when: date | str) -> pa.Table:
        """Membership as at a date or after a run: record_key, child_id, linked_since, link_confidence."""
        with self._engine.connect() as connection:
            return lookup.membership_as_of(connection, when)

    def membership(self) -> pa.Table:
        """Which identifier each record carries now; columns of `as_of`."""
        with self._engine.connect() as connection:
            return lookup.current_membership(connection)

    def runs(self) -> list[dict[str, object]]:
        """Id, as-at day and model of every run, oldest first."""
        query = sa.select(Run.run_id, Run.as_at, Run.model_version).order_by(Run.seq)
        with self._engine.connect() as connection:
            return [
                {"run": run_id, "as_at": as_at.isoformat(), "model": model}
                for run_id, as_at, model in connection.execute(query)
            ]

    def shielded(self) -> frozenset[str]:
        """The identifiers in use of whom it is ordered today that nobody be told where they are."""
        today = datetime.now(UTC).date()
        with self._engine.connect() as connection:
            if not sa.inspect(connection).has_table(ORDERS):
                return frozenset()  # a register from before there were orders
            known = (today, orders.version(connection))
            if self._shields is None or self._shields[0] != known:
                self._shields = (known, orders.reached(connection, today, SHIELD))
            return self._shields[1]

    def connect(self) -> sa.Connection:
        """A connection to read with."""
        return self._engine.connect()


def _end(child_id: str, leads_to: dict[str, str | None]) -> str | None:
    if child_id not in leads_to:
        return None
    while (successor := leads_to.get(child_id)) is not None:
        child_id = successor
    return child_id if child_id in leads_to else None
