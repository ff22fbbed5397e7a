"""Link any table of records by a model file, and measure the result against the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ffp_data.cli.console import JsonOption, fail, print_json, print_rows, progress


def add_to(app: typer.Typer) -> None:
    """Put the commands of this module at the top level."""
    app.command()(link)
    app.command()(evaluate)


def link(
    records: Annotated[Path, typer.Argument(help="Records as .parquet or .csv.", exists=True)],
    model: Annotated[Path, typer.Option(help="The linkage model, a YAML file.", exists=True)],
    out: Annotated[Path, typer.Option(help="Folder for clusters, pairs and report.")],
    json: JsonOption = False,
) -> None:
    """Link records that have no common key: clusters.parquet, pairs.parquet and report.json in OUT.

    Works on any data set that the model describes; docs/linkage-model.md says how to write one.
    """
    import json as json_format

    import pyarrow.parquet as pq

    import linkage

    try:
        with progress(json) as bar:
            bar.add_task(f"linking {records.name}", total=None)
            result = linkage.link(records, linkage.Model.from_yaml(model))
    except linkage.LinkageError as error:
        raise fail(str(error), 2) from error
    out.mkdir(parents=True, exist_ok=True)
    pq.write_table(result.clusters, out / "clusters.parquet")
    pq.write_table(result.pairs, out / "pairs.parquet")
    text = json_format.dumps(result.report, indent=2, sort_keys=True)
    (out / "report.json").write_text(text + "\n", encoding="utf-8")
    if json:
        print_json(result.report)
        return
    for warning in result.report["warnings"]:
        typer.echo(f"note: {warning}", err=True)
    typer.echo(
        f"{result.report['records']:,} records, {result.report['clusters']['count']:,} clusters; see {out}"
    )


def evaluate(
    clusters: Annotated[Path, typer.Option(help="record_id, cluster_id.", exists=True)],
    truth: Annotated[Path, typer.Option(help="record_id, person_id, ....", exists=True)],
    by: Annotated[str | None, typer.Option(help="Column of the truth to split by.")] = None,
    json: JsonOption = False,
) -> None:
    """Precision, recall and F1 of clusters against the truth, over pairs and B-cubed."""
    import linkage

    try:
        result = linkage.evaluate(_table(clusters), _table(truth), by)
    except linkage.LinkageError as error:
        raise fail(str(error), 2) from error
    if json:
        print_json(result)
        return
    groups = {"all": result, **result.get("by", {})}
    rows = [
        {"group": name, "records": group["records"], "measure": measure, **group[measure]}
        for name, group in groups.items()
        for measure in ("pairwise", "b_cubed")
    ]
    print_rows("linkage quality", rows)


def _table(path: Path):  # type: ignore[no-untyped-def]  # pyarrow ships no types
    import pyarrow.csv
    import pyarrow.parquet

    if path.suffix == ".parquet":
        return pyarrow.parquet.read_table(path)
    text = pyarrow.csv.ConvertOptions(column_types={"record_id": "string", "person_id": "string"})
    return pyarrow.csv.read_csv(path, convert_options=text)
