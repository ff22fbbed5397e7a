"""Packages stay as small to import as the house plan says."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow  # starts an interpreter for each package


@pytest.mark.parametrize(
    ("package", "may_not_load"),
    [
        ("linkage", ["dagster", "dbt", "sqlalchemy", "ffp_data", "governance"]),
        ("governance", ["dagster", "dbt", "recordlinkage", "sqlalchemy", "ffp_data", "linkage"]),
        ("ffp_data.feeds", ["dagster", "dbt", "recordlinkage"]),
        ("ffp_data.cli.main", ["dagster", "dbt", "recordlinkage", "pandas"]),
    ],
)
def test_importing_a_package_loads_nothing_that_its_room_may_not_use(
    package: str, may_not_load: list[str]
) -> None:
    probe = (
        f"import sys, {package}; print([name for name in {may_not_load!r} if name in sys.modules])"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == "[]"
