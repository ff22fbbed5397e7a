"""SQL of identity.person_records: one row for each person's record, from the tables of its feed.

What the list of people lacks comes from the feed's other tables, by their latest row. Names stay as sent:
how names are compared is the linkage model's business.
"""

from __future__ import annotations

from ffp_data.feeds.contract import Contract
from ffp_data.feeds.contract_table import RoleFrom, Table
from ffp_data.feeds.identifier_sql import TYPES_BY_NAME, newest_by_type
from ffp_data.feeds.people import (
    CLEANED,
    KEY_PREFIX,
    PERSON_COLUMNS,
    FeedPeople,
    attributes,
    is_known,
    is_meant,
)
from ffp_data.feeds.registry import code_lists
from ffp_data.feeds.vocabulary import PERSON_ATTRIBUTES
from ffp_data.sql_text import literal, literals

RESTRICTED = ("R", "V", "REDACTED", "true")
"""FHIR confidentiality codes, and a plain flag, that mean: never use to find or show where they live."""
_BIRTHS = {"date_of_birth", "expected_birth_date"}  # have rules of their own
_ATTRIBUTES = tuple(n for n in PERSON_COLUMNS if n in PERSON_ATTRIBUTES and n not in _BIRTHS)


def person_sql(feed: FeedPeople) -> str:
    """The rows of identity.person_records of one list of people."""
    contract, people = feed.contract, feed.people
    joins = [
        f"JOIN meta.deliveries d ON d.delivery_id = p._delivery_id AND d.table_name = {literal(people.name)}"
        " AND d.status = 'loaded'"
    ]
    joins += [
        f"LEFT JOIN ({_latest(contract, t)}) {_alias(t)} USING (record_key)" for t in feed.parts
    ]
    joins += [
        f"LEFT JOIN ({newest_by_type(contract, t)}) {_alias(t)} USING (record_key)"
        for t in feed.identifiers
    ]
    if people.role_from or people.person_if or people.merged_into:
        joins.append(f"LEFT JOIN {contract.raw_name(people)} r USING (record_key)")
    values = {
        "record_key": "p.record_key",
        "feed": literal(contract.id),
        # Not the contract's: a council may send drops out of several case systems.
        "system": "split_part(p.record_key, '|', 2)",
        "source_person_id": f"regexp_replace(p.record_key, {literal(KEY_PREFIX)}, '')",
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
        f" WHERE {is_known(people, 'p')} AND {is_meant(people)}"
    )


def _attribute_sql(feed: FeedPeople, name: str) -> str:
    """The people table's own value first, then what other tables of the feed say."""
    places = [_said(feed.people, "p", name)] if name in attributes(feed.people) else []
    places += [_said(t, _alias(t), name) for t in feed.parts if name in attributes(t)]
    if name in TYPES_BY_NAME.values():
        places += [f"{_alias(t)}.{name}" for t in feed.identifiers]
    cleaned = [CLEANED.get(name, "{}").format(place) for place in places]
    return f"coalesce({', '.join([*cleaned, f'NULL::{PERSON_COLUMNS[name]}'])})"


def _said(table: Table, alias: str, name: str) -> str:
    """The value as sent; a sex that is told by a listed key is taken by the key's meaning."""
    codes = next(p.codes for p in table.properties if p.person == name)
    if name != "sex" or not isinstance(codes, str):
        return f"{alias}.{name}"
    meanings = (f"{literal(k)}: {literal(v)}" for k, v in code_lists()[codes].meanings().items())
    return f"MAP {{{', '.join(meanings)}}}[{alias}.{name}]"


def _birth_sql(feed: FeedPeople) -> dict[str, str]:
    """Birth dates that are real; one that lies after the delivery is an unborn child's expected date."""
    has = attributes(feed.people)
    born = "real_date(p.date_of_birth)" if "date_of_birth" in has else "NULL::DATE"
    due = "real_date(p.expected_birth_date)" if "expected_birth_date" in has else "NULL::DATE"
    is_past = f"{born} <= d.delivered_at::DATE"
    return {
        "date_of_birth": f"CASE WHEN {is_past} THEN {born} END",
        "expected_birth_date": f"coalesce({due}, CASE WHEN NOT {is_past} THEN {born} END)",
    }


def _role(people: Table) -> str:
    said = literal(people.role or "unknown")
    return _role_from(people.role_from, said) if people.role_from else said


def _role_from(source: RoleFrom, otherwise: str) -> str:
    value = f"r.{source.column}::VARCHAR"
    cases = [
        f"WHEN {value} IN ({literals(words)}) THEN {literal(role)}"
        for role, words in (("child", source.child), ("adult", source.adult))
        if words
    ]
    return f"CASE {' '.join(cases)} ELSE {otherwise} END"


def _restricted(people: Table) -> str:
    if "restricted" not in attributes(people):
        return "false"
    return f"coalesce(p.restricted::VARCHAR IN ({literals(RESTRICTED)}), false)"


def _replaced_by(people: Table) -> str:
    """The record in which the sender says that this one has been merged."""
    if people.merged_into is None:
        return "NULL::VARCHAR"
    survivor = f"regexp_extract(p.record_key, {literal(KEY_PREFIX)}) || r.{people.merged_into}"
    return f"nullif({survivor}, p.record_key)"


def _latest(contract: Contract, table: Table) -> str:
    """One row for each record: the latest, and of equals the one that stands last in its file."""
    newest = "_latest DESC NULLS LAST, " if table.latest_by else ""
    return (
        f"SELECT * FROM {contract.identity_name(table)} QUALIFY row_number() OVER"
        f" (PARTITION BY record_key ORDER BY {newest}_line DESC, _delivery_id) = 1"
    )


def _alias(table: Table) -> str:
    return f'"part_{table.name}"'
