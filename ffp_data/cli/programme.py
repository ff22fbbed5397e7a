"""`ffp programme`: what the partnership counts, for those who answer for it."""

from __future__ import annotations

from typing import Annotated

import typer

from ffp_data.cli.console import HomeOption, JsonOption, fail, has_run, out, print_json, print_rows

app = typer.Typer(no_args_is_help=True, help="Counts of needs, levels of help, groups and links.")


@app.callback()
def group() -> None:
    """Keeps `profile` a command of its own, also while it is the only one."""


@app.command()
def profile(
    table: Annotated[
        str | None, typer.Argument(metavar="[TABLE]", help="One table; else which there are.")
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Show the figures of the last run, unsuppressed: do not pass them on; publish them instead.

    With --json everything at once, comparisons and the monitor of links among it. Exit 2: no such table.
    """
    from ffp_data.access import Access
    from ffp_data.serving import NothingPublishedError
    from ffp_data.single_view.programme import profile_of
    from governance.access import Right

    place = has_run(home)
    access = Access(place)
    access.gate.read(access.user(Right.PROGRAMME), Right.PROGRAMME)
    try:
        found = profile_of(place)
    except NothingPublishedError as error:
        raise fail(str(error)) from error
    if table is None and json:
        print_json(found.told())
        return
    if table is None:
        about = [
            {"table": t.spec.id, "quarter": t.quarter, "title": t.spec.title} for t in found.tables
        ]
        print_rows(f"Programme as at {found.as_at}", about)
        for each in found.warnings:
            out.print(f"linked otherwise: {each.by} {each.group}: {each.measure} {each.words}")
        return
    try:
        shown = found.table(table)
    except KeyError:
        named = ", ".join(dict.fromkeys(each.spec.id for each in found.tables))
        raise fail(f"{table}: no such table; there are {named}", 2) from None
    print_rows(shown.spec.title, shown.told()["rows"], as_json=json)
