"""A person's word on a delivery: let it in, take it back, read it again; each goes to the ledger first.

The word is written down before it is acted on, so that what the warehouse shows always has somebody who
said so. What a retraction frees is read again at once where the compiled policy can be read, else by
the next run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from ffp_data import feeds
from ffp_data.feeds import Contract, books, replay
from ffp_data.feeds.books import Entry
from ffp_data.feeds.replay import Reloaded
from ffp_data.home.run import Run
from ffp_data.home.terms import decide, of_partnership, terms_of
from ffp_data.pipeline.ingest import reload_event
from ffp_data.warehouse import connect
from governance.policy.compile import LockError


def accept(run: Run, named: str, by: str, reason: str) -> Entry:
    """Let a held or retracted delivery in with the next run; raises FeedError."""
    with _books(run) as con:
        entry = books.find_entry(con, named)
        books.require_waiting(entry)
        _write_down(run, "delivery_accepted", entry, by, reason)
        books.accept(con, entry, by, reason)
    return entry


def retract(run: Run, named: str, by: str, reason: str) -> tuple[Entry, list[Reloaded]]:
    """Take a delivery back; what it had replaced, where it could be read again. Raises FeedError."""
    with _books(run) as con:
        entry = books.find_entry(con, named)
        books.require_standing(entry)
        contract = run.contracts.get(entry.feed)
        _write_down(run, "delivery_retracted", entry, by, reason)
        replay.retract(con, contract, entry, by, reason)
        return entry, _reload_waiting(run, con, contract) if contract else []


def replay_feed(run: Run, feed: str) -> list[Reloaded]:
    """Read again what was set aside or kept out of one feed; raises LockError."""
    contract = of_partnership(run, run.contracts[feed])
    terms = terms_of(run, decide(run, contract))
    with _books(run) as con:
        again = replay.replay(con, run.landing, contract, terms)
    run.ledger.append_many([reload_event(run.run_id, one) for one in again])
    return again


def replay_delivery(run: Run, named: str) -> list[Reloaded]:
    """Read one delivery again; raises FeedError, LockError."""
    with _books(run) as con:
        entry = books.find_entry(con, named)
        contract = of_partnership(run, run.contracts[entry.feed])
        terms = terms_of(run, decide(run, contract))
        again = replay.replay(con, run.landing, contract, terms, entry)
    run.ledger.append_many([reload_event(run.run_id, one) for one in again])
    return again


@contextmanager
def _books(run: Run) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(run.home) as con:
        feeds.create_empty_raw_tables(con, run.contracts)
        yield con


def _reload_waiting(run: Run, con: duckdb.DuckDBPyConnection, contract: Contract) -> list[Reloaded]:
    contract = of_partnership(run, contract)
    try:
        terms = terms_of(run, decide(run, contract))
    except LockError:
        return []  # nothing may be read without a policy; the books keep what waits
    again = replay.reload_waiting(con, run.landing, contract, terms)
    run.ledger.append_many([reload_event(run.run_id, one) for one in again])
    return again


def _write_down(run: Run, kind: str, entry: Entry, by: str, reason: str) -> None:
    run.ledger.append(
        kind,
        run_id=run.run_id,
        feed=entry.feed,
        delivery_id=entry.delivery_id,
        file=entry.delivered_name,
        by=by,
        reason=reason,
    )
