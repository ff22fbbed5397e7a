"""Input that cannot be linked gives one clear error; input that can only partly be says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import linkage
from tests.linkage.support import GIVEN, SURNAMES, groups


def _table(count: int, **changed: list[Any]) -> pa.Table:
    columns: dict[str, Any] = {
        "id": [f"r{i:03d}" for i in range(count)],
        "source": ["s"] * count,
        "given": [GIVEN[i % len(GIVEN)] for i in range(count)],
        "surname": [SURNAMES[i % len(SURNAMES)] for i in range(count)],
        "born": [f"20{i % 20:02d}-03-0{1 + i % 9}" for i in range(count)],
        "number": [str(i) for i in range(count)],
    }
    return pa.table(columns | changed)


@pytest.fixture
def model(small: dict[str, Any]) -> linkage.Model:
    return linkage.Model.from_dict(small, Path("my_model.yaml"))


def test_a_missing_column_is_named_with_the_model_and_a_remedy(model: linkage.Model) -> None:
    table = _table(5).drop_columns(["born", "number"])
    with pytest.raises(
        linkage.LinkageError, match=r"my_model\.yaml: .* no column born, number; correct"
    ):
        linkage.link(table, model)


def test_record_ids_that_occur_twice_or_not_at_all_are_refused(model: linkage.Model) -> None:
    with pytest.raises(linkage.LinkageError, match="1 ids occur more than once, for example a"):
        linkage.link(_table(3, id=["a", "b", "a"]), model)
    with pytest.raises(linkage.LinkageError, match="1 records have no id"):
        linkage.link(_table(3, id=["a", "b", None]), model)


def test_errors_about_rules_never_show_a_value(small: dict[str, Any]) -> None:
    small["limits"] = {"pairs_per_rule": 1000}
    table = _table(100, surname=["Secret"] * 100, born=["2001-01-01"] * 100)
    with pytest.raises(linkage.LinkageError, match=r"4,950 pairs .* Add a component") as caught:
        linkage.link(table, linkage.Model.from_dict(small))
    assert "Secret" not in str(caught.value)


@pytest.mark.parametrize("count", [0, 1])
def test_no_record_and_one_record_are_fine_and_the_report_says_so(
    count: int, model: linkage.Model
) -> None:
    result = linkage.link(_table(2).slice(0, count), model)
    assert result.clusters.num_rows == count
    assert result.pairs.num_rows == 0
    assert "match_probability" in result.pairs.column_names
    assert result.report["warnings"] == [f"{count} records: there is nothing to compare"]
    assert result.report.keys() == linkage.link(_table(20), model).report.keys()
    json.dumps(result.report)


def test_records_that_share_nothing_stay_single(model: linkage.Model) -> None:
    result = linkage.link(_table(20), model)
    assert all(len(g) == 1 for g in groups(result.clusters))
    assert result.pairs.num_rows == 0


def test_a_column_without_values_is_left_out_and_reported(model: linkage.Model) -> None:
    nothing = pa.array([None] * 60, pa.string())
    result = linkage.link(_table(60, number=nothing), model)
    assert result.report["comparisons_dropped"] == {"number": "no record has a value"}
    assert "level_number" not in result.pairs.column_names


def test_only_empty_columns_are_refused(model: linkage.Model) -> None:
    empty = {c: pa.array([None] * 4, pa.string()) for c in ("given", "surname", "born", "number")}
    with pytest.raises(linkage.LinkageError, match="no column that the model compares has a value"):
        linkage.link(_table(4, **empty), model)


def test_a_constant_column_is_reported_and_joins_nobody(model: linkage.Model) -> None:
    result = linkage.link(_table(60, surname=["Same"] * 60), model)
    assert "comparison 'surname': all values are equal, no evidence" in result.report["warnings"]
    assert all(len(g) == 1 for g in groups(result.clusters))


def test_values_of_another_type_are_read_as_text_and_bad_dates_are_missing(
    model: linkage.Model,
) -> None:
    numbers = list(range(30))
    born = ["not a date"] * 15 + ["2001-02-03"] * 15
    result = linkage.link(_table(30, number=numbers, born=born), model)
    assert result.clusters.num_rows == 30


def test_a_file_that_is_not_there_or_of_an_unknown_kind_is_refused(
    model: linkage.Model, tmp_path: Path
) -> None:
    with pytest.raises(linkage.LinkageError, match="no such file"):
        linkage.link(tmp_path / "none.csv", model)
    other = tmp_path / "records.xlsx"
    other.write_text("x", encoding="utf-8")
    with pytest.raises(linkage.LinkageError, match=r"give records as \.parquet or \.csv"):
        linkage.link(other, model)
    broken = tmp_path / "records.parquet"
    broken.write_text("x", encoding="utf-8")
    with pytest.raises(linkage.LinkageError, match="cannot be read as parquet"):
        linkage.link(broken, model)


def test_a_table_of_equivalents_that_is_missing_or_has_other_columns_is_refused(
    small: dict[str, Any], tmp_path: Path
) -> None:
    small["equivalents"] = {"names": "names.csv"}
    small["columns"]["given"]["equivalents"] = "names"
    small["comparisons"][0]["levels"].append({"equivalent": "given"})
    model = linkage.Model.from_dict(small, tmp_path / "m.yaml")
    with pytest.raises(linkage.LinkageError, match=r"equivalents\.names': no file 'names\.csv'"):
        linkage.link(_table(30), model)
    (tmp_path / "names.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(linkage.LinkageError, match=r"names\.csv, line 1: needs the columns value"):
        linkage.link(_table(30), model)
