"""What may leave of some children, as a published view of its own: the pages' code then reads it like theirs.

The children's rows of the published view are put where the gate reads, beside their rights as they stand at this
moment (orders since the last run count), and come back through the generated views of `governance.release`. What
a feed that the agreement does not name tells is not among them; a value that rests on such a feed stays without its
source, since the source may tell more than the value.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from ffp_data.home import policy
from ffp_data.home.release_zone import ZONE
from ffp_data.home.run import Run
from ffp_data.rights import restriction, share_decision
from ffp_data.rights.orders import Kind, Orders
from ffp_data.serving.changes import FIRST_KNOWN
from ffp_data.serving.view import FEEDS, TABLES
from ffp_data.settings import Home
from ffp_data.single_view.published import Published
from governance.grants import Grants, ReleaseDecision
from governance.release import ByPerson, Rights, Zone, read_by_person

PERSON = "child_id"
_ROOM = "view"
_ZONE = Zone(
    ZONE.schemas,
    Rights(
        protected="SELECT child_id FROM rights.protected",
        kept_out="SELECT child_id, purpose, recipient FROM rights.withheld_children",
        unnumbered="SELECT child_id, recipient FROM rights.withheld_numbers",
        members="SELECT NULL::VARCHAR AS record_key, NULL::VARCHAR AS child_id WHERE false",
    ),
)

_NOT_PRINTED = frozenset({FIRST_KNOWN, "former_surnames", "link_confidence_min"})
"""Columns that the pages read and no copy tells: empty here, and in no agreement. Former names go to nobody, and no
measure of a link does; that one is too low to be sure is the hub's own warning, and stays."""
_UNSURE = 0.5
"""Stands for any measure below which the pages warn."""

Rows = Collection[tuple[str | None, ...]]


@dataclass(frozen=True)
class RightsNow:
    """Whose rights bind a copy at this moment."""

    shielded: frozenset[str]
    withheld: Rows
    """(child, purpose, recipient), as in `governance.release.Rights.kept_out`."""
    unnumbered: Rows
    withheld_feeds: Mapping[str, frozenset[str]]
    """Of a child the feeds that a decision keeps from every page and copy."""


def rights_now(home: Home, grants: Grants, as_at: date) -> RightsNow:
    """The orders that stand, read from the register itself and not from the last run."""
    run = Run.at(run_id="take-away", home=home.root, as_at=as_at)
    with Orders(home) as orders:
        flows = grants.flows
        feeds: dict[str, set[str]] = {}
        for child, feed in share_decision.withheld_feeds(orders, run):
            feeds.setdefault(str(child), set()).add(str(feed))
        return RightsNow(
            frozenset(c for _, reached in orders.reach(as_at, Kind.SHIELD) for c in reached),
            restriction.withheld(orders, as_at, flows)
            | share_decision.withheld(orders, as_at, flows),
            restriction.numbers_left_out(orders, as_at),
            {child: frozenset(each) for child, each in feeds.items()},
        )


def grants_of(home: Home, as_at: date) -> Grants:
    """The grants of the lock that the last run compiled; raises LockError."""
    return policy.grants(Run.at(run_id="take-away", home=home.root, as_at=as_at))


@dataclass(frozen=True)
class Agreed:
    """The agreed rows as a published view, and whom each relation is about."""

    view: Published
    people: Mapping[str, frozenset[str]]
    rows: Mapping[str, int]
    unnumbered: frozenset[str]
    """Children whose numbers an order leaves out, the hub's identifier among them."""
    left_out: frozenset[str]
    """Children of whom nothing may leave."""
    shielded: frozenset[str]
    """Children whose place an order hides, since the view was made or before."""
    scratch: Path
    """Where a file may lie while it is made."""


def agreed(
    home: Home,
    view: Published,
    decision: ReleaseDecision,
    rights: RightsNow,
    child_ids: Collection[str],
) -> Agreed:
    """Read what leaves of these children. Raises ReleaseRefusedError, ReleaseFailedError."""
    as_at = date.fromisoformat(view.as_at)
    asked = sorted(child_ids)
    names = [name for name, (relation, _) in TABLES.items() if relation in decision.relations]
    wanted = [each for each in asked if not _rests_on_withheld(view, rights, names, each)]
    con = _connection(home)
    shapes = dict(_offer(con, view, decision, wanted))
    _offer_rights(con, view, rights)
    read = read_by_person(con, decision.of_those(wanted), zone=_ZONE, as_at=as_at) if wanted else {}
    for name, shape in shapes.items():
        nothing = ByPerson(shape.empty_table(), [], frozenset())
        found = read.get(TABLES[name][0], nothing)
        unsure = _doubtful(view, wanted) if name == "children" else ()
        _keep(con, name, found.table, found.whom, shape, unsure)
    _create(con, f"{_ROOM}.{FEEDS}", view.arrow(f"FROM {FEEDS}"))
    con.execute("DROP SCHEMA single_view CASCADE")  # what did not pass the gate is out of reach
    children = read.get(TABLES["children"][0])
    kept = children.people if children else frozenset()
    numbered = children.table.column(PERSON).to_pylist() if children else ()
    protected = (view.protected | rights.shielded) & kept
    return Agreed(
        view=replace(view, protected=protected, _connection=con),
        people={relation: each.people for relation, each in read.items()},
        rows={relation: each.table.num_rows for relation, each in read.items()},
        unnumbered=kept - frozenset(numbered),
        left_out=frozenset(asked) - kept,
        shielded=rights.shielded,
        scratch=home.scratch,
    )


def _connection(home: Home) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(
        ":memory:",
        config={
            "temp_directory": str(home.scratch / "spill"),
            "temp_file_encryption": "true",
            "threads": "1",
        },
    )
    con.execute(f"ATTACH ':memory:' AS {_ROOM}")
    return con


def _offer(
    con: duckdb.DuckDBPyConnection, view: Published, decision: ReleaseDecision, wanted: list[str]
) -> Iterator[tuple[str, pa.Schema]]:
    """Put the children's rows where the gate reads; give the published shape of each table."""
    feeds = frozenset(map(str, decision.terms["rows"].get("feeds", ())))
    for name, (relation, _) in TABLES.items():
        if relation not in decision.relations:
            continue
        rows = view.arrow(f"FROM {name} WHERE {PERSON} IN (SELECT unnest(?::VARCHAR[]))", [wanted])
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {relation.partition('.')[0]}")
        _create(con, relation, _without_others(rows, feeds))
        yield name, rows.schema


def _without_others(rows: pa.Table, feeds: Collection[str]) -> pa.Table:
    """The rows, with the source of a value only where the agreement names that feed."""
    for at, name in enumerate(rows.column_names):
        if name.endswith("_source"):
            told = [
                each if each is None or set(each.split(", ")) <= set(feeds) else None
                for each in rows.column(at).to_pylist()
            ]
            rows = rows.set_column(at, name, pa.array(told, pa.string()))
    return rows


def _offer_rights(con: duckdb.DuckDBPyConnection, view: Published, rights: RightsNow) -> None:
    con.execute("CREATE SCHEMA rights")
    protected = [(each,) for each in sorted(view.protected | rights.shielded)]
    for name, columns, rows in (
        ("protected", ("child_id",), protected),
        ("withheld_children", ("child_id", "purpose", "recipient"), rights.withheld),
        ("withheld_numbers", ("child_id", "recipient"), rights.unnumbered),
    ):
        listed = list(rows)
        arrays = [pa.array([row[n] for row in listed], pa.string()) for n in range(len(columns))]
        _create(con, f"rights.{name}", pa.table(arrays, list(columns)))


def _create(con: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    con.register("rows_in", rows)
    con.execute(f"CREATE TABLE {name} AS FROM rows_in")
    con.unregister("rows_in")


def _keep(
    con: duckdb.DuckDBPyConnection,
    name: str,
    table: pa.Table,
    whom: list[str | None],
    shape: pa.Schema,
    doubtful: Collection[str | None] = (),
) -> None:
    """Put what passed the gate into the room, as the pages know it: lists are lists, and each row has its child."""
    columns = {each: table.column(each) for each in table.column_names}
    for each, column in columns.items():
        if pa.types.is_list(shape.field(each).type) and not pa.types.is_list(column.type):
            split = [text.split("; ") if text else [] for text in column.to_pylist()]
            columns[each] = pa.array(split, pa.list_(pa.string()))
    if table.num_rows:
        columns[PERSON] = pa.array(whom, pa.string())
    for each in _NOT_PRINTED & set(shape.names):
        columns[each] = pa.nulls(table.num_rows, shape.field(each).type)
    if doubtful and table.num_rows:
        columns["link_confidence_min"] = pa.array(
            [_UNSURE if each in doubtful else None for each in whom], pa.float64()
        )
    _create(con, f"{_ROOM}.{name}", pa.table(columns))


def _doubtful(view: Published, wanted: list[str]) -> frozenset[str]:
    """Children of whom a record may be of somebody else, as their pages say."""
    low = "SELECT child_id FROM children WHERE link_confidence_min < ? AND child_id IN (SELECT unnest(?::VARCHAR[]))"
    return frozenset(row["child_id"] for row in view.rows(low, [view.confident_from, wanted]))


def _rests_on_withheld(
    view: Published, rights: RightsNow, names: Collection[str], child_id: str
) -> bool:
    """Whether the view still shows what was decided since not to be shown of a child: then nothing leaves."""
    feeds = rights.withheld_feeds.get(child_id, frozenset())
    return any(
        feed in (source or "").split(", ")
        for name in names
        for source in _sources(view, name, child_id)
        for feed in feeds
    )


def _sources(view: Published, name: str, child_id: str) -> Iterator[str | None]:
    for row in view.rows(f"FROM {name} WHERE {PERSON} = ?", [child_id]):
        if row.get("state") != "not_shared":
            yield from (row[each] for each in row if each == "source" or each.endswith("_source"))
