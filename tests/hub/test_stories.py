"""What happens to identifiers, told run by run, on SQLite and on PostgreSQL."""

from __future__ import annotations

import csv
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from ffp_data.hub import (
    EventKind,
    Hub,
    HubChangeLimit,
    HubError,
    InvalidIdentifierError,
    InvalidInputError,
    Rules,
    RunConflictError,
    UnknownIdentifierError,
    UnknownRecordError,
    Verdict,
)
from ffp_data.hub.grouping import DECISION_AGAINST_DECISION, MODEL_AGAINST_DECISION
from ffp_data.hub.models import Base
from ffp_data.hub.review import Act
from tests.hub.stories import AS_AT, NOON, Story, clusters, export, pairs, seeded_ids


def rows_of(story: Story) -> dict[str, int]:
    """Number of rows of each table."""
    with story.hub._engine.connect() as connection:
        return {
            name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for name, table in Base.metadata.tables.items()
        }


def kinds(story: Story, child_id: str) -> list[str]:
    return [str(event.kind) for event in story.hub.history(child_id)]


def test_records_of_one_cluster_share_an_identifier_and_others_do_not(story: Story) -> None:
    summary = story.run("ann1 ann2 | bob1")
    assert story.together() == "ann1 ann2 | bob1"
    assert (summary.records, summary.children, summary.changes["issued"]) == (3, 2, 2)


def test_a_run_with_the_same_input_writes_nothing(story: Story) -> None:
    found = (clusters("ann1 ann2 | bob1"), pairs({"ann1 ann2": 0.99}))
    story.hub.apply_run("first", AS_AT, "model-1", *found)
    ids, rows = story.ids(), rows_of(story)
    again = (clusters("bob1 | ann2 ann1"), pairs({"ann2 ann1": 0.99}))
    summary = story.hub.apply_run("second", AS_AT, "model-1", *again)
    assert summary.unchanged_since == "first"
    assert (summary.records, summary.children, set(summary.changes.values())) == (3, 2, {0})
    assert (story.ids(), rows_of(story)) == (ids, rows)


def test_a_later_run_that_finds_the_same_changes_no_identifier_and_writes_no_event(
    story: Story,
) -> None:
    story.run("ann1 ann2 | bob1")
    ids, rows = story.ids(), rows_of(story)
    story.run("ann1 ann2 | bob1")
    assert story.ids() == ids
    assert rows_of(story) == {**rows, "hub_run": 2}


def test_a_new_record_attaches_to_the_identifier_of_its_cluster(story: Story) -> None:
    story.run("ann1 | bob1")
    ann = story.ids()["ann1"]
    story.run("aaa ann1 | bob1", {"aaa ann1": 0.97})
    assert story.ids()["aaa"] == ann
    joined = story.hub.history(ann)[-1]
    assert joined.kind == EventKind.JOINED
    assert (joined.run_id, joined.model_version) == ("run-2", "model-1")
    assert joined.evidence["records"] == ["aaa"]
    assert joined.evidence["strongest_pair"]["match_probability"] == 0.97


def test_the_confidence_of_a_link_is_the_weakest_pair_on_its_strongest_path(story: Story) -> None:
    story.run("a b c d", {"a b": 0.99, "b c": 0.96, "a c": 0.90, "c d": 0.98})
    table = story.hub.membership()
    assert table["link_confidence"].to_pylist() == [None, 0.99, 0.96, 0.96]


def test_a_record_keeps_its_date_of_linking_while_its_identifier_stays(story: Story) -> None:
    story.run("ann1 | bob1")
    story.run("ann1 ann2 | bob1")
    since = story.hub.membership()["linked_since"].to_pylist()
    assert since == [AS_AT + timedelta(1), AS_AT + timedelta(2), AS_AT + timedelta(1)]


def test_a_merge_keeps_the_identifier_issued_first(story: Story) -> None:
    story.run("old1")
    story.run("old1 | new1 new2 new3")
    old, new = story.ids()["old1"], story.ids()["new1"]
    summary = story.run("old1 new1 new2 new3", {"new2 old1": 0.99})
    assert set(story.ids().values()) == {old}
    assert story.hub.resolve(new) == old
    assert (summary.changes["merged"], summary.children) == (1, 1)
    [merged] = [e for e in story.hub.history(new) if e.kind == EventKind.MERGED]
    assert merged.other_child_id == old
    assert merged.evidence["strongest_pair"]["left"] == "new2"


def test_a_merge_of_identifiers_of_one_age_keeps_the_one_with_most_records(story: Story) -> None:
    story.run("ann1 | bob1 bob2")
    bob = story.ids()["bob1"]
    story.run("ann1 bob1 bob2")
    assert set(story.ids().values()) == {bob}


def test_a_merge_of_equals_keeps_the_lesser_identifier(story: Story) -> None:
    story.run("ann1 | bob1")
    lesser = min(story.ids().values())
    story.run("ann1 bob1")
    assert set(story.ids().values()) == {lesser}


def test_a_chain_of_merges_resolves_to_its_end(story: Story) -> None:
    story.run("a | x")
    story.run("a | b | x")
    story.run("a | b | c | x")
    a, b, c = (story.ids()[r] for r in "abc")
    story.run("a | b c | x")
    story.run("a b c | x")
    assert [story.hub.resolve(child) for child in (a, b, c)] == [a, a, a]
    assert kinds(story, c) == ["issued", "merged"]
    assert kinds(story, b) == ["issued", "merged", "merged"]


def test_a_split_leaves_the_identifier_with_the_greatest_part(story: Story) -> None:
    story.run("a b c")
    before = story.ids()["a"]
    summary = story.run("a | b c", {"a b": 0.2})
    ids = story.ids()
    assert ids["b"] == ids["c"] == before != ids["a"]
    assert (summary.changes["split"], summary.changes["issued"]) == (1, 1)
    [split] = [e for e in story.hub.history(before) if e.kind == EventKind.SPLIT]
    assert (split.other_child_id, split.evidence["records"]) == (ids["a"], ["a"])
    assert split.evidence["strongest_pair"]["match_probability"] == 0.2


def test_of_equal_parts_the_one_with_the_earliest_record_keeps_the_identifier(
    story: Story,
) -> None:
    story.run("a b c d")
    before = story.ids()["a"]
    story.run("b c | a d")
    assert {record for record, child in story.ids().items() if child == before} == {"a", "d"}


def test_a_record_that_moves_changes_the_identifier_of_nobody_else(story: Story) -> None:
    story.run("a1 a2 a3 | b1 b2")
    before = story.ids()
    summary = story.run("a1 a2 | a3 b1 b2")
    assert story.ids() == {**before, "a3": before["b1"]}
    assert summary.changes["moved"] == 1
    assert summary.changes["issued"] == summary.changes["merged"] == 0


def test_an_identifier_whose_records_scatter_retires_to_where_most_went(story: Story) -> None:
    story.run("a1 a2 a3 a4 | b1 b2 b3 | c1 c2 c3")
    a, b = story.ids()["a1"], story.ids()["b1"]
    # One of a's parts would keep it, unless b and c each outweigh that part.
    summary = story.run("a1 a2 b1 b2 b3 | a3 a4 c1 c2 c3")
    assert summary.changes["retired"] == 1
    assert story.hub.resolve(a) == b
    assert kinds(story, a) == ["issued", "moved", "moved", "retired"]


def test_a_merge_that_comes_apart_again_restores_both_identifiers(story: Story) -> None:
    story.run("a1 a2 | b1 b2 b3 | x")
    before = story.ids()
    story.run("a1 a2 b1 b2 b3 | x")
    assert story.together() == "a1 a2 b1 b2 b3 | x"
    summary = story.run("a1 a2 | b1 b2 b3 | x")
    assert story.ids() == before
    assert summary.changes["restored"] == 1
    assert summary.changes["issued"] == 0
    assert all(story.hub.resolve(child) == child for child in before.values())


def test_a_record_that_came_after_the_merge_goes_with_either_side(story: Story) -> None:
    story.run("a1 a2 | b1 b2")
    before = story.ids()
    story.run("a1 a2 b1 b2")
    story.run("a1 a2 b1 b2 new1 new2")
    story.run("a1 a2 new1 | b1 b2 new2")
    assert story.ids() == {**before, "new1": before["a1"], "new2": before["b1"]}


def test_a_split_across_both_sides_of_a_merge_restores_nothing(story: Story) -> None:
    story.run("a1 a2 | b1 b2 b3")
    story.run("a1 a2 b1 b2 b3")
    survivor = story.ids()["a1"]
    summary = story.run("a1 b1 | a2 b2 b3")
    assert (summary.changes["restored"], summary.changes["issued"]) == (0, 1)
    assert story.ids()["b2"] == survivor


def test_of_nested_merges_only_the_one_that_comes_apart_is_taken_back(story: Story) -> None:
    story.run("a1")
    story.run("a1 | b1")
    story.run("a1 | b1 | c1 c2")
    a, b, c = (story.ids()[r] for r in ("a1", "b1", "c1"))
    story.run("a1 | b1 c1 c2")
    story.run("a1 b1 c1 c2")
    story.run("a1 | b1 c1 c2")
    assert (story.ids()["a1"], story.ids()["b1"]) == (a, b)
    assert story.hub.resolve(c) == b
    story.run("a1 | b1 | c1 c2")
    assert [story.ids()[r] for r in ("a1", "b1", "c1")] == [a, b, c]


def test_a_retired_identifier_follows_its_records_to_another_child(story: Story) -> None:
    story.run("a1 a2 | w1 w2 w3 w4")
    story.run("a1 a2 | w1 w2 w3 w4 | b1 b2")
    a, w, b = (story.ids()[r] for r in ("a1", "w1", "b1"))
    story.run("a1 a2 b1 b2 | w1 w2 w3 w4")
    assert story.hub.resolve(b) == a
    story.run("a1 a2 | b1 b2 w1 w2 w3 w4")
    assert story.ids()["b1"] == w
    assert story.hub.resolve(b) == w
    assert kinds(story, b)[-1] == "redirected"


def test_a_late_feed_costs_nobody_the_identifier(story: Story) -> None:
    story.run("a1 a2 | b1")
    before = story.ids()
    story.run("a1")
    assert story.ids() == before
    story.run("a1 a2 | b1")
    assert story.ids() == before


def test_absent_records_follow_their_identifier_into_a_merge(story: Story) -> None:
    story.run("a1")
    story.run("a1 | b1 b2")
    a = story.ids()["a1"]
    story.run("a1 b1")
    assert story.ids() == {"a1": a, "b1": a, "b2": a}


def test_absent_records_go_back_with_an_identifier_that_is_restored(story: Story) -> None:
    story.run("a1 a2 | b1 b2 late")
    before = story.ids()
    story.run("a1 a2 b1 b2 late")
    story.run("a1 a2 | b1 b2")
    assert story.ids() == before


def test_a_link_that_flickers_below_the_joining_threshold_does_not_split_a_child(
    story: Story,
) -> None:
    story.run("a b | x", {"a b": 0.96})
    before = story.ids()
    story.run("a | b | x", {"a b": 0.94})
    assert story.ids() == before
    story.run("a | b new | x", {"a b": 0.60, "b new": 0.99})
    assert story.together() == "a b new | x"


def test_a_link_below_the_breaking_threshold_splits_the_child(story: Story) -> None:
    story.run("a b", {"a b": 0.96})
    story.run("a | b", {"a b": 0.49})
    assert story.together() == "a | b"


def test_what_linkage_parts_in_spite_of_a_strong_pair_is_parted(story: Story) -> None:
    story.run("twin1 twin2", {"twin1 twin2": 0.96})
    story.run("twin1 | twin2", {"twin1 twin2": 0.99})
    assert story.together() == "twin1 | twin2"


def test_a_vetoed_pair_ends_the_holding(story: Story) -> None:
    story.run("a1 a2 b1", {"a1 b1": 0.96, "a2 b1": 0.96})
    story.run("a1 a2 | b1", {"a1 b1": 0.9, "a2 b1": 0.9})
    assert story.together() == "a1 a2 b1"
    story.run("a1 a2 | b1", {"a1 b1": 0.9, "a2 b1": 0.9}, veto={"a2 b1": "two NHS numbers"})
    assert story.together() == "a1 a2 | b1"
    [split] = [e for e in story.hub.history(story.ids()["b1"]) if e.kind == EventKind.SPLIT]
    assert split.records == ("b1",)
    assert split.record_key == "b1"


def test_a_vetoed_pair_is_no_evidence_to_rebuild_a_child_with(story: Story) -> None:
    scores = {"a b": 0.99, "b c": 0.98, "a c": 0.97}
    story.run("a b c", scores)
    story.decide("a", "c", Verdict.NOT_SAME)
    story.run("a b c", scores, veto={"a b": "two NHS numbers"})
    assert story.together() == "a | b c"


@pytest.mark.control("C10")
def test_weak_evidence_never_merges_two_known_children(story: Story) -> None:
    story.run("a1 a2 | b1 b2")
    before = story.ids()
    story.run("a1 | a2 b1 b2", {"a1 a2": 0.9})
    assert story.ids() == {**before, "a2": before["b1"]}


def test_a_reviewer_parts_two_children_and_the_undo_restores_them_exactly(story: Story) -> None:
    scores = {"twin1 twin2": 0.99, "school1 twin1": 0.99, "school2 twin2": 0.99}
    story.run("twin1 twin2 school1 school2 | x", scores)
    before = story.ids()
    decision = story.decide("twin2", "twin1", Verdict.NOT_SAME)
    assert story.hub.constraints() == ([], [("twin1", "twin2")])

    summary = story.run("twin1 twin2 school1 school2 | x", scores)
    assert story.together() == "school1 twin1 | school2 twin2 | x"
    assert [clash.reason for clash in summary.clashes] == [MODEL_AGAINST_DECISION]
    [split] = [e for e in story.hub.history(before["x"]) if e.kind == EventKind.SPLIT] or [
        e for e in story.hub.history(before["twin1"]) if e.kind == EventKind.SPLIT
    ]
    assert split.reason == "decision"

    story.undo(decision)
    assert story.hub.constraints() == ([], [])
    story.run("twin1 twin2 school1 school2 | x", scores)
    assert story.ids() == before


def test_a_reviewer_joins_two_children_and_the_undo_restores_them_exactly(story: Story) -> None:
    story.run("a1 a2 | b1 | x")
    before = story.ids()
    decision = story.decide("b1", "a2", Verdict.SAME)
    story.run("a1 a2 | b1 | x")
    assert story.together() == "a1 a2 b1 | x"
    merged = [e for e in story.hub.history(before["b1"]) if e.kind == EventKind.MERGED]
    assert [event.reason for event in merged] == ["decision"]
    story.undo(decision)
    story.run("a1 a2 | b1 | x")
    assert story.ids() == before


def test_a_later_decision_replaces_an_earlier_and_its_undo_brings_that_back(story: Story) -> None:
    story.run("a | b")
    first = story.decide("a", "b", Verdict.SAME)
    second = story.decide("a", "b", Verdict.NOT_SAME)
    assert story.hub.constraints() == ([], [("a", "b")])
    assert [(d.is_in_force, d.superseded_by) for d in story.hub.decisions()] == [
        (False, second),
        (True, None),
    ]
    story.undo(second)
    assert story.hub.constraints() == ([("a", "b")], [])
    assert [d.decision_id for d in story.hub.decisions() if d.is_in_force] == [first]
    assert story.hub.decisions()[1].undone_at == NOON


def test_cannot_tell_binds_no_run_but_replaces_what_was_decided(story: Story) -> None:
    story.run("a | b")
    story.decide("a", "b", Verdict.SAME)
    story.decide("a", "b", Verdict.CANT_TELL)
    assert story.hub.constraints() == ([], [])


def test_decisions_that_contradict_each_other_are_listed_and_separation_wins(
    story: Story,
) -> None:
    story.run("a | b | c")
    story.decide("a", "b", Verdict.SAME)
    story.decide("b", "c", Verdict.SAME)
    story.decide("a", "c", Verdict.NOT_SAME)
    summary = story.run("a | b | c")
    ids = story.ids()
    assert ids["a"] != ids["c"]
    [clash] = summary.clashes
    assert (clash.left, clash.right, clash.reason) == ("b", "c", DECISION_AGAINST_DECISION)


def test_a_decision_and_its_undo_are_in_the_history_with_person_time_and_reason(
    story: Story,
) -> None:
    story.run("a | b")
    story.undo(story.decide("a", "b", Verdict.SAME))
    decided, undone = story.hub.history(story.ids()["b"])[-2:]
    assert (decided.kind, undone.kind) == (EventKind.DECIDED, EventKind.UNDONE)
    assert decided.evidence["reviewer"] == "r.reviewer"
    assert (decided.at, decided.run_id) == (NOON, None)
    assert undone.reason == "wrong child"


@pytest.mark.parametrize(
    ("reviewer", "reason", "at"),
    [(" ", "why", NOON), ("r", "", NOON), ("r", "why", NOON.replace(tzinfo=None))],
)
def test_an_act_that_says_too_little_is_refused(reviewer: str, reason: str, at: datetime) -> None:
    with pytest.raises(InvalidInputError):
        Act(reviewer, reason, at)


def test_a_decision_on_a_record_that_no_run_has_brought_is_not_taken(story: Story) -> None:
    story.run("a | b")
    with pytest.raises(UnknownRecordError):
        story.decide("a", "nobody", Verdict.SAME)
    assert story.hub.decisions() == ()


def test_a_decision_can_be_undone_once_only(story: Story) -> None:
    story.run("a | b")
    decision = story.decide("a", "b", Verdict.SAME)
    story.undo(decision)
    for unknown in (decision, 99):
        with pytest.raises(InvalidInputError, match=f"decision {unknown}"):
            story.undo(unknown)


@pytest.mark.control("F03")
def test_what_was_shown_after_a_run_or_on_a_date_can_be_rebuilt(story: Story) -> None:
    story.run("a b | c")
    first = story.hub.membership()
    story.run("a | b | c d")
    second = story.hub.membership()
    story.run("a b c d", allow_large_change=True)
    assert story.hub.as_of("run-1").equals(first)
    assert story.hub.as_of("run-2").equals(second)
    assert story.hub.as_of(AS_AT + timedelta(1)).equals(first)
    assert story.hub.as_of(AS_AT + timedelta(30)).equals(story.hub.membership())
    assert story.hub.as_of(AS_AT).num_rows == 0
    with pytest.raises(HubError, match="no run run-9"):
        story.hub.as_of("run-9")


def test_a_run_that_changes_too_many_identifiers_stops_and_writes_nothing(story: Story) -> None:
    story.run("a1 a2 | b1 b2 | c1 c2 | d1")
    ids, rows = story.ids(), rows_of(story)
    limited = Rules(change_share=0.25, change_least=1)
    with pytest.raises(HubChangeLimit, match=r"2 of 4 identifiers .* limit is 1") as stopped:
        story.run("a1 | a2 | b1 | b2 | c1 c2 | d1", rules=limited)
    assert (stopped.value.changed, stopped.value.limit) == (2, 1)
    assert (story.ids(), rows_of(story)) == (ids, rows)
    story.run("a1 | a2 | b1 | b2 | c1 c2 | d1", rules=limited, allow_large_change=True)
    assert story.together() == "a1 | a2 | b1 | b2 | c1 c2 | d1"


def test_new_children_do_not_count_as_changed(story: Story) -> None:
    limited = Rules(change_share=0, change_least=0)
    story.run("a1", rules=limited)
    story.run("a1 a2 | " + " | ".join(f"n{n}" for n in range(20)), rules=limited)
    assert len(set(story.ids().values())) == 21


def test_a_run_that_looks_back_is_refused(story: Story) -> None:
    story.run("a")
    with pytest.raises(RunConflictError, match="before the last run"):
        story.hub.apply_run("late", date(2025, 1, 1), "model-1", clusters("a b"))


def test_a_run_id_is_used_once(story: Story) -> None:
    story.hub.apply_run("r", AS_AT, "model-1", clusters("a"))
    with pytest.raises(RunConflictError, match="run r was applied before"):
        story.hub.apply_run("r", AS_AT, "model-1", clusters("a b"))


def test_an_identifier_is_never_issued_twice(hub_url: str) -> None:
    with Hub.open(hub_url, seeded_ids(1)) as hub:
        hub.apply_run("r1", AS_AT, "model-1", clusters("a | b"))
        before = hub.membership()["child_id"].to_pylist()
    # The same source of identifiers again, as after a restart that forgot where it was.
    with Hub.open(hub_url, seeded_ids(1)) as hub:
        hub.apply_run("r2", AS_AT, "model-1", clusters("a | b | c | d"))
        assert hub.membership()["child_id"].to_pylist()[:2] == before
        assert len(set(hub.membership()["child_id"].to_pylist())) == 4


def test_a_source_that_only_repeats_itself_is_found_out(hub_url: str) -> None:
    constant = seeded_ids()()
    with Hub.open(hub_url, lambda: constant) as hub, pytest.raises(HubError, match="issued before"):
        hub.apply_run("r1", AS_AT, "model-1", clusters("a | b"))


def test_resolving_reads_what_people_write_and_refuses_the_rest(story: Story) -> None:
    story.run("a")
    child = story.ids()["a"]
    assert story.hub.resolve(f"{child[:4]}-{child[4:]}".lower()) == child
    with pytest.raises(InvalidIdentifierError):
        story.hub.resolve("hello")
    with pytest.raises(UnknownIdentifierError):
        story.hub.resolve(seeded_ids(7)())
    with pytest.raises(UnknownIdentifierError):
        story.hub.history(seeded_ids(7)())


def test_the_export_lists_every_record_once_in_order(story: Story, tmp_path: Path) -> None:
    story.run("b | a c")
    export(story.hub, tmp_path / "ids.csv")
    with (tmp_path / "ids.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["record_key", "child_id"]
    assert rows == [[r, story.ids()[r]] for r in ("a", "b", "c")]
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith("ids")] == ["ids.csv"]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (clusters("a").rename_columns(["record_id", "id"]), "cluster_id is missing"),
        (clusters("a | a"), "more than once"),
    ],
)
def test_tables_that_break_their_contract_are_refused(
    story: Story, table: object, words: str
) -> None:
    with pytest.raises(InvalidInputError, match=words):
        story.hub.apply_run("r", AS_AT, "model-1", table)


def test_an_empty_run_is_no_error(story: Story) -> None:
    summary = story.run("")
    assert (summary.records, summary.children) == (0, 0)
    assert story.hub.membership().num_rows == 0
