"""Which tests stay on one process when several run the suite: those that share something that takes long to make.

All tests of a file stay together, and so do those of some folders; what takes longest is handed out first, so
that no process is left alone with it at the end. A scheduler of our own, since `--dist loadgroup` of
pytest-xdist 3.8 tells groups by a name that it appends to the identifiers of tests, which pytest 9.2 ignores:
every file's tests were then dealt out one by one, and what they share was made on every process.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

FOLDERS = {"dbt_project", "end_to_end", "lookups", "quarterly", "synthetic"}
"""Folders of `tests` that stay together as one."""

SECONDS = {
    "tests/end_to_end": 400,
    "tests/withdrawal/test_prove.py": 90,
    "tests/dbt_project": 80,
    "tests/end_to_end/test_new_feed.py": 80,
    "tests/sealing/test_seal.py": 70,
    "tests/rights/test_erasure.py": 35,
    "tests/rotation/test_rotation.py": 30,
    "tests/pipeline/test_children.py": 20,
    "tests/hub/test_kill_nine.py": 15,
    "tests/hub/test_machine.py": 15,
    "tests/rights/test_rectification.py": 15,
    "tests/web/test_access_matrix.py": 15,
    "tests/lineage/test_perturb.py": 15,
    "tests/pipeline/test_review_queue.py": 15,
    "tests/web/test_hostile.py": 15,
}
"""About how long some groups take; of the others, those with more tests go first."""


def group_of(nodeid: str) -> str:
    """Return what a test shares: its file, or its folder."""
    path = PurePosixPath(nodeid.partition("::")[0])
    is_apart = str(path) in SECONDS
    return str(path.parent if path.parent.name in FOLDERS and not is_apart else path)


class Sharing(LoadScopeScheduling):
    """Deals tests out by what they share, the longest first."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        longest = max(self.workqueue, key=lambda group: SECONDS.get(group, 0))
        self.workqueue.move_to_end(longest, last=False)
        super()._assign_work_unit(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Sharing:
    return Sharing(config, log)
