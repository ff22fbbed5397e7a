"""Input that cannot be linked gives one clear error; input that can only partly be says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import linkage
from linkage.private.settings import Discovery
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
    with pytest.raises(
        linkage.LinkageError, match=r"4,950 pairs .* with record \S+\).* add a component"
    ) as caught:
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


def test_a_rule_that_would_make_billions_of_pairs_is_refused_before_it_runs(
    small: dict[str, Any],
) -> None:
    count = 70_000
    everyone = pa.table(
        {
            "id": pa.array(range(count)),
            "source": ["s"] * count,
            "given": [f"g{i}" for i in range(count)],
            "surname": ["Same"] * count,
            "born": ["2001-01-01"] * count,
            "number": pa.array([None] * count, pa.string()),
        }
    )
    with pytest.raises(
        linkage.LinkageError,
        match=r"'surname\+born' would compare 2,449,965,000 pairs \(largest block 70,000 records, with record 0\)",
    ):
        linkage.link(everyone, linkage.Model.from_dict(small))


def test_dates_in_another_format_are_counted_and_the_remedy_named(model: linkage.Model) -> None:
    born = ["13/05/2001"] * 15 + ["2001-02-03"] * 14 + [None]
    result = linkage.link(_table(30, number=list(range(30)), born=born), model)
    assert result.clusters.num_rows == 30
    assert result.report["warnings"][0].startswith(
        "column 'born': 15 of 29 values were not read as a date and count as missing"
    )


def test_numbers_truth_values_and_dates_are_read_as_text_where_text_is_wanted(
    model: linkage.Model,
) -> None:
    table = _table(
        30,
        id=list(range(30)),
        number=[i / 2 for i in range(30)],
        given=[i % 2 == 0 for i in range(30)],
        surname=pa.array([i * 1000 for i in range(30)], pa.date32()),
        born=list(range(30)),
    )
    result = linkage.link(table, model)
    assert sorted(result.clusters["record_id"].to_pylist(), key=int) == [str(i) for i in range(30)]
    assert "30 of 30 values were not read as a date" in result.report["warnings"][0]


def test_columns_without_single_values_are_refused(model: linkage.Model) -> None:
    nested = _table(3, given=[["a"], ["b"], []], surname=[{"x": 1}] * 3, number=[b"1"] * 3)
    with pytest.raises(
        linkage.LinkageError,
        match=r"'given' \(VARCHAR\[\]\), 'number' \(BLOB\), 'surname' \(STRUCT\)",
    ):
        linkage.link(nested, model)


def test_a_source_without_records_and_one_without_a_name_are_fine(small: dict[str, Any]) -> None:
    small["one_per_source"] = ["nobody", "s"]
    model = linkage.Model.from_dict(small)
    twice = pa.concat_tables([_table(30), _table(30, id=[f"t{i:03d}" for i in range(30)])])
    assert all(len(g) == 1 for g in groups(linkage.link(twice, model).clusters))
    nowhere = pa.concat_tables(
        [_table(30), _table(30, id=[f"t{i:03d}" for i in range(30)], source=pa.nulls(30, "string"))]
    )
    assert len(groups(linkage.link(nowhere, model).clusters)) == 30


def test_a_side_without_values_proposes_nothing(small: dict[str, Any]) -> None:
    small["columns"]["former"] = {"steps": ["lower"], "domain": "name"}
    small["blocking"].append(
        {"name": "f", "equal": ["surname"], "with": ["former"], "train": False}
    )
    table = _table(30).append_column("former", pa.nulls(30, pa.string()))
    result = linkage.link(table, linkage.Model.from_dict(small))
    assert {"rule": "f", "pairs": 0, "largest_block": 0} in result.report["rules"]


CSV = "id,source,given,surname,born,number\n"


def _csv(folder: Path, content: bytes) -> Path:
    (folder / "records.csv").write_bytes(content)
    return folder / "records.csv"


def test_a_csv_is_text_whatever_its_first_rows_look_like(
    model: linkage.Model, tmp_path: Path
) -> None:
    lines = [f"{i:03d};s;{GIVEN[i]};O'Neil;2001-03-{i + 1:02d};{i}" for i in range(25)]
    lines += ['A9;s;#Ann;"Flint;Smith";not a date;007', "007.0;s;Ann;Young;;"]
    text = "\ufeff" + "\r\n".join([CSV.strip().replace(",", ";"), *lines, ""])
    result = linkage.link(_csv(tmp_path, text.encode()), model)
    ids = result.clusters["record_id"].to_pylist()
    assert len(ids) == 27
    assert {"000", "007", "A9", "007.0"} <= set(ids)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the first line is empty; it names the columns"),
        (b"\n\n", "the first line is empty; it names the columns"),
        (b"id,given,Given \n1,a,b\n", "line 1: given names more than one column; rename one"),
        (CSV.encode() + "1,s,Zoë,X,,\n".encode("latin-1"), "not UTF-8; save the file"),
        ((CSV + "1,s,Zoë,X,,\n").encode("utf-16"), "not UTF-8; save the file"),
        (
            CSV.encode() + b"1,s,Ann,X,,\n2,s,Secret\n",
            "every line needs as many values as the header",
        ),
        (CSV.encode() + b'1,s,"Secret,X,,\n2,s,Ann,X,,\n', "every line needs as many values"),
    ],
)
def test_a_csv_that_cannot_be_read_is_refused_without_showing_its_values(
    content: bytes, message: str, model: linkage.Model, tmp_path: Path
) -> None:
    with pytest.raises(linkage.LinkageError, match=message) as caught:
        linkage.link(_csv(tmp_path, content), model)
    assert "records.csv" in str(caught.value)
    assert "Secret" not in str(caught.value)
    assert caught.value.__cause__ is None or "Secret" not in str(caught.value.__cause__)


def test_a_fault_far_down_a_csv_is_told_with_its_line(model: linkage.Model, tmp_path: Path) -> None:
    good = b"".join(b"%d,s,Ann,X,,%d\n" % (i, i) for i in range(50_000))
    for bad in ("x,s,Zoë,X,,\n".encode("latin-1"), b"x,s,Ann,X,,,a,b\n"):
        path = _csv(tmp_path, CSV.encode() + good + bad)
        with pytest.raises(linkage.LinkageError, match=r"records\.csv, line 50002: "):
            linkage.link(path, model)


def test_a_csv_with_nothing_but_a_header_is_no_record(model: linkage.Model, tmp_path: Path) -> None:
    result = linkage.link(_csv(tmp_path, CSV.encode()), model)
    assert result.report["warnings"] == ["0 records: there is nothing to compare"]


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (["polish"], "columns.given|column 'given': standardisation step 'polish' is unknown"),
        ([{"null_if_matches": "("}], "null_if_matches': '\\(' is not a regular expression"),
        ([{"replace": {"pattern": "(?<=a)b", "with": ""}}], "is not a regular expression"),
        ([{"parse_date": "%Q"}], "parse_date': '%Q' is no format of dates"),
        ([{"parse_date": ["%Y", ""]}], "is no format of dates"),
    ],
)
def test_a_step_that_cannot_work_is_refused_when_the_model_is_read(
    steps: list[Any], message: str, small: dict[str, Any]
) -> None:
    small["columns"]["given"]["steps"] = steps
    with pytest.raises(linkage.LinkageError, match=message):
        linkage.Model.from_dict(small)


@pytest.mark.parametrize("read", [linkage.Model.from_yaml, Discovery.from_yaml])
def test_a_model_or_parameters_that_are_not_text_are_refused(
    read: Callable[[Path], object], tmp_path: Path
) -> None:
    (tmp_path / "m.yaml").write_bytes("name: Zoë\n".encode("latin-1"))
    with pytest.raises(linkage.LinkageError, match="not UTF-8"):
        read(tmp_path / "m.yaml")


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
