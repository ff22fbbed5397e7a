"""Weighs what is said of NHS numbers: identity.nhs_number_assertions, and what may be used of it.

The rules stand in nhs_number_assertions.sql. Only an assertion that passes every test gives a record the
number, and only where the record has none: it is then evidence like a number that the agency sent, with
`nhs_number_status` sui_verified, and the linkage's own guards (other first names, other numbers) apply. It
never joins two children that the hub knows: where a record of another child holds the number, it waits.

A number that NHS England superseded leads to the one in use, in every feed's records, so that one child's two
numbers do not look like two children; identity.person_identifiers keeps each number as it was sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources

import duckdb

from ffp_data.feeds.contract import Contract

FEED = "sui_matcher"
VERIFIED = "sui_verified"

ASSERTION_COLUMNS = {
    "record_key": "VARCHAR",
    "nhs_number": "VARCHAR",
    "tier": "VARCHAR",
    "method": "VARCHAR",
    "score": "DOUBLE",
    "asserted_on": "DATE",
    "effect": "VARCHAR",
    "reasons": "VARCHAR[]",
    "former_number": "VARCHAR",
    "delivery_id": "VARCHAR",
    "line": "BIGINT",
}
"""Columns of identity.nhs_number_assertions in order, with their SQL types."""

SUPERSEDED_COLUMNS = {"former_number": "VARCHAR", "nhs_number": "VARCHAR"}
"""Columns of identity.superseded_nhs_numbers in order, with their SQL types."""

# How the matcher names a search (DFE-Digital/SUI_Matcher, HashUtil and ActivityHashService): SHA-256 of
# the ASCII bytes of name, birth date, gender and postcode, where a letter that ASCII lacks becomes "?".
SEARCH_ID = r"""
CREATE OR REPLACE TEMP MACRO sui_search_id(given, family, born, gender, postcode) AS sha256(regexp_replace(
    lower(coalesce(given, '')) || lower(coalesce(family, '')) || coalesce(strftime(born, '%d/%m/%Y'), '')
    || CASE
        WHEN gender IN ('0', '1', '2', '9')
            THEN MAP {'0': 'not known', '1': 'male', '2': 'female', '9': 'not specified'}[gender]
        WHEN regexp_full_match(gender, '[+-]?\d+') THEN 'unknown'
        ELSE coalesce(gender, '')
    END
    || lower(regexp_replace(coalesce(postcode, ''), '\s', '', 'g')),
    '[^\x00-\x7F]', '?', 'g'
))
"""

_TABLES = {"nhs_number_assertions": ASSERTION_COLUMNS, "superseded_nhs_numbers": SUPERSEDED_COLUMNS}

_NO_MEMBERSHIP = """
CREATE TABLE IF NOT EXISTS identity.child_membership (
    record_key VARCHAR, child_id VARCHAR, linked_since DATE, link_confidence DOUBLE
)
"""

_USE = f"""
UPDATE identity.person_records AS p SET nhs_number = a.nhs_number, nhs_number_status = '{VERIFIED}'
FROM identity.nhs_number_assertions AS a WHERE a.record_key = p.record_key AND a.effect = 'fills'
"""

# A chain of supersessions ends at the number in use. Numbers that lead in a circle, or to two ends, say nothing.
_SUPERSEDED = """
CREATE OR REPLACE TABLE identity.superseded_nhs_numbers AS
WITH RECURSIVE said AS (
    SELECT former_number, min(nhs_number) AS nhs_number
    FROM identity.nhs_number_assertions WHERE effect = 'supersedes'
    GROUP BY former_number HAVING count(DISTINCT nhs_number) = 1
),
chain AS (
    SELECT former_number, nhs_number, 1 AS steps FROM said
    UNION ALL
    SELECT chain.former_number, said.nhs_number, steps + 1
    FROM chain INNER JOIN said ON chain.nhs_number = said.former_number
    WHERE steps < 10
)
SELECT former_number, nhs_number FROM chain
ANTI JOIN said ON chain.nhs_number = said.former_number
ORDER BY former_number
"""

_RESOLVE = """
UPDATE identity.person_records AS p SET nhs_number = s.nhs_number
FROM identity.superseded_nhs_numbers AS s WHERE p.nhs_number = s.former_number
"""

_LIST = """
INSERT INTO identity.person_identifiers BY NAME
SELECT record_key, 'nhs_number' AS identifier_type, nhs_number AS value, true AS is_valid,
    split_part(method, ' ', 1) AS source, delivery_id, line
FROM identity.nhs_number_assertions WHERE tier = 'high'
ORDER BY ALL
"""


def assert_nhs_numbers(
    con: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract]
) -> dict[str, int]:
    """Rebuilds identity.nhs_number_assertions and uses the high ones; gives the rows of each tier.

    Needs the assembled identity tables, the identifier macros and `clean_nhs_number`. A tier is high,
    review, conflict or not_known; the effect of a high one fills, confirms, supersedes or waits. Both
    tables are empty where nobody searches.
    """
    if FEED not in contracts:
        for name, columns in _TABLES.items():
            declared = ", ".join(f"{column} {kind}" for column, kind in columns.items())
            con.execute(f"CREATE OR REPLACE TABLE identity.{name} ({declared})")
        return {}
    con.execute(SEARCH_ID)
    con.execute(_NO_MEMBERSHIP)
    rules = resources.files(__package__).joinpath("nhs_number_assertions.sql").read_text("utf-8")
    con.execute(f"CREATE OR REPLACE TABLE identity.nhs_number_assertions AS\n{rules}")
    con.execute(_USE)
    con.execute(_SUPERSEDED)
    con.execute(_RESOLVE)
    con.execute(_LIST)
    query = "SELECT tier, count(*) FROM identity.nhs_number_assertions GROUP BY tier ORDER BY tier"
    return dict(con.execute(query).fetchall())
