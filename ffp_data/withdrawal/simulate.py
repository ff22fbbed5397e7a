"""What would go if an agreement ended, told without changing anything.

The lock is compiled as it would be, everything is built anew in memory without the agreement's rows, records are
linked again, and the hub is asked what it would make of that. What differs from the home is the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb

from ffp_data.feeds import books
from ffp_data.home.run import Run
from ffp_data.home.shut_records import feeds_in_force
from ffp_data.pipeline import reference
from ffp_data.rights import hold
from ffp_data.rights.hold import Kept
from ffp_data.warehouse import CATALOG
from ffp_data.withdrawal import linking
from ffp_data.withdrawal.compare import Difference, columns_of, compare, digest
from ffp_data.withdrawal.extracts import of_recipient, of_recipients
from ffp_data.withdrawal.linking import LinkEffects
from ffp_data.withdrawal.releases import PastRelease, past_releases
from ffp_data.withdrawal.scope import (
    WITHDRAWN,
    Scope,
    WithdrawalError,
    current_lock,
    lock_without,
    scope_of,
)
from ffp_data.withdrawal.scratch import (
    HOME,
    Project,
    assemble,
    home_tables,
    lay_sources,
    scratch,
)
from ffp_data.withdrawal.variants import drop, halves
from governance.grants import Grants

OUTPUTS = ("single_view", "returns", "matching", "timeliness", "lists", "quarterly", "programme")
"""Schemas of what is read or leaves."""


@dataclass(frozen=True)
class Given:
    """Columns of one table of a feed that would lose their agreement."""

    feed: str
    table: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Simulation:
    """What would go. `unprotected`: children whom this agreement's records alone keep from being located.

    held: the holds because of which rows would be shut out and kept, not destroyed; None where none reaches them.
    """

    scope: Scope
    status: str
    given: tuple[Given, ...]
    outputs: tuple[Difference, ...]
    extracts: tuple[Difference, ...]
    links: LinkEffects | None
    unprotected: int
    releases: tuple[PastRelease, ...]
    withdrawn: tuple[str, ...]
    held: Kept | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "agreement": self.scope.versioned,
            "title": self.scope.title,
            "direction": self.scope.terms["direction"],
            "status_now": self.scope.status,
            "status_then": self.status,
            "lose_their_agreement": [
                {"feed": g.feed, "table": g.table, "columns": list(g.columns)} for g in self.given
            ],
            "outputs": [told(each) for each in self.outputs],
            "extracts": [told(each) for each in self.extracts],
            "links": self.links.as_json() if self.links else None,
            "no_longer_protected": self.unprotected,
            "held": {"holds": list(self.held.numbers), "people": self.held.people}
            if self.held
            else None,
            "past_releases": [each.as_json() for each in self.releases],
            "releases_withdrawn": list(self.withdrawn),
        }


def told(difference: Difference) -> dict[str, Any]:
    """A difference as plain data, in the words of a withdrawal."""
    return {
        "table": difference.relation,
        "rows_gone": difference.only_home,
        "rows_new": difference.only_other,
        "cells_changed": dict(sorted(difference.cells.items())),
        "cells_emptied": dict(sorted(difference.emptied.items())),
        "children": difference.children,
        **({"columns_odd": list(difference.columns)} if difference.columns else {}),
    }


def simulate(
    run: Run, agreement: str, status: str = WITHDRAWN, project: Project | None = None
) -> Simulation:
    """What would go if the agreement were of this status; nothing is changed.

    Raises WithdrawalError for an agreement that is not known, or no longer in force.
    """
    scope = scope_of(current_lock(run), agreement)
    if scope.not_in_force:
        raise WithdrawalError(f"{scope.versioned}: {scope.not_in_force}, so nothing more would go")
    after = Grants(lock_without(run, agreement, status))
    releases = tuple(past_releases(run, scope))
    if not scope.is_inbound:
        folders = tuple(each.folder for each in releases if each.folder)
        with scratch(run.home) as con:
            extracts = of_recipient(con, run, scope)
        return Simulation(scope, status, (), (), extracts, None, 0, releases, folders)
    with scratch(run.home) as con:
        project = project or Project.of(run)
        given = _lay_without(con, run, scope, after, project)
        links = _rebuild(con, run, after, project)
        differing = differences(con, project)
        unprotected = _no_longer_protected(con)
        extracts = of_recipients(con, run, {each.relation for each in differing})
    outputs = tuple(d for d in differing if d.relation.split(".")[0] in OUTPUTS)
    kept = held(run, scope, status)
    return Simulation(
        scope, status, given, outputs, extracts, links, unprotected, releases, (), kept
    )


def held(run: Run, scope: Scope, status: str) -> Kept | None:
    """What holds keep of the feeds of an agreement that ends so; a suspended one destroys no row anyway."""
    if status != WITHDRAWN or not scope.is_inbound:
        return None
    found = hold.of_feeds(run.home, scope.feeds)
    return found if found.numbers else None


def _lay_without(
    con: duckdb.DuckDBPyConnection, run: Run, scope: Scope, after: Grants, project: Project
) -> tuple[Given, ...]:
    lay_sources(con, project.models)
    found = list(halves(scope, run.contracts, after))
    for half in found:
        drop(con, half)
    for feed in scope.feeds:
        if after.ended(feed):
            books.write_withdrawn(con, feed, f"{scope.versioned} was withdrawn")
    reference.store_feed_state(con, run, after)
    lost = {
        (feed, table): tuple(c for c in columns if c not in after.ingest(feed, table).columns)
        for (feed, table), columns in scope.columns.items()
    }
    return tuple(Given(*place, columns) for place, columns in lost.items() if columns)


def _rebuild(
    con: duckdb.DuckDBPyConnection, run: Run, after: Grants, project: Project
) -> LinkEffects:
    """Person records, links, membership and every model, as the next run would make them."""
    in_force = feeds_in_force(run, after)
    assemble(con, in_force, allow_test_numbers=run.partnership.is_synthetic)
    preview, pairs = linking.relink(con, run)
    linking.write_membership(con, run, preview, pairs)
    gone = con.execute(
        "SELECT record_key FROM home.identity.person_records"
        " EXCEPT SELECT record_key FROM identity.person_records"
    ).fetchall()
    found = linking.effects(con, preview, [record for (record,) in gone])
    for model in project.in_order:
        project.build(con, model)
    return found


def differences(con: duckdb.DuckDBPyConnection, project: Project) -> tuple[Difference, ...]:
    """Every table that a model makes and that differs between the home and the scratch."""
    tables = home_tables(con)
    found = []
    for model in project.in_order:
        if model.name not in tables:
            continue
        columns = columns_of(con, HOME, model.name)
        same = columns.keys() == columns_of(con, CATALOG, model.name).keys()
        if not same or digest(con, HOME, model.name, columns) != digest(
            con, CATALOG, model.name, columns
        ):
            found.append(compare(con, model.name))
    return tuple(each for each in found if not each.is_none)


def _no_longer_protected(con: duckdb.DuckDBPyConnection) -> int:
    (children,) = con.execute(
        "SELECT count(*) FROM home.single_view.children AS h JOIN single_view.children AS s USING (child_id)"
        " WHERE h.is_restricted AND NOT s.is_restricted"
    ).fetchone() or (0,)
    return int(children)
