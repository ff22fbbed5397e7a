"""Puts together who each record is about: identity.person_records and its two companions.

A feed's people stand in the table whose contract gives a `role`; other tables of the feed add what
that one lacks (an address, an identifier), by their latest row. Values are normalised here and only
here: sex to M or F, identifiers to their valid form or NULL, default dates to NULL. Names stay as
sent: how names are compared is the linkage model's business.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import duckdb

from ffp_data.feeds.columns import literals
from ffp_data.feeds.contract import Contract, Relationship, RoleFrom, Table
from ffp_data.feeds.json_path import quote
from ffp_data.feeds.tables import create_empty_raw_tables, identity_columns
from ffp_data.identifiers import install_macros

PERSON_COLUMNS = {
    "record_key": "VARCHAR",
    "feed": "VARCHAR",
    "system": "VARCHAR",
    "source_person_id": "VARCHAR",
    "role": "VARCHAR",
    "given_name": "VARCHAR",
    "middle_names": "VARCHAR",
    "surname": "VARCHAR",
    "other_surname": "VARCHAR",
    "other_given_name": "VARCHAR",
    "date_of_birth": "DATE",
    "expected_birth_date": "DATE",
    "sex": "VARCHAR",
    "address_line": "VARCHAR",
    "postcode": "VARCHAR",
    "uprn": "VARCHAR",
    "nhs_number": "VARCHAR",
    "nhs_number_status": "VARCHAR",
    "upn": "VARCHAR",
    "former_upn": "VARCHAR",
    "pnc_id": "VARCHAR",
    "crn": "VARCHAR",
    "prison_number": "VARCHAR",
    "phone": "VARCHAR",
    "email": "VARCHAR",
    "birth_order": "INTEGER",
    "is_restricted": "BOOLEAN",
    "valid_from": "DATE",
    "delivery_id": "VARCHAR",
    "line": "BIGINT",
}
"""Columns of identity.person_records in order, with their SQL types."""

IDENTIFIER_COLUMNS = {
    "record_key": "VARCHAR",
    "identifier_type": "VARCHAR",
    "value": "VARCHAR",
    "is_valid": "BOOLEAN",
    "source": "VARCHAR",
    "delivery_id": "VARCHAR",
    "line": "BIGINT",
}
RELATIONSHIP_COLUMNS = {
    "record_key": "VARCHAR",
    "related_record_key": "VARCHAR",
    "related_name": "VARCHAR",
    "relationship": "VARCHAR",
    "source": "VARCHAR",
    "from_date": "DATE",
    "to_date": "DATE",
}

IDENTIFIERS = ("nhs_number", "upn", "former_upn", "pnc_id", "crn", "prison_number")

# Names that the Standard Safeguarding Dataset gives to identifiers in ssd_linked_identifiers
# (data-to-insight/ssd-data-model 1.4.5), in lower case.
TYPES_BY_NAME = {
    "nhs number": "nhs_number",
    "unique pupil number": "upn",
    "former unique pupil number": "former_upn",
}

RESTRICTED = ("R", "V", "REDACTED", "true")
"""FHIR confidentiality codes, and a plain flag, that mean: never use to find or show where they live."""


@dataclass(frozen=True)
class _Feed:
    """The identity tables of one feed: its people, its dated parts, its lists of identifiers."""

    contract: Contract
    people: Table
    parts: tuple[Table, ...]
    identifiers: tuple[Table, ...]

    @classmethod
    def of(cls, contract: Contract) -> _Feed | None:
        people = next((t for t in contract.tables if t.role), None)
        if people is None:
            return None
        others = [t for t in contract.tables if t.identity and t is not people]
        lists = tuple(t for t in others if "identifier_value" in identity_columns(t))
        parts = tuple(t for t in others if t not in lists and set(PERSON_COLUMNS) & _attributes(t))
        return cls(contract, people, parts, lists)


def assemble_identity(
    con: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract], *, allow_test_numbers: bool
) -> None:
    """Rebuilds identity.person_records, person_identifiers and relationships from the parts.

    `allow_test_numbers` lets NHS numbers that begin with 9, kept for tests, count as valid.
    """
    create_empty_raw_tables(con, contracts)
    install_macros(con)
    _install_cleaners(con, allow_test_numbers)
    feeds = [feed for c in contracts.values() if (feed := _Feed.of(c))]
    _rebuild(con, "person_records", PERSON_COLUMNS, [_person_sql(feed) for feed in feeds])
    identifiers = [sql for feed in feeds for sql in _identifier_sql(feed)]
    _rebuild(con, "person_identifiers", IDENTIFIER_COLUMNS, identifiers)
    ties = [
        _relationship_sql(c, t, t.relationship)
        for c in contracts.values()
        for t in c.tables
        if t.relationship
    ]
    _rebuild(con, "relationships", RELATIONSHIP_COLUMNS, ties)


def _install_cleaners(con: duckdb.DuckDBPyConnection, allow_test_numbers: bool) -> None:
    allow = str(allow_test_numbers).lower()
    con.execute(f"""
        CREATE OR REPLACE TEMP MACRO clean_nhs_number(x) AS
            nhs_number_clean(x, allow_test_numbers := {allow});
        CREATE OR REPLACE TEMP MACRO clean_sex(x) AS
            CASE upper(left(x, 1)) WHEN 'M' THEN 'M' WHEN 'F' THEN 'F' END;
        CREATE OR REPLACE TEMP MACRO clean_identifier(kind, x) AS CASE kind
            WHEN 'nhs_number' THEN clean_nhs_number(x)
            WHEN 'upn' THEN upn_clean(x)
            WHEN 'former_upn' THEN upn_clean(x)
            ELSE nullif(upper(trim(x)), '') END;
    """)


CLEANED = {
    "sex": "clean_sex({})",
    "postcode": "postcode_clean({})",
    "nhs_number": "clean_nhs_number({})",
    "upn": "upn_clean({})",
    "former_upn": "upn_clean({})",
    "pnc_id": "upper({})",
    "crn": "upper({})",
    "prison_number": "upper({})",
}


def _rebuild(
    con: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, str], selects: list[str]
) -> None:
    """Replaces identity.<name> by the union of `selects`, in an order that depends on the rows alone."""
    declared = ", ".join(f"{column} {sql_type}" for column, sql_type in columns.items())
    con.execute(f"CREATE OR REPLACE TABLE identity.{name} ({declared})")
    if selects:
        rows = " UNION ALL BY NAME ".join(f"({select})" for select in selects)
        con.execute(f"INSERT INTO identity.{name} BY NAME SELECT * FROM ({rows}) ORDER BY ALL")


def _person_sql(feed: _Feed) -> str:
    contract, people = feed.contract, feed.people
    prefix = f"{contract.id}|{contract.hub.system}|"
    joins = [
        f"JOIN meta.deliveries d ON d.delivery_id = p._delivery_id AND d.table_name = {quote(people.name)}"
        " AND d.status = 'loaded'"
    ]
    joins += [
        f"LEFT JOIN ({_latest(contract, t)}) {_alias(t)} USING (record_key)" for t in feed.parts
    ]
    joins += [
        f"LEFT JOIN ({_pivot(contract, t)}) {_alias(t)} USING (record_key)"
        for t in feed.identifiers
    ]
    if people.role_from:
        joins.append(f"LEFT JOIN {contract.raw_name(people)} r USING (record_key)")
    values = {
        "record_key": "p.record_key",
        "feed": quote(contract.id),
        "system": quote(contract.hub.system),
        "source_person_id": f"substr(p.record_key, {len(prefix) + 1})",
        "role": _role(people),
        **{name: _attribute_sql(feed, name) for name in _ATTRIBUTES},
        **_birth_sql(feed),
        "is_restricted": _restricted(people),
        "valid_from": "d.delivered_at::DATE",
        "delivery_id": "p._delivery_id",
        "line": "p._line",
    }
    selected = ", ".join(f"{sql} AS {name}" for name, sql in values.items())
    return f"SELECT {selected} FROM {contract.identity_name(people)} p {' '.join(joins)}"


_OWN_RULES = {"record_key", "feed", "system", "source_person_id", "role", "date_of_birth"}
_OWN_RULES |= {"expected_birth_date", "is_restricted", "valid_from", "delivery_id", "line"}
_ATTRIBUTES = tuple(name for name in PERSON_COLUMNS if name not in _OWN_RULES)


def _attribute_sql(feed: _Feed, name: str) -> str:
    """The people table's own value first, then what other tables of the feed say."""
    places = [f"p.{name}"] if name in _attributes(feed.people) else []
    places += [f"{_alias(t)}.{name}" for t in feed.parts if name in _attributes(t)]
    if name in TYPES_BY_NAME.values():
        places += [f"{_alias(t)}.{name}" for t in feed.identifiers]
    cleaned = [CLEANED.get(name, "{}").format(place) for place in places]
    return f"coalesce({', '.join([*cleaned, f'NULL::{PERSON_COLUMNS[name]}'])})"


def _birth_sql(feed: _Feed) -> dict[str, str]:
    """Birth dates that are real; one that lies after the delivery is an unborn child's expected date."""
    has = _attributes(feed.people)
    born = "real_date(p.date_of_birth)" if "date_of_birth" in has else "NULL::DATE"
    due = "real_date(p.expected_birth_date)" if "expected_birth_date" in has else "NULL::DATE"
    is_past = f"{born} <= d.delivered_at::DATE"
    return {
        "date_of_birth": f"CASE WHEN {is_past} THEN {born} END",
        "expected_birth_date": f"coalesce({due}, CASE WHEN NOT {is_past} THEN {born} END)",
    }


def _role(people: Table) -> str:
    said = quote(people.role or "unknown")
    return _role_from(people.role_from, said) if people.role_from else said


def _role_from(source: RoleFrom, otherwise: str) -> str:
    value = f"r.{source.column}::VARCHAR"
    cases = [
        f"WHEN {value} IN ({literals(words)}) THEN {quote(role)}"
        for role, words in (("child", source.child), ("adult", source.adult))
        if words
    ]
    return f"CASE {' '.join(cases)} ELSE {otherwise} END"


def _restricted(people: Table) -> str:
    if "restricted" not in _attributes(people):
        return "false"
    return f"coalesce(p.restricted::VARCHAR IN ({literals(RESTRICTED)}), false)"


def _latest(contract: Contract, table: Table) -> str:
    """One row for each record: the latest, and of equals the one that stands last in its file."""
    newest = "_latest DESC NULLS LAST, " if table.latest_by else ""
    return (
        f"SELECT * FROM {contract.identity_name(table)} QUALIFY row_number() OVER"
        f" (PARTITION BY record_key ORDER BY {newest}_line DESC, _delivery_id) = 1"
    )


def _pivot(contract: Contract, table: Table) -> str:
    """One row for each record with its newest valid identifier of each known type."""
    order = "_latest DESC NULLS LAST, _line DESC" if table.latest_by else "_line DESC"
    columns = ", ".join(
        f"first(value ORDER BY {order}) FILTER (kind = {quote(kind)}) AS {kind}"
        for kind in TYPES_BY_NAME.values()
    )
    named = (
        f"SELECT *, clean_identifier(kind, identifier_value) AS value"
        f" FROM (SELECT *, {_kind()} AS kind FROM {contract.identity_name(table)})"
    )
    return (
        f"SELECT record_key, {columns} FROM ({named}) WHERE value IS NOT NULL GROUP BY record_key"
    )


def _kind() -> str:
    names = " ".join(
        f"WHEN {quote(name)} THEN {quote(kind)}" for name, kind in TYPES_BY_NAME.items()
    )
    return f"CASE lower(trim(identifier_type)) {names} ELSE identifier_type END"


def _identifier_sql(feed: _Feed) -> Iterator[str]:
    """Every identifier as it was sent, beside whether it is valid."""
    for table in (feed.people, *feed.parts):
        for kind in sorted(_attributes(table) & set(IDENTIFIERS)):
            yield _assertion(feed.contract, table, quote(kind), kind)
    for table in feed.identifiers:
        yield _assertion(feed.contract, table, _kind(), "identifier_value")


def _assertion(contract: Contract, table: Table, kind: str, value: str) -> str:
    clean = f"clean_identifier({kind}, {value})"
    return (
        f"SELECT record_key, {kind} AS identifier_type, coalesce({clean}, trim({value})) AS value,"
        f" {clean} IS NOT NULL AS is_valid, {quote(f'{contract.id}.{table.name}')} AS source,"
        f" _delivery_id AS delivery_id, _line AS line"
        f" FROM {contract.identity_name(table)} WHERE {value} IS NOT NULL"
    )


def _relationship_sql(contract: Contract, table: Table, tie: Relationship) -> str:
    prefix = quote(f"{contract.id}|{contract.hub.system}|")
    kind = quote(tie.fixed) if tie.fixed else f"r.{tie.type}"
    source = f"{quote(f'{contract.id}.{table.name}')} AS source, NULL::DATE AS from_date, NULL::DATE AS to_date"
    if tie.related_key:
        other = f"{prefix} || " + " || ':' || ".join(f"r.{name}" for name in tie.related_key)
        return (
            f"SELECT r.record_key, {other} AS related_record_key, NULL::VARCHAR AS related_name,"
            f" {kind} AS relationship, {source} FROM {contract.raw_name(table)} r"
        )
    name = f"nullif(concat_ws(' ', {', '.join(f'i.{part}' for part in tie.name)}), '')"
    element = ", _element" if table.is_numbered else ""
    return (
        f"SELECT r.record_key, NULL::VARCHAR AS related_record_key, {name} AS related_name,"
        f" {kind} AS relationship, {source} FROM {contract.raw_name(table)} r"
        f" JOIN {contract.identity_name(table)} i USING (_delivery_id, _line{element})"
        f" WHERE {name} IS NOT NULL"
    )


def _attributes(table: Table) -> set[str]:
    return {p.person for p in table.properties if p.person}


def _alias(table: Table) -> str:
    return f'"part_{table.name}"'
