"""What counts as churn, and what does not."""

from __future__ import annotations

from benchmarks.hub.measures import changes, errors

PERSON_OF = {"a1": "ann", "a2": "ann", "a3": "ann", "b1": "ben", "b2": "ben"}
BOTH = frozenset({"ann", "ben"})


def test_nothing_changes_when_only_new_records_come() -> None:
    found = changes(
        {"a1": "X", "b1": "Y"}, {"a1": "X", "a2": "Z", "a3": "Z", "b1": "Y"}, PERSON_OF, BOTH
    )
    assert (found.known, found.churned, found.moved_wrongly) == (2, frozenset(), 0)


def test_a_new_name_for_the_same_records_is_churn() -> None:
    found = changes({"a1": "X", "b1": "Y"}, {"a1": "Z", "b1": "Y"}, PERSON_OF, BOTH)
    assert found.churned == {"ann"}
    assert found.churn == 0.5


def test_a_child_with_two_identifiers_may_lose_one_of_them() -> None:
    found = changes({"a1": "X", "a2": "Z"}, {"a1": "Z", "a2": "Z"}, PERSON_OF, BOTH)
    assert found.true_merges == {"ann"}
    assert not found.churned


def test_a_child_joined_to_another_who_loses_the_identifier_churns() -> None:
    found = changes({"a1": "X", "b1": "Y"}, {"a1": "Y", "b1": "Y"}, PERSON_OF, BOTH)
    assert found.churned == {"ann"}
    assert found.moved_wrongly == found.taken_for_another == 1


def test_a_child_parted_from_another_who_keeps_the_identifier_is_a_true_split() -> None:
    found = changes({"a1": "X", "b1": "X"}, {"a1": "Z", "b1": "X"}, PERSON_OF, BOTH)
    assert found.true_splits == {"ann"}
    assert not found.churned


def test_when_both_children_of_a_true_split_change_the_one_who_need_not_churns() -> None:
    before = {"a1": "X", "a2": "X", "b1": "X"}
    found = changes(before, {"a1": "Z", "a2": "Z", "b1": "V"}, PERSON_OF, BOTH)
    assert found.churned == {"ann", "ben"}


def test_a_record_lost_to_a_new_identifier_is_moved_wrongly_though_the_child_keeps_its_own() -> (
    None
):
    found = changes(
        {"a1": "X", "a2": "X", "a3": "X"}, {"a1": "X", "a2": "X", "a3": "Z"}, PERSON_OF, BOTH
    )
    assert (found.churned, found.moved_wrongly) == (frozenset(), 1)


def test_adults_do_not_count_as_children() -> None:
    found = changes({"a1": "X", "b1": "Y"}, {"a1": "Z", "b1": "V"}, PERSON_OF, {"ben"})
    assert found.known == 1
    assert found.churned == {"ben"}


def test_wrong_merges_are_pairs_of_persons_and_wrong_splits_children_with_several_identifiers() -> (
    None
):
    found = errors({"a1": "X", "a2": "Z", "b1": "X"}, PERSON_OF, BOTH)
    assert found.merged == {("ann", "ben")}
    assert found.split == {"ann"}
