"""Access: who may use the look-ups, and the tokens of the API."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from ffp_data.cli.console import HomeOption, JsonOption, fail, print_json, print_rows
from ffp_data.settings import Home

if TYPE_CHECKING:
    from pathlib import Path

    from ffp_data.access import Access

app = typer.Typer(no_args_is_help=True, help="Roles, and the tokens of the API.")


@app.command()
def whoami(home: HomeOption = None, json: JsonOption = False) -> None:
    """Your user of this system, and what each of your roles may do."""
    from ffp_data.access import os_user
    from governance.access import Principal, Right

    access = _access(home)
    rows = [
        {"right": right.value, "role": access.user(right).role}
        for right in Right
        if access.roles.may(access.user(right), right)
    ]
    if json:
        print_json({"user": Principal(os_user(), "").name, "rights": rows})
    else:
        print_rows(os_user(), rows)


@app.command()
def token(
    name: Annotated[str, typer.Argument(help="Who will use it: a person or a system.")],
    role: Annotated[str, typer.Option(help="A role of the register.")],
    days: Annotated[int, typer.Option(min=1, help="How long it is valid.")] = 90,
    home: HomeOption = None,
) -> None:
    """Make a bearer token for the API and print it, this once: only its hash is kept."""
    from governance.access import Right, TokenError

    access = _access(home)
    facts = access.gate.check(access.user(Right.TOKENS), Right.TOKENS)
    _refuse_unreviewed(access)
    try:
        secret = access.tokens.make(name, role, access.roles, timedelta(days=days))
    except TokenError as error:
        raise fail(str(error), 2) from error
    access.ledger.append("token_made", **facts, token=name, token_role=role, days=days)
    typer.echo(secret)


@app.command()
def revoke(name: str, home: HomeOption = None) -> None:
    """Revoke a token; the next request with it is refused."""
    from governance.access import Right, TokenError

    access = _access(home)
    facts = access.gate.check(access.user(Right.TOKENS), Right.TOKENS)
    try:
        access.tokens.revoke(name)
    except TokenError as error:
        raise fail(str(error), 2) from error
    access.ledger.append("token_revoked", **facts, token=name)
    typer.echo(f"{name}: revoked")


@app.command()
def tokens(home: HomeOption = None, json: JsonOption = False) -> None:
    """Every token that was made: whose, in which role, until when."""
    rows = [
        {
            "name": each.name,
            "role": each.role,
            "made": each.made_at,
            "expires": each.expires_at,
            "revoked": each.revoked_at,
        }
        for each in _access(home).tokens.tokens()
    ]
    print_rows("tokens", rows, as_json=json)


@app.command("break-glass")
def break_glass(
    child_id: str,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept closed in the hub.")],
    tell: Annotated[str, typer.Option("--tell", help="Somebody else, who is told at once.")],
    minutes: Annotated[int, typer.Option("--minutes", help="How long, 60 at most.")] = 15,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Read where a shielded child is, for minutes; somebody else is told, and the ledger has it."""
    from ffp_data.hub import HubError
    from ffp_data.rights.break_glass import break_glass as break_it
    from ffp_data.rights.break_glass import places
    from ffp_data.rights.orders import Orders

    access = _access(home)
    try:
        with Orders(access.home) as orders:
            broken = break_it(orders, access, child_id, reason=reason, tell=tell, minutes=minutes)
            rows = places(orders, access, child_id)
    except HubError as error:
        raise fail(str(error), 2) from error
    if json:
        print_json({"number": broken.number, "until": broken.expires_at, "places": rows})
        return
    print_rows(f"break-glass {broken.number}, until {broken.expires_at:%H:%M} UTC", rows)
    typer.echo(f"{tell} is told")


@app.command("place")
def place(child_id: str, home: HomeOption = None, json: JsonOption = False) -> None:
    """Read it again while the glass is broken."""
    from ffp_data.hub import HubError
    from ffp_data.rights.break_glass import places
    from ffp_data.rights.orders import Orders

    access = _access(home)
    try:
        with Orders(access.home) as orders:
            print_rows("places", places(orders, access, child_id), as_json=json)
    except HubError as error:
        raise fail(str(error), 2) from error


@app.command("report")
def report(
    day: Annotated[str, typer.Option("--day", help="The day, as 2026-03-31 (UTC).")],
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """How many looks at children of others each manager has to look through on their page, of a day.

    Names no child: what can be mailed to managers every morning. The looks themselves are on the page /team.
    """
    from datetime import date

    from ffp_data.rights.disclosure_index import DisclosureIndex
    from ffp_data.rights.team_looks import by_manager, looks_of_day
    from ffp_data.web.users import load_users
    from governance.access import Right

    access = _access(home)
    try:
        on = date.fromisoformat(day)
    except ValueError:
        raise fail(f"{day}: not a day; write it as 2026-03-31", 2) from None
    access.gate.read(access.user(Right.ACCESS_LOG), Right.ACCESS_LOG, log="team looks", day=day)
    managers = {key: user.manager for key, user in load_users(access.home).items()}
    index = DisclosureIndex(access.home, access.ledger)
    rows = by_manager(looks_of_day(index, access.ledger, on, managers))
    print_rows(f"looks at children of others, {on}", rows, as_json=json)


@app.command("broken-glass")
def broken_glass(home: HomeOption = None, json: JsonOption = False) -> None:
    """Every time a glass was broken: who, for whom, why, until when, and who was told."""
    from ffp_data.cli.orders import listed, opened
    from ffp_data.rights.orders import Kind
    from governance.access import Right

    with opened(home, Right.SHIELD) as hub:
        listed(hub, "broken glass", json, Kind.BREAK_GLASS)


def _refuse_unreviewed(access: Access) -> None:
    """Nobody gets access before each partner's children were looked through for those to be shielded."""
    from ffp_data.home.run import Run
    from ffp_data.rights.shield_review import refusal
    from ffp_data.settings import Partnership

    if Partnership.of(access.home).is_synthetic:
        return
    if why := refusal(Run.at(run_id="token", home=access.home.root)):
        raise fail(why, 2)


def _access(home: Path | None) -> Access:
    """The access of a home that is there; a mistyped home must not be made."""
    from ffp_data.access import Access

    place = Home.at(home)
    if not place.root.is_dir():
        raise fail(f"{place.root}: no such home; name the hub's home with --home", 2)
    return Access(place)
