"""A month's records as the hub has them: cleaned by the hub's own SQL, linked and told of as a run does.

The table identity.person_records stands in a database in memory; what linkage reads from it and the
facts that the hub is told (NHS numbers, merges by the sender, corrections) are the pipeline's own queries.
"""

from __future__ import annotations

from datetime import date
from types import TracebackType
from typing import Self

import duckdb
import pyarrow as pa

import linkage
from ffp_data.feeds.people import CLEANED, PERSON_COLUMNS, install_cleaners
from ffp_data.hub import Hub, Rules, RunSummary
from ffp_data.identifiers import install_macros
from ffp_data.identity import record_facts


class Records:
    """Person records of one day after another."""

    def __init__(self) -> None:
        self._con = duckdb.connect()
        self._con.execute("SET threads = 2")
        self._con.execute("CREATE SCHEMA identity")
        install_macros(self._con)
        install_cleaners(self._con, allow_test_numbers=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._con.close()

    def clean(self, raw: pa.Table) -> pa.Table:
        """Rows of a delivery as rows of identity.person_records."""
        here = {
            c: CLEANED.get(c, "{}").format(c) if c in raw.column_names else "NULL"
            for c in PERSON_COLUMNS
        }
        columns = ", ".join(f"({here[c]})::{kind} AS {c}" for c, kind in PERSON_COLUMNS.items())
        self._con.register("raw", raw)
        return self._con.execute(f"SELECT {columns} FROM raw ORDER BY record_key").to_arrow_table()

    def put(self, rows: pa.Table) -> None:
        """Let these be the person records."""
        self._con.register("rows", rows)
        self._con.execute("CREATE OR REPLACE TABLE identity.person_records AS SELECT * FROM rows")

    def to_link(self) -> pa.Table:
        """What linkage reads."""
        return self._con.execute(record_facts.records_to_link()).to_arrow_table()

    def assign(
        self, hub: Hub, model: linkage.Model, run_id: str, as_at: date, result: linkage.LinkResult
    ) -> RunSummary:
        """Let the hub assign, as the pipeline does: told of what the records say beside the links."""
        summary = hub.apply_run(
            run_id,
            as_at,
            model.version,
            result.clusters,
            result.pairs,
            rules=Rules(model.thresholds.join, model.thresholds.break_),
            facts=record_facts.read_facts(self._con, run_id, hub.last_run()),
        )
        record_facts.keep_facts(self._con)
        return summary
