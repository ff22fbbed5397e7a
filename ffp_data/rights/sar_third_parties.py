"""Marks what tells of somebody else in a child's records, for an officer to decide on.

What a contract says names another person (a parent's name, the id of a related person) is marked by its
column; free text is marked whole, since it may name who told of a worry; and every other value is
searched for names, numbers, telephones and addresses of the child's family and household as any agency
knows them. Practitioners are named in their work and are not marked. Marking too much costs an officer a
look; marking too little tells somebody where another person lives.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import duckdb

from ffp_data.feeds.contract_table import Table

FREE_TEXT = "free text: read it, it may name others or who told of a worry"
_COLUMN = "names another person"
_PLACE = "a place that is not among the child's own addresses"
_SHORTEST = 3
_PEOPLE = """
SELECT given_name, surname, other_given_name, other_surname, nhs_number, upn, phone, email, postcode, address_line,
       pnc_id, crn, prison_number, strftime(date_of_birth, '%Y-%m-%d') AS born
FROM identity.person_records WHERE list_contains(?, record_key)
"""
_RELATED = """
SELECT DISTINCT record FROM (
    SELECT related_record_key AS record, record_key AS own FROM identity.relationships
    UNION ALL SELECT record_key, related_record_key FROM identity.relationships)
WHERE list_contains(?, own) AND record IS NOT NULL AND NOT list_contains(?, record)
"""
_NAMED = """
SELECT DISTINCT related_name FROM identity.relationships
WHERE list_contains(?, record_key) AND related_name IS NOT NULL
"""


@dataclass(frozen=True)
class Others:
    """Texts that stand for other people: searched for as whole words, in any case."""

    words: Mapping[str, str]
    own_places: frozenset[str] = frozenset()
    _pattern: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        listed = "|".join(re.escape(w) for w in sorted(self.words, key=len, reverse=True))
        pattern = re.compile(rf"(?<!\w)(?:{listed})(?!\w)" if listed else r"(?!)")
        object.__setattr__(self, "_pattern", pattern)

    def mark(self, value: str) -> str | None:
        """Why a value must be looked at; None where it names nobody known."""
        found = self._pattern.search(value.casefold())
        return self.words[found.group()] if found else None


def others_of(con: duckdb.DuckDBPyConnection, records: Collection[str]) -> Others:
    """The family and household of the holder of these records, and what names each of them."""
    own = list(records)
    mine = _texts(con.execute(_PEOPLE, [own]).fetchall())
    related = [row[0] for row in con.execute(_RELATED, [own, own]).fetchall()]
    words: dict[str, str] = {}
    for text in _texts(con.execute(_PEOPLE, [_whole(con, related)]).fetchall()) - mine:
        words[text] = "names a member of the family or household"
    for (name,) in con.execute(_NAMED, [own]).fetchall():
        for text in _name_parts(name) - mine:
            words[text] = "names a member of the family or household"
    return Others(words)


def _whole(con: duckdb.DuckDBPyConnection, records: list[str]) -> list[str]:
    """All records of the people of these records."""
    query = (
        "SELECT m.record_key FROM identity.child_membership m WHERE m.child_id IN"
        " (SELECT child_id FROM identity.child_membership WHERE list_contains(?, record_key))"
    )
    return sorted({row[0] for row in con.execute(query, [records]).fetchall()} | set(records))


def _texts(rows: Iterable[tuple[str | None, ...]]) -> set[str]:
    found: set[str] = set()
    for given, surname, other_given, other_surname, *rest in rows:
        for name in (given, surname, other_given, other_surname):
            found |= _name_parts(name or "")
        found |= {value.casefold() for value in rest if value}
    return found


def _name_parts(name: str) -> set[str]:
    parts = {part.casefold() for part in re.findall(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", name)}
    return {part for part in parts if len(part) >= _SHORTEST}


def marks_of(table: Table, facts: Mapping[str, str], others: Others) -> dict[str, str]:
    """Name of each fact of a delivered row that must be looked at, and why."""
    marks = {}
    naming = _naming_columns(table)
    for name, value in facts.items():
        if name in naming:
            marks[name] = _COLUMN
        elif table.by_name.get(name) and table.by_name[name].category == "free_text":
            marks[name] = FREE_TEXT
        elif found := others.mark(value):
            marks[name] = found
    return marks


def marks_in(
    facts: Mapping[str, str], others: Others, naming: Collection[str] = ()
) -> dict[str, str]:
    """The same for what the hub made: columns ``naming`` others, and values that name one."""
    marks = {name: found for name, value in facts.items() if (found := others.mark(value))}
    return marks | {name: _COLUMN for name in facts if name in naming}


def case_marks(
    facts: Mapping[str, str], marks: Mapping[str, str], own_places: Collection[str]
) -> dict[str, str]:
    """Of a case that several people share, places that are not the child's are somebody's too."""
    places = {
        name: _PLACE
        for name, value in facts.items()
        if re.search("postcode|location|address", name) and value.casefold() not in own_places
    }
    return {**places, **marks}


def _naming_columns(table: Table) -> frozenset[str]:
    """Columns that the contract says are of somebody else: a relation's name and key."""
    said: set[str] = set()
    if relationship := table.relationship:
        said |= set(relationship.related_key) if not table.role else set()
        persons = set(relationship.name)
        said |= {p.name for p in table.properties if p.person in persons} | persons
    said |= set(table.related_key)
    return frozenset(said)
