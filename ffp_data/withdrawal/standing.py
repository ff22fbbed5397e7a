"""What must stand, and what must not, after a withdrawal, beside the tables that are built anew.

Identifiers stand: each one that was ever issued resolves. Links stand only where records that are left, or a person,
hold them together; what holds by less is in the reviewers' queue, or is told. No table, no snapshot for look-ups and
no queue for reviewers names a record of a feed that no agreement covers any more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass

import duckdb
import sqlalchemy as sa

from ffp_data.home.run import Run
from ffp_data.hub import Hub, review_items
from ffp_data.hub.database import create_engine
from ffp_data.hub.models import Membership, Person
from ffp_data.hub.partition import Partition
from ffp_data.identity.live_model import choose_model
from ffp_data.identity.record_facts import link_facts
from ffp_data.serving import store
from ffp_data.warehouse import attach, engine
from ffp_data.withdrawal.scratch import HOME, qualified
from governance.syntax import quoted


@dataclass(frozen=True)
class Identifiers:
    """Identifiers ever issued, how many of them lead nowhere, and how many have no record of a covered feed."""

    issued: int
    lost: int
    without_record: int


@dataclass(frozen=True)
class Linked:
    """Identifiers that had records of the agreement and others: held by what is left, in review, or by nothing."""

    touched: int
    supported: int
    in_review: int
    unsupported: int


def identifiers(run: Run, shut: Collection[str]) -> Identifiers:
    """Every identifier of the hub, followed to its end."""
    engine = create_engine(run.home.hub_url)
    try:
        with engine.connect() as hub:
            rows = hub.execute(sa.select(Person.child_id, Person.replaced_by))
            successor: dict[str, str | None] = {child: following for child, following in rows}
            open_ = sa.select(Membership.record_key, Membership.child_id).where(
                Membership.to_seq.is_(None)
            )
            members = hub.execute(open_).all()
            named = set(hub.scalars(sa.select(Membership.child_id).distinct()))
    finally:
        engine.dispose()
    has_record = {child for record, child in members if record.partition("|")[0] not in shut}
    active = {child for child, next_ in successor.items() if next_ is None}
    lost = {child for child in named | successor.keys() if _end(child, successor) not in active}
    return Identifiers(len(successor), len(lost), len(active - has_record))


def _end(child: str, successor: Mapping[str, str | None]) -> str | None:
    """Where a chain of replacements ends; None for one that has no end or leaves the register."""
    for _ in range(len(successor)):
        if child not in successor:
            return None
        following = successor[child]
        if following is None:
            return child
        child = following
    return None


def links(con: duckdb.DuckDBPyConnection, run: Run, shut: Collection[str]) -> Linked:
    """Whether what the agreement's records once tied together is tied by others; reads the home alone."""
    with Hub.open(run.home.hub_url) as hub:
        members = hub.membership()
        same, _ = hub.constraints()
    pairs = zip(members["record_key"].to_pylist(), members["child_id"].to_pylist(), strict=True)
    held: dict[str, list[str]] = defaultdict(list)
    touched = set()
    for record, child in pairs:
        if record.partition("|")[0] in shut:
            touched.add(child)
        else:
            held[child].append(record)
    present = {
        r
        for (r,) in con.execute(f"SELECT record_key FROM {HOME}.identity.person_records").fetchall()
    }
    mine = {c: [r for r in held[c] if r in present] for c in touched}
    mine = {child: records for child, records in mine.items() if len(records) > 1}
    con.execute(f"USE {HOME}")
    merged = link_facts(con).merged
    con.execute("USE warehouse")
    ties = {*same, *merged, *_scored(con, choose_model(run).model.thresholds.break_)}
    apart = _not_tied(mine, ties)
    in_review = apart & _in_review(run, mine)
    return Linked(len(mine), len(mine) - len(apart), len(in_review), len(apart - in_review))


def _scored(con: duckdb.DuckDBPyConnection, least: float) -> list[tuple[str, str]]:
    """Pairs that the hub may keep together: as likely as its threshold for breaking, and not forbidden."""
    return con.execute(
        f"SELECT record_id_l, record_id_r FROM {HOME}.identity.link_pairs"
        " WHERE match_probability >= ? AND coalesce(veto, '') = ''",
        [least],
    ).fetchall()


def _not_tied(held: Mapping[str, list[str]], ties: Collection[tuple[str, str]]) -> set[str]:
    """Children whose records the ties among them leave in several parts."""
    child_of = {record: child for child, records in held.items() for record in records}
    parts = Partition(child_of)
    for left, right in ties:
        if left in child_of and child_of[left] == child_of.get(right):
            parts.unite(left, right)
    return {child for child, records in held.items() if len({parts.find(r) for r in records}) > 1}


def _in_review(run: Run, held: Mapping[str, list[str]]) -> set[str]:
    """Children of whose records two are asked about in the reviewers' queue."""
    child_of = {record: child for child, records in held.items() for record in records}
    engine = create_engine(run.home.hub_url)
    try:
        with engine.connect() as hub:
            items = review_items.open_items(hub)
    finally:
        engine.dispose()
    return {
        child_of[item.left]
        for item in items
        if item.left in child_of and child_of.get(item.right) == child_of[item.left]
    }


@dataclass(frozen=True)
class Named:
    """A place that still names records of a feed: where, in which column, how many rows."""

    place: str
    column: str
    rows: int


def named_in_warehouse(
    con: duckdb.DuckDBPyConnection, shut: Collection[str], but: Collection[str]
) -> list[Named]:
    """Tables of the home in which a value names a record of one of the feeds; `but`: those not looked into."""
    return list(_named(con, HOME, shut, but)) if shut else []


def named_in_serving(run: Run, shut: Collection[str]) -> list[Named]:
    """The same of every snapshot for look-ups and of every queue for reviewers that lies there."""
    found = []
    for path in sorted(run.home.serving.rglob("*.duckdb")) if shut else ():
        place = str(path.relative_to(run.home.root))
        with closing(engine()) as con:
            attach(con, path, "snapshot", store.key_of(run.home), read_only=True)
            found += [
                Named(f"{place}: {each.place}", each.column, each.rows)
                for each in _named(con, "snapshot", shut, ())
            ]
    return found


def _named(
    con: duckdb.DuckDBPyConnection, catalog: str, shut: Collection[str], but: Collection[str]
) -> Iterator[Named]:
    """Each table is read once; texts of any column count, also within lists and JSON."""
    texts: dict[str, list[str]] = defaultdict(list)
    for relation, column in con.execute(
        "SELECT schema_name || '.' || table_name, column_name FROM duckdb_columns()"
        " JOIN (SELECT table_oid AS oid FROM duckdb_tables() WHERE database_name = $catalog) ON oid = table_oid"
        " WHERE database_name = $catalog AND data_type IN ('VARCHAR', 'VARCHAR[]', 'JSON')"
        " ORDER BY ALL",
        {"catalog": catalog},
    ).fetchall():
        if relation not in but:
            texts[relation].append(column)
    for relation, columns in texts.items():
        tests = [
            " OR ".join(f"contains({quoted(c)}::VARCHAR, '{feed}|')" for feed in sorted(shut))
            for c in columns
        ]
        counts = ", ".join(f"count(*) FILTER ({test})" for test in tests)
        row = con.execute(f"SELECT {counts} FROM {catalog}.{qualified(relation)}").fetchone() or ()
        yield from (
            Named(relation, column, rows) for column, rows in zip(columns, row, strict=True) if rows
        )
