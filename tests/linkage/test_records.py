"""Records are coded alike from a table and from files, whatever their types and row groups."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from linkage import LinkageError, Model
from linkage.coding import spaces_of
from linkage.inputs import coded
from linkage.records import Records, load

COUNT = 50


@pytest.fixture
def model() -> Model:
    columns: dict[str, Any] = {
        "whole": {}, "amount": {}, "flag": {}, "coded": {"steps": ["lower"]}, "nothing": {},
        "day": {"type": "date"}, "later": {"type": "date"}, "text": {},
        "either": {"type": "date", "first_of": ["day", "later"]},
        "one": {"domain": "both"}, "other": {"from": "one", "domain": "both", "steps": ["upper"]},
    }  # fmt: skip
    levels = [{"name": c, "levels": [{"exact": c}]} for c in columns]
    return Model.from_dict(
        {
            "name": "types", "version": "1", "record_id": "id", "source": "source",
            "columns": columns, "comparisons": levels,
            "blocking": [{"equal": ["whole"]}, {"equal": ["text"], "with": ["coded"]}],
        }
    )  # fmt: skip


def _table() -> pa.Table:
    rng = random.Random(6)

    def some(values: list[Any]) -> list[Any]:
        return rng.choices([*values, None], k=COUNT)

    days = [dt.date(1899, 2, 3), dt.date(2024, 2, 29)]
    return pa.table(
        {
            "id": rng.sample(range(1000), COUNT),  # numbers, in no order
            "source": pa.array(some(["b", "a"])),
            "whole": pa.array(some([1, 2, 30]), pa.int16()),
            "amount": pa.array(some([Decimal("1.50"), Decimal("2.00")]), pa.decimal128(9, 2)),
            "flag": pa.array(some([True, False])),
            "coded": pa.array(some(["X", "x", "Y"])).dictionary_encode(),
            "nothing": pa.nulls(COUNT),
            "day": pa.array(some(days), pa.date32()),
            "later": pa.array(some([*map(str, days), "soon"])),
            "text": pa.array(some(["x", "y", " "]), pa.large_string()),
            "one": pa.array(some(["a", "A", "b"])),
        }
    )


def _load(source: pa.Table | Path, model: Model) -> Records:
    with duckdb.connect(":memory:") as con:
        return load(con, source, model)


def test_a_table_and_files_of_it_are_coded_alike(model: Model, tmp_path: Path) -> None:
    table = _table()
    pyarrow.parquet.write_table(table, tmp_path / "r.parquet", row_group_size=7)
    plain = table.set_column(5, "coded", table["coded"].cast(pa.string()))
    pyarrow.csv.write_csv(plain, tmp_path / "r.csv")
    expected = _load(table, model)
    assert expected.loaded.warnings[0].startswith("column 'later': ")
    for name in ("r.parquet", "r.csv"):
        found = _load(tmp_path / name, model)
        assert found.identities.record_ids.equals(expected.identities.record_ids)
        assert found.identities.sources.to_pylist() == expected.identities.sources.to_pylist()
        assert found.loaded.dropped == expected.loaded.dropped
        for column in model.columns:
            ours, theirs = found.codes[column], expected.codes[column]
            pairs = set(zip(ours.tolist(), theirs.tolist(), strict=True))
            assert len(pairs) == len(set(ours.tolist())) == len(set(theirs.tolist())), column
            assert ((ours < 0) == (theirs < 0)).all()


def test_codes_stand_for_the_standardised_values_in_the_order_of_the_ids(model: Model) -> None:
    table = _table()
    records = _load(table, model)
    rows = sorted(table.to_pylist(), key=lambda r: str(r["id"]))
    assert records.identities.record_ids.to_pylist() == [str(r["id"]) for r in rows]
    assert records.identities.sources.to_pylist() == [r["source"] for r in rows]
    for i, a in enumerate(rows):
        for j, b in enumerate(rows):
            same = records.codes["one"][i] == records.codes["other"][j]
            assert same == (a["one"] == (b["one"] and b["one"].upper()))
            either = [r["day"] or (r["later"] if r["later"] != "soon" else None) for r in (a, b)]
            known = [dt.date.fromisoformat(str(e)) if e else None for e in either]
            codes = records.codes["either"]
            assert (codes[i] == codes[j]) == (known[0] == known[1])
    filled = [r["whole"] for r in rows if r["whole"] is not None]
    agreeing = sum(filled.count(v) - 1 for v in filled) / (len(filled) * (len(filled) - 1))
    assert records.collision_probability("whole") == pytest.approx(agreeing)
    assert records.collision_probability("nothing") == 0.0
    assert records.value_counts("whole").tolist() == [
        filled.count(r["whole"]) if r["whole"] is not None else 0 for r in rows
    ]


def test_columns_that_can_be_compared_share_a_space(model: Model) -> None:
    space = spaces_of(model)
    assert space["day"] == space["later"] == space["either"]
    assert space["one"] == space["other"] != space["text"]
    assert space["text"] == space["coded"]  # the sides of a crossed rule


def test_ids_that_occur_twice_are_counted_and_shown_in_their_order(model: Model) -> None:
    table = pa.concat_tables([_table(), _table().slice(0, 4)])
    first = sorted(str(i) for i in _table()["id"].slice(0, 4).to_pylist())[:3]
    with pytest.raises(LinkageError, match=f"4 ids occur more than once.* {', '.join(first)};"):
        _load(table, model)


@pytest.mark.parametrize("kind", [pa.date32(), pa.string(), pa.dictionary(pa.int32(), pa.date32())])
def test_a_column_of_nobody_is_coded_as_nothing(kind: pa.DataType) -> None:
    with duckdb.connect() as con:
        codes, values = coded(con, pa.chunked_array([], type=kind))
    assert (len(codes), len(values)) == (0, 0)
    assert values.type == (pa.string() if kind == pa.string() else pa.date32())
