"""The hub's book of what is typed for the quarterly collection; each entry stands in the ledger, without its words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa

from ffp_data.hub import QuarterlyEntry
from ffp_data.hub.database import create_engine, migrate, writing
from ffp_data.hub.review import as_utc
from ffp_data.quarterly.entries import Entry, Value, read_value
from ffp_data.quarterly.items import Item, Items
from ffp_data.quarterly.quarters import Quarter
from ffp_data.settings import Home
from governance.access import Gate, Principal, Right

_TABLE: sa.Table = QuarterlyEntry.metadata.tables[QuarterlyEntry.__tablename__]


@dataclass
class EntryBook:
    """Entries of one home. Used in a `with` block, or closed by `close`."""

    engine: sa.Engine

    @classmethod
    def open(cls, home: Home) -> EntryBook:
        """The book of a home's hub, whose tables are brought to this version. Raises StorageError."""
        engine = create_engine(home.hub_url)
        migrate(engine)
        return cls(engine)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self.engine.dispose()

    def newest(self, quarter: Quarter) -> dict[str, Entry]:
        """The entry that counts of each item of a quarter."""
        return {entry.item: entry for entry in self.all(quarter)}

    def all(self, quarter: Quarter, item: str | None = None) -> list[Entry]:
        """Every entry of a quarter, of one item or all, oldest first."""
        query = sa.select(_TABLE).where(_TABLE.c.quarter == quarter.name)
        if item is not None:
            query = query.where(_TABLE.c.item == item)
        with self.engine.connect() as connection:
            rows = connection.execute(query.order_by(_TABLE.c.number)).mappings().all()
        return [_entry(row) for row in rows]

    def _add(self, item: Item, quarter: Quarter, value: Value, who: Principal) -> int:
        same = (_TABLE.c.item == item.id, _TABLE.c.quarter == quarter.name)
        with writing(self.engine) as connection:
            newest = connection.scalar(sa.select(sa.func.max(_TABLE.c.version)).where(*same)) or 0
            row = {
                "item": item.id, "quarter": quarter.name, "version": newest + 1,
                "value": value.model_dump_json(exclude_none=True), "author": who.name, "role": who.role,
                "made_at": datetime.now(UTC),
            }  # fmt: skip
            connection.execute(sa.insert(_TABLE), row)
        return newest + 1

    def enter(
        self,
        gate: Gate,
        who: Principal,
        items: Items,
        item: Item,
        quarter: Quarter,
        typed: Mapping[str, str],
    ) -> int:
        """Keep what was typed as the next version of the item in the quarter; gives its number.

        Raises AccessDeniedError (written down) without the right, and NotAnEntryError for what is no answer.
        """
        facts = gate.check(who, Right.QUARTERLY_ENTER)
        value = read_value(item, items, typed)
        version = self._add(item, quarter, value, who)
        gate.append(
            "quarterly_entered", **facts, item=item.id, quarter=quarter.name, version=version
        )
        return version


def _entry(row: Any) -> Entry:
    return Entry(
        row["item"], row["quarter"], row["version"], Value.model_validate_json(row["value"]), row["author"],
        row["role"], as_utc(row["made_at"]),
    )  # fmt: skip
