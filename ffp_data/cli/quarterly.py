"""The Families First Partnership quarterly collection: build it, open a figure, type what no case tells, sign it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ffp_data.cli.console import (
    HomeOption,
    JsonOption,
    fail,
    has_run,
    print_json,
    print_rows,
    sole_run_at,
)
from ffp_data.cli.nevertheless import NeverthelessOption, decided

if TYPE_CHECKING:
    from ffp_data.access import Access
    from ffp_data.quarterly import Quarter
    from ffp_data.releases.kept_quarters import KeptQuarters

app = typer.Typer(no_args_is_help=True, help="The programme's quarterly collection.")
QuarterOption = Annotated[str, typer.Option("--quarter", help="Such as 2025-26-Q4.")]
ItemArgument = Annotated[
    str, typer.Argument(help="Code of an item or figure, such as FN-1.2 or CP-K2.")
]


def _quarter(name: str) -> Quarter:
    from ffp_data.quarterly import NotAQuarterError, Quarter

    try:
        return Quarter.parse(name)
    except NotAQuarterError as error:
        raise typer.BadParameter(str(error), param_hint="--quarter") from error


@contextmanager
def _kept(home: Path | None) -> Iterator[tuple[KeptQuarters, Access]]:
    """The kept builds of a home; what cannot be found there is one line on standard error."""
    from ffp_data.access import Access
    from ffp_data.releases.kept_quarters import KeptQuarters, NoBuildError

    place = has_run(home)
    try:
        yield KeptQuarters(place), Access(place)
    except NoBuildError as error:
        raise fail(str(error)) from error


@app.command()
def build(
    quarter: QuarterOption,
    nevertheless: NeverthelessOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Count a quarter, release it to the department and keep whose each figure is for the council."""
    from pydantic import ValidationError

    from ffp_data.releases.quarterly import NotBuiltError, NotYetError, publish_quarter

    asked = _quarter(quarter)
    try:
        with sole_run_at(home, "quarterly-build") as run:
            outcome = publish_quarter(run, asked, decided(run, nevertheless))
    except (NotBuiltError, NotYetError) as error:
        raise fail(str(error)) from error
    except ValidationError as error:
        told = (
            f"quarterly.yaml: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()
        )
        raise fail(told, 2) from error
    if not outcome.release.permitted:
        raise fail(outcome.release.reason)
    if json:
        print_json(outcome.figures())
        return
    typer.echo(f"{outcome.release.folder}: {outcome.release.queries} checks to look at")
    typer.echo(
        f"{outcome.release.council}: whose each figure is; kept as {outcome.release.version}"
    )
    for note in outcome.release.notes:
        typer.echo(note, err=True)


@app.command()
def show(quarter: QuarterOption, home: HomeOption = None, json: JsonOption = False) -> None:
    """Show the items of the newest build of a quarter, with the quarter before and the progress."""
    from governance.access import Right

    with _kept(home) as (kept, access):
        record = kept.newest(_quarter(quarter)).record
        access.gate.read(access.user(Right.QUARTERLY), Right.QUARTERLY)
    if json:
        print_json(record["told"])
        return
    rows = [
        {"item": item["id"], "title": item["title"], "figure": item["figure"] and item["figure"]["value"],
         "before": item["before"], "progress": item["progress"]["colour"], "why": item["progress"]["why"]}
        for item in record["told"]["items"]
    ]  # fmt: skip
    print_rows(f"{record['year']} as at {record['about']['as_at']}", rows)


@app.command()
def children(
    item: ItemArgument, quarter: QuarterOption, home: HomeOption = None, json: JsonOption = False
) -> None:
    """List who and what stands behind a figure, and what is left out of it and why."""
    from ffp_data.releases.kept_quarters import LINES, read_lines
    from governance.access import Right

    with _kept(home) as (kept, access):
        lines = [
            line
            for line in read_lines(kept.newest(_quarter(quarter)), LINES, item)
            if line["item"] == item
        ]
        named = sorted({line["child_id"] for line in lines if line["child_id"]})
        access.gate.read(access.user(Right.QUARTERLY), Right.QUARTERLY, subjects=named)
    if not lines:
        raise fail(
            f"{item}: nothing of {quarter} stands behind it; `ffp quarterly show` lists the items",
            2,
        )
    print_rows(f"{item} {quarter}", lines, as_json=json)


def _standing(kept: KeptQuarters, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of those whom the hub still knows; of how many it does not is said on standard error."""
    from ffp_data.lookups.register import Register
    from ffp_data.releases.kept_quarters import standing

    register = Register.open(kept.home.hub_url)
    try:
        found, gone = standing(rows, register.in_use)
    finally:
        register.close()
    if gone:
        typer.echo(f"{gone} lines are about nobody in this hub any more", err=True)
    return found


@app.command()
def compare(
    quarter: QuarterOption,
    old: Annotated[
        str | None,
        typer.Option("--from", help="A kept build, such as v001; else the last but one."),
    ] = None,
    new: Annotated[str | None, typer.Option("--to", help="A kept build; else the newest.")] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Show what changed between two builds of a quarter, child by child, and why."""
    from governance.access import Right

    asked = _quarter(quarter)
    with _kept(home) as (kept, access):
        later = kept.version(asked, new) if new else kept.newest(asked)
        before = [each for each in kept.versions(asked) if each.number < later.number]
        if old is None and not before:
            raise fail(f"{quarter}: {later.folder.name} is the first build; nothing came before", 2)
        earlier = kept.version(asked, old) if old else before[-1]
        rows = _standing(kept, kept.compare(earlier, later))
        named = sorted({row["child_id"] for row in rows if row["child_id"]})
        access.gate.read(access.user(Right.QUARTERLY), Right.QUARTERLY, subjects=named)
    print_rows(f"{quarter}: {earlier.folder.name} to {later.folder.name}", rows, as_json=json)


@app.command()
def versions(quarter: QuarterOption, home: HomeOption = None, json: JsonOption = False) -> None:
    """List the kept builds of a quarter, and who signed which."""
    asked = _quarter(quarter)
    with _kept(home) as (kept, access):
        signed = kept.signatures(access.ledger, asked)
        rows = [
            {"version": each.folder.name, "as_at": each.record["about"]["as_at"], "inputs": len(each.record["inputs"]),
             "entries": len(each.record["entries"]),
             "signed by": _signed(signed.get(each.folder.name)), "folder": str(each.folder)}
            for each in kept.versions(asked)
        ]  # fmt: skip
    print_rows(quarter, rows, as_json=json)


def _signed(facts: dict[str, str] | None) -> str:
    return f"{facts['by']} ({facts['role']}), {facts['at'][:10]}" if facts else "nobody"


@app.command()
def enter(
    item: ItemArgument,
    quarter: QuarterOption,
    answer: Annotated[str | None, typer.Option(help="A state, or yes, no, in development.")] = None,
    day: Annotated[str | None, typer.Option(help="When it was done or is expected.")] = None,
    words: Annotated[str | None, typer.Option(help="A narrative; name nobody.")] = None,
    target: Annotated[
        str | None, typer.Option(help="The council's own target for the quarter.")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Type a state, date, answer, narrative or target; it is kept as the next version with your name."""
    from ffp_data.quarterly import load_items
    from ffp_data.quarterly.entries import NotAnEntryError
    from ffp_data.releases.quarterly_entries import EntryBook
    from governance.access import Right

    asked, items = _quarter(quarter), load_items()
    if item not in items.by_id:
        raise fail(f"{item}: no item of the collection; there are {', '.join(items.by_id)}", 2)
    typed = {"answer": answer or "", "day": day or "", "text": words or "", "target": target or ""}
    with _kept(home) as (kept, access), EntryBook.open(kept.home) as book:
        who = access.user(Right.QUARTERLY_ENTER)
        try:
            version = book.enter(access.gate, who, items, items.by_id[item], asked, typed)
        except NotAnEntryError as error:
            raise fail(str(error), 2) from error
    typer.echo(f"{item} {quarter}: kept as version {version}; it counts from the next build")


@app.command()
def entries(quarter: QuarterOption, home: HomeOption = None, json: JsonOption = False) -> None:
    """List what was typed for a quarter, every version."""
    from ffp_data.releases.quarterly_entries import EntryBook
    from governance.access import Right

    asked = _quarter(quarter)
    with _kept(home) as (kept, access), EntryBook.open(kept.home) as book:
        access.gate.read(access.user(Right.QUARTERLY), Right.QUARTERLY)
        rows = [
            {"item": e.item, "version": e.version, "value": e.value.in_words, "by": e.author, "role": e.role,
             "at": e.made_at.isoformat(timespec="seconds")}
            for e in book.all(asked)
        ]  # fmt: skip
    print_rows(quarter, rows, as_json=json)


@app.command()
def sign(quarter: QuarterOption, home: HomeOption = None) -> None:
    """Sign the newest build of a quarter off; it stands in the ledger with your name and what was released."""
    from governance.access import Right

    with _kept(home) as (kept, access):
        who = access.user(Right.QUARTERLY_SIGN)
        version = kept.sign(access.gate, who, _quarter(quarter), access.keys.trusted)
    typer.echo(f"{version.folder.name} of {quarter}: signed by {who.name}")
