"""What a run cost up to its clusters, measured by the run itself; standard library only.

The parent passes its clock (monotonic, shared by all processes of a machine) as START, so that the
start of Python and all imports count. Called when the clusters are on disk; what a run does after
that, such as writing its scored pairs for the quality report, is not timed.
"""

from __future__ import annotations

import json
import os
import resource
import time
from pathlib import Path
from typing import Any


def stop(out: Path, **facts: Any) -> None:
    """Write wall seconds, CPU seconds and peak memory of this process and its children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cost = {
        "wall_seconds": time.monotonic() - float(os.environ["START"]),
        "cpu_seconds": sum(u.ru_utime + u.ru_stime for u in used),
        "peak_gib": _peak() / 2**20,
    }
    (out / "cost.json").write_text(json.dumps(cost | facts))


def _peak() -> int:
    """Kilobytes. Not getrusage's: that counts what the parent had in memory when it started this run."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])
