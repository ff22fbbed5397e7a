"""The queue over runs: nobody is asked twice, what is new comes back, and an undo restores what was."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ffp_data.hub import Hub, Verdict
from ffp_data.pipeline.review_desk import open_desk, read_queue
from ffp_data.pipeline.review_queue import build_queue
from ffp_data.review.desk import Listed
from ffp_data.rights import stored
from ffp_data.warehouse import connect
from governance.access import Principal
from tests.hub.stories import export
from tests.pipeline.town import Town

pytestmark = pytest.mark.slow  # links a town

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)

# The columns that the queue reads of what dbt makes.
_BUILT = """
CREATE OR REPLACE TABLE intermediate.int_persons__open_work (child_id VARCHAR, level VARCHAR);
CREATE OR REPLACE TABLE intermediate.int_families__members (child_id VARCHAR, related_child_id VARCHAR);
CREATE OR REPLACE TABLE single_view.children AS SELECT child_id, false AS is_restricted FROM identity.children;
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return Town.make(tmp_path_factory.mktemp("town") / "home")


@pytest.fixture
def town(made: Town, tmp_path: Path) -> Town:
    return made.copy(tmp_path / "home")


def queue(town: Town) -> Sequence[Listed]:
    """The queue after what dbt would make of the town."""
    with connect(town.home) as con:
        con.execute(_BUILT)
        stored.create_empty(con)
    build_queue(town.at(), NOON)
    return read_queue(town.home)


def settle(town: Town, item: Listed, verdict: Verdict) -> int:
    decision = None
    for name in ("ann", "ben")[: item.readers]:
        with open_desk(town.home, Principal(name, "reviewer")) as desk:
            desk.take(NOON, item.item_id)
            desk.first_verdict(item.item_id, verdict, "seen", NOON)
            decision = desk.confirm(item.item_id, None, NOON).decision
    assert decision is not None
    return decision


def exported(town: Town) -> bytes:
    path = town.home.root / "ids.csv"
    with Hub.open(town.home.hub_url) as hub:
        export(hub, path)
    return path.read_bytes()


def doubtful(items: Sequence[Listed]) -> list[Listed]:
    return [item for item in items if item.reasons == ("possible_match",)]


def test_a_later_run_asks_the_same_under_the_same_numbers(town: Town) -> None:
    before = {item.pair: item.item_id for item in queue(town)}
    assert before
    town.run()
    assert {item.pair: item.item_id for item in queue(town)} == before


def test_decided_pairs_stay_out_and_the_rest_keep_their_numbers(town: Town) -> None:
    apart, unsure, *rest = doubtful(queue(town))
    settle(town, apart, Verdict.NOT_SAME)
    settle(town, unsure, Verdict.CANT_TELL)
    town.run()
    after = {item.item_id: item for item in queue(town)}
    assert {item.item_id for item in rest} <= after.keys()
    children = [set(item.children) for item in after.values()]
    assert set(apart.children) not in children
    assert set(unsure.children) not in children


def test_cant_tell_comes_back_with_new_evidence_and_not_the_same_does_not(town: Town) -> None:
    apart, unsure, *_ = doubtful(queue(town))
    settle(town, apart, Verdict.NOT_SAME)
    settle(town, unsure, Verdict.CANT_TELL)
    for item in (apart, unsure):
        town.deliver({"record_key": item.left, "phone": "07700 900123"})
    town.run()
    again = {frozenset(item.children): item.item_id for item in queue(town)}
    assert again[frozenset(unsure.children)] != unsure.item_id
    assert frozenset(apart.children) not in again


def test_same_joins_the_two_in_the_next_run_and_undo_restores_the_export(town: Town) -> None:
    asked, *_ = doubtful(queue(town))
    before = exported(town)
    decision = settle(town, asked, Verdict.SAME)
    town.run()
    ids = town.ids()
    assert ids[asked.left] == ids[asked.right]
    assert asked.pair not in {item.pair for item in queue(town)}
    town.run()
    with open_desk(town.home, Principal("cat", "reviewer")) as desk:
        desk.undo(decision, "mistaken", NOON)
    town.run()
    assert exported(town) == before
    assert asked.pair in {item.pair for item in queue(town)}, "it is in doubt again"


def test_a_question_of_somebodys_own_is_in_the_next_queue(town: Town) -> None:
    ids = sorted(town.ids())
    with open_desk(town.home, Principal("ann", "reviewer")) as desk:
        desk.ask(ids[0], ids[-1], "a teacher asks", NOON)
    [asked] = [item for item in queue(town) if "asked" in item.reasons]
    assert asked.pair == (ids[0], ids[-1])


def test_where_somebody_must_not_be_located_no_place_is_published(town: Town) -> None:
    asked, *_ = doubtful(queue(town))
    town.deliver({"record_key": asked.left, "is_restricted": True, "address_line": "1 Hidden Lane"})
    town.run()
    [item] = [i for i in queue(town) if set(i.children) == set(asked.children)]
    assert item.readers == 2
    assert item.words[0] == "must not be located"
    places = {str(town.records[r]["postcode"]) for r in item.pair} - {"None"} | {"1 Hidden Lane"}
    shown = f"{item.sheet}{item.evidence}"
    assert not [place for place in places if place in shown]
    assert item.evidence["weight"] is None
