"""The hand-written partnership, built once by the real project in an encrypted scratch warehouse."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.dbt_project import partnership
from tests.dbt_project.warehouse import Warehouse, failures


@dataclass(frozen=True)
class Marts:
    """Answers questions about the built marts."""

    warehouse: Warehouse
    failures: list[str]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.warehouse.rows(sql)

    def value(self, sql: str) -> Any:
        ((value,),) = self.rows(sql)
        return value


@pytest.fixture(scope="session")
def marts(tmp_path_factory: pytest.TempPathFactory) -> Marts:
    folder: Path = tmp_path_factory.mktemp("dbt")
    warehouse = Warehouse(folder)
    warehouse.create(partnership.tables())
    result = warehouse.dbt("build", "--exclude-resource-type", "unit_test")
    return Marts(warehouse, failures(result))
