"""From a stored column to the columns of the feeds that fill it, as the contracts say.

`raw.<feed>__<table>` and `identity.<feed>__<table>` are a feed's own. `identity.person_records` and its companions, and
the facts that contracts declare, hold the rows of many feeds: for each of their columns the contracts name the
properties that fill it, and those that decide which rows there are. Which records are one person was worked out by
linkage, from everything that says who somebody is: `LINKAGE` names that apart, or every column would seem to rest on
every name. What no feed sent (code lists, bank holidays, what the hub knows of its feeds) comes from nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ffp_data.feeds.assertions import FEED as NHS_NUMBER_SEARCH
from ffp_data.feeds.contract import Contract
from ffp_data.feeds.contract_table import Property, Table
from ffp_data.feeds.facts import EVENTS, INVOLVEMENTS
from ffp_data.feeds.identifier_sql import IDENTIFIERS
from ffp_data.feeds.people import FeedPeople
from ffp_data.feeds.tables import attribute, identity_columns, raw_columns
from governance.readset import ROWS

LINKAGE = frozenset({"identity.child_membership", "identity.children"})
"""What linkage and the hub say: which record is whose."""


class FeedColumn(NamedTuple):
    """A column as agreements name it. ``column`` is ROWS where only a row's being there counts."""

    feed: str
    table: str
    column: str


class Fill(NamedTuple):
    """What fills a stored column: the values, and what chose among them or among the rows."""

    values: frozenset[FeedColumn]
    choice: frozenset[FeedColumn]


@dataclass
class Filled:
    """What fills each column of the stored tables; what decides on rows alone stands under ROWS."""

    _values: dict[tuple[str, str], set[FeedColumn]] = field(default_factory=dict)
    _choice: dict[tuple[str, str], set[FeedColumn]] = field(default_factory=dict)

    @classmethod
    def by(cls, contracts: Mapping[str, Contract]) -> Filled:
        """What the feeds of these contracts fill."""
        filled = cls()
        for contract in contracts.values():
            for table in contract.tables:
                _own(filled, contract, table)
                _declared(filled, contract, table)
                _relationship(filled, contract, table)
            for people in FeedPeople.of(contract):
                _person(filled, people)
                _identifiers(filled, people)
        _asserted(filled, contracts)
        return filled

    def of(self, relation: str, column: str) -> Fill:
        """What fills one column, or with ROWS what decides on the rows."""
        place = (relation, column)
        rows = self._choice.get((relation, ROWS), set())
        return Fill(
            frozenset(self._values.get(place, ())), frozenset(rows | self._choice.get(place, set()))
        )

    def add(self, relation: str, column: str, values: Iterable[FeedColumn]) -> None:
        """These fill the column."""
        self._values.setdefault((_plain(relation), column), set()).update(values)

    def add_choice(self, relation: str, column: str, chosen_by: Iterable[FeedColumn]) -> None:
        """These choose among its values; under ROWS, among the rows."""
        self._choice.setdefault((_plain(relation), column), set()).update(chosen_by)


def _of(contract: Contract, table: Table, names: Iterable[str | None]) -> set[FeedColumn]:
    return {FeedColumn(contract.id, table.name, name) for name in names if name}


def _plain(name: str) -> str:
    return name.replace('"', "")


def _own(filled: Filled, contract: Contract, table: Table) -> None:
    """The two tables of one table of a feed; a delivery or a line says only that the row is there."""
    for relation, columns, held in (
        (contract.raw_name(table), raw_columns(table), {p.name: p for p in table.payload}),
        (
            contract.identity_name(table),
            identity_columns(table),
            {attribute(p): p for p in table.identity},
        ),
    ):
        filled.add_choice(relation, ROWS, _of(contract, table, [ROWS]))
        for column in columns:
            filled.add(relation, column, _of(contract, table, _own_names(table, column, held)))


def _own_names(table: Table, column: str, held: Mapping[str, Property]) -> list[str | None]:
    if column == "record_key":
        return list(table.record_key)
    if column == "_latest":
        return [table.latest_by]
    if column == "identifier_type":
        return [p.identifier_type for p in table.identity]
    prop = held.get(column) or table.by_name.get(column)
    return [prop.name] if prop else []


def _person(filled: Filled, people: FeedPeople) -> None:
    """One list of people in identity.person_records, with the tables that add to it."""
    contract, table = people.contract, people.people
    relation = "identity.person_records"
    chosen = table.person_if
    known = [p.name for p in table.properties if chosen and p.person in chosen.known]
    rows = _of(contract, table, [ROWS, *known, *(chosen.when if chosen else ())])
    filled.add_choice(relation, ROWS, rows)
    for column in ("record_key", "source_person_id"):
        filled.add(relation, column, _of(contract, table, table.record_key))
    filled.add(relation, "replaced_by", _of(contract, table, [table.merged_into]))
    if table.role_from:
        filled.add(relation, "role", _of(contract, table, [table.role_from.column]))
    for part in (table, *people.parts):
        for prop in part.identity:
            for column in _columns_of_person(prop):
                filled.add(relation, column, _of(contract, part, [prop.name]))
                filled.add_choice(relation, column, _of(contract, part, [part.latest_by]))
    for part in people.identifiers:
        types = [part.latest_by, *(p.identifier_type for p in part.identity)]
        for column in IDENTIFIERS:
            filled.add(relation, column, _of(contract, part, [p.name for p in part.identity]))
            filled.add_choice(relation, column, _of(contract, part, types))


def _columns_of_person(prop: Property) -> tuple[str, ...]:
    """A birth date that lies ahead is told as the expected one."""
    if prop.person == "date_of_birth":
        return ("date_of_birth", "expected_birth_date")
    return ("is_restricted",) if prop.person == "restricted" else (prop.person or "",)


def _identifiers(filled: Filled, people: FeedPeople) -> None:
    contract, relation = people.contract, "identity.person_identifiers"
    for table in (people.people, *people.parts, *people.identifiers):
        held = [p for p in table.identity if p.person in IDENTIFIERS or p.identifier_type]
        if not held:
            continue
        values = _of(contract, table, [p.name for p in held])
        filled.add_choice(relation, ROWS, values | _of(contract, table, [ROWS]))
        filled.add(relation, "record_key", _of(contract, table, table.record_key))
        filled.add(
            relation, "identifier_type", _of(contract, table, [p.identifier_type for p in held])
        )
        for column in ("value", "is_valid"):
            filled.add(relation, column, values)


def _relationship(filled: Filled, contract: Contract, table: Table) -> None:
    tie = table.relationship
    if tie is None:
        return
    relation = "identity.relationships"
    chosen = table.person_if
    names = [p.name for p in table.properties if p.person in tie.name]
    marks = [p.name for p in table.properties if chosen and p.person in chosen.known]
    rows = [ROWS, *marks, *names, *tie.related_key, *(chosen.when if chosen else ())]
    filled.add_choice(relation, ROWS, _of(contract, table, rows))
    whose = _of(contract, table, [*table.record_key, *tie.related_key])
    filled.add(relation, "record_key", whose)
    filled.add(relation, "related_record_key", _of(contract, table, tie.related_key))
    filled.add(relation, "related_name", _of(contract, table, names))
    filled.add(relation, "relationship", _of(contract, table, [tie.type]))


def _declared(filled: Filled, contract: Contract, table: Table) -> None:
    """What `facts:` of a contract makes of a row."""
    for event in table.facts.events:
        told: dict[str, Iterable[str | None]] = {
            "record_key": table.record_key,
            "event_date": [event.date],
            "summary": event.places,
            "guarded_summary": event.places,
        }
        _fact(filled, EVENTS, contract, table, [ROWS, event.date, *event.when], told)
    for spell in table.facts.involvements:
        edges = ("since", "until", "contact_name", "contact_phone", "team")
        told = {edge: [getattr(spell, edge)] for edge in edges}
        told |= {"record_key": table.record_key, "is_withheld": [spell.withheld]}
        _fact(filled, INVOLVEMENTS, contract, table, [ROWS, *spell.when], told)


def _fact(
    filled: Filled,
    relation: str,
    contract: Contract,
    table: Table,
    rows: Iterable[str],
    told: Mapping[str, Iterable[str | None]],
) -> None:
    filled.add_choice(relation, ROWS, _of(contract, table, rows))
    for column, names in told.items():
        filled.add(relation, column, _of(contract, table, names))


def _asserted(filled: Filled, contracts: Mapping[str, Contract]) -> None:
    """What a search for NHS numbers said; its tier weighs all that was asked and answered."""
    search = contracts.get(NHS_NUMBER_SEARCH)
    if search is None:
        return
    said = {
        f for t in search.tables for f in _of(search, t, [ROWS, *(p.name for p in t.properties)])
    }
    numbers = {
        FeedColumn(search.id, t.name, p.name)
        for t in search.tables
        for p in t.properties
        if p.person == "nhs_number" or p.name == "nhs_number"
    }
    for relation in _ASSERTED:
        filled.add_choice(relation, ROWS, said)
    for relation, column in _NUMBERS:
        filled.add(relation, column, numbers)
        filled.add_choice(relation, column, said)


_ASSERTED = ("identity.nhs_number_assertions", "identity.superseded_nhs_numbers")
_NUMBERS = (
    ("identity.nhs_number_assertions", "nhs_number"),
    ("identity.superseded_nhs_numbers", "nhs_number"),
    ("identity.person_identifiers", "value"),
    ("identity.person_records", "nhs_number"),
    ("identity.person_records", "nhs_number_status"),
)
