"""Write what every table and column is, as dbt's own documentation, into one file that a browser opens.

    python docs/make_tables.py FOLDER

The page holds everything in itself and fetches nothing. It needs scripts, so the hub's own pages do not serve it. It is
made from the models alone, against an empty database: nobody's data is near.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from dbt.cli.main import dbtRunner

from ffp_data.marts.transform import parse_environment
from ffp_data.paths import DBT_PROJECT


def write(folder: Path) -> Path:
    """Write `index.html` into a folder; raises RuntimeError when dbt cannot."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as scratch, parse_environment(Path(scratch)):
        words = ["--quiet", "--log-level-file", "none", "docs", "generate", "--static"]
        words += ["--empty-catalog", "--project-dir", str(DBT_PROJECT)]
        words += ["--profiles-dir", str(DBT_PROJECT), "--target-path", scratch]
        made = dbtRunner().invoke(words)
        if not made.success:
            raise RuntimeError(f"{DBT_PROJECT}: dbt cannot document the project: {made.exception}")
        page = folder / "index.html"
        page.write_bytes((Path(scratch) / "static_index.html").read_bytes())
    return page


if __name__ == "__main__":
    sys.stdout.write(f"{write(Path(sys.argv[1]).resolve())}\n")
