"""Ending an agreement: its status in the home's own policy, a line in the ledger, and what a run leaves lying.

The run in between is the ordinary one: the lock is compiled without the agreement, its rows leave the warehouse (or,
suspended, are shut out), everything is made anew, and what may not lie under `out/` is taken out. `clear` then
removes what no run makes anew: older releases, builds of returns and snapshots that were made while it was in force.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ffp_data.home.policy import load_policy, policy_folder, start_policy
from ffp_data.home.run import Run
from ffp_data.sealing import sweep
from ffp_data.serving import store
from ffp_data.withdrawal.releases import Copy, copies, remove_copies
from ffp_data.withdrawal.scope import WITHDRAWN, Scope, WithdrawalError, current_lock, scope_of
from governance.files import replacing
from governance.policy import DEMO_DIRECTORY

ENDED, CLEARED = "agreement_ended", "withdrawal_carried_out"
_STATUS = re.compile(r"^status:.*$", re.MULTILINE)


@dataclass(frozen=True)
class Cleared:
    """What was removed after the run, and what stays with the reason."""

    removed: tuple[str, ...]
    stays: tuple[Copy, ...]
    snapshots: int

    def as_json(self, run: Run) -> dict[str, Any]:
        return {
            "removed": list(self.removed),
            "stays": {str(c.folder.relative_to(run.home.root)): c.stays for c in self.stays},
            "snapshots_removed": self.snapshots,
        }


def end_agreement(run: Run, agreement: str, status: str, by: str, reason: str) -> Path:
    """Set the status of an agreement in the home's policy and write it down; the file that was changed.

    A home without a policy of its own gets the packaged one first. The policy must hold afterwards, else the file
    is as it was. Raises WithdrawalError, and NoPartnershipError for real people without a policy of their own.
    """
    if not reason.strip():
        raise WithdrawalError("say why, with --reason")
    if policy_folder(run.home) == DEMO_DIRECTORY:
        start_policy(run.home)
    path = _file_of(policy_folder(run.home), agreement)
    before = path.read_text("utf-8")
    _write(path, _STATUS.sub(f"status: {status}", before, count=1))
    _, problems = load_policy(run.home, run.as_at)
    if problems:
        _write(path, before)
        raise WithdrawalError(f"{path}: would not hold any more: {'; '.join(problems)}")
    run.ledger.append(ENDED, agreement=agreement, status=status, by=by, reason=reason)
    return path


def _file_of(policy: Path, agreement: str) -> Path:
    for path in sorted((policy / "agreements").glob("*.yaml")):
        if yaml.safe_load(path.read_text("utf-8")).get("id") == agreement:
            return path
    raise WithdrawalError(f"{agreement}: {policy / 'agreements'} has no such agreement")


def _write(path: Path, text: str) -> None:
    with replacing(path, mode=0o644) as handle:
        handle.write(text.encode())


def clear(run: Run, agreement: str) -> Cleared:
    """Remove what a run does not make anew; to be called when one ended well after `end_agreement`.

    Raises WithdrawalError when the last run was made under a policy in which the agreement was in force.
    """
    scope = scope_of(current_lock(run), agreement)
    if not scope.not_in_force:
        raise WithdrawalError(
            f"{scope.versioned}: the last run was made while it was in force; run again"
        )
    found = copies(run, scope)
    gone = remove_copies(run, found, f"{scope.versioned}: {scope.not_in_force}")
    stays = tuple(copy for copy in found if copy.stays)
    snapshots = _forget_older_snapshots(run, scope)
    if scope.is_inbound and scope.status == WITHDRAWN:
        sweep.rewrite(
            run.home, run.home.warehouse
        )  # what was deleted stands in free pages until then
    run.ledger.append(
        CLEARED, agreement=agreement, status=scope.status, removed=gone, snapshots=snapshots
    )
    return Cleared(tuple(gone), stays, snapshots)


def _forget_older_snapshots(run: Run, scope: Scope) -> int:
    """Remove every snapshot but the one that counts: of look-ups, the reviewers' queue and the pages."""
    if not scope.is_inbound:
        return 0
    removed = 0
    rooms = sorted(path.name for path in run.home.serving.glob("*") if path.is_dir())
    for room in ("", *rooms):
        keep = store.current(run.home, room)
        for path in sorted((run.home.serving / room).glob("*.duckdb")):
            if path != keep:
                path.unlink()
                removed += 1
    return removed
