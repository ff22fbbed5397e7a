"""What a seal does in the hub's own database: the filter, spent identifiers, and taking an identity out.

This is the one place where the hub deletes. Every row that names an identifier or a record of the sealed
identity goes, in whatever table it stands, also in tables that this module has never heard of; an event
of another child keeps its row and loses the mention. Then the database is written anew, so that
no freed page and no log of the database keeps what was deleted.
"""

from __future__ import annotations

import hmac
import json
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa

from ffp_data.hub.child_id import IdSource, parse
from ffp_data.hub.errors import HubError
from ffp_data.hub.events import EventKind
from ffp_data.hub.models import HubEvent, Membership, Person, Run
from ffp_data.hub.order_models import ErasedToken
from ffp_data.hub.seal_models import Seal, SealedToken, SpentIdentifier

_EVENTS: sa.Table = HubEvent.metadata.tables[HubEvent.__tablename__]
_RUNS: sa.Table = Run.metadata.tables[Run.__tablename__]
_OWN = {
    SealedToken.__tablename__,
    ErasedToken.__tablename__,
    SpentIdentifier.__tablename__,
    Seal.__tablename__,
}
_LOT = 500
_TRIES, _PAUSE = 60, 0.5  # seconds


def tokens(connection: sa.Connection) -> frozenset[str]:
    """The filter of late rows of the sealed."""
    return frozenset(connection.scalars(sa.select(SealedToken.token)))


def erased_tokens(connection: sa.Connection) -> frozenset[str]:
    """The filter of late rows of the erased."""
    return frozenset(connection.scalars(sa.select(ErasedToken.token)))


def add_tokens(
    connection: sa.Connection,
    new: Iterable[str],
    spent: Iterable[str],
    to: type[SealedToken | ErasedToken] = SealedToken,
) -> None:
    """Add to a filter and to the spent identifiers; what is there already stays."""
    for model, values in ((to, new), (SpentIdentifier, spent)):
        known = set(connection.scalars(sa.select(model.token)))
        # Sorted: the order of rows must not tell which tokens came together.
        if rows := [{"token": token} for token in sorted(set(values) - known)]:
            connection.execute(sa.insert(model), rows)


def remove_tokens(connection: sa.Connection, old: Iterable[str]) -> int:
    """Take tokens out of the filter, for a seal that was a mistake; gives how many were there."""
    gone = sorted(set(old) & tokens(connection))
    for lot in _lots(gone):
        connection.execute(sa.delete(SealedToken).where(SealedToken.token.in_(lot)))
    return len(gone)


def unspent(connection: sa.Connection, id_source: IdSource, key: bytes | None) -> IdSource:
    """The source without identifiers that were sealed. Raises HubError, when drawn from, without a key."""
    spent = frozenset(connection.scalars(sa.select(SpentIdentifier.token)))
    if not spent:
        return id_source

    def draw() -> str:
        if key is None:
            raise HubError("this hub has spent identifiers: it issues none without its key to them")
        while hmac.digest(key, parse(drawn := id_source()).encode(), "sha256").hex() in spent:
            pass
        return drawn

    return draw


def identity_of(connection: sa.Connection, child_id: str) -> tuple[frozenset[str], frozenset[str]]:
    """Every identifier that leads to `child_id`, itself among them, and the records it holds now."""
    ids = {child_id}
    while True:
        query = sa.select(Person.child_id).where(Person.replaced_by.in_(ids))
        if not (more := set(connection.scalars(query)) - ids):
            break
        ids |= more
    held = sa.select(Membership.record_key).where(
        Membership.child_id.in_(ids), Membership.to_seq.is_(None)
    )
    return frozenset(ids), frozenset(connection.scalars(held))


def count(connection: sa.Connection, words: Collection[str]) -> dict[str, int]:
    """How many rows of each table name one of the words."""
    tables = _tables(connection)
    counted = {t.name: len(_keys(connection, t, words)) for t in tables if t.name not in _OWN}
    return {name: number for name, number in counted.items() if number}


def purge(connection: sa.Connection, words: Collection[str]) -> dict[str, int]:
    """Delete every row that names one of the words; counts by table. Doing it again finds nothing."""
    _redact_runs(connection, words)
    _redact_events(connection, words)
    done: Counter[str] = Counter()
    metadata = _reflected(connection)
    gone: dict[str, set[tuple[Any, ...]]] = {}
    for table in metadata.sorted_tables:  # what is referred to comes first
        if table.name in _OWN or table.name == Run.__tablename__:
            continue
        keys = set(_keys(connection, table, words)) | _dependants(connection, table, gone)
        if keys:
            gone[table.name] = keys
    for table in reversed(metadata.sorted_tables):
        if keys := gone.get(table.name, set()):
            _delete(connection, table, keys)
            done[table.name] = len(keys)
    return dict(done)


def write_seal(
    connection: sa.Connection,
    on: date,
    by: str,
    reason: str,
    counts: Mapping[str, Any],
    kind: EventKind = EventKind.SEALED,
) -> int:
    """Write that a seal, or an erasure, was; gives its number."""
    values = {
        "kind": kind.value,
        "sealed_on": on,
        "sealed_by": by,
        "reason": reason,
        "counts": dict(counts),
    }
    number: int = connection.scalars(sa.insert(Seal).returning(Seal.number), values).one()
    return number


def seals(connection: sa.Connection) -> list[dict[str, Any]]:
    """Every seal, oldest first."""
    query = sa.select(Seal.__table__).order_by(Seal.number)
    return [dict(row._mapping) for row in connection.execute(query)]


def scour(engine: sa.Engine) -> None:
    """Write the database anew without what was freed in it, and empty its log."""
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        if engine.dialect.name == "sqlite":
            cursor.execute("VACUUM")
            _empty_log(cursor)
        else:
            connection.rollback()
            connection.driver_connection.autocommit = True  # type: ignore[union-attr]
            cursor.execute("VACUUM (FULL, ANALYZE)")
            cursor.execute("CHECKPOINT")
            connection.driver_connection.autocommit = False  # type: ignore[union-attr]
        cursor.close()
    finally:
        connection.close()


def _empty_log(cursor: Any) -> None:
    """Cut SQLite's write-ahead log to nothing; a reader in the middle of an answer is waited for."""
    for _ in range(_TRIES):
        (is_busy, *_) = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if not is_busy:
            return
        time.sleep(_PAUSE)
    raise HubError("somebody reads the hub's database all the time, so its log can't be emptied")


def _reflected(connection: sa.Connection) -> sa.MetaData:
    metadata = sa.MetaData()
    metadata.reflect(connection)
    return metadata


def _tables(connection: sa.Connection) -> list[sa.Table]:
    return _reflected(connection).sorted_tables


def _keys(
    connection: sa.Connection, table: sa.Table, words: Collection[str]
) -> list[tuple[Any, ...]]:
    """Primary keys of the rows in which a word stands as a value, or within JSON."""
    own = list(table.primary_key.columns)
    texts = [c for c in table.columns if isinstance(c.type, sa.String | sa.Text)]
    documents = [c for c in table.columns if isinstance(c.type, sa.JSON)]
    found: set[tuple[Any, ...]] = set()
    for lot in _lots(sorted(words)):
        tests = [column.in_(lot) for column in texts]
        if tests:
            found |= {
                tuple(row) for row in connection.execute(sa.select(*own).where(sa.or_(*tests)))
            }
    wanted = [json.dumps(word) for word in words]
    for column in documents:
        rows = connection.execute(sa.select(*own, sa.cast(column, sa.Text)))
        found |= {tuple(r[:-1]) for r in rows if r[-1] and any(word in r[-1] for word in wanted)}
    return sorted(found, key=repr)


def _dependants(
    connection: sa.Connection, table: sa.Table, gone: Mapping[str, set[tuple[Any, ...]]]
) -> set[tuple[Any, ...]]:
    """Rows that point to a row that goes."""
    found: set[tuple[Any, ...]] = set()
    for reference in table.foreign_keys:
        targets = gone.get(reference.column.table.name)
        if not targets or reference.column.table is table:
            continue
        for lot in _lots(sorted(key[0] for key in targets)):
            query = sa.select(*table.primary_key.columns).where(reference.parent.in_(lot))
            found |= {tuple(row) for row in connection.execute(query)}
    return found


def _delete(connection: sa.Connection, table: sa.Table, keys: set[tuple[Any, ...]]) -> None:
    own = list(table.primary_key.columns)
    for lot in _lots(sorted(keys, key=repr)):
        test = own[0].in_([key[0] for key in lot]) if len(own) == 1 else sa.tuple_(*own).in_(lot)
        connection.execute(sa.delete(table).where(test))


def _redact_runs(connection: sa.Connection, words: Collection[str]) -> None:
    """Clashes that a run told of lose those about the identity; its counts stay as they were."""
    for seq, summary in connection.execute(sa.select(_RUNS.c.seq, _RUNS.c.summary)).all():
        if summary is None or not _names(summary, words):
            continue
        kept = [clash for clash in summary.get("clashes", ()) if not _names(clash, words)]
        without = without_words({**summary, "clashes": kept}, words)
        connection.execute(sa.update(_RUNS).where(_RUNS.c.seq == seq).values(summary=without))


def _redact_events(connection: sa.Connection, words: Collection[str]) -> None:
    """Events of other children whose evidence mentions the identity keep all but the mention."""
    named = set(words)
    query = sa.select(
        _EVENTS.c.event_id, _EVENTS.c.child_id, _EVENTS.c.other_child_id, _EVENTS.c.evidence
    )
    for event_id, child, other, evidence in connection.execute(query).all():
        if named & {child, other} or not _names(evidence, words):
            continue
        left = without_words(evidence, words)
        if evidence.get("records") and not left.get("records"):
            continue  # it was about the sealed records alone, and goes
        connection.execute(
            sa.update(_EVENTS).where(_EVENTS.c.event_id == event_id).values(evidence=left)
        )


def _names(value: Any, words: Collection[str]) -> bool:
    text = json.dumps(value, default=str)
    return any(json.dumps(word) in text for word in words)


def without_words(value: Any, words: Collection[str]) -> Any:
    """JSON without the words: out of lists they go, a part of an object that names one goes whole."""
    if isinstance(value, dict):
        kept = {key: without_words(part, words) for key, part in value.items()}
        return {
            k: v
            for k, v in kept.items()
            if not (isinstance(value[k], str) and value[k] in words)
            and not (isinstance(value[k], dict) and _names(value[k], words))
        }
    if isinstance(value, list):
        return [without_words(part, words) for part in value if not _names(part, words)]
    return value


def _lots(values: list[Any]) -> Iterable[list[Any]]:
    return (values[n : n + _LOT] for n in range(0, len(values), _LOT))
