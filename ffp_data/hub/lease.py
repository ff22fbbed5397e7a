"""The lease of the hub: one run at a time, and a token that stops one which was overtaken.

A run takes the lease before its first write, and its process keeps it alive. When no sign of life
comes any more (laptop shut, process stopped, host gone) the lease runs out and the next run may
have it; when the process is known to be gone, at once. A paused run can't know that it was overtaken:
its clock stood still. So each grant has a number greater than all before it, the *fencing token*;
whoever writes shows it, and what is written to refuses one that is no longer the newest: the hub
by ``require``, in the transaction of the write, and the warehouse by ``ffp_data.fence``. Clocks
decide only how soon a successor starts, never what may be overwritten. (M. Kleppmann, *How to do
distributed locking*, 2016.)

The lease belongs to a run, not to a process: each process of one run joins in.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from ffp_data.hub.database import create_engine, migrate, writing
from ffp_data.hub.errors import LeaseHeldError, LeaseLostError
from ffp_data.hub.models import Lease

LASTS = timedelta(minutes=2)
"""How long a lease lives without a sign of life; one comes six times as often."""
WAIT = 3600.0
"""Seconds that a run waits for its turn, unless told otherwise."""
_POLL = 0.5

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Holder:
    """A run and the process it works in; ``started`` tells two processes of one number apart."""

    run_id: str
    host: str
    pid: int
    started: str

    @classmethod
    def here(cls, run_id: str) -> Holder:
        return cls(run_id, _host(), os.getpid(), _start_of(os.getpid()) or "")

    @property
    def is_gone(self) -> bool:
        """True only where it is certain: the process was on this host, and is there no more."""
        return self.host == _host() and _start_of(self.pid) != self.started


@dataclass(frozen=True, slots=True)
class Grant:
    """The lease as it was given. ``overtook`` says whose it was and why it was taken, if it was."""

    token: int
    is_joined: bool = False
    overtook: str | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A lease that this process holds."""

    token: int
    overtook: str | None
    engine: sa.Engine

    def require_newest(self) -> None:
        """Ask the hub whether the token is still the newest; raises LeaseLostError."""
        with self.engine.connect() as connection:
            require(connection, self.token)


@contextmanager
def hold(
    url: str,
    run_id: str,
    *,
    wait: float = WAIT,
    on_wait: Callable[[str], None] = lambda _holder: None,
    lasts: timedelta = LASTS,
) -> Iterator[Held]:
    """Hold the lease of the hub at ``url`` for a run, with signs of life from a thread of its own.

    While another run holds it ``on_wait`` is called once with who that is, and after ``wait``
    seconds (0: at once) LeaseHeldError is raised. Raises LeaseLostError for a run that was
    overtaken before: it must not go on where another has written.
    """
    engine = create_engine(url)
    try:
        migrate(engine)
        given = _wait_for(engine, Holder.here(run_id), wait, on_wait, lasts)
        with _signs_of_life(engine, given.token, lasts):
            try:
                yield Held(given.token, given.overtook, engine)
            finally:
                if not given.is_joined:
                    end(engine, given.token)
    finally:
        engine.dispose()


def grant(connection: sa.Connection, holder: Holder, lasts: timedelta = LASTS) -> Grant:
    """Give the lease to a run, inside a writer's transaction; errors as for ``hold``."""
    newest = _newest(connection)
    if newest is not None and newest.run_id == holder.run_id and newest.ended_at is None:
        return _join(connection, newest, holder, lasts)
    _require_not_overtaken(connection, holder.run_id, newest)
    overtook = None
    if newest is not None and newest.ended_at is None:
        if _is_alive(newest):
            raise LeaseHeldError(_who(newest))
        overtook = f"{_who(newest)}: {_why_free(newest)}"
    row = {
        "run_id": holder.run_id,
        "host": holder.host,
        "pid": holder.pid,
        "started": holder.started,
        "granted_at": _now(),
        "expires_at": _now() + lasts,
    }
    token: int = connection.scalars(sa.insert(Lease).returning(Lease.token), row).one()
    return Grant(token, overtook=overtook)


def require(connection: sa.Connection, token: int | None) -> None:
    """Refuse a write whose token isn't the newest; without one, refuse while a run holds the lease.

    To be called in the write's own transaction: grants wait for it, so the answer holds to its end.
    """
    newest = _newest(connection)
    if newest is None or newest.token == token:
        return
    if token is None:
        if newest.ended_at is None and _is_alive(newest):
            raise LeaseHeldError(_who(newest))
        return
    raise LeaseLostError(_run_of(connection, token), _who(newest))


def renew(connection: sa.Connection, token: int | None, lasts: timedelta = LASTS) -> bool:
    """A sign of life; False when the token isn't the newest any more."""
    newest = sa.select(sa.func.max(Lease.token)).scalar_subquery()
    is_ours = sa.and_(Lease.token == token, Lease.token == newest, Lease.ended_at.is_(None))
    changed = connection.execute(sa.update(Lease).where(is_ours).values(expires_at=_now() + lasts))
    return changed.rowcount == 1


def end(engine: sa.Engine, token: int) -> None:
    """Give the lease back; of a run that was overtaken it only notes the time."""
    with engine.begin() as connection:
        connection.execute(
            sa.update(Lease)
            .where(Lease.token == token, Lease.ended_at.is_(None))
            .values(ended_at=_now())
        )


def _wait_for(
    engine: sa.Engine,
    holder: Holder,
    wait: float,
    on_wait: Callable[[str], None],
    lasts: timedelta,
) -> Grant:
    until = time.monotonic() + wait
    is_told = False
    while True:
        try:
            with writing(engine) as connection:
                return grant(connection, holder, lasts)
        except LeaseHeldError as held:
            if time.monotonic() >= until:
                raise
            if not is_told:
                on_wait(held.holder)
                is_told = True
        time.sleep(min(_POLL, max(0.0, until - time.monotonic())))


def _join(connection: sa.Connection, row: Lease, holder: Holder, lasts: timedelta) -> Grant:
    """Another process of the run that holds the lease; it stands in for one that is gone."""
    values: dict[str, object] = {"expires_at": _now() + lasts}
    if _holder(row).is_gone:
        values |= {"host": holder.host, "pid": holder.pid, "started": holder.started}
    connection.execute(sa.update(Lease).where(Lease.token == row.token).values(values))
    return Grant(row.token, is_joined=True)


def _require_not_overtaken(connection: sa.Connection, run_id: str, newest: Lease | None) -> None:
    had = sa.select(sa.func.max(Lease.token)).where(Lease.run_id == run_id)
    if newest is not None and connection.scalar(had) not in (None, newest.token):
        raise LeaseLostError(run_id, _who(newest))


@contextmanager
def _signs_of_life(engine: sa.Engine, token: int, lasts: timedelta) -> Iterator[None]:
    is_over = threading.Event()

    def beat() -> None:
        while not is_over.wait(lasts.total_seconds() / 6):
            try:
                with engine.begin() as connection:
                    if not renew(connection, token, lasts):
                        return  # overtaken: the next write of this run finds out
            except sa.exc.OperationalError as problem:  # a busy database: the next one may get in
                _log.warning("no sign of life could be written: %s", problem.orig)

    thread = threading.Thread(target=beat, name="hub-lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _newest(connection: sa.Connection) -> Lease | None:
    query = sa.select(Lease.__table__).order_by(Lease.token.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return Lease(**row._mapping) if row else None


def _run_of(connection: sa.Connection, token: int) -> str:
    return connection.scalar(sa.select(Lease.run_id).where(Lease.token == token)) or "unknown"


def _holder(row: Lease) -> Holder:
    return Holder(row.run_id, row.host, row.pid, row.started)


def _is_alive(row: Lease) -> bool:
    return _utc(row.expires_at) > _now() and not _holder(row).is_gone


def _why_free(row: Lease) -> str:
    if _holder(row).is_gone:
        return "its process is gone"
    return f"no sign of life until {_utc(row.expires_at):%Y-%m-%d %H:%M:%S} UTC"


def _who(row: Lease) -> str:
    """Run, process, host and since when, in words."""
    since = f"{_utc(row.granted_at):%Y-%m-%d %H:%M:%S} UTC"
    return f"run {row.run_id}, process {row.pid} on {row.host.split('/')[0]}, since {since}"


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _now() -> datetime:
    return datetime.now(UTC)


def _host() -> str:
    """This machine and, in containers, its own space of process numbers."""
    space = Path("/proc/self/ns/pid")
    return f"{socket.gethostname()}/{space.stat().st_ino if space.exists() else 0}"


def _start_of(pid: int) -> str | None:
    """When a process of this host started, as a text to compare; None when there is none.

    On Linux ticks since a named boot; elsewhere only whether there is such a process.
    """
    stat = Path(f"/proc/{pid}/stat")
    if not Path("/proc/self/stat").exists():
        return "" if _exists(pid) else None
    try:
        words = stat.read_text("ascii", "replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, ticks = words[0], words[19]
    if state in "ZX":  # ended, and only not yet collected by its parent
        return None
    return f"{Path('/proc/sys/kernel/random/boot_id').read_text('ascii').strip()}/{ticks}"


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
