"""`ffp governance documents`: what information governance keeps, made anew."""

from __future__ import annotations

import typer

from ffp_data.cli.console import HomeOption, JsonOption, has_run, print_json

app = typer.Typer(no_args_is_help=True, help="Documents about the sharing itself.")


@app.callback()
def group() -> None:
    """Documents about the sharing itself."""


@app.command("documents")
def documents(home: HomeOption = None, json: JsonOption = False) -> None:
    """Write record of processing, register, DPIA annexes, privacy notice and evidence to out/governance/.

    A run does so at its end. Exit 1 when something was given or stored that no agreement declares.
    """
    from ffp_data.home.run import Run
    from ffp_data.releases.documents import publish_governance

    run = Run.at(run_id="governance-documents", home=has_run(home).root)
    outcome = publish_governance(run)
    if json:
        print_json(outcome.figures())
    else:
        typer.echo(f"{outcome.folder}: {len(outcome.documents)} documents as at {run.as_at}")
        for name in outcome.stale_dpias:
            typer.echo(f"{name}: its DPIA must be asked again; see dpia/{name}.html")
        typer.echo(f"done and not declared: {outcome.undeclared}")
    if outcome.undeclared:
        raise typer.Exit(1)
