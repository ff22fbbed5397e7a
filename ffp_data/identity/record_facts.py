"""What the records say beside their links: NHS numbers that count, merges by their sender, corrections.

A correction is an identifying fact that a record had when its identifier was last assigned and has
otherwise now. To see it, the facts of the last assigned run are kept in the (encrypted) warehouse.
They are written before the hub's transaction, under the run's id, and take the place of the former
ones after it; a run that finds facts of the hub's last run still waiting first lets them take that
place, so that a crash between the two tells no correction twice and loses none.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib import resources

import duckdb
import yaml

from ffp_data.hub import Facts
from ffp_data.strict import Strict

IDENTIFYING = (
    "nhs_number",
    "upn",
    "pnc_id",
    "crn",
    "prison_number",
    "date_of_birth",
    "sex",
    "given_name",
    "surname",
)
"""Columns of identity.person_records whose change is a correction; where people live is not one."""

_TABLE, _WAITING = "identity.record_facts", "identity.record_facts_waiting"


class NumberTrust(Strict):
    """Statuses with which a sender says that an NHS number is not verified; with their source."""

    source: str
    not_verified: tuple[str, ...]


@cache
def number_trust() -> NumberTrust:
    """The packaged rule."""
    file = resources.files("ffp_data").joinpath("identity", "nhs_number_trust.yaml")
    return NumberTrust.model_validate(yaml.safe_load(file.read_text("utf-8")))


def _own_number() -> str:
    """SQL of the NHS number that counts as the person's own."""
    listed = ", ".join(f"'{code}'" for code in number_trust().not_verified)
    return f"CASE WHEN coalesce(nhs_number_status, '') NOT IN ({listed}) THEN nhs_number END"


def records_to_link() -> str:
    """SQL of the person records as linkage sees them: without numbers that nobody verified."""
    return (
        f"SELECT * REPLACE ({_own_number()} AS nhs_number) FROM identity.person_records"
        " ORDER BY record_key"
    )


def link_facts(con: duckdb.DuckDBPyConnection) -> Facts:
    """Numbers and merges of the person records; reads only."""
    numbers = con.execute(
        f"SELECT record_key, number FROM (SELECT record_key, {_own_number()} AS number"
        " FROM identity.person_records) WHERE number IS NOT NULL"
    ).fetchall()
    return Facts(dict(numbers), frozenset(con.execute(_MERGED).fetchall()))


def read_facts(con: duckdb.DuckDBPyConnection, run_id: str, last_run: str | None) -> Facts:
    """The facts of the person records, which then wait under this run's id.

    last_run: the hub's last run. Needs `keep_facts` once the hub has written the run.
    """
    _settle(con, last_run)
    con.execute(
        f"CREATE OR REPLACE TABLE {_WAITING} AS SELECT ? AS run_id, record_key,"
        f" {', '.join(IDENTIFYING)} FROM identity.person_records",
        [run_id],
    )
    corrected = con.execute(_corrected()).fetchall()
    return replace(
        link_facts(con),
        corrected={key: tuple(fields) for key, fields in corrected},
        content=str(_content(con)),
    )


def keep_facts(con: duckdb.DuckDBPyConnection) -> None:
    """The hub has written the run: the facts that waited are those that later runs compare with."""
    con.execute("BEGIN")
    con.execute(f"DROP TABLE IF EXISTS {_TABLE}")
    con.execute(f"ALTER TABLE {_WAITING} RENAME TO {_TABLE.partition('.')[2]}")
    con.execute("COMMIT")


def _settle(con: duckdb.DuckDBPyConnection, last_run: str | None) -> None:
    """Keep facts that still wait although the hub has written their run."""
    con.execute(
        f"CREATE TABLE IF NOT EXISTS {_TABLE} AS SELECT ''::VARCHAR AS run_id, record_key,"
        f" {', '.join(IDENTIFYING)} FROM identity.person_records WHERE false"
    )
    schema, name = _WAITING.split(".")
    waits = con.execute(
        "SELECT count(*) FROM information_schema.tables WHERE table_schema = ? AND table_name = ?",
        [schema, name],
    ).fetchone()
    if waits != (0,):
        first = con.execute(f"SELECT run_id FROM {_WAITING} LIMIT 1").fetchone()
        if first is not None and first[0] == last_run:
            keep_facts(con)


_MERGED = """
SELECT least(p.record_key, s.record_key), greatest(p.record_key, s.record_key)
FROM identity.person_records p JOIN identity.person_records s ON p.replaced_by = s.record_key
"""


def _corrected() -> str:
    """SQL of the records with a fact that is not what it was; a fact that was lacking is no correction."""
    changed = ", ".join(
        f"CASE WHEN f.{name} IS NOT NULL AND p.{name} IS DISTINCT FROM f.{name} THEN '{name}' END"
        for name in IDENTIFYING
    )
    return (
        "SELECT record_key, fields FROM (SELECT p.record_key,"
        f" list_filter([{changed}], lambda field: field IS NOT NULL) AS fields"
        f" FROM identity.person_records p JOIN {_TABLE} f USING (record_key)) WHERE len(fields) > 0"
    )


def _content(con: duckdb.DuckDBPyConnection) -> object:
    """A digest of all facts that no order of rows changes."""
    row = con.execute(
        f"SELECT bit_xor(md5_number(CAST(({', '.join(('record_key', *IDENTIFYING))}) AS VARCHAR)))"
        f" FROM {_WAITING}"
    ).fetchone()
    return row[0] if row else ""
