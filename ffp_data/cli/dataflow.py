"""DfE's children's social care data flow: build what changed, send it, see where it stands."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from ffp_data.cli.console import (
    DayOption,
    HomeOption,
    JsonOption,
    fail,
    print_json,
    print_rows,
    sole_run_at,
)
from ffp_data.cli.nevertheless import NeverthelessOption, decided

app = typer.Typer(no_args_is_help=True, help="DfE's daily children's social care data flow.")


@app.command()
def build(
    as_at: DayOption = None,
    allow_purges: Annotated[
        bool, typer.Option(help="Somebody has looked: let any number of children be purged.")
    ] = False,
    nevertheless: NeverthelessOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Build every child's payload and say what is new, updated or deleted. Nothing leaves."""
    from ffp_data.releases import dataflow

    with sole_run_at(home, "dataflow-build", as_at) as run:
        word = decided(run, nevertheless)
        outcome = dataflow.build(run, allow_purges=allow_purges, nevertheless=word)
    if not outcome.permitted:
        raise fail(outcome.reason)
    if json:
        print_json(outcome.figures())
        return
    print_rows("Children", _rows(outcome.children))
    if outcome.problems:
        problems: list[dict[str, Any]] = [vars(each) for each in outcome.problems]
        print_rows("Kept back until mended", problems)


@app.command()
def send(as_at: DayOption = None, home: HomeOption = None, json: JsonOption = False) -> None:
    """Send what is pending, under the agreement. Exit 0 all taken, 1 some refused or unanswered.

    Where to and as whom stands in the environment: FFP_DATAFLOW_ENDPOINT, _TOKEN_ENDPOINT,
    _CLIENT_ID, _CLIENT_SECRET, _SCOPE and _SUPPLIER_KEY.
    """
    from ffp_data.https import SettingsError
    from ffp_data.releases import dataflow

    try:
        with sole_run_at(home, "dataflow-send", as_at) as run:
            outcome = dataflow.send(run, os.environ)
    except SettingsError as error:
        raise fail(str(error), 2) from error
    if not outcome.permitted:
        raise fail(outcome.reason)
    sent = outcome.sent
    if json:
        print_json(outcome.figures())
    else:
        typer.echo(f"{sent.accepted:,} children taken, {sent.refused:,} refused")
    if sent.stopped:
        raise fail(f"stopped: {sent.stopped}; the rest stays pending")
    raise typer.Exit(1 if sent.refused else 0)


@app.command()
def status(
    answers: Annotated[
        bool,
        typer.Option(help="Show DfE's own words on each child in error; they may repeat values."),
    ] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Show where each child stands, and why those in error are."""
    from ffp_data.releases import dataflow

    with sole_run_at(home, "dataflow-status") as run:
        found = dataflow.status(run)
    if not answers:
        found["errors"] = [{k: v for k, v in e.items() if k != "answer"} for e in found["errors"]]
    if json:
        print_json(found)
        return
    print_rows("Children", _rows(found["children"]))
    print_rows("In error", found["errors"])


def _rows(children: dict[str, dict[str, int]]) -> list[dict[str, Any]]:
    return [
        {"status": status, "state": state, "children": number}
        for status, states in children.items()
        for state, number in states.items()
    ]
