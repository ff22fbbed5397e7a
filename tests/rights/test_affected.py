"""The list for the notice of a breach names exactly the people whom what was lost told about."""

from __future__ import annotations

import csv
import dataclasses
import json
import random
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ffp_data.access import Access
from ffp_data.cli.main import app
from ffp_data.rights.affected import Affected, NothingLostError, Row, affected_by
from tests.governance.test_release import DECISION
from tests.rights.released import CHILDREN, TABLES, Office, open_office

OTHER = dataclasses.replace(DECISION, recipient="fenmarch-family-help-south")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Two runs with a release to each of two recipients, without random children."""
    office = open_office(tmp_path_factory.mktemp("office") / "home")
    chosen = random.Random(11)
    for run in ("first", "second"):
        office.run(run)
        for decision in (DECISION, OTHER):
            without = {table: chosen.sample(CHILDREN, 4) for table in TABLES}
            office.release(decision, without, f"{run}/{decision.recipient}")
    return office


@pytest.fixture
def office(made: Office, tmp_path: Path) -> Office:
    """A copy that the test may change."""
    home = dataclasses.replace(made.home, root=tmp_path / "home")
    shutil.copytree(made.home.root, home.root)
    return Office(home, Access(home), dict(made.truth))


def told_by(office: Office, what: str) -> tuple[Affected, set[tuple[str, str, str]]]:
    """The answer, and (manifest, table, child) of its rows."""
    told, rows = affected_by(office.register, what)
    return told, _triples(rows)


def _triples(rows: list[Row]) -> set[tuple[str, str, str]]:
    return {(row.release.manifest, table, row.child_id) for row in rows for table in row.tables}


def truth_of(office: Office, *manifests: str) -> set[tuple[str, str, str]]:
    return {
        (manifest, table, child)
        for manifest in manifests
        for table, children in office.truth[manifest].items()
        for child in children
    }


@pytest.mark.control("D12")
def test_a_lost_extract_gives_the_children_of_each_of_its_tables(office: Office) -> None:
    for manifest in office.truth:
        told, found = told_by(office, manifest)
        assert found == truth_of(office, manifest)
        assert (told.fits, told.children) == ("release", len({child for _, _, child in found}))


@pytest.mark.control("D12")
def test_a_recipient_and_a_run_give_all_of_their_releases(office: Office) -> None:
    first, second, third, fourth = office.truth
    assert told_by(office, OTHER.recipient)[1] == truth_of(office, second, fourth)
    told, found = told_by(office, "first")
    assert (told.fits, found) == ("run", truth_of(office, first, second))
    assert told_by(office, "second")[1] == truth_of(office, third, fourth)
    folder = office.home.out / "second" / DECISION.recipient
    assert told_by(office, str(folder))[1] == truth_of(office, third)


@pytest.mark.control("D12", "D01")
def test_a_recipients_key_gives_what_was_sealed_to_it_and_says_so(office: Office) -> None:
    facts = {"recipient": "x", "purpose": "p", "agreement": "A@1", "as_at": "2026-03-31"}
    said = next(e["facts"] for e in office.access.ledger.events() if e["kind"] == "released")
    listed = {"subject_list": said["subject_list"], "columns": said["columns"]}
    office.access.ledger.append(
        "released", **facts, **listed, manifest="ab" * 32, rows={}, sealed_to="cd" * 16
    )
    told, _ = told_by(office, "cd" * 16)
    assert (told.fits, [each.sealed_to for each in told.releases]) == ("key", ["cd" * 16])
    assert told_by(office, DECISION.recipient)[0].releases[0].sealed_to is None


@pytest.mark.control("D12")
def test_categories_and_fields_are_those_of_the_tables_that_told_of_the_child(
    office: Office,
) -> None:
    manifest = next(iter(office.truth))
    told, rows = affected_by(office.register, manifest)
    columns = {f"{f.relation}.{f.name} ({f.transform})" for f in told.releases[0].fields}
    for row in rows:
        fields = row.as_cells()["fields"].split("; ")
        assert set(fields) <= columns
        assert {each.rpartition(".")[0] for each in fields} == set(row.tables)
    assert set(told.categories) == set(told.releases[0].categories)


def test_who_was_erased_since_is_counted_and_not_named(office: Office) -> None:
    manifest = next(iter(office.truth))
    gone = sorted(child for _, _, child in truth_of(office, manifest))[0]
    before, _ = told_by(office, manifest)
    office.access.subjects.keys.destroy(gone)
    told, found = told_by(office, manifest)
    assert gone not in {child for _, _, child in found}
    assert (told.children, told.unknown) == (before.children - 1, 1)


def test_a_merged_child_is_told_of_by_the_identifier_in_use(office: Office) -> None:
    manifest = next(iter(office.truth))
    gone, survivor = sorted({child for _, _, child in truth_of(office, manifest)})[:2]
    office.merge(gone, survivor)
    _, rows = affected_by(office.register, manifest)
    assert {row.current for row in rows if row.child_id in (gone, survivor)} == {survivor}


@pytest.mark.parametrize("what", ["nobody", "abc", "0" * 64, "/nowhere"])
def test_what_was_never_released_affects_nobody_and_says_so(office: Office, what: str) -> None:
    with pytest.raises(NothingLostError):
        affected_by(office.register, what)


@pytest.mark.control("D12")
@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_the_command_writes_the_list_for_its_owner_and_the_ledger_counts_it(
    office: Office, tmp_path: Path, suffix: str
) -> None:
    office.home.warehouse.touch()
    out = tmp_path / f"list{suffix}"
    given = ["affected", OTHER.recipient, "--out", str(out), "--home", str(office.home.root)]
    refused = CliRunner().invoke(app, given)
    assert refused.exit_code == 1  # the officer must say why
    done = CliRunner().invoke(app, [*given, "--reason", "a stolen laptop"])
    assert done.exit_code == 0, done.output
    if suffix == ".csv":
        rows = list(csv.DictReader(out.read_text("utf-8").splitlines()))
    else:
        rows = json.loads(out.read_text("utf-8"))["people"]
    children = {row["child_id"] for row in rows}
    assert children == {c for _, _, c in truth_of(office, *list(office.truth)[1::2])}
    assert out.stat().st_mode & 0o777 == 0o600
    (event,) = [e for e in office.access.ledger.events() if e["kind"] == "breach_list_made"]
    assert event["facts"]["children"] == len(children)
    assert not any(child in json.dumps(event) for child in CHILDREN)
