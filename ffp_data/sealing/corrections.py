"""After files were cut: the warehouse's books and rows for the files as they now are.

Rows that left go, ids follow the new hashes, and each file is read again at its old place, so that lines,
counts and lineage are those of the file that lies there. All of it can be done again.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from ffp_data.feeds import books, replay
from ffp_data.feeds.contract import Contract
from ffp_data.home.run import Run
from ffp_data.home.terms import decide, terms_of
from ffp_data.sealing import sweep
from governance.policy.compile import LockError

_BOOKS = (
    "meta.deliveries",
    "meta.snapshot_scopes",
    "meta.acceptances",
    "meta.to_reload",
    "quarantine.rows",
    'quarantine."values"',
)


def correct(
    con: duckdb.DuckDBPyConnection,
    run: Run,
    contracts: Mapping[str, Contract],
    moved: Sequence[Mapping[str, Any]],
) -> list[str]:
    """Correct rows and books for deliveries that moved (feed, old id, new id or None, rows by table).

    Gives notes on files that could not be read again; their rows left all the same.
    """
    con.begin()
    for one in moved:
        _remove_rows(con, contracts.get(one["feed"]), one)
    sweep.rename(con, _final({one["old"]: one["new"] for one in moved if one["new"]}))
    con.commit()
    again = sorted({(one["feed"], one["new"]) for one in moved if one["new"]})
    return [note for feed, new in again for note in _read_again(con, run, contracts[feed], new)]


def _final(renamed: Mapping[str, str]) -> dict[str, str]:
    """Each id with the last of those that took its place: a file may have been changed twice."""
    final = {}
    for old, new in renamed.items():
        passed = {old}
        while new in renamed and new not in passed:
            passed.add(new)
            new = renamed[new]  # noqa: PLW2901 - on to the next in the chain
        final[old] = new
    return final


def _remove_rows(
    con: duckdb.DuckDBPyConnection, contract: Contract | None, one: Mapping[str, Any]
) -> None:
    """The rows that left the file; with a file that is gone, all of it and its lines in the books."""
    for table in contract.tables if contract else ():
        names = [contract.raw_name(table)] if contract else []
        names += [contract.identity_name(table)] if contract and table.identity else []
        for name in names:
            if one["new"] is None:
                con.execute(f"DELETE FROM {name} WHERE _delivery_id = ?", [one["old"]])
            elif places := one["rows"].get(table.name):
                _delete_places(con, name, one["old"], places, table.is_numbered)
    if one["new"] is None:
        for book in _BOOKS:
            con.execute(
                f"DELETE FROM {book} WHERE delivery_id = ? AND feed = ?",
                [one["old"], one["feed"]],
            )


def _read_again(
    con: duckdb.DuckDBPyConnection, run: Run, contract: Contract, delivery_id: str
) -> list[str]:
    """Read a file again; why not, in words. Where no agreement lets it in now, it stays as it was."""
    lines = books.entries(con, delivery_id, contract.id)
    entry = next((e for e in lines if e.status == "loaded"), None)
    if entry is None:
        return []
    try:
        terms = terms_of(run, decide(run, contract))
    except LockError:
        return [f"{contract.id}: not read again, no policy can be read"]
    results = replay.replay(con, run.landing, contract, terms, entry)
    return [f"{contract.id}: not read again: {r.error.rule}" for r in results if r.error]


def _delete_places(
    con: duckdb.DuckDBPyConnection, name: str, delivery_id: str, places: list[Any], numbered: bool
) -> None:
    for line, element in places:
        tail = " AND _element = ?" if numbered else ""
        con.execute(
            f"DELETE FROM {name} WHERE _delivery_id = ? AND _line = ?{tail}",
            [delivery_id, line, *([element] if numbered else [])],
        )


def mend(folder: Path) -> None:
    """Put a folder back that a crash left beside its place, and drop what was not finished."""
    for old in sorted(folder.glob(".*.old")) if folder.is_dir() else ():
        place = old.with_name(old.name[1:].removesuffix(".old"))
        if not place.exists():
            old.rename(place)
        else:
            _remove(old)
    for part in [*folder.glob(".*.part"), *folder.glob(".*.new")] if folder.is_dir() else ():
        _remove(part)


def _remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
