"""Run the commands of docs/governance.md on a hub, and put what they print under them.

    python docs/make_governance_outputs.py HOME [--check]

Each block of the guide marked `console` begins with a line `$ command`; what follows it is that
command's output, made anew. Commands run one after the other in one copy of HOME, so the hub given
stays as it is; `FFP_HOME` names the copy, and what a block exports (a child, an extract) holds for
those after it. A command that fails stops the whole, unless its line ends in `# exits N`. With
`--check` nothing is written: it is for a test that the guide's commands still work.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

GUIDE = Path(__file__).parent / "governance.md"
_BLOCK = re.compile(r"^```console\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_EXITS = re.compile(r"#\s*exits (\d+)\s*$")
_STATE = "exported"


class GuideError(Exception):
    """A command of the guide did not end as the guide says."""


def commands(text: str) -> list[str]:
    """Every command of the guide, in order; lines continued by a backslash are one."""
    return [command for block in _BLOCK.finditer(text) for command in _commands(block["body"])]


def _commands(body: str) -> Iterator[str]:
    lines = iter(body.splitlines())
    for line in lines:
        if line.startswith("$ "):
            command = line[2:]
            while command.endswith("\\"):
                command += "\n" + next(lines)
            yield command


def with_outputs(text: str, home: Path, folder: Path) -> str:
    """The guide with the output of each command under it; raises GuideError."""

    def made(block: re.Match[str]) -> str:
        parts = [f"$ {each}\n{_run(each, home, folder)}" for each in _commands(block["body"])]
        return "```console\n" + "".join(parts) + "```"

    return _BLOCK.sub(made, text)


def _run(command: str, home: Path, folder: Path) -> str:
    """What a command prints, on either channel; its exported variables stay for the next."""
    state = folder / _STATE
    state.touch()
    script = f'set -eo pipefail; . "{state}"; {command}\nexport -p > "{state}"'
    done = subprocess.run(  # noqa: S603 - the commands are those of our own guide
        ["bash", "-c", script],  # noqa: S607 - the shell of the reader
        cwd=folder,
        env=_environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    expected = _EXITS.search(command)
    if done.returncode != (int(expected[1]) if expected else 0):
        raise GuideError(f"$ {command}\nexited {done.returncode}:\n{done.stdout}")
    return _shown(done.stdout, home, folder)


def _environment(home: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FFP_", "DAGSTER_"))}
    here = str(Path(sys.executable).parent)
    wide = {"COLUMNS": "120", "NO_COLOR": "1", "TERM": "dumb"}
    return {**kept, **wide, "PATH": f"{here}:{kept['PATH']}", "FFP_HOME": str(home)}


def _shown(output: str, home: Path, folder: Path) -> str:
    text = output.replace(str(home), "ffp_home").replace(f"{folder}/", "")
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def main() -> None:
    """Run as the module's text says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    with TemporaryDirectory() as name:
        folder = Path(name)
        home = Path(shutil.copytree(given.home, folder / "home"))
        text = with_outputs(GUIDE.read_text("utf-8"), home, folder)
    if not given.check:
        GUIDE.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
