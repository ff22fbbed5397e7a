"""SQL of identity.person_identifiers: every number as it was sent, and whether it is valid."""

from __future__ import annotations

from collections.abc import Iterator

from ffp_data.feeds.contract import Contract
from ffp_data.feeds.contract_table import Table
from ffp_data.feeds.people import FeedPeople, attributes
from ffp_data.sql_text import literal

IDENTIFIER_COLUMNS = {
    "record_key": "VARCHAR",
    "identifier_type": "VARCHAR",
    "value": "VARCHAR",
    "is_valid": "BOOLEAN",
    "source": "VARCHAR",
    "delivery_id": "VARCHAR",
    "line": "BIGINT",
}

IDENTIFIERS = ("nhs_number", "upn", "former_upn", "pnc_id", "crn", "prison_number")

# Names that the Standard Safeguarding Dataset gives to identifiers in ssd_linked_identifiers
# (data-to-insight/ssd-data-model 1.4.5), in lower case.
TYPES_BY_NAME = {
    "nhs number": "nhs_number",
    "unique pupil number": "upn",
    "former unique pupil number": "former_upn",
}


def identifier_sql(feed: FeedPeople) -> Iterator[str]:
    """Every identifier as it was sent, beside whether it is valid."""
    for table in (feed.people, *feed.parts):
        for kind in sorted(attributes(table) & set(IDENTIFIERS)):
            yield _assertion(feed.contract, table, literal(kind), kind)
    for table in feed.identifiers:
        yield _assertion(feed.contract, table, _kind(), "identifier_value")


def newest_by_type(contract: Contract, table: Table) -> str:
    """One row for each record with its newest valid identifier of each known type."""
    order = "_latest DESC NULLS LAST, _line DESC" if table.latest_by else "_line DESC"
    columns = ", ".join(
        f"first(value ORDER BY {order}) FILTER (kind = {literal(kind)}) AS {kind}"
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
        f"WHEN {literal(name)} THEN {literal(kind)}" for name, kind in TYPES_BY_NAME.items()
    )
    return f"CASE lower(trim(identifier_type)) {names} ELSE identifier_type END"


def _assertion(contract: Contract, table: Table, kind: str, value: str) -> str:
    clean = f"clean_identifier({kind}, {value})"
    return (
        f"SELECT record_key, {kind} AS identifier_type, coalesce({clean}, trim({value})) AS value,"
        f" {clean} IS NOT NULL AS is_valid, {literal(f'{contract.id}.{table.name}')} AS source,"
        f" _delivery_id AS delivery_id, _line AS line"
        f" FROM {contract.identity_name(table)} WHERE {value} IS NOT NULL"
    )
