"""Link any table of records by a model file, measure the result, and look after model files."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ffp_data.cli.console import JsonOption, fail, print_json, print_rows, progress

model_app = typer.Typer(
    no_args_is_help=True,
    help="Linkage models: check one, try one on the hub's records, let one go live.",
)


class Engine(StrEnum):
    """Where the records are compared."""

    DUCKDB = "duckdb"
    SPARK = "spark"


ByOption = Annotated[
    list[str] | None,
    typer.Option(help="Column to split the quality by, such as ethnicity; may be given again."),
]


def add_to(app: typer.Typer) -> None:
    """Put the commands of this module at the top level."""
    app.command()(link)
    app.command()(evaluate)
    app.add_typer(model_app, name="model")


def link(  # noqa: PLR0913, PLR0917  # each is an option
    records: Annotated[Path, typer.Argument(help="Records as .parquet or .csv.")],
    model: Annotated[Path, typer.Option(help="The linkage model, a YAML file.")],
    out: Annotated[Path, typer.Option(help="Folder for the result.")],
    engine: Annotated[Engine, typer.Option(help="Where to compare.")] = Engine.DUCKDB,
    truth: Annotated[
        str | None,
        typer.Option(help="Column of the records with the true person; not used for linking."),
    ] = None,
    by: ByOption = None,
    parameters: Annotated[
        Path | None,
        typer.Option(help="parameters.json of an earlier run: weigh as that did, learn nothing."),
    ] = None,
    decisions: Annotated[
        Path | None,
        typer.Option(help="Reviewed pairs: record_id_l, record_id_r, same_person (yes or no)."),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            help="Folder to keep for the next run; once it is there, RECORDS are those new or changed."
        ),
    ] = None,
    removed: Annotated[
        Path | None, typer.Option(help="With --state: ids to remove, in a column record_id.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Link records that have no common key.

    OUT gets clusters.parquet, pairs.parquet, joins.parquet and cuts.parquet (why records are together, and
    why others are not), parameters.json (what was learnt), report.json and report.html: all together or
    not at all.
    Works on any data set that the model describes; docs/linkage-model.md says how to write one.
    """
    import linkage
    from linkage import clerical, report

    if by and not truth:
        raise fail("--by splits the quality, so it needs --truth", 2)
    _refuse_state(state, removed, bool(truth) or engine is not Engine.DUCKDB, parameters)
    try:
        report.refuse_foreign(out)
        read = linkage.Model.from_yaml(model)
        known = report.read_truth(records, read, truth, by or ()) if truth else None
        must, cannot = clerical.decisions(decisions) if decisions else ([], [])
        with progress(json) as bar:
            bar.add_task(f"linking {records.name}", total=None)
            fitted = linkage.Fitted.load(parameters, read) if parameters else None
            if state:
                kept = _Kept(state, removed, bool(decisions))
                result = kept.link(records, read, must, cannot, fitted)
            else:
                result = linkage.link(
                    records, read, must, cannot, engine=engine.value, fitted=fitted
                )
            measured = report.measure(result, read, known, by or ()) if known is not None else None
            report.write(result, read, out, measured)
    except linkage.LinkageError as error:
        raise fail(str(error), 2) from error
    if json:
        print_json(result.report | ({"quality": measured} if measured else {}))
        return
    for warning in result.report["warnings"]:
        typer.echo(f"note: {warning}", err=True)
    if measured:
        _print_quality(measured)
    count = result.report["clusters"]["count"]
    typer.echo(
        f"{result.report['records']:,} records, {count:,} clusters; see {out / 'report.html'}"
    )


def _refuse_state(
    state: Path | None, removed: Path | None, unfit: bool, parameters: Path | None
) -> None:
    """What cannot go with --state."""
    later = state is not None and state.exists()
    if state and (unfit or (later and parameters)):
        words = "--state takes no --truth, no other engine, and no --parameters once it is there"
        raise fail(words, 2)
    if removed and not later:
        raise fail("--removed needs a --state that is there", 2)


@dataclass(frozen=True)
class _Kept:
    """A state that is made, or taken on; ``decided``: decisions were given, and replace its own."""

    folder: Path
    removed: Path | None
    decided: bool

    def link(self, records: Path, model: Any, must: Any, cannot: Any, fitted: Any) -> Any:
        import linkage

        if not self.folder.exists():
            return linkage.start(records, model, self.folder, fitted, must, cannot)
        gone = _table(self.removed)["record_id"].cast("string").to_pylist() if self.removed else ()
        decisions = (must, cannot) if self.decided else (None, None)
        return linkage.link_incremental(records, model, self.folder, gone, *decisions)


def evaluate(  # noqa: PLR0913, PLR0917  # each is an option
    clusters: Annotated[Path | None, typer.Option(help="record_id, cluster_id.")] = None,
    truth: Annotated[Path | None, typer.Option(help="record_id, person_id, ....")] = None,
    by: ByOption = None,
    pairs: Annotated[Path | None, typer.Option(help="pairs.parquet of a run.")] = None,
    sample: Annotated[int | None, typer.Option(help="Draw so many pairs for review.")] = None,
    records: Annotated[
        Path | None, typer.Option(help="Records, to be shown side by side in the sample.")
    ] = None,
    record_id: Annotated[str, typer.Option(help="Id column of --records.")] = "record_id",
    out: Annotated[Path | None, typer.Option(help="Where to write the sample, a .csv.")] = None,
    reviewed: Annotated[Path | None, typer.Option(help="A sample with answers.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the draw and of the intervals.")] = 1,
    json: JsonOption = False,
) -> None:
    """How good a result is.

    With the truth:  --clusters clusters.parquet --truth truth.csv [--by COLUMN]...
    and --pairs pairs.parquet for precision and recall at every threshold, and calibration.
    Without:  --sample 300 --pairs pairs.parquet --out sample.csv draws pairs to review blind;
    then --reviewed sample.csv estimates precision and recall from the answers.
    """
    import linkage

    try:
        if sample is not None:
            found = _draw(pairs, clusters, sample, out, records, record_id, seed)
        elif reviewed:
            found = _from_review(reviewed, seed, json)
        elif clusters and truth:
            found = _measure(clusters, truth, tuple(by or ()), pairs, seed, json)
        else:
            raise fail("give --clusters and --truth, or --sample, or --reviewed (see --help)", 2)
    except linkage.LinkageError as error:
        raise fail(str(error), 2) from error
    if json:
        print_json(found)


@model_app.command("schema")
def schema(
    out: Annotated[Path | None, typer.Option(help="File; default: standard output.")] = None,
) -> None:
    """JSON Schema of model files, for editors that check and complete while one writes."""
    from linkage.schema import schema_text

    if out:
        out.write_text(schema_text(), encoding="utf-8")
    else:
        typer.echo(schema_text(), nl=False)


@model_app.command("check")
def check(model: Annotated[Path, typer.Argument(help="The model file.")]) -> None:
    """Read a model file and name every mistake with file, key and remedy."""
    import linkage

    try:
        read = linkage.Model.from_yaml(model)
    except linkage.LinkageError as error:
        raise fail(str(error).splitlines(), 2) from error
    typer.echo(
        f"{model}: a model of {len(read.columns)} columns, {len(read.blocking)} blocking rules "
        f"and {len(read.comparisons)} comparisons"
    )


def _measure(
    clusters: Path, truth: Path, by: tuple[str, ...], pairs: Path | None, seed: int, json: bool
) -> dict[str, Any]:
    from linkage.curves import by_threshold, calibration
    from linkage.quality import quality

    known = _table(truth)
    found = quality(_table(clusters), known, by, seed)
    if pairs:
        listed = _table(pairs)
        found["by_threshold"] = by_threshold(listed, known)
        found["calibration"] = calibration(listed, known)
    if not json:
        _print_quality(found)
        for name in ("by_threshold", "calibration") if pairs else ():
            rows = [{k: v for k, v in row.items() if k != "interval"} for row in found[name]]
            print_rows(f"pairs: {name.replace('_', ' ')}", rows)
    return found


def _print_quality(found: dict[str, Any]) -> None:
    groups = {"all": found} | {
        f"{column}: {value}": figures
        for column, values in found["by"].items()
        for value, figures in values.items()
    }
    rows = [
        {"group": name, "records": group["records"], "measure": measure}
        | {key: _with_interval(group[measure], key) for key in ("precision", "recall", "f1")}
        for name, group in groups.items()
        for measure in ("pairwise", "b_cubed")
    ]
    print_rows("linkage quality, with 95 % intervals", rows)
    for sentence in found["words"]:
        typer.echo(sentence)


def _with_interval(found: dict[str, Any], key: str) -> str:
    low, high = found["intervals"][key]
    return f"{found[key]:.4f} ({low:.4f} to {high:.4f})"


def _draw(
    pairs: Path | None,
    clusters: Path | None,
    size: int,
    out: Path | None,
    records: Path | None,
    record_id: str,
    seed: int,
) -> dict[str, Any]:
    from linkage import clerical

    if not pairs or not out:
        raise fail("--sample needs --pairs and --out", 2)
    clusters = clusters or pairs.with_name("clusters.parquet")
    drawn = clerical.draw(_table(pairs), _table(clusters), size, seed)
    shown = _values(records, record_id, {*drawn.left, *drawn.right}) if records else None
    clerical.write_sheet(drawn, out, shown)
    typer.echo(
        f"{len(drawn.left)} pairs in {out}; write yes, no or unsure in same_person, then: "
        f"ffp evaluate --reviewed {out}. Keep {clerical.key_path(out).name} closed until then: it tells "
        "what the engine thought.",
        err=True,
    )
    return {"pairs": len(drawn.left), "sheet": str(out), "key": str(clerical.key_path(out))}


def _from_review(sheet: Path, seed: int, json: bool) -> dict[str, Any]:
    from linkage import clerical

    found = clerical.estimate(sheet, seed)
    if not json:
        rows = [
            {
                "measure": name,
                "estimate": f"{found[name]['estimate']:.4f}",
                "95 % interval": "{:.4f} to {:.4f}".format(*found[name]["interval"]),
            }
            for name in ("precision", "recall")
        ]
        print_rows(f"from {found['reviewed']} reviewed pairs", rows)
        typer.echo(f"note: {found['note']}")
        if found["unsure"] or found["unanswered"]:
            typer.echo(f"left out: {found['unsure']} unsure, {found['unanswered']} unanswered")
    return found


def _table(path: Path) -> Any:
    """A table from .parquet or .csv, ids as text; a clear error for what cannot be read."""
    import linkage.tables

    return linkage.tables.read(path)


def _values(path: Path, record_id: str, wanted: set[str]) -> dict[str, dict[str, str]]:
    """Values of the wanted records, all as text."""
    import linkage
    import linkage.tables

    table = linkage.tables.read(path)
    if record_id not in table.column_names:
        raise linkage.LinkageError(f"{path}: no column {record_id}; name it with --record-id")
    rows = (row for row in table.to_pylist() if row[record_id] in wanted)
    return {
        row.pop(record_id): {k: "" if v is None else str(v) for k, v in row.items()} for row in rows
    }
