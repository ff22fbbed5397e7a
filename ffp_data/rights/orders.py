"""The register of orders about children: who gave one, why, whom it reaches; each stands in the ledger.

The ledger gets the number, the kind and the child's reference; the reason, which may speak of people,
stays closed in the hub under the child's own key and is gone with it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, Self

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ffp_data.hub import lookup, orders
from ffp_data.hub.child_id import parse
from ffp_data.hub.database import create_engine, migrate, writing
from ffp_data.hub.orders import OrderError, Standing
from ffp_data.hub.subject_keys import open_subject_keys
from ffp_data.settings import Home
from governance.keys import KeyStore
from governance.ledger import Ledger
from governance.subjects import SubjectKeys

_LABEL = "rights/orders"
_NONCE = 12


class Kind(StrEnum):
    """What an order does."""

    SHIELD = "shield"  # nobody is told where the child is
    HOLD = "hold"  # nothing is destroyed
    RESTRICTION = "restriction"  # UK GDPR Article 18
    OBJECTION = "objection"  # UK GDPR Article 21
    OVERRIDE = "override"  # of a restriction or objection, for a safeguarding purpose
    IDENTIFIER = "identifier"  # numbers that name the child are left out for a recipient
    SHARE = "share"  # a decision to share about this child
    WITHHOLD = "withhold"  # a decision not to share: more detrimental to the child
    BREAK_GLASS = "break_glass"  # a shielded child's place is read after all


@dataclass(frozen=True)
class Said:
    """Who gives an order, why, and the last day on which it holds (None: no end)."""

    by: str
    reason: str
    until: date | None = None


@dataclass(frozen=True)
class Order:
    """One order in clear. told: who gave it and why, by name; lifting: the same of who lifted it."""

    number: int
    kind: Kind
    child_id: str | None
    scope: str | None
    purpose: str | None
    recipient: str | None
    until: date | None
    made_at: datetime
    lifted_at: datetime | None
    told: Mapping[str, Any]
    lifting: Mapping[str, Any] | None


class Orders:
    """The register of one hub. Use as a context, or `close` it."""

    def __init__(self, home: Home) -> None:
        """Open the hub's database and bring its tables to the newest version."""
        self.home = home
        self.engine = create_engine(home.hub_url)
        migrate(self.engine)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()

    @cached_property
    def keys(self) -> KeyStore:
        return KeyStore(self.home.keys_dir)

    @cached_property
    def ledger(self) -> Ledger:
        return Ledger(self.home.ledger_dir, self.keys)

    @cached_property
    def subjects(self) -> SubjectKeys:
        return open_subject_keys(self.engine, self.keys)

    def in_use(self, child_id: str) -> str:
        """The identifier in use for one that was issued; raises HubError."""
        with self.engine.connect() as connection:
            return lookup.resolve(connection, parse(child_id))

    def give(
        self,
        kind: Kind,
        child_id: str | None,
        said: Said,
        *,
        purpose: str | None = None,
        recipient: str | None = None,
        scope: str | None = None,
        told: Mapping[str, Any] | None = None,
        **facts: Any,
    ) -> int:
        """Write an order down and tell the ledger; gives its number.

        `told` stays closed with what was said; `facts` go to the ledger in clear. Raises OrderError
        where nobody or no reason is named, and HubError for an identifier that the hub lacks.
        """
        _require_said(said)
        child = self.in_use(child_id) if child_id is not None else None
        closed = {"by": said.by, "reason": said.reason, **(told or {})}
        values = {
            "kind": kind.value,
            "child_id": child,
            "scope": scope,
            "purpose": purpose,
            "recipient": recipient,
            "until": said.until,
            "made_at": datetime.now(UTC),
            "payload": self._closed(child, closed),
        }
        with writing(self.engine) as connection:
            number = orders.add(connection, values)
        what = {"purpose": purpose, "recipient": recipient, "scope": scope, "until": said.until}
        named = {name: str(value) for name, value in what.items() if value is not None}
        self.ledger.append(
            f"{kind}_ordered", number=number, **self._reference(child), **named, **facts
        )
        return number

    def lift(self, number: int, kinds: Collection[Kind], said: Said) -> Order:
        """Lift an order of one of these kinds; raises OrderError."""
        _require_said(said)
        order = self.find(number, *kinds)
        closed = self._closed(order.child_id, {"by": said.by, "reason": said.reason})
        with writing(self.engine) as connection:
            orders.lift(connection, number, datetime.now(UTC), closed)
        reference = self._reference(order.child_id)
        self.ledger.append(f"{order.kind}_lifted", number=number, **reference)
        return order

    def find(self, number: int, *kinds: Kind) -> Order:
        """The order of a number; raises OrderError when it is of no such kind."""
        for order in self.listed(*kinds):
            if order.number == number:
                return order
        words = " or ".join(kinds)
        raise OrderError(f"{number}: no {words} of this number; list them for the numbers")

    def listed(self, *kinds: Kind) -> list[Order]:
        """Every order of these kinds in clear, lifted ones too, oldest first."""
        with self.engine.connect() as connection:
            return [self._opened(each) for each in orders.listed(connection, *kinds)]

    def standing(self, day: date, *kinds: Kind) -> list[Order]:
        """Those that stand on a day."""
        with self.engine.connect() as connection:
            return [self._opened(each) for each in orders.standing(connection, day, *kinds)]

    def reach(self, day: date, *kinds: Kind) -> list[tuple[Order, frozenset[str]]]:
        """Each order that stands on a day, with the identifiers in use that it reaches."""
        with self.engine.connect() as connection:
            found = orders.standing(connection, day, *kinds)
            reached = orders.reach(connection, found)
            return [(self._opened(o), reached.get(o.number, frozenset())) for o in found]

    def _reference(self, child_id: str | None) -> dict[str, str]:
        """What stands for a child in the ledger, where there is one."""
        return {"subject": self.subjects.reference(child_id)} if child_id else {}

    def _closed(self, child_id: str | None, told: Mapping[str, Any]) -> bytes:
        plain = json.dumps(dict(told), sort_keys=True, default=str).encode()
        if child_id is not None:
            return self.subjects.encrypt(child_id, plain)
        nonce = secrets.token_bytes(_NONCE)
        return nonce + AESGCM(self.keys.key(_LABEL)).encrypt(nonce, plain, None)

    def _open(self, child_id: str | None, closed: bytes) -> dict[str, Any]:
        if child_id is not None:
            plain = self.subjects.decrypt(child_id, closed)
        else:
            cipher = AESGCM(self.keys.key(_LABEL))
            plain = cipher.decrypt(closed[:_NONCE], closed[_NONCE:], None)
        told: dict[str, Any] = json.loads(plain)
        return told

    def _opened(self, order: Standing) -> Order:
        return Order(
            order.number,
            Kind(order.kind),
            order.child_id,
            order.scope,
            order.purpose,
            order.recipient,
            order.until,
            order.made_at,
            order.lifted_at,
            self._open(order.child_id, order.payload),
            self._open(order.child_id, order.lifting) if order.lifting else None,
        )


def _require_said(said: Said) -> None:
    for name in ("by", "reason"):
        if not getattr(said, name).strip():
            raise OrderError(f"an order needs somebody who gives it, and why: give --{name}")


def as_row(order: Order) -> dict[str, Any]:
    """An order as a line of a list."""
    named = {
        "number": order.number,
        "kind": order.kind.value,
        "child_id": order.child_id,
        "scope": order.scope,
        "purpose": order.purpose,
        "recipient": order.recipient,
        "until": order.until,
        "made": order.made_at.isoformat(timespec="minutes"),
        "lifted": order.lifted_at and order.lifted_at.isoformat(timespec="minutes"),
        **order.told,
    }
    return {name: value for name, value in named.items() if value is not None or name == "lifted"}
