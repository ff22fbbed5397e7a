"""Where the dbt project lies: inside the installed wheel, else beside the packages of a checkout."""

from __future__ import annotations

from pathlib import Path

_INSTALLED = Path(__file__).parent / "dbt_project"
_CHECKOUT = Path(__file__).parent.parent / "dbt_project"

DBT_PROJECT = _CHECKOUT if (_CHECKOUT / "dbt_project.yml").is_file() else _INSTALLED
