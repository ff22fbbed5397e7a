"""What look-ups read while a run writes: one read-only, encrypted file for each run.

DuckDB lets one process hold the warehouse, so nobody can read it meanwhile. At its end a run publishes
what look-ups need (`snapshot`); readers open what the pointer names, load it beside what they have and
then change over (`reader`). A search takes a hundred times as long as any other look-up, so a service
gives it a process of its own (`search`). A protected person's place is not in the file at all.
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
from ffp_data.serving.search import Found, Search, SearchDiedError, SearchHere, SearchProcess
from ffp_data.serving.snapshot import Published, forget, publish

__all__ = [
    "Found",
    "NothingPublishedError",
    "People",
    "Published",
    "Search",
    "SearchDiedError",
    "SearchHere",
    "SearchProcess",
    "Served",
    "Serving",
    "forget",
    "load",
    "load_people",
    "publish",
]
