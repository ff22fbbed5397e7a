"""Reviewers at work, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ffp_data.home.subjects import HubSubjects
from ffp_data.hub import (
    EventKind,
    Hub,
    InvalidInputError,
    ReviewError,
    UnknownRecordError,
    Verdict,
    seals,
)
from ffp_data.hub import review_items as store
from ffp_data.hub.database import writing
from ffp_data.hub.review import load_constraints
from ffp_data.hub.review_items import Wanted
from ffp_data.hub.review_models import ReviewItem
from ffp_data.review.desk import Desk, Listed
from ffp_data.review.rules import ReviewRules
from governance.access import AccessDeniedError, Gate, Principal, load_roles
from governance.keys import KeyStore
from governance.subjects import KEK_LABEL
from tests.hub.stories import NOON, Story, export, seeded_ids

LATER = NOON + timedelta(minutes=20)
MUCH_LATER = NOON + timedelta(hours=2)


@dataclass
class Office:
    """A hub with a queue, and a desk for whoever comes; ``ledger``: what was written down."""

    story: Story
    url: str
    keys: KeyStore
    ledger: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    listed: list[Listed] = field(default_factory=list)

    def desk(self, name: str = "ann", role: str = "reviewer") -> Desk:
        def append(kind: str, **facts: Any) -> None:
            self.ledger.append((kind, facts))

        return Desk(
            self.story.hub._engine,
            lambda: self.listed,
            ReviewRules.read(),
            Gate(load_roles(), HubSubjects(self.url, self.keys), append),
            Principal(name, role),
        )

    def publish(self, *wanted: Wanted) -> dict[tuple[str, str], int]:
        with writing(self.story.hub._engine) as connection:
            items = store.publish(connection, wanted, NOON)
        ids = self.story.ids()
        self.listed = [
            Listed(
                item_id=items[w.pair].item_id,
                place=place,
                left=w.left,
                right=w.right,
                children=(ids[w.left], ids[w.right]),
                readers=w.readers,
                is_clash="shared_nhs_number" in w.reasons,
                words=("looked after",),
                reasons=w.reasons,
                sheet={"rows": []},
                evidence={"weight": 3.0},
            )
            for place, w in enumerate(wanted, start=1)
        ]
        return {pair: item.item_id for pair, item in items.items()}

    def settle(self, item: int, verdict: Verdict, name: str = "ann") -> int | None:
        desk = self.desk(name)
        desk.take(NOON, item)
        desk.first_verdict(item, verdict, "seen the records", NOON)
        return desk.confirm(item, None, NOON).decision

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.ledger]


def wanted(left: str, right: str, readers: int = 1, reason: str = "possible_match") -> Wanted:
    return Wanted(left, right, (reason,), readers, "evidence")


@pytest.fixture
def office(hub_url: str, tmp_path: Path) -> Iterator[Office]:
    with Hub.open(hub_url, seeded_ids(), kek=KeyStore(tmp_path / "keys").key(KEK_LABEL)) as hub:
        story = Story(hub)
        story.run("ann1 | bob1 | cat1 | dan1", {"ann1 bob1": 0.6, "cat1 dan1": 0.6})
        yield Office(story, hub_url, KeyStore(tmp_path / "keys"))


def test_a_verdict_after_evidence_binds_the_next_run(office: Office) -> None:
    [item] = office.publish(wanted("ann1", "bob1")).values()
    desk = office.desk()
    assert desk.take(NOON).item_id == item
    desk.first_verdict(item, "same", "one passport", NOON)
    done = desk.confirm(item, None, NOON)
    assert (done.decision, done.verdict) == (1, Verdict.SAME)
    office.story.run("ann1 | bob1 | cat1 | dan1", {"ann1 bob1": 0.6})
    assert office.story.together() == "ann1 bob1 | cat1 | dan1"


def test_the_evidence_is_shown_after_the_first_verdict_only(office: Office) -> None:
    [item] = office.publish(wanted("ann1", "bob1")).values()
    desk = office.desk()
    with pytest.raises(ReviewError, match="after a first verdict"):
        desk.evidence(item)
    with pytest.raises(ReviewError, match="look at item"):
        desk.first_verdict(item, "same", "a guess", NOON)
    desk.take(NOON, item)
    assert desk.first_verdict(item, "same", "names", NOON).evidence == {"weight": 3.0}
    assert desk.evidence(item).evidence == {"weight": 3.0}
    with pytest.raises(ReviewError, match="after a first verdict"):
        office.desk("ben").confirm(item, None, NOON)


def test_both_verdicts_are_kept_and_a_change_needs_a_reason(office: Office) -> None:
    [item] = office.publish(wanted("ann1", "bob1")).values()
    desk = office.desk()
    desk.take(NOON, item)
    desk.first_verdict(item, "same", "names", NOON)
    with pytest.raises(ReviewError, match="needs a reason"):
        desk.confirm(item, None, NOON, "not_same")
    desk.confirm(item, "two birth dates", NOON, "not_same")
    report = desk.report(NOON)
    assert report["blind_and_final"] == {"cases": 1, "agreed": 0, "share": 0.0}
    assert report["decided_by_verdict"] == {"not_same": 1}
    with pytest.raises(ReviewError, match="is final"):
        desk.confirm(item, None, NOON)


def test_where_two_are_asked_for_one_alone_binds_nothing(office: Office) -> None:
    [item] = office.publish(wanted("ann1", "bob1", readers=2)).values()
    assert office.settle(item, Verdict.SAME) is None
    with office.story.hub._engine.connect() as connection:
        assert load_constraints(connection).same == frozenset()
    with pytest.raises(ReviewError, match="is final"):
        office.desk().take(NOON, item)
    assert office.settle(item, Verdict.SAME, "ben") == 1
    [decision] = office.story.hub.decisions()
    assert decision.reviewer == "ann, ben"


def test_a_disagreement_waits_for_a_third(office: Office) -> None:
    [item] = office.publish(wanted("ann1", "bob1", readers=2)).values()
    assert office.settle(item, Verdict.SAME) is None
    assert office.settle(item, Verdict.NOT_SAME, "ben") is None
    [waiting] = office.desk("cat").queue(NOON)
    assert waiting.standing == "2 reviewers do not agree: waits for another"
    assert office.settle(item, Verdict.NOT_SAME, "cat") == 1
    assert office.desk().report(NOON)["first_two_reviewers"]["agreed"] == 0


def test_a_pair_in_hand_is_nobody_elses_until_the_time_is_over(office: Office) -> None:
    first, second = office.publish(wanted("ann1", "bob1"), wanted("cat1", "dan1")).values()
    assert office.desk("ann").take(NOON).item_id == first
    assert office.desk("ben").take(NOON).item_id == second
    with pytest.raises(ReviewError, match="another reviewer's hands until 12:30"):
        office.desk("ben").take(LATER, first)
    with pytest.raises(ReviewError, match="nothing waits for you"):
        office.desk("cat").take(LATER)
    assert office.desk("ben").take(MUCH_LATER, first).item_id == first
    with pytest.raises(ReviewError, match="look at item"):
        office.desk("ann").first_verdict(first, "same", "too late", MUCH_LATER)


def test_a_pair_that_is_put_back_is_free(office: Office) -> None:
    [item] = office.publish(wanted("ann1", "bob1")).values()
    office.desk("ann").take(NOON, item)
    with pytest.raises(ReviewError):
        office.desk("ben").put_back(item, NOON)
    office.desk("ann").put_back(item, NOON)
    assert office.desk("ben").take(NOON).item_id == item


def test_who_has_spoken_does_not_see_the_pair_again(office: Office) -> None:
    [item] = office.publish(wanted("ann1", "bob1", readers=2)).values()
    office.settle(item, Verdict.SAME)
    assert office.desk("ann").queue(NOON) == ()
    assert [w.listed.item_id for w in office.desk("ben").queue(NOON)] == [item]


def test_an_open_pair_keeps_its_number_and_its_verdicts_over_runs(office: Office) -> None:
    before = office.publish(wanted("ann1", "bob1", readers=2), wanted("cat1", "dan1"))
    office.settle(before["ann1", "bob1"], Verdict.SAME)
    after = office.publish(wanted("cat1", "dan1"), wanted("ann1", "bob1", readers=2))
    assert after == before
    assert office.settle(after["ann1", "bob1"], Verdict.SAME, "ben") == 1


def test_a_pair_that_is_in_doubt_no_more_is_closed_and_one_that_returns_is_new(
    office: Office,
) -> None:
    [first] = office.publish(wanted("ann1", "bob1")).values()
    office.publish()
    with pytest.raises(ReviewError, match="nothing is in doubt any more"):
        office.desk().take(NOON, first)
    [second] = office.publish(wanted("ann1", "bob1")).values()
    assert second != first


def test_an_undo_restores_the_export_byte_for_byte(office: Office, tmp_path: Path) -> None:
    export(office.story.hub, tmp_path / "before.csv")
    [item] = office.publish(wanted("ann1", "bob1")).values()
    decision = office.settle(item, Verdict.SAME)
    assert decision is not None
    scores = {"ann1 bob1": 0.6, "cat1 dan1": 0.6}
    office.story.run("ann1 | bob1 | cat1 | dan1", scores)
    office.story.run("ann1 | bob1 | cat1 | dan1", {**scores, "ann1 cat1": 0.1})
    office.desk("ben").undo(decision, "another child's passport", NOON)
    office.story.run("ann1 | bob1 | cat1 | dan1", scores)
    export(office.story.hub, tmp_path / "after.csv")
    assert (tmp_path / "after.csv").read_bytes() == (tmp_path / "before.csv").read_bytes()
    with pytest.raises(InvalidInputError):
        office.desk().undo(decision, "again", NOON)


def decided_by_two(office: Office) -> int:
    """A pair that two people found to be one person, joined by a run."""
    [item] = office.publish(wanted("ann1", "bob1", readers=2)).values()
    office.settle(item, Verdict.SAME)
    decision = office.settle(item, Verdict.SAME, "ben")
    assert decision is not None
    office.story.run("ann1 | bob1 | cat1 | dan1", {"ann1 bob1": 0.6, "cat1 dan1": 0.6})
    assert office.story.together() == "ann1 bob1 | cat1 | dan1"
    office.ledger.clear()
    return decision


def test_what_two_people_decided_one_alone_takes_back_for_no_run(office: Office) -> None:
    decision = decided_by_two(office)
    assert not office.desk("ann").undo(decision, "another child's passport", NOON)
    with pytest.raises(ReviewError, match="until another reviewer confirms"):
        office.desk("ann").undo(decision, "I am sure", LATER)
    office.story.run("ann1 | bob1 | cat1 | dan1", {"ann1 bob1": 0.6, "cat1 dan1": 0.6})
    assert office.story.together() == "ann1 bob1 | cat1 | dan1"
    assert office.kinds() == ["identity_undo_asked"]
    for name, is_own in (("ann", True), ("ben", False)):
        [waiting] = office.desk(name).undos(NOON + timedelta(days=3))
        assert (waiting.decision.decision_id, waiting.is_own) == (decision, is_own)
        assert (waiting.asked.reviewer, waiting.waits_days) == ("ann", 3)
        assert waiting.decision.is_in_force


def test_a_second_person_confirms_an_undo_and_every_identifier_is_what_it_was(
    office: Office, tmp_path: Path
) -> None:
    export(office.story.hub, tmp_path / "before.csv")
    decision = decided_by_two(office)
    office.desk("cat").undo(decision, "another child's passport", NOON)
    assert office.desk("ann").undo(decision, "so it is", LATER)
    office.story.run("ann1 | bob1 | cat1 | dan1", {"ann1 bob1": 0.6, "cat1 dan1": 0.6})
    export(office.story.hub, tmp_path / "after.csv")
    assert (tmp_path / "after.csv").read_bytes() == (tmp_path / "before.csv").read_bytes()
    assert office.kinds() == ["identity_undo_asked", "identity_decision_undone"]
    assert [facts["who"] for _, facts in office.ledger] == ["cat", "ann"]
    undone = office.story.hub.history(office.story.ids()["ann1"])
    [by] = [e.evidence["reviewer"] for e in undone if e.kind == EventKind.UNDONE]
    assert by == "cat, ann"
    assert office.desk().undos(LATER) == ()


def test_a_refused_undo_leaves_the_decision_in_force_and_may_be_asked_for_again(
    office: Office,
) -> None:
    decision = decided_by_two(office)
    with pytest.raises(ReviewError, match="nobody has asked"):
        office.desk("ben").keep(decision, "it is right", NOON)
    office.desk("ann").undo(decision, "a doubt", NOON)
    with pytest.raises(InvalidInputError, match="needs a reviewer and a reason"):
        office.desk("ben").keep(decision, " ", NOON)
    office.desk("ben").keep(decision, "I saw the passport", NOON)
    assert office.story.hub.decisions()[0].is_in_force
    assert office.kinds() == ["identity_undo_asked", "identity_undo_refused"]
    assert office.desk().undos(NOON) == ()
    assert not office.desk("ben").undo(decision, "now I doubt it too", NOON), "asked anew"
    assert office.desk("ann").undo(decision, "at last", NOON)


def test_an_undo_of_which_the_ledger_cannot_be_written_is_neither_asked_nor_made(
    office: Office,
) -> None:
    decision = decided_by_two(office)

    def full(kind: str, **_: Any) -> None:
        raise OSError("no space left on device")

    for name in ("ann", "ben"):
        desk = office.desk(name)
        broken = replace(desk, gate=replace(desk.gate, append=full))
        with pytest.raises(OSError, match="no space"):
            broken.undo(decision, "a doubt", NOON)
        assert office.story.hub.decisions()[0].is_in_force
        assert len(desk.undos(NOON)) == (name == "ben")
        desk.undo(decision, "a doubt", NOON) if name == "ann" else None


def test_a_decision_whose_question_is_unknown_takes_two_to_undo(office: Office) -> None:
    """As one from before there was a queue: that one person was enough is nowhere written."""
    [item] = office.publish(wanted("ann1", "bob1")).values()
    decision = office.settle(item, Verdict.SAME)
    assert decision is not None
    with writing(office.story.hub._engine) as connection:
        connection.execute(sa.update(ReviewItem).values(decision_id=None))
    assert not office.desk("ann").undo(decision, "a doubt", NOON)
    assert office.desk("ben").undo(decision, "a doubt", NOON)


def test_clashes_are_listed_also_for_who_has_spoken(office: Office) -> None:
    clash = wanted("cat1", "dan1", readers=2, reason="shared_nhs_number")
    items = office.publish(wanted("ann1", "bob1"), clash)
    office.settle(items["cat1", "dan1"], Verdict.CANT_TELL)
    [waiting] = office.desk().clashes(NOON)
    assert waiting.listed.item_id == items["cat1", "dan1"]
    assert "one valid NHS number" in office.desk().words_of(waiting.listed)[0]


def test_anybody_may_ask_about_records_that_the_hub_knows(office: Office) -> None:
    assert office.desk().ask("bob1", "ann1", "a teacher doubts it", NOON) == 1
    with office.story.hub._engine.connect() as connection:
        assert store.asked(connection) == (("ann1", "bob1"),)
    with pytest.raises(UnknownRecordError):
        office.desk().ask("bob1", "nobody", "a teacher doubts it", NOON)


def test_a_question_is_answered_by_the_next_decision(office: Office) -> None:
    office.desk().ask("bob1", "ann1", "a teacher doubts it", NOON)
    [item] = office.publish(wanted("ann1", "bob1")).values()
    office.settle(item, Verdict.SAME)
    with office.story.hub._engine.connect() as connection:
        assert store.asked(connection) == ()


def test_every_showing_and_every_act_is_in_the_ledger_without_a_name_in_clear(
    office: Office,
) -> None:
    [item] = office.publish(wanted("ann1", "bob1")).values()
    decision = office.settle(item, Verdict.SAME)
    assert decision is not None
    office.desk().undo(decision, "mistaken", NOON)
    assert office.kinds() == [
        "read",  # side by side
        "review_first_verdict",
        "read",  # evidence
        "review_final_verdict",
        "identity_decided",
        "identity_decision_undone",
    ]
    assert [facts.get("shown") for kind, facts in office.ledger if kind == "read"] == [
        "side by side",
        "evidence",
    ]
    text = str(office.ledger)
    assert all(facts["subjects"] for _, facts in office.ledger)
    assert not any(secret in text for secret in ("ann1", "bob1", *office.story.ids().values()))


def test_who_has_no_right_sees_nothing_and_the_refusal_is_written_down(office: Office) -> None:
    [item] = office.publish(wanted("ann1", "bob1")).values()
    stranger = office.desk("eve", "practitioner")
    with pytest.raises(AccessDeniedError):
        stranger.queue(NOON)
    with pytest.raises(AccessDeniedError):
        stranger.take(NOON, item)
    assert office.kinds() == ["access_refused", "access_refused"]
    assert office.desk("ann").take(NOON).item_id == item, "a refusal reserves nothing"


def test_a_decision_that_the_ledger_cannot_take_is_not_taken(office: Office) -> None:
    [item] = office.publish(wanted("ann1", "bob1")).values()
    desk = office.desk()
    desk.take(NOON, item)
    desk.first_verdict(item, "same", "names", NOON)

    def full(kind: str, **_: Any) -> None:
        if kind == "identity_decided":
            raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        replace(desk, gate=replace(desk.gate, append=full)).confirm(item, None, NOON)
    assert office.story.hub.decisions() == ()
    assert desk.confirm(item, None, NOON).decision is not None


def test_a_published_item_of_another_pair_is_not_shown(office: Office) -> None:
    """As when a crash came between the hub and the published queue."""
    [item] = office.publish(wanted("ann1", "bob1")).values()
    office.listed = [replace(office.listed[0], left="cat1", right="dan1")]
    with pytest.raises(ReviewError, match="not published"):
        office.desk().take(NOON, item)
    assert office.desk().queue(NOON) == ()


def test_a_seal_takes_the_questions_and_verdicts_about_an_identity_with_it(office: Office) -> None:
    first, second = office.publish(wanted("ann1", "bob1"), wanted("cat1", "dan1")).values()
    office.desk().take(NOON, first)
    office.desk().first_verdict(first, "same", "names", NOON)
    office.settle(second, Verdict.NOT_SAME)
    ann = office.story.ids()["ann1"]
    with writing(office.story.hub._engine) as connection:
        seals.purge(connection, {"ann1", ann})
        assert [item.item_id for item in store.all_items(connection)] == [second]
        assert {said.item_id for said in store.said_of(connection)} == {second}
        assert store.holds(connection, NOON) == {}
    with pytest.raises(ReviewError, match=f"no item {first}"):
        office.desk().evidence(first)
