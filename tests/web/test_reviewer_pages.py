"""The reviewers' journey on pages: blind, then the evidence with its graph, then a second reviewer, then figures."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from fastapi.testclient import TestClient

from ffp_data.hub import review_items
from ffp_data.hub.database import create_engine, migrate, writing
from ffp_data.hub.review_items import Wanted
from ffp_data.pipeline.review_desk import ROOM, TABLE
from ffp_data.pipeline.review_queue import SCHEMA
from ffp_data.review.evidence import Comparison, Edge, Evidence, Node, Other, as_plain, edge
from ffp_data.review.rules import ReviewRules
from ffp_data.serving import store
from ffp_data.web.app import make_app
from tests.web.conftest import Visitor
from tests.web.world import World, make_world

PAIR = ("case_system|x|0", "case_system|x|1")
EVIDENCE = Evidence(
    reasons=("the model finds one person possible but not certain",),
    are_together=False,
    comparisons=(Comparison("surname: exact", "speaks strongly for one person", 8.1),),
    weight=3.1,
    probability=0.896,
    others_left=(Other("School census", ("surname Ottaway",)),),
    nodes=(Node("A", "Case system: records"), Node("B", "Police"), Node("A1", "School census")),
    edges=(
        Edge("A", "B", "speaks clearly for one person", 2, True),
        Edge("A", "A1", "speaks strongly for one person", 3, True),
        Edge("B", "A1", "forbidden by another first name", 3, False),
    ),
)
MODEL_SAYS = ("bits", "<circle", "speaks", "probability", "A1", "0.896")


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, int]:
    """A home where one pair waits for two reviewers; and the number of the pair."""
    world = make_world(tmp_path_factory.mktemp("review") / "home")
    engine = create_engine(world.home.hub_url)
    migrate(engine)
    with writing(engine) as hub:
        wanted = Wanted(*PAIR, ("shared_nhs_number",), 2, "digest")
        items = review_items.publish(hub, [wanted], datetime.now(UTC))
    engine.dispose()
    number = items[PAIR].item_id
    rows = [
        {"field": "surname", "left": "Ottaway", "right": "Ottoway", "mark": "differs"},
        {"field": "school", "left": "990149", "right": None, "mark": "one side only"},
        {"field": "address", "left": None, "right": None, "mark": "withheld"},
    ]
    row = {
        "place": 1, "item_id": number, "record_left": PAIR[0], "record_right": PAIR[1],
        "child_left": world.mine, "child_right": world.other, "readers": 2, "is_clash": True,
        "words": ["on a child protection plan"], "reasons": ["shared_nhs_number"],
        "sheet": json.dumps({"left": "Case system", "right": "Police", "rows": rows}),
        "evidence": json.dumps(as_plain(EVIDENCE)),
    }  # fmt: skip
    queue = {TABLE: pa.Table.from_pylist([row], SCHEMA)}
    store.write(world.home, "first", queue, room=ROOM)
    return world, number


@pytest.fixture(scope="module")
def served(waiting: tuple[World, int]) -> Iterator[TestClient]:
    with TestClient(make_app(waiting[0].home), raise_server_exceptions=False) as client:
        yield client


def main(visitor: Visitor) -> str:
    return str(visitor.page.text.split("<main", 1)[1].split("</main>", 1)[0])


def words(visitor: Visitor) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", main(visitor)).split())


def test_two_people_settle_a_pair_each_blind_first_and_the_figures_tell_how_far_they_agreed(
    served: TestClient, waiting: tuple[World, int]
) -> None:
    _, item = waiting
    first = Visitor(served).sign_in("reviewer")
    for path in ("/review", "/review/clashes", f"/review/{item}"):
        assert first.get(path).status_code == 200
        assert [said for said in MODEL_SAYS if said in main(first)] == [], path
    assert "two people must agree" in words(first)
    assert first.get(f"/review/{item}/evidence").status_code == 409
    assert "ffp hub" not in main(first)

    first.get(f"/review/{item}")
    assert "school 990149 not recorded one side only" in words(first)
    assert "address withheld withheld withheld" in words(first)
    first.send(f"/review/{item}", verdict="cant_tell", reason="too little on one side")
    assert [said for said in MODEL_SAYS if said not in main(first)] == []
    assert main(first).count("<circle") == 3
    assert "A and B Asked" in words(first)
    assert "forbidden by another first name" in words(first)
    assert first.get(f"/review/{item}").url.path == f"/review/{item}/evidence"
    changed = first.send(f"/review/{item}/final", verdict="same", reason=" ")
    assert changed.status_code == 400
    assert "Say why, when your verdict changes" in words(first)
    first.send(f"/review/{item}/final", verdict="same", reason="the same school and sister")
    assert "waits for a second reviewer. Nothing binds yet" in words(first)
    assert "Nothing waits for you" in words(Visitor(served, first.get("/review")))
    first.get("/review/clashes")
    assert "one valid NHS number stands on records with different identifiers" in words(first)

    second = Visitor(served).sign_in("second-reviewer")
    second.get("/review")
    assert "waits for a second reviewer" in words(second)
    second.get(f"/review/{item}")
    assert [said for said in (*MODEL_SAYS, "sister") if said in main(second)] == []
    second.send(f"/review/{item}", verdict="same", reason="one school, one sister")
    assert "sister" not in words(second).replace("one sister", "")
    second.send(f"/review/{item}/final")
    assert "the same person. It takes effect in the next run" in words(second)
    second.get("/review/figures")
    told = words(second)
    assert "The final verdict was the blind one 1 of 2 (50 %)" in told
    assert "The first two reviewers agreed, blind 0 of 1 (0 %)" in told
    assert "The first two reviewers agreed, after the evidence 1 of 1 (100 %)" in told
    assert "reviewer, second-reviewer" not in told
    second.get("/review/decisions")
    assert "reviewer, second-reviewer" in words(second)
    takes_back_by_two(served)


def takes_back_by_two(served: TestClient) -> None:
    """The decision of two is asked back by one, refused, asked again, and confirmed by the other."""
    undo, keep = "/review/decisions/1/undo", "/review/decisions/1/keep"

    def at_decisions(name: str) -> Visitor:
        visitor = Visitor(served).sign_in(name)
        visitor.get("/review/decisions")
        return visitor

    def asks(reason: str) -> None:
        first = at_decisions("reviewer")
        assert "This takes two people" in words(first)
        assert first.send(undo, reason="").status_code == 400
        first.send(undo, reason=reason)
        assert "stands until another reviewer answers" in words(first)
        assert f'action="{undo}"' not in main(first), "who asks does not confirm"
        assert first.send(undo, reason="still").status_code == 400
        assert "stands until another reviewer confirms that" in words(first)

    asks("a doubt")
    second = at_decisions("second-reviewer")
    assert "Undo waits" in words(second)
    second.send(keep, reason="I saw the papers")
    assert "In force" in words(second)
    assert "Undo waits" not in words(second)
    assert second.send(keep, reason="again").status_code == 400

    asks("a second birth certificate")
    second = at_decisions("second-reviewer")
    second.get("/review")
    assert "Kit Larkin (made up) asks: a second birth certificate" in words(second)
    second.get("/review/decisions")
    second.send(undo, reason="I have seen it")
    assert "Taken back on" in words(second)
    second.get("/review")
    assert "asks to take back" not in words(second)


@pytest.mark.parametrize(
    ("weight", "veto", "hidden", "says", "strength"),
    [
        (9.0, None, False, "speaks strongly for one person", 3),
        (-2.0, None, False, "speaks weakly against one person", 1),
        (0.2, None, False, "says next to nothing", 0),
        (9.0, "another_first_name", False, "forbidden by another first name", 3),
        (9.0, None, True, "compared; how strongly is withheld", None),
    ],
)
def test_a_line_of_the_graph_says_how_strongly_and_withholds_it_of_the_protected(
    weight: float, veto: str | None, hidden: bool, says: str, strength: int | None
) -> None:
    found = edge("A", "B", weight, veto, ReviewRules.read(), is_protected=hidden)
    assert (found.says, found.strength) == (says, strength)
