"""Finds what lies in the landing folder: deliveries in the order in which agencies made them.

A delivery is a file, or for a case system's drop a folder. Its identity is the SHA-256 of its bytes,
its time the one in its name. What the books know by name and bytes, as loaded or as retracted, is passed
over; what fits no contract is reported and never stops the rest.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

import duckdb

from ffp_data.feeds.archive import is_archive
from ffp_data.feeds.contract import Contract
from ffp_data.feeds.contract_table import Table
from ffp_data.feeds.errors import FeedError, printable
from ffp_data.feeds.file_facts import sha256

MANIFEST = "manifest.yaml"
SIGNATURE = ".sig"

_INSTANT = re.compile(r"(?<!\d)(\d{8})(?:T(\d{6})Z)?(?!\d)")
_MOST_NAMED = 6
_OTHER_CLOCK = re.compile(r"(?<!\d)\d{8}T(?!\d{6}Z)\d")
"""A time of day that does not say it is UTC."""

# What belongs to another file, or is still being written (.filepart: WinSCP, .crdownload: browsers).
_SIDE_FILES = (".sha256", SIGNATURE, ".part", ".filepart", ".crdownload", ".partial", ".tmp")


@dataclass(frozen=True)
class Delivery:
    """What one agency handed over at once. `problem` is set when it cannot even be looked into.

    `tables` names the contract tables that the file fills: one for CSV, several for NDJSON, none
    known yet for a drop, whose manifest says, or an archive.
    """

    delivery_id: str
    feed: str
    path: Path
    delivered_at: datetime | None
    tables: tuple[str, ...] = ()
    problem: FeedError | None = None

    @property
    def order(self) -> tuple[bool, str, str, str]:
        """Sorts deliveries by time, feed and name; those without a time come last."""
        return self.delivered_at is None, str(self.delivered_at), self.feed, self.file_name

    @property
    def file_name(self) -> str:
        return printable(self.path.name)


def discover(
    landing: Path, contracts: Mapping[str, Contract], con: duckdb.DuckDBPyConnection | None = None
) -> list[Delivery]:
    """Deliveries that are not in the warehouse of `con` yet, oldest first.

    The order, by time, feed and name, is the same whatever order the file system gives.
    """
    found = [d for feed in contracts.values() for d in _of_feed(landing / feed.id, feed, contracts)]
    return _new([*found, *_strangers(landing, contracts)], con)


def discover_feed(
    landing: Path,
    contract: Contract,
    contracts: Mapping[str, Contract],
    con: duckdb.DuckDBPyConnection | None = None,
) -> list[Delivery]:
    """As `discover`, for one feed: files of other feeds are not even opened."""
    return _new(_of_feed(landing / contract.id, contract, contracts), con)


def discover_strangers(landing: Path, contracts: Mapping[str, Contract]) -> list[Delivery]:
    """What lies in no feed's folder, each with the problem that says so."""
    return _new(_strangers(landing, contracts), None)


def delivery_at(path: Path, contract: Contract, contracts: Mapping[str, Contract]) -> Delivery:
    """The delivery that the file or folder `path` is, read under `contract`."""
    if not _is_ordinary(path):
        return _no_file(path, contract)
    when = time_in_name(path.name)
    is_drop = path.is_dir()
    tables = () if is_drop else tuple(t.name for t in tables_of(path.name, contract))
    problem = _problem(path, contract, contracts, tables, when)
    return Delivery(_digest(path), contract.id, path, when, tables, problem)


def find(
    landing: Path,
    contract: Contract,
    contracts: Mapping[str, Contract],
    delivery_id: str,
    file_name: str,
) -> Delivery | None:
    """The delivery of these bytes, first under the name it was known by; None when it is gone."""
    folder = landing / contract.id
    others = sorted(folder.iterdir()) if folder.is_dir() else []
    for path in sorted(others, key=lambda p: printable(p.name) != file_name):
        if not path.name.endswith(_SIDE_FILES) and _digest(path) == delivery_id:
            return delivery_at(path, contract, contracts)
    return None


def tables_of(file_name: str, contract: Contract) -> list[Table]:
    return [t for t in contract.tables if any(fnmatchcase(file_name, p) for p in t.patterns)]


def time_in_name(name: str) -> datetime | None:
    """The UTC time, without zone, that a name carries last; midnight when it carries a day alone."""
    found = _instant(name)
    return found[1] if found else None


def series_of(name: str) -> str:
    """The name without the time that it carries last: the same for each of a sender's files of one kind."""
    found = _instant(name)
    return name[: found[0].start()] + name[found[0].end() :] if found else name


def _instant(name: str) -> tuple[re.Match[str], datetime] | None:
    for match in reversed(list(_INSTANT.finditer(name))):
        day, clock = match.groups()
        try:
            return match, datetime.fromisoformat(f"{day}T{clock or '000000'}")
        except ValueError:
            continue
    return None


def _digest(path: Path) -> str:
    """Of a file its bytes; of a drop its manifest, which holds the hash of every other file."""
    if not _is_ordinary(path):
        return hashlib.sha256(os.fsencode(path.name)).hexdigest()
    if path.is_file():
        return sha256(path)
    if (path / MANIFEST).is_file():
        return sha256(path / MANIFEST)
    names = "\n".join(sorted(p.name for p in path.iterdir()))
    return hashlib.sha256(os.fsencode(f"{path.name}\n{names}")).hexdigest()


def _known(con: duckdb.DuckDBPyConnection) -> set[tuple[str, str, str]]:
    """Feed, name and bytes that need no second look: the last that came under the name, and dealt with."""
    query = (
        "SELECT feed, name, delivery_id FROM (SELECT feed, split_part(file_name, '/', 1) AS name,"
        " unnest(max_by(struct_pack(delivery_id, status), received_seq)) FROM meta.deliveries"
        " GROUP BY feed, name) WHERE status IN ('loaded', 'duplicate', 'retracted', 'withdrawn')"
    )
    return set(con.execute(query).fetchall())


def _new(found: Iterable[Delivery], con: duckdb.DuckDBPyConnection | None) -> list[Delivery]:
    """Those that are not dealt with yet, oldest first."""
    known = _known(con) if con is not None else set()
    new = [d for d in found if (d.feed, d.file_name, d.delivery_id) not in known]
    return sorted(new, key=lambda d: d.order)


def _of_feed(
    folder: Path, contract: Contract, contracts: Mapping[str, Contract]
) -> Iterator[Delivery]:
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if not path.name.startswith(".") and not path.name.endswith(_SIDE_FILES):
                yield delivery_at(path, contract, contracts)


def _strangers(landing: Path, contracts: Mapping[str, Contract]) -> Iterator[Delivery]:
    """What lies in no feed's folder."""
    for path in sorted(landing.iterdir()) if landing.is_dir() else []:
        if path.name in contracts or path.name.startswith("."):
            continue
        problem = FeedError(
            "unknown_feed",
            "no contract has this name" if path.is_dir() else "the file lies in no feed's folder",
            _where_to(path, contracts),
            file=path.name,
        )
        feed = printable(path.name)
        yield Delivery(_digest(path), feed, path, time_in_name(path.name), (), problem)


def _where_to(path: Path, contracts: Mapping[str, Contract]) -> str:
    """What to do with something beside the feeds' folders, by a feed's name or those of its files."""
    is_folder = path.is_dir()
    alike = get_close_matches(path.name, contracts, n=1, cutoff=0.8)
    near = alike if is_folder else _owners(path, contracts)
    if not near:
        return "put files in landing/<feed id>/, or write a contract for the feed"
    what = "its files" if is_folder else "it"
    return f"move {what} to landing/{near[0]}/, or write a contract for the feed"


def _problem(
    path: Path,
    contract: Contract,
    contracts: Mapping[str, Contract],
    tables: tuple[str, ...],
    when: datetime | None,
) -> FeedError | None:
    is_drop = contract.hub.format == "ssd_drop"
    is_known = is_drop or is_archive(path) or tables
    if is_drop != path.is_dir() or not is_known or not path.name.isprintable():
        return _unknown(path, contract, contracts)
    if _OTHER_CLOCK.search(path.name):
        message = "the time in the name does not say that it is UTC"
        remedy = "write it as 20260401T030000Z: British Summer Time less one hour, and a Z"
        return FeedError("no_utc_in_name", message, remedy, file=path.name)
    if when is None:
        remedy = "end the name in the UTC time of the delivery, such as _20260401T030000Z_001"
        return FeedError("no_time_in_name", "the name carries no time", remedy, file=path.name)
    return None if is_drop else _transit_problem(path)


def _no_file(path: Path, contract: Contract) -> Delivery:
    """A link could lead to another agency's file, and a pipe would wait for ever: neither is opened."""
    problem = FeedError(
        "not_a_file",
        "a link, a pipe or a device is no delivery",
        "deliver the file itself",
        file=path.name,
    )
    return Delivery(_digest(path), contract.id, path, None, (), problem)


def _is_ordinary(path: Path) -> bool:
    return not path.is_symlink() and (path.is_file() or path.is_dir())


def _transit_problem(path: Path) -> FeedError | None:
    """A fault when the sender put a hash beside the file and the file does not have it."""
    side = path.with_name(path.name + ".sha256")
    if not side.is_file() or sha256(path) in side.read_text("utf-8", errors="replace").lower():
        return None
    message = f"the file is not the one that {side.name} was made of"
    remedy = "deliver the file and its hash again"
    return FeedError("changed_in_transit", message, remedy, file=path.name)


def _unknown(path: Path, contract: Contract, contracts: Mapping[str, Contract]) -> FeedError:
    owners = _owners(path, contracts)
    remedy = (
        f"move it to landing/{owners[0]}/"
        if owners
        else f"name it as the contract says ({_named(contract)}), or remove it"
    )
    return FeedError(
        "unknown_file", f"no table of {contract.id} has such a file", remedy, file=path.name
    )


def _owners(path: Path, contracts: Mapping[str, Contract]) -> list[str]:
    """The feeds whose files have such a name."""
    return [
        c.id for c in contracts.values() if c.hub.format != "ssd_drop" and tables_of(path.name, c)
    ]


def _named(contract: Contract) -> str:
    """How files of a feed are named; a few of many patterns."""
    if contract.hub.format == "ssd_drop":
        return f"a folder with {MANIFEST}"
    patterns = sorted({pattern for table in contract.tables for pattern in table.patterns})
    return ", ".join([*patterns[:_MOST_NAMED], *(["..."] if len(patterns) > _MOST_NAMED else [])])
