"""For recipients of sealed extracts: make a key pair, open what came."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ffp_data.cli.console import JsonOption, fail, print_json

app = typer.Typer(no_args_is_help=True, help="Sealed extracts, at the recipient's desk.")

Secret = Annotated[Path | None, typer.Option(help="A file with the passphrase of the private key.")]


@app.command("keygen")
def keygen(
    private: Annotated[Path, typer.Argument(help="The file for the private key; it stays here.")],
    kind: Annotated[
        str, typer.Option(help="mlkem768-x25519 (also against quantum computers) or x25519.")
    ] = "mlkem768-x25519",
    passphrase_file: Secret = None,
    json: JsonOption = False,
) -> None:
    """Make a key pair. The private key stays with the recipient; the printed line goes to the hub.

    There it stands as `seal_to:` of the organisation or team in organisations.yaml.
    """
    from governance.envelope import SUITES, make_key

    if kind not in SUITES:
        raise typer.BadParameter(f"{kind!r}: one of {', '.join(SUITES)}")
    pem, public = make_key(kind, _passphrase(passphrase_file))
    try:
        handle = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise fail(f"{private}: {error.strerror}; name a new file", 2) from error
    with os.fdopen(handle, "wb") as file:
        file.write(pem)
        os.fsync(file.fileno())
    if json:
        print_json(
            {"private": private, "kind": kind, "id": public.id.hex(), "seal_to": public.text}
        )
    else:
        typer.echo(public.text)


@app.command("open")
def open_(
    folder: Annotated[Path, typer.Argument(help="Where extract.ffpx and manifest.json lie.")],
    out: Annotated[Path, typer.Argument(help="A folder that does not exist yet.")],
    key: Annotated[Path, typer.Option(help="The private key of `keygen`.")],
    hub: Annotated[Path, typer.Option(help="The hub's public keys, PEM (ffp keys public).")],
    passphrase_file: Secret = None,
    json: JsonOption = False,
) -> None:
    """Open a sealed extract, if it is whole, for this key and from this hub; else leave nothing behind."""
    from governance.open_extract import RecipientKey, RefusedError, hub_keys, open_extract

    try:
        own = RecipientKey(key.read_bytes(), _passphrase(passphrase_file))
        manifest = open_extract(folder, own, hub_keys(hub.read_bytes()), out)
    except (RefusedError, OSError) as error:
        raise fail(str(error)) from error
    if json:
        print_json(manifest)
    else:
        typer.echo(f"{out}: {manifest['agreement']} as at {manifest['as_at']}")


def _passphrase(path: Path | None) -> bytes | None:
    return path.read_bytes().strip() if path else None
