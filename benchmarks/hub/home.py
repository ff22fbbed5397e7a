"""A home as runs leave it, made from person records alone: the pipeline's own steps, without feeds and dbt.

Linkage, assignment and the snapshot for look-ups are those of a run; the single view is a plain one of the
same columns, in the place of dbt's.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa

from benchmarks.hub.months import MonthlyPartnership
from benchmarks.hub.people import Records
from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.pipeline import identify
from ffp_data.rights import stored
from ffp_data.serving import publish
from ffp_data.settings import Home, make_demonstration
from ffp_data.warehouse import connect

FIRST = date(2026, 3, 31)
RECORDS_OF_A_CHILD = 2.8  # adults' records too

_SINGLE_VIEW = """
CREATE OR REPLACE TABLE single_view.children AS
SELECT child_id, any_value(given_name) AS given_name, any_value(middle_names) AS middle_names,
       any_value(surname) AS surname, any_value(date_of_birth) AS date_of_birth,
       any_value(expected_birth_date) AS expected_birth_date, any_value(sex) AS sex,
       any_value(nhs_number) AS nhs_number, any_value(nhs_number_status) AS nhs_number_status,
       any_value(postcode) AS postcode, bool_or(coalesce(is_restricted, false)) AS is_restricted,
       any_value(kind) = 'unborn' AS is_unborn, count(*) AS record_count
FROM (SELECT * FROM identity.person_records JOIN identity.child_membership USING (record_key)
      JOIN identity.children USING (child_id) ORDER BY record_key)
WHERE kind <> 'adult' GROUP BY child_id
"""


def synthetic_records(records: int, seed: int, first: date = FIRST) -> pa.Table:
    """About so many rows of identity.person_records."""
    partnership = MonthlyPartnership(round(records / RECORDS_OF_A_CHILD), seed, first)
    with Records() as cleaner:
        return cleaner.clean(partnership.first().records)


def make_run(root: Path, rows: pa.Table, run_id: str, as_at: date = FIRST) -> Run:
    """One run over these person records: linked, assigned, published."""
    home = Home.at(root).prepare()
    make_demonstration(home)
    run = Run.at(run_id=run_id, home=home.root, landing=home.landing, as_at=as_at)
    policy.compile_lock(run)
    with connect(home) as con:
        con.register("rows_in", rows)
        con.execute("CREATE OR REPLACE TABLE identity.person_records AS SELECT * FROM rows_in")
    identify.link_records(run)
    identify.assign_identifiers(run)
    with connect(home) as con:
        con.execute(_SINGLE_VIEW)
        stored.create_empty(con)
    publish(run)
    return run
