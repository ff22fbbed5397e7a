"""Comparisons of groups and the monitor of links, on counts that can be worked out by hand."""

from __future__ import annotations

import pytest

from ffp_data.programme.groups import Comparison, Group, compare, monitor
from ffp_data.programme.tables import programme

RULES = programme().compared
LINKED = programme().linked
COUNTS = {
    ("child in need", "White"): 10, ("no service", "White"): 385, ("turned 18", "White"): 5, ("closed", "White"): 5,
    ("child in need", "Black"): 12, ("no service", "Black"): 88, ("no service", "Other"): 6,
    ("looked after", "White"): 2, ("looked after", "Black"): 1, ("no service", "not known"): 50,
}  # fmt: skip


def found(
    counts: dict[tuple[str, str], int], **population: int
) -> dict[tuple[str, str], Comparison]:
    made = compare("ethnicity", counts, population or None, RULES)
    return {(each.level, each.group): each for each in made}


def test_a_group_is_compared_with_all_others_that_are_known_and_who_turned_18_is_in_no_denominator() -> (
    None
):
    black = found(COUNTS)["child in need", "Black"]
    assert (black.cases, black.children) == (12, 101)
    assert black.ratio is not None
    # others: 10 of 402 White and 6 Other; the 5 who turned 18 and the 50 of no known group are not among them
    assert black.ratio.value == pytest.approx((12 / 101) / (10 / 408))
    assert black.words == "more often than others"
    assert black.per_10_000 == pytest.approx(1188.1, abs=0.1)


def test_few_children_few_cases_and_little_knowledge_are_said_and_not_compared() -> None:
    told = found(COUNTS)
    assert told["child in need", "Other"].words == "not compared: fewer than 20 children"
    assert told["looked after", "Black"].words == "not compared: fewer than 5 at this level"
    little = found({**COUNTS, ("no service", "not known"): 600})["child in need", "Black"]
    assert little.ratio is None
    assert little.words == "not compared: known of 46% of children only"


def test_a_population_table_takes_the_place_of_the_children_whom_the_hub_knows() -> None:
    black = found(COUNTS, White=9000, Black=1000)["child in need", "Black"]
    assert black.children == 1000
    assert black.ratio is not None
    assert black.ratio.value == pytest.approx((12 / 1000) / (10 / 9000))
    wrong = found(COUNTS, White=9000, Black=11, Other=50)["child in need", "Black"]
    assert wrong.ratio is None


def group(name: str, records: int, linked: int, by: str = "ethnicity") -> Group:
    return Group(
        by, name, records, {"linked": linked, "weakly linked": 0, "parted by reviewers": 0}
    )


def test_the_monitor_warns_of_a_group_whose_records_are_linked_less_and_of_no_other() -> None:
    groups = [
        group("White", 1000, 950),
        group("Black", 200, 160),
        group("Asian", 300, 283),
        group("Mixed", 5, 0),
    ]
    told = {(each.group, each.measure): each for each in monitor(groups, LINKED)}
    assert [key for key, each in told.items() if each.is_warned] == [
        ("White", "linked"),
        ("Black", "linked"),
    ]
    black = told["Black", "linked"]
    assert black.difference is not None
    assert black.difference.value == pytest.approx(160 / 200 - 1233 / 1305)
    assert told["Mixed", "linked"].words == "not compared: fewer than 30 records"


def test_feeds_tell_of_different_children_which_is_no_warning() -> None:
    groups = [group("police", 500, 300, "feed"), group("school", 900, 890, "feed")]
    told = next(each for each in monitor(groups, LINKED) if each.measure == "linked")
    assert not told.is_warned
    assert told.words == "less often than others, as is to be expected"


def test_records_of_no_known_group_are_shown_and_not_compared() -> None:
    told = list(monitor([group("White", 100, 90), group("not known", 100, 10)], LINKED))
    assert [each.words for each in told if each.group == "not known"] == ["group not known"] * 3
    assert all(each.difference is None for each in told)
