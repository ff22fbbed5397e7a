"""Fetch a drop out of a case system's reporting database, where a council opens that instead of sending files."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ffp_data.cli.console import HomeOption, fail
from ffp_data.settings import Home


def add_to(app: typer.Typer) -> None:
    """Put the command of this module among those of feeds."""
    app.command()(pull)


def pull(
    feed: Annotated[str, typer.Argument(help="The feed, such as case_system.")],
    system: Annotated[str, typer.Option("--system", help="Case system, such as mosaic.")],
    url_env: Annotated[
        str | None,
        typer.Option("--url-env", help="Environment variable that holds the SQLAlchemy URL."),
    ] = None,
    url_file: Annotated[
        Path | None, typer.Option("--url-file", help="File that holds the SQLAlchemy URL.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Landing folder; else the home's.", envvar="FFP_LANDING"),
    ] = None,
    schema: Annotated[str | None, typer.Option(help="Schema of the tables.")] = None,
    early_help: Annotated[
        bool, typer.Option(help="Children known to early help alone are in the extract.")
    ] = False,
    home: HomeOption = None,
) -> None:
    """Pull a drop over a read-only connection into the landing folder; the next run loads it.

    The URL stands in a variable or a file, never on the command line, where others can read it. Only
    declared columns that an agreement lets in are selected. Compile the agreements first.
    """
    from ffp_data.feeds import FeedError
    from ffp_data.home.run import NoDayError, Run
    from ffp_data.pipeline.pulling import Wanted, pull_drop
    from ffp_data.settings import NoPartnershipError
    from governance.policy.compile import LockError

    url = _url(url_env, url_file)
    now = datetime.now(UTC).replace(microsecond=0)  # a pull happens when it happens
    wanted = Wanted(feed, system, now, schema, early_help)
    try:
        run = Run.at(run_id="feeds-pull", home=Home.at(home).root, landing=out)
        typer.echo(pull_drop(run, url, wanted))
    except (FeedError, LockError, NoDayError, NoPartnershipError) as error:
        raise fail(str(error)) from None


def _url(url_env: str | None, url_file: Path | None) -> str:
    if (url_env is None) == (url_file is None):
        raise fail("give one of --url-env NAME and --url-file PATH", 2)
    if url_file is not None:
        if not url_file.is_file():
            raise fail(f"{url_file}: no such file", 2)
        return url_file.read_text("utf-8").strip()
    url = os.environ.get(str(url_env))
    if not url:
        raise fail(f"the environment variable {url_env} is empty", 2)
    return url
