"""What a return would be made without: files of its feeds that were not let in, and feeds that gave nothing.

A return rests on each feed of which the contract says `for_returns`, unless its agreement was withdrawn for good. It
lacks a feed that is agreed and of which nothing was ever loaded; one that no agreement lets in any more although its
rows are stored; and each file of it that lies in the landing folder and was refused or held. (A file of which no table
is agreed was left out on purpose.) Such a file is lacked no longer once a later one of its series (its name but for
the time) was loaded, where every table of it is told whole each time. The books are asked, not the ledger: they say
what the tables of a return are made of, and so they answer a command after the run as they answer the run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import duckdb

from ffp_data.feeds import Contract
from ffp_data.feeds.errors import printable
from ffp_data.feeds.landing import series_of, tables_of
from ffp_data.home import policy
from ffp_data.home.run import Run
from governance.grants import Grants


@dataclass(frozen=True)
class Lack:
    """What is missing of a feed: a file, or all of it (None). `words` name both, and end in what to do."""

    feed: str
    file: str | None
    words: str


@dataclass(frozen=True)
class _Loaded:
    """A file whose rows were let in."""

    delivery_id: str
    name: str
    delivered_at: datetime | None


_LOADED = """
SELECT DISTINCT delivery_id, split_part(file_name, '/', 1), delivered_at
FROM meta.deliveries WHERE feed = ? AND status = 'loaded'
"""

# Of each name the last that came under it, where that was not let in.
_NOT_LET_IN = """
SELECT name, delivery_id, delivered_at, status, reason FROM (
    SELECT
        split_part(file_name, '/', 1) AS name,
        unnest(max_by(struct_pack(delivery_id, delivered_at, status, reason), received_seq))
    FROM meta.deliveries WHERE feed = ? GROUP BY name
)
WHERE status IN ('refused', 'held') ORDER BY name
"""


def lacks_of_returns(run: Run, con: duckdb.DuckDBPyConnection) -> list[Lack]:
    """What returns made of the warehouse of `con` lack, by feed and file."""
    grants = policy.grants(run)
    return [
        lack
        for feed, contract in sorted(run.contracts.items())
        if contract.hub.service and contract.hub.service.for_returns and not grants.ended(feed)
        for lack in _lacks(run, con, contract, grants)
    ]


def _lacks(
    run: Run, con: duckdb.DuckDBPyConnection, contract: Contract, grants: Grants
) -> list[Lack]:
    loaded = [_Loaded(*row) for row in con.execute(_LOADED, [contract.id]).fetchall()]
    decisions = [grants.ingest(contract.id, table.name) for table in contract.tables]
    if not any(each.allowed for each in decisions):
        shut = (
            f"{contract.id}: its rows are shut out ({decisions[0].reason}). Remedy: renew the agreement,"
            " or end it for good (ffp withdraw)."
        )
        return [Lack(contract.id, None, shut)] if loaded else []
    waiting = list(_waiting(run, con, contract, loaded))
    if waiting or loaded:
        return waiting
    never = (
        f"{contract.id}: agreed, and nothing of it was ever loaded. Remedy: put a delivery of it into"
        f" landing/{contract.id}/."
    )
    return [Lack(contract.id, None, never)]


def _waiting(
    run: Run, con: duckdb.DuckDBPyConnection, contract: Contract, loaded: list[_Loaded]
) -> Iterator[Lack]:
    folder = run.landing / contract.id
    # Without the folder nobody can tell that a file was taken out of it: then it is as the books say.
    there = {printable(path.name) for path in folder.iterdir()} if folder.is_dir() else None
    for name, delivery_id, delivered_at, status, reason in con.execute(
        _NOT_LET_IN, [contract.id]
    ).fetchall():
        is_gone = there is not None and name not in there
        came_in = any(each.delivery_id == delivery_id for each in loaded)
        if not is_gone and not came_in and not _is_followed(contract, name, delivered_at, loaded):
            told = reason if reason.startswith(name) else f"{name}: {reason}"
            yield Lack(contract.id, name, f"{contract.id}, {status}: {told}")


def _is_followed(
    contract: Contract, name: str, delivered_at: datetime | None, loaded: list[_Loaded]
) -> bool:
    """Whether a later file of the series says all that this one could have said."""
    tables = tables_of(name, contract) or contract.tables
    if delivered_at is None or any(table.semantics != "snapshot" for table in tables):
        return False
    series = series_of(name)
    return any(
        series_of(each.name) == series and each.delivered_at and each.delivered_at > delivered_at
        for each in loaded
    )
