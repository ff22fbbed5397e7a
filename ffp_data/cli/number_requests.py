"""NHS numbers: how many records carry one, and looking for those that are missing."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from ffp_data.cli.console import (
    DayOption,
    HomeOption,
    JsonOption,
    fail,
    has_run,
    print_json,
    print_rows,
    sole_run_at,
)


def add_to(app: typer.Typer) -> None:
    """Put the command of this module among those of feeds."""
    app.command("sui-input")(sui_input)
    app.command("ask-identifiers")(ask_identifiers)
    app.command("nhs-coverage")(nhs_coverage)


def sui_input(
    as_at: DayOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Release the children without an NHS number as input of DfE's SUI Matcher, under an agreement."""
    from ffp_data.releases.number_requests import release_requests

    with sole_run_at(home, "sui-input", as_at) as run:
        outcome = release_requests(run)
    if not outcome.permitted:
        raise fail(outcome.reason)
    if json:
        print_json(outcome.figures())
    else:
        typer.echo(f"{outcome.folder}: {sum(outcome.rows.values()):,} children")


class By(StrEnum):
    """What coverage is shown by."""

    everyone = "everyone"
    age_band = "age_band"
    sex = "sex"
    ethnicity = "ethnicity"


def nhs_coverage(
    by: Annotated[By, typer.Option(help="One line for each of these in a feed.")] = By.everyone,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Share of each feed's records of children that carry an NHS number, and one that is verified."""
    from ffp_data.pipeline.nhs_coverage import coverage

    print_rows(f"NHS numbers by {by.value}", coverage(has_run(home), by.value), as_json=json)


def ask_identifiers(
    as_at: DayOption = None,
    most: Annotated[int | None, typer.Option("--most", min=1, help="Ask for no more.")] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Ask the Department's service Get an Identifier for the children without an NHS number.

    Where to ask and as whom stands in FFP_IDENTIFIER_ENDPOINT, _TOKEN_ENDPOINT, _CLIENT_ID, _CLIENT_SECRET
    and _API_KEY. The answers are delivered to landing/sui_matcher and weighed by the next run.
    """
    from ffp_data.https import SettingsError
    from ffp_data.nhs_numbers.service import Access, Service
    from ffp_data.releases.number_requests import ask_service

    try:
        service = Service(Access.from_environment(os.environ), time.sleep)
    except SettingsError as error:
        raise fail(str(error), 2) from error
    with sole_run_at(home, "ask-identifiers", as_at) as run:
        outcome = ask_service(run, service, datetime.now(UTC), most)
    if outcome.asking is None:
        raise fail(outcome.released.reason)
    rows = [{"figure": name, "value": value} for name, value in outcome.asking.figures().items()]
    if json:
        print_json(outcome.asking.figures())
    else:
        print_rows("Get an Identifier", rows)
    if outcome.asking.trouble:
        raise typer.Exit(1)
