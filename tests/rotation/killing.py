"""Kills rotations, each in a process of its own, at every swap of a file; run by the test as a program.

    python -m tests.rotation.killing HOME WORK

Forks from one warm process, since a start of Python costs more than a rotation of a small home. Prints one
JSON object a line: where it was killed, and what was there before and after it was run to its end.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ffp_data.rotation import rotate
from ffp_data.settings import Home
from governance.keys import KeyStore, RotationUnfinishedError
from tests.rotation.homes import digest, left_behind, told

_REPLACE = Path.replace


def killed_at(home: Home, swap: int, *, before: bool) -> None:
    """Rotate, and die at the given swap of a file, just before or just after it."""
    seen = 0

    def replace(path: Path, target: Path) -> Path:
        nonlocal seen
        seen += 1
        if before and seen == swap:
            os.kill(os.getpid(), signal.SIGKILL)
        done = _REPLACE(path, target)
        if seen == swap:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    Path.replace = replace  # type: ignore[assignment,method-assign]
    rotate(home)


def in_child(act: Callable[[], Any]) -> tuple[int, Any]:
    """(signal that ended it or 0, what it gave) of an act in a process of its own."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        try:
            given = json.dumps(act())
        except Exception as error:  # noqa: BLE001 - whatever it is, the parent tells
            given = json.dumps(f"{type(error).__name__}: {error}")
        os.write(write, given.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        text = pipe.read()
    _, status = os.waitpid(pid, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, json.loads(text or b"null")


def looked_at(home: Home) -> str:
    """What the home tells, or that a rotation must be ended first."""
    try:
        return digest(told(home))
    except RotationUnfinishedError:
        return "unfinished"


def ended(home: Home) -> dict[str, Any]:
    """Run the rotation (to its end, or a new one) and look."""
    rotate(home)
    book = KeyStore(home.keys_dir).opened.book
    return {
        "told": digest(told(home)),
        "left": left_behind(home),
        "is_rotating": book.is_rotating,
        "next": [each.id for each in book.keys if each.state == "next"],
    }


def main(template: Path, work: Path) -> None:
    """Kill at the first swap, the second, and so on, until a rotation lives to its end."""
    for before in (True, False):
        for swap in range(1, 100):
            home = Home(work / f"{swap}-{before}")
            shutil.copytree(template, home.root)
            died, _ = in_child(partial(killed_at, home, swap, before=before))
            _, between = in_child(partial(looked_at, home))
            _, after = in_child(partial(ended, home)) if died else (0, None)
            shutil.rmtree(home.root)
            place = {"swap": swap, "before": before, "died": died}
            print(json.dumps({**place, "between": between, "after": after}), flush=True)
            if not died:
                break


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
