"""Puts together who each record is about: identity.person_records and its two companions.

Values are normalised here and only here: sex to M or F, identifiers to their valid form or NULL, default
dates to NULL. `people` says which tables and rows count; the SQL of each table is in its own module.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from ffp_data.feeds.assertions import assert_nhs_numbers
from ffp_data.feeds.contract import Contract
from ffp_data.feeds.identifier_sql import IDENTIFIER_COLUMNS, identifier_sql
from ffp_data.feeds.people import PERSON_COLUMNS, FeedPeople, install_cleaners
from ffp_data.feeds.person_sql import person_sql
from ffp_data.feeds.relationship_sql import RELATIONSHIP_COLUMNS, relationship_sql
from ffp_data.feeds.tables import create_empty_raw_tables, rebuild_table
from ffp_data.identifiers import install_macros


def assemble_identity(
    con: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract], *, allow_test_numbers: bool
) -> None:
    """Rebuilds identity.person_records, person_identifiers and relationships from the parts.

    `allow_test_numbers` lets NHS numbers that begin with 9, kept for tests, count as valid.
    """
    create_empty_raw_tables(con, contracts)
    install_macros(con)
    install_cleaners(con, allow_test_numbers)
    feeds = [feed for c in contracts.values() for feed in FeedPeople.of(c)]
    rebuild_table(
        con, "identity.person_records", PERSON_COLUMNS, [person_sql(feed) for feed in feeds]
    )
    identifiers = sorted({sql for feed in feeds for sql in identifier_sql(feed)})
    rebuild_table(con, "identity.person_identifiers", IDENTIFIER_COLUMNS, identifiers)
    ties = [
        sql
        for c in contracts.values()
        for t in c.tables
        if t.relationship
        for sql in relationship_sql(c, t, t.relationship)
    ]
    rebuild_table(con, "identity.relationships", RELATIONSHIP_COLUMNS, ties)
    assert_nhs_numbers(con, contracts)
