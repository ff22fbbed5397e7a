"""Feeds, for data engineers: what there is, how to add one, what was set aside, and what a contract says wrongly."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from ffp_data.cli import deliveries, number_requests, pull
from ffp_data.cli.console import (
    HomeOption,
    JsonOption,
    fail,
    has_run,
    parse_day,
    print_json,
    print_rows,
)
from ffp_data.settings import Home

app = typer.Typer(no_args_is_help=True, help="Feeds: contracts, deliveries and quarantine.")
deliveries.add_to(app)
pull.add_to(app)
number_requests.add_to(app)

FeedOption = Annotated[str | None, typer.Option("--feed", help="Only this feed.")]
OutOption = Annotated[Path, typer.Option("--out", help="Folder for the draft.")]


@app.command("list")
def list_(
    home: HomeOption = None,
    as_at: Annotated[str | None, typer.Option("--as-at", help="Freshness on this day.")] = None,
    json: JsonOption = False,
) -> None:
    """Every feed: contract, service, agreement, last delivery, freshness, and what became of its rows."""
    from ffp_data.feeds import FeedError
    from ffp_data.pipeline.feed_list import list_feeds

    place = Home.at(home)
    try:
        rows = list_feeds(place, parse_day(as_at) or _day_of_last_run(place))
    except FeedError as error:
        raise fail(str(error)) from error
    print_rows("feeds", rows, as_json=json)


@app.command()
def check(
    path: Annotated[
        Path | None,
        typer.Argument(
            help="A contract, a folder of them, or a profile in case_systems; else all.",
            exists=True,
        ),
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Check contracts and case systems' profiles: file, line, key, remedy for each error. Exit 1 when there are any."""
    from ffp_data import feeds

    contracts, profiles = _to_check(Home.at(home), path)
    found = feeds.check_contracts(*contracts)
    if not found and profiles:
        found = feeds.check_profiles(profiles, feeds.load_contracts(*contracts))
    errors = [str(error) for error in found]
    if json:
        print_json(errors)
    if errors:
        raise fail(() if json else errors)
    if not json:
        count = len(feeds.load_contracts(*contracts))
        typer.echo(f"{count} contract{'s' if count != 1 else ''}, no error")


def _to_check(home: Home, path: Path | None) -> tuple[tuple[Path, ...], Path | None]:
    """Contracts, and the profiles to hold against them: a path names one or the other."""
    from ffp_data.feeds import PACKAGED

    if path and "case_systems" not in (path.name, path.resolve().parent.name):
        return (path,), None
    return (PACKAGED, home.contracts), path or home.case_systems


@app.command()
def infer(
    file: Annotated[
        Path, typer.Argument(help="A csv, ndjson, json or xml file.", exists=True, dir_okay=False)
    ],
    name: Annotated[
        str | None, typer.Option("--name", help="Id of the feed; else from the file's name.")
    ] = None,
    out: OutOption = Path(),
) -> None:
    """Draft a contract, and the agreement it would need, from a sample of the agency's file."""
    from ffp_data.feeds import FeedError, draft
    from ffp_data.feeds.sample import read_sample

    try:
        text = draft.contract_of_sample(read_sample(file), file.name, name or draft.feed_name(file))
    except FeedError as error:
        raise fail(str(error)) from error
    _write_drafts(out, name or draft.feed_name(file), text)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Id of the new feed: small letters, digits and _.")],
    like: Annotated[str, typer.Option("--like", help="The feed whose files look alike.")],
    out: OutOption = Path(),
    home: HomeOption = None,
) -> None:
    """Draft a contract after that of another feed."""
    from ffp_data import feeds
    from ffp_data.feeds import draft
    from ffp_data.feeds.registry import file_of

    places = (feeds.PACKAGED, Home.at(home).contracts)
    contracts = feeds.load_contracts(*places)
    if like not in contracts:
        raise fail(f"{like}: no such feed; one of {', '.join(contracts)}", 2)
    text = file_of(like, *places).read_text("utf-8")
    _write_drafts(out, name, draft.contract_like(text, contracts[like], name))


@app.command()
def quarantine(
    home: HomeOption = None,
    feed: FeedOption = None,
    delivery: Annotated[
        str | None, typer.Option("--delivery", help="Only this delivery: its id or how it begins.")
    ] = None,
    landing: Annotated[
        Path | None,
        typer.Option(help="Folder with the agencies' files.", envvar="FFP_LANDING"),
    ] = None,
    xlsx: Annotated[
        Path | None, typer.Option("--xlsx", help="Write every fault to this workbook.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """What was set aside, by file, rule and column; with --xlsx each fault, as the agency can be sent it."""
    from ffp_data import feeds
    from ffp_data.pipeline.error_report import write_error_report
    from ffp_data.warehouse import connect

    place = has_run(home)
    contracts = feeds.load_contracts(feeds.PACKAGED, place.contracts)
    with connect(place, read_only=True) as con:
        rows = feeds.quarantine_report(con, feed, delivery).to_pylist()
        # A feed that is no more may still have rows here.
        if feed and feed not in contracts and not rows:
            raise fail(f"{feed}: no such feed; one of {', '.join(contracts)}", 2)
        if xlsx:
            folder = landing or place.landing
            count = write_error_report(con, contracts, folder, xlsx, feed, delivery)
            typer.echo(f"{xlsx}: {count:,} faults", err=True)
    print_rows("set aside", rows, as_json=json)


def _write_drafts(out: Path, name: str, text: str) -> None:
    """Write the contract and its agreement beside each other, and say what a person must fill in."""
    from ffp_data.feeds import check_contracts, draft
    from ffp_data.feeds.registry import parse_draft

    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise fail(
            f"{name}: a feed's id has small letters, digits and _, and begins with a letter", 2
        )
    out.mkdir(parents=True, exist_ok=True)
    contract, agreement = (
        out / f"{name}.yaml",
        out / f"DSA-{name.upper().replace('_', '-')}-01.yaml",
    )
    if there := [str(path) for path in (contract, agreement) if path.exists()]:
        raise fail(f"{there[0]}: is there already; remove it or give --out", 2)
    contract.write_text(text, "utf-8")
    agreement.write_text(draft.agreement_for(parse_draft(text)), "utf-8")
    typer.echo(f"{contract}\n{agreement}")
    for error in check_contracts(contract):
        typer.echo(str(error), err=True)


def _day_of_last_run(home: Home) -> date | None:
    """The day that the home's last run spoke for, so that a list needs no clock."""
    from ffp_data.home.run import NoDayError, Run

    if not home.warehouse.is_file():
        return None
    try:
        return Run.at(run_id="feeds-list", home=home.root).as_at
    except NoDayError:
        return None
