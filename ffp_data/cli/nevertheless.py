"""The word of a named person that a return is released although a source that it rests on is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ffp_data.home.run import Run
    from ffp_data.releases.keeping_back import Nevertheless

OPTION = "--nevertheless"
NeverthelessOption = Annotated[
    str | None,
    typer.Option(
        OPTION,
        metavar="REASON",
        help="Release it though files that it rests on were not let in; why, in words without a person's data.",
    ),
]


def decided(run: Run, reason: str | None) -> Nevertheless | None:
    """Who says so, once the gate let them; None where nothing was said. Raises AccessDeniedError."""
    from ffp_data.access import Access
    from ffp_data.releases.keeping_back import Nevertheless
    from governance.access import Right

    if reason is None:
        return None
    if not reason.strip():
        raise typer.BadParameter("say why", param_hint=OPTION)
    access = Access(run.home)
    who = access.user(Right.RELEASE_LACKING, reason=reason)
    access.gate.check(who, Right.RELEASE_LACKING, reason=reason)
    return Nevertheless(who.name, who.role, reason)
