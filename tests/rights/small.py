"""A small home of three children with identifiers, a view made by hand, and the agreements of the demonstration."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.hub import Hub
from ffp_data.releases.publish import ExtractsOutcome, publish_extracts, withdraw_unpermitted
from ffp_data.rights import stored
from ffp_data.settings import Home, make_demonstration
from ffp_data.warehouse import connect
from tests.dbt_project.warehouse import source_tables

AS_AT = date(2026, 3, 31)
SOURCES = source_tables()
NORTH, NORTH_FOR = "fenmarch-family-help-north", "single_view.family_help"
POLICE, POLICE_FOR, CASE = "fenmarch-constabulary", "single_view.enquiry", "DSA-CPE-01"
NAMES = ("ann", "bob", "cat")

_VIEW = """
CREATE SCHEMA IF NOT EXISTS single_view;
CREATE OR REPLACE TABLE identity.child_membership AS
SELECT record_key, child_id, DATE '2026-01-01' AS linked_since, 1.0 AS link_confidence FROM members;
INSERT INTO identity.person_records BY NAME
SELECT record_key, 'case_system' AS feed, split_part(record_key, '|', 3) AS source_person_id,
       false AS is_restricted, '1 High Street' AS address_line, 'XF1 2AB' AS postcode,
       DATE '2026-01-01' AS valid_from
FROM members;
CREATE OR REPLACE TABLE single_view.children AS
SELECT child_id, min(split_part(record_key, '|', 3)) AS given_name, 'Bell' AS surname,
       DATE '2015-05-04' AS date_of_birth, 10 AS age_years, 'F' AS sex, '9990000018' AS nhs_number,
       'Z999000000001' AS upn, 'XF1 2AB' AS postcode, false AS is_restricted
FROM members GROUP BY child_id;
CREATE OR REPLACE TABLE single_view.involvements AS
SELECT child_id, 'social_care' AS service, 'social care' AS service_label, 'current' AS state,
       'working with the child' AS state_in_words, DATE '2025-01-01' AS since, NULL::DATE AS until,
       'case_system' AS source, TIMESTAMP '2026-03-30 06:00' AS as_of, 'A Worker' AS contact_name,
       '01632 960001' AS contact_phone, 'Family Help North' AS team
FROM single_view.children;
CREATE OR REPLACE TABLE single_view.flags AS
SELECT child_id, 'missing' AS flag, DATE '2026-03-01' AS since, 'r' AS rule_in_words, 'f' AS facts,
       'police_safeguarding' AS source
FROM single_view.children;
"""


def make(folder: Path) -> Run:
    """A home after one run: Ann has two records, Bob and Cat one each."""
    home = Home(folder / "home").prepare()
    make_demonstration(home)
    run = Run.at(run_id="first", home=home.root, landing=folder / "landing", as_at=AS_AT)
    assert policy.compile_lock(run).problems == []
    regroup(run, "ann ann2 / bob / cat")
    return run


def regroup(run: Run, text: str) -> None:
    """One more run of the hub, which finds these clusters of records, and the view of it."""
    groups = [part.split() for part in text.split("/")]
    rows = [(f"case_system|x|{name}", str(n)) for n, part in enumerate(groups) for name in part]
    found = pa.table({"record_id": [r for r, _ in rows], "cluster_id": [c for _, c in rows]})
    with Hub.open(run.home.hub_url) as hub:
        hub.apply_run(text, AS_AT, "model", found)
        members = hub.membership()
    with connect(run.home) as con:
        for name in ("identity.person_records", "identity.person_identifiers"):
            columns = ", ".join(f'"{c}" {kind}' for c, kind in SOURCES[name].items())
            con.execute(f"CREATE OR REPLACE TABLE {name} ({columns})")
        con.register("members", members)
        con.execute(_VIEW)
    stored.write(run)


def ids(run: Run) -> dict[str, str]:
    """The identifier of each record, by the last part of its key."""
    with Hub.open(run.home.hub_url) as hub:
        table = hub.membership()
    keys = [key.rpartition("|")[2] for key in table["record_key"].to_pylist()]
    return dict(zip(keys, table["child_id"].to_pylist(), strict=True))


def next_run(run: Run, as_at: date = AS_AT) -> Run:
    """A later run: orders are written anew, what is not permitted any more is taken out, extracts are made."""
    later = replace(run, stated_as_at=as_at)
    later.__dict__.pop("as_at", None)
    stored.write(later)
    withdraw_unpermitted(later)
    return later


def extracts(run: Run) -> ExtractsOutcome:
    return publish_extracts(next_run(run))


def names_given(run: Run, recipient: str = NORTH) -> list[str]:
    """The given names in the recipient's newest file of children."""
    (path,) = (run.home.out / "extracts" / recipient).rglob("children.parquet")
    return sorted(pq.read_table(path)["given_name"].to_pylist())


def query(run: Run, sql: str) -> list[tuple[object, ...]]:
    with connect(run.home, read_only=True) as con:
        return con.execute(sql).fetchall()
