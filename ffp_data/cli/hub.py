"""Identifiers: what became of one, what a reviewer decides, and the list of who carries which."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ffp_data.cli import review, seal
from ffp_data.cli.console import HomeOption, fail, has_run
from ffp_data.settings import Home

if TYPE_CHECKING:
    from ffp_data.hub import Hub

app = typer.Typer(no_args_is_help=True, help="Identifiers: history, look-ups and decisions.")
review.add_to(app)
seal.add_to(app)


@contextmanager
def _hub(home: Path | None) -> Iterator[Hub]:
    from ffp_data.hub import Hub, HubError
    from ffp_data.sealing.pending import require_none

    # A register on a server needs no run here; a file that is not there must not be made.
    place = Home.at(home) if os.environ.get("FFP_HUB_URL") else has_run(home)
    require_none(place)
    try:
        with Hub.open(place.hub_url) as hub:
            yield hub
    except HubError as error:
        raise fail(str(error), 2) from error


@app.command()
def export(
    csv: Annotated[Path, typer.Option("--csv", help="The file to write.")], home: HomeOption = None
) -> None:
    """Write which identifier each record carries: record_key, child_id."""
    with _hub(home) as hub:
        rows = hub.export_csv(csv)
    _write_down("identifiers_exported", home, file=csv.name, rows=rows)
    typer.echo(f"{csv}: {rows:,} records")


def _write_down(kind: str, home: Path | None, **facts: str | int) -> None:
    from governance.keys import KeyStore
    from governance.ledger import Ledger

    place = Home.at(home)
    Ledger(place.ledger_dir, KeyStore(place.keys_dir).signing_key).append(kind, **facts)
