"""Retention: whose data is due to be destroyed on a day, by which rule, and what a hold keeps.

A person is of every class that ever applied (`retention.sql`); the class that keeps longest decides, and nobody
is due with whom a service works. Beside the classes stands the rule that the hub's copy never outlives the
source: a record is due once its agency has not sent it for the period of its agreement, and a person with
the last record. Adults are due with the last child they are known for. Whom an agency still sends is told of
and stays: erased here, the next delivery would bring the person back, and a filter would hide one who
comes to harm again. The agency is to be asked why it still holds what by the rule should be gone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from importlib import resources
from typing import Any

import duckdb

from ffp_data.feeds.contract import Contract
from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.rights import hold
from ffp_data.rights.erasure import Ordered, Records, erase
from ffp_data.rights.hold import Holds
from ffp_data.rights.orders import Orders
from ffp_data.sealing.removal import SealError
from ffp_data.sealing.report import Report
from ffp_data.settings import Home
from ffp_data.warehouse import connect
from governance.grants import Grants
from governance.policy.narrow import days_in

SOURCE_GONE = "source_gone"
"""The class of what its sources no longer send."""

_EVENTS = {
    "birth": "birth",
    "last_contact": "the last contact",
    "last_delivered": "the last delivery that told of the person",
    "adoption": "the adoption order",
    "last_child": "the last child goes",
}


@dataclass(frozen=True)
class Rule:
    """A class of the register: kept until the latest of `after`, (years, event)."""

    id: str
    title: str
    after: tuple[tuple[int, str], ...]
    after_death: tuple[int, int] | None
    basis: str
    source: str

    @property
    def words(self) -> str:
        """The rule as a sentence."""
        parts = [
            f"{_years(years)} from {_EVENTS[event]}" if years else f"when {_EVENTS[event]}"
            for years, event in self.after
        ]
        words = "kept until the later of " + " and ".join(parts) if len(parts) > 1 else parts[0]
        if self.after_death:
            years, age = self.after_death
            words += f"; {_years(years)} from death before the age of {age}"
        return words

    def due(self, person: Person) -> date | None:
        """The first day on which the class lets the person's data go; None when it can't be told."""
        if self.after_death and person.died_before(self.after_death[1]):
            assert person.death is not None, "who died has a day of death"
            return add_years(person.death, self.after_death[0])
        days = [(person.day_of(event), years) for years, event in self.after]
        if any(day is None for day, _ in days):
            return None
        return max(add_years(day, years) for day, years in days if day is not None)


@dataclass(frozen=True)
class Person:
    """What retention knows of somebody; `records` are those that the hub holds, with the day each goes."""

    child_id: str
    kind: str
    classes: tuple[str, ...]
    birth: date | None
    death: date | None
    adoption: date | None
    last_contact: date | None
    is_open: bool
    children: tuple[str, ...]
    last_delivered: date | None = None
    records: Mapping[str, date] = field(default_factory=dict)

    def day_of(self, event: str) -> date | None:
        """The day of an event; without any contact on file the last a source spoke of the person stands."""
        found: date | None = getattr(self, event, None)
        return found

    def died_before(self, age: int) -> bool:
        """Whether the person is known to have died under this age."""
        return (
            self.death is not None
            and self.birth is not None
            and self.death < add_years(self.birth, age)
        )

    @property
    def feeds(self) -> frozenset[str]:
        return frozenset(key.partition("|")[0] for key in self.records)


@dataclass(frozen=True)
class Due:
    """Somebody, or some records of somebody, whose time has come.

    held: numbers of the holds that keep it; sent_by: feeds that still send the person.
    """

    child_id: str
    rule: str
    due_on: date
    records: tuple[str, ...]
    is_whole: bool
    held: tuple[int, ...]
    sent_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What is due on a day. people: how many the hub holds; unknown: of whom no rule could tell a day."""

    as_at: date
    people: int
    due: tuple[Due, ...]
    rules: Mapping[str, Rule]
    unknown: int
    limit_percent: int

    @property
    def free(self) -> list[Due]:
        """What no hold keeps and no agency sends."""
        return [each for each in self.due if not each.held and not each.sent_by]

    @property
    def share(self) -> float:
        """The share of all people who would go whole."""
        return sum(each.is_whole for each in self.free) / max(1, self.people)

    def rows(self) -> list[dict[str, Any]]:
        """By class: how many people and records are due, how many of them are held, and the rule in words."""
        return [_row(name, self.due, self.rules) for name in (*self.rules, SOURCE_GONE)]


def _row(name: str, due: Iterable[Due], rules: Mapping[str, Rule]) -> dict[str, Any]:
    mine = [each for each in due if each.rule == name]
    free = [each for each in mine if not each.held and not each.sent_by]
    rule = rules.get(name)
    return {
        "class": name,
        "people": sum(e.is_whole for e in free),
        "records": sum(len(e.records) for e in free),
        "held": sum(bool(e.held) for e in mine),
        "still sent": sum(bool(e.sent_by) and not e.held for e in mine),
        "rule": rule.words
        if rule
        else "its agency has not sent it for the period of the agreement",
        "basis": rule.basis if rule else "agreement",
        "source": rule.source if rule else "retention of each inbound agreement",
    }


def classes(home: Home) -> frozenset[str]:
    """The classes of the register of this home's lock."""
    return frozenset(rules(policy.grants(Run.at(run_id="retention", home=home.root))))


def classes_of(run: Run) -> dict[str, tuple[str, ...]]:
    """The classes of everybody whom the last run knew; nobody's where no build was made."""
    with connect(run.home, read_only=True) as con:
        people = _people(con, {}, policy.grants(run), run.as_at)
    return {person.child_id: person.classes for person in people}


def rules(grants: Grants) -> dict[str, Rule]:
    """The rules by class, in the order of the register."""
    return {each["id"]: _rule(each) for each in grants.retention["retention"]}


def _rule(told: Mapping[str, Any]) -> Rule:
    death = told.get("after_death")
    return Rule(
        told["id"],
        told["title"],
        tuple((each["years"], each["from"]) for each in told["after"]),
        (death["years"], death["before_age"]) if death else None,
        told["basis"],
        told["source"],
    )


def plan(run: Run, as_at: date) -> Plan:
    """What is due on a day, by the data of the last run and the rules of its lock; changes nothing."""
    grants = policy.grants(run)
    register = rules(grants)
    with connect(run.home, read_only=True) as con:
        people = _people(con, run.contracts, grants, as_at)
    with Orders(run.home) as orders:
        holds = hold.standing(orders)
    days = {person.child_id: _day(person, register) for person in people}
    whole = {each.child_id: each for each in people}
    due = [one for person in people for one in _due_of(person, days, whole, holds, as_at)]
    unknown = sum(
        days[each.child_id] is None and not each.is_open and "adult" not in each.classes
        for each in people
    )
    limit = grants.retention["limit_percent"]
    return Plan(as_at, len(people), tuple(due), register, unknown, limit)


def _day(person: Person, register: Mapping[str, Rule]) -> tuple[date, str] | None:
    """The day on which the classes let somebody go, and the class that decided; None while it can't be told."""
    if person.is_open:
        return None
    found = [(register[each].due(person), each) for each in person.classes if each in register]
    if not found or any(day is None for day, _ in found):
        return None
    return max((day, each) for day, each in found if day is not None)


def _due_of(
    person: Person,
    days: Mapping[str, tuple[date, str] | None],
    people: Mapping[str, Person],
    holds: Holds,
    as_at: date,
) -> Iterator[Due]:
    is_adult = "adult" in person.classes
    told = _adults_day(person, days, people) if is_adult else days[person.child_id]
    gone = tuple(sorted(key for key, day in person.records.items() if day <= as_at))
    held = tuple(holds.of(person.child_id, person.feeds, person.classes))
    all_gone = bool(person.records) and len(gone) == len(person.records)
    if told is not None and told[0] <= as_at:
        every = tuple(sorted(person.records))
        sent_by = tuple(sorted({key.partition("|")[0] for key in set(every) - set(gone)}))
        yield Due(person.child_id, told[1], told[0], every, True, held, sent_by)
    elif all_gone:
        last = max(person.records.values())
        yield Due(person.child_id, SOURCE_GONE, last, gone, True, held)
    elif gone:
        yield from _records(person, gone, holds)


def _records(person: Person, gone: Sequence[str], holds: Holds) -> Iterator[Due]:
    """Single records, by feed: a hold on another feed keeps none of them."""
    by_feed: dict[str, list[str]] = {}
    for key in gone:
        by_feed.setdefault(key.partition("|")[0], []).append(key)
    for feed, keys in sorted(by_feed.items()):
        held = tuple(holds.of(person.child_id, [feed], person.classes))
        last = max(person.records[key] for key in keys)
        yield Due(person.child_id, SOURCE_GONE, last, tuple(keys), False, held)


def _adults_day(
    person: Person,
    days: Mapping[str, tuple[date, str] | None],
    people: Mapping[str, Person],
) -> tuple[date, str] | None:
    """When the last child goes for whose sake an adult is known."""
    children = [child for child in person.children if child in people]
    if not children:  # nobody is known for whose sake: the source's own rule decides
        return None
    each = [days[child] for child in children]
    if any(day is None for day in each):
        return None
    return (max(day[0] for day in each if day is not None), "adult")


def _people(
    con: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract], grants: Grants, as_at: date
) -> list[Person]:
    sql = resources.files(__package__).joinpath("retention.sql").read_text("utf-8")
    rows = con.execute(sql, {"as_at": as_at}).to_arrow_table().to_pylist()
    ends = _ends(con, contracts, grants)
    members: dict[str, dict[str, date]] = {}
    seen: dict[str, date] = {}
    for key, child in con.execute(
        "SELECT record_key, child_id FROM identity.child_membership"
    ).fetchall():
        if key in ends:
            last, until = ends[key]
            members.setdefault(child, {})[key] = until
            seen[child] = max(last, seen.get(child, last))
    return [
        Person(
            **{
                **row,
                "classes": tuple(row["classes"]),
                "children": tuple(row["children"]),
                "last_contact": row["last_contact"] or seen.get(row["child_id"]),
            },
            last_delivered=seen.get(row["child_id"]),
            records=members.get(row["child_id"], {}),
        )
        for row in rows
    ]


def _ends(
    con: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract], grants: Grants
) -> dict[str, tuple[date, date]]:
    """Of each record: the day it last stood in a delivery, and the day it goes when it is not sent again."""
    found: dict[str, tuple[date, date]] = {}
    for contract in contracts.values():
        period = _period(grants, contract.hub.agreement)
        tables = [contract.raw_name(t) for t in contract.tables if t.record_key]
        if period is None or not tables:
            continue
        each = " UNION ALL ".join(f"SELECT record_key, _delivery_id FROM {name}" for name in tables)
        rows = con.execute(
            f"SELECT record_key, max(delivered_at)::DATE FROM ({each}) r JOIN (SELECT delivery_id,"
            " max(delivered_at) AS delivered_at FROM meta.deliveries GROUP BY delivery_id) d"
            " ON d.delivery_id = r._delivery_id WHERE record_key IS NOT NULL GROUP BY record_key"
        ).fetchall()
        found |= {key: (last, last + period) for key, last in rows}
    return found


def _period(grants: Grants, agreement: str) -> timedelta | None:
    terms = grants.terms(agreement)
    if terms is None:
        return None
    kept = terms["retention"]
    return timedelta(days=round(days_in(kept.get("hub", kept["period"]))))


class OverLimitError(SealError):
    """More would be destroyed at once than the register lets pass without asking."""


def resume(run: Run, ordered: Ordered) -> Report:
    """Go on with an erasure of this home that was killed."""
    return erase(run, [], ordered, classes=dict)


def apply(
    run: Run, found: Plan, by: str, second: str, *, allow_share: bool = False
) -> Report | None:
    """Erase what a plan found due and no hold keeps; counts and references go to the ledger.

    None when nothing is due. Raises OverLimitError above the register's share, unless it is allowed, and
    what `erase` raises.
    """
    free = found.free
    if not free:
        return None
    if 100 * found.share > found.limit_percent and not allow_share:
        run.ledger.append("retention_stopped", as_at=str(found.as_at), due=counts(free))
        raise OverLimitError(
            f"{found.share:.0%} of all people would be erased, more than {found.limit_percent} %: look at the"
            " report, and give --allow-share when it is right"
        )
    held = sum(bool(each.held) for each in found.due)
    run.ledger.append(
        "retention_applied",
        as_at=str(found.as_at),
        by=by,
        second=second,
        due=counts(free),
        held=held,
    )
    whole = [each.child_id for each in free if each.is_whole]
    records = Records(tuple(key for each in free if not each.is_whole for key in each.records))
    reason = f"retention as at {found.as_at}"
    ordered = Ordered(by, second, reason, keeps_late_out=False)
    # Who is held was left out above, by the classes of this plan.
    return erase(run, whole, ordered, classes=dict, records=records)


def _years(number: int) -> str:
    return "1 year" if number == 1 else f"{number} years"


def add_years(day: date, years: int) -> date:
    """The same day of a later year; of 29 February, 1 March."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def counts(due: Iterable[Due]) -> dict[str, int]:
    """How many people or records of each class; for the ledger."""
    return dict(sorted(Counter(each.rule for each in due).items()))
