"""Counts for everybody to read, protected so that nobody is found in them."""

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

app = typer.Typer(no_args_is_help=True, help="Counts that anybody may read.")


@app.callback()
def group() -> None:
    """Keeps `counts` a command of its own, also while it is the only one."""


@app.command()
def counts(
    name: Annotated[
        str | None, typer.Argument(help="One publication, such as early_help; else every one.")
    ] = None,
    as_at: Annotated[
        str | None, typer.Option("--as-at", help="The day to speak for; else that of the last run.")
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Publish counts with small ones hidden, and enough others that nobody can work them out.

    What was published before is taken into account. Exit 1 when no agreement permits it.
    """
    from ffp_data.pipeline.published import publish_counts
    from ffp_data.pipeline.published_counts import PUBLICATIONS
    from ffp_data.pipeline.run import Run, sole_run

    if name is not None and name not in PUBLICATIONS:
        raise fail(f"{name}: no such publication; there are {', '.join(PUBLICATIONS)}", 2)
    place = has_run(home)
    with sole_run(place, lambda: typer.echo(f"waiting for a run on {place.root}", err=True)):
        run = Run.at(run_id="publish-counts", home=place.root, as_at=parse_day(as_at))
        made = {each: publish_counts(run, each) for each in ([name] if name else PUBLICATIONS)}
    if json:
        print_json({each: outcome.figures() for each, outcome in made.items()})
    else:
        print_rows(
            "Published",
            [{"publication": each, **outcome.figures()} for each, outcome in made.items()],
        )
    if refused := [f"{each}: {o.reason}" for each, o in made.items() if not o.permitted]:
        raise fail(refused)
