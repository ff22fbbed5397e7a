"""Feeds, for data engineers: what there is, what was set aside, and what a contract says wrongly."""

from __future__ import annotations

from typing import Annotated

import typer

from ffp_data.cli.console import (
    HomeOption,
    JsonOption,
    fail,
    has_run,
    parse_day,
    print_json,
    print_rows,
)
from ffp_data.settings import Home

app = typer.Typer(no_args_is_help=True, help="Feeds: contracts, deliveries and quarantine.")


@app.command("list")
def list_(
    home: HomeOption = None,
    as_at: Annotated[str | None, typer.Option("--as-at", help="Freshness on this day.")] = None,
    json: JsonOption = False,
) -> None:
    """Every feed with its contract, agreement, last delivery and whether it is late."""
    from ffp_data import feeds
    from ffp_data.pipeline.run import Run
    from ffp_data.warehouse import connect

    contracts = feeds.load_contracts()
    known = {}
    if (place := Home.at(home)).warehouse.is_file():
        run = Run.at(run_id="feeds-list", home=place.root, as_at=parse_day(as_at))
        with connect(place, read_only=True) as con:
            known = {f.feed: f for f in feeds.freshness(con, contracts, run.as_at)}
    rows = [
        {
            "feed": feed,
            "contract": contract.version,
            "agreement": contract.hub.agreement,
            "tables": len(contract.tables),
            "last_delivered": known[feed].last_delivered_at if feed in known else None,
            "state": known[feed].state if feed in known else "never",
        }
        for feed, contract in contracts.items()
    ]
    print_rows("feeds", rows, as_json=json)


@app.command()
def check(json: JsonOption = False) -> None:
    """Check every contract: file, line, key and remedy for each error. Exit 1 when there are any."""
    from ffp_data import feeds

    errors = [str(error) for error in feeds.check_contracts()]
    if json:
        print_json(errors)
    if errors:
        raise fail(() if json else errors)
    if not json:
        typer.echo(f"{len(feeds.load_contracts())} contracts, no error")


@app.command()
def quarantine(home: HomeOption = None, json: JsonOption = False) -> None:
    """Rows and values set aside, by file, rule and column, with the first line and the remedy."""
    from ffp_data import feeds
    from ffp_data.warehouse import connect

    with connect(has_run(home), read_only=True) as con:
        rows = feeds.quarantine_report(con).to_pylist()
    print_rows("set aside", rows, as_json=json)
