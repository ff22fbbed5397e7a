"""A run in the background is last, with the session that it leads; it leaves another's as it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_TELL = """
import os
from ffp_data.priority import give_way
give_way()
print(os.sched_getscheduler(0), open("/proc/self/autogroup").read().split()[-1])
"""


@pytest.mark.slow  # other processes
@pytest.mark.skipif(
    not Path("/proc/self/autogroup").is_file(), reason="a kernel without autogroup, or no Linux"
)
def test_a_session_gives_way_with_the_process_that_leads_it() -> None:
    def said(code: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, start_new_session=True,
        ).stdout  # fmt: skip

    assert said(_TELL) == f"{os.SCHED_IDLE} 19\n"
    led_by_another = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {_TELL!r}])"
    assert said(led_by_another) == f"{os.SCHED_IDLE} 0\n"
