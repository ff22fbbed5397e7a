"""What a run publishes for look-ups: its children, their records made ready, and which model weighs.

Only children are in it, since an adult's identifier is the hub's own business. Of a child whom any
record marks as protected, no record here has a place (postcode, property, phone, e-mail): neither an
answer nor a comparison can then give it away. Records are those that the linkage saw, so that a look-up
weighs them as the run did.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ffp_data.home.protected import MUST_NOT_BE_LOCATED, PLACES
from ffp_data.home.run import Run
from ffp_data.identity.model_store import ModelStore
from ffp_data.identity.record_facts import records_to_link
from ffp_data.serving import store
from ffp_data.settings import Home
from ffp_data.warehouse import connect
from linkage.catalogue import KEYS, RECORDS, Catalogue
from linkage.duck import connect as scratch_database
from linkage.state import state_digest

PEOPLE, PROTECTED, META = "people", "protected", "meta"
TABLES = (RECORDS, KEYS, PEOPLE, PROTECTED, META)

_PEOPLE = f"""
SELECT child_id, given_name, middle_names, surname, date_of_birth, expected_birth_date, sex,
       nhs_number, nhs_number_status, p.child_id IS NOT NULL AS is_protected,
       CASE WHEN NOT is_protected THEN postcode END AS postcode, is_unborn, record_count
FROM single_view.children LEFT JOIN ({MUST_NOT_BE_LOCATED}) p USING (child_id) ORDER BY child_id
"""


@dataclass(frozen=True)
class Published:
    """What was published, and where."""

    path: Path
    children: int
    records: int

    def figures(self) -> dict[str, Any]:
        return {"children": self.children, "records": self.records}


def publish(run: Run) -> Published:
    """Publish the snapshot of a run; what counted before counts until the very end."""
    models = ModelStore(run.home)
    live = models.live()
    assert live is not None, "a run that linked has a live model"
    kept = models.load(live.digest)
    with connect(run.home, read_only=True) as con:
        people = con.execute(_PEOPLE).to_arrow_table()
        protected = con.execute(MUST_NOT_BE_LOCATED).to_arrow_table()
        members = con.execute(_members()).to_arrow_table()
    with scratch_database(str(run.home.scratch / "spill"), 2, None) as scratch:
        catalogue = Catalogue.of(scratch, members, kept.model)
    meta = {
        "run_id": run.run_id,
        "as_at": run.as_at.isoformat(),
        "model": kept.digest,
        "model_version": kept.version,
        "made_for": state_digest(kept.model),
    }
    tables = _tables(catalogue, members, people, protected, meta)
    with connect(run.home):  # past the fence, so that no overtaken run turns readers back
        path = store.write(run.home, run.run_id, tables)
    return Published(path, people.num_rows, members.num_rows)


def _members() -> str:
    """The children's records, with their identifier; without the place of a protected one."""
    hidden = ", ".join(f"CASE WHEN p.child_id IS NULL THEN r.{c} END AS {c}" for c in PLACES)
    return (
        f"SELECT r.* REPLACE ({hidden}), m.child_id FROM ({records_to_link()}) r"
        " JOIN identity.child_membership m USING (record_key)"
        " SEMI JOIN single_view.children c ON c.child_id = m.child_id"
        f" LEFT JOIN ({MUST_NOT_BE_LOCATED}) p ON p.child_id = m.child_id ORDER BY record_key"
    )


def _tables(
    catalogue: Catalogue,
    members: pa.Table,
    people: pa.Table,
    protected: pa.Table,
    meta: dict[str, str],
) -> dict[str, pa.Table]:
    kept = catalogue.tables()
    return {
        **kept,
        RECORDS: kept[RECORDS].append_column("child_id", members["child_id"]),
        PEOPLE: people,
        PROTECTED: protected,
        META: pa.table({name: [value] for name, value in meta.items()}),
    }


def forget(home: Home, child_ids: Collection[str]) -> int:
    """Publish the current snapshot again without these children, and remove every other file.

    For a seal or an erasure, which can't wait for the next run; gives the number of records that went.
    """
    path = store.current(home)
    if path is None:
        return 0
    with store.reading(home, path) as con:
        tables = {t: _read(con, t) for t in TABLES}
    gone = pa.array(sorted(child_ids), pa.string())
    stays = pc.invert(pc.is_in(tables[RECORDS]["child_id"], value_set=gone))
    tables[KEYS] = _renumbered(tables[KEYS], np.asarray(stays.combine_chunks()))
    before = tables[RECORDS].num_rows
    tables[RECORDS] = tables[RECORDS].filter(stays)
    for name in (PEOPLE, PROTECTED):
        known = pc.invert(pc.is_in(tables[name]["child_id"], value_set=gone))
        tables[name] = tables[name].filter(known)
    store.write(home, f"{path.name} again", tables, alone=True)
    return int(before - tables[RECORDS].num_rows)


def _read(con: duckdb.DuckDBPyConnection, table: str) -> pa.Table:
    return con.execute(f"SELECT * FROM {table}").to_arrow_table()


def _renumbered(keys: pa.Table, stays: Any) -> pa.Table:
    """The keys of the records that stay, by their new numbers; still in order."""
    number = np.cumsum(stays) - 1
    row = np.asarray(keys["row"])
    kept = keys.filter(pa.array(stays[row]))
    at = kept.column_names.index("row")
    return kept.set_column(at, "row", pa.array(number[np.asarray(kept["row"])], pa.int32()))
