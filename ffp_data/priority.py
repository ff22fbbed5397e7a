"""How much claim a process has to the machine's cores."""

from __future__ import annotations

import os

_LAST = 19


def give_way() -> None:
    """Let this process and what it starts work only while nobody else wants the cores.

    Linux has a class of its own for that (SCHED_IDLE): whoever wakes takes the core at once. Elsewhere, or
    where it is forbidden, the process takes the lowest priority of all.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    except (AttributeError, PermissionError):
        os.nice(_LAST)
