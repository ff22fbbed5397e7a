"""Past releases that rest on an agreement, and copies of what was made of it that still lie in the home."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ffp_data.home.kept_locks import KeptLocks
from ffp_data.home.run import Run
from ffp_data.lineage.columns import UnknownColumnError, packaged
from ffp_data.releases.kept_returns import SIGNED
from ffp_data.returns.versions import RECORD, NotAVersionError, read_record
from ffp_data.withdrawal.scope import Scope
from governance.files import sha256_of_file
from governance.manifest import MANIFEST, read_manifest
from governance.policy.compile import LockError
from governance.release import withdraw


@dataclass(frozen=True)
class PastRelease:
    """A release that rests on the agreement: its recipient must be told that the agreement ended.

    columns: those of it that rest on the agreement's feeds, or that it gave itself; folder: where the hub's own
    copy still lies, below the home.
    """

    recipient: str
    purpose: str
    agreement: str
    as_at: str
    released_at: str
    manifest: str
    rows: int
    columns: int
    folder: str | None

    def as_json(self) -> dict[str, Any]:
        return dict(vars(self))


@dataclass(frozen=True)
class Copy:
    """A folder of the home with what was made while the agreement was in force, and what is to become of it."""

    folder: Path
    kind: str
    stays: str = ""
    """Why it stays; empty where it goes."""


def past_releases(run: Run, scope: Scope) -> list[PastRelease]:
    """Every release in the ledger that rests on the agreement, oldest first; one withdrawn since is told too."""
    lying = {
        sha256_of_file(path): str(path.parent.relative_to(run.home.root))
        for path in sorted(run.home.out.rglob(MANIFEST))
    }
    found = []
    for event in run.ledger.events("released"):
        facts = event["facts"]
        if not (columns := _columns(run, facts, scope)):
            continue
        found.append(
            PastRelease(
                recipient=facts["recipient"],
                purpose=facts["purpose"],
                agreement=facts["agreement"],
                as_at=facts["as_at"],
                released_at=event["at"],
                manifest=facts["manifest"],
                rows=sum(facts["rows"].values()),
                columns=columns,
                folder=lying.get(facts["manifest"]),
            )
        )
    return found


def _columns(run: Run, facts: Mapping[str, Any], scope: Scope) -> int:
    """How many columns of a release rest on the agreement; none where it was not in force then."""
    if not scope.is_inbound:
        own = str(facts["agreement"]).partition("@")[0] == scope.agreement
        return len(facts["columns"]) if own else 0
    if not was_in_force(run, facts["policy"], scope.agreement):
        return 0
    return sum(rests_on(each["relation"], _stored(each), scope.feeds) for each in facts["columns"])


def rests_on(relation: str, column: str, feeds: Collection[str]) -> bool:
    """Whether a column's lineage reaches one of the feeds; a column that is no longer known counts as if."""
    try:
        return not packaged().upstream(relation, column).feeds.isdisjoint(feeds)
    except UnknownColumnError:
        return True


_ENDINGS = {
    "pseudonymised": "_pseudonym",
    "month": "_month",
    "year": "_year",
    "district": "_district",
    "flag": "_flag",
}


def _stored(column: Mapping[str, str]) -> str:
    """The stored column behind a released one, which its transform may have renamed."""
    return column["name"].removesuffix(_ENDINGS.get(column["transform"], ""))


def was_in_force(run: Run, policy: str, agreement: str) -> bool:
    """Whether an agreement counted under the lock of this digest; a lock that was not kept counts as if."""
    try:
        lock = KeptLocks(run.home, run.keys).find(policy)
    except LockError:
        return True
    if lock is None or agreement not in lock.data["agreements"]:
        return lock is None
    return lock.data["agreements"][agreement]["not_in_force"] is None


def copies(run: Run, scope: Scope) -> list[Copy]:
    """Releases, reports to the council and kept builds that were made while the agreement was in force."""
    return [*_released(run, scope), *_built(run, scope)]


def _released(run: Run, scope: Scope) -> Iterator[Copy]:
    for manifest in sorted(run.home.out.rglob(MANIFEST)):
        try:
            told = read_manifest(manifest.parent, run.keys.trusted)
        except ValueError:
            continue  # not a release of this hub; `withdraw_unpermitted` names it
        own = str(told.get("agreement", "")).partition("@")[0]  # a document has none
        concerns = own and (own == scope.agreement or scope.is_inbound)
        if concerns and was_in_force(run, told["policy"], scope.agreement):
            signed = sha256_of_file(manifest) in _signed(run, "manifest_sha256")
            yield Copy(manifest.parent, f"release to {told['recipient']}", _why_kept(signed))


def _built(run: Run, scope: Scope) -> Iterator[Copy]:
    """Builds of returns, current and kept; each record names the policy under which it was made."""
    if not scope.is_inbound:
        return
    for record in sorted(run.home.council.rglob(RECORD)):
        try:
            policy = read_record(record.parent)["about"]["policy"]
        except (NotAVersionError, KeyError):
            policy = ""
        if was_in_force(run, policy, scope.agreement):
            signed = sha256_of_file(record) in _signed(run, "build_sha256")
            yield Copy(record.parent, "build of a return", _why_kept(signed))


def _why_kept(signed: bool) -> str:
    return "signed: the statutory record of what the council told" if signed else ""


def _signed(run: Run, what: str) -> frozenset[str]:
    return frozenset(e["facts"][what] for e in run.ledger.events(SIGNED))


def remove_copies(run: Run, found: Collection[Copy], reason: str) -> list[str]:
    """Take out the copies that do not stay; folders below the home, as they are told."""
    gone = []
    for copy in found:
        if copy.stays:
            continue
        if copy.folder.is_relative_to(run.home.out):
            withdraw(copy.folder, reason, keys=run.keys, ledger=run.ledger)
        else:
            shutil.rmtree(copy.folder)
        gone.append(str(copy.folder.relative_to(run.home.root)))
    return gone
