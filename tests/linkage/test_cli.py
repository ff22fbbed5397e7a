"""The commands `ffp link`, `ffp evaluate` and `ffp model` as a person meets them."""

from __future__ import annotations

import copy
import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from typer.testing import CliRunner, Result

from ffp_data.cli.main import app
from linkage.schema import schema_text
from tests.linkage.conftest import SMALL
from tests.linkage.report_runs import people


def _ffp(*words: object) -> Result:
    return CliRunner().invoke(app, [str(w) for w in words])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with records, a model, and the result of linking them."""
    folder = tmp_path_factory.mktemp("cli")
    pq.write_table(people(240), folder / "records.parquet")
    (folder / "model.yaml").write_text(yaml.safe_dump(copy.deepcopy(SMALL)), encoding="utf-8")
    told = _ffp("link", folder / "records.parquet", "--model", folder / "model.yaml",
                "--out", folder / "out", "--truth", "person", "--by", "group", "--json")  # fmt: skip
    assert told.exit_code == 0, told.output
    printed = json.loads(told.stdout)
    assert printed["quality"]["by"]["group"].keys() == {"north", "south", "east"}
    assert printed == json.loads((folder / "out/report.json").read_text(encoding="utf-8"))
    return folder


def test_quality_from_files_is_what_the_run_measured(place: Path) -> None:
    truth = people(240).select(["id", "person", "group"])
    pq.write_table(
        truth.rename_columns(["record_id", "person_id", "group"]), place / "truth.parquet"
    )
    told = _ffp("evaluate", "--clusters", place / "out/clusters.parquet",
                "--truth", place / "truth.parquet", "--by", "group", "--json")  # fmt: skip
    assert told.exit_code == 0, told.output
    report = json.loads((place / "out/report.json").read_text(encoding="utf-8"))
    found = json.loads(told.stdout)
    assert {k: report["quality"][k] for k in found} == found
    told = _ffp("evaluate", "--clusters", place / "out/clusters.parquet", "--truth",
                place / "truth.parquet", "--pairs", place / "out/pairs.parquet")  # fmt: skip
    assert told.exit_code == 0, told.output
    assert f"{report['quality']['by_threshold'][0]['recall']:.4f}" in told.output
    assert "pairs: calibration" in told.output


def test_without_labels_a_reviewed_sample_gives_the_estimate(place: Path) -> None:
    sheet = place / "sample.csv"
    told = _ffp("evaluate", "--sample", 60, "--pairs", place / "out/pairs.parquet", "--out", sheet,
                "--records", place / "records.parquet", "--record-id", "id")  # fmt: skip
    assert told.exit_code == 0, told.output
    with sheet.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {"given_l", "given_r"} <= rows[0].keys()
    assert "match_weight" not in rows[0]
    for row in rows:
        row["same_person"] = "yes" if row["person_l"] == row["person_r"] else "no"
    with sheet.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    told = _ffp("evaluate", "--reviewed", sheet, "--json")
    found = json.loads(told.stdout)
    report = json.loads((place / "out/report.json").read_text(encoding="utf-8"))
    low, high = found["precision"]["interval"]
    assert low <= report["quality"]["pairwise"]["precision"] <= high
    assert _ffp("evaluate", "--reviewed", sheet).exit_code == 0


def test_what_reviewers_decided_is_kept(place: Path) -> None:
    pairs = pq.read_table(place / "out/pairs.parquet").to_pylist()
    strong = max(pairs, key=lambda p: p["match_weight"])
    strangers = ("a0000", "b0100")
    sheet = place / "decided.csv"
    sheet.write_text(
        "record_id_l,record_id_r,same_person\n"
        f"{strong['record_id_l']},{strong['record_id_r']},No\n{','.join(strangers)},yes\n"
        "a0001,a0002,unsure\na0003,a0004,\n",
        encoding="utf-8",
    )
    start = ["link", place / "records.parquet", "--model", place / "model.yaml"]
    told = _ffp(*start, "--out", place / "again", "--decisions", sheet, "--json")
    assert told.exit_code == 0, told.output
    constraints = json.loads(told.stdout)["constraints"]
    assert (constraints["must_link"], constraints["cannot_link"]) == (1, 1)
    cluster = dict(
        zip(*pq.read_table(place / "again/clusters.parquet").to_pydict().values(), strict=True)
    )
    assert cluster[strangers[0]] == cluster[strangers[1]]
    assert cluster[strong["record_id_l"]] != cluster[strong["record_id_r"]]
    sheet.write_text("record_id_l,record_id_r,same_person\na,b,maybe\n", encoding="utf-8")
    told = _ffp(*start, "--out", place / "third", "--decisions", sheet)
    assert told.exit_code == 2
    assert "decided.csv, row 1: write yes, no or unsure" in told.output.replace("\n", "")


def test_a_state_takes_in_what_is_new_changed_or_gone(place: Path, tmp_path: Path) -> None:
    rows = pq.read_table(place / "records.parquet")
    ids = rows["id"].to_pylist()
    pq.write_table(rows.slice(5), tmp_path / "first.parquet")
    pq.write_table(rows.slice(0, 5), tmp_path / "second.parquet")
    (tmp_path / "gone.csv").write_text(f"record_id\n{ids[-1]}\n")
    words = ["--model", place / "model.yaml", "--out", tmp_path / "out", "--state", tmp_path / "st"]
    told = _ffp("link", tmp_path / "first.parquet", *words)
    assert told.exit_code == 0, told.output
    later = ["link", tmp_path / "second.parquet", *words, "--removed", tmp_path / "gone.csv"]
    told = _ffp(*later, "--json")
    assert told.exit_code == 0, told.output
    changes = json.loads(told.stdout)["changes"]
    assert (changes["new"], changes["removed"]) == (5, 1)
    clusters = pq.read_table(tmp_path / "out/clusters.parquet")
    assert clusters["record_id"].to_pylist() == sorted(ids[:-1])
    told = _ffp(*later, "--engine", "spark")
    assert told.exit_code == 2
    told = _ffp("link", tmp_path / "second.parquet", *words[:4], "--removed", tmp_path / "gone.csv")
    assert "--removed needs a --state" in told.output.replace("\n", " ")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["evaluate"], "give --clusters and --truth, or --sample, or --reviewed"),
        (["evaluate", "--sample", "20"], "--sample needs --pairs and --out"),
        (["evaluate", "--reviewed", "none.csv"], "none.key.json: cannot be read"),
        (["evaluate", "--clusters", "a.parquet", "--truth", "b.csv"], "b.csv: no such file"),
        (["link", "none.csv", "--model", "none.yaml", "--out", "o"], "none.yaml: cannot be read"),
        (["model", "check", "none.yaml"], "none.yaml: cannot be read"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(words: list[str], message: str) -> None:
    told = _ffp(*words)
    assert told.exit_code == 2
    assert message in told.output
    assert "Traceback" not in told.output


def test_a_mistake_in_linking_leaves_no_folder(place: Path) -> None:
    start = [
        "link",
        place / "records.parquet",
        "--model",
        place / "model.yaml",
        "--out",
        place / "new",
    ]
    for more, message in [
        (["--truth", "nobody"], "the records have no column nobody"),
        (["--truth", "number"], "'number' is the truth but the model links by it"),
        (["--by", "group"], "so it needs --truth"),
    ]:
        told = _ffp(*start, *more)
        assert told.exit_code == 2
        assert message in told.output
        assert not (place / "new").exists()


def test_the_schema_is_printed_and_written(tmp_path: Path) -> None:
    assert _ffp("model", "schema").stdout == schema_text()
    assert _ffp("model", "schema", "--out", tmp_path / "s.json").exit_code == 0
    assert (tmp_path / "s.json").read_text(encoding="utf-8") == schema_text()


def test_a_model_is_checked_without_records(place: Path) -> None:
    assert "4 columns, 5 blocking rules and 4 comparisons" in _ffp(
        "model", "check", place / "model.yaml"
    ).output.replace("\n", "")
    (place / "bad.yaml").write_text("name: x\ncolums: {}\n", encoding="utf-8")
    told = _ffp("model", "check", place / "bad.yaml")
    assert told.exit_code == 2
    assert "key 'colums': unknown key" in told.output
