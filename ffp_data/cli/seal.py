"""Sealing an adopted child's old identity: the custodian's key, the seal itself, and opening the vault."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from ffp_data.cli.console import (
    HomeOption,
    JsonOption,
    LandingOption,
    fail,
    has_run,
    print_json,
    print_rows,
)
from ffp_data.settings import Home

Secret = Annotated[
    Path | None, typer.Option("--passphrase-file", help="File with the passphrase of the key.")
]


def add_to(app: typer.Typer) -> None:
    """Put the commands of this module under `ffp hub`."""
    app.command("custodian-key")(custodian_key)
    app.command()(seal)
    app.command()(seals)
    app.command("open-vault")(open_vault)
    app.command("let-in")(let_in)


def custodian_key(
    private: Annotated[Path, typer.Argument(help="Where the private key goes: not in the home.")],
    home: HomeOption = None,
    passphrase_file: Secret = None,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Close later parts to a new key; earlier keep the old."),
    ] = False,
) -> None:
    """Make the adoption custodian's key pair; the hub keeps the public half only."""
    from ffp_data.access import Access
    from ffp_data.sealing.places import custodian_file
    from ffp_data.sealing.vault import CustodianKey

    place = Home.at(home).prepare()
    public = custodian_file(place)
    if private.resolve().is_relative_to(place.root):
        raise fail(
            f"{private}: lies in the hub's home; the private key belongs to the custodian", 2
        )
    if public.exists() and not replace:
        raise fail(f"{public}: there is a custodian already; give --replace for a new key", 2)
    facts = _may_seal(place, "a key for the custodian")
    made = CustodianKey.make()
    try:
        made.write(private, public, _passphrase(passphrase_file))
    except FileExistsError as error:
        raise fail(f"{private}: is there already; a key is never written over", 2) from error
    Access(place).ledger.append("custodian_key_made", **facts, fingerprint=made.public.fingerprint)
    typer.echo(
        f"{private}: keep it off the hub; without it no vault opens. {made.public.fingerprint}"
    )


def seal(
    child_id: Annotated[
        str | None,
        typer.Argument(
            help="The OLD identifier; asked for when not given, so that no shell keeps it."
        ),
    ] = None,
    by: Annotated[str, typer.Option(help="Who seals.")] = "",
    reason: Annotated[str, typer.Option(help="Why; without the child's name.")] = "",
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Only tell what would go, by place.")
    ] = False,
    confirm: Annotated[
        str | None, typer.Option(help="The identifier again; asked for when not given.")
    ] = None,
    home: HomeOption = None,
    landing: LandingOption = None,
    json: JsonOption = False,
) -> None:
    """Seal the old identity of an adopted child. The hub can't undo it; a killed one is run again."""
    from ffp_data.home.run import Run
    from ffp_data.hub import HubError
    from ffp_data.sealing import seal as sealing
    from ffp_data.sealing.vault import VaultError

    place = has_run(home)
    wanted = child_id or typer.prompt("Old identifier", hide_input=True)
    run = Run.at(run_id="seal", home=place.root, landing=landing)
    try:
        if simulate:
            _may_seal(place, reason or "simulation of a seal")
            report = sealing.simulate(run, wanted)
        else:
            _may_seal(place, reason)
            again = confirm or typer.prompt(
                "Can't be undone. The identifier again", hide_input=True
            )
            if again.strip() != wanted.strip():
                raise fail("not the same identifier: nothing was sealed", 2)
            report = sealing.seal(run, wanted, by, reason)
    except (HubError, VaultError) as error:
        raise fail(str(error), 2) from error
    if json:
        print_json(report.as_json())
        return
    told = report.as_json()
    rows = [
        {"where": where, "what": what, "rows": n}
        for where, counts in report.counts.items()
        for what, n in counts.items()
    ]
    print_rows("would leave" if simulate else f"sealed, vault {report.reference}", rows)
    for heading in ("exceptions", "recipients", "by_name"):
        if told[heading]:
            listed = [{"where": k, "what": v} for k, v in told[heading].items()]
            print_rows(_HEADINGS[heading], listed)
    for note in report.notes:
        typer.echo(note)


def seals(home: HomeOption = None, json: JsonOption = False) -> None:
    """Every seal that was: day, who, why and how much; no child."""
    from ffp_data.hub import seals as in_hub
    from ffp_data.hub.database import create_engine, migrate

    engine = create_engine(has_run(home).hub_url)
    try:
        migrate(engine)
        with engine.connect() as connection:
            rows = in_hub.seals(connection)
    finally:
        engine.dispose()
    shown = [
        {**row, "counts": sum(v for v in row["counts"].values() if isinstance(v, int))}
        for row in rows
    ]
    print_rows("seals", rows if json else shown, as_json=json)


def open_vault(
    parts: Annotated[list[Path], typer.Argument(help="Parts, or folders of parts.")],
    key: Annotated[Path, typer.Option(help="The custodian's private key.")],
    passphrase_file: Secret = None,
) -> None:
    """Print what parts of a vault hold, one JSON object a line; needs no hub and loads nothing back."""
    from ffp_data.sealing.vault import SUFFIX, CustodianKey, VaultError

    try:
        opener = CustodianKey.read(key, _passphrase(passphrase_file))
        for path in parts:
            for part in sorted(path.rglob(f"*{SUFFIX}")) if path.is_dir() else [path]:
                content = {"part": part.name, **opener.open(part)}
                typer.echo(json_module.dumps(content, ensure_ascii=False, sort_keys=True))
    except (VaultError, OSError) as error:
        raise fail(str(error), 2) from error


def let_in(
    part: Annotated[Path, typer.Argument(help="The part of the vault that ends in -identity.")],
    key: Annotated[Path, typer.Option(help="The custodian's private key.")],
    by: Annotated[str, typer.Option(help="Who lets it in.")],
    reason: Annotated[str, typer.Option(help="Why; without the child's name.")],
    home: HomeOption = None,
    passphrase_file: Secret = None,
) -> None:
    """Undo the filter of a seal that was a mistake: the agencies' next lists bring the child in anew."""
    from ffp_data.access import Access
    from ffp_data.home.run import Run
    from ffp_data.sealing import seal as sealing
    from ffp_data.sealing.subject import Subject
    from ffp_data.sealing.vault import CustodianKey, VaultError

    place = has_run(home)
    facts = _may_seal(place, reason)
    try:
        told = CustodianKey.read(key, _passphrase(passphrase_file)).open(part)
        subject = Subject.of_json(told["identity"])
    except (VaultError, OSError, KeyError) as error:
        raise fail(f"{part}: not the part of an identity, or another key closed it", 2) from error
    number = sealing.let_in(Run.at(run_id="let-in", home=place.root), subject)
    Access(place).ledger.append("sealed_ids_let_in", **facts, by=by, ids=number)
    typer.echo(
        f"{number} ids are out of the filter; the agencies' next full lists bring the child in"
    )


_HEADINGS = {
    "exceptions": "stays",
    "recipients": "were given releases: the custodian must tell them",
    "by_name": "a name and its birth date still stand together here: look at them",
}


def _may_seal(place: Home, reason: str) -> dict[str, object]:
    """Ask the gate for the right to seal; it writes the answer down, without the child."""
    from ffp_data.access import Access
    from governance.access import Gate, Right

    access = Access(place)
    # Not the gate of look-ups, which is shut while a seal is to be run again.
    gate = Gate(access.roles, access.subjects, access.ledger.append)
    return gate.check(access.user(Right.SEAL), Right.SEAL, reason=reason)


def _passphrase(path: Path | None) -> str | None:
    return path.read_text("utf-8").strip() if path else None
