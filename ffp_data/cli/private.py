"""Discovery without clear records: partners tokenise, the hub matches and asks for few."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ffp_data.cli.console import JsonOption, fail, print_json, print_rows, progress
from ffp_data.settings import WAREHOUSE_FILE, Home

if TYPE_CHECKING:
    import pyarrow as pa

app = typer.Typer(
    no_args_is_help=True,
    help="Find shared children without sending all records: partners send keyed tokens, and clear "
    "records only of the children that matched (docs/linkage-privacy.md).",
)
Parameters = Annotated[
    Path, typer.Option("--model", help="The parameter file, equal for all partners.", exists=True)
]
SecretFile = Annotated[Path, typer.Option(help="The partners' secret; never at the hub.")]
Source = Annotated[str | None, typer.Option(help="Your name as a partner.")]


@app.command()
def keygen(
    secret: Annotated[Path, typer.Argument(help="File to write the new secret to.")],
) -> None:
    """At one partner: make the secret that all partners share and the hub never holds."""
    import linkage
    from linkage.private.secret import Secret, make

    _not_at_hub(secret)
    try:
        make(secret)
        check = Secret.read(secret).check_value()
    except linkage.LinkageError as error:
        raise fail(str(error), 2) from error
    typer.echo(
        f"{secret}: made; key check value {check}. Give it to the other partners by a safe way, "
        "never to the hub"
    )


@app.command()
def tokenise(
    records: Annotated[Path, typer.Argument(help="Records as .parquet or .csv.", exists=True)],
    model: Parameters,
    secret: SecretFile,
    out: Annotated[Path, typer.Option(help="The token file to write, .parquet.")],
    source: Source = None,
) -> None:
    """At a partner: turn records into tokens. --source is OUT's name without its ending by default."""
    import linkage
    from linkage.private.secret import Secret
    from linkage.private.settings import Discovery
    from linkage.private.tokenise import tokenise as make_tokens

    _not_at_hub(secret)
    try:
        name = source or out.stem
        table = make_tokens(records, Discovery.from_yaml(model), Secret.read(secret), name)
    except linkage.LinkageError as error:
        raise fail(str(error), 2) from error
    _write(table, out)
    typer.echo(f"{table.num_rows:,} records of '{name}' as tokens: {out}. They are personal data")


@app.command()
def match(
    tokens: Annotated[list[Path], typer.Argument(help="Token files of two or more partners.")],
    model: Parameters,
    out: Annotated[Path, typer.Option(help="Folder for clusters, pairs and report.")],
    json: JsonOption = False,
) -> None:
    """At the hub, without a secret: find which tokens are of one person."""
    import json as json_format

    import linkage
    from linkage.private.discover import match as match_tokens
    from linkage.private.settings import Discovery
    from linkage.private.tokens import read_tokens

    try:
        with progress(json) as bar:
            bar.add_task("matching tokens", total=None)
            found = match_tokens(read_tokens(tokens), Discovery.from_yaml(model))
    except linkage.LinkageError as error:
        raise fail(str(error), 2) from error
    out.mkdir(parents=True, exist_ok=True)
    _write(found.clusters, out / "clusters.parquet")
    _write(found.pairs, out / "pairs.parquet")
    text = json_format.dumps(found.report, indent=2, sort_keys=True)
    (out / "report.json").write_text(text + "\n", encoding="utf-8")
    if json:
        print_json(found.report)
        return
    for warning in found.report["warnings"]:
        typer.echo(f"note: {warning}", err=True)
    rows = [{"source": name, **counts} for name, counts in found.report["sources"].items()]
    print_rows("matched with another source", rows)


@app.command()
def ask(
    matched: Annotated[Path, typer.Argument(help="The folder that match wrote.", exists=True)],
    source: Annotated[str, typer.Option(help="The partner to ask.")],
    out: Annotated[Path | None, typer.Option(help="The list; by default ask_SOURCE.csv.")] = None,
) -> None:
    """At the hub: write the ids whose clear records a partner is asked for: matched ones only."""
    import pyarrow.csv
    import pyarrow.parquet

    import linkage
    from linkage.private.discover import ask as ask_of

    try:
        clusters = _read(matched / "clusters.parquet")
        wanted = ask_of(clusters, source)
    except linkage.LinkageError as error:
        raise fail(str(error), 2) from error
    target = out or matched / f"ask_{source}.csv"
    pyarrow.csv.write_csv(wanted.select(["token_id"]), target)
    held = sum(1 for s in clusters["source"].to_pylist() if s == source)
    typer.echo(f"{wanted.num_rows:,} of {held:,} records of '{source}' are asked for: {target}")


@app.command()
def answer(
    records: Annotated[Path, typer.Argument(help="The records that were tokenised.", exists=True)],
    asked: Annotated[Path, typer.Option(help="The list that the hub wrote.", exists=True)],
    model: Parameters,
    secret: SecretFile,
    out: Annotated[Path, typer.Option(help="The clear records to send, .parquet.")],
    source: Annotated[str, typer.Option(help="Your name as it was when you tokenised.")],
) -> None:
    """At a partner: the clear records of the ids that the hub asks for, and no others."""
    import linkage
    from linkage.private.discover import answer as answer_to
    from linkage.private.secret import Secret
    from linkage.private.settings import Discovery

    _not_at_hub(secret)
    try:
        parameters, key = Discovery.from_yaml(model), Secret.read(secret)
        clear = answer_to(records, parameters, key, source, _read(asked))
    except linkage.LinkageError as error:
        raise fail(str(error), 2) from error
    _write(clear, out)
    typer.echo(f"{clear.num_rows:,} clear records: {out}")


def _not_at_hub(secret: Path) -> None:
    """Stop if the secret lies, or would lie, in a hub's home."""
    import linkage
    from linkage.private.secret import refuse_inside

    try:
        refuse_inside(secret, Home.at().root, WAREHOUSE_FILE)
    except linkage.LinkageError as error:
        raise fail(str(error), 2) from error


def _read(path: Path) -> pa.Table:
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    import linkage

    try:
        if path.suffix == ".csv":
            # Told that ids are text: one of digits alone would be read as a number.
            text = pyarrow.csv.ConvertOptions(column_types={"token_id": "string"})
            return pyarrow.csv.read_csv(path, convert_options=text)
        return pyarrow.parquet.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise linkage.LinkageError(f"{path}: cannot be read") from error


def _write(table: pa.Table, path: Path) -> None:
    """Write personal data, clear or as tokens, for this user's eyes only."""
    import pyarrow.parquet

    path.touch(mode=0o600)
    path.chmod(0o600)
    pyarrow.parquet.write_table(table, path)
