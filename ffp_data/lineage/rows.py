"""A delivered row as an officer reads it: feed, table, columns as sent, file, line, agreement, and how it was tied.

Values are read where the hub holds them (`raw`, `identity`). For an attribute of a person record the feed's tables are
asked in the order of `person_sql`, each by its newest row, and the first that says something is the one; a number that
a search filled or superseded leads to that search's row too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import duckdb

from ffp_data.feeds.assertions import FEED as NHS_NUMBER_SEARCH
from ffp_data.feeds.assertions import VERIFIED
from ffp_data.feeds.contract import Contract
from ffp_data.feeds.contract_table import Property, Table
from ffp_data.feeds.identifier_sql import TYPES_BY_NAME
from ffp_data.feeds.people import CLEANED, FeedPeople, attributes, install_cleaners
from ffp_data.feeds.tables import attribute
from ffp_data.identifiers import install_macros
from ffp_data.lineage.answers import Agreed, Row, SentColumn, Tie
from ffp_data.lineage.books import Books
from ffp_data.lineage.origins import Origin
from governance.syntax import quoted


class Held(NamedTuple):
    """A row of a feed's table: where it stands and what the hub holds of the columns asked for."""

    contract: Contract
    table: Table
    record_key: str | None
    values: Mapping[str, Any]
    """By column, as agreements name it."""
    delivery_id: str | None
    line: int | None
    rows: int = 1


@dataclass(frozen=True)
class Rows:
    """Reads delivered rows of one warehouse."""

    con: duckdb.DuckDBPyConnection
    contracts: Mapping[str, Contract]
    books: Books

    @classmethod
    def open(
        cls,
        con: duckdb.DuckDBPyConnection,
        contracts: Mapping[str, Contract],
        books: Books,
        *,
        allow_test_numbers: bool,
    ) -> Rows:
        """Make the cleaners that tell which table of a feed an attribute was taken from."""
        install_macros(con)
        install_cleaners(con, allow_test_numbers)
        return cls(con, contracts, books)

    def held(self, origin: Origin) -> list[Held]:
        """The rows behind an origin, usually one; none when the warehouse has it no more."""
        contract = self.contracts.get(origin.feed)
        if contract is None:
            return []
        if origin.attributes:
            return list(self._of_person(contract, origin))
        if origin.table is None or origin.table not in contract.by_name:
            return []
        table = contract.by_name[origin.table]
        if origin.line is None and origin.delivery_id is None and origin.table == "marks":
            return [self._counted(contract, table, origin)]
        return list(self._placed(contract, table, origin))

    def told(self, held: Held, ties: Mapping[str, Tie], *, hidden: bool) -> Row:
        """The row in full; without keys, names, lines and values where the child must not be located."""
        file = self.books.file(held.delivery_id, held.contract.id, held.table.name)
        columns = [
            SentColumn(
                column=name,
                as_sent=as_sent(held.table.by_name[name]),
                value=None if hidden or value is None else str(value),
            )
            for name, value in held.values.items()
        ]
        return Row(
            feed=held.contract.id,
            table=held.table.name,
            record_key=None if hidden else held.record_key,
            columns=columns,
            delivery_id=held.delivery_id,
            file_name=None if hidden or file is None else file.name,
            received=file.received if file else None,
            line=None if hidden else held.line,
            rows=held.rows,
            agreed=self._agreed(held),
            tie=ties.get(held.record_key or ""),
        )

    def _agreed(self, held: Held) -> Agreed | None:
        place = (held.contract.id, held.table.name)
        return self.books.agreed(held.delivery_id, *place, tuple(held.values))

    def _placed(self, contract: Contract, table: Table, origin: Origin) -> Iterator[Held]:
        """The row at a line; where several rows stand on one line, that of the record."""
        for relation, names in self._halves(contract, table, origin.columns):
            tests = ["record_key IS NOT DISTINCT FROM ?"]
            values: list[Any] = [origin.record_key]
            if not table.record_key or origin.record_key is None:
                tests, values = [], []
            if origin.line is not None:
                tests += ["_delivery_id = ?", "_line = ?"]
                values += [origin.delivery_id, origin.line]
            shown = ", ".join(quoted(held) for held in names.values())
            newest = "ORDER BY _line DESC, _delivery_id LIMIT 1"
            found = self.con.execute(
                f"SELECT _delivery_id, _line{', ' if shown else ''}{shown} FROM {relation} "
                f"WHERE {' AND '.join(tests)} {newest}",
                values,
            ).fetchone()
            if found:
                said = dict(zip(names, found[2:], strict=True))
                yield Held(contract, table, origin.record_key, said, found[0], found[1])

    @staticmethod
    def _halves(
        contract: Contract, table: Table, columns: Iterable[str]
    ) -> Iterator[tuple[str, dict[str, str]]]:
        """The payload and the identity half of a table that hold these columns, with their names there."""
        wanted = set(columns)
        payload = {p.name: p.name for p in table.payload if p.name in wanted}
        identity = {p.name: attribute(p) for p in table.identity if p.name in wanted}
        if payload or not identity:
            yield contract.raw_name(table), payload
        if identity:
            yield contract.identity_name(table), identity

    def _counted(self, contract: Contract, table: Table, origin: Origin) -> Held:
        """Marks are counted, not listed: how many of the record were."""
        found = self.con.execute(
            "SELECT coalesce(sum(session_count), 0)::BIGINT FROM intermediate.int_attendance__by_code "
            "WHERE record_key = ?",
            [origin.record_key],
        ).fetchall()
        names = dict.fromkeys(n for n in origin.columns if n in table.by_name)
        return Held(contract, table, origin.record_key, names, None, None, int(found[0][0]))

    def _of_person(self, contract: Contract, origin: Origin) -> Iterator[Held]:
        """The rows that a record's own attributes stand in, each once."""
        found: dict[tuple[str, str | None, int | None], Held] = {}
        for name in origin.attributes:
            for held in self._attribute(contract, origin.record_key or "", name):
                place = (held.contract.id + "." + held.table.name, held.delivery_id, held.line)
                earlier = found.get(place)
                values = {**(earlier.values if earlier else {}), **held.values}
                found[place] = held._replace(values=values)
        yield from found.values()

    def _attribute(self, contract: Contract, key: str, name: str) -> Iterator[Held]:
        if name in ("nhs_number", "nhs_number_status") and (searched := self._searched(key)):
            yield searched
            if searched.values and self._fills(key):
                return
        for people in self.people.get(contract.id, ()):
            for table, props, sql in _places(people, name):
                if held := self._newest(contract, table, props, sql, key):
                    yield held
                    return

    @cached_property
    def people(self) -> Mapping[str, tuple[FeedPeople, ...]]:
        """The lists of people of each feed."""
        return {name: tuple(FeedPeople.of(c)) for name, c in self.contracts.items()}

    def _newest(
        self,
        contract: Contract,
        table: Table,
        props: tuple[Property, ...],
        sql: str,
        key: str,
    ) -> Held | None:
        """The row of a table that speaks for a record, when it says something of the attribute."""
        newest = "_latest DESC NULLS LAST, " if table.latest_by else ""
        relation = contract.identity_name(table)
        raw = [p.name for p in props if not p.is_identity]
        shown = ", ".join(quoted(p.name) if p.name in raw else quoted(attribute(p)) for p in props)
        source = f"{relation} AS i"
        if raw:
            relation = contract.raw_name(table)
            source, newest = f"{relation} AS i", ""
        found = self.con.execute(
            f"SELECT _delivery_id, _line, {shown}, {sql} FROM {source} WHERE record_key = ? "
            f"ORDER BY {newest}_line DESC, _delivery_id LIMIT 1",
            [key],
        ).fetchone()
        if found is None or found[-1] is None:
            return None
        said = dict(zip([p.name for p in props], found[2:-1], strict=True))
        return Held(contract, table, key, said, found[0], found[1])

    def _fills(self, key: str) -> bool:
        found = self.con.execute(
            "SELECT nhs_number_status FROM identity.person_records WHERE record_key = ?", [key]
        ).fetchone()
        return found is not None and found[0] == VERIFIED

    def _searched(self, key: str) -> Held | None:
        """The answer of a search for NHS numbers that filled this record's number, or said what replaced it."""
        search = self.contracts.get(NHS_NUMBER_SEARCH)
        found = self.con.execute(
            "SELECT delivery_id, line FROM identity.nhs_number_assertions "
            "WHERE record_key = ? AND effect IN ('fills', 'supersedes') "
            "ORDER BY effect, asserted_on DESC, delivery_id, line LIMIT 1",
            [key],
        ).fetchone()
        if search is None or found is None:
            return None
        for table in search.tables:
            props = [p for p in table.properties if p.name == "nhs_number"]
            for relation, names in self._halves(search, table, [p.name for p in props]):
                if not names:
                    continue
                said = self.con.execute(
                    f"SELECT {', '.join(names.values())} FROM {relation} "
                    "WHERE _delivery_id = ? AND _line = ? LIMIT 1",
                    list(found),
                ).fetchone()
                if said:
                    values = dict(zip(names, said, strict=True))
                    return Held(search, table, key, values, found[0], found[1])
        return None


def _places(people: FeedPeople, name: str) -> Iterator[tuple[Table, tuple[Property, ...], str]]:
    """Tables of the feed that may say an attribute, in the order in which `person_sql` asks them.

    With each, the properties that say it and the SQL of the value, NULL where it says nothing.
    """
    table = people.people
    if name == "record_key":
        keys = [table.by_name[n] for n in table.record_key]
        yield table, tuple([p for p in keys if not p.is_identity] or keys), "1"
        return
    if name == "is_restricted":
        yield from _saying(table, "restricted", "i.restricted")
        return
    if name == "expected_birth_date":
        yield from _saying(table, name, "real_date(i.expected_birth_date)")
        yield from _saying(table, "date_of_birth", "real_date(i.date_of_birth)")
        return
    for part in (table, *people.parts):
        yield from _saying(part, name, CLEANED.get(name, "{}").format(f"i.{name}"))
    kinds = [word for word, kind in TYPES_BY_NAME.items() if kind == name]
    for part in people.identifiers:
        if kinds:
            listed = ", ".join(f"'{word}'" for word in kinds)
            yield (
                part,
                tuple(p for p in part.identity),
                f"CASE WHEN lower(trim(identifier_type)) IN ({listed}) "
                f"THEN clean_identifier('{name}', identifier_value) END",
            )


def _saying(table: Table, name: str, sql: str) -> Iterator[tuple[Table, tuple[Property, ...], str]]:
    if name in attributes(table):
        yield table, tuple(p for p in table.identity if p.person == name), sql


def as_sent(prop: Property) -> str:
    """How the file calls a column: its header, or the path to it."""
    if prop.path and not prop.from_:
        return prop.path
    inside = f" ({prop.path or ', '.join(prop.join)})" if prop.from_ else ""
    return prop.header + inside
