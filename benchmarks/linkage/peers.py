"""The peers' environment: made once from hash-pinned requirements, apart from the project's own.

To change a version: edit peers.in, then
    uv pip compile benchmarks/linkage/peers.in --universal --generate-hashes --no-emit-index-url \\
        --no-header --no-annotate --python-version 3.11 --output-file benchmarks/linkage/peers.txt
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
HOME = HERE.parents[1] / "build" / "peers"
PYTHON = HOME / "venv" / "bin" / "python"


def ensure() -> Path:
    """The peers' interpreter, its environment made or brought up to date first."""
    wanted = HERE / "peers.txt"
    digest = hashlib.sha256(wanted.read_bytes()).hexdigest()
    ready = HOME / "ready"
    if ready.exists() and ready.read_text() == digest:
        return PYTHON
    uv = Path(sys.executable).with_name("uv")
    subprocess.run(
        [uv, "venv", "--quiet", "--clear", "--python", sys.executable, HOME / "venv"], check=True
    )
    subprocess.run(
        [uv, "pip", "sync", "--quiet", "--python", PYTHON, "--require-hashes", wanted], check=True
    )
    ready.write_text(digest)
    return PYTHON
