"""Loads one delivery into the warehouse: all of it or nothing, and once.

Which rows hold when several deliveries speak of the same thing is told in `superseding`, and depends on
the times in their names, never on the time of loading. What gives way is counted as superseded with the
delivery that brought it, so for each delivery and table at any time
`delivered = loaded + quarantined + superseded`. The same bytes under a later name are the same
statement made again: the delivery keeps its identity and moves to the later time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from ffp_data.feeds import books, guard, signing
from ffp_data.feeds.books import Entry
from ffp_data.feeds.contract import Contract
from ffp_data.feeds.errors import FeedError
from ffp_data.feeds.landing import Delivery
from ffp_data.feeds.reading import drop_staged, read_delivery
from ffp_data.feeds.single_file import Allowed
from ffp_data.feeds.stage import Staged
from ffp_data.feeds.superseding import give_way, write_scopes
from ffp_data.feeds.tables import create_empty_raw_tables
from ffp_data.feeds.writing import check_written, count_loadable, insert_rows, write_faults


@dataclass(frozen=True)
class TableResult:
    """Rows of one table of a delivery; `superseded` counts its own rows that newer ones had overtaken."""

    table: str
    delivered: int
    loaded: int
    quarantined: int
    superseded: int
    columns_dropped: int


@dataclass(frozen=True)
class DeliveryResult:
    """What became of a delivery: loaded, duplicate, retracted; with `error` held, refused, not_permitted."""

    delivery: Delivery
    status: str
    tables: tuple[TableResult, ...] = ()
    error: FeedError | None = None

    @property
    def rows_delivered(self) -> int:
        return sum(t.delivered for t in self.tables)

    @property
    def rows_loaded(self) -> int:
        return sum(t.loaded for t in self.tables)

    @property
    def rows_quarantined(self) -> int:
        return sum(t.quarantined for t in self.tables)

    @property
    def rows_superseded(self) -> int:
        return sum(t.superseded for t in self.tables)

    @property
    def columns_dropped(self) -> int:
        return sum(t.columns_dropped for t in self.tables)


@dataclass(frozen=True)
class Terms:
    """On what terms deliveries are read.

    `allowed` gives the columns by table that governance lets in (None: all); columns outside it are not
    read past the parse step. `known` are other contracts, to tell whose file a stranger is.
    `partner_keys` is the folder of the agencies' public keys; archives are unpacked below `scratch`.
    A delivery whose name tells a time more than a year after `as_at` is refused (None: any is taken).
    """

    allowed: Allowed | None = None
    known: Mapping[str, Contract] | None = None
    partner_keys: Path | None = None
    scratch: Path | None = None
    as_at: date | None = None


def load(
    con: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    contract: Contract | None,
    allowed: Allowed | None = None,
    known: Mapping[str, Contract] | None = None,
) -> DeliveryResult:
    """Loads `delivery`, or records why not; faults of the delivery never raise. See `Terms`."""
    return load_on(con, delivery, contract, Terms(allowed, known))


def load_all(
    con: duckdb.DuckDBPyConnection,
    deliveries: Iterable[Delivery],
    contract: Contract,
    terms: Terms,
) -> list[DeliveryResult]:
    """Loads the deliveries of one feed in the order given; a part that was held is tried once more.

    A part alone may look like a fall of the whole: its other parts come after it.
    """
    results = [load_on(con, one, contract, terms) for one in deliveries]
    return [
        load_on(con, result.delivery, contract, terms) if _has_parts(result, results) else result
        for result in results
    ]


def load_on(
    con: duckdb.DuckDBPyConnection, delivery: Delivery, contract: Contract | None, terms: Terms
) -> DeliveryResult:
    """As `load`, on all the terms."""
    if contract is None:
        return _refuse(con, delivery, delivery.problem or _no_contract(delivery))
    create_empty_raw_tables(con, {contract.id: contract})
    earlier = books.entries(con, delivery.delivery_id, delivery.feed)
    stands = next((entry for entry in earlier if entry.status == "loaded"), None)
    if settled := _settled(con, delivery, earlier, stands):
        return settled
    try:
        return _attempt(con, delivery, contract, terms, stands)
    except FeedError as error:
        return _refuse(con, delivery, error)
    finally:
        drop_staged(con)


def stage(
    con: duckdb.DuckDBPyConnection, delivery: Delivery, contract: Contract, terms: Terms
) -> list[Staged]:
    """The typed rows of a delivery in temporary tables, its signature checked; raises FeedError."""
    signed = signing.verify(delivery, contract, terms.partner_keys)
    staged = read_delivery(con, delivery, contract, terms.allowed, terms.known or {}, terms.scratch)
    if signed:
        signing.check_rows(delivery, signed, staged)
    for one in staged:
        guard.refuse_taken_ids(con, delivery, one)
    return staged


def write_table(
    con: duckdb.DuckDBPyConnection, delivery: Delivery, staged: Staged, sequence: int
) -> TableResult:
    """Writes one table of a delivery, its faults and its counts; in a transaction of the caller."""
    write_faults(con, delivery, staged)
    quarantined = staged.delivered - count_loadable(con, staged)
    overtaken = give_way(con, delivery, staged, sequence)
    loaded = insert_rows(con, delivery, staged)
    check_written(con, delivery, staged, loaded, quarantined)
    books.write_loaded(con, delivery, staged, sequence, loaded, quarantined, overtaken)
    return TableResult(
        staged.table.name, staged.delivered, loaded, quarantined, overtaken, staged.columns_dropped
    )


def remove_rows(
    con: duckdb.DuckDBPyConnection, delivery_id: str, contract: Contract, table_name: str
) -> None:
    """Takes a delivery's rows of one table out of raw and identity."""
    table = contract.by_name[table_name]
    names = [contract.raw_name(table)]
    names += [contract.identity_name(table)] if table.identity else []
    for name in names:
        con.execute(f"DELETE FROM {name} WHERE _delivery_id = ?", [delivery_id])


def _settled(
    con: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    earlier: list[Entry],
    stands: Entry | None,
) -> DeliveryResult | None:
    """What is to say of bytes that are dealt with already; a new name for them is written down once."""
    is_retracted = any(entry.status == "retracted" for entry in earlier)
    if not is_retracted and (stands is None or _is_later(con, delivery, stands)):
        return None
    if delivery.file_name not in {entry.delivered_name for entry in earlier}:
        done = "retracted" if is_retracted else "loaded already"
        books.note(con, delivery, "duplicate", f"these bytes are {done} under another name")
    return DeliveryResult(delivery, "retracted" if is_retracted else "duplicate")


def _attempt(
    con: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    contract: Contract,
    terms: Terms,
    stands: Entry | None,
) -> DeliveryResult:
    guard.refuse_far_ahead(delivery, terms.as_at)
    staged = stage(con, delivery, contract, terms)
    if not staged:
        return _refuse(con, delivery, _not_permitted(delivery), "not_permitted")
    if reason := _reason_to_hold(con, delivery, staged):
        return _hold(con, delivery, staged, reason)
    return _load(con, delivery, staged, stands)


def _load(
    con: duckdb.DuckDBPyConnection, delivery: Delivery, staged: list[Staged], stands: Entry | None
) -> DeliveryResult:
    con.begin()
    try:
        books.forget_attempts(con, delivery)
        sequence = books.next_sequence(con)
        if stands:
            _take_from(con, stands, staged, delivery.file_name)
        results = tuple(write_table(con, delivery, one, sequence) for one in staged)
    except BaseException:
        con.rollback()
        raise
    con.commit()
    # The same statement at a later time brings no row that was not counted before.
    status, told = ("duplicate", ()) if stands else ("loaded", results)
    return DeliveryResult(delivery, status, told)


def _take_from(
    con: duckdb.DuckDBPyConnection, stands: Entry, staged: list[Staged], now: str
) -> None:
    """Frees the earlier place of a delivery that moves to a later one, and remembers the earlier name."""
    for one in staged:
        remove_rows(con, stands.delivery_id, one.contract, one.table.name)
    tables = [one.table.name for one in staged]
    books.forget_tables(con, stands.delivery_id, stands.feed, tables)
    books.note_former_name(con, stands, now)


def _is_later(con: duckdb.DuckDBPyConnection, delivery: Delivery, stands: Entry) -> bool:
    """True when these bytes are handed over after the place at which they stand."""
    here = (str(delivery.delivered_at), delivery.file_name)
    there = (str(stands.delivered_at), stands.delivered_name)
    return here > there or (here == there and books.is_overwritten(con, stands))


def _has_parts(result: DeliveryResult, results: list[DeliveryResult]) -> bool:
    """True for a held delivery beside which another of its time was tried."""
    times = [other.delivery.delivered_at for other in results]
    return result.status == "held" and times.count(result.delivery.delivered_at) > 1


def _reason_to_hold(
    con: duckdb.DuckDBPyConnection, delivery: Delivery, staged: list[Staged]
) -> FeedError | None:
    if books.is_accepted(con, delivery):
        return None
    found = (guard.reason_to_hold(con, delivery, one) for one in staged)
    return next((reason for reason in found if reason), None)


def _hold(
    con: duckdb.DuckDBPyConnection, delivery: Delivery, staged: list[Staged], reason: FeedError
) -> DeliveryResult:
    con.begin()
    books.forget_attempts(con, delivery)
    sequence = books.next_sequence(con)
    for one in staged:
        if one.table.semantics == "snapshot":
            write_scopes(con, delivery, one, sequence, is_held=True)
    books.note(con, delivery, "held", str(reason))
    con.commit()
    return DeliveryResult(delivery, "held", error=reason)


def _refuse(
    con: duckdb.DuckDBPyConnection, delivery: Delivery, error: FeedError, status: str = "refused"
) -> DeliveryResult:
    con.begin()
    books.forget_attempts(con, delivery)
    books.note(con, delivery, status, str(error))
    con.commit()
    return DeliveryResult(delivery, status, error=error)


def _no_contract(delivery: Delivery) -> FeedError:
    remedy = "write a contract for the feed"
    return FeedError("unknown_feed", "no contract has this name", remedy, file=delivery.file_name)


def _not_permitted(delivery: Delivery) -> FeedError:
    remedy = "have an agreement cover the tables that should come in"
    return FeedError(
        "not_permitted", "no table of the file is covered", remedy, file=delivery.file_name
    )
