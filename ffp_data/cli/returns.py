"""Returns, for performance analysts: build one from the hub, or check any file by the published rules."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ffp_data.cli import dataflow
from ffp_data.cli.console import (
    DayOption,
    HomeOption,
    JsonOption,
    fail,
    parse_day,
    print_json,
    print_rows,
    sole_run_at,
)
from ffp_data.cli.nevertheless import NeverthelessOption, decided

if TYPE_CHECKING:
    from ffp_data.home.run import Run

app = typer.Typer(no_args_is_help=True, help="Statutory returns: build and validate.")
queries = typer.Typer(no_args_is_help=True, help="Answers to what was found in a return.")
app.add_typer(queries, name="queries")
app.add_typer(dataflow.app, name="dataflow")


def _year(text: str | None) -> str | None:
    """A collection year from an option; a usage error otherwise."""
    from ffp_data.returns.layout import end_year

    if text is not None:
        try:
            end_year(text)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
    return text


@contextmanager
def _run_of(
    home: Path | None, run_id: str, year: str | None = None, as_at: str | None = None
) -> Iterator[Run]:
    """The last run's home for one command alone, as at its day or another, for its year or another."""
    with sole_run_at(home, run_id, as_at) as run:
        yield replace(run, stated_year=year) if year else run


ModuleOption = Annotated[
    list[str] | None, typer.Option(help="A provisional module to switch on, by its element's name.")
]


class Format(StrEnum):
    """How findings are written."""

    json = "json"
    xlsx = "xlsx"
    html = "html"


class Name(StrEnum):
    """The returns that the hub knows."""

    cin = "cin"
    tehadc = "tehadc"


YearOption = Annotated[
    str | None,
    typer.Option(callback=_year, help="Collection year, such as 2025-26; else the run's."),
]


@app.command()
def build(
    collection: Name,
    year: YearOption = None,
    as_at: DayOption = None,
    nevertheless: NeverthelessOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Build a return as the last run knew it; its findings and what it was made of go to the council."""
    from ffp_data.releases.other_year import tables_of_year
    from ffp_data.releases.publish import COLLECTIONS, publish_return
    from ffp_data.returns import LayoutError
    from ffp_data.returns.validate import rule_book

    with _run_of(home, "returns-build", year, as_at) as run:
        try:
            rule_book(collection.value, run.collection_year)  # before anything is built for nothing
            word = decided(run, nevertheless)
            with tables_of_year(run):
                outcome = publish_return(run, COLLECTIONS[collection.value], word)
        except LayoutError as error:
            raise fail(str(error)) from error
    if not outcome.permitted:
        raise fail(outcome.reason)
    if json:
        print_json(outcome.figures())
        return
    typer.echo(f"{outcome.folder}: {outcome.errors} errors, {outcome.queries} queries")
    typer.echo(f"{outcome.council}: what to mend; kept as {outcome.version}")
    for note in outcome.notes:
        typer.echo(note, err=True)


@app.command()
def sign(
    collection: Name,
    by: Annotated[str, typer.Option(help="Who signs.")],
    role: Annotated[str, typer.Option(help="In which role.")],
    year: YearOption = None,
    reason: Annotated[
        str | None, typer.Option(help="Why, although errors stand in it; no person's data.")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Put a name to the return that was last built and released; it stands in the ledger."""
    from ffp_data.releases.kept_returns import NotToBeSignedError, Signatory
    from ffp_data.releases.kept_returns import sign as sign_return
    from ffp_data.releases.publish import COLLECTIONS

    with _run_of(home, "returns-sign", year) as run:
        try:
            version = sign_return(run, COLLECTIONS[collection.value], Signatory(by, role, reason))
        except NotToBeSignedError as error:
            raise fail(str(error)) from error
    typer.echo(f"{version.folder.name} of {collection.value} {run.collection_year}: signed by {by}")


@app.command()
def versions(
    collection: Name,
    year: YearOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """List the kept versions of a return, and who signed which."""
    from ffp_data.releases.kept_returns import history
    from ffp_data.releases.publish import COLLECTIONS

    with _run_of(home, "returns-versions", year) as run:
        rows = history(run, COLLECTIONS[collection.value])
    print_rows(f"{collection.value} {run.collection_year}", rows, as_json=json)


@app.command()
def rebuild(
    folder: Annotated[Path, typer.Argument(help="A kept version, below council/versions.")],
    out: Annotated[
        Path | None, typer.Option(help="Keep what was made here; else only compare.")
    ] = None,
) -> None:
    """Make a kept version's files again from its tables and compare them. Exit 0 the same, 1 not, 2 no version."""
    from ffp_data.returns.rebuild import rebuild as make_again
    from ffp_data.returns.versions import NotAVersionError

    if out is not None and out.exists():
        raise typer.BadParameter(f"{out} exists", param_hint="--out")
    try:
        result = make_again(folder, out)
    except NotAVersionError as error:
        raise fail(str(error), 2) from error
    for note in result.notes:
        typer.echo(note, err=True)
    if result.different:
        raise fail(f"{name}: not the same" for name in result.different)
    typer.echo(f"{folder}: {len(result.same)} files made again, the same byte for byte")


@queries.command("import")
def import_reasons(
    file: Annotated[
        Path, typer.Argument(help="queries.xlsx with reasons and names written in it.")
    ],
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Keep the reasons that stand in a queries workbook: the next build writes them in again."""
    from ffp_data.releases.reconciling import import_reasons as keep_reasons
    from ffp_data.returns.reconcile import NotAQueriesFileError

    with _run_of(home, "returns-queries-import") as run:
        try:
            result = keep_reasons(run, file)
        except NotAQueriesFileError as error:
            raise fail(str(error), 2) from error
    if json:
        print_json(vars(result))
        return
    typer.echo(
        f"{result.collection} {result.year}: {result.given} reasons new or changed, "
        f"{result.taken_back} taken back, {result.kept} kept"
    )


@app.command()
def schema(
    collection: Name,
    year: Annotated[str, typer.Option(callback=_year, help="Collection year, such as 2025-26.")],
    module: ModuleOption = None,
) -> None:
    """Print the XML schema that the layout of a year amounts to."""
    from ffp_data.returns import LayoutError, xml_schema
    from ffp_data.returns.validate import written_layout

    try:
        layout = written_layout(collection.value, year, tuple(module or ()))
    except LayoutError as error:
        raise fail(str(error), 2) from error
    typer.echo(xml_schema(layout), nl=False)


@app.command()
def validate(
    collection: Name,
    file: Annotated[Path, typer.Argument(help="A return as XML, from this or any other system.")],
    year: Annotated[str, typer.Option(callback=_year, help="Collection year, such as 2025-26.")],
    format: Annotated[Format, typer.Option(help="How to write the findings.")] = Format.json,
    out: Annotated[Path | None, typer.Option(help="File to write; else standard output.")] = None,
    module: ModuleOption = None,
) -> None:
    """Check a return by every published rule. Exit 0 clean, 1 findings, 2 not readable."""
    from datetime import UTC, datetime

    from ffp_data.returns import LayoutError, to_json, validate_file, write_report

    if format is not Format.json and out is None:
        raise typer.BadParameter(f"{format.value} needs --out FILE", param_hint="--format")
    try:
        findings, status = validate_file(collection.value, file, year, tuple(module or ()))
    except LayoutError as error:
        raise fail(str(error), 2) from error
    if status == 2:
        raise fail([finding.message for finding in findings], 2)
    if out is None:
        typer.echo(to_json(findings), nl=False)
    else:
        title = f"{collection.value.upper()} {year}: findings in {file.name}"
        write_report(findings, out.with_suffix(f".{format.value}"), title, datetime.now(UTC))
        typer.echo(f"{out.with_suffix(f'.{format.value}')}: {len(findings)} findings")
    raise typer.Exit(status)


@app.command("annex-a")
def annex_a(
    on: Annotated[str, typer.Option("--on", help="The inspection date; windows run back from it.")],
    with_tehadc: Annotated[
        bool, typer.Option("--with-tehadc", help="Share the early help collection too, by choice.")
    ] = False,
    decided_by: Annotated[
        str | None, typer.Option(help="Who decided to share it; it stands in the ledger.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option(help="Why, in words without a person's data: they are kept.")
    ] = None,
    nevertheless: NeverthelessOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Make Ofsted's Annex A, lists 1 to 11, as at any day up to that of the last run."""
    from ffp_data.releases import annex_a as pipeline
    from ffp_data.returns import LayoutError
    from ffp_data.returns.annex_a import NothingToShareError

    if with_tehadc != bool(decided_by and reason) or bool(decided_by) != bool(reason):
        raise typer.BadParameter(
            "go together with --decided-by and --reason", param_hint="--with-tehadc"
        )
    day = parse_day(on)
    if day is None:
        raise typer.BadParameter("give the inspection date", param_hint="--on")
    choice = pipeline.ChoiceToShare(decided_by, reason) if decided_by and reason else None
    try:
        with sole_run_at(home, "returns-annex-a") as run:
            outcome = pipeline.publish_annex_a(run, day, choice, decided(run, nevertheless))
    except (pipeline.NotKnownYetError, LayoutError, NothingToShareError) as error:
        raise fail(str(error)) from error
    if not outcome.permitted:
        raise fail(outcome.reason)
    if json:
        print_json(outcome.figures() | {"for the council": str(pipeline.council_folder(run, day))})
    else:
        typer.echo(f"{outcome.folder}: {sum(outcome.rows.values())} rows")
        typer.echo(
            f"{pipeline.council_folder(run, day)}: {outcome.queries} things to look at first"
        )


@app.command()
def timeliness(
    out: Annotated[Path, typer.Option("--out", help="The workbook to write.", dir_okay=False)],
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Write how timely assessments, conferences and reviews are, and who has what overdue, for managers."""
    from ffp_data.pipeline.timeliness import NotPermittedError, report_timeliness
    from ffp_data.returns.timeliness import NotBuiltError

    if not out.parent.is_dir():
        raise fail(f"{out.parent}: no such folder; make it, or name another with --out", 2)
    try:
        with sole_run_at(home, "returns-timeliness") as run:
            report = report_timeliness(run, out)
    except (NotPermittedError, NotBuiltError) as error:
        raise fail(str(error)) from error
    if json:
        print_json(report.figures())
    else:
        typer.echo(f"{report.file}: {report.standing.clocks:,} clocks")
