"""Who a feed's people are: the tables that tell of them, the rows that count, the values made comparable.

A feed's people stand in the table whose contract gives a `role`; other tables of the feed add what that
one lacks (an address, an identifier). `person_sql`, `identifier_sql` and `relationship_sql` build on this.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from ffp_data.feeds.contract import Contract
from ffp_data.feeds.contract_table import Table
from ffp_data.feeds.tables import identity_columns
from ffp_data.sql_text import literals

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

KEY_PREFIX = r"^[^|]*\|[^|]*\|"
"""Feed and system, with which every record key begins."""

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
"""SQL that makes a value of an attribute comparable, or NULL where it says nothing."""


@dataclass(frozen=True)
class FeedPeople:
    """The identity tables of one feed: its people, its dated parts, its lists of identifiers."""

    contract: Contract
    people: Table
    parts: tuple[Table, ...]
    identifiers: tuple[Table, ...]

    @classmethod
    def of(cls, contract: Contract) -> Iterator[FeedPeople]:
        """One for each list of people; their ids must not overlap, and parts may add to any of them."""
        others = [t for t in contract.tables if t.identity and not t.role]
        lists = tuple(t for t in others if "identifier_value" in identity_columns(t))
        parts = tuple(t for t in others if t not in lists and set(PERSON_COLUMNS) & attributes(t))
        for people in contract.tables:
            if people.role:
                yield cls(contract, people, parts, lists)


def install_cleaners(con: duckdb.DuckDBPyConnection, allow_test_numbers: bool) -> None:
    """Makes the macros of CLEANED; `allow_test_numbers` lets NHS numbers that begin with 9 count as valid."""
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


def attributes(table: Table) -> set[str]:
    """The person attributes that a table fills."""
    return {p.person for p in table.properties if p.person}


def is_known(people: Table, identity: str) -> str:
    """Whether a row says enough of somebody to be a record of them."""
    names = people.person_if.known if people.person_if else ()
    values = [CLEANED.get(name, "{}").format(f"{identity}.{name}") for name in names]
    return " AND ".join(f"{value} IS NOT NULL" for value in values) or "true"


def is_meant(people: Table) -> str:
    """Whether a row is one of those that may become a record; NULL counts as no."""
    when = people.person_if.when if people.person_if else {}
    tests = [f"r.{name}::VARCHAR IN ({literals(words)})" for name, words in when.items()]
    return " AND ".join(tests) or "true"
