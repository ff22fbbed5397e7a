"""Copies at the command line: the page of a child as a PDF, and whose a copy is that was found."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ffp_data.cli.console import HomeOption, JsonOption, fail, has_run, parse_day, print_json

if TYPE_CHECKING:
    from ffp_data.settings import Home
    from ffp_data.single_view.published import Published

_NOBODY = "no such child is in the single view; look the identifier up with: ffp identify"


def add_to(app: typer.Typer) -> None:
    """Put both at the top level."""
    app.command("take-away")(take_away)
    app.command("trace-copy")(trace_copy)


def take_away(
    child_id: Annotated[str, typer.Argument(help="The child's identifier.")],
    pdf: Annotated[Path, typer.Option("--pdf", help="The file to write; it must not exist.")],
    meeting: Annotated[
        str, typer.Option("--meeting", help="Which meeting, without names; it stands on the copy.")
    ],
    reason: Annotated[
        str, typer.Option("--reason", help="Why, without names; the ledger keeps it.")
    ],
    since: Annotated[
        str | None, typer.Option("--since", help="Only events since this day.")
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Take the page of a child to a meeting, as a tagged PDF with a number that leads back.

    Exit status: 0 written, 1 refused, 2 no such child or nothing published yet.
    """
    from ffp_data.access import Access
    from ffp_data.single_view.child import Filters
    from ffp_data.take_away import child_pdf
    from ffp_data.take_away.copies import Hub, Taker, take
    from governance.access import Right
    from governance.release import ReleaseFailedError, ReleaseRefusedError

    place, filters = has_run(home), Filters(since=parse_day(since))
    if pdf.exists():
        raise fail(f"{pdf}: exists; name a new file", 2)
    access = Access(place)
    who = access.user(Right.TAKE_AWAY, reason=reason)
    access.gate.check(who, Right.TAKE_AWAY, subjects=[child_id], reason=reason)
    view, current = _child(place, child_id)
    hub = Hub(place, access.gate, access.ledger, access.keys)
    try:
        copy = take(
            hub, Taker(who, who.name, meeting, reason), view, [current],
            lambda found, stamp: child_pdf.compose(found, stamp, current, filters),
        )  # fmt: skip
    except (ReleaseRefusedError, ReleaseFailedError) as error:
        raise fail(str(error)) from error
    _write(pdf, copy.content)
    if json:
        print_json({"copy": copy.number, "file": pdf})
    else:
        typer.echo(f"{pdf}: copy {copy.number}")


def trace_copy(
    number: Annotated[str, typer.Argument(help="The number that stands on every sheet.")],
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Whose a copy is that was found: who took it, when, for which meeting, under which agreement.

    Exit status: 0 found, 2 no copy has this number.
    """
    from ffp_data.access import Access
    from ffp_data.take_away.copies import traced
    from governance.access import Right

    access = Access(has_run(home))
    who = access.user(Right.DISCLOSURES)
    facts = access.gate.check(who, Right.DISCLOSURES)
    found = traced(access.ledger, number)
    access.gate.append("read", **facts, copy_traced=found["copy"] if found else None)
    if found is None:
        raise fail(f"{number}: no copy has this number; read it again, 0 and O are the same", 2)
    if json:
        print_json(found)
        return
    for name, value in found.items():
        typer.echo(f"{name.replace('_', ' ')}: {value}")
    typer.echo(f"which children: ffp affected {found['sha256']}")


def _child(place: Home, child_id: str) -> tuple[Published, str]:
    """The newest view, and the identifier in use of a child in it; a sealed one is answered like none."""
    from ffp_data.hub.errors import HubError
    from ffp_data.lookups.register import Register
    from ffp_data.serving import NothingPublishedError
    from ffp_data.single_view.published import View

    register = Register.open(place.hub_url)
    try:
        view = View(place).newest()
        current = register.resolve(child_id)
    except NothingPublishedError as error:
        raise fail(str(error), 2) from error
    except HubError:
        raise fail(_NOBODY, 2) from None
    finally:
        register.close()
    if not view.rows("SELECT 1 FROM children WHERE child_id = ?", [current]):
        raise fail(_NOBODY, 2)
    return view, current


def _write(path: Path, content: bytes) -> None:
    """Write a new file for its owner alone."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise fail(f"{path}: {error.strerror}; name a new file", 2) from error
    with os.fdopen(handle, "wb") as file:
        file.write(content)
