"""The decision to share, or not to, about one child: who made it, on what ground, with what reason.

Section 16LA of the Children Act 2004 and section 47 of the Children Act 1989 are judgements about one child: an
agreement on such a ground gives nothing in bulk. A decision to share names the agreement, one of its
gateways that is law on that day, and which function it facilitates; only then may rows of the child leave,
and only until it is withdrawn. A decision not to share, since it would be more detrimental to the child,
takes the child out of what the recipient gets; where it is about what an agency tells the hub, the view says so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.hub.orders import OrderError
from ffp_data.rights.orders import Kind, Order, Orders, Said
from ffp_data.rights.restriction import covers
from governance.grants import Grants, ReleaseDecision
from governance.policy.model import is_below

MORE_DETRIMENTAL = "not shared: more detrimental to the child"
DECISIONS = (Kind.SHARE, Kind.WITHHOLD)


@dataclass(frozen=True)
class Asked:
    """A decision as somebody made it.

    columns: "relation.column" of the agreement, none for all; facilitates: which function of the recipient.
    """

    child_id: str
    recipient: str
    purpose: str
    agreement: str
    said: Said
    ground: str | None = None
    facilitates: str | None = None
    columns: tuple[str, ...] = ()


def share(orders: Orders, grants: Grants, asked: Asked, day: date) -> int:
    """Record a decision to share; gives its number. Raises OrderError."""
    if not (asked.facilitates or "").strip():
        raise OrderError("say which function of the recipient it facilitates: give --facilitates")
    if wrong := why_not(grants, asked.agreement, asked.recipient, asked.purpose, asked.ground, day):
        raise OrderError(wrong)
    _narrowed(grants.case(asked.agreement), asked.columns)
    return _give(orders, Kind.SHARE, asked)


def withhold(
    orders: Orders, grants: Grants, asked: Asked, day: date, for_returns: Collection[str]
) -> int:
    """Record a decision not to share; gives its number. Raises OrderError.

    `for_returns`: feeds on which returns rest that the law requires; what they tell is not withheld.
    """
    terms = _terms(grants, asked.agreement)
    if terms["direction"] == "outbound":
        _require_parties(grants, asked.agreement, asked.recipient, asked.purpose)
    if asked.ground and (wrong := _why_no_law(grants, asked.ground, day)):
        raise OrderError(wrong)
    if needed := sorted(set(feeds_of(terms)) & set(for_returns)):
        raise OrderError(
            f"{asked.agreement}: the council's returns rest on {', '.join(needed)}, and the law requires them"
            " whole; withhold from a recipient instead: name an outbound agreement"
        )
    purposes = grants.purposes
    if any(law for name, law in _required(purposes).items() if is_below(asked.purpose, name)):
        raise OrderError(f"{asked.purpose}: required by law; no decision of ours takes a child out")
    return _give(orders, Kind.WITHHOLD, asked)


def why_not(
    grants: Grants, agreement: str, recipient: str, purpose: str, ground: str | None, day: date
) -> str | None:
    """Why nothing of one child may be shared so on a day; None when it may, after a decision."""
    terms = _terms(grants, agreement)
    decision = grants.case(agreement)
    if not decision.allowed:
        return decision.reason
    _require_parties(grants, agreement, recipient, purpose)
    if ground is not None and (wrong := _why_no_law(grants, ground, day)):
        return wrong
    if ground not in terms["gateways"]:
        named = ", ".join(terms["gateways"])
        return (
            f"{ground or 'no ground'}: {agreement} rests on {named}; name one of them with --ground"
        )
    return None


def standing(orders: Orders, number: int, day: date) -> Order:
    """The decision to share of a number, when it stands; raises OrderError when it does not.

    It was about one identity as it then was: one that was merged into another since is decided anew.
    """
    order = orders.find(number, Kind.SHARE)
    if order.lifted_at is not None:
        raise OrderError(f"{number}: this decision was withdrawn; decide anew")
    if order.until is not None and order.until < day:
        raise OrderError(f"{number}: this decision held until {order.until}; decide anew")
    assert order.child_id is not None, "a decision is about a child"
    if orders.in_use(order.child_id) != order.child_id:
        raise OrderError(
            f"{number}: the child's identifier was replaced since, so more is known now than was decided on;"
            " decide anew"
        )
    return order


def decision_of(order: Order, grants: Grants) -> ReleaseDecision:
    """What may leave under a decision: its agreement's columns, as far as it named them, of this child alone."""
    assert order.scope is not None, "a decision names its agreement"
    assert order.child_id is not None, "a decision is about a child"
    decision = grants.case(order.scope)
    if not decision.allowed:
        return decision
    return _narrowed(decision, order.told.get("columns") or ()).of_one(order.child_id)


def withheld(
    orders: Orders, day: date, flows: Iterable[tuple[str, str]]
) -> set[tuple[str | None, ...]]:
    """(child, purpose, recipient) of which no row may leave since it was decided so, of the flows there are."""
    return {
        (child, purpose, recipient)
        for order, reached in orders.reach(day, Kind.WITHHOLD)
        for recipient, purpose in flows
        if recipient == order.recipient and covers(str(order.purpose), purpose)
        for child in reached
    }


def withheld_feeds(orders: Orders, run: Run) -> set[tuple[str | None, ...]]:
    """(child, feed): what an agency's agreement would let the hub show, and was decided not to be shown."""
    grants = policy.grants(run)
    return {
        (child, feed)
        for order, reached in orders.reach(run.as_at, Kind.WITHHOLD)
        for feed in feeds_of(grants.terms(str(order.scope)) or {})
        for child in reached
    }


def feeds_of(terms: Mapping[str, Any]) -> list[str]:
    """Feeds of an inbound agreement; none of another."""
    return sorted({item["feed"] for item in terms.get("items", ()) if "feed" in item})


def _give(orders: Orders, kind: Kind, asked: Asked) -> int:
    told = {
        "ground": asked.ground,
        "facilitates": asked.facilitates,
        "columns": list(asked.columns),
    }
    return orders.give(
        kind,
        asked.child_id,
        asked.said,
        told=told,
        purpose=asked.purpose,
        recipient=asked.recipient,
        scope=asked.agreement,
        ground=asked.ground,
    )


def _terms(grants: Grants, agreement: str) -> Mapping[str, Any]:
    terms = grants.terms(agreement)
    if terms is None:
        raise OrderError(f"{agreement}: no such agreement in the policy of this day")
    return terms


def _require_parties(grants: Grants, agreement: str, recipient: str, purpose: str) -> None:
    terms = _terms(grants, agreement)
    if terms.get("recipient") != recipient:
        raise OrderError(
            f"{agreement}: gives to {terms.get('recipient') or 'the hub'}, not to {recipient}"
        )
    if not any(is_below(purpose, agreed) for agreed in terms["purposes"]):
        named = ", ".join(terms["purposes"])
        raise OrderError(f"{purpose}: {agreement} is for {named}; name that with --purpose")


def _why_no_law(grants: Grants, ground: str, day: date) -> str | None:
    """Why a gateway can't be relied on, in words; None when it is law on the day."""
    gateway = grants.gateways.get(ground)
    if gateway is None:
        return f"{ground}: no such gateway in gateways.yaml"
    begins, ends, today = gateway["in_force_from"], gateway["in_force_to"], day.isoformat()
    if begins is None:
        return (
            f"{ground}: not commenced ({gateway['title']}); nothing may rest on it before its appointed day."
            " Rely on a gateway that is law now"
        )
    if today < begins:
        return f"{ground}: comes into force on {begins}; rely on a gateway that is law on {day}"
    if ends is not None and today >= ends:
        return f"{ground}: ceased on {ends}; rely on a gateway that is law on {day}"
    return None


def _narrowed(decision: ReleaseDecision, columns: Collection[str]) -> ReleaseDecision:
    if not columns:
        return decision
    known = {f"{item.relation}.{item.column}" for item in decision.items}
    if unknown := sorted(set(columns) - known):
        raise OrderError(
            f"{', '.join(unknown)}: {decision.agreement} does not give that; it gives {', '.join(sorted(known))}"
        )
    return decision.with_columns(columns)


def _required(purposes: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {
        name: each["required_by_law"]
        for name, each in purposes.items()
        if "required_by_law" in each
    }
