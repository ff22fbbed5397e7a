"""Counts are published so that an attacker with every margin, linked table and former release finds nobody."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance import disclosure_control
from governance.disclosure_control import (
    Dimension,
    Frame,
    Published,
    Rules,
    Table,
    share,
)
from governance.disclosure_control.attack import ContradictionError, attack, recovered
from governance.disclosure_control.protect import Protected, protect
from governance.disclosure_control.rounding import left_open
from governance.disclosure_control.rounding import rounded as rounded_to
from governance.disclosure_control.system import DifferentCountsError

RULES = Rules("test")
DAY, NEXT = "2026-03-31", "2026-06-30"
DISTRICTS = Dimension(
    "district",
    {"all": None, "north": "all", "south": "all"}
    | {f"n{i}": "north" for i in range(3)}
    | {f"s{i}": "south" for i in range(3)},
)


def crossed(
    counts: Sequence[Sequence[int]], name: str = "a by b", names: str = "ab", **frame: object
) -> Table:
    """A table of rows by columns, with its margins."""
    down = Dimension.flat(names[0], *(f"{names[0]}{i}" for i in range(len(counts))))
    across = Dimension.flat(names[1], *(f"{names[1]}{i}" for i in range(len(counts[0]))))
    made = Frame(name, "children", DAY, (down, across))
    leaves = {
        (f"{names[0]}{i}", f"{names[1]}{j}"): count
        for i, row in enumerate(counts)
        for j, count in enumerate(row)
    }
    return Table.summed(replace(made, **frame), leaves)  # type: ignore[arg-type]


def found(
    protected: Protected, *former: Published, rules: Rules = RULES, whole: bool = False
) -> dict[object, object]:
    return dict(recovered(attack([*former, *protected.tables], whole=whole), rules.width))


def hidden(published: Published) -> set[tuple[str, ...]]:
    return {key for key, count in published.cells.items() if count is None}


SMALL = st.one_of(st.integers(0, 6), st.integers(0, 30))


@st.composite
def grids(draw: st.DrawFn) -> list[list[int]]:
    rows, columns = draw(st.integers(2, 4)), draw(st.integers(2, 4))
    return [[draw(SMALL) for _ in range(columns)] for _ in range(rows)]


@pytest.mark.control("E01")
@settings(max_examples=15, deadline=None)
@given(counts=grids())
def test_no_hidden_count_of_a_table_with_margins_is_found(counts: list[list[int]]) -> None:
    table = crossed(counts)
    protected = protect([table], RULES)
    assert found(protected) == {}
    for key, count in table.counts.items():
        seen = protected.tables[0].cells[key]
        assert seen in (None, count)
        assert not (RULES.is_small(count) and seen is not None)


@pytest.mark.control("E01")
def test_the_plain_rule_alone_is_undone_by_the_same_attacker() -> None:
    """The attacker is one: without the further cells it finds what is hidden."""
    table = crossed([[3, 20, 11], [14, 9, 30], [8, 17, 25]])
    cells = {k: None if RULES.is_small(n) else n for k, n in table.counts.items()}
    ((cell, interval),) = attack([Published(table.frame, cells)]).items()
    assert (interval.low, interval.high) == (3, 3)
    assert found(protect([table], RULES)) == {}
    assert cell not in found(protect([table], RULES))


@pytest.mark.control("E01")
@settings(max_examples=6, deadline=None)
@given(counts=grids())
def test_nor_is_one_found_by_an_attacker_who_knows_that_counts_are_whole(
    counts: list[list[int]],
) -> None:
    assert found(protect([crossed(counts)], RULES), whole=True) == {}


@settings(max_examples=6, deadline=None)
@given(counts=grids())
def test_where_zeros_are_always_shown_a_hidden_count_of_at_least_one_is_not_found(
    counts: list[list[int]],
) -> None:
    rules = replace(RULES, zeros_shown=True, full_cells_hidden=False)
    table = crossed(counts)
    protected = protect([table], rules)
    assert found(protected) == {}
    assert all(
        protected.tables[0].cells[key] == 0 for key, count in table.counts.items() if not count
    )


@settings(max_examples=6, deadline=None)
@given(counts=st.lists(st.lists(SMALL, min_size=2, max_size=2), min_size=6, max_size=6))
def test_totals_of_districts_and_of_all_tell_nothing_of_a_team(counts: list[list[int]]) -> None:
    codes = [code for code in DISTRICTS.parents if code[-1].isdigit()]
    frame = Frame("t", "children", DAY, (DISTRICTS, Dimension.flat("b", "b0", "b1")))
    leaves = {
        (code, f"b{j}"): n
        for code, row in zip(codes, counts, strict=True)
        for j, n in enumerate(row)
    }
    assert found(protect([Table.summed(frame, leaves)], RULES)) == {}


@pytest.mark.control("E02")
@settings(max_examples=6, deadline=None)
@given(
    leaves=st.dictionaries(
        st.tuples(*(st.sampled_from([f"{name}{i}" for i in range(3)]) for name in "abc")),
        st.integers(1, 12),
        min_size=3,
    )
)
def test_tables_that_share_a_margin_hide_it_in_both_and_give_nothing_away_together(
    leaves: dict[tuple[str, str, str], int],
) -> None:
    a, b, c = (Dimension.flat(name, *(f"{name}{i}" for i in range(3))) for name in "abc")
    one = Table.summed(Frame("a by b", "children", DAY, (a, b)), _over(leaves, 0, 1))
    other = Table.summed(Frame("a by c", "children", DAY, (a, c)), _over(leaves, 0, 2))
    protected = protect([one, other], RULES)
    assert found(protected) == {}
    first, second = protected.tables
    for code in a.parents:
        assert first.cells[code, "all"] == second.cells[code, "all"]


def _over(leaves: dict[tuple[str, str, str], int], *at: int) -> dict[tuple[str, ...], int]:
    summed: dict[tuple[str, ...], int] = {}
    for key, count in leaves.items():
        part = tuple(key[n] for n in at)
        summed[part] = summed.get(part, 0) + count
    return summed


def of_services(total: int, social_care: int, school: int) -> Table:
    services = Dimension.flat("service", "social care", "school", overlapping=True)
    frame = Frame("s", "children", DAY, (services,))
    counts = {"all": total, "social care": social_care, "school": school}
    return Table.summed(frame, {(code,): count for code, count in counts.items()})


@pytest.mark.control("E01", "E03")
@pytest.mark.parametrize(("total", "school"), [(300, 297), (300, 295), (40, 39)])
def test_the_few_who_are_not_in_a_service_are_hidden_as_those_in_it_would_be(
    total: int, school: int
) -> None:
    protected = protect([of_services(total, 12, school)], RULES)
    assert hidden(protected.tables[0]) & {("all",), ("school",)}
    assert found(protected) == {}


def test_many_in_and_many_out_of_a_service_are_shown() -> None:
    assert hidden(protect([of_services(300, 60, 200)], RULES).tables[0]) == set()


# Releases one after the other


@pytest.mark.control("E02")
@settings(max_examples=8, deadline=None)
@given(counts=grids(), data=st.data())
def test_a_count_since_april_less_the_last_one_shows_no_few_people(
    counts: list[list[int]], data: st.DataObject
) -> None:
    begun = [[data.draw(st.integers(0, 7)) for _ in row] for row in counts]
    later = [
        [n + m for n, m in zip(*rows, strict=True)] for rows in zip(counts, begun, strict=True)
    ]
    first = protect([crossed(counts, since="2025-04-01")], RULES).tables[0]
    table = crossed(later, since="2025-04-01", as_at=NEXT)
    second = protect([table], RULES, [first])
    assert found(second, first) == {}
    for key, seen in second.tables[0].cells.items():
        before = first.cells[key]
        assert seen is None or before is None or not RULES.is_small(seen - before)


@pytest.mark.control("E02")
def test_without_the_history_the_difference_would_have_shown_one_child() -> None:
    counts, later = [[20, 30], [40, 50]], [[21, 30], [40, 50]]
    first = protect([crossed(counts, since="2025-04-01")], RULES).tables[0]
    table = crossed(later, since="2025-04-01", as_at=NEXT)
    (forgetful,) = protect([table], RULES).tables
    assert forgetful.cells["a0", "b0"] == 21
    (audited,) = protect([table], RULES, [first]).tables
    assert audited.cells["a0", "b0"] is None
    assert found(Protected((audited,), 0, 0, 0), first) == {}


@pytest.mark.control("E02")
def test_two_releases_of_one_day_that_differ_by_a_child_do_not_show_which() -> None:
    first = protect([crossed([[20, 30], [40, 50]])], RULES).tables[0]
    table = crossed([[20, 30], [40, 51]], edition=2)
    (second,) = protect([table], RULES, [first]).tables
    changed = {k for k, n in table.counts.items() if n != first.cells[k]}
    assert changed
    assert all(second.cells[key] is None for key in changed)


def test_what_an_edition_hid_the_next_hides_too() -> None:
    first = protect([crossed([[3, 30], [40, 50]])], RULES).tables[0]
    (second,) = protect([crossed([[6, 30], [40, 50]], edition=2)], RULES, [first]).tables
    assert hidden(first) <= hidden(second)


def test_tables_of_two_quarters_that_do_not_add_up_over_time_are_apart() -> None:
    first = protect([crossed([[20, 30], [40, 50]])], RULES).tables[0]
    (second,) = protect([crossed([[21, 30], [40, 50]], as_at=NEXT)], RULES, [first]).tables
    assert hidden(second) == set()


def test_three_quarters_are_audited_together() -> None:
    counts = np.array([[9, 30, 2], [40, 8, 20]])
    published: list[Published] = []
    for quarter, day in enumerate(("2025-06-30", "2025-09-30", "2025-12-31")):
        more = np.array([[1, 6, 0], [0, 2, 9]]) * quarter
        table = crossed((counts + more).tolist(), since="2025-04-01", as_at=day)
        protected = protect([table], RULES, published)
        published += protected.tables
        assert recovered(attack(published), RULES.width) == {}


# What a count says beside its size


@pytest.mark.control("E03")
def test_all_of_a_group_under_one_sensitive_code_is_hidden() -> None:
    need = Dimension.flat("need", "abuse", "other", sensitive=True)
    frame = Frame("n", "children", DAY, (Dimension.flat("school", "one", "two"), need))
    leaves = {("one", "abuse"): 12, ("one", "other"): 0, ("two", "abuse"): 20, ("two", "other"): 33}
    protected = protect([Table.summed(frame, leaves)], RULES)
    assert protected.tables[0].cells["one", "abuse"] is None
    assert found(protected) == {}


@pytest.mark.control("E03")
def test_a_count_of_events_that_one_child_makes_up_is_hidden() -> None:
    table = crossed([[20, 30], [40, 50]])
    people = {("a0", "b0"): (7, 17), ("a1", "b1"): (3, 20), ("a0", "b1"): (25, 3)}
    protected = protect([replace(table, people=people)], RULES)
    assert {("a0", "b0"), ("a1", "b1")} <= hidden(protected.tables[0])
    assert found(protected) == {}


@pytest.mark.control("E03")
@settings(max_examples=20, deadline=None)
@given(late=st.integers(0, 40), in_time=st.integers(0, 40))
def test_no_count_is_found_from_its_share(late: int, in_time: int) -> None:
    outcome = Dimension.flat("outcome", "in time", "late")
    table = Table.summed(
        Frame("o", "clocks", DAY, (outcome,)), {("in time",): in_time, ("late",): late}
    )
    (published,) = protect([table], RULES).tables
    for part in outcome.parents:
        shown = share(published, (part,), ("all",), RULES)
        of = published.cells[("all",)]
        if published.cells[(part,)] is None:
            assert shown in (RULES.symbol, RULES.not_applicable)
        elif shown not in (RULES.symbol, RULES.not_applicable):
            assert of is not None
            assert round(float(shown) / 100 * of) == published.cells[(part,)]
    if 0 < late <= RULES.hide_to:
        assert share(published, ("late",), ("all",), RULES) == RULES.symbol
        assert share(published, ("in time",), ("all",), RULES) in (
            RULES.symbol,
            RULES.not_applicable,
        )


def test_a_share_of_none_is_not_applicable_and_of_few_is_hidden() -> None:
    shown = Published(
        Frame("o", "clocks", DAY, (Dimension.flat("outcome", "in time"),)),
        {("all",): 0, ("in time",): 0},
    )
    assert share(shown, ("in time",), ("all",), RULES) == "z"
    rules = replace(RULES, smallest_mean=20)
    few = Published(shown.frame, {("all",): 10, ("in time",): 10})
    assert share(few, ("in time",), ("all",), rules) == "c"


@settings(max_examples=5, deadline=None)
@given(counts=grids())
def test_rounded_counts_leave_the_attacker_no_nearer(counts: list[list[int]]) -> None:
    rules = replace(RULES, base=5)
    protected = protect([crossed(counts)], rules)
    assert found(protected, rules=rules) == {}
    assert all(n is None or n % 5 == 0 for n in protected.tables[0].cells.values())


@settings(max_examples=5, deadline=None)
@given(counts=grids())
def test_rounding_hides_no_more_than_exact_counts_must(counts: list[list[int]]) -> None:
    rounded = protect([crossed(counts)], replace(RULES, base=5))
    assert rounded.secondary <= protect([crossed(counts)], RULES).secondary


def test_what_is_left_open_by_a_rounded_count_is_what_the_rules_let_it_be() -> None:
    for count in (0, *range(6, 40)):
        low, high = left_open(rounded_to(count, 5), 5, 6)
        same = [n for n in (0, *range(6, 60)) if rounded_to(n, 5) == rounded_to(count, 5)]
        assert (low, high) == (min(same), max(same))


def test_a_growth_of_few_children_in_a_table_like_this_is_not_told_for_certain_by_rounded_counts() -> (
    None
):
    rules = replace(RULES, base=5)
    for gained in range(1, 6):
        first = crossed([[12, 30, 3], [9, 41, 26]], since="2025-04-01", as_at="2025-12-31")
        later = crossed([[12 + gained, 30, 3], [9, 41, 26]], since="2025-04-01")
        before = protect([first], rules).tables
        now = protect([later], rules, before).tables
        assert recovered(attack([*before, *now]), rules.width) == {}
        key = ("a0", "b0")
        then, after = before[0].cells[key], now[0].cells[key]
        assert then is not None
        assert after is not None
        least, most = left_open(then, 5, 6), left_open(after, 5, 6)
        assert most[1] - least[0] - max(0, most[0] - least[1]) >= 4


# What keeps it honest


@settings(max_examples=5, deadline=None)
@given(counts=grids())
def test_the_same_counts_give_the_same_tables(counts: list[list[int]]) -> None:
    assert protect([crossed(counts)], RULES) == protect([crossed(counts)], RULES)


def test_tables_that_count_one_cell_differently_are_refused() -> None:
    one, other = crossed([[20, 30], [40, 50]]), crossed([[21, 30], [40, 50]], "a by c", "ac")
    with pytest.raises(DifferentCountsError):
        protect([one, other], RULES)


def test_margins_that_do_not_add_up_are_refused() -> None:
    table = crossed([[20, 30], [40, 50]])
    with pytest.raises(DifferentCountsError, match="add up"):
        protect([replace(table, counts={**table.counts, ("all", "all"): 141})], RULES)


def test_the_attacker_says_when_tables_cannot_be_true() -> None:
    table = crossed([[20, 30], [40, 50]])
    cells: dict[tuple[str, ...], int | None] = {
        **table.counts,
        ("a0", "b0"): None,
        ("all", "all"): 9,
    }
    with pytest.raises(ContradictionError):
        attack([Published(table.frame, cells)])


def test_a_table_of_one_small_count_shows_nothing_of_it() -> None:
    protected = protect([crossed([[2, 0], [0, 0]])], RULES)
    assert found(protected) == {}
    assert protected.tables[0].cells["a0", "b0"] is None


def test_the_attacker_imports_nothing_of_the_protector() -> None:
    source = (Path(disclosure_control.__file__).parent / "attack.py").read_text("utf-8")
    imported = {
        node.module for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)
    }
    own = {name for name in imported if name and name.startswith("governance")}
    assert own == {"governance.disclosure_control.table"}
