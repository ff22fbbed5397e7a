"""Decisions come from the lock alone, name the agreement, and deny by default."""

from __future__ import annotations

import json
import shutil
from dataclasses import FrozenInstanceError
from datetime import date
from pathlib import Path

import pytest

from governance import policy
from governance.grants import Grants
from governance.keys import KeyStore
from governance.policy import Lock, LockError

AS_AT = date(2026, 3, 31)
LOCK = policy.compile_policy(policy.load(), AS_AT)
GRANTS = Grants(LOCK)
NORTH = ("fenmarch-family-help-north", "single_view.family_help")


@pytest.mark.control("A03")
def test_delivered_columns_enter_in_their_order_and_the_rest_is_dropped() -> None:
    header = ["event_id", "narrative", "event_type", "informant_name", "occurred_from"]
    decision = GRANTS.ingest("police_safeguarding", "events", header)
    assert decision.allowed
    assert decision.columns == ("event_id", "event_type", "occurred_from")
    assert decision.dropped == ("narrative", "informant_name")
    assert decision.agreement == "DSA-POL-01@1"
    assert decision.policy == LOCK.sha256
    assert decision.reason.startswith("yes: DSA-POL-01@1")


def test_without_a_header_the_excluded_columns_are_those_of_the_agreement() -> None:
    decision = GRANTS.ingest("probation", "persons")
    assert decision.dropped == ("religion",)
    assert "religion" not in decision.columns


@pytest.mark.control("A01")
@pytest.mark.parametrize(
    ("feed", "table"), [("housing", "tenants"), ("probation", "nothing"), ("", ""), ("police", "*")]
)
def test_what_no_agreement_names_is_denied_whole(feed: str, table: str) -> None:
    decision = GRANTS.ingest(feed, table, ["a", "b"])
    assert not decision.allowed
    assert (decision.columns, decision.dropped, decision.agreement) == ((), ("a", "b"), None)
    assert decision.reason == f"no: no agreement covers {feed}.{table}"


def test_a_refusal_says_that_an_agreement_has_lapsed() -> None:
    later = Grants(policy.compile_policy(policy.load(), date(2028, 4, 1)))
    assert "it expired on 2028-04-01" in later.ingest("probation", "persons").reason
    assert "it expired on 2028-04-01" in later.release(*NORTH).reason


def test_a_decision_cannot_be_changed() -> None:
    decision = GRANTS.release("nobody", "single_view")
    with pytest.raises(FrozenInstanceError):
        decision.allowed = True  # type: ignore[misc]


def test_a_release_lists_columns_transforms_and_cohort() -> None:
    decision = GRANTS.release(*NORTH)
    assert decision.allowed
    assert decision.agreement == "DSA-FHN-01@1"
    assert decision.transforms["single_view.children.child_id_pseudonym"] == "pseudonymised"
    assert decision.relations == (
        "single_view.children",
        "single_view.involvements",
        "single_view.flags",
    )
    assert decision.cohort is not None
    assert decision.cohort.id == "open_to_family_help_north"
    assert decision.terms["breach"]["hours"] == 24


@pytest.mark.control("A02")
def test_a_purpose_covers_what_lies_below_it_and_nothing_above_or_beside() -> None:
    recipient, purpose = NORTH
    assert GRANTS.release(recipient, f"{purpose}.handover").allowed
    for other in ("single_view", "single_view.family_helpline", "statutory_returns", ""):
        assert not GRANTS.release(recipient, other).allowed


@pytest.mark.control("A01", "E04")
@pytest.mark.parametrize("recipient", ["fenmarch-council", "dfe", "a-newspaper", ""])
def test_another_recipient_gets_nothing(recipient: str) -> None:
    decision = GRANTS.release(recipient, NORTH[1])
    assert not decision.allowed
    assert decision.items == ()
    assert decision.cohort is None


def test_recipients_are_listed_by_purpose_and_a_lapsed_one_is_still_asked() -> None:
    managers = ("fenmarch-family-help-north-managers", "single_view.early_warning")
    assert GRANTS.recipients("single_view") == [NORTH, managers]
    assert {purpose for _, purpose in GRANTS.recipients("statutory_returns")} == {
        "statutory_returns.cin_census",
        "statutory_returns.tehadc",
        "statutory_returns.dataflow",
        "statutory_returns.annex_a",
        "statutory_returns.ffp_quarterly",
    }
    searches = [(who, "identity_matching.nhs_number") for who in ("dfe", "fenmarch-sui-matcher")]
    assert GRANTS.recipients("identity_matching") == searches
    assert GRANTS.recipients("marketing") == []


def test_a_hand_made_lock_with_two_answers_is_refused() -> None:
    doubled = json.loads(json.dumps(LOCK.data))
    copy = {**doubled["release"][0], "agreement": "DSA-FHN-01", "recipient": "dfe"}
    doubled["release"] += [{**copy, "purposes": ["statutory_returns.tehadc"]}]
    with pytest.raises(LockError, match="answer alike"):
        Grants(Lock(doubled)).release("dfe", "statutory_returns.tehadc")


# The lock on disk


def test_a_written_lock_answers_as_the_compiled_one(keys: KeyStore, tmp_path: Path) -> None:
    path = tmp_path / "policy.lock.json"
    LOCK.write(path, keys.signing_key)
    read = Grants.read(path, keys.public_key, AS_AT)
    assert read.policy == GRANTS.policy
    assert read.release(*NORTH) == GRANTS.release(*NORTH)
    first = path.read_bytes()
    LOCK.write(path, keys.signing_key)
    assert path.read_bytes() == first


@pytest.mark.control("D04")
def test_every_change_to_a_lock_file_is_refused(keys: KeyStore, tmp_path: Path) -> None:
    path = tmp_path / "policy.lock.json"
    LOCK.write(path, keys.signing_key)
    whole = path.read_text("utf-8")
    changes = [
        whole.replace('"dfe"', '"press"', 1),
        whole.replace('"transform":"pseudonymised"', '"transform":"clear"', 1),
        whole[:-100],
        "{}",
        "[]",
        "",
    ]
    for changed in changes:
        path.write_text(changed, "utf-8")
        with pytest.raises(LockError, match="compile"):
            Grants.read(path, keys.public_key, AS_AT)


def test_a_lock_of_another_hub_or_no_lock_is_refused(
    keys: KeyStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "policy.lock.json"
    with pytest.raises(LockError, match="no lock"):
        Grants.read(path, keys.public_key, AS_AT)
    LOCK.write(path, keys.signing_key)
    monkeypatch.delenv("FFP_ROOT_KEY")
    with pytest.raises(LockError, match="another key"):
        Grants.read(path, KeyStore(tmp_path / "other").public_key, AS_AT)


@pytest.mark.control("A08")
@pytest.mark.parametrize("day", [date(2026, 3, 30), date(2028, 4, 1)])
def test_a_lock_is_not_used_outside_its_days(day: date, keys: KeyStore, tmp_path: Path) -> None:
    path = tmp_path / "policy.lock.json"
    LOCK.write(path, keys.signing_key)
    with pytest.raises(LockError, match="holds from 2026-03-31 until 2028-04-01"):
        Grants.read(path, keys.public_key, day)


def test_taking_an_agreement_away_takes_its_grants_and_no_others(tmp_path: Path) -> None:
    directory = tmp_path / "policy"
    shutil.copytree(policy.DEMO_DIRECTORY, directory)
    (directory / "agreements" / "DSA-POL-01.yaml").unlink()
    without = Grants(policy.compile_policy(policy.load(directory), AS_AT))
    assert not without.ingest("police_safeguarding", "events").allowed
    assert (
        without.ingest("probation", "persons").columns
        == GRANTS.ingest("probation", "persons").columns
    )
