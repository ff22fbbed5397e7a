"""Nothing goes to DfE without an agreement, and every batch is written down without a name in it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ffp_data.cli.main import app
from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.https import Patience
from ffp_data.releases import dataflow
from ffp_data.releases.keeping_back import Nevertheless
from ffp_data.returns.dataflow import state
from ffp_data.returns.dataflow.layout import layout
from ffp_data.settings import Home, make_demonstration
from ffp_data.warehouse import connect
from governance import policy as agreements
from governance.canonical import digest
from governance.grants import Grants
from tests.returns.books import deliver, every_source
from tests.returns.dataflow_server import CLIENT_ID, SECRET, SUPPLIER_KEY, Department, department
from tests.returns.dataflow_warehouse import Council

AS_AT = date(2026, 3, 31)
QUICK = Patience(tries=2)


@pytest.fixture
def dfe(monkeypatch: pytest.MonkeyPatch) -> Iterator[Department]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with department() as running:
        yield running


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with compiled agreements and two children in need in its encrypted warehouse."""
    home = Home(tmp_path_factory.mktemp("made") / "home").prepare()
    make_demonstration(home)
    assert policy.compile_lock(Run.at(run_id="r0", home=home.root, as_at=AS_AT)).problems == []
    with connect(home) as con:
        hub = Council(con)
        every_source(con)
        for number in ("1001", "1002"):
            hub.child(number)
            hub.referral(number, f"R{number}")
    return home.root


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Run:
    shutil.copytree(made, tmp_path / "home")
    return Run.at(run_id="r1", home=tmp_path / "home", as_at=AS_AT)


def amend(run: Run, old: str, new: str) -> None:
    """Changes the agreement in the home's own policy, which is compiled anew."""
    path = policy.start_policy(run.home) / "agreements" / "DSA-DFE-03.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    assert policy.compile_lock(run).problems == []


def send(run: Run, dfe: Department) -> dataflow.SendOutcome:
    return dataflow.send(run, dfe.environment, lambda _: None, QUICK)


def told(run: Run, kind: str) -> list[Mapping[str, Any]]:
    return [each["facts"] for each in run.ledger.events() if each["kind"] == kind]


def test_the_agreement_gives_what_the_layout_sends_and_no_more() -> None:
    grants = Grants(agreements.compile_policy(agreements.load(), AS_AT))
    decision = grants.release(dataflow.DEPARTMENT, dataflow.PURPOSE)
    assert decision.agreement == "DSA-DFE-03@1"
    assert sorted((each.relation, each.column) for each in decision.items) == sorted(
        layout().columns()
    )


def test_each_batch_is_written_down_before_and_after_with_count_and_hash(
    run: Run, dfe: Department
) -> None:
    assert dataflow.build(run).children == {"Pending": {"New": 2}}
    outcome = send(run, dfe)
    assert (outcome.permitted, outcome.sent.accepted) == (True, 2)
    batch = digest(dfe.batches[0])
    for kind in ("dataflow_batch_intended", "dataflow_batch_accepted"):
        (facts,) = told(run, kind)
        assert (facts["batch"], facts["children"]) == (batch, 2)
        assert (facts["agreement"], facts["recipient"]) == ("DSA-DFE-03@1", "dfe")
    assert run.ledger.verify() == []
    assert dataflow.status(run)["children"] == {"Sent": {"New": 2}}


def test_neither_names_nor_numbers_nor_secrets_stand_in_ledger_or_files(
    run: Run, dfe: Department
) -> None:
    dataflow.build(run)
    dfe.refuses = {"1002"}
    send(run, dfe)
    kept = b"".join(path.read_bytes() for path in run.home.root.rglob("*") if path.is_file())
    for word in ("O'Brien", "A001000000001", "R1001", SECRET, SUPPLIER_KEY, "token-1"):
        assert word.encode() not in kept, word
    assert CLIENT_ID  # no secret


def test_without_a_source_nothing_is_built_and_what_was_built_before_is_sent(
    run: Run, dfe: Department
) -> None:
    dataflow.build(run)
    with connect(run.home) as con:
        deliver(con, "early_help", "eh_plans_20260331.csv", "refused", 7, "Remedy: send it again.")
    outcome = dataflow.build(run)
    assert not outcome.permitted
    assert "eh_plans_20260331.csv" in outcome.reason
    assert [facts["collection"] for facts in told(run, "return_kept_back")] == ["dataflow"]
    assert len(told(run, "dataflow_built")) == 1
    assert send(run, dfe).sent.accepted == 2
    word = Nevertheless("M Shah", "ig_officer", "the department knows of it")
    assert dataflow.build(run, nevertheless=word).permitted


def test_without_an_agreement_in_force_nothing_is_built_or_sent(run: Run, dfe: Department) -> None:
    dataflow.build(run)
    amend(run, "status: live", "status: suspended")
    assert not dataflow.build(run).permitted
    outcome = send(run, dfe)
    assert not outcome.permitted
    assert "would cover this" in outcome.reason
    assert [facts["purpose"] for facts in told(run, "release_refused")] == [dataflow.PURPOSE] * 2
    assert dfe.requests == dfe.tokens == 0


def test_what_was_built_under_other_terms_is_built_again_first(run: Run, dfe: Department) -> None:
    dataflow.build(run)
    send(run, dfe)
    assert "postcode" in dfe.holds["1001"]["child_details"]
    amend(run, "expected_date_of_birth, sex, postcode", "expected_date_of_birth, sex")
    assert "the agreement changed" in send(run, dfe).reason
    assert dataflow.build(run).children == {"Pending": {"Updated": 2}}
    send(run, dfe)
    assert "postcode" not in dfe.holds["1001"]["child_details"]


def test_a_run_of_the_next_day_changes_no_terms(run: Run, dfe: Department) -> None:
    dataflow.build(run)
    next_day = Run.at(run_id="r2", home=run.home.root, as_at=date(2026, 4, 1))
    assert policy.compile_lock(next_day).problems == []
    assert send(next_day, dfe).sent.accepted == 2


TERMS = {
    "only a month": (
        "transform: clear\n    columns: [first_name",
        "transform: year\n    columns: [first_name",
    ),
    "some rows only": ("cohort: everyone_in_the_return", "cohort: open_to_family_help_north"),
    "no number": ("columns: [la_child_id, mis_child_id", "columns: [mis_child_id"),
}


@pytest.mark.parametrize("case", TERMS)
def test_terms_that_a_payload_cannot_keep_stop_the_build(run: Run, case: str) -> None:
    amend(run, *TERMS[case])
    outcome = dataflow.build(run)
    assert not outcome.permitted
    assert "DSA-DFE-03" in outcome.reason or "does not give" in outcome.reason
    # other rows than the DPIA was asked about are refused before the flow could fail on them
    assert len(told(run, "release_failed")) + len(told(run, "release_refused")) == 1


def test_a_batch_that_was_recorded_when_the_process_died_is_told_once(
    run: Run, dfe: Department
) -> None:
    dataflow.build(run)
    with connect(run.home) as con:
        children = state.pending_children(con)
        state.mark_sent(con, "b" * 64, dict.fromkeys(children, "receipt"))
    for _ in range(2):
        send(run, dfe)
    (facts,) = told(run, "dataflow_batch_accepted")
    assert (facts["batch"], facts["children"], facts["reason"]) == ("b" * 64, 2, "told late")
    assert dfe.requests == 0


def test_a_hub_that_has_built_nothing_says_so(run: Run, dfe: Department) -> None:
    with connect(run.home) as con:
        con.execute("DROP SCHEMA staging CASCADE")
    assert "run the hub first" in dataflow.build(run).reason
    assert "nothing was built yet" in send(run, dfe).reason


def test_the_commands_build_send_and_tell(
    run: Run, dfe: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = ["--home", str(run.home.root)]

    def ffp(*words: str) -> Any:
        return CliRunner().invoke(app, ["returns", "dataflow", *words, *home])

    built = ffp("build", "--json")
    assert (built.exit_code, json.loads(built.stdout)["children"]) == (0, {"Pending": {"New": 2}})
    blind = ffp("send")
    assert (blind.exit_code, "FFP_DATAFLOW_CLIENT_SECRET" in blind.stderr) == (2, True)
    for name, value in dfe.environment.items():
        monkeypatch.setenv(name, value)
    dfe.refuses = {"1002"}
    sent = ffp("send")
    assert (sent.exit_code, sent.stdout) == (1, "1 children taken, 1 refused\n")
    found = json.loads(ffp("status", "--json").stdout)
    assert found["children"] == {"Error": {"New": 1}, "Sent": {"New": 1}}
    assert found["errors"] == [{"child": "1002", "reason": "HTTP 400", "state": "New"}]
    (answered,) = json.loads(ffp("status", "--answers", "--json").stdout)["errors"]
    assert answered["answer"] == '{"errors": ["[0] of 1002"]}'
