"""The disclosure log of a child equals the truth: what the released files hold, and who looked."""

from __future__ import annotations

import dataclasses
import json
import random
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ffp_data.access import Access
from ffp_data.cli.main import app
from ffp_data.hub.child_id import from_bits
from ffp_data.rights.disclosures import DisclosureLog, NoSuchChildError
from governance.access import AccessDeniedError, Principal, Right
from governance.ledger import LedgerDamagedError
from governance.manifest import read_manifest
from governance.subject_lists import FOLDER, SubjectListError
from tests.governance.test_release import DECISION
from tests.rights.released import CHILDREN, TABLES, Office, open_office

OTHER = dataclasses.replace(DECISION, recipient="fenmarch-family-help-south")
REVIEWER = Principal("asmith", "reviewer")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Releases to two recipients, each without random children in random tables."""
    office = open_office(tmp_path_factory.mktemp("office") / "home")
    chosen = random.Random(7)
    for number in range(8):
        without = {table: chosen.sample(CHILDREN, chosen.randrange(9)) for table in TABLES}
        office.release((DECISION, OTHER)[number % 2], without, f"release-{number}")
    return office


@pytest.fixture
def office(made: Office, tmp_path: Path) -> Office:
    """A copy that the test may change."""
    home = dataclasses.replace(made.home, root=tmp_path / "home")
    shutil.copytree(made.home.root, home.root)
    return Office(home, Access(home), dict(made.truth))


def log_of(office: Office, child: str) -> DisclosureLog:
    return office.register.of_child(office.register.identity(child))


def told(log: DisclosureLog) -> dict[str, set[str]]:
    """manifest -> tables of the child's releases."""
    return {
        str(each.manifest): {field.relation for field in each.fields}
        for each in log.disclosures
        if each.what == "released"
    }


def truth_of(office: Office, *children: str) -> dict[str, set[str]]:
    tables = {
        manifest: {t for t, people in by_table.items() if people & set(children)}
        for manifest, by_table in office.truth.items()
    }
    return {manifest: names for manifest, names in tables.items() if names}


@pytest.mark.control("C02")
def test_the_log_of_every_child_equals_what_the_released_files_hold(office: Office) -> None:
    assert sum(len(truth_of(office, child)) for child in CHILDREN) > 20
    for child in CHILDREN:
        assert told(log_of(office, child)) == truth_of(office, child)


@pytest.mark.control("C02")
def test_a_disclosure_names_recipient_purpose_agreement_fields_and_transforms(
    office: Office,
) -> None:
    made = office.release(where="named")
    manifest = read_manifest(made.directory, office.access.keys.public_key)
    (child,) = sorted(office.truth[made.manifest_sha256]["single_view.children"])[:1]
    (each,) = [d for d in log_of(office, child).disclosures if d.manifest == made.manifest_sha256]
    assert (each.to, each.purpose, each.agreement) == (
        DECISION.recipient,
        DECISION.purpose,
        DECISION.agreement,
    )
    given = {(f.relation, f.name, f.transform, f.category) for f in each.fields}
    in_manifest = {
        (c["relation"], c["name"], c["transform"], c["category"])
        for table in manifest["tables"]
        for c in table["columns"]
    }
    assert given <= in_manifest
    assert (
        "single_view.children",
        "child_id_pseudonym",
        "pseudonymised",
        "direct_identifier",
    ) in given
    assert DECISION.recipient in log_of(office, child).recipients


def test_a_read_is_a_disclosure_to_its_user_and_a_refused_one_is_none(office: Office) -> None:
    child = CHILDREN[0]
    gate = office.access.gate
    gate.read(REVIEWER, Right.HISTORY, subjects=[f"case|{child}"], reason="queue")
    with pytest.raises(AccessDeniedError):
        gate.read(REVIEWER, Right.EXPORT, subjects=[child])
    reads = [each for each in log_of(office, child).disclosures if each.what != "released"]
    assert [(each.what, each.to, each.right, each.reason) for each in reads] == [
        ("read", "asmith", "history", "queue")
    ]


@pytest.mark.control("B12", "C02")
def test_a_survivor_answers_for_what_was_disclosed_under_a_merged_identifier(
    office: Office,
) -> None:
    gone, survivor = CHILDREN[3], CHILDREN[4]
    office.merge(gone, survivor)
    for asked in (gone, survivor):
        assert told(log_of(office, asked)) == truth_of(office, gone, survivor)


@pytest.mark.control("B12")
def test_what_was_disclosed_of_a_record_while_another_held_it_is_the_childs_too(
    office: Office,
) -> None:
    wrong, right = CHILDREN[2], CHILDREN[5]
    office.run("split")
    office.move(wrong, right)
    before = truth_of(office, wrong, right)
    office.release(where="after the split")
    new = {m: t for m, t in truth_of(office, right).items() if m not in before}
    assert told(log_of(office, right)) == before | new


@pytest.mark.control("C06", "D05")
def test_once_a_key_is_destroyed_nothing_leads_to_the_child_and_the_ledger_holds(
    office: Office,
) -> None:
    child = CHILDREN[0]
    office.access.gate.read(REVIEWER, Right.HISTORY, subjects=[child], reason="queue")
    before = office.access.subjects.keys.reference(child)
    assert log_of(office, child).disclosures
    office.access.subjects.keys.destroy(child)
    assert log_of(office, child).disclosures == []
    assert office.access.subjects.keys.reference(child) != before
    assert office.access.ledger.verify() == []
    assert told(log_of(office, CHILDREN[1])) == truth_of(office, CHILDREN[1])


def test_the_index_grows_with_the_ledger_and_is_built_anew_where_it_is_lost(
    office: Office,
) -> None:
    first = log_of(office, CHILDREN[6])
    (index,) = (office.home.serving / "disclosures").glob("index.duckdb")
    office.release(where="later")
    grown = log_of(office, CHILDREN[6])
    assert grown.events > first.events
    for spoil in (index.unlink, lambda: index.write_bytes(b"no database")):
        spoil()
        assert log_of(office, CHILDREN[6]) == grown


def test_an_index_that_goes_further_than_the_ledger_is_not_believed(
    office: Office, tmp_path: Path
) -> None:
    shutil.copytree(office.home.ledger_dir, tmp_path / "older")
    before = log_of(office, CHILDREN[6])
    office.release(where="later")
    assert log_of(office, CHILDREN[6]) != before
    shutil.rmtree(office.home.ledger_dir)
    shutil.copytree(tmp_path / "older", office.home.ledger_dir)
    assert log_of(office, CHILDREN[6]) == before


@pytest.mark.control("D04")
def test_a_changed_line_or_list_is_noticed(office: Office) -> None:
    (path,) = office.home.ledger_dir.glob("ledger.jsonl")
    lines = path.read_bytes()
    path.write_bytes(lines.replace(b'"kind":"released"', b'"kind":"renounced"', 1))
    with pytest.raises(LedgerDamagedError):
        log_of(office, CHILDREN[0])
    path.write_bytes(lines)
    listed = sorted((office.home.ledger_dir / FOLDER).iterdir())[0]
    listed.write_bytes(listed.read_bytes()[:-1])
    with pytest.raises(SubjectListError, match="changed"):
        log_of(office, CHILDREN[0])


def test_a_child_whom_the_hub_has_not_is_refused_the_same_way_always(office: Office) -> None:
    never = from_bits(random.Random(99).getrandbits)
    said = set()
    for text in (never, never[:-1] + "0", "", "no child"):
        with pytest.raises(NoSuchChildError) as refused:
            office.register.identity(text)
        said.add(str(refused.value))
    assert len(said) == 1


@pytest.mark.control("D05")
def test_no_identifier_stands_in_ledger_lists_or_index(office: Office) -> None:
    log_of(office, CHILDREN[0])
    for folder in (office.home.ledger_dir, office.home.serving):
        for path in folder.rglob("*"):
            data = path.read_bytes() if path.is_file() else b""
            assert not any(child.encode() in data for child in CHILDREN), path
    text = json.dumps(list(office.access.ledger.events()))
    assert not any(child in text for child in CHILDREN)


def test_the_command_answers_and_is_a_read_itself(office: Office) -> None:
    office.home.warehouse.touch()
    asked = ["disclosures", CHILDREN[0], "--home", str(office.home.root), "--json"]
    first = json.loads(CliRunner().invoke(app, asked).stdout)
    assert {d["manifest"] for d in first["disclosures"]} == set(truth_of(office, CHILDREN[0]))
    second = json.loads(CliRunner().invoke(app, asked).stdout)
    assert [d["right"] for d in second["disclosures"][len(first["disclosures"]) :]] == [
        "disclosures"
    ]
    missing = CliRunner().invoke(app, ["disclosures", "nobody", "--home", str(office.home.root)])
    assert missing.exit_code == 2
