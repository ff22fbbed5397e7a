"""Destruction: what is due by the register of retention, and the erasure of one child."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ffp_data.cli.console import (
    HomeOption,
    JsonOption,
    LandingOption,
    fail,
    has_run,
    parse_day,
    print_json,
    print_rows,
)
from ffp_data.settings import Home

if TYPE_CHECKING:
    from ffp_data.home.run import Run
    from ffp_data.rights.erasure import Ordered
    from ffp_data.rights.retention import Plan
    from ffp_data.sealing.report import Report

By = Annotated[str, typer.Option("--by", help="Who orders it.")]
Second = Annotated[
    str,
    typer.Option(
        "--second", help="Somebody else, who agrees and, where people are real, types a token."
    ),
]


def add_to(app: typer.Typer) -> None:
    """Put both commands at the top level."""
    app.command("retention")(retention)
    app.command("erase")(erase)


def retention(  # noqa: PLR0913, PLR0917 -- each is an option
    report: Annotated[bool, typer.Option("--report", help="Tell what is due, by class.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Erase it.")] = False,
    as_at: Annotated[
        str | None, typer.Option("--as-at", help="The day; else that of the last run.")
    ] = None,
    by: By = "",
    second: Second = "",
    allow_share: Annotated[
        bool, typer.Option("--allow-share", help="Somebody looked: more than the limit may go.")
    ] = False,
    home: HomeOption = None,
    landing: LandingOption = None,
    json: JsonOption = False,
) -> None:
    """What is due to be destroyed, with the rule in words; --apply destroys what no hold keeps."""
    from ffp_data.home.pending import path_of
    from ffp_data.home.run import Run
    from ffp_data.hub import HubError
    from ffp_data.rights import retention as rules
    from ffp_data.rights.erasure import Ordered

    if report == apply:
        raise fail("give --report or --apply", 2)
    place = has_run(home)
    _may_erase(place, "retention")
    run = Run.at(run_id="retention", home=place.root, landing=landing)
    try:
        if apply and path_of(place).exists():
            _require_second(place, resumed := Ordered(by, second, "retention, resumed"))
            _tell(rules.resume(run, resumed), json)
            return
        found = rules.plan(run, parse_day(as_at) or run.as_at)
        if report:
            _tell_plan(run, found, json)
            return
        if found.free:
            _require_second(place, Ordered(by, second, f"retention as at {found.as_at}"))
        done = rules.apply(run, found, by, second, allow_share=allow_share)
    except HubError as error:
        raise fail(str(error), 2) from error
    if done is None:
        typer.echo("nothing is due that no hold keeps and no agency sends")
    else:
        _tell(done, json)


def erase(  # noqa: PLR0913, PLR0917 -- each is an option
    child_id: Annotated[
        str | None,
        typer.Argument(help="The identifier; asked for when not given, so that no shell keeps it."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; without the child's name.")] = "",
    by: By = "",
    second: Second = "",
    confirm: Annotated[
        str | None, typer.Option(help="The identifier again; asked for when not given.")
    ] = None,
    let_late_in: Annotated[
        bool,
        typer.Option("--let-late-in", help="Rows that come again come in as somebody new."),
    ] = False,
    home: HomeOption = None,
    landing: LandingOption = None,
    json: JsonOption = False,
) -> None:
    """Erase a child from every place and destroy its key. Can't be undone; a killed one is run again."""
    from ffp_data.home.run import Run
    from ffp_data.hub import HubError
    from ffp_data.rights import erasure
    from ffp_data.rights.retention import classes_of

    place = has_run(home)
    wanted = child_id or typer.prompt("Identifier", hide_input=True)
    _may_erase(place, reason)
    again = confirm or typer.prompt("Can't be undone. The identifier again", hide_input=True)
    if again.strip() != wanted.strip():
        raise fail("not the same identifier: nothing was erased", 2)
    run = Run.at(run_id="erase", home=place.root, landing=landing)
    ordered = erasure.Ordered(by, second, reason, keeps_late_out=not let_late_in)
    try:
        _require_second(place, ordered)
        report = erasure.erase(run, [wanted], ordered, classes=lambda: classes_of(run))
    except HubError as error:
        raise fail(str(error), 2) from error
    _tell(report, json)


def _tell_plan(run: Run, found: Plan, json: bool) -> None:
    rows = found.rows()
    run.ledger.append(
        "retention_reported",
        as_at=str(found.as_at),
        due={row["class"]: row["people"] for row in rows if row["people"]},
    )
    if json:
        told = {"as_at": found.as_at, "people": found.people, "unknown": found.unknown}
        print_json({**told, "classes": rows})
        return
    shown = [{k: v for k, v in row.items() if k != "source"} for row in rows]
    print_rows(f"due on {found.as_at}, of {found.people:,} people", shown)
    if found.unknown:
        typer.echo(f"{found.unknown:,} people of whom no rule can tell a day: a date is missing")


def _tell(report: Report, json: bool) -> None:
    if json:
        print_json(report.as_json())
        return
    rows = [
        {"where": where, "what": what, "rows": n}
        for where, counts in report.counts.items()
        for what, n in counts.items()
    ]
    print_rows(f"erased, reference {report.reference}", rows)
    for heading, title in (("exceptions", "stays"), ("by_name", "a name and its birth date: look")):
        told = report.as_json()[heading]
        if told:
            print_rows(title, [{"where": k, "what": v} for k, v in told.items()])
    for note in report.notes:
        typer.echo(note)


def _may_erase(place: Home, reason: str) -> None:
    """Ask the gate for the right; it writes the answer down, without the child."""
    from ffp_data.access import Access
    from governance.access import Gate, Right

    access = Access(place)
    # Not the gate of look-ups, which is shut while an erasure is to be run again.
    gate = Gate(access.roles, access.subjects, access.ledger.append)
    gate.check(access.user(Right.ERASE), Right.ERASE, reason=reason)


def _require_second(place: Home, ordered: Ordered) -> None:
    """Two people; the second types a token where people are real, so that no shell keeps it."""
    from ffp_data.access import Access
    from ffp_data.rights.second import require_second

    prompt = f"Token of {ordered.second}, who agrees"
    require_second(Access(place), ordered, lambda: str(typer.prompt(prompt, hide_input=True)))
