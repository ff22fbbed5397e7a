"""Orders about children: shield, hold, restrict and object, each given, lifted and listed the same way.

The name of a child comes straight after the command (`ffp shield CHILD …`); `lift` and `list` are words of
their own. Every order stands in the ledger by its number; the reason is kept closed in the hub.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from ffp_data.cli.console import (
    HomeOption,
    JsonOption,
    fail,
    has_run,
    parse_day,
    print_json,
    print_rows,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ffp_data.rights.orders import Kind, Orders, Said
    from governance.access import Right

By = Annotated[str, typer.Option("--by", help="Who orders it.")]
Reason = Annotated[
    str, typer.Option("--reason", help="Why; kept closed in the hub, never in the ledger.")
]
Until = Annotated[str | None, typer.Option("--until", help="The last day on which it holds.")]
Recipient = Annotated[
    str | None, typer.Option("--recipient", help="Only this recipient; else every one.")
]
Number = Annotated[int, typer.Argument(help="The order's number, as the list has it.")]


class GivenFirst(TyperGroup):
    """What is no word of the group is what the order is about: `ffp shield CHILD` gives one."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands:
            args = ["add", *args]
        return super().resolve_command(ctx, args)


ADD_IS_MEANT = "The word `add` may be left out: what it is about comes straight after the command."


def _group(words: str) -> typer.Typer:
    return typer.Typer(cls=GivenFirst, no_args_is_help=True, help=words, epilog=ADD_IS_MEANT)


shield_app = _group("From now on nobody is told where a child is.")
hold_app = _group(
    "Stop the destruction of what an inquiry may ask for: a child, a feed or a class."
)
restrict_app = _group("Restriction of processing (UK GDPR Article 18), by purpose and recipient.")
object_app = _group("Objection (UK GDPR Article 21), by purpose and recipient.")


def add_to(app: typer.Typer) -> None:
    """Put the four groups at the top level."""
    app.add_typer(shield_app, name="shield")
    app.add_typer(hold_app, name="hold")
    app.add_typer(restrict_app, name="restrict")
    app.add_typer(object_app, name="object")


@dataclass(frozen=True)
class Opened:
    """The register of orders, and what the gate said of who asks."""

    orders: Orders
    facts: Mapping[str, Any]


@contextmanager
def opened(home: Path | None, right: Right) -> Iterator[Opened]:
    """The register of a home where a run was made, for who has the right; refusals are on the ledger."""
    from ffp_data.access import Access
    from ffp_data.hub import HubError
    from ffp_data.rights.orders import Orders

    place = has_run(home)
    access = Access(place)
    facts = access.gate.check(access.user(right), right)
    try:
        with Orders(place) as orders:
            yield Opened(orders, facts)
    except HubError as error:
        raise fail(str(error), 2) from error


def said(by: str, reason: str, until: str | None = None) -> Said:
    """What was typed of who orders it, and why."""
    from ffp_data.rights.orders import Said

    return Said(by, reason, parse_day(until))


def told(words: str, number: int, json: bool) -> None:
    """Tell that an order was given."""
    if json:
        print_json({"number": number})
    else:
        typer.echo(f"{number}: {words}")


def listed(opened: Opened, title: str, json: bool, *kinds: Kind) -> None:
    """Print every order of these kinds, and write down that somebody looked."""
    from ffp_data.rights.orders import as_row

    rows = [as_row(order) for order in opened.orders.listed(*kinds)]
    opened.orders.ledger.append("orders_listed", **opened.facts, kinds=list(kinds), found=len(rows))
    names = list(dict.fromkeys(name for row in rows for name in row))
    print_rows(title, [{name: row.get(name) for name in names} for row in rows], as_json=json)


# Shield


@shield_app.command("add")
def shield_add(
    child_id: str,
    reason: Reason,
    by: By,
    until: Until = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Shield a child: at once in look-ups, in everything else from the next run on."""
    from ffp_data.rights.shield import shield
    from governance.access import Right

    with opened(home, Right.SHIELD) as hub:
        done = shield(hub.orders, child_id, said(by, reason, until))
    others = (
        "who lives with the child could not be looked up (is a run at work?): hidden with the next run"
        if done.household is None
        else f"{done.household} who live with the child are hidden too"
    )
    told(f"shielded; nobody is told where this child is; {others}", done.number, json)


@shield_app.command("lift")
def shield_lift(number: Number, reason: Reason, by: By, home: HomeOption = None) -> None:
    """Lift a shield; look-ups tell the place again after the next run."""
    from ffp_data.rights.shield import lift
    from governance.access import Right

    with opened(home, Right.SHIELD) as hub:
        lift(hub.orders, number, said(by, reason))
    typer.echo(f"{number}: lifted")


@shield_app.command("list")
def shield_list(home: HomeOption = None, json: JsonOption = False) -> None:
    """Every shield, lifted ones too."""
    from ffp_data.rights.orders import Kind
    from governance.access import Right

    with opened(home, Right.SHIELD) as hub:
        listed(hub, "shields", json, Kind.SHIELD)


@shield_app.command("review")
def shield_review(
    partner: Annotated[str, typer.Argument(help="An organisation that sends to the hub.")],
    by: By,
    home: HomeOption = None,
) -> None:
    """Write down that a partner's children were looked through; nobody gets access before."""
    from ffp_data.home.run import Run
    from ffp_data.rights.shield_review import record
    from governance.access import Right

    with opened(home, Right.SHIELD) as hub:
        record(Run.at(run_id="shield-review", home=hub.orders.home.root), partner, by)
    typer.echo(f"{partner}: reviewed")


# Hold


@hold_app.command("add")
def hold_add(
    what: Annotated[str, typer.Argument(help="A child, a feed, or a class of records.")],
    reason: Reason,
    by: By,
    authority: Annotated[str, typer.Option(help="The inquiry, court or officer that asks for it.")],
    review: Annotated[str, typer.Option(help="The day to look whether it is still needed.")],
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Hold: no erasure, retention or withdrawn agreement destroys it until the hold is lifted."""
    from ffp_data import feeds
    from ffp_data.rights import hold, retention
    from governance.access import Right

    day = parse_day(review)
    assert day is not None, "the option is required"
    with opened(home, Right.HOLD) as hub:
        place = hub.orders.home
        number = hold.add(
            hub.orders,
            what,
            said(by, reason),
            authority=authority,
            review=day,
            feeds=feeds.load_contracts(feeds.PACKAGED, place.contracts),
            classes=retention.classes(place),
        )
    told("held; nothing of it is destroyed until this is lifted", number, json)


@hold_app.command("lift")
def hold_lift(number: Number, reason: Reason, by: By, home: HomeOption = None) -> None:
    """Lift a hold: destruction may go on."""
    from ffp_data.rights.orders import Kind
    from governance.access import Right

    with opened(home, Right.HOLD) as hub:
        hub.orders.lift(number, (Kind.HOLD,), said(by, reason))
    typer.echo(f"{number}: lifted")


@hold_app.command("list")
def hold_list(home: HomeOption = None, json: JsonOption = False) -> None:
    """Every hold with its authority and day of review, lifted ones too."""
    from ffp_data.rights.orders import Kind
    from governance.access import Right

    with opened(home, Right.HOLD) as hub:
        listed(hub, "holds", json, Kind.HOLD)


# Restriction and objection


def _restrict(
    kind: Kind,
    child_id: str,
    words: Said,
    purpose: str,
    recipient: str | None,
    complaint: str | None,
    home: Path | None,
) -> int:
    from ffp_data.rights import restriction
    from governance.access import Right

    with opened(home, Right.RESTRICT) as hub:
        return restriction.restrict(
            hub.orders,
            kind,
            child_id,
            words,
            purpose=purpose,
            recipient=recipient,
            purposes=_purposes(hub.orders),
            complaint=complaint,
        )


def _purposes(orders: Orders) -> Mapping[str, Any]:
    from ffp_data.home import policy
    from ffp_data.home.run import Run

    return policy.grants(Run.at(run_id="orders", home=orders.home.root)).purposes


Purpose = Annotated[str, typer.Option("--purpose", help="A purpose of purposes.yaml.")]
Complaint = Annotated[
    str | None, typer.Option("--complaint", help="The reference of a complaint it came with.")
]


@restrict_app.command("add")
def restrict_add(
    child_id: str,
    purpose: Purpose,
    reason: Reason,
    by: By,
    recipient: Recipient = None,
    until: Until = None,
    complaint: Complaint = None,
    home: HomeOption = None,
) -> None:
    """Restrict: no row of the child leaves for this purpose, from the next run on."""
    from ffp_data.rights.orders import Kind

    words = said(by, reason, until)
    number = _restrict(Kind.RESTRICTION, child_id, words, purpose, recipient, complaint, home)
    told("restricted from the next run on", number, False)


@object_app.command("add")
def object_add(
    child_id: str,
    purpose: Purpose,
    reason: Reason,
    by: By,
    recipient: Recipient = None,
    until: Until = None,
    complaint: Complaint = None,
    home: HomeOption = None,
) -> None:
    """Record an objection: no row of the child leaves for this purpose, from the next run on."""
    from ffp_data.rights.orders import Kind

    words = said(by, reason, until)
    number = _restrict(Kind.OBJECTION, child_id, words, purpose, recipient, complaint, home)
    told("objection kept; honoured from the next run on", number, False)


@restrict_app.command("override")
@object_app.command("override")
def override(
    number: Number,
    purpose: Purpose,
    recipient: Annotated[str, typer.Option("--recipient", help="Who gets the rows after all.")],
    reason: Reason,
    by: By,
    until: Until = None,
    home: HomeOption = None,
) -> None:
    """Let rows go to one recipient after all, for a safeguarding purpose alone."""
    from ffp_data.rights import restriction
    from governance.access import Right

    with opened(home, Right.RESTRICT) as hub:
        given = restriction.override(
            hub.orders,
            number,
            said(by, reason, until),
            purpose=purpose,
            recipient=recipient,
            purposes=_purposes(hub.orders),
        )
    told(f"overrides {number} from the next run on", given, False)


@restrict_app.command("identifier")
def restrict_identifier(
    child_id: str,
    recipient: Annotated[str, typer.Option("--recipient", help="Who gets no number.")],
    reason: Reason,
    by: By,
    until: Until = None,
    home: HomeOption = None,
) -> None:
    """Leave NHS number, UPN and the like out for a recipient: including them is more detrimental."""
    from ffp_data.rights import restriction
    from governance.access import Right

    with opened(home, Right.RESTRICT) as hub:
        words = said(by, reason, until)
        number = restriction.leave_out(hub.orders, child_id, words, recipient=recipient)
    told("numbers are left out from the next run on", number, False)


@restrict_app.command("lift")
@object_app.command("lift")
def restrict_lift(number: Number, reason: Reason, by: By, home: HomeOption = None) -> None:
    """Lift a restriction, an objection, an override, or the leaving out of numbers."""
    from ffp_data.rights.orders import Kind
    from governance.access import Right

    kinds = (Kind.RESTRICTION, Kind.OBJECTION, Kind.OVERRIDE, Kind.IDENTIFIER)
    with opened(home, Right.RESTRICT) as hub:
        hub.orders.lift(number, kinds, said(by, reason))
    typer.echo(f"{number}: lifted")


@restrict_app.command("list")
@object_app.command("list")
def restrict_list(home: HomeOption = None, json: JsonOption = False) -> None:
    """Every restriction and objection, what overrides them, and numbers left out."""
    from ffp_data.rights.orders import Kind
    from governance.access import Right

    kinds = (Kind.RESTRICTION, Kind.OBJECTION, Kind.OVERRIDE, Kind.IDENTIFIER)
    with opened(home, Right.RESTRICT) as hub:
        listed(hub, "restrictions and objections", json, *kinds)
