"""The read-only SQL connection: what it reads, what it cannot do, what it never tells."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from ffp_data import feeds
from ffp_data.feeds.case_system import find_profile
from ffp_data.feeds.sql_source import Pull, pull, read_only
from tests.feeds.conftest import CONTRACTS
from tests.feeds.samples import Landing, sample_row
from tests.hub import conftest as hub

CASES = CONTRACTS["case_system"]
AT = datetime(2026, 4, 1, 2, 30, tzinfo=UTC)
ALL = {t.name: {p.name for p in t.properties} for t in CASES.tables}
SECRET = "open-sesame"

postgres_url = hub.postgres_url  # the server that the hub's tests start


def wanted(system: str = "mosaic", **own: object) -> Pull:
    profile = find_profile(system)
    assert profile is not None
    request = Pull(CASES, profile, ALL, "999", AT, "Head of Performance")
    return replace(request, **own)  # type: ignore[arg-type]


def create(url: str, schema: str | None = None) -> None:
    """A database with every required table of the dataset, two people, and a column nobody declared."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        if schema:
            connection.execute(sa.schema.CreateSchema(schema))
        for table in CASES.tables:
            if table.may_be_missing:
                continue
            names = dict.fromkeys(p.header for p in table.properties)
            columns = [
                sa.Column(n, sa.DateTime if "date" in n or n.endswith("_dob") else sa.Text)
                for n in names
            ]
            made = sa.Table(
                table.name,
                sa.MetaData(),
                *columns,
                sa.Column("secret_note", sa.Text),
                schema=schema,
            )
            made.create(connection)
            if table.name == "ssd_person":
                rows = [sample_row(CASES, table, n) for n in (1, 2)]
                days = [n for n in names if "date" in n or n.endswith("_dob")]
                day = datetime(2025, 9, 3, tzinfo=UTC).replace(tzinfo=None)
                values = [r | dict.fromkeys(days, day) | {"secret_note": SECRET} for r in rows]
                connection.execute(made.insert(), values)
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str | None]:
    """URL and schema of a filled database, of each kind."""
    if request.param == "sqlite":
        url, schema = f"sqlite:///{tmp_path / 'cases.db'}", None
    else:
        url, schema = request.getfixturevalue("postgres_url"), f"ssd_{uuid4().hex}"
    create(url, schema)
    return url, schema


def test_a_pull_is_a_drop_like_any_other(source: tuple[str, str | None], landing: Landing) -> None:
    url, schema = source
    folder = pull(url, wanted(schema=schema), landing.folder / "case_system")
    assert folder.name == "ssd_mosaic_20260401T023000Z"
    (result,) = landing.load()
    assert (result.status, result.error) == ("loaded", None)
    query = (
        "SELECT record_key, pers_death_date::VARCHAR FROM raw.case_system__ssd_person ORDER BY 1"
    )
    assert landing.query(query) == [
        ("case_system|mosaic|Sample1", "2025-09-03"),
        ("case_system|mosaic|Sample2", "2025-09-03"),
    ]


def test_the_database_itself_refuses_to_write(source: tuple[str, str | None]) -> None:
    url, schema = source
    table = f"{schema}.ssd_person" if schema else "ssd_person"
    with read_only(url) as connection, pytest.raises(sa.exc.DBAPIError, match=r"read-?only"):
        connection.execute(sa.text(f"DELETE FROM {table}"))


@contextmanager
def heard() -> Iterator[list[str]]:
    """Every statement that any engine sends meanwhile."""
    asked: list[str] = []

    def hear(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", hear)
    yield asked
    sa.event.remove(sa.Engine, "before_cursor_execute", hear)


def test_only_what_an_agreement_lets_in_is_selected(
    source: tuple[str, str | None], tmp_path: Path
) -> None:
    url, schema = source
    limited = {**ALL, "ssd_person": {"pers_person_id", "pers_surname"}}
    with heard() as asked:
        folder = pull(url, wanted(schema=schema, allowed=limited), tmp_path / "out")
    header = (folder / "ssd_person.csv").read_text("utf-8").splitlines()[0]
    assert header == "pers_person_id,pers_surname"
    files = "".join(path.read_text("utf-8") for path in folder.iterdir())
    assert SECRET not in files
    rows = [
        s for s in asked if "pg_catalog" not in s and "PRAGMA" not in s and "sqlite_master" not in s
    ]
    assert {s.split()[0] for s in rows} <= {"SELECT", "ROLLBACK", "show", "select"}
    assert not any("secret_note" in s for s in rows)


def test_a_table_that_no_agreement_covers_is_not_asked_for(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'cases.db'}"
    create(url)
    allowed = {name: columns for name, columns in ALL.items() if name != "ssd_cp_plans"}
    folder = pull(url, wanted(allowed=allowed), tmp_path / "out")
    assert not (folder / "ssd_cp_plans.csv").exists()


def test_a_database_that_lacks_a_required_table_gives_no_drop(tmp_path: Path) -> None:
    file = tmp_path / "cases.db"
    create(f"sqlite:///{file}")
    with sqlite3.connect(file) as connection:
        connection.execute("DROP TABLE ssd_cp_plans")
    connection.close()
    with pytest.raises(feeds.FeedError, match="ssd_cp_plans") as caught:
        pull(f"sqlite:///{file}", wanted(), tmp_path / "out")
    assert caught.value.rule == "missing_table"
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        (f"postgresql+psycopg2://reader:{SECRET}@127.0.0.1:1/cases", "sql_database"),
        (f"sqlite:////nowhere/{SECRET}.db", "sql_database"),
        (f"mysql://reader:{SECRET}@127.0.0.1/cases", "sql_url"),
        (f"{SECRET} is no URL", "sql_url"),
        (f"mssql+pyodbc://reader:{SECRET}@127.0.0.1/cases", "sql_driver"),
    ],
)
def test_a_connection_that_fails_tells_neither_address_nor_password(
    url: str, rule: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(feeds.FeedError) as caught:
        pull(url, wanted(), tmp_path / "out")
    told = "".join(
        (str(caught.value), repr(caught.value.__cause__), caplog.text, *map(str, caught.value.args))
    )
    assert caught.value.rule == rule
    assert SECRET not in told
    assert "127.0.0.1" not in told
    assert list((tmp_path / "out").iterdir()) == []


def test_the_folder_of_a_pull_is_its_owners_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'cases.db'}"
    create(url)
    folder = pull(url, wanted(), tmp_path / "out")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_pull_never_overwrites_a_drop(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'cases.db'}"
    create(url)
    pull(url, wanted(), tmp_path / "out")
    with pytest.raises(feeds.FeedError) as caught:
        pull(url, wanted(), tmp_path / "out")
    assert caught.value.rule == "exists"
