"""The record side of an incremental run: what changed, the new population, the pairs to compare.

Records that are sent again as they were are no change. Only pairs in which one side is new or
changed, and which share a blocking key, are proposed.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from linkage import tables
from linkage.arrays import distinct
from linkage.checks import refuse_ids, refuse_missing, refuse_nested
from linkage.duck import DuckEngine, open_engine
from linkage.engine import Ints
from linkage.errors import LinkageError
from linkage.fitted import Fitted
from linkage.model import Model
from linkage.packing import Packing
from linkage.score import Scored, Scorer
from linkage.sql_text import identifier, literal
from linkage.state import ID, PLACE, kept_columns, key_joins, keyed_sql


@dataclass(frozen=True)
class Changes:
    """What came, in numbers of records."""

    new: int
    changed: int
    unchanged: int
    removed: int
    unknown: int  # ids to remove that are not there


@dataclass(frozen=True)
class Population:
    """The records after the changes, numbered 0, 1, ... in the order of their ids."""

    con: duckdb.DuckDBPyConnection
    model: Model
    path: Path
    ids: pa.StringArray
    fresh: Ints  # numbers of new and changed records

    def __len__(self) -> int:
        return len(self.ids)

    def candidates(self) -> tuple[Ints, Ints]:
        """(left, right) of the pairs with a fresh side that some rule proposes."""
        pairs = " UNION ".join(
            f"SELECT least(f.rid, p.rid) AS l, greatest(f.rid, p.rid) AS r FROM fresh_keys f "
            f"JOIN population p ON f.{own} = p.{other} WHERE f.rid <> p.rid"
            for own, other in key_joins(self.model)
        )
        rows = self.con.execute(f"SELECT l, r FROM ({pairs}) ORDER BY l, r").fetchnumpy()
        return np.asarray(rows["l"], np.int64), np.asarray(rows["r"], np.int64)

    def sources(self) -> pa.DictionaryArray:
        """Each record's source."""
        if self.model.source is None:
            return pa.nulls(len(self), pa.dictionary(pa.int32(), pa.string()))
        column = identifier(self.model.source)
        query = f"SELECT {column}::VARCHAR AS s FROM population ORDER BY rid"
        found = self.con.execute(query).to_arrow_table()["s"].combine_chunks()
        return found.cast(pa.string()).dictionary_encode()

    def places(self) -> Ints | None:
        """The number of each record's place (``moves``), -1 where it has none; None if nobody asks."""
        if self.model.moves is None:
            return None
        query = f"SELECT {PLACE} FROM population ORDER BY rid"
        found = self.con.execute(query).to_arrow_table()[PLACE].combine_chunks()
        numbers = found.dictionary_encode().indices.fill_null(-1)
        return np.asarray(numbers, dtype=np.int64)

    def records(self, numbers: Ints) -> pa.Table:
        """The chosen records (numbers in order), as they came."""
        self.con.register("wanted", pa.table({"rid": numbers}))
        columns = ", ".join(identifier(c) for c in kept_columns(self.model))
        found = self.con.execute(
            f"SELECT {columns} FROM population SEMI JOIN wanted USING (rid) ORDER BY rid"
        ).to_arrow_table()
        self.con.unregister("wanted")
        return found


def take_in(
    con: duckdb.DuckDBPyConnection,
    model: Model,
    records: pa.Table | Path | str,
    removed: Iterable[str],
    old: Path,
    new: Path,
) -> tuple[Changes, Population]:
    """Put changed records into the old population and write the new one; raises LinkageError."""
    con.execute(f"CREATE VIEW old AS SELECT * FROM read_parquet({literal(old)})")
    _read(con, model, records)
    columns = ", ".join(identifier(c) for c in kept_columns(model))
    same = " AND ".join(
        f"o.{c} IS NOT DISTINCT FROM f.{c}" for c in map(identifier, kept_columns(model))
    )
    con.execute(
        f"CREATE TEMP TABLE known AS SELECT {ID}, {columns} FROM old SEMI JOIN fresh USING ({ID})"
    )
    sent = _count(con, "fresh")
    con.execute(f"DELETE FROM fresh f USING known o WHERE f.{ID} = o.{ID} AND {same}")
    fresh, changed = _count(con, "fresh"), _count(con, f"known SEMI JOIN fresh USING ({ID})")
    wanted = sorted(set(removed))
    con.register("removed", pa.table({ID: pa.array(wanted, pa.string())}))
    if twice := _count(con, f"known SEMI JOIN removed USING ({ID})"):
        raise LinkageError(f"{twice} records are both changed and removed; say which")
    con.execute(f"CREATE TEMP TABLE gone AS SELECT {ID} FROM old SEMI JOIN removed USING ({ID})")
    gone = _count(con, "gone")
    con.execute(
        f"CREATE TEMP TABLE touched AS SELECT {ID} FROM fresh UNION ALL SELECT {ID} FROM gone"
    )
    con.execute(
        f"COPY (SELECT * FROM old ANTI JOIN touched USING ({ID}) UNION ALL BY NAME "
        f"SELECT * FROM fresh ORDER BY {ID}) TO {literal(new)} (FORMAT parquet)"
    )
    changes = Changes(fresh - changed, changed, sent - fresh, gone, len(wanted) - gone)
    return changes, _population(con, model, new)


def write_first(
    con: duckdb.DuckDBPyConnection, model: Model, records: pa.Table | Path | str, new: Path
) -> None:
    """Write the records of a first run."""
    tables.register(con, records)
    with tables.reading(records):
        con.execute(
            f"COPY ({keyed_sql(model, 'input')} ORDER BY {ID}) TO {literal(new)} (FORMAT parquet)"
        )


def _read(con: duckdb.DuckDBPyConnection, model: Model, records: pa.Table | Path | str) -> None:
    """Table ``fresh``: the records that came, with the types of those that are there."""
    tables.register(con, records)
    types = {row[0]: str(row[1]) for row in con.execute("DESCRIBE input").fetchall()}
    refuse_missing(model, types)
    refuse_nested(model, types)
    wanted = {row[0]: str(row[1]) for row in con.execute("DESCRIBE old").fetchall()}
    cast = ", ".join(
        f"{identifier(c)}::{wanted[c]} AS {identifier(c)}" for c in kept_columns(model)
    )
    try:
        with tables.reading(records):
            con.execute(f"CREATE TEMP TABLE came AS SELECT {cast} FROM input")
    except duckdb.ConversionException:
        # Not "from error": DuckDB quotes the value, and a value is a person.
        raise LinkageError(
            "the records have columns of other types than those that are there; give them alike"
        ) from None
    con.execute(f"CREATE TEMP TABLE fresh AS {keyed_sql(model, 'came')}")
    con.execute("DROP TABLE came")
    empty = _count(con, f"fresh WHERE {ID} IS NULL")
    twice = con.execute(
        f"SELECT {ID}, count(*) OVER () FROM fresh GROUP BY {ID} HAVING count(*) > 1 ORDER BY 1 LIMIT 3"
    ).fetchall()
    refuse_ids(model, empty, twice[0][1] if twice else 0, [row[0] for row in twice])


def _population(con: duckdb.DuckDBPyConnection, model: Model, path: Path) -> Population:
    con.execute(
        "CREATE VIEW population AS SELECT *, file_row_number AS rid "
        f"FROM read_parquet({literal(path)}, file_row_number = true)"
    )
    ids = con.execute(f"SELECT {ID} FROM population ORDER BY rid").to_arrow_table()[ID]
    keys = ", ".join(distinct_names(key_joins(model)))
    con.execute(
        f"CREATE TEMP TABLE fresh_keys AS SELECT rid, {keys} FROM population SEMI JOIN fresh USING ({ID})"
    )
    fresh = con.execute("SELECT rid FROM fresh_keys ORDER BY rid").fetchnumpy()["rid"]
    return Population(
        con, model, path, ids.combine_chunks().cast(pa.string()), np.asarray(fresh, np.int64)
    )


def distinct_names(joins: list[tuple[str, str]]) -> list[str]:
    """The key columns."""
    return list(dict.fromkeys(name for pair in joins for name in pair))


def _count(con: duckdb.DuckDBPyConnection, what: str) -> int:
    row = con.execute(f"SELECT count(*) FROM {what}").fetchone()
    assert row is not None
    return int(row[0])


@dataclass
class Comparer:
    """Scores pairs of a population with a fit; only records that may be asked for are loaded.

    ``labels`` are the components before the changes: with a record all of its component is loaded,
    since that will be looked at whole. Patterns are of ``packing``, which has all comparisons of the
    model. ``stack`` keeps the engine open.
    """

    population: Population
    fitted: Fitted
    packing: Packing
    labels: Ints
    stack: ExitStack
    threads: int
    memory_limit: str | None
    _open: tuple[Ints, DuckEngine, Scorer] | None = None

    def score(self, left: Ints, right: Ints) -> Scored:
        """Weights of pairs (record numbers, left < right)."""
        if not len(left):
            return Scored.none()
        numbers, engine, scorer = self._with(distinct(np.concatenate([left, right])))
        one, other = np.searchsorted(numbers, left), np.searchsorted(numbers, right)
        pattern = engine.compare(one, other)
        scored = scorer.weigher.score(one, other, pattern, self.fitted.shares)
        levels = self.packing.levels_from(pattern, engine.loaded.packing)
        whole = self.packing.pack(levels)
        return Scored(left, right, whole, scored.weight, scored.household, scored.veto)

    def _with(self, numbers: Ints) -> tuple[Ints, DuckEngine, Scorer]:
        """An engine that has these records: the open one, if it does."""
        if self._open is None or not np.isin(numbers, self._open[0]).all():
            wanted = np.zeros(len(self.labels), dtype=bool)
            wanted[self.labels[numbers]] = True
            loaded = np.flatnonzero(wanted[self.labels])
            table, model = self.population.records(loaded), self.population.model
            engine = self.stack.enter_context(
                open_engine(table, model, self.threads, self.memory_limit)
            )
            self._open = loaded, engine, self.fitted.scorer(engine, model)
        return self._open
