"""The ledger: whole or not, what stands in it, and proofs of that for those who hold no copy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ffp_data.cli.console import HomeOption, JsonOption, fail, print_json, print_rows
from ffp_data.settings import Home

if TYPE_CHECKING:
    from governance.ledger import Checkpoint, Ledger

app = typer.Typer(no_args_is_help=True, help="The record of every run, decision and release.")

OutOption = Annotated[
    Path | None, typer.Option("--out", help="Write the proof to this file instead.")
]


@app.command("verify")
def verify(
    home: HomeOption = None,
    witness: Annotated[
        list[Path] | None,
        typer.Option(
            "--witness",
            exists=True,
            help="A checkpoint or manifest kept elsewhere, or a folder of manifests; may be repeated.",
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Prove that no line of the ledger was changed, removed, added or moved. Exit 1 when one was.

    Without a witness an older copy of the whole ledger, put in its place, cannot be told from it.
    """
    from governance.ledger_witness import wrong_with_witnesses

    ledger = _ledger(home)
    problems = [str(problem) for problem in ledger.verify()]
    problems += wrong_with_witnesses(ledger, witness or ())
    signed = ledger.last_checkpoint() if not problems else None
    events = signed.count if signed else 0
    if not problems and not events and Home.at(home).warehouse.is_file():
        problems = ["ledger.jsonl:0: empty, though a run was made here; restore it from its backup"]
    if json:
        print_json({"events": events, "problems": problems})
    if problems:
        raise fail(() if json else problems)
    if not json:
        typer.echo(f"{Home.at(home).ledger_dir}: {events:,} events, chain and checkpoints whole")


@app.command("show")
def show(
    home: HomeOption = None,
    kind: Annotated[str | None, typer.Option(help="Only events of this kind.")] = None,
    last: Annotated[int, typer.Option(min=1, help="How many, newest last.")] = 20,
    json: JsonOption = False,
) -> None:
    """The newest events: what was decided, loaded, released and to whom."""
    ledger = _ledger(home)
    if problems := ledger.verify():
        raise fail(map(str, problems))
    events = list(ledger.events(*([kind] if kind else [])))[-last:]
    if json:
        print_json(events)
        return
    rows = [
        {
            "number": e["number"],
            "at": e["at"],
            "kind": e["kind"],
            "facts": ", ".join(
                f"{k}={_short(v)}" for k, v in sorted(e["facts"].items()) if k != "run_id"
            ),
        }
        for e in events
    ]
    print_rows("ledger", rows)


@app.command("prove")
def prove(
    event: Annotated[int | None, typer.Argument(min=1, help="Number of the event.")] = None,
    manifest: Annotated[
        Path | None,
        typer.Option("--manifest", exists=True, dir_okay=False, help="Manifest of a release."),
    ] = None,
    home: HomeOption = None,
    out: OutOption = None,
) -> None:
    """Prove to somebody without a copy that an event, or a release by its manifest, stands in the ledger.

    They check it with one file and the hub's public key: python verify_ledger.py --proof PROOF.json hub.pem
    """
    from governance.ledger_proofs import prove_event, prove_release

    if (event is None) == (manifest is None):
        raise fail("name either the number of an event, or a release with --manifest", 2)
    if manifest is not None:
        file = manifest
        _give(home, out, lambda ledger, newest: prove_release(ledger.directory, newest, file))
    else:
        _give(home, out, lambda ledger, newest: prove_event(ledger.directory, newest, event or 0))


@app.command("consistency")
def consistency(
    checkpoint: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="A checkpoint, or a manifest with one."),
    ],
    home: HomeOption = None,
    out: OutOption = None,
) -> None:
    """Prove that the ledger of now extends what a checkpoint saw: nothing was taken out or changed since."""
    from governance.ledger_proofs import prove_extension, read_checkpoint

    try:
        earlier = read_checkpoint(checkpoint)
    except ValueError as error:
        raise fail(f"{checkpoint}: {error}", 2) from error
    _give(home, out, lambda ledger, newest: prove_extension(ledger.directory, earlier, newest))


@app.command("heartbeat")
def heartbeat(home: HomeOption = None, json: JsonOption = False) -> None:
    """Take waiting reads over and make a checkpoint now: for a timer, or after a fault was mended."""
    from governance.access.journal import take_over_left

    ledger = _ledger(home)
    taken = take_over_left(ledger)
    made = ledger.heartbeat(reads_taken_over=taken)
    if json:
        print_json(made.record)
    else:
        typer.echo(f"checkpoint of {made.count:,} events at {made.at}, root {made.root}")


@app.command("correct-clock")
def correct_clock(
    reason: Annotated[
        str, typer.Option(help="How the time of the newest checkpoint came to be wrong.")
    ],
    home: HomeOption = None,
) -> None:
    """Say that the newest checkpoint's time was wrong and this machine's clock is right, so that events go on."""
    from ffp_data.access import os_user

    ledger = _ledger(home)
    ledger.correct_clock(by=os_user(), reason=reason)
    typer.echo(f"{ledger.directory}: events go on from this machine's time")


def _short(value: object) -> object:
    """A list of columns would fill the screen; --json tells them all."""
    is_long = isinstance(value, list) and len(value) > 3
    return f"{len(value)} listed" if isinstance(value, list) and is_long else value


def _give(
    home: Path | None, out: Path | None, prove: Callable[[Ledger, Checkpoint], dict[str, Any]]
) -> None:
    from governance.canonical import canonical_bytes

    ledger = _ledger(home)
    newest = ledger.last_checkpoint()
    if newest is None:
        raise fail(f"{ledger.directory}: no event was written yet", 2)
    try:
        proof = prove(ledger, newest)
    except ValueError as error:
        raise fail(str(error)) from error
    if out is None:
        print_json(proof)
    else:
        out.write_bytes(canonical_bytes(proof) + b"\n")
        typer.echo(f"{out}: proof under the checkpoint of {newest.count:,} events at {newest.at}")


def _ledger(home: Path | None) -> Ledger:
    from governance.keys import KeyStore
    from governance.ledger import Ledger

    place = Home.at(home)
    if not place.ledger_dir.is_dir():
        raise fail(f"{place.ledger_dir}: no ledger here; name the hub's home with --home", 2)
    return Ledger(place.ledger_dir, KeyStore(place.keys_dir))
