"""A withdrawn agreement leaves nothing, and the proof of it fails by name when something is left."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from ffp_data.home import policy
from ffp_data.hub import lookup
from ffp_data.hub.database import create_engine
from ffp_data.rights import hold
from ffp_data.rights.hold import Kept
from ffp_data.rights.orders import Kind, Orders, Said
from ffp_data.withdrawal.prove import Proof, prove
from ffp_data.withdrawal.report import keep_proof, proof_lines, simulation_lines
from ffp_data.withdrawal.scope import WithdrawalError
from ffp_data.withdrawal.scratch import Project
from ffp_data.withdrawal.simulate import simulate
from governance.canonical import canonical_bytes
from tests.withdrawal.homes import POLICE, Place, build, end, leaky, make, next_run

pytestmark = pytest.mark.slow
RAW = 'raw."police_safeguarding__persons"'
Made = tuple[Place, Project]


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A home in which every agreement is in force."""
    return make(tmp_path_factory.mktemp("withdrawal"))


@pytest.fixture(scope="module")
def before(first: Made) -> Place:
    return first[0]


@pytest.fixture(scope="module")
def withdrawn(first: Made, tmp_path_factory: pytest.TempPathFactory) -> Made:
    place = copy_of(first[0], tmp_path_factory.mktemp("withdrawn"))
    end(place, "withdrawn")
    return place, next_run(place, "second")


@pytest.fixture(scope="module")
def proof(withdrawn: Made) -> Proof:
    """The proof of the withdrawn home."""
    return proof_of(*withdrawn)


@pytest.fixture(scope="module")
def suspended(first: Made, tmp_path_factory: pytest.TempPathFactory) -> Made:
    place = copy_of(first[0], tmp_path_factory.mktemp("suspended"))
    end(place, "suspended")
    return place, next_run(place, "second")


def copy_of(place: Place, folder: Path) -> Place:
    return Place(Path(shutil.copytree(place.root, folder / "home")), place.landing)


def proof_of(place: Place, project: Project) -> Proof:
    return prove(place.at("prove"), POLICE, project)


def planted(place: Place, project: Project, sql: str) -> Proof:
    """The proof where the children's table is made by other SQL, in the project as in the home."""
    leak = leaky(project, {"single_view.children": sql})
    return proof_of(place, build(place.at("leak"), leak))


@pytest.mark.control("F04", "A08")
def test_of_a_withdrawn_agreement_no_cell_and_no_row_is_left_and_identifiers_stand(
    before: Place, withdrawn: Made, proof: Proof
) -> None:
    after, _ = withdrawn
    assert proof.failures() == []
    assert (proof.cells, proof.rows) == (0, 0)
    assert proof.poisoned_rows > 0, "its deliveries were read again, with other values"
    assert proof.stored == {}
    assert after.query(f"SELECT count(*) FROM {RAW}") == [(0,)]
    ((records,),) = before.query(
        "SELECT count(*) FROM identity.person_records WHERE feed = 'police_safeguarding'"
    )
    assert records, "there was something to lose"
    assert proof.identifiers
    assert proof.identifiers.lost == 0
    assert proof.links
    assert proof.links.touched
    assert proof.links.unsupported == 0


@pytest.mark.control("F04", "A08")
def test_a_suspended_agreement_is_shut_out_of_every_table_while_its_rows_are_kept(
    suspended: Made,
) -> None:
    place, project = suspended
    proof = proof_of(place, project)
    assert proof.failures() == []
    assert proof.stored["raw.police_safeguarding__persons"] > 0
    assert proof.read_again == 0


@pytest.mark.control("A08")
@pytest.mark.control("C07", "A08")
def test_held_rows_of_a_withdrawn_agreement_are_shut_out_and_stay_until_the_hold_is_lifted(
    first: Made, tmp_path: Path
) -> None:
    place = copy_of(first[0], tmp_path)
    ((before,),) = place.query(f"SELECT count(*) FROM {RAW}")
    words = Said("s.siro", "notice of the inquiry")
    with Orders(place.at("hold").home) as orders, orders.engine.connect() as connection:
        people = lookup.holders_of_feeds(connection, ["police_safeguarding"])
        known = lookup.current_membership(connection)["child_id"].to_pylist()
        other = min(set(known) - people)
        for child in (min(people), other):
            hold.add(
                orders, child, words, authority="inquiry", review=date(2030, 1, 1), feeds=(), classes=()
            )  # fmt: skip
    told = simulate(place.at("ask"), POLICE, "withdrawn", first[1])
    assert told.held == Kept((1,), 1), "the other hold keeps nothing of this agreement"
    assert [line for line in simulation_lines(told) if line.startswith("HELD: 1 person with")]
    end(place, "withdrawn")
    project = next_run(place, "second")
    assert place.query(f"SELECT count(*) FROM {RAW}") == [(before,)]
    proof = proof_of(place, project)
    assert (proof.cells, proof.rows) == (0, 0), "shut out of everything"
    assert [why for why in proof.failures() if "are stored" in why], "and no proof says it is gone"
    kept = list(place.at("look").ledger.events("withdrawal_held"))
    assert [(e["facts"]["feed"], e["facts"]["holds"]) for e in kept] == [
        ("police_safeguarding", [1])
    ]
    with Orders(place.at("lift").home) as orders:
        orders.lift(1, (Kind.HOLD,), words)
    next_run(place, "third")
    assert place.query(f"SELECT count(*) FROM {RAW}") == [(0,)]


def test_ending_an_agreement_without_a_run_leaves_what_the_proof_names(
    first: Made, tmp_path: Path
) -> None:
    place = copy_of(first[0], tmp_path)
    end(place, "withdrawn")
    policy.compile_lock(place.at("lock"))
    left = " ".join(proof_of(place, first[1]).failures())
    assert "single_view.chronology: differs without its rows" in left
    assert "identity.person_records" in left
    assert "rows of it are stored" in left


def test_what_is_in_force_cannot_be_proved_gone(first: Made) -> None:
    before, project = first
    with pytest.raises(WithdrawalError, match="still in force"):
        proof_of(before, project)
    with pytest.raises(WithdrawalError, match="no such agreement"):
        prove(before.at("prove"), "DSA-NOT-01")


@pytest.mark.control("F04")
def test_a_leak_of_the_number_of_rows_alone_is_found_by_dropping_them_and_not_by_other_values(
    suspended: Made, tmp_path: Path
) -> None:
    place, project = copy_of(suspended[0], tmp_path), suspended[1]
    counting = f"SELECT * REPLACE (record_count + (SELECT count(*) FROM {RAW}) AS record_count) FROM ({{sql}})"
    proof = planted(place, project, counting)
    (told,) = [t for t in proof.tables if not t.is_equal]
    assert told.relation == "single_view.children"
    assert told.dropped
    assert set(told.dropped.cells) == {"record_count"}
    assert told.poisoned is None
    assert proof.cells == told.dropped.cell_count
    assert any("NOT PROVED" in line for line in proof_lines(proof))


@pytest.mark.control("F04")
def test_a_value_taken_past_the_door_is_found_by_both_rebuilds(
    suspended: Made, tmp_path: Path
) -> None:
    place, project = copy_of(suspended[0], tmp_path), suspended[1]
    theirs = "SELECT max(surname) FROM identity.police_safeguarding__persons"
    taking = f"SELECT * REPLACE (coalesce(({theirs}), surname) AS surname) FROM ({{sql}})"
    proof = planted(place, project, taking)
    (told,) = [t for t in proof.tables if not t.is_equal]
    assert told.dropped
    assert told.poisoned
    assert set(told.poisoned.cells) == {"surname"}


PLANTED = {
    "CREATE TABLE single_view.of_police AS SELECT 1 AS child_id": "single_view.of_police: no model makes",
    "UPDATE single_view.children SET surname = 'Kept' WHERE rowid = 0": "single_view.children: differs",
    "INSERT INTO meta.to_reload VALUES ('police_safeguarding|31|N1', 'x')": "meta.to_reload: 1 rows name",
    "DELETE FROM intermediate.int_census__period": "intermediate.int_census__period: differs",
}
"""What is written behind the run's back, and how the proof begins its line on it."""


@pytest.mark.control("F04", "B12")
def test_a_copy_a_cached_value_a_kept_key_a_lost_row_an_empty_link_and_a_lost_identifier_are_each_named(
    withdrawn: Made, tmp_path: Path
) -> None:
    place = copy_of(withdrawn[0], tmp_path)
    place.write(*PLANTED)
    break_hub(place)
    left = proof_of(place, withdrawn[1]).failures()
    for named in PLANTED.values():
        assert [line for line in left if line.startswith(named)], named
    told = " ".join(left)
    assert "identifiers hold records together that nothing but the agreement tied" in told
    assert "1 identifiers that were issued lead nowhere" in told


def break_hub(place: Place) -> None:
    """Give another person's record to one whom the police knew, and take an identifier out of the register."""
    open_ = "FROM hub_membership WHERE to_seq IS NULL"
    known = f"SELECT child_id {open_} AND record_key LIKE 'police_safe%'"
    health = f"{open_} AND record_key LIKE 'health%' AND child_id"
    engine = create_engine(place.at("break").home.hub_url)
    with closing(engine.raw_connection()) as hub:
        cursor = hub.cursor()
        cursor.execute("PRAGMA foreign_keys = OFF")
        (mine,) = cursor.execute(f"SELECT child_id {health} IN ({known}) LIMIT 1").fetchone()
        (other,) = cursor.execute(f"SELECT record_key {health} NOT IN ({known}) LIMIT 1").fetchone()
        taking = "UPDATE hub_membership SET child_id = ? WHERE record_key = ? AND to_seq IS NULL"
        cursor.execute(taking, (mine, other))
        (lost,) = cursor.execute(
            f"SELECT max(child_id) {open_} AND child_id <> ?", (mine,)
        ).fetchone()
        cursor.execute("DELETE FROM hub_person WHERE child_id = ?", (lost,))
        hub.commit()
    engine.dispose()


@pytest.mark.control("A08")
def test_the_deliveries_come_in_again_when_the_agreement_is_in_force_again(
    before: Place, withdrawn: Made, tmp_path: Path
) -> None:
    place = copy_of(withdrawn[0], tmp_path)
    end(place, "live")
    next_run(place, "third")
    counted = f"SELECT count(*), count(DISTINCT record_key) FROM {RAW}"
    assert place.query(counted) == before.query(counted)
    ids = "SELECT record_key, child_id FROM identity.child_membership ORDER BY ALL"
    assert place.query(ids) == before.query(ids), "the hub kept whose records they were"


@pytest.mark.control("F04")
def test_the_proof_is_kept_signed_and_stands_in_the_ledger(
    withdrawn: Made, proof: Proof, tmp_path: Path
) -> None:
    place = copy_of(withdrawn[0], tmp_path)
    run = place.at("prove")
    folder = keep_proof(run, proof)
    kept = json.loads((folder / "proof.json").read_text("utf-8"))
    run.keys.public_key.verify(bytes.fromhex(kept["signature"]), canonical_bytes(kept["proof"]))
    assert kept["proof"]["holds"]
    assert "single_view.children | equal" in (folder / "proof.md").read_text("utf-8")
    (event,) = [e["facts"] for e in run.ledger.events() if e["kind"] == "withdrawal_proved"]
    assert (event["agreement"], event["holds"], event["cells"]) == (POLICE, True, 0)


@pytest.mark.control("F04", "A08")
def test_a_simulation_tells_what_the_withdrawal_then_does_and_changes_nothing(
    first: Made, withdrawn: Made
) -> None:
    before, after = first[0], withdrawn[0]
    stored = {p: p.read_bytes() for p in before.root.rglob("*") if p.suffix in (".duckdb", ".db")}
    found = simulate(before.at("simulate"), POLICE, project=first[1])
    assert {p: p.read_bytes() for p in stored} == stored
    told = {each["table"]: each for each in found.as_json()["outputs"]}
    events = "SELECT count(*) FROM single_view.chronology"
    ((was,),), ((now,),) = before.query(events), after.query(events)
    assert told["single_view.chronology"]["rows_gone"] == was - now > 0  # type: ignore[operator]
    names = "SELECT count(middle_names) FROM single_view.children"
    ((was,),), ((now,),) = before.query(names), after.query(names)
    emptied = told["single_view.children"]["cells_emptied"]
    assert emptied.get("middle_names", 0) == was - now  # type: ignore[operator]
    assert found.links
    assert found.links.records > 0
    with pytest.raises(WithdrawalError, match="nothing more would go"):
        simulate(after.at("simulate"), POLICE)
