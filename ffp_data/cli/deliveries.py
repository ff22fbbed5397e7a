"""A person's word on deliveries: accept, retract, replay; and the signature that an agency gives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ffp_data.cli.console import (
    HomeOption,
    JsonOption,
    LandingOption,
    err,
    fail,
    has_run,
    print_json,
    print_rows,
)
from ffp_data.settings import Home

if TYPE_CHECKING:
    from ffp_data.feeds.replay import Reloaded
    from ffp_data.home.run import Run

DeliveryArgument = Annotated[
    str, typer.Argument(help="Id of the delivery, its first 6 or more digits, or the file's name.")
]
ByOption = Annotated[str, typer.Option("--by", help="Who says so; it stands in the ledger.")]
ReasonOption = Annotated[
    str, typer.Option("--reason", help="Why, in words without a person's data: they are kept.")
]


def add_to(app: typer.Typer) -> None:
    """Put the commands of this module among those of feeds."""
    for command in (accept, retract, replay, sign):
        app.command()(command)


def accept(
    delivery: DeliveryArgument, by: ByOption, reason: ReasonOption, home: HomeOption = None
) -> None:
    """Let a delivery in that the drop guard holds, or that was retracted; the next run loads it."""
    from ffp_data.pipeline import deliveries

    with _run("feeds-accept", has_run(home), None) as run:
        entry = deliveries.accept(run, delivery, by, reason)
    typer.echo(f"{entry.delivered_name}: accepted; the next run loads it")


def retract(
    delivery: DeliveryArgument,
    by: ByOption,
    reason: ReasonOption,
    home: HomeOption = None,
    landing: LandingOption = None,
    json: JsonOption = False,
) -> None:
    """Take a delivery back: its rows leave, and what it had replaced comes back from the landing folder.

    Exit 1 when something it had replaced could not be read again; its own rows have left even then.
    """
    from ffp_data.pipeline import deliveries

    with _run("feeds-retract", has_run(home), landing) as run:
        entry, again = deliveries.retract(run, delivery, by, reason)
    if not json:
        typer.echo(f"{entry.delivered_name}: retracted; the next run gives the view without it")
    _tell(again, as_json=json)


def replay(
    what: Annotated[
        str | None, typer.Argument(help="A feed, or a delivery by id or file name; else all feeds.")
    ] = None,
    home: HomeOption = None,
    landing: LandingOption = None,
    json: JsonOption = False,
) -> None:
    """Read deliveries again after a fix: what was set aside and now passes comes in, never a row twice.

    After an agreement was changed, compile it first: ffp policy compile.
    """
    from ffp_data.pipeline import deliveries

    with _run("feeds-replay", has_run(home), landing) as run:
        if what is None or what in run.contracts:
            wanted = [what] if what else list(run.contracts)
            again = [one for feed in wanted for one in deliveries.replay_feed(run, feed)]
        else:
            again = deliveries.replay_delivery(run, what)
    _tell(again, as_json=json)


def sign(
    file: Annotated[
        Path, typer.Argument(help="A delivery: file, or folder of a drop.", exists=True)
    ],
    feed: Annotated[str, typer.Option("--feed", help="The feed that it is a delivery of.")],
    key: Annotated[Path, typer.Option("--key", help="The agency's Ed25519 private key, PEM.")],
    home: HomeOption = None,
) -> None:
    """Sign a file as its agency: read it under the feed's contract, count its rows, write FILE.sig."""
    from ffp_data import feeds
    from ffp_data.feeds import signing

    contracts = feeds.load_contracts(feeds.PACKAGED, Home.at(home).contracts)
    if feed not in contracts:
        raise fail(f"{feed}: no such feed; ffp feeds list names them", 2)
    try:
        side = signing.sign_as(file, contracts[feed], signing.read_private_key(key))
    except feeds.FeedError as error:
        raise fail(str(error)) from error
    typer.echo(side)


@contextmanager
def _run(run_id: str, home: Home, landing: Path | None) -> Iterator[Run]:
    """This home for one command, alone; what is wrong with a delivery is told in one line."""
    from ffp_data.feeds import FeedError
    from ffp_data.home.run import NoDayError, Run, sole_run
    from governance.policy.compile import LockError

    try:
        with sole_run(home, lambda: err.print("waiting for another run on this home")):
            yield Run.at(run_id=run_id, home=home.root, landing=landing)
    except (FeedError, LockError, NoDayError) as error:
        raise fail(str(error)) from error


def _tell(again: list[Reloaded], *, as_json: bool) -> None:
    rows = [
        {
            "feed": one.feed,
            "delivery": one.delivery_id[:12],
            "file": one.file_name,
            "loaded": _moved(one, "rows_loaded"),
            "set aside": _moved(one, "rows_quarantined"),
            "superseded": _moved(one, "rows_superseded"),
            "error": str(one.error) if one.error else None,
        }
        for one in again
    ]
    if as_json:
        print_json(rows)
    else:
        print_rows("read again", [{k: v for k, v in row.items() if k != "error"} for row in rows])
    if errors := [str(one.error) for one in again if one.error]:
        raise fail(() if as_json else errors)


def _moved(one: Reloaded, part: str) -> str:
    before, after = one.before[part], one.after[part]
    return f"{after:,}" if before == after else f"{before:,} → {after:,}"
