"""A seal takes one identity out of every place, keeps everybody else as they were, and survives being killed."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ffp_data import feeds
from ffp_data.home.pending import Journal, SealUnfinishedError, path_of
from ffp_data.home.run import Run
from ffp_data.home.subjects import HubSubjects
from ffp_data.hub import Hub, UnknownIdentifierError, at_rest
from ffp_data.pipeline import deliveries, ingest
from ffp_data.sealing import seal as sealing
from ffp_data.sealing.deliveries import Taken
from ffp_data.sealing.places import custodian_file, vault_folder
from ffp_data.sealing.seal import SealError, seal, simulate
from ffp_data.sealing.search import Wanted, search
from ffp_data.sealing.vault import CustodianKey, VaultError
from ffp_data.settings import Home
from ffp_data.warehouse import connect
from tests.sealing.homes import (
    ANN,
    BEN,
    BORN,
    CAT,
    LATER,
    NAMES,
    SURNAME,
    child_of,
    deliver,
    load,
    make,
    next_run,
    nominal,
    number,
    patient,
    pole,
    upn,
)

KEY = CustodianKey.make()
SIGNED = "council/versions/cin/2025-26/v003-cccccccccccc"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make(tmp_path_factory.mktemp("loaded"))


@pytest.fixture
def run(loaded: Run, tmp_path: Path) -> Run:
    shutil.copytree(loaded.home.root.parent, tmp_path / "own")
    own = tmp_path / "own"
    run = Run.at(run_id="second", home=own / "home", landing=own / "landing", as_at=loaded.as_at)
    KEY.write(tmp_path / "private.pem", custodian_file(run.home), None)
    return run


@pytest.fixture(scope="module")
def sealed(
    loaded: Run, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Run, str, sealing.Report]:
    """Ann's seal, looked at by several tests that change nothing."""
    own = tmp_path_factory.mktemp("sealed") / "own"
    shutil.copytree(loaded.home.root.parent, own)
    run = Run.at(run_id="second", home=own / "home", landing=own / "landing", as_at=loaded.as_at)
    KEY.write(own.parent / "private.pem", custodian_file(run.home), None)
    child = child_of(run, ANN)
    return run, child, seal(run, child, "c.custodian", "adoption order 7")


def words(child: int, child_id: str) -> Wanted:
    own = (patient(child), nominal(child), pole(child), upn(child), number(child))
    spaced = f"{number(child)[:3]} {number(child)[3:6]} {number(child)[6:]}"
    return Wanted([child_id, *own, spaced], [(NAMES[child], SURNAME, BORN)])


def left_of(run: Run, child: int, child_id: str) -> set[str]:
    """Places of home and landing folder that hold something of a child, without what was signed."""
    both, own = Home(run.home.root.parent), {run.home.warehouse, run.home.hub_file}

    def is_closed(path: Path) -> bool:
        """Whether it takes the keys of the home to look into a file."""
        return path in own or path.parent == run.home.ledger_dir

    places = search(both, words(child, child_id), is_closed)
    inside = search(run.home, words(child, child_id), lambda path: not is_closed(path))
    found = {*places, *(f"home/{place}" for place in inside)}
    return {place for place in found if SIGNED not in place}


def rows(run: Run, sql: str) -> list[tuple[Any, ...]]:
    with connect(run.home) as con:
        return con.execute(sql).fetchall()


@pytest.mark.control("B05", "B07")
def test_nothing_of_the_identity_is_left_but_what_was_signed(
    sealed: tuple[Run, str, sealing.Report], loaded: Run
) -> None:
    run, child, report = sealed
    before = left_of(loaded, ANN, child)
    kinds = (
        "landing/health_csv",
        ".zip/",
        ".json",
        ".xml",
        "hub.db",
        "raw.",
        "single_view.",
        "run.log",
    )
    assert [kind for kind in kinds if not any(kind in place for place in before)] == []
    assert left_of(run, ANN, child) == set()
    assert list(report.exceptions) == [SIGNED]
    assert not path_of(run.home).exists()


@pytest.mark.control("B05", "D05")
def test_no_reference_in_the_ledger_leads_to_the_identity_and_others_keep_theirs(
    sealed: tuple[Run, str, sealing.Report], loaded: Run
) -> None:
    run, child, _ = sealed
    other = child_of(loaded, BEN)
    before, after = (
        HubSubjects(each.home.hub_url, each.keys).keys.known([child, other])
        for each in (loaded, run)
    )
    assert before.keys() == {child, other}
    assert after == {other: before[other]}


def test_others_are_as_they_were(sealed: tuple[Run, str, sealing.Report], loaded: Run) -> None:
    run, _, _ = sealed
    for child in (BEN, CAT):
        assert child_of(run, child) == child_of(loaded, child)
        for table in ("health_csv__children", "health_csv__contacts", "police_pole__persons"):
            query = f"SELECT * EXCLUDE (_delivery_id, _line, _element) FROM raw.{table}"
            query = query if "pole" in table else query.replace(", _element", "")
            where = (
                f" WHERE record_key LIKE '%{patient(child)}' OR record_key LIKE '%{pole(child)}'"
            )
            assert rows(run, query + where + " ORDER BY ALL") == rows(
                loaded, query + where + " ORDER BY ALL"
            )
    with connect(run.home) as con:
        books = feeds.reconcile(con, run.contracts).to_pylist()
    assert all(row["is_reconciled"] for row in books)


def test_what_others_need_of_a_rewritten_file_stays(
    sealed: tuple[Run, str, sealing.Report],
) -> None:
    run, _, _ = sealed
    with sqlite3.connect(run.home.root / "dagster" / "history" / "runs.db") as con:
        assert con.execute("SELECT event FROM event_logs").fetchall() == [
            (f"problem with {child_of(run, BEN)}",)
        ]
    gate = json.loads((run.home.root / "models" / "digest" / "gate.json").read_text())
    assert gate == {"passed": True, "sample": [{"left": child_of(run, BEN), "score": 2}]}
    kept = {path.name for path in (run.home.council / "versions" / "cin" / "2025-26").iterdir()}
    assert kept == {"v002-bbbbbbbbbbbb", "v003-cccccccccccc"}


def test_a_case_goes_with_the_last_person_in_it(sealed: tuple[Run, str, sealing.Report]) -> None:
    run, _, _ = sealed
    events = {e for (e,) in rows(run, "SELECT event_id FROM raw.police_safeguarding__events")}
    assert events == {"EV77all555", "EV771555", "EV772555", "EV773555"}
    incidents = {i for (i,) in rows(run, "SELECT incident_id FROM raw.police_pole__incidents")}
    assert incidents == {"57-E88all666", "57-E881666", "57-E882666", "57-E883666"}


def test_lines_are_those_of_the_files_as_they_are_now(
    sealed: tuple[Run, str, sealing.Report],
) -> None:
    """So a delivery can be read again, and lineage leads to the right line."""
    run, _, report = sealed
    assert report.notes == ()
    (path,) = run.landing.glob("health_csv/*children*")
    lines = path.read_text("utf-8").splitlines()
    for key, line in rows(run, "SELECT local_patient_id, _line FROM raw.health_csv__children"):
        assert key in lines[line - 1]
    again = deliveries.replay_delivery(run, path.name)
    assert [one.error for one in again] == [None]


def test_a_file_of_nobody_else_goes_whole(sealed: tuple[Run, str, sealing.Report]) -> None:
    run, _, _ = sealed
    assert len(list(run.landing.glob("ctf/*.xml"))) == 3
    told = rows(run, "SELECT DISTINCT file_name FROM meta.deliveries WHERE feed = 'ctf'")
    assert len(told) == 3


def test_the_vault_has_all_of_it_and_opens_for_the_custodian_alone(
    sealed: tuple[Run, str, sealing.Report],
) -> None:
    run, child, report = sealed
    parts = sorted(vault_folder(run.home).glob("*.vault"))
    assert all(part.name.startswith(report.reference) for part in parts)
    opened = [KEY.open(part) for part in parts]
    (identity,) = [part for part in opened if "identity" in part]
    assert identity["identity"]["child_id"] == child
    assert len(identity["tables"]["raw.health_csv__contacts"]) == 2
    assert identity["history"][0]["kind"] == "issued"
    text = str([part["pieces"] for part in opened if "pieces" in part])
    for each in (patient(ANN), nominal(ANN), pole(ANN), upn(ANN)):
        assert each in text
    assert patient(BEN) not in text


@pytest.mark.control("B05")
def test_the_sealed_one_is_answered_as_one_never_issued(
    sealed: tuple[Run, str, sealing.Report],
) -> None:
    run, child, _ = sealed
    with Hub.open(run.home.hub_url) as hub:
        with pytest.raises(UnknownIdentifierError) as told:
            hub.resolve(child)
        with pytest.raises(UnknownIdentifierError) as other:
            hub.resolve("0000000000000")
    assert str(told.value).replace(child, "X") == str(other.value).replace("0000000000000", "X")
    with pytest.raises(UnknownIdentifierError):
        seal(run, child, "c.custodian", "again")


def test_the_warehouse_is_a_new_file_without_freed_blocks(
    sealed: tuple[Run, str, sealing.Report], loaded: Run
) -> None:
    run, _, _ = sealed
    assert not run.home.warehouse.with_name("warehouse.duckdb.wal").exists()
    salt = [path.read_bytes()[:4096] for path in (run.home.warehouse, loaded.home.warehouse)]
    assert salt[0] != salt[1]


@pytest.mark.control("B06")
@pytest.mark.slow  # a whole seal of its own
def test_late_rows_never_come_in(run: Run) -> None:
    child = child_of(run, ANN)
    seal(run, child, "c.custodian", "adoption order")
    deliver(run.landing, LATER, [ANN, BEN])
    name = "health_RXG_contacts_999_20260425T030000Z_001.csv"
    stranger = run.landing / "lost and found.txt"
    stranger.write_text(f"who is {number(ANN)}?")
    broken = run.landing / "health_csv" / name
    broken.write_text(f"not,the,header\n{patient(ANN)},x,y\n")
    assert ingest.refuse_strangers(run) == 0
    load(next_run(run, "third"))
    assert left_of(run, ANN, child) == set()
    assert child_of(run, BEN)
    assert not stranger.exists()
    assert not broken.exists()
    late = [KEY.open(part) for part in vault_folder(run.home).glob("late-*.vault")]
    assert {part["feed"] for part in late} == {
        "health_csv", "police_safeguarding", "police_pole", "ctf", "lost and found.txt",
    }  # fmt: skip
    kinds = [event["kind"] for event in run.ledger.events()]
    assert kinds.count("late_rows_kept_out") >= 5


@pytest.mark.slow  # a whole seal of its own
def test_the_same_file_sent_again_is_a_duplicate(run: Run) -> None:
    (path,) = run.landing.glob("police_safeguarding/*.zip")
    before = path.read_bytes()
    seal(run, child_of(run, ANN), "c.custodian", "adoption order")
    path.write_bytes(before)
    load(next_run(run, "third"))
    status = rows(
        run, "SELECT DISTINCT status FROM meta.deliveries WHERE feed = 'police_safeguarding'"
    )
    assert status == [("loaded",)]
    assert path.read_bytes() != before


@pytest.mark.parametrize("moment", [1, 2, 3, 6, 9, 10, 11, 12, 13])
@pytest.mark.slow  # a whole seal, twice, for each
def test_a_seal_that_is_killed_is_resumed(
    run: Run, moment: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    child, calls = child_of(run, ANN), 0
    write = Journal.write

    def dies(self: Journal, state: dict[str, Any]) -> None:
        nonlocal calls
        calls += 1
        if calls == moment:
            raise KeyboardInterrupt
        write(self, state)

    monkeypatch.setattr(Journal, "write", dies)
    with pytest.raises(KeyboardInterrupt):
        seal(run, child, "c.custodian", "adoption order")
    monkeypatch.undo()
    if moment > 1:
        _nobody_may_look(run)
        with pytest.raises(SealError, match="another seal"):
            seal(run, "0000000000000", "c.custodian", "adoption order")
    seal(run, child, "c.custodian", "adoption order")
    assert left_of(run, ANN, child) == set()
    assert len(_seals(run)) == 1


@pytest.mark.slow  # a whole seal of its own
def test_a_seal_that_dies_between_files_is_resumed(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    child, applied = child_of(run, ANN), 0
    apply = Taken.apply

    def dies(self: Taken) -> None:
        nonlocal applied
        applied += 1
        if applied == 3:
            raise KeyboardInterrupt
        apply(self)

    monkeypatch.setattr(Taken, "apply", dies)
    with pytest.raises(KeyboardInterrupt):
        seal(run, child, "c.custodian", "adoption order")
    monkeypatch.undo()
    _nobody_may_look(run)
    seal(run, child, "c.custodian", "adoption order")
    assert left_of(run, ANN, child) == set()
    with connect(run.home) as con:
        assert all(r["is_reconciled"] for r in feeds.reconcile(con, run.contracts).to_pylist())


def _nobody_may_look(run: Run) -> None:
    with pytest.raises(SealUnfinishedError), connect(run.home, read_only=True):
        pass
    journal = path_of(run.home).read_bytes()
    assert patient(ANN).encode() not in journal


def _seals(run: Run) -> list[tuple[Any, ...]]:
    with at_rest.reading(run.home.hub_file, run.keys) as con:
        rows: list[tuple[Any, ...]] = con.execute("SELECT * FROM hub_seal").fetchall()
        return rows


def test_a_simulation_tells_counts_and_changes_nothing(run: Run) -> None:
    before = _digests(run)
    report = simulate(run, child_of(run, ANN))
    assert _digests(run) == before
    assert report.counts["landing"]["health_csv"] == 3
    assert report.counts["hub"]["hub_membership"] == 4
    assert report.counts["files"]["kept build of a return (kept)"] == 1
    assert not words(ANN, child_of(run, ANN)).in_text(str(report.as_json()))


def _digests(run: Run) -> dict[str, str]:
    own = {"hub.db", "hub.db-wal", "hub.db-shm", "warehouse.duckdb", "warehouse.duckdb.wal"}
    files = (p for p in run.home.root.parent.rglob("*") if p.is_file() and p.name not in own)
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_a_seal_without_a_custodian_or_that_names_the_child_is_refused(run: Run) -> None:
    child = child_of(run, ANN)
    before = _digests(run)
    for by, reason in (("", "order"), ("c", " "), ("c", f"for {NAMES[ANN]}"), ("c", patient(ANN))):
        with pytest.raises(SealError):
            seal(run, child, by, reason)
    custodian_file(run.home).unlink()
    with pytest.raises(VaultError, match="custodian-key"):
        seal(run, child, "c", "order")
    with pytest.raises(SealError, match="--landing"):
        simulate(replace(run, landing=run.home.root / "elsewhere"), child)
    before.pop(str(custodian_file(run.home)))
    assert _digests(run) == before


@pytest.mark.slow  # a whole seal of its own
def test_a_number_that_another_child_has_too_takes_nobody_else_out(run: Run) -> None:
    (path,) = run.landing.glob("health_csv/*children*")
    spaced = [f"{number(c)[:3]} {number(c)[3:6]} {number(c)[6:]}" for c in (ANN, BEN)]
    later = path.with_name(path.name.replace("20260401", "20260410"))
    later.write_text(path.read_text("utf-8").replace(spaced[1], spaced[0]), "utf-8")
    load(next_run(run, "third"))
    report = seal(next_run(run, "fourth"), child_of(run, ANN), "c.custodian", "adoption order")
    assert report.shared_numbers >= 1
    opened = [KEY.open(part) for part in vault_folder(run.home).glob("*-identity.vault")]
    assert number(ANN) not in opened[0]["identity"]["numbers"]
    held = rows(run, "SELECT local_patient_id FROM raw.health_csv__children ORDER BY 1")
    assert patient(BEN) in {one for (one,) in held}
    assert patient(ANN) not in {one for (one,) in held}


@pytest.mark.slow  # a whole seal of its own
def test_a_file_of_no_known_place_keeps_the_seal_open_until_it_is_gone(run: Run) -> None:
    child = child_of(run, ANN)
    half_sent = run.landing / "health_csv" / "children.csv.filepart"
    half_sent.write_text(f"RXG,{patient(ANN)},Ann")
    note = run.home.root / "note.txt"
    note.write_text(f"remember {child}")
    with pytest.raises(SealError, match=r"note\.txt"):
        seal(run, child, "c.custodian", "adoption order")
    _nobody_may_look(run)
    note.unlink()
    assert not half_sent.exists()
    report = seal(run, child, "c.custodian", "adoption order")
    assert report.counts["landing"]["health_csv"] == 4, "of both attempts together"
    assert left_of(run, ANN, child) == set()
