"""The ledger: durable, chained, signed; any tampering is found, by both verifiers."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance import verify_ledger
from governance.keys import KeyStore
from governance.ledger import (
    CHECKPOINTS_FILE,
    EVENTS_FILE,
    FactsUnreadableError,
    Ledger,
    LedgerDamagedError,
)
from governance.ledger_lines import lines_back

KEY = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
FORGER = Ed25519PrivateKey.from_private_bytes(b"f" * 32)


def ticking() -> Iterator[datetime]:
    moment = datetime(2026, 3, 31, 9, tzinfo=UTC)
    while True:
        yield moment
        moment += timedelta(seconds=1)


def new_ledger(directory: Path, key: Ed25519PrivateKey = KEY) -> Ledger:
    return Ledger(directory, key, clock=ticking().__next__)


def filled(directory: Path, batches: int = 6, key: Ed25519PrivateKey = KEY) -> Ledger:
    ledger = new_ledger(directory, key)
    for batch in range(batches):
        ledger.append_many(("release", {"batch": batch, "rows": row}) for row in range(batch + 1))
    return ledger


def stand_alone(directory: Path, witnesses: list[dict[str, object]] | None = None) -> list[str]:
    return verify_ledger.verify(directory, KEY.public_key(), witnesses or [])


def test_an_untouched_ledger_is_whole(tmp_path: Path) -> None:
    ledger = filled(tmp_path)
    assert ledger.verify() == []
    assert stand_alone(tmp_path) == []
    assert [event["number"] for event in ledger.events()] == list(range(1, 22))


def test_an_empty_ledger_is_whole_and_has_no_checkpoint(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path / "new")
    assert ledger.verify() == []
    assert ledger.last_checkpoint() is None
    assert list(ledger.events()) == []


def test_events_keep_their_facts_and_their_time(tmp_path: Path) -> None:
    new_ledger(tmp_path).append("ingest_refused", feed="police", reason="no agreement – lapsed")
    (event,) = new_ledger(tmp_path).events()
    assert event["kind"] == "ingest_refused"
    assert event["facts"] == {"feed": "police", "reason": "no agreement – lapsed"}
    assert event["at"] == "2026-03-31T09:00:00.000000Z"


@pytest.mark.control("D05")
def test_events_of_some_kinds_are_those_kinds_of_all_events(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    for kind in ("read", "released", "read", "released_not"):
        ledger.append(kind, note='"kind":"released"')
    told = list(ledger.events())
    for kinds in (("released",), ("read", "released"), ("never",)):
        assert list(ledger.events(*kinds)) == [e for e in told if e["kind"] in kinds]


def test_what_is_not_asked_for_is_not_opened(tmp_path: Path) -> None:
    new_ledger(tmp_path).append("read", who="somebody")
    forger = Ledger(tmp_path, FORGER)  # cannot open what another hub sealed
    assert list(forger.events("released")) == []
    with pytest.raises(FactsUnreadableError):
        list(forger.events("read"))


def test_facts_are_encrypted_on_disk_and_open_for_the_hub_alone(tmp_path: Path) -> None:
    manifest = "ab" * 32
    new_ledger(tmp_path).append("released", recipient="yorvale-council", manifest=manifest)
    written = (tmp_path / EVENTS_FILE).read_bytes()
    assert b"yorvale" not in written
    assert b'"manifest":"%b"' % manifest.encode() in written  # a recipient finds its release by it
    (event,) = new_ledger(tmp_path).events()
    assert event["facts"] == {"recipient": "yorvale-council", "manifest": manifest}
    assert verify_ledger.verify(tmp_path, KEY.public_key(), []) == []
    with pytest.raises(FactsUnreadableError, match="another root key"):
        list(Ledger(tmp_path, FORGER).events())


def test_a_fact_that_json_cannot_say_writes_nothing(tmp_path: Path) -> None:
    ledger = filled(tmp_path)
    before = (tmp_path / EVENTS_FILE).read_bytes()
    with pytest.raises(TypeError):
        ledger.append_many([("fine", {"a": 1}), ("not", {"a": object()})])
    assert (tmp_path / EVENTS_FILE).read_bytes() == before


def test_eight_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    def write(name: int) -> None:
        ledger = Ledger(tmp_path, KEY)
        for number in range(10):
            ledger.append("page_view", writer=name, number=number)

    threads = [threading.Thread(target=write, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ledger = Ledger(tmp_path, KEY)
    seen = {(event["facts"]["writer"], event["facts"]["number"]) for event in ledger.events()}
    assert len(seen) == 80
    assert ledger.verify() == []


# Tampering. Both files are lists of lines; a forger may do to them what an editor can.

LINE_TAMPERINGS = st.sampled_from(["edit", "delete", "insert", "swap", "truncate", "duplicate"])


def tampered(lines: list[bytes], how: str, one: int, two: int, byte: int) -> list[bytes]:
    """Return the lines after one tampering at place(s) ``one`` and ``two``."""
    at, other = one % len(lines), two % len(lines)
    changed = list(lines)
    if how == "edit":
        place = byte % len(lines[at])
        changed[at] = lines[at][:place] + bytes([lines[at][place] ^ 1]) + lines[at][place + 1 :]
    elif how == "delete":
        del changed[at]
    elif how in {"insert", "duplicate"}:
        changed.insert(at, lines[other])
    elif how == "swap":
        changed[at], changed[other] = changed[other], changed[at]
    else:
        joined = b"".join(lines)
        changed = [joined[: byte % len(joined)]]
    return changed


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("whole")
    filled(directory)
    return directory


@pytest.mark.control("D04")
@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([EVENTS_FILE, CHECKPOINTS_FILE]),
    LINE_TAMPERINGS,
    st.integers(0, 50),
    st.integers(0, 50),
    st.integers(0, 10_000),
)
def test_every_tampering_with_a_file_is_found_by_both_verifiers(
    whole: Path, tmp_path: Path, name: str, how: str, one: int, two: int, byte: int
) -> None:
    lines = (whole / name).read_bytes().splitlines(keepends=True)
    changed = b"".join(tampered(lines, how, one, two, byte))
    for each in (EVENTS_FILE, CHECKPOINTS_FILE):
        shutil.copy(whole / each, tmp_path / each)
    (tmp_path / name).write_bytes(changed)
    is_changed = changed != b"".join(lines)
    assert bool(Ledger(tmp_path, KEY).verify()) == is_changed
    assert bool(stand_alone(tmp_path)) == is_changed


def test_a_finding_names_the_line(tmp_path: Path) -> None:
    ledger = filled(tmp_path)
    path = tmp_path / EVENTS_FILE
    lines = path.read_bytes().splitlines(keepends=True)
    lines[4] = lines[4].replace(b'"kind":"release"', b'"kind":"relaese"')
    path.write_bytes(b"".join(lines))
    (problem,) = ledger.verify()
    assert (problem.file, problem.line) == (EVENTS_FILE, 5)
    assert "content" in problem.message


def test_a_rewritten_ledger_with_another_key_is_found(tmp_path: Path) -> None:
    filled(tmp_path, key=FORGER)
    assert Ledger(tmp_path, KEY).verify()
    assert stand_alone(tmp_path)


@pytest.mark.control("D04")
@pytest.mark.parametrize("keep", [0, 1, 3, 5])
def test_cutting_events_and_checkpoints_alike_is_found_by_a_witness(
    keep: int, tmp_path: Path
) -> None:
    witness = filled(tmp_path / "now").last_checkpoint()
    assert witness is not None
    older = filled(tmp_path / "older", batches=keep)
    (tmp_path / "older" / EVENTS_FILE).touch()
    (tmp_path / "older" / CHECKPOINTS_FILE).touch()
    assert older.verify() == []  # alone, an older copy is in order: this is why witnesses exist
    assert older.verify([witness])
    record = {**witness.statement, "signature": witness.signature}
    assert stand_alone(tmp_path / "older", [record])
    assert stand_alone(tmp_path / "now", [record]) == []


def test_a_witness_that_another_hub_signed_is_refused(tmp_path: Path) -> None:
    foreign = filled(tmp_path / "foreign", key=FORGER).last_checkpoint()
    assert foreign is not None
    (problem,) = filled(tmp_path / "ours").verify([foreign])
    assert "not signed by this hub" in problem.message


# Crashes. What was acknowledged stays; what was not is set aside, never mixed in.


@pytest.mark.parametrize("rest", [b'{"half', b'{"number":22}\n', b"x\ny\n"])
def test_lines_that_were_never_signed_are_set_aside_and_told(rest: bytes, tmp_path: Path) -> None:
    ledger = filled(tmp_path)
    with (tmp_path / EVENTS_FILE).open("ab") as handle:
        handle.write(rest)
    assert ledger.verify()
    ledger.append("after_crash")
    assert ledger.verify() == []
    *_, told, last = ledger.events()
    assert told["kind"] == "unsigned_tail_set_aside"
    assert (tmp_path / told["facts"]["file"]).read_bytes() == rest
    assert last["kind"] == "after_crash"


def test_a_crash_between_events_and_checkpoint_sets_the_events_aside(tmp_path: Path) -> None:
    ledger = filled(tmp_path)
    checkpoints = (tmp_path / CHECKPOINTS_FILE).read_bytes()
    ledger.append("not_acknowledged")
    (tmp_path / CHECKPOINTS_FILE).write_bytes(checkpoints + b'{"torn')
    ledger.append("after_crash")
    assert ledger.verify() == []
    assert [event["kind"] for event in ledger.events()][-2:] == [
        "unsigned_tail_set_aside",
        "after_crash",
    ]


@pytest.mark.parametrize("cut", [1, 100, 10_000])
def test_a_cut_ledger_takes_no_further_event(cut: int, tmp_path: Path) -> None:
    ledger = filled(tmp_path)
    content = (tmp_path / EVENTS_FILE).read_bytes()
    (tmp_path / EVENTS_FILE).write_bytes(content[:-cut])
    with pytest.raises(LedgerDamagedError, match="restore the missing lines"):
        ledger.append("next")


def test_an_event_larger_than_the_tail_block_is_followed_correctly(tmp_path: Path) -> None:
    ledger = filled(tmp_path)
    ledger.append("large", columns=["c" * 100] * 3000)
    ledger.append("next")
    assert ledger.verify() == []


def test_the_stand_alone_verifier_runs_from_a_copy_of_one_file(
    keys: KeyStore, tmp_path: Path
) -> None:
    filled(tmp_path / "ledger", key=keys.signing_key)
    keys.write_public_key(tmp_path / "hub.pem")
    script = shutil.copy(verify_ledger.__file__, tmp_path / "check.py")
    command = [
        sys.executable,
        "-I",
        str(script),
        str(tmp_path / "ledger"),
        str(tmp_path / "hub.pem"),
    ]
    good = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (good.returncode, good.stdout) == (0, "the ledger is whole\n")
    with (tmp_path / "ledger" / EVENTS_FILE).open("ab") as handle:
        handle.write(b"{}\n")
    bad = subprocess.run(command, capture_output=True, text=True, check=False)
    assert bad.returncode == 1
    assert "ledger.jsonl:22" in bad.stdout


def test_the_stand_alone_verifier_judges_by_exit_code_and_takes_witnesses(
    tmp_path: Path, keys: KeyStore, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = filled(tmp_path / "ledger", key=keys.signing_key)
    keys.write_public_key(tmp_path / "hub.pem")
    last = (tmp_path / "ledger" / CHECKPOINTS_FILE).read_bytes().splitlines()[-1]
    (tmp_path / "witness.json").write_bytes(last)
    arguments = [str(tmp_path / name) for name in ("ledger", "hub.pem", "witness.json")]
    assert verify_ledger.main(arguments) == 0
    shutil.rmtree(tmp_path / "ledger")
    filled(tmp_path / "ledger", batches=2, key=keys.signing_key)
    assert verify_ledger.main(arguments) == 1
    assert "witness of 21 events: not borne out" in capsys.readouterr().out
    assert ledger.verify() == []  # alone, the shorter ledger is in order


def test_the_stand_alone_verifier_explains_itself_and_refuses_other_keys(tmp_path: Path) -> None:
    assert verify_ledger.main([]) == 2
    assert verify_ledger.verify(tmp_path, KEY.public_key(), []) == [
        "ledger.jsonl: missing",
        "checkpoints.jsonl: missing",
    ]
    filled(tmp_path)
    events = [json.loads(line) for line in (tmp_path / EVENTS_FILE).read_bytes().splitlines()]
    assert len(events) == 21


@given(lengths=st.lists(st.sampled_from([1, 2, 500, 65_535, 65_536, 70_000]), max_size=6))
def test_lines_are_read_from_the_last_to_the_first(
    lengths: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    lines = [b"%d" % (number % 10) * length for number, length in enumerate(lengths)]
    path = tmp_path_factory.mktemp("lines") / EVENTS_FILE
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    assert list(lines_back(path)) == lines[::-1]
