"""A run in the background is last, and leaves the session as it was."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

AUTOGROUP = Path("/proc/self/autogroup")

_SCRIPT = """
import os, subprocess, sys
from ffp_data.priority import give_way

os.setsid()  # as cron and systemd start it
if sys.argv[1:]:
    subprocess.run([sys.executable, *sys.argv[1:]], check=True)
else:
    give_way()
print(os.sched_getscheduler(0), open("/proc/self/autogroup").read().split()[-1])
"""


@pytest.mark.slow
@pytest.mark.skipif(not AUTOGROUP.is_file(), reason="a kernel without autogroup, or no Linux")
def test_the_session_gives_way_with_the_process_and_no_longer(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(_SCRIPT)

    def said(*arguments: str) -> str:
        command = [sys.executable, str(script), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert said() == f"{os.SCHED_IDLE} 19\n"
    within = tmp_path / "within.py"
    within.write_text("from ffp_data.priority import give_way\ngive_way()\n")
    assert said(str(within)) == f"{os.sched_getscheduler(0)} 0\n"
