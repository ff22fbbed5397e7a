"""An erased child is in no file of the home, everybody else is as before, and the ledger still verifies."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ffp_data import feeds
from ffp_data.home.pending import Journal, path_of
from ffp_data.home.run import Run
from ffp_data.hub import Hub, UnknownIdentifierError, open_subject_keys, seals
from ffp_data.hub.database import create_engine
from ffp_data.rights import hold
from ffp_data.rights.erasure import Ordered, erase
from ffp_data.rights.hold import HeldError
from ffp_data.rights.orders import Orders, Said
from ffp_data.rights.shield import shield
from ffp_data.sealing.places import custodian_file, vault_folder
from ffp_data.sealing.removal import SealError
from ffp_data.sealing.report import Report
from ffp_data.sealing.seal import seal
from ffp_data.sealing.vault import CustodianKey
from ffp_data.warehouse import connect
from governance.subjects import SubjectKeyError, UnknownSubjectError
from tests.sealing.homes import ANN, BEN, CAT, LATER, child_of, deliver, load, make, next_run
from tests.sealing.test_seal import left_of

ORDER = Ordered("d.officer", "s.siro", "Article 17 request 12")


def no_class() -> dict[str, list[str]]:
    return {}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = make(tmp_path_factory.mktemp("loaded"))
    shutil.rmtree(run.home.council / "versions")  # no signed return, which alone may stay
    return run


def own_copy(loaded: Run, folder: Path) -> Run:
    shutil.copytree(loaded.home.root.parent, folder / "own")
    own = folder / "own"
    return Run.at(run_id="second", home=own / "home", landing=own / "landing", as_at=loaded.as_at)


@pytest.fixture
def run(loaded: Run, tmp_path: Path) -> Run:
    return own_copy(loaded, tmp_path)


@pytest.fixture(scope="module")
def erased(loaded: Run, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, str, Report, bytes]:
    """Ann's erasure, looked at by several tests that change nothing; with what was closed under her key."""
    run = own_copy(loaded, tmp_path_factory.mktemp("erased"))
    child = child_of(run, ANN)
    with Orders(run.home) as orders:
        closed = orders.subjects.encrypt(child, b"in a backup of yesterday")
        shield(orders, child, Said("s.worker", "her father must not find her"))
    return run, child, erase(run, [child], ORDER, classes=no_class), closed


@pytest.mark.control("C06")
def test_after_an_erasure_nothing_of_the_child_is_in_any_file(
    erased: tuple[Run, str, Report, bytes], loaded: Run
) -> None:
    run, child, report, _ = erased
    assert left_of(loaded, ANN, child), "the search finds what is there"
    assert left_of(run, ANN, child) == set()
    assert report.exceptions == {}
    assert not vault_folder(run.home).exists()
    assert not path_of(run.home).exists()


@pytest.mark.control("C06")
def test_others_are_as_they_were(erased: tuple[Run, str, Report, bytes], loaded: Run) -> None:
    run, _, _, _ = erased
    for child in (BEN, CAT):
        assert child_of(run, child) == child_of(loaded, child)
        assert len(left_of(run, child, child_of(run, child))) > 5
    with connect(run.home) as con:
        books = feeds.reconcile(con, run.contracts).to_pylist()
    assert all(row["is_reconciled"] for row in books)


@pytest.mark.control("C06", "D05")
def test_the_key_is_destroyed_so_that_a_backup_opens_no_more(
    erased: tuple[Run, str, Report, bytes],
) -> None:
    run, child, _, closed = erased
    engine = create_engine(run.home.hub_url)
    keys = open_subject_keys(engine, run.keys)
    assert keys.known([child]) == {}
    with pytest.raises((UnknownSubjectError, SubjectKeyError)):
        keys.decrypt(child, closed)
    engine.dispose()
    with Hub.open(run.home.hub_url) as hub, pytest.raises(UnknownIdentifierError):
        hub.resolve(child)


@pytest.mark.control("C06")
def test_the_ledger_verifies_and_has_counts_and_a_reference_alone(
    erased: tuple[Run, str, Report, bytes],
) -> None:
    run, child, report, _ = erased
    assert run.ledger.verify() == []
    (told,) = [event["facts"] for event in run.ledger.events() if event["kind"] == "erased"]
    assert told["people"] == 1
    assert len(told["subjects"]) == 1
    assert told["reference"] == report.reference
    assert child not in str(list(run.ledger.events()))


@pytest.mark.control("C07")
def test_a_hold_on_child_feed_or_class_stops_an_erasure_and_the_refusal_is_in_the_ledger(
    run: Run,
) -> None:
    child = child_of(run, ANN)
    words = Said("s.siro", "notice of the inquiry")
    scopes: list[tuple[str, Any]] = [
        (child, no_class),
        ("ctf", no_class),
        ("c1", lambda: {child: ["c1"]}),
    ]
    for what, classes in scopes:
        with Orders(run.home) as orders:
            number = hold.add(
                orders, what, words, authority="inquiry", review=date(2030, 1, 1),
                feeds=run.contracts, classes=["c1"],
            )  # fmt: skip
        with pytest.raises(HeldError, match=f"held by {number}"):
            erase(run, [child], ORDER, classes=classes)
        with Orders(run.home) as orders:
            orders.lift(number, [hold.Kind.HOLD], words)
    assert child_of(run, ANN) == child
    refused = [e["facts"]["holds"] for e in run.ledger.events() if e["kind"] == "erasure_refused"]
    assert refused == [[1], [2], [3]]


@pytest.mark.control("C06")
def test_it_takes_two_people_and_a_reason_that_names_nobody(run: Run) -> None:
    child = child_of(run, ANN)
    for by, second, reason in (
        ("a", "", "request"), ("a", "A ", "request"), ("a", "b", " "), ("a", "b", "for Annabel"),
    ):  # fmt: skip
        with pytest.raises(SealError):
            erase(run, [child], Ordered(by, second, reason), classes=no_class)
    assert child_of(run, ANN) == child


@pytest.mark.slow  # a whole erasure, and a run
@pytest.mark.parametrize("keeps_out", [True, False])
@pytest.mark.control("C06")
def test_rows_that_come_again_stay_out_or_come_in_as_somebody_new(
    run: Run, tmp_path: Path, keeps_out: bool
) -> None:
    CustodianKey.make().write(tmp_path / "private.pem", custodian_file(run.home), None)
    child = child_of(run, ANN)
    order = Ordered("d.officer", "s.siro", "request", keeps_late_out=keeps_out)
    erase(run, [child], order, classes=no_class)
    deliver(run.landing, LATER, [ANN, BEN])
    load(next_run(run, "third"))
    assert not list(vault_folder(run.home).glob("*")), "an erased child is in no vault"
    if keeps_out:
        assert left_of(run, ANN, child) == set()
    else:
        assert child_of(run, ANN) not in ("", child)
    assert child_of(run, BEN)


@pytest.mark.parametrize("moment", [2, 5, 7, 9])
@pytest.mark.slow  # a whole erasure, twice, for each
@pytest.mark.control("C06")
def test_an_erasure_that_is_killed_is_resumed(
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
        erase(run, [child], ORDER, classes=no_class)
    monkeypatch.undo()
    CustodianKey.make().write(run.home.root.parent / "k.pem", custodian_file(run.home), None)
    with pytest.raises(SealError, match="another seal or erasure"):
        seal(run, child, "c.custodian", "adoption order")
    erase(run, [child], ORDER, classes=no_class)
    assert left_of(run, ANN, child) == set()
    assert _seal_kinds(run) == ["erased"]


def _seal_kinds(run: Run) -> list[str]:
    engine = create_engine(run.home.hub_url)
    with engine.connect() as connection:
        kinds = [row["kind"] for row in seals.seals(connection)]
    engine.dispose()
    return kinds
