"""The stores that follow a rotation; each step does nothing where it was done before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from ffp_data.hub import at_rest
from ffp_data.hub.database import create_engine, migrate, prepared
from ffp_data.hub.subject_keys import HubKeys
from ffp_data.identity import model_store
from ffp_data.kept import database as kept
from ffp_data.serving import store as serving
from ffp_data.settings import Home
from ffp_data.warehouse import copy_encrypted, opens_with
from governance.keys import WAREHOUSE, KeyStore, RootKeyError, as_duckdb_key
from governance.subjects import KEK_LABEL, SubjectKeys

Step = Callable[[KeyStore], None]
_Purposes = Callable[[str], bytes]


class StoreUnreadableError(RootKeyError):
    """A store that neither the old nor the new key opens."""

    def __init__(self, path: Path) -> None:
        """Name the file and what to do."""
        super().__init__(
            f"{path}: neither the old nor the new key opens it; restore it from a backup of this home, or"
            " delete it where a run makes it anew, then run `ffp keys rotate` again"
        )


def steps(home: Home) -> Iterator[tuple[str, Step]]:
    """Each store that is there, by name; children's keys before the file that holds them."""
    yield "children's keys", partial(_rewrap_children, home)
    if at_rest.is_ours(home.hub_url) and home.hub_file.exists():
        yield home.hub_file.name, partial(_sqlcipher, home.hub_file, at_rest.PURPOSE)
    if (pages := kept.file_of(home)).exists():
        yield pages.name, partial(_sqlcipher, pages, kept.PURPOSE)
    if home.warehouse.exists():
        yield home.warehouse.name, partial(_duckdb, home.warehouse, _of_warehouse)
    for path in sorted(home.serving.rglob("*.duckdb")):
        yield _named(home, path), partial(_duckdb, path, _of_serving)
    for path in sorted((home.root / model_store.MODELS).glob("*/*.sealed")):
        yield _named(home, path), partial(_model, path)


def _named(home: Home, path: Path) -> str:
    return path.relative_to(home.root).as_posix()


def _of_warehouse(key: _Purposes) -> str:
    return as_duckdb_key(key(WAREHOUSE))


def _of_serving(key: _Purposes) -> str:
    return key(serving.PURPOSE).hex()


def _duckdb(path: Path, of: Callable[[_Purposes], str], keys: KeyStore) -> None:
    old, new = of(keys.key), of(keys.next_key)
    if opens_with(path, new):
        return
    if not opens_with(path, old):
        raise StoreUnreadableError(path)
    copy_encrypted(path, old, new)


def _model(path: Path, keys: KeyStore) -> None:
    old, new = keys.key(model_store.PURPOSE), keys.next_key(model_store.PURPOSE)
    if not model_store.rekey(path, old, new):
        raise StoreUnreadableError(path)


def _sqlcipher(file: Path, purpose: str, keys: KeyStore) -> None:
    old, new = keys.key(purpose), keys.next_key(purpose)
    if not at_rest.opens_with(file, new):
        at_rest.copy(file, old, new)


def _rewrap_children(home: Home, keys: KeyStore) -> None:
    engine = _hub_engine(home, keys)
    if engine is None:
        return
    try:
        migrate(engine)
        old, new = keys.key(KEK_LABEL), keys.next_key(KEK_LABEL)
        SubjectKeys(HubKeys(engine), new, [old]).rewrap(old, new)
    finally:
        engine.dispose()


def _hub_engine(home: Home, keys: KeyStore) -> sa.Engine | None:
    """An engine on the hub under whichever key it is; None where there is no hub yet."""
    file = home.hub_file
    if not at_rest.is_ours(home.hub_url):
        return create_engine(home.hub_url)
    if not file.exists():
        return None
    if at_rest.is_plain(file):
        at_rest.copy(file, None, keys.key(at_rest.PURPOSE))
    for key in (keys.next_key(at_rest.PURPOSE), keys.key(at_rest.PURPOSE)):
        if at_rest.opens_with(file, key):
            return prepared(at_rest.engine_of(file, key))
    raise StoreUnreadableError(file)
