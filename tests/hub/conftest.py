"""Hubs on SQLite and on a PostgreSQL server that is started for the tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from benchmarks.hub import postgres
from ffp_data.hub import Hub
from tests.hub.stories import Story, seeded_ids


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of an empty database of a server of our own."""
    with ExitStack() as stack:
        try:
            url = stack.enter_context(postgres.server())
        except FileNotFoundError as missing:
            if os.environ.get("CI"):
                pytest.fail(str(missing))
            pytest.skip(str(missing))
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def hub_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty hub, on each kind of database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'hub.db'}"
    server: str = request.getfixturevalue("postgres_url")
    schema = f"hub_{uuid4().hex}"
    engine = sa.create_engine(server)
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema(schema))
    engine.dispose()
    return f"{server}&options=-csearch_path%3D{schema}"


@pytest.fixture
def story(hub_url: str) -> Iterator[Story]:
    with Hub.open(hub_url, seeded_ids()) as hub:
        yield Story(hub)
