"""A rule for records that lack a column: names alone propose them, and nobody else."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa

import linkage
from linkage.engines import open_engine

BORN = dt.date(2012, 5, 4)


def _records() -> pa.Table:
    rows: list[dict[str, Any]] = [
        {"id": "a", "given": "Rowan", "surname": "Ashby", "born": BORN},
        {"id": "b", "given": "Rowan", "surname": "Ashby", "born": None},
        {"id": "c", "given": "Rowan", "surname": "Ashby", "born": dt.date(2009, 1, 2)},
        {"id": "d", "given": "Rowan", "surname": "Ashby", "born": None},
        {"id": "e", "given": "Rowan", "surname": "Birch", "born": None},
    ]
    return pa.Table.from_pylist([r | {"number": None, "source": "s"} for r in rows])


def test_only_pairs_in_which_one_record_lacks_the_column_are_proposed(
    small: dict[str, Any],
) -> None:
    small["blocking"] = [{"equal": ["given", "surname"], "where_missing": "born"}]
    model = linkage.Model.from_dict(small)
    with open_engine("duckdb", _records(), model, 1, None) as engine:
        grouped = engine.patterns()
        left, right, _ = engine.survivors(grouped.pattern)
        sizes = engine.rule_sizes()
    found = {f"{'abcde'[i]}{'abcde'[j]}" for i, j in zip(left, right, strict=True)}
    assert found == {"ab", "ad", "bc", "bd", "cd"}
    assert grouped.count.sum() == 5
    assert sizes[0].name == "given+surname_without_born"
    assert sizes[0].pairs >= 5
