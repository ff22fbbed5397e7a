"""The file that the pages write: `pages.db` in the home, encrypted page by page with a key of its own.

It is apart from the hub's database, so that no page ever waits for a run that writes there, whether the hub is a file
or a server. Children stand in it by reference only (`governance.subjects`): once a child's key is destroyed nobody can
tell whose a row was.
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

import sqlalchemy as sa

from ffp_data.hub import at_rest
from ffp_data.hub.database import prepared, writing
from ffp_data.settings import Home
from governance.keys import KeyStore

FILE, PURPOSE = "pages.db", "pages/sqlcipher"
TABLES = sa.MetaData()


class Kept:
    """The file, open; safe for several threads and processes."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    @classmethod
    def open(cls, home: Home, keys: KeyStore) -> Self:
        """Open the file of a home, made when it is not there; raises StorageError."""
        file = file_of(home)
        engine = prepared(at_rest.engine_of(file, keys.key(PURPOSE)))
        with writing(engine) as connection:
            TABLES.create_all(connection)
        file.chmod(0o600)
        return cls(engine)

    def close(self) -> None:
        self.engine.dispose()


def file_of(home: Home) -> Path:
    return home.root / FILE
