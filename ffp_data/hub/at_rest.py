"""The hub's SQLite file, encrypted page by page (SQLCipher: AES-256-CBC and HMAC-SHA-512 for each page).

The key is 32 bytes derived from the home's purpose key `hub`, handed over raw, so that no password is
stretched at each connection. A file from before is encrypted once, when it is first opened: exported into a
new file that takes its place in one step. On PostgreSQL encryption at rest is the server's volume.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlcipher3 import dbapi2 as sqlcipher

from ffp_data.hub.errors import StorageError
from governance.files import fsync_directory
from governance.key_use import changing
from governance.keys import KeyStore

DRIVER = "sqlite+sqlcipher"
"""Names the file in URLs: ``sqlite+sqlcipher:///<file>?keys=<key directory>``."""

PURPOSE = "hub/sqlcipher"
_WAIT = 2.0
"""Seconds for another process to let go of a file that is to be copied."""
_PLAIN = b"SQLite format 3\0"


def is_ours(url: str | sa.URL) -> bool:
    """Whether a URL names a file that is encrypted here, and not a server or a plain file."""
    return sa.make_url(url).drivername == DRIVER


def create_engine(url: sa.URL, **arguments: Any) -> sa.Engine:
    """An engine whose connections open the file of the URL; encrypts a plain one first.

    Raises RootKeyError for keys that are unfit, StorageError for a file that others hold open.
    """
    file, keys = Path(url.database or ""), KeyStore(Path(str(url.query["keys"])))
    encrypt_plain(file, keys)
    # `keys` goes along: who has an engine uses the keys, and a rotation waits for them.
    return _engine(file, partial(_hand_over, keys, file), **arguments)


def engine_of(file: Path, key: bytes) -> sa.Engine:
    """An engine on a file under a given key, for a rotation, in which `create_engine` refuses."""

    def unlock(connection: Any, _record: object) -> None:
        _unlock(connection, key)

    return _engine(file, unlock, hide_parameters=True)


def _engine(file: Path, unlock: Callable[[Any, object], None], **arguments: Any) -> sa.Engine:
    url = sa.URL.create("sqlite", database=str(file))
    engine = sa.create_engine(url, module=sqlcipher, **arguments)
    sa.event.listen(engine, "connect", unlock, insert=True)
    return engine


def _hand_over(keys: KeyStore, file: Path, connection: Any, _record: object) -> None:
    _unlock(connection, keys.key(PURPOSE))
    if not _is_open(connection):
        raise StorageError(
            f"{file}: does not open with the keys of this home ({keys.directory}), or was changed; restore"
            " file and keys from one backup. Nothing was written"
        )


def _unlock(connection: Any, key: bytes) -> None:
    connection.execute("PRAGMA cipher_log_level = NONE")  # a wrong key is told in our words, once
    connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")


def is_plain(file: Path) -> bool:
    """Whether a file is an SQLite database that anybody can read."""
    try:
        with file.open("rb") as handle:
            return handle.read(len(_PLAIN)) == _PLAIN
    except FileNotFoundError:
        return False


def opens_with(file: Path, key: bytes) -> bool:
    """Whether the key opens the file."""
    with closing(sqlcipher.connect(file)) as connection:
        _unlock(connection, key)
        return _is_open(connection)


def _is_open(connection: Any) -> bool:
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlcipher.OperationalError:
        return True  # locked, or no room: not a matter of the key
    except sqlcipher.DatabaseError:
        return False
    return True


def encrypt_plain(file: Path, keys: KeyStore) -> None:
    """Put an encrypted copy in the place of a plain file; does nothing for any other."""
    if is_plain(file):
        with changing(keys.directory):
            if is_plain(file):  # another process may have been first
                copy(file, None, keys.key(PURPOSE))


def copy(file: Path, old: bytes | None, new: bytes) -> None:
    """Put a copy under the key ``new`` in the place of a file under ``old`` (None: plain), in one step.

    Raises StorageError while somebody else has the file open.
    """
    part = file.with_name(f".{file.name}.part")
    part.unlink(missing_ok=True)
    with closing(sqlcipher.connect(file, timeout=_WAIT, isolation_level=None)) as connection:
        if old is not None:
            _unlock(connection, old)
        # A log that stayed behind would be taken for the new file's own: fold it in, which needs the file alone.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
        except sqlcipher.OperationalError:
            mode = ""
        if mode != "delete":
            raise StorageError(
                f"{file}: another process has it open; stop it, then do this again: the file must be"
                " encrypted anew, alone"
            )
        connection.execute(f"ATTACH ? AS copied KEY \"x'{new.hex()}'\"", (str(part),))
        connection.execute("SELECT sqlcipher_export('copied')")
        connection.execute("DETACH copied")
    part.chmod(0o600)
    part.replace(file)
    fsync_directory(file.parent)


@contextmanager
def reading(file: Path, keys: KeyStore) -> Iterator[Any]:
    """A connection that only reads the file, for whoever searches every file of a home."""
    with opened(file, keys, "ro") as connection:
        yield connection


@contextmanager
def opened(file: Path, keys: KeyStore, mode: str = "rw") -> Iterator[Any]:
    """The driver's own connection to the file, past SQLAlchemy."""
    with closing(sqlcipher.connect(f"file:{file}?mode={mode}", uri=True)) as connection:
        _unlock(connection, keys.key(PURPOSE))
        yield connection
