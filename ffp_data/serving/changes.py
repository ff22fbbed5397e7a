"""What changed for each child from one published view to the next, so that nobody must read a page twice.

Each publication compares its tables with those of the file that counted before and adds what is new, what changed and
what is gone, in words, to a published table that is carried on for a number of days. What became of identifiers is
told by the hub's own events. A child who is new in the view is one entry, not one for each fact.

A carried entry must still be true of what may be shown: of a new or changed fact it stays only while the fact stands,
and nothing that is gone is told of a feed that no longer may be shown, of a child for whom a feed is withheld, or of
feeds whose records may be withheld for an adult's sake. Of a protected child the words tell no place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
import sqlalchemy as sa

from ffp_data.hub.database import create_engine
from ffp_data.hub.events import EventKind
from ffp_data.hub.models import HubEvent, Run
from ffp_data.serving import store
from ffp_data.settings import Home

CHANGES, META = "changes", "meta"
HUB = "hub"
"""The source of what the hub itself says: of identifiers, and of protection."""

IDENTITY = "identity"
SCHEMA = pa.schema(
    [("child_id", pa.string()), ("number", pa.int64()), ("as_at", pa.date32()), ("run_id", pa.string()),
     ("kind", pa.string()), ("op", pa.string()), ("key", pa.string()), ("what", pa.string()),
     ("plain", pa.string()), ("source", pa.string())]
)  # fmt: skip
"""`number`: of the publication; `op`: new, changed, gone or told; `plain`: the same in words that tell no place."""

_TOLD_THROUGH_ADULTS = ("prison", "probation")
"""What these no longer tell is never listed: an adult's record may be withheld, which such a list would give away."""

_NO_PLACE = (
    "child_id NOT IN (SELECT child_id FROM protected UNION ALL SELECT child_id FROM now_protected)"
)
_FACTS = {
    "involvement": (
        "involvements",
        "child_id, service_label AS key, state_in_words AS value, service_label || ': ' || state_in_words AS what,"
        " service_label || ': ' || state_in_words AS plain, source",
        "true",
    ),
    "contact": (
        "involvements",
        "child_id, service_label, concat_ws('|', contact_name, contact_phone, team),"
        " 'whom to ring at ' || service_label, 'whom to ring at ' || service_label, source",
        "NOT is_contact_withheld AND concat(contact_name, contact_phone, team) <> ''",
    ),
    "flag": ("flags", "child_id, flag, '', rule_in_words, rule_in_words, source", "true"),
    "event": (
        "chronology",
        "child_id, md5(concat_ws('|', event_type, event_date, summary, source)), '',"
        " summary || ', ' || strftime(event_date, '%-d %B %Y'),"
        " replace(event_type, '_', ' ') || ', ' || strftime(event_date, '%-d %B %Y'), source",
        "true",
    ),
    "family": (
        "family_members",
        "child_id, md5(concat_ws('|', related_child_id, related_name, relationship, source)),"
        " concat_ws('|', from_date, to_date), coalesce(related_name, 'name not recorded') || ', ' || relationship,"
        " coalesce(related_name, 'name not recorded') || ', ' || relationship, source",
        "true",
    ),
    "protection": (
        "protected",
        f"child_id, 'protected', '', 'where this child lives, learns or is seen is protected',"
        f" 'where this child lives, learns or is seen is protected', '{HUB}'",
        "true",
    ),
    "level": (
        "children",
        "child_id, unnest(is_open_to), '', 'open to ' || replace(unnest(is_open_to), '_', ' '),"
        " 'open to ' || replace(unnest(is_open_to), '_', ' '), 'case_system'",
        "true",
    ),
    **{
        kind: ("children", f"child_id, '{kind}', {value}, '{words}', '{words}', {source}", f"{value} <> '' AND {when}")
        for kind, value, words, source, when in (
            ("name", "concat_ws(' ', given_name, middle_names, surname)", "the name", "NULL::VARCHAR", "true"),
            ("date_of_birth", "date_of_birth::VARCHAR", "the birth date", "date_of_birth_source", "true"),
            ("nhs_number", "nhs_number", "the NHS number", "nhs_number_source", "true"),
            ("upn", "upn", "the unique pupil number", "upn_source", "true"),
            ("address", "concat_ws(', ', address_line, postcode)", "the address", "address_source", _NO_PLACE),
            ("school", "school_urn", "the school", "school_source", _NO_PLACE),
        )
    },
}  # fmt: skip
"""By kind: the published table, its facts (child, key, value, words, plain words, source), and which rows count."""


@dataclass(frozen=True)
class Publication:
    """Which publication this is: the tables as published, and what its `meta` says of the row of them."""

    tables: dict[str, pa.Table]
    number: int
    began: str
    """The run that began the row of publications; another after the files were lost."""
    hub_seq: int


def with_changes(
    home: Home,
    tables: Mapping[str, pa.Table],
    *,
    run_id: str,
    as_at: date,
    kept_days: int,
    withheld: Iterable[tuple[str, str]] = (),
) -> Publication:
    """The tables with `changes` against the view that counts; `withheld`: (child, feed) of what may not be told."""
    path = store.current(home, "view")
    if path is None:
        return _first(home, tables, run_id)
    with store.reading(home, path) as con:
        known = _columns(con)
        if CHANGES not in known:
            return _first(home, tables, run_id)
        before = con.execute(f"SELECT number, began, hub_seq FROM {META}").fetchone()
        assert before is not None, "a published view says which it is"
        number, began, told = before[0] + 1, before[1], before[2]
        seq, events = _events(home, told)
        work = _Comparison(con, tables, number, as_at, run_id)
        work.compare(known, events)
        work.carry(as_at - timedelta(days=kept_days), withheld)
        chronology = work.first_known(known)
        return Publication(
            {**tables, "chronology": chronology, CHANGES: work.result()}, number, began, seq
        )


def _first(home: Home, tables: Mapping[str, pa.Table], run_id: str) -> Publication:
    """The first of a row: nothing to compare with."""
    seq, _ = _events(home, None)
    return Publication({**tables, CHANGES: SCHEMA.empty_table()}, 1, run_id, seq)


def _columns(con: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    """Columns by table of the file that counted before."""
    rows = con.execute(
        "SELECT table_name, list(column_name) FROM duckdb_columns() WHERE database_name = 'snapshot' GROUP BY ALL"
    ).fetchall()
    return {table: set(columns) for table, columns in rows}


class _Comparison:
    """One comparison, on a connection whose tables are those of before; those of now are registered beside."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, tables: Mapping[str, pa.Table], number: int, as_at: date, run_id: str
    ) -> None:  # fmt: skip
        self._con, self._tables = con, tables
        self._mark = (number, as_at, run_id)
        for name, table in tables.items():
            con.register(f"now_{name}", table)
        con.register("made", SCHEMA.empty_table())
        con.execute("CREATE TEMP TABLE made_changes AS FROM made")
        con.execute(
            "CREATE TEMP TABLE stay AS SELECT child_id FROM now_children SEMI JOIN children USING (child_id)"
        )

    def compare(self, known: Mapping[str, set[str]], events: Iterable[Told]) -> None:
        """What became of identifiers, then every kind of fact; not of a table that had not all its columns before."""
        self._con.execute(
            "CREATE TEMP TABLE facts_now (child_id TEXT, kind TEXT, key TEXT, what TEXT, plain TEXT)"
        )
        self._con.register("told", _table(Told._fields, events))
        self._insert(
            f"SELECT DISTINCT child_id, '{IDENTITY}', 'told', key, what, what, source"
            " FROM told SEMI JOIN now_children USING (child_id)"
        )
        for kind, (table, columns, when) in _FACTS.items():
            self._take("fact_now", f"now_{table}", columns, when)
            self._con.execute(
                f"INSERT INTO facts_now SELECT child_id, '{kind}', key, what, plain FROM fact_now"
            )
            if known.get(table, set()) >= set(self._tables[table].column_names):
                self._take("fact_then", table, columns, when)
                self._compare(kind)

    def _take(self, into: str, table: str, columns: str, when: str) -> None:
        """The facts of one kind, one for each key, of children who are in both views."""
        self._con.execute(
            f"CREATE OR REPLACE TEMP TABLE {into} AS SELECT DISTINCT ON (child_id, key) *"
            f" FROM (SELECT {columns} FROM {table} WHERE {when})"
            " AS f(child_id, key, value, what, plain, source)"
            " SEMI JOIN stay USING (child_id) ORDER BY child_id, key, value, source"
        )

    def _compare(self, kind: str) -> None:
        for op, rows in (
            ("new", "fact_now AS f ANTI JOIN fact_then AS o USING (child_id, key)"),
            ("gone", "fact_then AS f ANTI JOIN fact_now AS o USING (child_id, key)"),
            ("changed", "fact_now AS f JOIN fact_then AS o USING (child_id, key) WHERE f.value <> o.value"),
        ):  # fmt: skip
            self._insert(
                f"SELECT f.child_id, '{kind}', '{op}', f.key, f.what, f.plain, coalesce(f.source, '{HUB}') FROM {rows}"
            )

    def _insert(self, rows: str) -> None:
        self._con.execute(
            "INSERT INTO made_changes SELECT child_id, ?, ?, ?, kind, op, key, what, plain, source"
            f" FROM ({rows}) AS r(child_id, kind, op, key, what, plain, source)",
            list(self._mark),
        )

    def carry(self, since: date, withheld: Iterable[tuple[str, str]]) -> None:
        """Add the entries of before that are young enough; leave out of all what may not be told."""
        con = self._con
        stands = (
            "EXISTS (FROM facts_now AS n WHERE n.child_id = c.child_id AND n.kind = c.kind AND n.key = c.key"
            " AND c.what IN (n.what, n.plain))"
        )
        con.execute(
            f"INSERT INTO made_changes SELECT {', '.join(SCHEMA.names)} FROM {CHANGES} AS c"
            f" SEMI JOIN now_children USING (child_id) WHERE c.as_at >= ?"
            f" AND CASE c.op WHEN 'told' THEN true WHEN 'gone' THEN NOT {stands} ELSE {stands} END",
            [since],
        )
        con.register("shut", _table(("child_id", "feed"), withheld))
        con.execute(_UNTOLD)
        con.execute(
            "UPDATE made_changes SET what = plain WHERE child_id IN (SELECT child_id FROM now_protected)"
        )

    def first_known(self, known: Mapping[str, set[str]]) -> pa.Table:
        """The chronology with the day since which each event is known: that of before where it was there before."""
        now = "now_chronology"
        if FIRST_KNOWN not in known.get("chronology", set()):
            return self._con.execute(f"FROM {now}").to_arrow_table()
        same = ("child_id", "event_date", "event_type", "summary", "source")
        return self._con.execute(
            f"SELECT n.* REPLACE (least(n.{FIRST_KNOWN}, o.{FIRST_KNOWN}) AS {FIRST_KNOWN}) FROM {now} AS n LEFT JOIN"
            f" (SELECT {', '.join(same)}, min({FIRST_KNOWN}) AS {FIRST_KNOWN} FROM chronology GROUP BY ALL) AS o"
            f" USING ({', '.join(same)}) ORDER BY n.child_id, n.event_date, n.event_type, n.line"
        ).to_arrow_table()

    def result(self) -> pa.Table:
        """Every entry, of each child together, the newest first."""
        found = self._con.execute(
            f"SELECT {', '.join(SCHEMA.names)} FROM made_changes"
            f" ORDER BY child_id, number DESC, kind <> '{IDENTITY}', kind, op, what, key"
        )
        return found.to_arrow_table().cast(SCHEMA)


FIRST_KNOWN = "known_since"
"""Published column of the chronology: the day of the first delivery after which the hub showed the event."""

_UNTOLD = f"""
DELETE FROM made_changes AS c USING (
    SELECT DISTINCT child_id, source, unnest(string_split(source, ', ')) AS feed FROM made_changes
) AS s LEFT JOIN now_feeds AS f ON f.feed = s.feed
LEFT JOIN shut AS w ON w.child_id = s.child_id AND w.feed = s.feed
WHERE c.child_id = s.child_id AND c.source = s.source AND s.feed <> '{HUB}' AND c.kind NOT IN ('involvement', 'contact')
  AND (f.feed IS NULL OR f.agreement_state <> 'in_force' OR w.feed IS NOT NULL
       OR (c.op = 'gone' AND s.feed IN {_TOLD_THROUGH_ADULTS}))
"""


class Told(NamedTuple):
    """What an event of the hub says to whoever looks at a child."""

    child_id: str
    key: str
    what: str
    source: str


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> pa.Table:
    """Texts as a table, also where there are no rows."""
    kept = list(rows)
    columns = [pa.array([row[n] for row in kept], pa.string()) for n in range(len(names))]
    return pa.table(columns, names=list(names))


def _events(home: Home, after: int | None) -> tuple[int, list[Told]]:
    """The hub's newest run, and what its runs since another did to identifiers."""
    engine = create_engine(home.hub_url)
    try:
        with engine.connect() as hub:
            newest = hub.scalar(sa.select(sa.func.max(Run.seq))) or 0
            if after is None:
                return newest, []
            query = (
                sa.select(HubEvent)
                .with_only_columns(*_EVENT)
                .where(HubEvent.run_seq > after, HubEvent.run_seq <= newest)
                .order_by(HubEvent.event_id)
            )
            return newest, list(_told(hub.execute(query)))
    finally:
        engine.dispose()


_EVENT = (
    HubEvent.event_id, HubEvent.run_seq, HubEvent.kind, HubEvent.child_id, HubEvent.other_child_id, HubEvent.evidence,
)  # fmt: skip
_WORDS: dict[EventKind, tuple[str | None, str | None]] = {
    EventKind.ISSUED: ("New in the hub, from {records}", None),
    EventKind.MERGED: (None, "Two were found to be one: {records} came with identifier {other}"),
    EventKind.RETIRED: (None, "{records} came from identifier {other}, which was parted"),
    EventKind.SPLIT: (
        "{records} went to a new identifier, {other}: they are of somebody else",
        "Parted from identifier {other}, with {records}",
    ),
    EventKind.MOVED: (
        "{records} went to identifier {other}: they are of somebody else",
        "{records} came from identifier {other}",
    ),
    EventKind.RESTORED: ("In use again, with {records}", None),
}
"""What an event says to whoever looks at its own child, and at the other one. Records that join are told by feed."""


def _told(events: Iterable[sa.Row[Any]]) -> Iterator[Told]:
    joined: Counter[tuple[str, int, str]] = Counter()
    for event in events:
        records = event.evidence.get("records", ())
        child, other = event.child_id, event.other_child_id
        if event.kind == EventKind.JOINED:
            joined.update((child, event.run_seq, key.partition("|")[0]) for key in records)
        own, others = _WORDS.get(EventKind(event.kind), (None, None))
        key, many = str(event.event_id), _many(len(records))
        if own:
            yield Told(child, key, own.format(records=many, other=other), HUB)
        if other and others:
            yield Told(other, key, others.format(records=many, other=child), HUB)
    for (child, run, feed), number in joined.items():
        yield Told(child, f"{run} {feed}", f"Found to be of this child too: {_many(number)}", feed)


def _many(records: int) -> str:
    return f"{records} {'record' if records == 1 else 'records'}"
