"""Policy and ledger, for information-governance officers."""

from __future__ import annotations

from typing import Annotated

import typer

from ffp_data.cli import policy_diff
from ffp_data.cli.console import HomeOption, JsonOption, fail, parse_day, print_json, says_whose
from ffp_data.settings import Home

policy_app = typer.Typer(
    no_args_is_help=True, help="Sharing agreements: check, compare and compile them."
)
policy_app.command("diff")(policy_diff.diff)

AsAt = Annotated[str, typer.Option("--as-at", help="The day on which the agreements must hold.")]


@policy_app.command("check")
def check(as_at: AsAt, home: HomeOption = None, json: JsonOption = False) -> None:
    """Check charters and agreements: file, line and remedy for each problem. Exit 1 when there are any."""
    from ffp_data.home.policy import load_policy, policy_folder

    day = parse_day(as_at)
    assert day is not None, "the option is required"
    place = Home.at(home)
    _, problems = load_policy(place, day)
    if json:
        print_json(problems)
    if problems:
        raise fail(() if json else problems)
    if not json:
        typer.echo(f"{policy_folder(place)}: every agreement holds on {day}")


@policy_app.command("build-check")
def build_check(as_at: AsAt, home: HomeOption = None, json: JsonOption = False) -> None:
    """Check that no dbt model reads what no agreement gives for its purpose. Exit 1 when one does."""
    from ffp_data import feeds
    from ffp_data.home.policy import load_policy
    from ffp_data.home.run import Run
    from ffp_data.marts.build_gate import refusals
    from ffp_data.marts.transform import current_manifest, dbt_vars
    from ffp_data.paths import DBT_PROJECT
    from governance.policy import compile_policy

    day = parse_day(as_at)
    assert day is not None, "the option is required"
    place = Home.at(home)
    policy, problems = load_policy(place, day)
    if policy is None or problems:
        raise fail(problems)
    contracts = feeds.load_contracts(feeds.PACKAGED, place.contracts)
    manifest = current_manifest(DBT_PROJECT / "target" / "manifest.json")
    variables = dbt_vars(Run("build-check", place, place.landing, day))
    lock = compile_policy(policy, day)
    refused = [str(each) for each in refusals(lock, contracts, manifest, variables)]
    if json:
        print_json(refused)
    if refused:
        raise fail(() if json else refused)
    if not json:
        typer.echo("every model reads what agreements give for its purpose, and nothing else")


@policy_app.command("start")
def start(home: HomeOption = None) -> None:
    """Copy the made-up partnership's charters and agreements into its home, to try changes on."""
    from ffp_data.home.policy import start_policy
    from ffp_data.settings import NoPartnershipError

    try:
        typer.echo(start_policy(Home.at(home)))
    except NoPartnershipError as error:
        raise fail(str(error), 2) from error
    except FileExistsError as error:
        raise fail(f"{error.filename}: the home has a policy already; edit that", 2) from error


@policy_app.command("compile")
def compile_(as_at: AsAt, home: HomeOption = None, json: JsonOption = False) -> None:
    """Compile the agreements to the signed lock that runs read; everything not in it is denied."""
    day, place = parse_day(as_at), says_whose(Home.at(home))
    from ffp_data.home.policy import compile_lock
    from ffp_data.home.run import Run

    run = Run.at(run_id="policy-compile", home=place.root, as_at=day)
    outcome = compile_lock(run)
    if outcome.problems:
        raise fail(outcome.problems)
    if json:
        print_json(outcome.figures())
    else:
        typer.echo(f"{run.lock_file}: {outcome.agreements} agreements, sha256 {outcome.digest}")
