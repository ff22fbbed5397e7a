"""Releases stop when checkpoints stop: whether the newest one may still be gone by, and the order of times.

Every append makes a checkpoint, so an old one means either that nothing happened or that nothing could be
written; and reads that wait in journals beside the ledger are not under one yet. Order is by number,
never by the clock: a clock that steps back a little is held at the newest checkpoint's time, and one that
went back further takes no event until somebody says which time was wrong.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from governance.journal_lines import journals
from governance.keys import Verifier
from governance.ledger_lines import Checkpoint, read_time, written_time

SLACK = timedelta(minutes=5)
"""How far a clock may be put right by its time service without anybody having to look."""


class CheckpointsStoppedError(Exception):
    """No signed checkpoint is new enough, so nothing may leave."""


class ClockWentBackError(CheckpointsStoppedError):
    """The clock says a time from before the newest checkpoint."""


def time_after(newest: Checkpoint, now: datetime) -> str:
    """The time to write for what follows ``newest``: never earlier. Raises ClockWentBackError."""
    if not newest.at:
        return written_time(now)
    _refuse_clock_behind(newest, now)
    return max(newest.at, written_time(now))


def require(
    directory: Path,
    newest: Checkpoint | None,
    key: Verifier,
    now: datetime,
    limit_seconds: int,
) -> None:
    """Raise CheckpointsStoppedError unless ``newest`` is there, signed, of its time and new enough."""
    if newest is None:
        raise CheckpointsStoppedError(
            f"{directory}: no checkpoint was made yet; nothing leaves before: ffp ledger heartbeat"
        )
    if not newest.is_signed_by(key):
        raise CheckpointsStoppedError(
            f"{directory}: this hub did not sign the newest checkpoint; nothing leaves before the ledger "
            "is verified and restored"
        )
    _refuse_clock_behind(newest, now)
    limit = timedelta(seconds=limit_seconds)
    if now - read_time(newest.at) > limit:
        raise CheckpointsStoppedError(
            f"{directory}: the newest checkpoint is of {newest.at}, longer ago than {limit}; "
            "find out why no event is written, then make one: ffp ledger heartbeat"
        )
    _refuse_if_reads_wait(directory, now, limit)


def _refuse_clock_behind(newest: Checkpoint, now: datetime) -> None:
    if now < read_time(newest.at) - SLACK:
        raise ClockWentBackError(
            f"the clock says {written_time(now)}, but the newest checkpoint is of {newest.at}: set "
            "the clock right; if that checkpoint's time was the wrong one, say so with "
            "ffp ledger correct-clock --reason"
        )


def _refuse_if_reads_wait(directory: Path, now: datetime, limit: timedelta) -> None:
    for path in journals(directory):
        since = _first_time(path)
        if since is not None and now - since > limit:
            raise CheckpointsStoppedError(
                f"{path}: reads wait since {written_time(since)} to be taken over into the ledger; "
                "find out why none is written, then: ffp ledger heartbeat"
            )


def _first_time(path: Path) -> datetime | None:
    """When the first whole line of a journal was written; None when there is none."""
    try:
        with path.open("rb") as handle:
            line = handle.readline()
    except FileNotFoundError:  # taken over meanwhile
        return None
    try:
        return read_time(json.loads(line)["at"]) if line.endswith(b"\n") else None
    except (ValueError, KeyError, TypeError):
        return datetime.min.replace(tzinfo=UTC)  # no line of ours: it has waited too long
