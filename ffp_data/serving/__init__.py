"""What look-ups read while a run writes: one read-only, encrypted file for each run.

DuckDB lets one process hold the warehouse, so nobody can read it meanwhile. At its end a run publishes
what look-ups need (`snapshot`); readers open what the pointer names, load it beside what they have and
then change over (`reader`). A protected person's place is not in the file at all.
"""

from __future__ import annotations

from ffp_data.serving.reader import (
    NothingPublishedError,
    People,
    Served,
    Serving,
    load,
    load_people,
)
from ffp_data.serving.snapshot import Published, forget, publish

__all__ = [
    "NothingPublishedError",
    "People",
    "Published",
    "Served",
    "Serving",
    "forget",
    "load",
    "load_people",
    "publish",
]
