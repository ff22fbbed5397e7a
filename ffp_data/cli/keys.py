"""The hub's keys, for whoever runs it: where they lie, new ones for old, another place for the root."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ffp_data.cli.console import HomeOption, JsonOption, fail, print_json, print_rows
from ffp_data.settings import Home

app = typer.Typer(
    no_args_is_help=True, help="The hub's keys: show, move, rotate. No secret is ever printed."
)


@app.command("show")
def show(home: HomeOption = None, json: JsonOption = False) -> None:
    """Where the root key lies and which keys there are, by fingerprint."""
    from governance.keybook import derive
    from governance.keys import KeyStore
    from governance.roots import source_of

    keys = KeyStore(_has_keys(home).keys_dir, rotating=True)
    book, source = keys.opened.book, source_of(keys.directory)
    rows: list[dict[str, Any]] = [
        {
            "key": each.id,
            "state": each.state,
            "fingerprint": derive(keys.opened.unwrapped(each), "fingerprint").hex()[:16]
            if each.wrapped
            else "",
            "for": _FOR[each.name] + (f", from {each.epoch} on" if each.epoch else ""),
        }
        for each in book.keys
    ]
    if json:
        about = {"source": source.name, "place": source.place, "root": book.root}
        print_json({**about, "rotation": book.rotation, "keys": rows})
        return
    typer.echo(f"root key {book.root}, from {source.name}: {source.place}")
    if book.rotation:
        typer.echo(
            f"a rotation was begun at {book.rotation} and is not done: run `ffp keys rotate`"
        )
    print_rows("keys", rows)


@app.command("rotate")
def rotate(
    home: HomeOption = None,
    root_only: Annotated[
        bool, typer.Option("--root-only", help="A new root key alone; no store is written anew.")
    ] = False,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to wait for whoever works with the keys.")
    ] = 5.0,
    json: JsonOption = False,
) -> None:
    """Put new keys in the place of all and encrypt every store anew; cut off, run it again.

    Nobody else may work with the hub meanwhile: stop the API, the pages and Dagster first. Pseudonyms
    change with the next calendar year, old releases and the ledger stay verifiable.
    """
    from ffp_data.rotation import rotate as rotate_all

    place = _has_keys(home)
    done = rotate_all(
        place,
        root_only=root_only,
        wait=wait,
        on_step=lambda name: None if json else typer.echo(f"done: {name}"),
    )
    if json:
        print_json({"root": done.root, "keys": done.keys})
    else:
        typer.echo(
            f"root key {done.root}; back up {place.keys_dir} now: no older copy opens this home"
        )


@app.command("move")
def move(
    to: Annotated[str, typer.Option("--to", help="env, file or keyring.")],
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Take the root key to another place; nothing is encrypted anew.

    To env: set FFP_ROOT_KEY to the root key first, then move; from there on it must always be set.
    """
    from governance.rotation import move as move_root

    before, after = move_root(_has_keys(home).keys_dir, to)
    if json:
        print_json({"from": before, "to": after})
    else:
        typer.echo(f"the root key went from {before} to {after}")


@app.command("public")
def public(
    out: Annotated[Path, typer.Argument(help="The file to write, PEM.")],
    home: HomeOption = None,
) -> None:
    """Write the public keys that the hub signs with, and signed with, for recipients and auditors."""
    from governance.keys import KeyStore

    KeyStore(_has_keys(home).keys_dir).write_public_key(out)
    typer.echo(f"{out}: hand it over by another way than the extracts")


def _has_keys(home: Path | None) -> Home:
    """The home, where it has keys; a mistyped home is an error, never a new hub."""
    place = Home.at(home)
    if not place.keys_dir.is_dir():
        raise fail(f"{place.keys_dir}: no keys here; name the hub's home with --home", 2)
    return place


_FOR = {
    "general": "orders, marks of hidden answers; carried",
    "hub": "hub.db",
    "ledger": "facts in the ledger; carried",
    "models": "fits and samples of person models",
    "pseudonyms": "pseudonyms in extracts",
    "review": "digests of reviewed evidence; carried",
    "seal": "filter of sealed ids, spent identifiers; carried",
    "serving": "snapshots for look-ups",
    "signing": "locks, manifests, checkpoints",
    "subjects": "the keys of children",
    "warehouse": "warehouse.duckdb",
}
