"""`ffp reports`: what practitioners report as wrong, for whoever keeps the record."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from ffp_data.cli.console import HomeOption, JsonOption, fail, has_run, print_rows

app = typer.Typer(no_args_is_help=True, help="What people report to the owners of data.")


@app.callback()
def group() -> None:
    """What people report to the owners of data."""


@app.command("wrong")
def wrong_facts(
    list_: Annotated[
        bool, typer.Option("--list", help="Each report with its words, instead of counts by feed.")
    ] = False,
    identities: Annotated[
        bool, typer.Option("--identities", help="With --list: those for reviewers, of whose records they are.")
    ] = False,
    answered: Annotated[
        int | None, typer.Option(help="Number of a report that its owner answered: remove it.")
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:  # fmt: skip
    """Count the reports that wait by feed, list them, or remove one that was answered. Exit 2: no such report."""
    from ffp_data.access import Access
    from ffp_data.kept import Kept, wrong
    from governance.access import Right

    place = has_run(home)
    access = Access(place)
    kept = Kept.open(place, access.keys)
    try:
        if answered is None and not list_:
            access.gate.read(access.user(Right.OPERATE), Right.OPERATE, list="reported_wrong")
            rows = [asdict(each) for each in wrong.counts(kept)]
            print_rows("Reports that wait", rows, as_json=json)
            return
        right = Right.QUEUE if identities else Right.EXPLAIN
        who = access.user(right)
        if answered is not None:
            access.gate.read(who, right, act="answered_wrong", report=answered)
            if not wrong.answer(kept, answered):
                raise fail(
                    f"{answered}: no such report; ffp reports wrong --list names those that wait", 2
                )
            typer.echo(f"{answered}: removed")
            return
        access.gate.check(who, right)
        found = wrong.waiting(kept, access.subjects, for_reviewers=identities)
        told = [each.child_id for each in found]
        access.gate.read(who, right, subjects=told, list="reported_wrong")
        print_rows("Reports", [asdict(each) for each in found], as_json=json)
    finally:
        kept.close()
