"""Write the file with which the council looks for missing NHS numbers."""

from __future__ import annotations

from typing import Annotated

import typer

from ffp_data.cli.console import HomeOption, JsonOption, fail, has_run, parse_day, print_json


def add_to(app: typer.Typer) -> None:
    """Put the command of this module among those of feeds."""
    app.command("sui-input")(sui_input)


def sui_input(
    as_at: Annotated[
        str | None, typer.Option("--as-at", help="The day to speak for; else that of the last run.")
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Release the children without an NHS number as input of DfE's SUI Matcher, under an agreement."""
    from ffp_data.pipeline.number_requests import release_requests
    from ffp_data.pipeline.run import Run, sole_run

    place = has_run(home)
    with sole_run(place, lambda: typer.echo(f"waiting for a run on {place.root}", err=True)):
        run = Run.at(run_id="sui-input", home=place.root, as_at=parse_day(as_at))
        outcome = release_requests(run)
    if not outcome.permitted:
        raise fail(outcome.reason)
    if json:
        print_json(outcome.figures())
    else:
        typer.echo(f"{outcome.folder}: {sum(outcome.rows.values()):,} children")
