"""Where a scenario works: a folder with all that its processes may write to, and how they are started in it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ffp_data.settings import Home
from tests.canaries.planting import Canaries

FFP = Path(sys.executable).with_name("ffp")
DAY = "2026-03-31"
ALIVE = {"api": "/healthz", "serve": "/sign-in"}
"""What answers as soon as it is served."""

NOTHING = Canaries("", frozenset())


@dataclass(frozen=True)
class Place:
    """Where one scenario works: a folder with everything that its processes may write to."""

    folder: Path
    canaries: Canaries = NOTHING

    @property
    def home(self) -> Home:
        return Home(self.folder / "home")

    @property
    def landing(self) -> Path:
        return self.folder / "partnership" / "landing"

    def ffp(
        self,
        *words: object,
        limit: int = 0,
        killed_after: float = 0,
        at_home: bool = True,
        answers: bool = False,
        project: Path | None = None,
    ) -> int:
        """Run a command; its streams go to files. ``limit``: bytes that it may write to one file.

        ``answers``: its standard output is what its user may see of children, and is searched no more than out/.
        """
        number = len(list(self.folder.glob("*.stderr")))
        shown = self._made("answers") if answers else self.folder
        streams = shown / f"{number}.stdout", self.folder / f"{number}.stderr"
        home = ["--home", str(self.home.root)] if at_home else []
        with streams[0].open("wb") as out, streams[1].open("wb") as err:
            process = subprocess.Popen(
                [*_limited(limit), str(FFP), *map(str, words), *home],
                stdout=out,
                stderr=err,
                cwd=self._made("cwd"),
                env=self._environment() | ({"PYTHONPATH": str(project)} if project else {}),
                start_new_session=True,
            )
            if killed_after:
                with suppress(subprocess.TimeoutExpired):
                    return process.wait(killed_after)
                os.killpg(process.pid, signal.SIGKILL)
            return process.wait()

    def run(self, limit: int = 0, killed_after: float = 0, project: Path | None = None) -> int:
        """A whole run of the graph; with the code of another ``project`` where one is given."""
        words = ("run", "--landing", self.landing, "--as-at", DAY)
        return self.ffp(*words, limit=limit, killed_after=killed_after, project=project)

    @contextmanager
    def serving(self, verb: str, port: int) -> Iterator[None]:
        """The API (`api`) or the pages (`serve`), in a process of their own."""
        with (self.folder / f"{verb}.stderr").open("wb") as told:
            process = subprocess.Popen(
                [str(FFP), verb, "--port", str(port), "--home", str(self.home.root)],
                stdout=told,
                stderr=told,
                cwd=self._made("cwd"),
                env=self._environment(),
            )
        try:
            for _ in range(240):
                with suppress(OSError):
                    urllib.request.urlopen(f"http://127.0.0.1:{port}{ALIVE[verb]}").close()
                    break
                time.sleep(0.5)
            yield
        finally:
            process.terminate()
            process.wait(60)

    def _made(self, name: str) -> Path:
        (self.folder / name).mkdir(exist_ok=True)
        return self.folder / name

    def _environment(self) -> dict[str, str]:
        kept = {
            k: v for k, v in os.environ.items() if not k.startswith(("FFP_", "DAGSTER_", "DBT_"))
        }
        return {**kept, "HOME": str(self._made("user")), "TMPDIR": str(self._made("tmp"))}


def _limited(size: int) -> list[str]:
    """Python ignores the signal that a file would grow too large, and gets an error as of a full disk."""
    return ["prlimit", f"--fsize={size}", "--core=0"] if size else []
