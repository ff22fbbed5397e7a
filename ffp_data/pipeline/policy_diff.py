"""Two policies compared before one of them counts: who gains or loses which field, for how many children.

A side is a lock file, a policy folder, a day of the home's own policy, the digest of a lock that the
home kept, or a revision of the git repository in which the policy lies. All but locks are compiled
for a day: the one given, else that of the home's own lock.
"""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from ffp_data.home.kept_locks import KeptLocks
from ffp_data.home.policy import policy_folder
from ffp_data.settings import Home
from ffp_data.warehouse import connect
from governance.keys import KeyStore
from governance.policy import Lock, compile_policy, load
from governance.policy.difference import HUB, Change, Difference, difference


class SideError(ValueError):
    """What was given to compare is none of the things that can be compared."""


@dataclass(frozen=True)
class Comparison:
    """A difference, and for each change of it the number of children it concerns."""

    difference: Difference
    children: tuple[int | None, ...]

    def as_dict(self) -> dict[str, Any]:
        """The comparison for machines."""
        return {
            "before": self.difference.before,
            "after": self.difference.after,
            "widens": self.difference.widens,
            "changes": [
                {
                    "what": each.what,
                    "to": each.to,
                    "purposes": list(each.purposes),
                    "relation": each.relation,
                    "columns": list(each.columns),
                    "agreement": each.agreement,
                    "before": each.before._asdict() if each.before else None,
                    "after": each.after._asdict() if each.after else None,
                    "widens": each.widens,
                    "children": children,
                }
                for each, children in zip(self.difference.changes, self.children, strict=True)
            ],
            "agreements": [
                {"agreement": each.agreement, "what": each.words, "dpia_stale": list(each.stale)}
                for each in self.difference.agreements
            ],
        }

    def lines(self) -> list[str]:
        """The comparison in words, one fact a line; what is shared beyond before begins with a plus."""
        changes = zip(self.difference.changes, self.children, strict=True)
        return [
            *(f"{_sign(change)} {change.words()}: {_counted(n)}" for change, n in changes),
            *(f"  {each.agreement} {each.words}" for each in self.difference.agreements),
            *(f"! {words}" for words in self._stale()),
        ] or ["both decide alike"]

    def markdown(self) -> str:
        """The comparison as a comment on a proposed change."""
        rows = [
            f"| {_sign(change)} | {change.to} | {change.what} | `{change.relation}`: "
            f"{', '.join(f'`{column}`' for column in change.columns)} | {change.how()} | "
            f"{', '.join(change.purposes)} | {change.agreement} | {_counted(n)} |"
            for change, n in zip(self.difference.changes, self.children, strict=True)
        ]
        head = [
            "| | who | what | fields | how | for | agreement | children |",
            "| --- | --- | --- | --- | --- | --- | --- | --- |",
        ]
        return "\n".join(
            [
                f"### Sharing: {self.difference.before} → {self.difference.after}",
                "",
                *([*head, *rows, ""] if rows else ["No field is gained or lost.", ""]),
                *(f"- **{each.agreement}** {each.words}" for each in self.difference.agreements),
                *(f"- ⚠ {words}" for words in self._stale()),
            ]
        )

    def _stale(self) -> Iterator[str]:
        for each in self.difference.agreements:
            if each.stale:
                yield f"{each.agreement} outgrows its DPIA: {'; '.join(each.stale)}"


def compare(home: Home, before: str, after: str, as_at: date | None = None) -> Comparison:
    """Compare two sides, named as the module says; raises SideError, LockError or PolicyError."""
    old, new = side(home, before, as_at), side(home, after, as_at)
    found = difference(old.data, new.data, (before, after))
    return Comparison(found, _children(home, found, old, new))


def side(home: Home, name: str, as_at: date | None = None) -> Lock:
    """The lock that a side stands for."""
    path = Path(name)
    if path.is_file():
        return Lock.parse(path.read_bytes(), None, path)
    if path.is_dir():
        return compile_policy(load(path), _day(home, as_at))
    if day := _as_date(name):
        return compile_policy(load(policy_folder(home)), day)
    if kept := KeptLocks(home, KeyStore(home.keys_dir)).find(name) if _has_locks(home) else None:
        return kept
    return _of_revision(home, name, _day(home, as_at))


def _has_locks(home: Home) -> bool:
    return home.locks.is_dir()


def _as_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _day(home: Home, as_at: date | None) -> date:
    if as_at is not None:
        return as_at
    lock = home.lock_file
    if not lock.is_file():
        raise SideError(f"{lock}: missing, so there is no day to compile for; give --as-at")
    return date.fromisoformat(Lock.parse(lock.read_bytes(), None, lock).data["as_at"])


def _of_revision(home: Home, revision: str, day: date) -> Lock:
    """The policy as a revision of its repository has it; nothing of the working tree is touched."""
    folder = policy_folder(home)
    try:
        top, below = _git(folder, "rev-parse", "--show-toplevel", "--show-prefix").split(b"\n")[:2]
        tree = f"{revision}:{below.decode()}"
        content = _git(Path(top.decode()), "archive", "--format=tar", tree)
    except subprocess.CalledProcessError as error:
        raise SideError(
            f"{revision}: neither a lock file, a policy folder, a day, the digest of a kept lock, nor a"
            f" revision of {folder} in git: {error.stderr.decode(errors='replace').strip()}"
        ) from error
    with TemporaryDirectory() as place, tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(place, filter="data")
        return compile_policy(load(Path(place)), day)


def _git(folder: Path, *words: str) -> bytes:
    command = ["git", "-C", str(folder), *words]
    return subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603 - no shell


# How many children: counted in the warehouse as it is, with the rows of the side that gives.


def _children(home: Home, found: Difference, old: Lock, new: Lock) -> tuple[int | None, ...]:
    if not home.warehouse.is_file():
        return (None,) * len(found.changes)
    with ExitStack() as stack:
        con = stack.enter_context(connect(home, read_only=True))
        return tuple(_count(con, new if change.after else old, change) for change in found.changes)


def _count(con: duckdb.DuckDBPyConnection, lock: Lock, change: Change) -> int | None:
    sql = _inbound(change) if change.to == HUB else _outbound(con, lock, change)
    if sql is None:
        return None
    parameters = {"as_at": date.fromisoformat(lock.data["as_at"])} if "$as_at" in sql else {}
    try:
        row = con.execute(sql, parameters).fetchone()
    except (duckdb.CatalogException, duckdb.BinderException):
        return (
            None  # the warehouse was built under another policy and lacks the table or the column
        )
    return int(row[0]) if row else None


def _inbound(change: Change) -> str:
    feed, _, table = change.relation.partition(".")
    return (
        f'SELECT count(DISTINCT m.child_id) FROM raw."{feed}__{table}" AS r'
        " JOIN identity.child_membership AS m USING (record_key)"
        " JOIN identity.children AS c ON m.child_id = c.child_id AND c.kind <> 'adult'"
    )


def _outbound(con: duckdb.DuckDBPyConnection, lock: Lock, change: Change) -> str | None:
    how = change.after or change.before
    assert how is not None, "a change has at least one side"
    cohort = lock.data["cohorts"][how.cohort]
    schema, _, table = change.relation.partition(".")
    key = _key(con, schema, table, str(cohort["key"]))
    if key is None:
        return None
    where = f" WHERE {key} IN (\n{how.members}\n)" if how.members else ""
    return f'SELECT count(DISTINCT {key}) FROM "{schema}"."{table}"{where}'


def _key(con: duckdb.DuckDBPyConnection, schema: str, table: str, key: str) -> str | None:
    """The column that names the child: the cohort's key, else what our marts call it."""
    rows = con.execute(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = ? AND table_name = ?",
        [schema, table],
    ).fetchall()
    columns = {row[0] for row in rows}
    return next((each for each in (key, "child_id", "child_key") if each in columns), None)


def _sign(change: Change) -> str:
    return "+" if change.widens else "-"


def _counted(children: int | None) -> str:
    if children is None:
        return "number of children unknown"
    return "1 child" if children == 1 else f"{children:,} children"
