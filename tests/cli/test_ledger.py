"""The commands of the ledger: whole or not, with witnesses; proofs; the heartbeat; a clock put right."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from ffp_data.access import Access
from ffp_data.cli.main import app
from ffp_data.settings import Home, make_demonstration
from governance import verify_ledger
from governance.ledger import CHECKPOINTS_FILE, EVENTS_FILE, Ledger


@pytest.fixture
def home(tmp_path: Path) -> Path:
    place = Home(tmp_path / "home").prepare()
    make_demonstration(place)
    Access(place).ledger.append_many(("read", {"n": n}) for n in range(5))
    return place.root


def run(home: Path, *words: object) -> Result:
    return CliRunner().invoke(app, ["ledger", *map(str, words), "--home", str(home)])


def kept(home: Path, path: Path) -> Path:
    """The newest checkpoint, as somebody outside keeps it."""
    path.write_bytes((home / "ledger" / CHECKPOINTS_FILE).read_bytes().splitlines()[-1])
    return path


def test_a_proof_is_written_that_the_stand_alone_verifier_takes(home: Path, tmp_path: Path) -> None:
    proof = tmp_path / "proof.json"
    assert run(home, "prove", 3, "--out", proof).exit_code == 0
    keys = [Access(Home(home)).keys.public_key]
    assert verify_ledger.judge(json.loads(proof.read_bytes()), keys, None) == []
    printed = run(home, "prove", 3)
    assert json.loads(printed.stdout) == json.loads(proof.read_bytes())


def test_the_ledger_of_now_is_shown_to_extend_a_kept_checkpoint(home: Path, tmp_path: Path) -> None:
    checkpoint = kept(home, tmp_path / "kept.json")
    assert run(home, "heartbeat").exit_code == 0
    proof = json.loads(run(home, "consistency", checkpoint).stdout)
    assert (proof["earlier"]["count"], proof["later"]["count"]) == (5, 6)
    assert verify_ledger.judge(proof, [Access(Home(home)).keys.public_key], None) == []


def test_a_ledger_put_back_from_a_backup_is_found_by_a_witness_alone(
    home: Path, tmp_path: Path
) -> None:
    files = [home / "ledger" / name for name in (EVENTS_FILE, CHECKPOINTS_FILE)]
    backup = [path.read_bytes() for path in files]
    run(home, "heartbeat")
    checkpoint = kept(home, tmp_path / "kept.json")
    for path, content in zip(files, backup, strict=True):
        path.write_bytes(content)
    assert run(home, "verify").exit_code == 0
    found = run(home, "verify", "--witness", checkpoint)
    assert found.exit_code == 1
    assert "a witness signs 6 events, but 5 are there" in found.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("prove",), 2, "name either"),
        (("prove", "99"), 1, "leaf 98 is not among 5"),
        (("consistency", "{other}"), 2, "not a checkpoint"),
        (("prove", "--manifest", "{other}"), 1, "no event of this ledger tells"),
    ],
)
def test_what_cannot_be_proved_is_said_in_words(
    words: tuple[str, ...], code: int, said: str, home: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.json"
    other.write_text('{"manifest": {}}', "utf-8")
    result = run(home, *(word.format(other=other) for word in words))
    assert result.exit_code == code
    assert said in result.stderr


def test_a_heartbeat_takes_over_what_a_killed_process_left(home: Path) -> None:
    ledger = Access(Home(home)).ledger
    line = ledger.waiting_line("dead:1", "2026-03-31T10:00:00Z", "read", {"n": 9})
    (home / "ledger" / "reads-dead-00000000.journal").write_bytes(line)
    assert json.loads(run(home, "heartbeat", "--json").stdout)["count"] == 7
    *_, read, beat = ledger.events()
    assert read["facts"] == {"n": 9, "entry": "dead:1", "read_at": "2026-03-31T10:00:00Z"}
    assert beat["facts"] == {"reads_taken_over": 1}


def test_a_clock_that_was_ahead_is_put_right_by_name_and_reason(home: Path) -> None:
    keys = Access(Home(home)).keys
    ahead = Ledger(home / "ledger", keys, lambda: datetime.now(UTC) + timedelta(days=3))
    ahead.append("read")
    assert "correct-clock" in run(home, "heartbeat").stderr
    assert run(home, "correct-clock", "--reason", "three days ahead").exit_code == 0
    assert run(home, "heartbeat").exit_code == 0
    assert run(home, "verify").exit_code == 0
    told = [
        e["facts"] for e in Access(Home(home)).ledger.events() if e["kind"] == "clock_corrected"
    ]
    assert told[0]["reason"] == "three days ahead"
    assert told[0]["by"]
