"""Ending an agreement writes its status and why, or nothing at all."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.settings import make_demonstration
from ffp_data.withdrawal.apply import clear, end_agreement
from ffp_data.withdrawal.scope import Scope, WithdrawalError, current_lock, lock_without, scope_of
from governance.grants import Grants


@pytest.fixture
def run(tmp_path: Path) -> Run:
    made = Run.at(run_id="r1", home=tmp_path / "home", as_at=date(2026, 3, 31))
    make_demonstration(made.home)
    policy.compile_lock(made)
    return made


@pytest.mark.control("A08")
def test_the_home_gets_a_policy_of_its_own_with_the_status_and_the_ledger_says_who_and_why(
    run: Run,
) -> None:
    path = end_agreement(run, "DSA-POL-01", "withdrawn", "an officer", "the force left")
    assert path.is_relative_to(run.home.root / "policy")
    assert "\nstatus: withdrawn\n" in path.read_text("utf-8")
    (event,) = [e["facts"] for e in run.ledger.events() if e["kind"] == "agreement_ended"]
    assert (event["by"], event["reason"]) == ("an officer", "the force left")
    assert policy.compile_lock(run).problems == []
    assert scope_of(current_lock(run), "DSA-POL-01").not_in_force == "it is withdrawn"
    assert policy.grants(run).ended("police_safeguarding") == "DSA-POL-01@1"


@pytest.mark.parametrize(
    ("agreement", "status", "reason", "why"),
    [
        ("DSA-POL-01", "withdrawn", " ", "say why"),
        ("DSA-NOT-01", "withdrawn", "left", "no such agreement"),
        ("DSA-POL-01", "gone", "left", "would not hold"),
    ],
)
def test_what_cannot_be_ended_leaves_policy_and_ledger_as_they_were(
    run: Run, agreement: str, status: str, reason: str, why: str
) -> None:
    policy.start_policy(run.home)
    files = {p: p.read_bytes() for p in (run.home.root / "policy").rglob("*.yaml")}
    with pytest.raises(WithdrawalError, match=why):
        end_agreement(run, agreement, status, "an officer", reason)
    assert {p: p.read_bytes() for p in files} == files
    assert [e for e in run.ledger.events() if e["kind"] == "agreement_ended"] == []


def test_nothing_is_removed_while_the_last_run_was_made_under_the_agreement(run: Run) -> None:
    with pytest.raises(WithdrawalError, match="run again"):
        clear(run, "DSA-POL-01")


@pytest.mark.control("A08")
def test_a_lock_without_an_agreement_is_told_and_not_written(run: Run) -> None:
    before = run.lock_file.read_bytes()
    after = Grants(lock_without(run, "DSA-HEA-01", "suspended"))
    assert not after.ingest("health_fhir", "patients").allowed
    assert after.ended("health_fhir") is None, "suspended may come back"
    assert after.ingest("health_csv", "children").allowed
    assert run.lock_file.read_bytes() == before


def test_a_scope_knows_its_feeds_or_its_recipient(run: Run) -> None:
    lock = current_lock(run)
    police: Scope = scope_of(lock, "DSA-POL-01")
    assert police.feeds == ("police_safeguarding",)
    assert "surname" in police.columns["police_safeguarding", "persons"]
    team = scope_of(lock, "DSA-FHN-01")
    assert (team.is_inbound, team.feeds) == (False, ())
