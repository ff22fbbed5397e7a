"""Annex A leaves under the agreement with Ofsted, the same file each time; the rest stays with the council."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import typer
from typer.testing import CliRunner

from ffp_data.access import os_user
from ffp_data.cli.main import app
from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.releases.annex_a import (
    ChoiceToShare,
    NotKnownYetError,
    council_folder,
    publish_annex_a,
)
from ffp_data.returns.annex_a import NothingToShareError
from ffp_data.settings import Home, make_demonstration
from ffp_data.warehouse import connect
from governance.envelope import make_key, seal_for
from governance.manifest import read_manifest, verify_files
from governance.release import publish
from tests.returns.annex_a_warehouse import create, facts, put
from tests.returns.books import deliver, every_source
from tests.rights.register import register

AS_AT = date(2026, 4, 10)
ON = date(2026, 4, 8)
WORKBOOK = "annex-a-2026-04-08-999.xlsx"
CHOICE = ChoiceToShare("Director of Children's Services", "Asked for by the lead inspector")


@pytest.fixture(scope="module")
def made_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = Home(tmp_path_factory.mktemp("made") / "home").prepare()
    make_demonstration(home)
    with connect(home) as con:
        create(con)
        con.execute(
            "CREATE TABLE intermediate.int_feeds__states (feed VARCHAR, is_for_returns BOOLEAN);"
        )
        every_source(con)
        put(con, "intermediate.int_feeds__states", {"feed": "case_system", "is_for_returns": True})
        facts(con, "contacts", "ada", contact_date=ON, source_code="6")
        referral = {"referral_id": "R", "referral_date": ON, "is_no_further_action": False}
        facts(con, "referrals", "ben", **referral)
    register(home, {"a|1": "ada", "b|1": "ben", "c|1": "cat"})
    compiled(Run.at(run_id="r1", home=home.root, as_at=AS_AT))
    return home.root


@pytest.fixture
def run(made_home: Path, tmp_path: Path) -> Run:
    home = shutil.copytree(made_home, tmp_path / "home")
    return Run.at(run_id="r1", home=home, as_at=AS_AT)


def compiled(run: Run) -> Run:
    assert policy.compile_lock(run).problems == []
    return run


def amend(run: Run, old: str, new: str) -> Run:
    """Changes the agreement in the home's own policy."""
    path = policy.start_policy(run.home) / "agreements" / "DSA-OFS-01.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    return compiled(run)


def return_early_help(run: Run, year: str = "2025-26") -> Path:
    """Releases an early help collection to the department, as a run does."""
    decision = policy.grants(run).release("dfe", "statutory_returns.tehadc")

    def write(part: Path) -> dict[str, int]:
        (part / "child.csv").write_text("LAchildID,Note\n17,=1+1\n", "utf-8")
        return {"returns.tehadc_children": 1}

    out = run.home.out / "returns" / "tehadc" / year
    publish(
        decision,
        write,
        as_at=AS_AT,
        out=out,
        keys=run.keys,
        ledger=run.ledger,
        keep_list=lambda: run.subject_lists.keep({"returns.tehadc_children": {"cat"}}),
    )
    return out


def told(run: Run, kind: str) -> list[dict[str, Any]]:
    return [event["facts"] for event in run.ledger.events() if event["kind"] == kind]


def sheets(path: Path) -> Any:
    return openpyxl.load_workbook(path)


def files(folder: Path | None) -> list[str]:
    assert folder is not None
    return sorted(path.name for path in folder.iterdir())


def test_the_released_folder_holds_the_signed_workbook_and_nothing_for_the_council(
    run: Run,
) -> None:
    outcome = publish_annex_a(run, ON)
    assert outcome.permitted
    assert outcome.folder == run.home.out / "returns" / "annex_a" / "2026-04-08"
    assert files(outcome.folder) == [WORKBOOK, "manifest.json"]
    assert verify_files(outcome.folder, run.keys.public_key) == []
    assert (outcome.rows["annex_a.contacts"], outcome.rows["annex_a.children_in_need"]) == (1, 1)
    (event,) = told(run, "released")
    assert (event["recipient"], event["purpose"]) == ("ofsted", "statutory_returns.annex_a")
    assert event["as_at"] == "2026-04-08"


def test_the_council_keeps_the_record_and_what_to_mend(run: Run) -> None:
    outcome = publish_annex_a(run, ON)
    folder = council_folder(run, ON)
    assert files(folder) == ["build.json", "queries.xlsx"]
    assert run.home.out not in folder.parents
    record = json.loads((folder / "build.json").read_text("utf-8"))
    assert (record["inputs"], record["edition"], record["rows"]["list 1"]) == (["d1"], "2026-04", 1)
    assert list(record["files"]) == [WORKBOOK]
    sheet = sheets(folder / "queries.xlsx").worksheets[0]
    assert outcome.queries == sheet.max_row - 1 > 0
    assert (3, "ben", "Allocated Worker", "required, and empty") in sheet.iter_rows(
        values_only=True
    )


def test_a_past_date_gives_the_same_file_whenever_it_is_made(run: Run) -> None:
    def made(by: Run) -> bytes:
        folder = publish_annex_a(by, ON).folder
        assert folder is not None
        return (folder / WORKBOOK).read_bytes()

    first = made(run)
    assert made(run) == first
    later = compiled(Run.at(run_id="r2", home=run.home.root, as_at=date(2026, 5, 31)))
    assert made(later) == first


def test_a_date_of_which_nothing_is_known_yet_is_refused(run: Run) -> None:
    with pytest.raises(NotKnownYetError, match="run the hub for that day first"):
        publish_annex_a(run, date(2026, 4, 11))
    assert publish_annex_a(run, AS_AT).permitted


def test_without_an_agreement_in_force_nothing_is_written(run: Run) -> None:
    amend(run, "status: live", "status: suspended")
    outcome = publish_annex_a(run, ON)
    assert not outcome.permitted
    assert not (run.home.out / "returns").exists()
    assert not council_folder(run, ON).exists()
    assert len(told(run, "release_refused")) == 1


def test_a_column_that_the_agreement_does_not_give_stays_empty_and_the_cover_says_so(
    run: Run,
) -> None:
    amend(run, "columns: [contact_date, contact_source]", "columns: [contact_date]")
    folder = publish_annex_a(run, ON).folder
    assert folder is not None
    book = sheets(folder / WORKBOOK)
    assert [cell.value for cell in book["List 1"]["G"]] == ["Contact Source", None]
    cover = dict(book["Cover"].iter_rows(values_only=True))
    assert cover["Empty: list 1, Contact Source"] == "the agreement does not give it"


def test_an_agreement_that_changes_a_column_is_not_overrun(run: Run) -> None:
    amend(run, "transform: clear", "transform: pseudonymised")
    outcome = publish_annex_a(run, ON)
    assert not outcome.permitted
    assert "amend the agreement" in outcome.reason


def test_a_warehouse_without_the_tables_is_told_and_nothing_is_written(run: Run) -> None:
    with connect(run.home) as con:
        con.execute("DROP TABLE staging.stg_case_system__legal_statuses")
    outcome = publish_annex_a(run, ON)
    assert "run the hub with this version first" in outcome.reason
    assert not (run.home.out / "returns" / "annex_a" / "2026-04-08").exists()


# The early help collection, shared by choice


def test_the_early_help_collection_is_shared_only_on_a_decision_that_the_ledger_keeps(
    run: Run,
) -> None:
    return_early_help(run)
    assert files(publish_annex_a(run, ON).folder) == [WORKBOOK, "manifest.json"]
    assert told(run, "tehadc_sharing_decided") == []
    outcome = publish_annex_a(run, ON, CHOICE)
    assert files(outcome.folder) == [WORKBOOK, "list-teh-optional-2025-26.xlsx", "manifest.json"]
    assert outcome.rows["returns.tehadc_children"] == 1
    (decided,) = told(run, "tehadc_sharing_decided")
    assert (decided["decided_by"], decided["reason"]) == (CHOICE.decided_by, CHOICE.reason)
    assert (decided["inspection_date"], decided["collection_year"]) == ("2026-04-08", "2025-26")


def test_what_is_shared_is_what_the_department_got_with_its_reference_date(run: Run) -> None:
    return_early_help(run)
    folder = publish_annex_a(run, ON, CHOICE).folder
    assert folder is not None
    book = sheets(folder / "list-teh-optional-2025-26.xlsx")
    assert book.sheetnames == ["Cover", "child"]
    assert list(book["child"].iter_rows(values_only=True)) == [
        ("LAchildID", "Note"),
        ("17", "=1+1"),
    ]
    assert book["child"]["B2"].data_type == "s"
    assert dict(book["Cover"].iter_rows(values_only=True))["Reference date"] == "2026-03-31"
    cover = dict(sheets(folder / WORKBOOK)["Cover"].iter_rows(values_only=True))
    assert "reference date 2026-03-31" in cover["Targeted early help data collection"]


def test_a_collection_of_after_the_inspection_is_not_shared(run: Run) -> None:
    return_early_help(run)
    with pytest.raises(
        NothingToShareError, match="no release with a reference date up to 2026-03-30"
    ):
        publish_annex_a(run, date(2026, 3, 30), CHOICE)
    assert publish_annex_a(run, date(2026, 3, 31), CHOICE).permitted


def test_a_collection_that_was_altered_after_its_release_is_not_shared(run: Run) -> None:
    (return_early_help(run) / "child.csv").write_text("LAchildID\n18\n", "utf-8")
    with pytest.raises(NothingToShareError, match="not as released"):
        publish_annex_a(run, ON, CHOICE)
    assert told(run, "tehadc_sharing_decided") == []


def test_a_collection_that_is_sealed_to_the_department_is_not_shared_as_if_it_were_empty(
    run: Run,
) -> None:
    folder = return_early_help(run)
    told = read_manifest(folder, run.keys.trusted)
    facts = {name: value for name, value in told.items() if name not in ("files", "format")}
    (folder / "manifest.json").unlink()
    seal_for(make_key("x25519")[1], folder, facts, run.keys.signing_key)
    with pytest.raises(NothingToShareError, match="sealed to the department's key"):
        publish_annex_a(run, ON, CHOICE)


def test_a_collection_with_more_than_the_agreement_gives_is_not_shared(run: Run) -> None:
    return_early_help(run)
    amend(run, "la_child_id, upn, former_upn, family_id", "la_child_id, former_upn, family_id")
    with pytest.raises(NothingToShareError, match=r"does not give returns\.tehadc_children\.upn"):
        publish_annex_a(run, ON, CHOICE)


# A source that is missing

PLANS = "plans_{}.csv"


def refuse(run: Run) -> None:
    """A file of early help that came after the last release, and could not be read."""
    with connect(run.home) as con:
        deliver(con, "early_help", PLANS.format(20260409), "refused", 7, "Remedy: send it again.")


def mend(run: Run) -> None:
    with connect(run.home) as con:
        deliver(con, "early_help", PLANS.format(20260410), "loaded", 8)


def test_without_a_source_nothing_is_released_what_was_stands_and_the_mended_file_lets_it_go(
    run: Run,
) -> None:
    folder = publish_annex_a(run, ON).folder
    assert folder is not None
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    refuse(run)
    outcome = publish_annex_a(run, ON)
    assert not outcome.permitted
    assert "plans_20260409.csv: Remedy: send it again." in outcome.reason
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert len(told(run, "released")) == len(told(run, "return_kept_back")) == 1
    mend(run)
    assert publish_annex_a(run, ON).permitted
    assert len(told(run, "released")) == 2


def test_a_first_release_without_a_source_is_not_made_at_all(run: Run) -> None:
    refuse(run)
    assert not publish_annex_a(run, ON).permitted
    assert not (run.home.out / "returns").exists()
    assert not council_folder(run, ON).exists()


def test_whoever_has_the_right_releases_it_nevertheless_and_why_stands_in_the_ledger(
    run: Run,
) -> None:
    refuse(run)
    made = command(run, "--on", "2026-04-08", "--nevertheless", "the inspectors wait for it")
    assert made.exit_code == 0, made.stderr
    (word,) = told(run, "return_released_nevertheless")
    assert (word["who"], word["reason"]) == (os_user(), "the inspectors wait for it")
    assert word["collection"] == "annex_a"
    assert len(told(run, "released")) == 1


def test_nobody_else_does(run: Run) -> None:
    refuse(run)
    run.home.access_file.write_text(f"users: {{{os_user()}: [data_engineer]}}\n", "utf-8")
    made = command(run, "--on", "2026-04-08", "--nevertheless", "the inspectors wait for it")
    assert made.exit_code != 0
    assert [each["right"] for each in told(run, "access_refused")] == ["release_lacking"]
    assert told(run, "released") == []


def test_it_needs_a_reason(run: Run) -> None:
    refuse(run)
    refused = command(run, "--on", "2026-04-08", "--nevertheless", " ")
    assert refused.exit_code == typer.BadParameter.exit_code
    assert told(run, "released") == []


# The command


def command(run: Run, *arguments: str) -> Any:
    words = ["returns", "annex-a", "--home", str(run.home.root), *arguments]
    return CliRunner().invoke(app, words, env={"FFP_AS_AT": "2026-04-10"})


def test_the_command_makes_the_workbook_and_says_where_the_queries_are(run: Run) -> None:
    made = command(run, "--on", "2026-04-08", "--json")
    assert made.exit_code == 0
    figures = json.loads(made.stdout)
    assert figures["rows"]["annex_a.contacts"] == 1
    assert figures["for the council"] == str(council_folder(run, ON))


@pytest.mark.parametrize(
    "words",
    [
        ["--with-tehadc"],
        ["--with-tehadc", "--decided-by", "DCS"],
        ["--decided-by", "DCS", "--reason", "asked"],
        ["--with-tehadc", "--decided-by", "", "--reason", "asked"],
    ],
)
def test_the_command_takes_a_decision_only_whole(run: Run, words: list[str]) -> None:
    refused = command(run, "--on", "2026-04-08", *words)
    assert refused.exit_code == typer.BadParameter.exit_code
    assert not (run.home.out / "returns").exists()


@pytest.mark.parametrize(
    ("on", "words"),
    [("2026-04-11", "run the hub for that day first"), ("2017-01-01", "first edition held")],
)
def test_the_command_says_why_a_date_cannot_be_served(run: Run, on: str, words: str) -> None:
    refused = command(run, "--on", on)
    assert refused.exit_code == 1
    assert words in refused.stderr
