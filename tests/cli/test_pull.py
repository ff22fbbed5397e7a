"""`ffp feeds pull`: a drop over a read-only connection, under the agreements of the home."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from ffp_data.access import Access
from ffp_data.cli.main import app
from ffp_data.settings import Home, make_demonstration
from tests.feeds.test_sql_source import SECRET, create

VARIABLE = "FFP_CASE_SYSTEM_URL"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    place = Home.at(tmp_path / "home").prepare()
    make_demonstration(place)
    done = CliRunner().invoke(
        app, ["policy", "compile", "--home", str(place.root), "--as-at", "2026-03-31"]
    )
    assert done.exit_code == 0, done.output
    return place.root


def ask(home: Path, *options: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["feeds", "pull", "case_system", "--home", str(home), *options])
    return done.exit_code, done.output


def test_a_drop_is_pulled_and_the_ledger_says_so_without_the_address(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'open-database.db'}"
    create(url)
    monkeypatch.setenv(VARIABLE, url)
    code, told = ask(home, "--url-env", VARIABLE, "--system", "Mosaic")
    assert code == 0, told
    (folder,) = (home / "landing" / "case_system").iterdir()
    assert folder.name.startswith("ssd_mosaic_")
    *_, newest = Access(Home(home)).ledger.events()
    assert newest["kind"] == "drop_pulled"
    assert "open-database" not in f"{newest}{told}"


def test_a_system_that_nobody_knows_is_refused_by_name(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text(f"sqlite:////nowhere/{SECRET}.db", "utf-8")
    code, told = ask(home, "--url-file", str(file), "--system", "abacus")
    assert code == 1
    assert "abacus is no case system" in told
    assert SECRET not in told


def test_a_database_that_cannot_be_reached_is_one_line_without_the_address(
    home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "url"
    file.write_text(f"sqlite:////nowhere/{SECRET}.db", "utf-8")
    code, told = ask(home, "--url-file", str(file), "--system", "mosaic")
    assert code == 1
    assert "sql_database" in told
    assert SECRET not in told


@pytest.mark.parametrize("options", [(), ("--url-env", "NOT_SET_AT_ALL")])
def test_without_an_address_nothing_is_asked(home: Path, options: tuple[str, ...]) -> None:
    code, _ = ask(home, *options, "--system", "mosaic")
    assert code == 2
