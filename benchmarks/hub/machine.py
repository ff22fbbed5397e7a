"""Where and with what a figure was measured, and what it cost."""

from __future__ import annotations

import os
import platform
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any


def machine() -> dict[str, Any]:
    """Processor, cores, memory, load before, and the versions that matter."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    memory = int(Path("/proc/meminfo").read_text().split()[1])
    return {
        "processor": next(
            (x.split(": ")[1] for x in lines if x.startswith("model name")), "unknown"
        ),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**20, 1),
        "load_before": [round(x, 1) for x in os.getloadavg()],
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in ("duckdb", "pyarrow", "sqlalchemy")},
    }


def peak_gib() -> float:
    """The largest resident set of this process so far."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2)


@contextmanager
def cost(book: dict[str, Any], name: str) -> Iterator[None]:
    """Note wall and CPU seconds of what is done inside, of this process and its threads."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    book[name] = {
        "wall": round(time.perf_counter() - wall, 2),
        "cpu": round(time.process_time() - cpu, 2),
    }
