"""Children's wrapped keys in the hub's database; only identifiers that the hub issued have one.

Keys are made in the transaction that issues identifiers, so that none is ever without. Reading takes no
lock, and look-ups only read: they never wait for a run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import sqlalchemy as sa

from ffp_data.hub.database import writing
from ffp_data.hub.models import Person
from ffp_data.hub.seals import scour
from ffp_data.hub.subject_key_models import SubjectKey
from governance.keys import KeyStore
from governance.subjects import KEK_LABEL, SubjectKeys, Wrapped

_LOT = 500
_MANY = 5_000  # from here on one reading of the whole table is quicker than many questions

_TABLE: sa.Table = SubjectKey.metadata.tables[SubjectKey.__tablename__]
_COLUMNS = sa.select(_TABLE.c.child_id, _TABLE.c.kek, _TABLE.c.wrapped)
_ONE = _COLUMNS.where(_TABLE.c.child_id == sa.bindparam("child"))
"""For one child, as each look-up by identifier asks: half the time of a list of one."""


@dataclass(frozen=True)
class HubKeys:
    """The store of wrapped keys (``governance.subjects.WrappedKeys``) of one hub.

    ``within``: a writer's transaction that everything is a part of, instead of one of its own.
    """

    engine: sa.Engine
    within: sa.Connection | None = None

    def read(self, child_ids: Collection[str]) -> dict[str, Wrapped]:
        with self._reading() as connection:
            if len(child_ids) < _MANY:
                return _found(connection, child_ids)
            wanted = frozenset(child_ids)
            rows = connection.execute(_COLUMNS)
            return {child: Wrapped(kek, key) for child, kek, key in rows if child in wanted}

    def add(self, new: Mapping[str, Wrapped]) -> None:
        with self._writing() as connection:
            for lot in _lots(sorted(new)):
                issued = sa.select(Person.child_id).where(Person.child_id.in_(lot))
                known = set(connection.scalars(issued)) - _found(connection, lot).keys()
                rows = [
                    {"child_id": child, "kek": new[child].kek, "wrapped": new[child].wrapped}
                    for child in lot
                    if child in known
                ]
                if rows:
                    connection.execute(sa.insert(_TABLE), rows)

    def lacking(self) -> list[str]:
        has_key = sa.exists().where(_TABLE.c.child_id == Person.child_id)
        with self._reading() as connection:
            return sorted(connection.scalars(sa.select(Person.child_id).where(~has_key)))

    def is_complete(self) -> bool:
        with self._reading() as connection:
            people, keys = (
                connection.scalar(sa.select(sa.func.count()).select_from(each))
                for each in (Person, _TABLE)
            )
        return people == keys

    def remove(self, child_ids: Collection[str]) -> int:
        with self._writing() as connection:
            gone = 0
            for lot in _lots(sorted(set(child_ids))):
                done = connection.execute(sa.delete(_TABLE).where(_TABLE.c.child_id.in_(lot)))
                gone += done.rowcount
        if gone:
            scour(self.engine)
        return gone

    def under(self, kek: str, limit: int) -> dict[str, Wrapped]:
        query = _COLUMNS.where(_TABLE.c.kek == kek).order_by(_TABLE.c.child_id).limit(limit)
        with self._reading() as connection:
            return {child: Wrapped(name, key) for child, name, key in connection.execute(query)}

    def replace(self, kek: str, new: Mapping[str, Wrapped]) -> None:
        change = (
            sa.update(_TABLE)
            .where(_TABLE.c.child_id == sa.bindparam("who"), _TABLE.c.kek == kek)
            .values(kek=sa.bindparam("new_kek"), wrapped=sa.bindparam("new_key"))
        )
        rows = [
            {"who": child, "new_kek": each.kek, "new_key": each.wrapped}
            for child, each in new.items()
        ]
        if rows:
            with self._writing() as connection:
                connection.execute(change, rows)

    def _reading(self) -> AbstractContextManager[sa.Connection]:
        return nullcontext(self.within) if self.within is not None else self.engine.connect()

    def _writing(self) -> AbstractContextManager[sa.Connection]:
        return nullcontext(self.within) if self.within is not None else writing(self.engine)


def open_subject_keys(engine: sa.Engine, keys: KeyStore) -> SubjectKeys:
    """The keys of children that lie in the hub of ``engine``."""
    return SubjectKeys(HubKeys(engine), keys.key(KEK_LABEL))


def _found(connection: sa.Connection, child_ids: Collection[str]) -> dict[str, Wrapped]:
    found: dict[str, Wrapped] = {}
    for lot in _lots(sorted(set(child_ids))):
        if len(lot) == 1:
            rows = connection.execute(_ONE, {"child": lot[0]})
        else:
            rows = connection.execute(_COLUMNS.where(_TABLE.c.child_id.in_(lot)))
        found |= {child: Wrapped(kek, key) for child, kek, key in rows}
    return found


def _lots(values: Sequence[str]) -> Iterator[Sequence[str]]:
    return (values[at : at + _LOT] for at in range(0, len(values), _LOT))
