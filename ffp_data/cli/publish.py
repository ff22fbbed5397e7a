"""Counts for everybody to read, protected so that nobody is found in them."""

from __future__ import annotations

from typing import Annotated

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

app = typer.Typer(no_args_is_help=True, help="Counts that anybody may read.")


@app.callback()
def group() -> None:
    """Keeps `counts` a command of its own, also while it is the only one."""


@app.command()
def counts(
    name: Annotated[
        str | None, typer.Argument(help="One publication, such as early_help; else every one.")
    ] = None,
    as_at: DayOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Publish counts with small ones hidden, and enough others that nobody can work them out.

    What was published before is taken into account. Exit 1 when no agreement permits it.
    """
    from ffp_data.publications.published import publish_counts
    from ffp_data.publications.published_counts import PUBLICATIONS

    if name is not None and name not in PUBLICATIONS:
        raise fail(f"{name}: no such publication; there are {', '.join(PUBLICATIONS)}", 2)
    with sole_run_at(home, "publish-counts", as_at) as run:
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
