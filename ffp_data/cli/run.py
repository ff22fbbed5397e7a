"""Make a partnership, run the whole graph on it, and say what came out."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from ffp_data.cli.console import (
    HomeOption,
    JsonOption,
    LandingOption,
    fail,
    parse_day,
    print_json,
    progress,
    says_whose,
)
from ffp_data.priority import give_way
from ffp_data.settings import Home, make_demonstration

DEMO_CHILDREN = 3000
DEMO_SEED = 7
DEMO_AS_AT = "2026-03-31"

AsAtOption = Annotated[
    str | None,
    typer.Option(
        "--as-at",
        help="The day the run speaks for; else the newest delivery's.",
        envvar="FFP_AS_AT",
    ),
]
TruthOption = Annotated[
    Path | None,
    typer.Option(
        "--truth",
        exists=True,
        file_okay=False,
        help="truth/ of a synthetic partnership: adds linkage quality.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Put the commands of this module at the top level."""
    for command in (demo, run, prepare, synthesise):
        app.command()(command)


def synthesise(
    out: Annotated[Path, typer.Argument(help="Folder for landing/ and truth/.")],
    children: Annotated[int, typer.Option(min=1, help="How many children.")] = DEMO_CHILDREN,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = DEMO_SEED,
    as_at: Annotated[str, typer.Option(help="The last day that the files know of.")] = DEMO_AS_AT,
    case_system: Annotated[
        str, typer.Option(help="systemc, mosaic, eclipse or azeus: whose drop the council sends.")
    ] = "systemc",
    json: JsonOption = False,
) -> None:
    """Make the files of a made-up partnership: every agency's deliveries, and the truth behind them."""
    summary = _synthesise(
        out, children, seed, parse_day(as_at), quiet=json, case_system=case_system
    )
    if json:
        print_json(summary)
    else:
        typer.echo(
            f"{children:,} children and their families: files in {out}/landing, truth in {out}/truth"
        )


def run(
    home: HomeOption = None,
    landing: LandingOption = None,
    as_at: AsAtOption = None,
    truth: TruthOption = None,
    allow_large_change: Annotated[
        bool,
        typer.Option(
            "--allow-large-change", help="Let more identifiers change than the hub's limit."
        ),
    ] = False,
    wait: Annotated[
        float,
        typer.Option(min=0, help="Seconds to wait for a run that is at work; 0 refuses at once."),
    ] = 3600,
    background: Annotated[
        bool,
        typer.Option("--background", help="Give way to look-ups and all else on this machine."),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Run the whole graph once, in this process: feeds, identifiers, single view, returns, extracts.

    Exit status: 0 done, 1 a step failed or something that a run needs is
    missing, 2 a wrong option or no folder of files, 3 done but a
    delivery was refused or held (it stays in the landing folder; the summary
    names file, line and remedy) or something could not be released, 4 another
    run is at work.
    """
    if background:
        give_way()
    day = parse_day(as_at)
    place = Home.at(home)
    _require_ready(place, landing, day)
    prepare_home(place, landing)
    status = _run_graph(
        place,
        landing,
        day,
        truth,
        as_json=json,
        allow_large_change=allow_large_change,
        wait=wait,
    )
    raise typer.Exit(status)


def demo(
    folder: Annotated[Path, typer.Argument(help="Where everything goes.")] = Path("build/demo"),
    children: Annotated[int, typer.Option(min=1, help="How many children.")] = DEMO_CHILDREN,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = DEMO_SEED,
    as_at: Annotated[str, typer.Option(help="The day the run speaks for.")] = DEMO_AS_AT,
    json: JsonOption = False,
) -> None:
    """Make a partnership and run everything on it. Run it again: same identifiers, nothing loaded twice."""
    if os.environ.get("FFP_HUB_URL"):
        raise fail("FFP_HUB_URL is set: unset it, or made-up children would enter that register", 2)
    day = parse_day(as_at)
    folder = folder.resolve()
    partnership = folder / "partnership"
    _synthesise(partnership, children, seed, day, quiet=json)
    landing = partnership / "landing"
    place = prepare_home(Home.at(folder / "home"), landing)
    make_demonstration(place)
    raise typer.Exit(_run_graph(place, landing, day, partnership / "truth", as_json=json))


def prepare(
    home: HomeOption = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Make it the made-up partnership's, agreements and all.")
    ] = False,
) -> None:
    """Make the state folder, with Dagster's settings, so that a run or `dagster dev` can start on it."""
    place = prepare_home(Home.at(home), None)
    if demo:
        make_demonstration(place)
    typer.echo(place.root)


def _synthesise(
    out: Path,
    children: int,
    seed: int,
    as_at: date | None,
    *,
    quiet: bool,
    case_system: str = "systemc",
) -> Any:
    from ffp_data.synthetic import synthesise as make

    assert as_at is not None, "the option has a default"
    with progress(quiet) as bar:
        task = bar.add_task("making a partnership", total=None)
        try:
            return make(
                out,
                children=children,
                seed=seed,
                as_at=as_at,
                progress=lambda words: bar.update(task, description=words),
                case_system=case_system,
            )
        except (FileExistsError, ValueError) as error:
            raise fail(str(error), 2) from error


def prepare_home(home: Home, landing: Path | None) -> Home:
    """Folders, Dagster's settings, and the environment that Dagster reads at import."""
    from importlib import resources

    home.prepare()
    settings = home.dagster_home / "dagster.yaml"
    if not settings.exists():  # a data engineer may have changed it
        packaged = resources.files("assets").joinpath("dagster.yaml")
        settings.write_text(packaged.read_text("utf-8"), "utf-8")
    os.environ |= {
        "DAGSTER_HOME": str(home.dagster_home),
        "FFP_HOME": str(home.root),
        "DO_NOT_TRACK": "1",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
    if landing:
        os.environ["FFP_LANDING"] = str(landing.resolve())
    return home


def _require_ready(home: Home, landing: Path | None, day: date | None) -> None:
    """Say at once what a run would stop at after loading everything; nothing is made in a mistyped home."""
    says_whose(home)
    folder = landing or home.landing
    if not folder.is_dir() and (landing or day is None):
        raise fail(f"{folder}: no such folder; name that of the agencies' files with --landing", 2)
    from ffp_data.feeds import PACKAGED, check_contracts
    from ffp_data.home.policy import missing_policy
    from ffp_data.home.run import newest_delivery

    if day is None:
        newest_delivery(folder)
    if faults := check_contracts(PACKAGED, home.contracts):
        raise fail(str(fault) for fault in faults)
    if not home.lock_file.is_file() and (missing := missing_policy(home)):
        raise fail(missing)


def _run_graph(
    home: Home,
    landing: Path | None,
    as_at: date | None,
    truth: Path | None,
    *,
    as_json: bool,
    allow_large_change: bool = False,
    wait: float = 3600,
) -> int:
    from ffp_data.pipeline.summary import print_summary

    summary = run_once(
        home,
        landing,
        as_at,
        truth,
        quiet=as_json,
        allow_large_change=allow_large_change,
        wait=wait,
    )
    if as_json:
        print_json(summary)
    else:
        print_summary(summary)
    return 3 if summary["refused"] or summary["held"] or summary["returns_lack"] else 0


@contextmanager
def _collecting_seldom() -> Iterator[None]:
    """Look for garbage after 20,000 new objects, not 700.

    A million of dbt's and Dagster's live to the end; looking them through took a sixth of a run on few children.
    """
    before = gc.get_threshold()
    gc.set_threshold(20_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@_collecting_seldom()
def run_once(
    home: Home,
    landing: Path | None,
    as_at: date | None,
    truth: Path | None = None,
    *,
    quiet: bool,
    allow_large_change: bool = False,
    wait: float = 3600,
) -> dict[str, Any]:
    """Run the whole graph in this process, in its turn; the summary. Raises typer.Exit when a step failed."""
    from assets.execute import run_whole_graph
    from ffp_data.pipeline.summary import summarise

    run_id = str(uuid4())
    with _its_turn(home, run_id, wait):
        with progress(quiet) as bar:
            task = bar.add_task("starting", total=None)
            outcome = run_whole_graph(
                home.root,
                landing,
                as_at,
                on_step=lambda done, total, name: bar.update(
                    task, description=name, completed=done, total=total
                ),
                allow_large_change=allow_large_change,
                run_id=run_id,
            )
        if not outcome.succeeded:
            raise fail(f"{step}: {error}" for step, error in outcome.failures)
        return summarise(outcome.run, outcome.seconds, truth)


@contextmanager
def _its_turn(home: Home, run_id: str, wait: float) -> Iterator[None]:
    """The lease of the home for this run; another run at work for longer than `wait` ends the command."""
    from ffp_data.home.run import leased
    from ffp_data.hub import LeaseHeldError

    def say(who: str) -> None:
        typer.echo(f"waiting for another run on {home.root}: {who}", err=True)

    try:
        with leased(home, run_id, wait=wait, on_wait=say):
            yield
    except LeaseHeldError as error:
        raise fail(str(error), 4) from error
