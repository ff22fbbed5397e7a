"""What the hub did in fact, read back from ledger and stores, beside what its agreements declare.

Each release is judged by the lock that it quotes, not by today's. What is stored of a feed is judged
by today's. Only names of columns, recipients and agreements are read, and never a time of the clock,
so that the same facts give the same document.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from governance.ledger import EVENTS_FILE, Ledger
from governance.policy.model import is_below

ReadLock = Callable[[str], Mapping[str, Any] | None]
"""From the digest of a lock to its data; None where it was not kept."""


class Given(NamedTuple):
    """One column that was given to somebody for something."""

    recipient: str
    purpose: str
    relation: str
    name: str
    transform: str


class Undeclared(NamedTuple):
    """Something that was done and that no agreement declared."""

    what: str
    where: str
    policy: str


@dataclass(frozen=True)
class Observed:
    """What was given, stored and used, and what of it was not declared (which must be nothing)."""

    given: frozenset[Given]
    stored: frozenset[tuple[str, str, str]]
    """(feed, table, column) of stored payload."""
    last_used: Mapping[str, str]
    """The newest as-at day on which each agreement@version let something leave."""
    undeclared: tuple[Undeclared, ...]
    unknown_locks: tuple[str, ...]
    """Digests of locks that were not kept, so that what rested on them cannot be judged."""
    withheld: Mapping[str, int]
    """Stored columns of each agreement that is suspended: kept, shut out, and used by nobody."""


NOTHING = Observed(frozenset(), frozenset(), {}, (), (), {})


def observe(
    ledger: Ledger,
    stored: frozenset[tuple[str, str, str]],
    lock: Mapping[str, Any],
    read_lock: ReadLock,
    since: str,
) -> Observed:
    """Read the releases as at ``since`` or later (ISO) from the ledger, and judge them."""
    given: set[Given] = set()
    last_used: dict[str, str] = {}
    by_lock: dict[str, set[Given]] = {}
    for event in events(ledger, "released"):
        facts = event["facts"]
        if facts["as_at"] < since:
            continue
        columns = _given(facts)
        given |= columns
        by_lock.setdefault(facts["policy"], set()).update(columns)
        last_used[facts["agreement"]] = max(
            facts["as_at"], last_used.get(facts["agreement"], facts["as_at"])
        )
    undeclared, unknown = _judge(by_lock, read_lock)
    beyond, withheld = _stored_beyond(stored, lock)
    return Observed(
        frozenset(given), stored, last_used, (*undeclared, *beyond), tuple(unknown), withheld
    )


def events(ledger: Ledger, kind: str) -> Iterator[dict[str, Any]]:
    """The events of one kind; lines of others are passed over without being parsed."""
    path, mark = ledger.directory / EVENTS_FILE, f'"kind":"{kind}"'.encode()
    if path.exists():
        with path.open("rb") as lines:
            for line in lines:
                if mark in line and (event := json.loads(line)["event"])["kind"] == kind:
                    yield ledger.opened(event)


def _given(facts: Mapping[str, Any]) -> set[Given]:
    about = facts["recipient"], facts["purpose"]
    return {
        Given(*about, each["relation"], each["name"], each["transform"])
        for each in facts["columns"]
    }


def _judge(
    by_lock: Mapping[str, set[Given]], read_lock: ReadLock
) -> tuple[list[Undeclared], list[str]]:
    undeclared: list[Undeclared] = []
    unknown: list[str] = []
    for digest, given in sorted(by_lock.items()):
        lock = read_lock(digest)
        if lock is None:
            unknown.append(digest)
        else:
            undeclared += _undeclared(given, lock, digest)
    return undeclared, unknown


def _undeclared(given: set[Given], lock: Mapping[str, Any], digest: str) -> Iterator[Undeclared]:
    declared: dict[tuple[str, str, str, str], list[str]] = {}
    for each in (*lock["release"], *lock.get("cases", ())):
        key = each["recipient"], each["relation"], each["name"], each["transform"]
        declared.setdefault(key, []).extend(each["purposes"])
    for one in sorted(given):
        agreed = declared.get((one.recipient, one.relation, one.name, one.transform), [])
        if not any(is_below(one.purpose, purpose) for purpose in agreed):
            where = f"{one.relation}.{one.name} ({one.transform})"
            yield Undeclared(f"given to {one.recipient} for {one.purpose}", where, digest)


def _stored_beyond(
    stored: frozenset[tuple[str, str, str]], lock: Mapping[str, Any]
) -> tuple[list[Undeclared], dict[str, int]]:
    """What is stored without an agreement in force; and how much of it waits on a suspended one."""
    declared = {(each["feed"], each["table"], each["column"]) for each in lock["ingest"]}
    suspended = _of_suspended(lock)
    undeclared, withheld = [], Counter[str]()
    for place in sorted(stored - declared):
        if place in suspended:
            withheld[suspended[place]] += 1
        else:
            undeclared.append(Undeclared("stored", ".".join(place), "today's policy"))
    return undeclared, dict(withheld)


def _of_suspended(lock: Mapping[str, Any]) -> dict[tuple[str, str, str], str]:
    """The columns that suspended agreements name, each with its agreement."""
    return {
        (item["feed"], item["table"], column): name
        for name, entry in lock["agreements"].items()
        if entry["terms"]["status"] == "suspended" and entry["terms"]["direction"] == "inbound"
        for item in entry["terms"]["items"]
        for column in item["columns"]
    }
