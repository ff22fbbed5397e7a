"""What people may ask about a child's data: to whom it went, who is affected by a loss, everything held."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ffp_data.cli.console import (
    HomeOption,
    JsonOption,
    ReasonToAsk,
    fail,
    has_run,
    parse_day,
    print_json,
    print_rows,
)

if TYPE_CHECKING:
    from ffp_data.rights.disclosures import DisclosureRegister


def add_to(app: typer.Typer) -> None:
    """Put the commands at the top level."""
    app.command()(disclosures)
    app.command()(affected)
    app.command()(sar)


@contextmanager
def _opened(home: Path | None) -> Iterator[DisclosureRegister]:
    from ffp_data.access import Access
    from ffp_data.rights.affected import NothingLostError
    from ffp_data.rights.disclosures import DisclosureRegister, NoSuchChildError
    from ffp_data.rights.sar_redactions import RedactionError
    from governance.subject_lists import SubjectListError

    place = has_run(home)
    try:
        yield DisclosureRegister(place, Access(place))
    except (NoSuchChildError, NothingLostError, RedactionError) as error:
        raise fail(str(error), 2) from error
    except SubjectListError as error:
        raise fail(str(error)) from error


def disclosures(
    child_id: Annotated[
        str, typer.Argument(help="The child's identifier, in use or a former one.")
    ],
    reason: ReasonToAsk = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """To whom a child's data was disclosed: every release and read, when, why, under which agreement.

    Exit status: 0 answered, 2 no such child.
    """
    from governance.access import Right

    with _opened(home) as register:
        gate, who = register.access.gate, register.access.user(Right.DISCLOSURES, reason=reason)
        facts = gate.check(who, Right.DISCLOSURES, subjects=[child_id], reason=reason)
        log = register.of_child(register.identity(child_id))
        gate.append("read", **facts, disclosures=len(log.disclosures), upto=log.events)
    if json:
        print_json(log.model_dump())
        return
    rows = [
        {
            "at": each.at[:19],
            "what": each.what,
            "to": each.to,
            "purpose": each.purpose,
            "agreement": each.agreement or each.right,
            "fields": ", ".join(dict.fromkeys(f.name for f in each.fields)) or each.reason,
        }
        for each in log.disclosures
    ]
    print_rows(f"disclosures of {log.child_id}", rows)
    typer.echo(f"recipients: {', '.join(log.recipients) or 'none'}")
    typer.echo(f"whole up to event {log.events:,} of the ledger, {log.head[:16]}…")


def affected(
    what: Annotated[
        str,
        typer.Argument(help="A release's folder or manifest, a run, a recipient, or a key's id."),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", help="A .csv or .json to write: who, and what of them.")
    ] = None,
    reason: ReasonToAsk = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Who is affected when something was lost: the list for the notice of a breach within 72 hours.

    Exit status: 0 answered, 2 nothing that was released fits.
    """
    from ffp_data.rights.affected import affected_by, write_affected
    from governance.access import Right

    if out is not None and out.suffix not in (".csv", ".json"):
        raise fail(f"{out}: name a .csv or a .json", 2)
    with _opened(home) as register:
        gate, who = register.access.gate, register.access.user(Right.AFFECTED, reason=reason)
        facts = gate.check(who, Right.AFFECTED, reason=reason)
        told, rows = affected_by(register, what)
        numbers = [each.number for each in told.releases]
        gate.append(
            "breach_list_made", **facts, children=told.children, releases=numbers, fits=told.fits
        )
        if out is not None:
            write_affected(told, rows, out)
    if json:
        print_json(told.model_dump())
        return
    shown = [
        {
            "released": each.released_at[:19],
            "recipient": each.recipient,
            "agreement": each.agreement,
            "purpose": each.purpose,
            "children": each.children,
            "sealed": "yes" if each.sealed_to else "no",
            "categories": ", ".join(each.categories),
        }
        for each in told.releases
    ]
    print_rows(f"{what}: a {told.fits}", shown)
    typer.echo(
        f"{told.children:,} children affected"
        + (f": {out}" if out else "; list them: --out FILE.csv")
    )
    if told.unknown:
        typer.echo(f"{told.unknown:,} more were erased or sealed since; nobody can name them")


def sar(
    child_id: Annotated[
        str, typer.Argument(help="The child's identifier, in use or a former one.")
    ],
    out: Annotated[Path, typer.Option("--out", help="A folder for the two copies.")],
    received: Annotated[str, typer.Option("--received", help="The day on which the request came.")],
    redactions: Annotated[
        Path | None,
        typer.Option(
            "--redactions", help="The officer's decisions (YAML): makes the copy to hand over."
        ),
    ] = None,
    reason: ReasonToAsk = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Everything held on a child, with sources, for whoever may have it: a readable PDF and a JSON copy.

    Without --redactions it is a working copy, in which what tells of other people is marked. Exit status:
    0 made, 2 no such child or decisions that can't be read.
    """
    from ffp_data.home.run import Run
    from ffp_data.rights.sar import Request, gather
    from ffp_data.rights.sar_redactions import Decisions, decided
    from ffp_data.rights.sar_render import write_copies
    from governance.access import Right

    day = parse_day(received)
    assert day is not None, "the option is required"
    with _opened(home) as register:
        gate, who = register.access.gate, register.access.user(Right.SUBJECT_ACCESS, reason=reason)
        facts = gate.check(who, Right.SUBJECT_ACCESS, subjects=[child_id], reason=reason)
        identity = register.identity(child_id)
        choices = Decisions.read(redactions) if redactions else None
        stops = tuple((each.stopped, each.resumed) for each in choices.clock) if choices else ()
        run = Run.at(run_id="sar", home=register.home.root)
        pack = gather(run, register, identity, Request(day, stops))
        if choices is not None:
            pack = decided(pack, choices)
            facts |= choices.told(register.access.subjects.keys, identity.current)
        counts = {"items": sum(len(s.items) for s in pack.sections), "withheld": pack.withheld}
        counts |= {"to_decide": pack.to_decide, "is_working_copy": pack.is_working_copy}
        gate.append("subject_access_answered", **facts, **counts, due=pack.clock.due.isoformat())
        pdf, machine = write_copies(pack, out)
    told = {"pdf": str(pdf), "json": str(machine), "due": pack.clock.due.isoformat(), **counts}
    if json:
        print_json(told)
        return
    typer.echo(f"{pdf}: {counts['items']:,} items; {machine} holds the same")
    typer.echo(f"due on {pack.clock.due}; {pack.to_decide:,} to decide, {pack.withheld:,} withheld")
