"""`ffp withdraw`: what goes when an agreement ends, ending it, and the proof that it went."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ffp_data.cli.console import (
    HomeOption,
    JsonOption,
    LandingOption,
    fail,
    has_run,
    parse_day,
    print_json,
)
from ffp_data.cli.run import AsAtOption, prepare_home, run_once

if TYPE_CHECKING:
    from ffp_data.home.run import Run

STATUSES = ("withdrawn", "suspended")


def add_to(app: typer.Typer) -> None:
    """Put the command at the top level."""
    app.command()(withdraw)


def withdraw(  # noqa: PLR0913, PLR0917 -- each is an option
    agreement: Annotated[str, typer.Argument(help="Id of the agreement, such as DSA-POL-01.")],
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Tell what would go; change nothing.")
    ] = False,
    apply: Annotated[
        bool, typer.Option("--apply", help="End the agreement, run, and remove what a run leaves.")
    ] = False,
    prove: Annotated[
        bool, typer.Option("--prove", help="Build everything anew twice and compare.")
    ] = False,
    status: Annotated[
        str,
        typer.Option(help="withdrawn: rows leave the warehouse; suspended: kept, and shut out."),
    ] = "withdrawn",
    reason: Annotated[str, typer.Option(help="Why it ends; for --apply.")] = "",
    allow_unprotected: Annotated[
        bool,
        typer.Option(
            "--allow-unprotected",
            help="End it although children lose the only mark that keeps them from being located.",
        ),
    ] = False,
    allow_large_change: Annotated[
        bool, typer.Option("--allow-large-change", help="As for ffp run.")
    ] = False,
    as_at: AsAtOption = None,
    landing: LandingOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """What goes when an agreement ends, ending it, and the proof. Exit 1 when a proof finds something left."""
    from ffp_data.withdrawal.scope import WithdrawalError

    if simulate + apply + prove != 1:
        raise fail("give one of --simulate, --apply and --prove", 2)
    if status not in STATUSES:
        raise fail(f"{status}: not a status to end with; give {' or '.join(STATUSES)}", 2)
    run = _run(home, landing, as_at)
    try:
        if simulate:
            told = _simulate(run, agreement, status, json)
        elif prove:
            told = _prove(run, agreement, json)
        else:
            facts = _may(run, reason)
            told = _apply(
                run,
                agreement,
                status,
                by=str(facts["who"]),
                reason=reason,
                allow_unprotected=allow_unprotected,
                allow_large_change=allow_large_change,
                quiet=json,
            )
    except WithdrawalError as error:
        raise fail(str(error), 2) from error
    if json:
        print_json(told)
    if told.get("holds") is False:
        raise typer.Exit(1)


def _run(home: Path | None, landing: Path | None, as_at: str | None) -> Run:
    """For the day of the last run, unless another is asked for: what changes is the agreement alone."""
    from ffp_data.home.run import Run

    return Run.at(
        run_id="withdraw", home=has_run(home).root, landing=landing, as_at=parse_day(as_at)
    )


def _may(run: Run, reason: str) -> dict[str, Any]:
    from ffp_data.access import Access
    from governance.access import Right

    access = Access(run.home)
    return dict(access.gate.check(access.user(Right.WITHDRAW), Right.WITHDRAW, reason=reason))


def _simulate(run: Run, agreement: str, status: str, quiet: bool) -> dict[str, Any]:
    from ffp_data.withdrawal.report import simulation_lines
    from ffp_data.withdrawal.simulate import simulate

    _may(run, f"simulation of a withdrawal of {agreement}")
    found = simulate(run, agreement, status)
    if not quiet:
        for line in simulation_lines(found):
            typer.echo(line)
    return found.as_json()


def _prove(run: Run, agreement: str, quiet: bool) -> dict[str, Any]:
    from ffp_data.withdrawal.prove import prove
    from ffp_data.withdrawal.report import keep_proof, proof_data, proof_lines

    _may(run, f"proof of the withdrawal of {agreement}")
    proof = prove(run, agreement)
    folder = keep_proof(run, proof)
    if not quiet:
        for line in proof_lines(proof):
            typer.echo(line)
        typer.echo(f"Kept, signed: {folder}")
    return proof_data(run, proof)


def _apply(
    run: Run,
    agreement: str,
    status: str,
    *,
    by: str,
    reason: str,
    allow_unprotected: bool,
    allow_large_change: bool,
    quiet: bool,
) -> dict[str, Any]:
    from ffp_data.withdrawal.apply import clear, end_agreement
    from ffp_data.withdrawal.report import held_in_words
    from ffp_data.withdrawal.scope import WithdrawalError, current_lock, scope_of
    from ffp_data.withdrawal.simulate import held, simulate

    scope = scope_of(current_lock(run), agreement)
    is_in_force = scope.not_in_force is None
    if (
        is_in_force
        and not allow_unprotected
        and (lost := simulate(run, agreement, status).unprotected)
    ):
        raise WithdrawalError(
            f"{lost} children are kept from being located by these records alone; shield them first (ffp shield),"
            " or give --allow-unprotected"
        )
    path = end_agreement(run, agreement, status, by, reason)
    prepare_home(run.home, run.landing)
    run_once(run.home, run.landing, run.as_at, allow_large_change=allow_large_change, quiet=quiet)
    cleared = clear(run, agreement)
    kept = held(run, scope, status)
    told = {"agreement": agreement, "status": status, "file": str(path), **cleared.as_json(run)}
    told["held"] = list(kept.numbers) if kept else []
    if not quiet:
        typer.echo(f"{agreement} is {status} in {path}; a run made everything anew without it.")
        for folder in cleared.removed:
            typer.echo(f"  removed: {folder}")
        for folder, why in told["stays"].items():
            typer.echo(f"  stays: {folder}; {why}")
        if kept:
            typer.echo(f"  stays: {held_in_words(kept)}")
        typer.echo(
            "  stays: deliveries in the landing folder, until their retention ends; the fit of the linkage model, which"
            " learnt from all records (ffp model try --refit)"
        )
        typer.echo(
            f"Next: tell the recipients (--simulate named them), then: ffp withdraw {agreement} --prove"
        )
    return told
