"""A data engineer's word on deliveries: from the command to the warehouse, the ledger and the next run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ffp_data import feeds
from ffp_data.feeds import signing
from ffp_data.home.policy import compile_lock
from ffp_data.home.run import Run
from ffp_data.pipeline.ingest import FeedOutcome, ingest_feed
from ffp_data.warehouse import connect
from tests.cli.test_commands import run
from tests.feeds.samples import csv_text, file_name, sample_row

EDUCATION = feeds.load_contracts()["education_attendance"]
PUPILS = EDUCATION.by_name["pupils"]
DAYS = ("20260328T030000Z", "20260329T030000Z", "20260330T030000Z")
WORD = ("--by", "A. Person", "--reason", "looked at the file")


class Hub:
    """A demonstration's home with one feed, whose runs take deliveries in and do nothing else."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def begin(self) -> Run:
        return Run.at(run_id="r1", home=self.home, landing=self.home / "landing")

    def pupils(self, count: int, day: int) -> Path:
        rows = [sample_row(EDUCATION, PUPILS, n) for n in range(count)]
        path = self.home / "landing" / EDUCATION.id / file_name(PUPILS, DAYS[day])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(csv_text(PUPILS, rows), "utf-8")
        return path

    def take_in(self) -> FeedOutcome:
        begun = self.begin()
        compile_lock(begun)
        return ingest_feed(begun, EDUCATION)

    def command(self, name: str, *words: object) -> Any:
        return run("feeds", name, *words, "--home", self.home)

    def standing(self) -> int:
        with connect(self.begin().home, read_only=True) as con:
            query = "SELECT count(*) FROM raw.education_attendance__pupils"
            ((count,),) = con.execute(query).fetchall()
        return int(count)

    def told(self, kind: str) -> list[dict[str, Any]]:
        """Facts of all events of a kind; proves the ledger whole on the way."""
        ledger = self.begin().ledger
        assert list(ledger.verify()) == []
        return [event["facts"] for event in ledger.events() if event["kind"] == kind]


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    assert run("prepare", "--demo", "--home", tmp_path / "home").exit_code == 0
    return Hub(tmp_path / "home")


def test_a_held_delivery_fails_its_check_and_loads_after_somebody_accepted_it(hub: Hub) -> None:
    hub.pupils(30, 0)
    held = hub.pupils(10, 1)
    outcome = hub.take_in()
    assert outcome.checks()["contract_holds"] is False
    assert outcome.figures()["held deliveries"] == 1
    assert ["fallen" in error and "ffp feeds accept" in error for error in outcome.errors] == [True]
    assert hub.standing() == 30

    accepted = hub.command("accept", held.name, *WORD)
    assert accepted.exit_code == 0, accepted.output
    (facts,) = hub.told("delivery_accepted")
    assert (facts["file"], facts["by"], facts["reason"]) == (held.name, WORD[1], WORD[3])

    outcome = hub.take_in()
    assert all(outcome.checks().values())
    assert hub.standing() == 10


def test_a_retracted_delivery_leaves_and_what_it_replaced_comes_back(hub: Hub) -> None:
    hub.pupils(30, 0)
    wrong = hub.pupils(29, 1)
    hub.take_in()
    retracted = hub.command("retract", wrong.name, *WORD, "--json")
    assert retracted.exit_code == 0, retracted.output
    (row,) = json.loads(retracted.stdout)
    assert (row["loaded"], row["superseded"], row["error"]) == ("0 → 30", "30 → 0", None)
    assert hub.standing() == 30
    assert len(hub.told("delivery_retracted")) == len(hub.told("delivery_replayed")) == 1

    outcome = hub.take_in()
    assert outcome.results == ()
    assert all(outcome.checks().values())


def test_what_a_retraction_cannot_bring_back_is_an_error_of_the_command_alone(hub: Hub) -> None:
    first = hub.pupils(30, 0)
    wrong = hub.pupils(29, 1)
    hub.take_in()
    first.unlink()
    retracted = hub.command("retract", wrong.name, *WORD)
    assert retracted.exit_code == 1
    assert "gone" in retracted.stderr
    assert hub.standing() == 0
    assert all(hub.take_in().checks().values())


def test_a_retraction_without_a_policy_is_finished_by_the_next_run(hub: Hub) -> None:
    hub.pupils(30, 0)
    wrong = hub.pupils(29, 1)
    hub.take_in()
    hub.begin().lock_file.unlink()
    assert hub.command("retract", wrong.name, *WORD).exit_code == 0
    assert hub.standing() == 0
    hub.take_in()
    assert hub.standing() == 30


def test_replay_takes_in_what_an_agreement_covers_now(hub: Hub) -> None:
    hub.pupils(3, 0)
    hub.take_in()
    replayed = hub.command("replay", EDUCATION.id, "--json")
    assert (replayed.exit_code, json.loads(replayed.stdout)) == (0, [])
    name = file_name(PUPILS, DAYS[0])
    (row,) = json.loads(hub.command("replay", name, "--json").stdout)
    assert (row["loaded"], row["set aside"]) == ("3", "0")
    assert len(hub.told("delivery_replayed")) == 1


@pytest.mark.parametrize("command", ["accept", "retract"])
def test_a_word_on_a_delivery_that_nobody_knows_is_told_in_one_line(hub: Hub, command: str) -> None:
    hub.pupils(3, 0)
    hub.take_in()
    result = hub.command(command, "0123456789", *WORD)
    assert result.exit_code == 1
    assert "unknown_delivery" in result.stderr
    assert "Traceback" not in result.output
    assert hub.told(f"delivery_{command}ed") == []


def test_an_agency_signs_a_file_and_the_hub_knows_its_signature(hub: Hub, tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    private, form = tmp_path / "key.pem", serialization.PrivateFormat.PKCS8
    encoding = serialization.Encoding.PEM
    private.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    path = hub.pupils(3, 0)
    signed = hub.command("sign", path, "--feed", EDUCATION.id, "--key", private)
    assert (signed.exit_code, signed.stdout.strip()) == (0, f"{path}.sig")
    keys = hub.begin().home.partner_keys
    keys.mkdir()
    public = serialization.PublicFormat.SubjectPublicKeyInfo
    (keys / f"{EDUCATION.hub.agency}.pem").write_bytes(
        key.public_key().public_bytes(encoding, public)
    )
    required = EDUCATION.hub.model_copy(update={"signed": "required"})
    contract = EDUCATION.model_copy(update={"hub": required})
    delivery = feeds.delivery_at(path, contract, {EDUCATION.id: contract})
    told = signing.verify(delivery, contract, keys)
    assert told is not None
    assert (told.rows, told.file) == (3, path.name)
