"""Person models: try a candidate at the gate, read what it would change, let it go live."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ffp_data.cli.console import HomeOption, JsonOption, fail, has_run, print_json, print_rows

if TYPE_CHECKING:
    from ffp_data.access import Access
    from ffp_data.home.run import Run

app = typer.Typer(
    no_args_is_help=True, help="The person model: what is live, and its release gate."
)

Digest = Annotated[str, typer.Argument(help="First digits of the model's digest: ffp model list.")]


def list_models(home: HomeOption = None, json: JsonOption = False) -> None:
    """Every model that was kept: which is live, and what the gate said of it."""
    from ffp_data.identity.model_store import ModelError, ModelStore

    store = ModelStore(has_run(home))
    live = store.live()
    rows = []
    for digest in store.all():
        is_live = live is not None and live.digest == digest
        gate = store.gate(digest)
        judged = "passed" if gate and gate["passed"] else "did not pass" if gate else "not tried"
        try:
            kept = store.load(digest)
            version, records = kept.version, kept.fitted.records
        except ModelError as error:  # one that can't be read must not hide the others
            version, records = f"{digest}: {error.rule}", None
        rows.append(
            {
                "model": version,
                "live": "live" if is_live else "",
                "gate": "first fit" if is_live and live and live.is_first_fit else judged,
                "fitted on": records,
                "by": live.by if is_live and live else "",
            }
        )
    print_rows("person models", rows, as_json=json)


def try_model(
    model: Annotated[
        Path | None, typer.Argument(help="The candidate's file; else the configured one.")
    ] = None,
    refit: Annotated[
        bool, typer.Option("--refit", help="Learn the parameters anew from today's records.")
    ] = False,
    truth: Annotated[
        Path | None, typer.Option(help="truth/ of a synthetic partnership, as labels.")
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Link today's records with a candidate, and say what it would change; nothing is written to the hub.

    Exit status: 0 the candidate passed, 1 it lies beyond a limit, 2 it could not be tried.
    """
    from ffp_data.identity.model_report import markdown
    from ffp_data.identity.model_trial import try_model as trial
    from governance.access import Right

    run, access = _run(home), _access(home)
    with _mended():
        facts = access.gate.check(access.user(Right.MODEL_GATE), Right.MODEL_GATE)
        found = trial(run, model, refit=refit, truth=truth)
    report = found.kept.folder / "report.md"
    report.write_text(markdown(found.gate), "utf-8")
    run.ledger.append("model_tried", **facts, **_told(found.gate))
    if json:
        print_json({**found.gate, "report": str(report)})
    else:
        typer.echo(markdown(found.gate))
        typer.echo(f"report: {report}")
        typer.echo(
            f"read what would change: ffp model sample {found.kept.digest} --out sample.html"
        )
        if found.passed:
            typer.echo(f"let it go live: ffp model golive {found.kept.digest} --reason ...")
    raise typer.Exit(0 if found.passed else 1)


def sample(
    digest: Digest,
    out: Annotated[Path, typer.Option(help="The page to write; it shows people: guard it.")],
    home: HomeOption = None,
) -> None:
    """Write the sample of what a tried candidate would change, as a page to read side by side."""
    from ffp_data.identity.model_report import page
    from ffp_data.identity.model_store import ModelStore
    from governance.access import Right
    from governance.files import replacing

    store, access = ModelStore(has_run(home)), _access(home)
    with _mended():
        kept, cases = store.load(digest), store.cases(digest)
        records = [record for case in cases for record in case["records"]]
        access.gate.read(
            access.user(Right.EVIDENCE), Right.EVIDENCE, model=kept.version, cases=len(cases)
        )
        with replacing(out) as file:
            file.write(page(kept.version, cases).encode())
    typer.echo(f"{out}: {len(cases)} cases, {len(records)} records")


def golive(
    digest: Digest,
    reason: Annotated[str, typer.Option(help="Why, in words that a colleague will understand.")],
    home: HomeOption = None,
) -> None:
    """Let a model that passed the gate decide from the next run on; the ledger keeps who and why."""
    from ffp_data.identity.model_gate import go_live
    from governance.access import Right

    run, access = _run(home), _access(home)
    with _mended():
        user = access.user(Right.MODEL_GO_LIVE)
        facts = access.gate.check(user, Right.MODEL_GO_LIVE, reason=reason)
        live = go_live(run, digest, by=user.name, reason=reason, facts=facts)
    typer.echo(f"{live.digest} is live from the next run on; before it was {live.before}")


def _told(gate: dict[str, Any]) -> dict[str, Any]:
    """What the ledger keeps of a trial: no more than counts."""
    return {
        "model": gate["model"],
        "compared_with": gate["compared_with"],
        "limits": gate["limits"]["digest"],
        "passed": gate["passed"],
        "breaches": [breach["rule"] for breach in gate["breaches"]],
    }


def _run(home: Path | None) -> Run:
    from ffp_data.home.run import Run

    return Run.at(run_id="model", home=has_run(home).root)


def _access(home: Path | None) -> Access:
    from ffp_data.access import Access

    return Access(has_run(home))


def add_to(app: typer.Typer) -> None:
    """Put these commands beside those that look after model files."""
    app.command("list")(list_models)
    app.command("try")(try_model)
    for command in (sample, golive):
        app.command()(command)


@contextmanager
def _mended() -> Iterator[None]:
    """Say a refusal in one line: file, rule, remedy."""
    from ffp_data.access import AccessConfigError
    from ffp_data.hub import HubError
    from ffp_data.identity.model_store import ModelError
    from governance.access import AccessDeniedError
    from linkage import LinkageError

    try:
        yield
    except (ModelError, LinkageError, HubError, AccessDeniedError, AccessConfigError) as error:
        raise fail(str(error), 2) from error
