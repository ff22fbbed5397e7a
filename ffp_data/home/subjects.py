"""What stands for people in ledger, journals and lists: the reference of each, under its own key.

A record key stands for the person who has the record now. An identifier that this hub doesn't know, never
issued, sealed, erased or mistyped, gets a random text: the ledger then shows that somebody asked, and
nothing that could be tied to anybody.
"""

from __future__ import annotations

import secrets
import weakref
from collections.abc import Collection, Sequence
from functools import cached_property
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from ffp_data.hub import StorageError, open_subject_keys
from ffp_data.hub.database import create_engine, migrate
from ffp_data.hub.models import Membership, Person
from ffp_data.settings import Home
from governance.keys import KeyStore
from governance.subject_lists import FOLDER, SubjectLists
from governance.subjects import REFERENCE_BYTES, SubjectKeys

RECORD_MARK = "|"
_LOT = 500


class HubSubjects:
    """References of people by identifier or record key, as the hub's register has them; thread-safe."""

    def __init__(self, url: str, keys: KeyStore) -> None:
        """Nothing is opened before it is asked for."""
        self._url, self._store = url, keys

    @cached_property
    def engine(self) -> sa.Engine:
        engine = create_engine(self._url)
        weakref.finalize(self, engine.dispose)
        return engine

    @cached_property
    def keys(self) -> SubjectKeys:
        """The keys themselves."""
        return open_subject_keys(self.engine, self._store)

    def references(self, identifiers: Sequence[str]) -> list[str]:
        """What the ledger may hold of these, in order; random where nobody is known."""
        if not identifiers:
            return []
        children = self._children(identifiers)
        known = self._known(sorted(set(children.values())))
        return [
            known.get(children.get(each, ""), "") or secrets.token_hex(REFERENCE_BYTES)
            for each in identifiers
        ]

    def require(self, identifiers: Sequence[str]) -> list[str]:
        """The same for what leaves: raises UnknownSubjectError where nobody is known."""
        children = self._children(identifiers)
        return self.keys.references([children.get(each, each) for each in identifiers])

    def prepare(self) -> None:
        """Make keys for a hub that is older than keys. Not within a transaction of the hub."""
        database = make_url(self._url).database
        if self.engine.dialect.name == "sqlite" and not Path(str(database)).is_file():
            return  # there is no hub yet, and asking must not make one
        migrate(self.engine)
        if not self.keys.is_complete():
            self.keys.ensure()

    def _known(self, child_ids: Sequence[str]) -> dict[str, str]:
        """References of the children whom the hub issued."""
        known = self.keys.known(child_ids)
        if missing := [child for child in child_ids if child not in known]:
            with self.engine.connect() as connection:
                lacking = sa.select(sa.exists().where(Person.child_id.in_(missing)))
                if connection.scalar(lacking):
                    raise StorageError(
                        "an identifier has no key yet, so no read of it can be written down; make its key: ffp run"
                    )
        return known

    def _children(self, identifiers: Collection[str]) -> dict[str, str]:
        """Whose each is: an identifier is its own, a record key is that of who has it now."""
        records = sorted({each for each in identifiers if RECORD_MARK in each})
        children = {each: each for each in identifiers if RECORD_MARK not in each}
        if not records:
            return children
        query = sa.select(Membership.record_key, Membership.child_id)
        with self.engine.connect() as connection:
            for at in range(0, len(records), _LOT):
                lot = Membership.record_key.in_(records[at : at + _LOT])
                rows = connection.execute(query.where(lot, Membership.to_seq.is_(None)))
                children |= {record: child for record, child in rows}
        return children


def lists_of(home: Home, keys: KeyStore) -> SubjectLists:
    """Where a home keeps whom its releases disclosed."""
    return SubjectLists(home.ledger_dir / FOLDER, HubSubjects(home.hub_url, keys).require)
