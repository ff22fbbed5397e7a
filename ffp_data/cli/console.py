"""How commands speak: people read tables on standard output, machines read JSON, errors go to standard error."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.measure import Measurement
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from ffp_data.settings import Home, Partnership

if TYPE_CHECKING:
    from ffp_data.home.run import Run

_WIDEST = 200

out = Console()
err = Console(stderr=True)

HomeOption = Annotated[
    Path | None, typer.Option("--home", help="State folder of the hub.", envvar="FFP_HOME")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
LandingOption = Annotated[
    Path | None,
    typer.Option("--landing", help="Folder with the agencies' files.", envvar="FFP_LANDING"),
]
ReasonToAsk = Annotated[
    str | None, typer.Option(help="Why you ask, in words that name nobody; the ledger keeps it.")
]
DayOption = Annotated[
    str | None, typer.Option("--as-at", help="The day to speak for; else that of the last run.")
]


def print_json(value: Any) -> None:
    """Write JSON with sorted keys to standard output, undecorated."""
    typer.echo(json.dumps(value, indent=2, sort_keys=True, default=str))


def print_rows(title: str, rows: Sequence[Mapping[str, Any]], *, as_json: bool = False) -> None:
    """Print dictionaries with equal keys as a table, or as a JSON list."""
    if as_json:
        print_json(list(rows))
        return
    table = Table(title=title, title_justify="left", header_style="bold")
    for name in rows[0] if rows else ():
        is_number = isinstance(rows[0][name], int | float)
        justify: Literal["left", "right"] = "right" if is_number else "left"
        # folded: two files whose names are cut look like one
        table.add_column(name.replace("_", " "), justify=justify, overflow="fold")
    for row in rows:
        # Text: what stands in brackets is data, never markup
        table.add_row(*(Text(_cell(value)) for value in row.values()))
    if not rows:
        out.print(f"{title}: none")
        return
    # As wide as it must be: names that are cut to "edu…" tell a reader, or grep, nothing.
    wide = Console(width=_WIDEST)
    Console(width=Measurement.get(wide, wide.options, table).maximum).print(table)


def fail(message: str | Iterable[str], code: int = 1) -> typer.Exit:
    """Print one error a line on standard error; `raise` what comes back."""
    for line in [message] if isinstance(message, str) else message:
        err.print(line, style="red", markup=False, highlight=False, soft_wrap=True)
    return typer.Exit(code)


def has_run(home: Path | None) -> Home:
    """The home, where at least one run was made; a mistyped home is an error, never a new hub."""
    place = Home.at(home)
    if not place.warehouse.is_file():
        raise fail(f"{place.root}: no run has been made here; name the hub's home with --home", 2)
    return place


def says_whose(home: Home) -> Home:
    """The home, where it says whose hub it is; raises NoPartnershipError before anything is made in a mistyped one.

    A home with a compiled policy goes on all the same: what it does next takes that policy out of force.
    """
    if not home.lock_file.is_file():
        Partnership.of(home)
    return home


@contextmanager
def sole_run_at(home: Path | None, run_id: str, as_at: str | None = None) -> Iterator[Run]:
    """The home where a run was made, for one command alone; while a run holds it, says so and waits."""
    from ffp_data.home.run import Run, sole_run

    place, day = has_run(home), parse_day(as_at)
    with sole_run(place, lambda: typer.echo(f"waiting for a run on {place.root}", err=True)):
        yield Run.at(run_id=run_id, home=place.root, as_at=day)


def parse_day(text: str | None) -> date | None:
    """An ISO date from an option; a usage error otherwise."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a date; write it as 2026-03-31") from None


@contextmanager
def progress(quiet: bool = False) -> Iterator[Progress]:
    """A progress display on standard error that disappears when the work is done."""
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=quiet or not err.is_terminal,
    )
    with bar:
        yield bar


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4f}" if abs(value) < 1 else f"{value:,.1f}"
    return str(value)
