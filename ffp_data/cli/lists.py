"""`ffp lists`: the early-warning lists, their rules, and whether they can be trusted today."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ffp_data.cli.console import HomeOption, JsonOption, fail, has_run, out, print_json, print_rows

if TYPE_CHECKING:
    from collections.abc import Collection

    from ffp_data import lists
    from ffp_data.access import Access
    from ffp_data.single_view.published import Published

app = typer.Typer(no_args_is_help=True, help="Early-warning lists: who a rule names, and why.")
_OVERVIEW = ("list_id", "child_count", "kept_out_count", "state", "owner", "review_date")
_ENTRY = ("child_id", "since", "facts", "team", "district", "source", "as_of", "is_late")


@dataclass(frozen=True)
class _Opened:
    access: Access
    view: Published
    shielded: Collection[str]


@app.command()
def show(
    list_id: Annotated[
        str | None, typer.Argument(metavar="[LIST]", help="A list; else how many stand on each.")
    ] = None,
    team: Annotated[str, typer.Option(help="Children of this team only.")] = "",
    district: Annotated[str, typer.Option(help="Children of this postcode district only.")] = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Show the lists, or who stands on one: identifiers and facts, no names. Exit 2: no such list."""
    from ffp_data import lists
    from governance.access import Right

    with _opened(home) as opened:
        who = opened.access.user(Right.LISTS)
        if list_id is None:
            opened.access.gate.read(who, Right.LISTS)
            about = [{name: row[name] for name in _OVERVIEW} for row in lists.overview(opened.view)]
            print_rows(f"Lists as at {opened.view.as_at}", about, as_json=json)
            return
        rule = _rule(list_id)
        every = lists.entries(opened.view, list_id, opened.shielded)
        shown = lists.of_place(every, team, district)
        opened.access.gate.read(
            who,
            Right.LISTS,
            subjects=[e["child_id"] for e in shown],
            list=list_id,
            found=len(shown),
        )
        states = lists.states(opened.view, list_id)
    rows = [{name: row[name] for name in _ENTRY} for row in shown]
    if json:
        print_json({"list": list_id, "feeds": states, "children": rows})
        return
    print_rows(f"{rule.title}, as at {opened.view.as_at}", rows)
    for state in states:
        out.print(f"{state['label']} ({state['feed']}): {state['state_in_words']}", markup=False)


@app.command()
def rule(
    list_id: Annotated[str, typer.Argument(metavar="LIST")],
    json: JsonOption = False,
) -> None:
    """The rule of a list in words and as SQL, who answers for it, and what asks for it."""
    from ffp_data import lists

    found = _rule(list_id)
    if json:
        print_json({**found.model_dump(mode="json"), "sql": lists.sql_of(found)})
        return
    feeds = ", ".join(f"{feed} ({part})" for feed, part in found.feeds.items())
    for line in (
        found.title,
        "",
        found.rule,
        "",
        f"Asked for by: {found.guide}",
        f"Chosen here: {found.chosen}",
        f"{found.owner} answers for it; to be looked at again by {found.review}",
        f"Feeds: {feeds}",
        "",
        lists.sql_of(found),
    ):
        typer.echo(line)


@app.command()
def check(home: HomeOption = None, json: JsonOption = False) -> None:
    """Say what is wrong with the lists: feeds that are late, rules not looked at, places told. Exit 1 if anything."""
    from ffp_data import lists
    from governance.access import Right

    with _opened(home) as opened:
        opened.access.gate.read(opened.access.user(Right.LISTS), Right.LISTS)
        day = date.fromisoformat(opened.view.as_at)
        findings = lists.check(opened.view, day, opened.shielded)
    if json:
        print_json([asdict(each) for each in findings])
    elif findings:
        raise fail(f"{f.list_id}: {f.what}; {f.remedy}" for f in findings)
    else:
        out.print(f"{len(lists.load_lists())} lists: nothing to act on")
    if findings:
        raise typer.Exit(1)


def _rule(list_id: str) -> lists.EarlyWarning:
    from ffp_data import lists

    try:
        return lists.find_list(list_id)
    except lists.RuleError as error:
        raise fail(str(error), 2) from error


@contextmanager
def _opened(home: Path | None) -> Iterator[_Opened]:
    from ffp_data.access import Access
    from ffp_data.lookups.register import Register
    from ffp_data.serving import NothingPublishedError
    from ffp_data.single_view.published import View

    place = has_run(home)
    register = Register.open(place.hub_url)
    try:
        yield _Opened(Access(place), View(place).newest(), register.shielded())
    except NothingPublishedError as error:
        raise fail(str(error), 2) from error
    finally:
        register.close()
