"""Look-ups: who is this child, what became of an identifier, and what recipients must be told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ffp_data.cli.console import (
    HomeOption,
    JsonOption,
    ReasonToAsk,
    fail,
    has_run,
    print_json,
    print_rows,
)
from ffp_data.settings import Home

if TYPE_CHECKING:
    from datetime import date

    import pyarrow as pa

    from ffp_data.access import Access
    from ffp_data.lookups import Identify, Lookups
    from ffp_data.lookups.answers import AsOf


def add_to(top: typer.Typer) -> None:
    """Put the commands for everybody at the top level."""
    top.command()(identify)
    top.command("api")(api)


def add_to_hub(hub: typer.Typer) -> None:
    """Put the commands about identifiers below `ffp hub`."""
    hub.command()(history)
    hub.command()(resolve)
    hub.command("as-of")(as_of)
    hub.command()(changes)
    hub.command()(runs)
    hub.command()(export)


@dataclass(frozen=True)
class _Opened:
    access: Access
    lookups: Lookups
    identify: Identify


@contextmanager
def _open(home: Path | None, *, many: bool = False) -> Iterator[_Opened]:
    """The look-ups of a home where a run was made; `many` for so many reads that none waits for the disk."""
    from contextlib import ExitStack

    from ffp_data.access import Access
    from ffp_data.home.pending import require_none
    from ffp_data.lookups import (
        Identify,
        Lookups,
        NamesThePersonError,
        NotEnoughError,
        NotThereError,
    )
    from ffp_data.lookups.register import Register
    from ffp_data.serving import NothingPublishedError, Serving, load
    from governance.access import Gate, Journal
    from linkage import LinkageError

    # A register on a server needs no run here; a file that is not there must not be made.
    place = Home.at(home) if os.environ.get("FFP_HUB_URL") else has_run(home)
    require_none(place)
    access, register = Access(place), Register.open(place.hub_url)
    with ExitStack() as stack:
        stack.callback(register.close)
        gate = access.gate
        if many:
            journal = stack.enter_context(Journal(place.ledger_dir, access.ledger))
            gate = Gate(access.roles, gate.subjects, journal.append)
        try:
            serving = Serving(place, load)
            lookups = Lookups(access, register, serving, gate)
            yield _Opened(access, lookups, Identify(register, serving, gate))
        except (
            NotThereError,
            NothingPublishedError,
            NamesThePersonError,
            NotEnoughError,
            LinkageError,
        ) as error:
            raise fail(str(error), 2) from error


def identify(  # noqa: PLR0913, PLR0917 -- each is an option
    given_name: Annotated[str | None, typer.Option(help="Given name.")] = None,
    family_name: Annotated[str | None, typer.Option(help="Family name.")] = None,
    birth_date: Annotated[str | None, typer.Option(help="As 2016-05-04.")] = None,
    sex: Annotated[str | None, typer.Option(help="F or M.")] = None,
    postcode: Annotated[str | None, typer.Option(help="A whole postcode.")] = None,
    nhs_number: Annotated[str | None, typer.Option(help="NHS number.")] = None,
    upn: Annotated[str | None, typer.Option(help="Unique pupil number.")] = None,
    also: Annotated[
        list[str] | None,
        typer.Option("--also", help="Any other field, such as middle_names=Rose; repeat it."),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", help="Many children: a CSV with these fields as header.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="The CSV of answers to --csv.")] = None,
    reason: ReasonToAsk = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Find a child by what is known: candidates that are certain, probable or possible, with the evidence.

    Exit status: 0 somebody was found, 1 nobody was, 2 what was given can't be searched.
    """
    single = {
        "given_name": given_name,
        "family_name": family_name,
        "birth_date": birth_date,
        "sex": sex,
        "postcode": postcode,
        "nhs_number": nhs_number,
        "upn": upn,
        **dict(_pair(text) for text in also or ()),
    }
    if csv is not None or out is not None:
        if csv is None or out is None or any(single.values()):
            raise fail("--csv and --out go together, and without other fields", 2)
        _identify_many(csv, out, reason, home, json)
        return
    _identify_one({k: v for k, v in single.items() if v is not None}, reason, home, json)


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise typer.BadParameter(f"{name}: write it as field=value")
    return name, value


def _identify_one(
    fields: dict[str, Any], reason: str | None, home: Path | None, json: bool
) -> None:
    from pydantic import ValidationError

    from ffp_data.lookups import Demographics
    from ffp_data.lookups.batch import problem_of
    from governance.access import Right

    try:
        known = Demographics.model_validate(fields)
    except ValidationError as error:
        raise fail(problem_of(error), 2) from None
    with _open(home) as opened:
        who = opened.access.user(Right.IDENTIFY, reason=reason)
        answer = opened.identify(who, known, reason)
    if json:
        print_json(answer.model_dump(mode="json"))
    else:
        rows = [
            {
                "grade": each.grade.value,
                "child_id": each.child_id,
                "probability": each.probability,
                "evidence": "; ".join([*each.evidence, *(f"AGAINST: {w}" for w in each.against)]),
            }
            for each in answer.candidates
        ]
        print_rows(f"candidates as at {answer.as_at}", rows)
        if answer.more:
            typer.echo(f"and {answer.more} more: give more to narrow it")
    if not answer.candidates:
        raise typer.Exit(1)


def _identify_many(
    source: Path, out: Path, reason: str | None, home: Path | None, json: bool
) -> None:
    from ffp_data.lookups.batch import BatchError, identify_csv
    from governance.access import Right

    with _open(home, many=True) as opened:
        who = opened.access.user(Right.IDENTIFY, reason=reason)
        try:
            done = identify_csv(source, out, lambda k: opened.identify(who, k, reason))
        except BatchError as error:
            raise fail(str(error), 2) from error
    if json:
        print_json(vars(done))
    else:
        typer.echo(
            f"{out}: {done.rows:,} rows, {done.found:,} with candidates ({done.certain:,} certain), "
            f"{done.problems:,} that could not be searched"
        )


def history(
    child_id: str, reason: ReasonToAsk = None, home: HomeOption = None, json: JsonOption = False
) -> None:
    """Everything that happened to an identifier: issued, joined, split, merged, retired."""
    from governance.access import Right

    with _open(home) as opened:
        also = (Right.EVIDENCE, Right.EXPORT, Right.PROTECTED_PLACE)
        who = opened.access.user(Right.HISTORY, *also, reason=reason)
        found = opened.lookups.history(who, child_id, reason)
    rows = [
        {
            "run": event.run,
            "event": event.event,
            "child_id": event.child_id,
            "other": event.other,
            "records": f"{event.record_count}, withheld"
            if event.records is None
            else ", ".join(event.records),
            "reason": event.reason,
        }
        for event in found.events
    ]
    print_rows(f"history of {child_id}", rows, as_json=json)


def resolve(
    child_id: str, reason: ReasonToAsk = None, home: HomeOption = None, json: JsonOption = False
) -> None:
    """The identifier in use today for one that was ever issued."""
    from governance.access import Right

    with _open(home) as opened:
        who = opened.access.user(Right.RESOLVE, reason=reason)
        found = opened.lookups.resolve(who, child_id, reason)
    if json:
        print_json(found.model_dump())
    else:
        typer.echo(found.current)


def as_of(
    day: Annotated[str, typer.Argument(help="A day as 2026-03-31, or the id of a run.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="A .csv or .parquet to write; else only counts.")
    ] = None,
    reason: ReasonToAsk = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Which identifier each record carried as at a day: a count, or with --out the whole list."""
    from ffp_data.lookups.tables import page, write_table, written_day
    from governance.access import Right

    if out is not None and out.suffix not in (".csv", ".parquet"):
        raise fail(f"{out}: name a .csv or a .parquet", 2)
    when: date | str = written_day(day)
    with _open(home) as opened:
        who = opened.access.user(Right.AS_OF, Right.PROTECTED_PLACE, reason=reason)
        table, withheld = opened.lookups.as_of(who, when, reason)
    counts = page(table, withheld, day, 0, 0)
    if out is not None:
        write_table(table, out)
    if json:
        print_json(counts.model_dump(exclude={"membership"}))
    else:
        _tell(counts, out, table)


def _tell(counts: AsOf, out: Path | None, table: pa.Table) -> None:
    where = f"{out}: " if out else ""
    typer.echo(
        f"{where}{table.num_rows:,} records of {counts.children:,} people as of {counts.as_of}"
    )
    _tell_withheld(counts.withheld)


def _tell_withheld(number: int) -> None:
    if number:
        typer.echo(
            f"{number:,} keys of protected people's records stand as pseudonyms: a key may name a place",
            err=True,
        )


def changes(
    since: Annotated[str, typer.Option(help="The id of a run; see: ffp hub runs")],
    recipient: Annotated[str | None, typer.Option(help="Only this recipient.")] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """What each recipient of releases must be told since a run: old identifier -> new, in their form."""
    from governance.access import Right

    with _open(home) as opened:
        who = opened.access.user(Right.CHANGES)
        told = opened.lookups.changes(who, since, recipient)
    if json:
        print_json(told.model_dump())
        return
    rows = [
        {
            "recipient": each.recipient,
            "year": each.epoch,
            "what": ", ".join(each.what),
            "old": each.old,
            "new": ", ".join(each.new),
        }
        for each in told.changes
    ]
    print_rows(f"to be told since {since}", rows)
    for gone in told.cannot_say:
        typer.echo(f"cannot say whom this release held, it lies here no longer: {gone}", err=True)


def runs(home: HomeOption = None, json: JsonOption = False) -> None:
    """The runs that the register knows, oldest first."""
    with _open(home) as opened:
        rows = opened.lookups.runs()
    print_rows("runs", rows, as_json=json)


def export(
    csv: Annotated[Path, typer.Option("--csv", help="The file to write.")], home: HomeOption = None
) -> None:
    """Write which identifier each record carries: record_key, child_id."""
    from ffp_data.lookups.tables import write_keys
    from governance.access import Right

    with _open(home) as opened:
        sees = opened.access.user(Right.PROTECTED_PLACE)
        whole = opened.access.roles.may(sees, Right.PROTECTED_PLACE)
        who = opened.access.user(Right.EXPORT)
        table, withheld = opened.lookups.export(who, whole=whole, file=csv.name)
    write_keys(table, csv)
    typer.echo(f"{csv}: {table.num_rows:,} records")
    _tell_withheld(withheld)


def api(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8800,
    document: Annotated[
        Path | None, typer.Option(help="Write the OpenAPI document there, and serve nothing.")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Serve the look-ups as a JSON API, on this machine alone unless --host says otherwise (docs/api.md)."""
    from ffp_data.api import app
    from ffp_data.api.server import serve

    if document is not None:
        document.write_text(app.document(app.make_app(Home.at(home))), "utf-8")
        return

    place = Home.at(home) if os.environ.get("FFP_HUB_URL") else has_run(home)
    serve(place, host, port)
