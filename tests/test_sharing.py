"""On several processes the tests of a file, or of a folder that shares, run on one of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sharing import FOLDERS, SECONDS, group_of

ROOT = Path(__file__).parents[1]
TEST = """
import pytest

@pytest.mark.parametrize("n", range(8))
def test_a(n):
    pass
"""


@pytest.mark.parametrize(
    ("test", "group"),
    [
        ("tests/pages/test_a.py::test_x[a/b.py::c]", "tests/pages/test_a.py"),
        ("tests/lookups/test_a.py::test_x", "tests/lookups"),
        ("tests/lookups/test_b.py::test_x", "tests/lookups"),
    ],
)
def test_a_file_stays_together_and_so_does_a_folder_that_shares(test: str, group: str) -> None:
    assert group_of(test) == group


def test_what_is_named_is_there() -> None:
    for name in (*SECONDS, *(f"tests/{folder}" for folder in FOLDERS)):
        assert (ROOT / name).exists(), name


@pytest.mark.slow  # another pytest, on two processes
def test_each_group_runs_on_one_process(tmp_path: Path) -> None:
    files = ["test_a.py", "test_b.py", "lookups/test_c.py", "lookups/test_d.py"]
    (tmp_path / "lookups").mkdir()
    for file in files:
        (tmp_path / file).write_text(TEST, "utf-8")
    words = [sys.executable, "-m", "pytest", "-v", "-n2", "-p", "tests.sharing", "-p", "no:cacheprovider"]  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*words, "--rootdir", tmp_path, tmp_path],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    ran = [line.split() for line in done.stdout.splitlines() if "PASSED" in line]
    assert len(ran) == 8 * len(files), done.stdout
    workers: dict[str, set[str]] = {}
    for line in ran:
        workers.setdefault(group_of(line[-1]), set()).add(line[0])
    assert set(workers) == {"test_a.py", "test_b.py", "lookups"}
    assert all(len(each) == 1 for each in workers.values()), workers
    assert len(set.union(*workers.values())) == 2, "both had something to do"
