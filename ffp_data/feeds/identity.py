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

from ffp_data.feeds.assertions import assert_nhs_numbers
from ffp_data.feeds.columns import literals
from ffp_data.feeds.contract import Contract
from ffp_data.feeds.contract_table import Relationship, RoleFrom, Table
from ffp_data.feeds.json_path import quote
from ffp_data.feeds.registry import code_lists
from ffp_data.feeds.tables import create_empty_raw_tables, identity_columns
from ffp_data.feeds.vocabulary import PERSON_ATTRIBUTES
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
    "replaced_by": "VARCHAR",
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

_PREFIX = r"^[^|]*\|[^|]*\|"
"""Feed and system, with which every record key begins."""

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
    def of(cls, contract: Contract) -> Iterator[_Feed]:
        """One for each list of people; their ids must not overlap, and parts may add to any of them."""
        others = [t for t in contract.tables if t.identity and not t.role]
        lists = tuple(t for t in others if "identifier_value" in identity_columns(t))
        parts = tuple(t for t in others if t not in lists and set(PERSON_COLUMNS) & _attributes(t))
        for people in contract.tables:
            if people.role:
                yield cls(contract, people, parts, lists)


def assemble_identity(
    con: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract], *, allow_test_numbers: bool
) -> None:
    """Rebuilds identity.person_records, person_identifiers and relationships from the parts.

    `allow_test_numbers` lets NHS numbers that begin with 9, kept for tests, count as valid.
    """
    create_empty_raw_tables(con, contracts)
    install_macros(con)
    _install_cleaners(con, allow_test_numbers)
    feeds = [feed for c in contracts.values() for feed in _Feed.of(c)]
    _rebuild(con, "person_records", PERSON_COLUMNS, [_person_sql(feed) for feed in feeds])
    identifiers = sorted({sql for feed in feeds for sql in _identifier_sql(feed)})
    _rebuild(con, "person_identifiers", IDENTIFIER_COLUMNS, identifiers)
    ties = [
        sql
        for c in contracts.values()
        for t in c.tables
        if t.relationship
        for sql in _relationship_sql(c, t, t.relationship)
    ]
    _rebuild(con, "relationships", RELATIONSHIP_COLUMNS, ties)
    assert_nhs_numbers(con, contracts)


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
    "date_of_birth": "real_date({})",
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
    if people.role_from or people.person_if or people.merged_into:
        joins.append(f"LEFT JOIN {contract.raw_name(people)} r USING (record_key)")
    values = {
        "record_key": "p.record_key",
        "feed": quote(contract.id),
        # Not the contract's: a council may send drops out of several case systems.
        "system": "split_part(p.record_key, '|', 2)",
        "source_person_id": f"regexp_replace(p.record_key, {quote(_PREFIX)}, '')",
        "role": _role(people),
        **{name: _attribute_sql(feed, name) for name in _ATTRIBUTES},
        **_birth_sql(feed),
        "is_restricted": _restricted(people),
        "replaced_by": _replaced_by(people),
        "valid_from": "d.delivered_at::DATE",
        "delivery_id": "p._delivery_id",
        "line": "p._line",
    }
    selected = ", ".join(f"{sql} AS {name}" for name, sql in values.items())
    return (
        f"SELECT {selected} FROM {contract.identity_name(people)} p {' '.join(joins)}"
        f" WHERE {_is_known(people, 'p')} AND {_is_meant(people)}"
    )


_BIRTHS = {"date_of_birth", "expected_birth_date"}  # have rules of their own
_ATTRIBUTES = tuple(n for n in PERSON_COLUMNS if n in PERSON_ATTRIBUTES and n not in _BIRTHS)


def _attribute_sql(feed: _Feed, name: str) -> str:
    """The people table's own value first, then what other tables of the feed say."""
    places = [_said(feed.people, "p", name)] if name in _attributes(feed.people) else []
    places += [_said(t, _alias(t), name) for t in feed.parts if name in _attributes(t)]
    if name in TYPES_BY_NAME.values():
        places += [f"{_alias(t)}.{name}" for t in feed.identifiers]
    cleaned = [CLEANED.get(name, "{}").format(place) for place in places]
    return f"coalesce({', '.join([*cleaned, f'NULL::{PERSON_COLUMNS[name]}'])})"


def _said(table: Table, alias: str, name: str) -> str:
    """The value as sent; a sex that is told by a listed key is taken by the key's meaning."""
    codes = next(p.codes for p in table.properties if p.person == name)
    if name != "sex" or not isinstance(codes, str):
        return f"{alias}.{name}"
    meanings = (f"{quote(k)}: {quote(v)}" for k, v in code_lists()[codes].meanings().items())
    return f"MAP {{{', '.join(meanings)}}}[{alias}.{name}]"


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


def _is_known(people: Table, identity: str) -> str:
    """Whether a row says enough of somebody to be a record of them."""
    names = people.person_if.known if people.person_if else ()
    values = [CLEANED.get(name, "{}").format(f"{identity}.{name}") for name in names]
    return " AND ".join(f"{value} IS NOT NULL" for value in values) or "true"


def _is_meant(people: Table) -> str:
    """Whether a row is one of those that may become a record; NULL counts as no."""
    when = people.person_if.when if people.person_if else {}
    tests = [f"r.{name}::VARCHAR IN ({literals(words)})" for name, words in when.items()]
    return " AND ".join(tests) or "true"


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


def _replaced_by(people: Table) -> str:
    """The record in which the sender says that this one has been merged."""
    if people.merged_into is None:
        return "NULL::VARCHAR"
    survivor = f"regexp_extract(p.record_key, {quote(_PREFIX)}) || r.{people.merged_into}"
    return f"nullif({survivor}, p.record_key)"


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


def _relationship_sql(contract: Contract, table: Table, tie: Relationship) -> Iterator[str]:
    """Ties by id; ties to a name alone; both where some rows of a list of people are only names."""
    wanted = _is_meant(table)
    other = _key_of_other(tie) if tie.related_key else "NULL"
    if tie.related_key:
        known = f"{wanted} AND {_is_known(table, 'i')} AND {other} IS NOT NULL"
        yield _tie(contract, table, ("r.record_key", other, "NULL", _word(table, tie)), known)
    if tie.name:
        whose, word = ("r.record_key", tie.word) if not tie.related_key else (other, "meaning")
        name = f"nullif(concat_ws(' ', {', '.join(f'i.{part}' for part in tie.name)}), '')"
        only_named = f"NOT ({_is_known(table, 'i')})" if tie.related_key else "true"
        named = f"{wanted} AND {only_named} AND {whose} IS NOT NULL AND {name} IS NOT NULL"
        yield _tie(contract, table, (whose, "NULL", name, _word(table, tie, word)), named)


def _tie(contract: Contract, table: Table, said: tuple[str, str, str, str], where: str) -> str:
    """Rows of identity.relationships: `said` is whose, other's key, other's name, what the other is."""
    whose, other, name, word = said
    rows = f"{contract.raw_name(table)} r"
    if table.identity:
        element = ", _element" if table.is_numbered else ""
        rows += f" JOIN {contract.identity_name(table)} i USING (_delivery_id, _line{element})"
    return (
        f"SELECT {whose} AS record_key, {other}::VARCHAR AS related_record_key,"
        f" {name}::VARCHAR AS related_name, {word} AS relationship,"
        f" {quote(f'{contract.id}.{table.name}')} AS source, NULL::DATE AS from_date,"
        f" NULL::DATE AS to_date FROM {rows} WHERE {where}"
    )


def _key_of_other(tie: Relationship) -> str:
    """The other person is of the same system as the row's own."""
    prefix = f"regexp_extract(r.record_key, {quote(_PREFIX)})"
    return f"{prefix} || " + " || ':' || ".join(f"r.{name}" for name in tie.related_key)


def _word(table: Table, tie: Relationship, word: str | None = None) -> str:
    """What the other person is: fixed, as sent, or the word of the code's list."""
    if tie.type is None:
        return quote(tie.fixed or "")
    codes = table.by_name[tie.type].codes
    if not isinstance(codes, str):
        return f"r.{tie.type}"
    words = {
        code: entry.get(word or tie.word, code) if isinstance(entry, dict) else entry
        for code, entry in code_lists()[codes].values.items()
    }
    pairs = ", ".join(f"{quote(code)}: {quote(text)}" for code, text in words.items())
    return f"MAP {{{pairs}}}[r.{tie.type}]"


def _attributes(table: Table) -> set[str]:
    return {p.person for p in table.properties if p.person}


def _alias(table: Table) -> str:
    return f'"part_{table.name}"'
