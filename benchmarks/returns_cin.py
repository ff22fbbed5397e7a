"""The CIN census at size: 50,000 children written and validated, and 900 beside the open peer validator.

    python benchmarks/returns_cin.py                   needs the package index for the peer
    python benchmarks/returns_cin.py --no-peer

Each step is a process of its own: wall and CPU seconds, and its largest resident set. Writing is from
tables to XML; validating is `ffp returns validate` from XML to a report of findings. The peer is
`csc-validator-be-cin` 0.1.13 by its own command on the same file, in an environment of its own, since it
needs pandas 1.5. The result goes to benchmarks/results/returns_cin.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from ffp_data.identifiers import install_macros
from ffp_data.returns import Header, cin
from ffp_data.returns.xml_writer import write_xml

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "returns_cin.json"
YEAR = "2025-26"
PEER = ("csc-validator-be-cin==0.1.13", "numpy<2", "pytest")  # its command imports pytest
BIN = Path(sys.executable).parent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--children", type=int, default=50_000)
    parser.add_argument("--beside", type=int, default=900, help="children of the peer's run")
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--folder", type=Path, default=Path("build/bench-returns"))
    parser.add_argument("--write", nargs=2, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        write(*options.write)
        return 0
    shutil.rmtree(options.folder, ignore_errors=True)
    options.folder.mkdir(parents=True)
    load = round(os.getloadavg()[0], 1)
    ours = measure(options.folder, options.children)
    beside = measure(options.folder, options.beside)
    if not options.no_peer:
        beside["peer"] = measure_peer(options.folder, options.beside)
    result = {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load_before": load,
        str(options.children): ours,
        str(options.beside): beside,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))
    return 0


def measure(folder: Path, children: int) -> dict[str, Any]:
    """Write and validate a return of that many children."""
    tables, xml, report = (folder / f"{children}{end}" for end in (".duckdb", ".xml", ".json"))
    make(tables, children)
    written = timed([sys.executable, __file__, "--write", tables, xml])
    validated = timed(
        [BIN / "ffp", "returns", "validate", "cin", xml, "--year", YEAR, "--out", report],
        expected=1,
    )
    findings = Counter(finding["rule"] for finding in json.loads(report.read_text("utf-8")))
    return {
        "megabytes": round(xml.stat().st_size / 1e6, 1),
        "write": written,
        "validate": validated,
        "findings": dict(sorted(findings.items())),
    }


def make(path: Path, children: int) -> None:
    """Fill the tables of a return with made-up children."""
    with duckdb.connect(str(path)) as con:
        install_macros(con)
        con.execute(
            (HERE / "returns_cin.sql").read_text("utf-8").replace("{children}", str(children))
        )


def write(tables: Path, xml: Path) -> None:
    """The step that is timed: from tables to XML."""
    header = Header.for_year("CIN", YEAR, "999", datetime(2026, 5, 1, tzinfo=UTC))
    with duckdb.connect(str(tables)) as con:
        write_xml(con, cin.layout(YEAR), header, xml, "returns")


def measure_peer(folder: Path, children: int) -> dict[str, Any]:
    """The peer on the file that ours was measured on."""
    environment = folder / "peer"
    python = environment / "bin" / "python"
    uv = BIN / "uv"
    subprocess.run([uv, "venv", "--quiet", "--python", "3.11", environment], check=True)
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *PEER], check=True)
    words = ["-m", "cin_validator", "run", folder / f"{children}.xml", "--ruleset", "cin2025_26"]
    return {"version": PEER[0], "validate": timed([python, "-W", "ignore", *words])}


def timed(command: list[Any], expected: int = 0) -> dict[str, float]:
    """Wall and CPU seconds and peak memory in GiB of one process; raises when it fails."""
    started = time.perf_counter()
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    code = process.returncode = os.waitstatus_to_exitcode(status)
    if code != expected:
        raise subprocess.CalledProcessError(code, command)
    return {
        "wall_seconds": round(wall, 2),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 2),
        "peak_memory_gib": round(used.ru_maxrss / 2**20, 2),  # kilobytes on Linux
    }


if __name__ == "__main__":
    raise SystemExit(main())
