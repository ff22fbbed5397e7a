"""`ffp policy diff`: what a change of policy does, before it counts."""

from __future__ import annotations

from typing import Annotated

import typer

from ffp_data.cli.console import HomeOption, JsonOption, fail, parse_day, print_json
from ffp_data.settings import Home

_SIDE = "A lock file, a policy folder, a day (2026-03-31), a kept lock's digest, or a git revision."


def diff(
    before: Annotated[str, typer.Argument(help=_SIDE)],
    after: Annotated[str, typer.Argument(help=_SIDE)],
    as_at: Annotated[
        str | None, typer.Option("--as-at", help="The day for which folders and revisions count.")
    ] = None,
    home: HomeOption = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="For a comment on a proposed change.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 1 when an agreement outgrows its DPIA.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Say which recipient gains or loses which field, for how many children. A plus marks what widens."""
    from ffp_data.pipeline.policy_diff import SideError, compare

    try:
        found = compare(Home.at(home), before, after, parse_day(as_at))
    except SideError as error:
        raise fail(str(error), 2) from error
    if json:
        print_json(found.as_dict())
    else:
        typer.echo(found.markdown() if markdown else "\n".join(found.lines()))
    if strict and any(each.stale for each in found.difference.agreements):
        raise typer.Exit(1)
