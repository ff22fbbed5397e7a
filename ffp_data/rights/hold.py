"""Holds: nothing of a child, of a feed or of a class of records is destroyed while one stands.

An inquiry (the Independent Inquiry into Child Sexual Abuse asked it of every council, others may) names what must
be kept. A hold has an authority and a day on which somebody looks whether it is still needed; the day passes
without effect: a hold ends when it is lifted, never by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from ffp_data.hub import lookup
from ffp_data.hub.child_id import parse
from ffp_data.hub.errors import HubError
from ffp_data.hub.orders import OrderError
from ffp_data.rights.orders import Kind, Orders, Said
from ffp_data.settings import Home

FEED, CLASS = "feed", "class"
_NEVER_ENDS = date.max


class HeldError(OrderError):
    """Something was to be destroyed that a hold keeps."""


@dataclass(frozen=True)
class Holds:
    """The holds that stand: numbers by child in use, by feed, and by class."""

    children: Mapping[str, tuple[int, ...]]
    feeds: Mapping[str, tuple[int, ...]]
    classes: Mapping[str, tuple[int, ...]]

    def of(self, child_id: str, feeds: Collection[str], classes: Collection[str]) -> list[int]:
        """Numbers of the holds that keep a child with records of these feeds, of these classes."""
        found = {*self.children.get(child_id, ())}
        found |= {n for feed in feeds for n in self.feeds.get(feed, ())}
        found |= {n for each in classes for n in self.classes.get(each, ())}
        return sorted(found)


def add(
    orders: Orders,
    what: str,
    said: Said,
    *,
    authority: str,
    review: date,
    feeds: Collection[str],
    classes: Collection[str],
) -> int:
    """Hold a child, a feed or a class of records; gives the number.

    `said.until` stays empty: a hold has no end. Raises OrderError for what is none of the three.
    """
    if not authority.strip():
        raise OrderError("a hold needs the authority that asks for it: give --authority")
    told = {"authority": authority, "review": review.isoformat()}
    facts = {"authority": authority, "review": review.isoformat()}
    if what in feeds:
        return orders.give(Kind.HOLD, None, said, scope=f"{FEED}:{what}", told=told, **facts)
    if what in classes:
        return orders.give(Kind.HOLD, None, said, scope=f"{CLASS}:{what}", told=told, **facts)
    try:
        child = parse(what)
    except HubError as error:
        raise OrderError(
            f"{error}; nor is it a feed or a class of records ({', '.join(sorted(classes))})"
        ) from None
    return orders.give(Kind.HOLD, child, said, told=told, **facts)


def standing(orders: Orders) -> Holds:
    """Every hold that was not lifted, whatever the day."""
    children: dict[str, list[int]] = {}
    scopes: dict[str, dict[str, list[int]]] = {FEED: {}, CLASS: {}}
    for order, reached in orders.reach(_NEVER_ENDS, Kind.HOLD):
        for child in reached:
            children.setdefault(child, []).append(order.number)
        if order.scope is not None:
            kind, _, name = order.scope.partition(":")
            scopes[kind].setdefault(name, []).append(order.number)
    return Holds(_frozen(children), _frozen(scopes[FEED]), _frozen(scopes[CLASS]))


@dataclass(frozen=True)
class ToReview:
    """A hold that somebody should look at, by its number; of whom it is about it says nothing."""

    number: int
    reaches: str
    review: date


def to_review(home: Home, by: date) -> list[ToReview]:
    """The holds that stand and whose day of review is no later than `by`, the oldest day first.

    One that is past stays here until the hold is lifted: the day ends nothing.
    """
    with Orders(home) as orders:
        found = orders.standing(_NEVER_ENDS, Kind.HOLD)
    days = [(date.fromisoformat(o.told["review"]), o) for o in found if "review" in o.told]
    return [
        ToReview(order.number, reaches(order.scope), day)
        for day, order in sorted(days, key=lambda each: (each[0], each[1].number))
        if day <= by
    ]


def reaches(scope: str | None) -> str:
    """What a hold keeps, without whom."""
    return scope.replace(":", " ") if scope else "one child"


@dataclass(frozen=True)
class Kept:
    """What holds keep of some feeds: their numbers, and how many people with records there they reach."""

    numbers: tuple[int, ...]
    people: int


def of_feeds(home: Home, feeds: Collection[str]) -> Kept:
    """The holds because of which no row of these feeds is destroyed, though their agreement was withdrawn.

    A hold on a class reaches everybody in them: what puts somebody into the class may come from the very
    feed that is shut out.
    """
    with Orders(home) as orders:
        holds = standing(orders)
        with orders.engine.connect() as connection:
            people = lookup.holders_of_feeds(connection, feeds)
    named = {child: numbers for child, numbers in holds.children.items() if child in people}
    whole = [*(holds.feeds.get(feed, ()) for feed in feeds), *holds.classes.values()]
    numbers = {number for each in (*named.values(), *whole) for number in each}
    return Kept(tuple(sorted(numbers)), len(people if any(whole) else named))


def _frozen(found: Mapping[str, list[int]]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(sorted(numbers)) for name, numbers in found.items()}
