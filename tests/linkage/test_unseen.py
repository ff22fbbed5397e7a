"""A data set that the engine was not made with, linked by a model written from the guide alone."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
import yaml
from typer.testing import CliRunner

import linkage
from ffp_data.cli.main import app
from linkage.quality import quality
from tests.linkage.dutch import records

MODEL = Path(__file__).parent / "models/dutch_hospital.yaml"
GUIDE = (Path(__file__).parents[2] / "docs/linkage-model.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def hospitals() -> pa.Table:
    """Two hospitals' records of five hundred families."""
    return records(500)


@pytest.fixture(scope="module")
def out(hospitals: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the command writes, from a CSV with semicolons as Dutch programs write it."""
    folder = tmp_path_factory.mktemp("dutch")
    source = folder / "dossiers.csv"
    pa_csv.write_csv(hospitals, source, pa_csv.WriteOptions(delimiter=";"))
    told = CliRunner().invoke(
        app,
        ["link", str(source), "--model", str(MODEL), "--out", str(folder / "out"),
         "--truth", "persoon", "--by", "rol", "--by", "ziekenhuis"],
    )  # fmt: skip
    assert told.exit_code == 0, told.output
    assert "linkage quality" in told.output
    return folder / "out"


def test_the_command_links_it_well_and_says_so_by_group(out: Path) -> None:
    found = json.loads((out / "report.json").read_text(encoding="utf-8"))["quality"]
    assert found["pairwise"]["precision"] > 0.99
    assert found["pairwise"]["recall"] > 0.96
    assert found["by"]["rol"]["tweeling"]["b_cubed"]["precision"] > 0.95
    assert set(found["by"]) == {"rol", "ziekenhuis"}
    assert not any(d["beyond_chance"] for d in found["differences"])


def test_it_finds_far_more_than_a_key_does(hospitals: pa.Table, out: Path) -> None:
    rows = hospitals.to_pylist()
    key = [f"{r['achternaam'].lower()}|{r['voornamen'].lower()}|{r['geboortedatum']}" for r in rows]
    truth = hospitals.select(["dossier", "persoon"]).rename_columns(["record_id", "person_id"])
    by_key = pa.table({"record_id": hospitals["dossier"], "cluster_id": key})
    ours = quality(pq.read_table(out / "clusters.parquet"), truth)["pairwise"]
    assert ours["intervals"]["recall"][0] > quality(by_key, truth)["pairwise"]["recall"] + 0.3


def test_a_number_with_a_wrong_digit_is_no_evidence(hospitals: pa.Table, out: Path) -> None:
    known = {row["dossier"]: row for row in hospitals.to_pylist()}
    mistyped = []
    for pair in pq.read_table(out / "pairs.parquet").to_pylist():
        left, right = known[pair["record_id_l"]], known[pair["record_id_r"]]
        if left["persoon"] == right["persoon"] and left["bsn"] and right["bsn"]:
            assert pair["level_bsn"] != "different"
            if left["bsn"] != right["bsn"]:
                mistyped.append(pair["level_bsn"])
    assert len(mistyped) > 5
    assert set(mistyped) == {"missing"}


def test_the_truth_had_no_part_in_it(hospitals: pa.Table, out: Path) -> None:
    blind = linkage.link(hospitals.drop_columns(["persoon", "rol"]), linkage.Model.from_yaml(MODEL))
    assert blind.clusters.equals(pq.read_table(out / "clusters.parquet"))


def test_every_word_of_the_model_is_in_the_guide() -> None:
    def words(value: Any) -> set[str]:
        if isinstance(value, dict):
            return {str(k) for k in value} | set().union(*map(words, value.values()), set())
        return set().union(*map(words, value)) if isinstance(value, list) else set()

    content = yaml.safe_load(MODEL.read_text(encoding="utf-8"))
    own = set(content["columns"]) | {c["name"] for c in content["comparisons"]}
    used = words(content) - own
    assert sorted(w for w in used if not re.search(rf"`[^`]*\b{w}\b[^`]*`", GUIDE)) == []
