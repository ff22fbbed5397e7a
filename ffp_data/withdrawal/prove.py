"""The proof that nothing is left of an agreement: everything built anew twice, and compared with the home.

Once the agreement's rows are left out; once each value that it gave is replaced by another. Where the home's tables are
equal to both, no cell and no row in them hangs on a value of the agreement, and none on the number of its rows. A
model whose inputs are the same in both is built once: the same query of the same rows gives the same table.

Membership is the hub's and is not drawn anew. It is shown to rest on others: the records that linkage reads are among
the tables compared, and `standing` looks at each identifier that the agreement's records had a part in.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb

from ffp_data.feeds.loading import Terms
from ffp_data.home.run import Run
from ffp_data.home.shut_records import feeds_in_force
from ffp_data.warehouse import CATALOG
from ffp_data.withdrawal import standing
from ffp_data.withdrawal.compare import Difference, columns_of, compare, digest
from ffp_data.withdrawal.releases import Copy, copies
from ffp_data.withdrawal.scope import Scope, WithdrawalError, current_lock, scope_of
from ffp_data.withdrawal.scratch import (
    HOME,
    POOLS,
    VIEWS,
    Project,
    assemble,
    home_tables,
    lay_sources,
    scratch,
)
from ffp_data.withdrawal.standing import Identifiers, Linked, Named
from ffp_data.withdrawal.variants import (
    Half,
    drop,
    halves,
    poison,
    read_again,
    stored_rows,
)
from governance.grants import Grants

MADE = (
    "intermediate",
    "single_view",
    "returns",
    "matching",
    "timeliness",
    "lists",
    "quarterly",
    "programme",
)
"""Schemas in which every table must be one that a model makes."""
SAME_INPUTS = "same inputs as without the rows"


@dataclass(frozen=True)
class Compared:
    """One table of the home beside both rebuilds: its digest, and how each differs (None: not at all)."""

    relation: str
    sha256: str
    dropped: Difference | None = None
    poisoned: Difference | None = None
    skipped: str = ""

    @property
    def is_equal(self) -> bool:
        return self.dropped is None and self.poisoned is None


@dataclass(frozen=True)
class Proof:
    """What was compared and found. `stored`: rows of the agreement that the home keeps, shut out, by table."""

    scope: Scope
    tables: tuple[Compared, ...] = ()
    unmade: tuple[str, ...] = ()
    named: tuple[Named, ...] = ()
    copies: tuple[Copy, ...] = ()
    links: Linked | None = None
    identifiers: Identifiers | None = None
    stored: Mapping[str, int] = field(default_factory=dict)
    poisoned_rows: int = 0
    read_again: int = 0
    not_poisoned: tuple[str, ...] = ()
    policy: str = ""
    seconds: float = 0.0

    @property
    def cells(self) -> int:
        """Cells of the home that depend on the agreement."""
        return sum(d.cell_count for d in self._differences())

    @property
    def rows(self) -> int:
        """Rows that depend on it: in the home alone, or in a rebuild alone."""
        return sum(d.only_home + d.only_other for d in self._differences())

    def _differences(self) -> Iterator[Difference]:
        """Of each table the greater difference, so that one residue is not told twice."""
        for table in self.tables:
            both = [d for d in (table.dropped, table.poisoned) if d]
            if both:
                yield max(both, key=lambda d: d.cell_count + d.only_home + d.only_other)

    def failures(self) -> list[str]:
        """Everything that is left, one line each, with the table's name; empty when nothing is."""
        return [
            *(line for table in self.tables for line in _failure(table)),
            *(
                f"{name}: no model makes this table, so nothing shows what it rests on"
                for name in self.unmade
            ),
            *(
                f"{n.place}: {n.rows:,} rows name records of the agreement in {n.column}"
                for n in self.named
            ),
            *(
                f"{c.folder.name}: {c.kind} made while it was in force"
                for c in self.copies
                if not c.stays
            ),
            *self._of_links(),
            *self._of_stored(),
        ]

    def _of_links(self) -> Iterator[str]:
        if self.links and self.links.unsupported:
            yield (
                f"identity.child_membership: {self.links.unsupported} identifiers hold records together that"
                " nothing but the agreement tied, and nobody is asked about them"
            )
        if self.identifiers and self.identifiers.lost:
            yield f"hub: {self.identifiers.lost} identifiers that were issued lead nowhere"

    def _of_stored(self) -> Iterator[str]:
        if self.scope.status == "withdrawn":
            yield from (f"{n}: {rows:,} rows of it are stored" for n, rows in self.stored.items())

    @property
    def holds(self) -> bool:
        return not self.failures()


def _failure(table: Compared) -> Iterator[str]:
    for how, difference in (
        ("without its rows", table.dropped),
        ("with other values", table.poisoned),
    ):
        if difference:
            cells = ", ".join(f"{n} ({c:,})" for n, c in sorted(difference.cells.items()))
            yield (
                f"{table.relation}: differs {how}: {difference.only_home:,} rows too many,"
                f" {difference.only_other:,} too few, {difference.cell_count:,} cells{f' of {cells}' if cells else ''}"
            )


def prove(run: Run, agreement: str, project: Project | None = None) -> Proof:
    """Prove that an agreement has left the home, or find what is left; `Proof.failures` says which.

    Raises WithdrawalError for an agreement that is not known or still in force.
    """
    begun = time.monotonic()
    lock = current_lock(run)
    scope = scope_of(lock, agreement)
    if not scope.not_in_force:
        raise WithdrawalError(
            f"{scope.versioned}: still in force; ffp withdraw {agreement} --apply ends it"
        )
    proof = (
        _of_feeds(run, scope, Grants(lock), project or Project.of(run))
        if scope.is_inbound
        else {"identifiers": standing.identifiers(run, ())}
    )
    found = tuple(copies(run, scope))
    return Proof(scope, **proof, copies=found, policy=lock.sha256, seconds=time.monotonic() - begun)


def _of_feeds(run: Run, scope: Scope, grants: Grants, project: Project) -> dict[str, Any]:
    parts = list(halves(scope, run.contracts, grants))
    in_force = feeds_in_force(run, grants)
    shut = set(scope.feeds) - in_force.keys()
    with scratch(run.home) as con:
        lay_sources(con, project.models)
        stored = _stored(con, parts)
        for part in parts:
            drop(con, part)
        rebuild = _Rebuild(con, run, project, in_force)
        tables = rebuild.all()
        poisoned = _poison(con, run, scope, parts)
        tables = rebuild.again({part.name for part in parts}, tables)
        sent = set(_as_sent(run))
        return {
            "tables": tuple(tables.values()),
            "unmade": tuple(sorted(_unmade(con, project))),
            "named": (
                *standing.named_in_warehouse(con, shut, sent),
                *standing.named_in_serving(run, shut),
            ),
            "links": standing.links(con, run, shut),
            "identifiers": standing.identifiers(run, shut),
            "stored": stored,
            **poisoned,
        }


def _as_sent(run: Run) -> Iterator[str]:
    """Tables with rows as agencies sent them: `stored` counts the agreement's, and others name none of its records."""
    for contract in run.contracts.values():
        for table in contract.tables:
            yield contract.raw_name(table).replace('"', "")
            if table.identity:
                yield contract.identity_name(table).replace('"', "")


def _stored(con: duckdb.DuckDBPyConnection, parts: list[Half]) -> dict[str, int]:
    """Rows that the home stores of the agreement's tables, of those that have any."""
    tables = home_tables(con)
    counts = {}
    for part in parts:
        if part.name in tables and part.is_whole:
            row = con.execute(f"SELECT count(*) FROM {HOME}.{part.name}").fetchone()
            counts[part.name] = int(row[0]) if row else 0
    return {name: rows for name, rows in counts.items() if rows}


def _poison(
    con: duckdb.DuckDBPyConnection, run: Run, scope: Scope, parts: list[Half]
) -> dict[str, Any]:
    """Lay the agreement's rows out with other values; rows that left are read again from the landing folder."""
    again = 0
    for feed in scope.feeds:
        own = [part for part in parts if part.name.split(".")[1].startswith(f"{feed}__")]
        if not any(stored_rows(con, part) for part in own):
            allowed = {
                table: frozenset(columns)
                for (other, table), columns in scope.columns.items()
                if other == feed
            }
            home = run.home
            terms = Terms(allowed, run.contracts, home.partner_keys, home.scratch, run.as_at)
            again += read_again(con, run.landing, run.contracts[feed], terms)
    rows, left = 0, []
    for part in parts:
        if place := stored_rows(con, part):
            left += [f"{part.name}.{column}" for column in poison(con, part, place)]
            rows += (con.execute(f"SELECT count(*) FROM {place}").fetchone() or (0,))[0]
    return {"poisoned_rows": rows, "read_again": again, "not_poisoned": tuple(left)}


@dataclass(frozen=True)
class _Rebuild:
    """Builds every table in the scratch and compares each with the home's, once whole and once where it may differ."""

    con: duckdb.DuckDBPyConnection
    run: Run
    project: Project
    in_force: Mapping[str, Any]

    def all(self) -> dict[str, Compared]:
        """Everything without the agreement's rows."""
        self._assemble()
        for model in self.project.in_order:
            self.project.build(self.con, model)
        stored = home_tables(self.con)
        names = [*POOLS, *(m.name for m in self.project.in_order if m.table[0] != VIEWS)]
        return {name: self._compared(name) for name in names if name in stored}

    def again(self, changed: set[str], tables: dict[str, Compared]) -> dict[str, Compared]:
        """With the poisoned rows: pools, and each model of which an input is not what it was without them."""
        before = {name: self._digest(name) for name in POOLS}
        self._assemble()
        changed |= {name for name in POOLS if self._digest(name) != before[name]}
        found = dict(tables)
        for name in set(POOLS) & changed & tables.keys():
            found[name] = self._with_poison(tables[name])
        for model in self.project.in_order:
            if not self.project.inputs[model.name] & changed:
                if model.name in found:
                    found[model.name] = _skipped(found[model.name])
                continue
            if model.table[0] == VIEWS:
                changed.add(model.name)
                continue
            was = self._digest(model.name)
            self.project.build(self.con, model)
            if self._digest(model.name) != was:
                changed.add(model.name)
            if model.name in found:
                found[model.name] = self._with_poison(found[model.name])
        return found

    def _assemble(self) -> None:
        assemble(self.con, self.in_force, allow_test_numbers=self.run.partnership.is_synthetic)

    def _digest(self, name: str) -> str:
        return digest(self.con, CATALOG, name, columns_of(self.con, CATALOG, name))

    def _compared(self, name: str) -> Compared:
        """The table without the agreement's rows beside the home's."""
        own, difference = self._beside_home(name)
        return Compared(name, own, dropped=difference)

    def _with_poison(self, before: Compared) -> Compared:
        _, difference = self._beside_home(before.relation)
        return Compared(before.relation, before.sha256, before.dropped, difference)

    def _beside_home(self, name: str) -> tuple[str, Difference | None]:
        columns = columns_of(self.con, HOME, name)
        own = digest(self.con, HOME, name, columns)
        if columns.keys() == columns_of(self.con, CATALOG, name).keys() and own == digest(
            self.con, CATALOG, name, columns
        ):
            return own, None
        difference = compare(self.con, name)
        return own, None if difference.is_none else difference


def _skipped(table: Compared) -> Compared:
    return Compared(table.relation, table.sha256, table.dropped, skipped=SAME_INPUTS)


def _unmade(con: duckdb.DuckDBPyConnection, project: Project) -> set[str]:
    """Tables among what is read or leaves that no model makes."""
    made = {model.name for model in project.models}
    return {name for name in home_tables(con) if name.split(".")[0] in MADE} - made
