"""How much claim a process has to the machine's cores."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_LAST = 19
_AUTOGROUP = Path("/proc/self/autogroup")


def give_way() -> None:
    """Let this process and what it starts work only while nobody else wants the cores.

    Linux has a class of its own for that (SCHED_IDLE): whoever wakes takes the core at once. Elsewhere, or
    where it is forbidden, the process takes the lowest priority of all.

    Where the kernel shares cores among sessions first (autogroup, sched(7)), the class counts within the session
    alone: one that this process leads, as under cron, is put last too.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    except (AttributeError, PermissionError):
        os.nice(_LAST)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):  # another system, or another kernel
            _AUTOGROUP.write_text(str(_LAST))
