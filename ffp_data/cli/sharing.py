"""Sharing about one child: the decision, with its ground and reasons, and the release that rests on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ffp_data.cli.console import HomeOption, JsonOption, fail, print_json
from ffp_data.cli.orders import (
    ADD_IS_MEANT,
    By,
    GivenFirst,
    Number,
    Purpose,
    Reason,
    Until,
    listed,
    opened,
    said,
)

if TYPE_CHECKING:
    from ffp_data.home.run import Run

decide_app = typer.Typer(
    cls=GivenFirst,
    no_args_is_help=True,
    help="Decide about one child: share, or don't since it is more detrimental.",
    epilog=ADD_IS_MEANT,
)


def add_to(app: typer.Typer) -> None:
    """Put both at the top level."""
    app.add_typer(decide_app, name="decide-share")
    app.command("share")(share)


@decide_app.command("add")
def decide(  # noqa: PLR0913, PLR0917 -- each is an option
    child_id: str,
    to: Annotated[str, typer.Option("--to", help="The recipient.")],
    purpose: Purpose,
    agreement: Annotated[str, typer.Option("--agreement", help="The agreement it falls under.")],
    decision: Annotated[Literal["share", "withhold"], typer.Option("--decision")],
    reason: Reason,
    by: By,
    ground: Annotated[
        str | None, typer.Option("--ground", help="The legal gateway; needed to share.")
    ] = None,
    facilitates: Annotated[
        str | None,
        typer.Option("--facilitates", help="Which function of the recipient; needed to share."),
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("--columns", help="relation.column of the agreement; repeat. Else all."),
    ] = None,
    until: Until = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Record a decision. To share: it facilitates a function. To withhold: sharing is more detrimental."""
    from ffp_data.home import policy
    from ffp_data.rights import share_decision
    from governance.access import Right

    words = said(by, reason, until)
    with opened(home, Right.DECIDE_SHARE) as hub:
        run = _run(hub.orders.home.root)
        grants = policy.grants(run)
        asked = share_decision.Asked(
            child_id, to, purpose, agreement, words, ground, facilitates, tuple(columns or ())
        )
        if decision == "share":
            number = share_decision.share(hub.orders, grants, asked, run.as_at)
        else:
            services = {name: each.hub.service for name, each in run.contracts.items()}
            returns = [name for name, each in services.items() if each and each.for_returns]
            number = share_decision.withhold(hub.orders, grants, asked, run.as_at, returns)
    if json:
        print_json({"number": number, "decision": decision})
    elif decision == "share":
        typer.echo(
            f"{number}: decided to share; make the release: ffp share CHILD --decision {number}"
        )
    else:
        typer.echo(f"{number}: {share_decision.MORE_DETRIMENTAL}; nothing of it leaves from now on")


@decide_app.command("withdraw")
def withdraw(number: Number, reason: Reason, by: By, home: HomeOption = None) -> None:
    """Withdraw a decision; files that were released under it are taken out at once."""
    from ffp_data.rights import share_decision, share_release
    from ffp_data.rights.orders import Kind
    from governance.access import Right

    with opened(home, Right.DECIDE_SHARE) as hub:
        order = hub.orders.lift(number, share_decision.DECISIONS, said(by, reason))
        run = _run(hub.orders.home.root)
        is_gone = order.kind is Kind.SHARE and share_release.take_back(
            run, order, f"decision {number} was withdrawn"
        )
    typer.echo(f"{number}: withdrawn" + ("; its files are taken out" if is_gone else ""))


@decide_app.command("list")
def list_(home: HomeOption = None, json: JsonOption = False) -> None:
    """Every decision with its ground and reasons, withdrawn ones too."""
    from ffp_data.rights import share_decision
    from governance.access import Right

    with opened(home, Right.DECIDE_SHARE) as hub:
        listed(hub, "decisions to share", json, *share_decision.DECISIONS)


def share(
    child_id: str,
    decision: Annotated[int, typer.Option("--decision", help="The number of the decision.")],
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Make the release of one child under a recorded decision."""
    from ffp_data.home.run import sole_run
    from ffp_data.rights import share_release
    from governance.access import Right
    from governance.release import ReleaseFailedError, ReleaseRefusedError

    with opened(home, Right.DECIDE_SHARE) as hub:
        run = _run(hub.orders.home.root)
        try:
            with sole_run(run.home, lambda: None):
                made = share_release.release(run, child_id, decision)
        except (ReleaseRefusedError, ReleaseFailedError) as error:
            raise fail(str(error), 2) from error
    if json:
        print_json({"folder": str(made.directory), "rows": dict(made.rows)})
    else:
        rows = ", ".join(f"{name} {count}" for name, count in made.rows.items())
        typer.echo(f"{made.directory}: {rows}")


def _run(home: Path) -> Run:
    from ffp_data.home.run import Run

    return Run.at(run_id="sharing", home=home)
