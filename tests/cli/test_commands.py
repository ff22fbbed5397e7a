"""Every command explains itself, speaks pure JSON when asked, and says what to do when it cannot."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner, Result

from ffp_data.cli.main import app
from governance.policy import DEMO_DIRECTORY

GOLDEN = Path(__file__).parents[1] / "returns" / "golden_cin.xml"
MODEL = """
name: people
version: "1"
record_id: id
source: source
columns:
  given: {steps: [lower], domain: name}
  surname: {steps: [lower], domain: name}
  born: {type: date}
blocking:
  - equal: [surname, born]
  - equal: [given, born]
comparisons:
  - {name: given, levels: [{exact: given}, {similar: {column: given, at_least: 0.85}}]}
  - {name: surname, levels: [{exact: surname}, {similar: {column: surname, at_least: 0.85}}]}
  - {name: born, levels: [{exact: born}]}
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The state folder of a demonstration that has not run yet."""
    assert run("prepare", "--demo", "--home", tmp_path / "home").exit_code == 0
    return tmp_path / "home"


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Words of every command below a group, whichever Click the group is made with."""
    children = getattr(command, "commands", None)
    if children is None:
        yield path
    for name, child in sorted((children or {}).items()):
        yield from _commands(child, (*path, name))


COMMANDS = list(_commands(typer.main.get_command(app)))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_has_help_that_says_what_it_does(path: tuple[str, ...]) -> None:
    result = run(*path, "--help")
    assert result.exit_code == 0
    assert "Usage" in result.output
    words = [line for line in result.output.splitlines() if line.strip()]
    assert len(words[1].split()) >= 4, "the first sentence says what the command does"


def test_contracts_and_agreements_of_the_product_have_no_fault(home: Path) -> None:
    checked = run("feeds", "check", "--json")
    assert (checked.exit_code, json.loads(checked.stdout)) == (0, [])
    checked = run("policy", "check", "--as-at", "2026-03-31", "--home", home, "--json")
    assert (checked.exit_code, json.loads(checked.stdout)) == (0, [])


def test_feeds_can_be_listed_before_any_run(tmp_path: Path) -> None:
    result = run("feeds", "list", "--home", tmp_path, "--as-at", "2026-03-31", "--json")
    assert {row["state"] for row in json.loads(result.stdout)} == {"never"}


def test_a_broken_agreement_is_named_by_file_and_line_and_leaves_no_lock(home: Path) -> None:
    for part in ("agreements", "charter"):
        shutil.copytree(DEMO_DIRECTORY / part, home / "policy" / part)
    for register in DEMO_DIRECTORY.glob("*.yaml"):
        shutil.copy(register, home / "policy")
    assert run("policy", "compile", "--as-at", "2026-03-31", "--home", home).exit_code == 0
    agreement = home / "policy" / "agreements" / "DSA-POL-01.yaml"
    text = agreement.read_text("utf-8").replace("CDA1998-S115", "CA1989-S47")
    agreement.write_text(text.replace("CA2004-S16H", "CA1989-S47"), "utf-8")
    result = run("policy", "compile", "--as-at", "2026-03-31", "--home", home)
    assert result.exit_code == 1
    assert "DSA-POL-01.yaml:" in result.stderr
    assert not (home / "policy.lock.json").exists()


def test_the_agreements_of_the_demonstration_never_decide_on_real_people(home: Path) -> None:
    own = 'name: A council\nla_code: "888"\nis_synthetic: false\n'
    (home / "partnership.yaml").write_text(own, "utf-8")
    result = run("policy", "compile", "--as-at", "2026-03-31", "--home", home)
    assert result.exit_code == 1
    assert f"{home / 'policy'}: missing" in result.stderr
    assert not (home / "policy.lock.json").exists()


@pytest.mark.control("D04")
def test_a_ledger_that_was_altered_does_not_verify(home: Path) -> None:
    run("policy", "compile", "--as-at", "2026-03-31", "--home", home)
    assert run("ledger", "verify", "--home", home).exit_code == 0
    ledger = home / "ledger" / "ledger.jsonl"
    ledger.write_text(
        ledger.read_text("utf-8").replace("policy_compiled", "policy_approved"), "utf-8"
    )
    result = run("ledger", "verify", "--home", home, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["problems"]


def test_a_ledger_line_that_is_no_event_is_named_by_its_line(home: Path) -> None:
    run("policy", "compile", "--as-at", "2026-03-31", "--home", home)
    written = home / "ledger" / "ledger.jsonl"
    line = len(written.read_bytes().splitlines()) + 1
    with written.open("a", encoding="utf-8") as ledger:
        ledger.write("not an event\n")
    for command in ("verify", "show"):
        result = run("ledger", command, "--home", home)
        assert result.exit_code == 1
        assert f"ledger.jsonl:{line}: not an event" in result.stderr


def test_what_is_not_there_is_said_with_a_remedy(tmp_path: Path) -> None:
    for words in (("ledger", "verify"), ("feeds", "quarantine")):
        result = run(*words, "--home", tmp_path / "nowhere")
        assert result.exit_code == 2
        assert "--home" in result.stderr
        assert not (tmp_path / "nowhere").exists(), "asking makes no hub"
    result = run("hub", "resolve", "no-such-child", "--home", tmp_path)
    assert result.exit_code == 2
    assert result.stderr.strip()


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (("", ""), 0),
        (("<Sex>F</Sex>", "<Sex>X</Sex>"), 1),
        (("<Message>", "<!DOCTYPE Message><Message>"), 2),
        (("<Collection>CIN", "<Collection>CLA"), 2),
    ],
)
def test_a_return_is_clean_or_has_findings_or_cannot_be_read(
    tmp_path: Path, change: tuple[str, str], status: int
) -> None:
    file = tmp_path / "return.xml"
    file.write_text(GOLDEN.read_text("utf-8").replace(*change, 1), "utf-8")
    result = run("returns", "validate", "cin", file, "--year", "2025-26")
    assert result.exit_code == status, result.output
    if status < 2:
        assert bool(json.loads(result.stdout)) is (status == 1)
    else:
        assert "return.xml" in result.stderr


def test_records_of_any_kind_are_linked_and_measured(tmp_path: Path) -> None:
    rows = [
        {"id": f"{source}{i}", "source": source, "given": f"Name{i}", "surname": f"House{i % 40}",
         "born": f"20{i % 20:02d}-0{1 + i % 9}-1{i % 10}"}
        for i in range(120) for source in "ab"
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "records.parquet")
    (tmp_path / "model.yaml").write_text(MODEL, "utf-8")
    with (tmp_path / "truth.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["record_id", "person_id"])
        writer.writerows((row["id"], row["id"][1:]) for row in rows)
    out = tmp_path / "out"
    linked = run(
        "link", tmp_path / "records.parquet", "--model", tmp_path / "model.yaml", "--out", out
    )
    assert linked.exit_code == 0, linked.output
    tables = {f"{name}.parquet" for name in ("clusters", "pairs", "joins", "cuts")}
    told = {"parameters.json", "report.json", "report.html"}
    assert {path.name for path in out.iterdir()} == tables | told
    measured = run(
        "evaluate",
        "--clusters",
        out / "clusters.parquet",
        "--truth",
        tmp_path / "truth.csv",
        "--json",
    )
    assert json.loads(measured.stdout)["pairwise"]["f1"] > 0.95


def test_a_model_that_does_not_fit_the_records_is_refused_with_the_column(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["1", "2"], "source": ["a", "b"]}), tmp_path / "r.parquet")
    (tmp_path / "model.yaml").write_text(MODEL, "utf-8")
    words = ("--model", tmp_path / "model.yaml", "--out", tmp_path / "out")
    result = run("link", tmp_path / "r.parquet", *words)
    assert result.exit_code == 2
    assert "surname" in result.stderr
