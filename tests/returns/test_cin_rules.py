"""Every CIN rule finds what breaks it, and nothing at its edge (cases in cin_cases.yaml)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import duckdb
import pytest

from ffp_data.returns import cin
from ffp_data.returns.checks import prepared, validate_tables
from ffp_data.returns.findings import Finding
from tests.returns.cin_returns import CASES, YEAR, add_children, empty_return

RETURN_LEVEL = frozenset(CASES["returns"])


def validate(con: duckdb.DuckDBPyConnection) -> list[Finding]:
    return validate_tables(con, cin.rule_book(YEAR), CASES["reference_date"], "returns")


def cases(kind: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for rule, both in CASES[kind].items():
        for side in ("breaks", "holds"):
            for number, case in enumerate(both[side], 1):
                yield (
                    f"{rule}-{side}-{number}",
                    rule,
                    case | {"expected": _expected(rule, side, case)},
                )


def _expected(rule: str, side: str, case: Mapping[str, Any]) -> set[str]:
    own = {rule} if side == "breaks" else set()
    return own | {str(code) for code in case.get("also", ())}


CHILD_CASES = list(cases("cases"))
RETURN_CASES = list(cases("returns"))


@pytest.fixture(scope="module")
def found_in_child() -> dict[str, set[str]]:
    """All child cases as the children of one return, validated once: LAchildID to rules."""
    con = duckdb.connect()
    empty_return(con)
    add_children(con, (case for _, _, case in CHILD_CASES))
    keys = dict(
        con.execute(
            "SELECT coalesce(nullif(trim(la_child_id), ''), '#' || child_key), child_key "
            "FROM returns.cin_children"
        ).fetchall()
    )
    assert len(keys) == len(CHILD_CASES)
    found: dict[str, set[str]] = {key: set() for key in keys.values()}
    for finding in validate(con):
        if finding.child is not None:
            found[keys[finding.child]].add(finding.rule)
    return found


@pytest.mark.parametrize(
    ("number", "case"),
    [pytest.param(n, case, id=name) for n, (name, _, case) in enumerate(CHILD_CASES, 1)],
)
def test_a_child_breaks_exactly_the_rules_that_its_case_names(
    number: int, case: Mapping[str, Any], found_in_child: dict[str, set[str]]
) -> None:
    assert found_in_child[str(number)] == case["expected"]


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, _, case in RETURN_CASES])
def test_a_return_breaks_exactly_the_rules_that_its_case_names(case: Mapping[str, Any]) -> None:
    con = duckdb.connect()
    empty_return(con)
    children = [child for child in case["children"] for _ in range(child.get("times", 1))]
    add_children(con, children)
    if "header" in case:
        header = case["header"]
        con.execute(
            "INSERT INTO returns.cin_header (year, reference_date) VALUES (?, ?)",
            [header["year"], header["reference_date"]],
        )
    assert {f.rule for f in validate(con)} == case["expected"]


def test_every_rule_has_a_case_that_breaks_it_and_one_at_its_edge() -> None:
    both = CASES["cases"] | CASES["returns"]
    assert sorted(both) == sorted(rule.rule for rule in cin.rule_book(YEAR).rules)
    assert all(both[rule]["breaks"] and both[rule]["holds"] for rule in both)


def test_there_are_109_rules_and_a_code_that_ends_in_q_is_a_query() -> None:
    rules = cin.rule_book(YEAR).rules
    assert len(rules) == 109
    assert all((rule.severity == "query") == rule.rule.endswith("Q") for rule in rules)


def test_the_base_child_alone_breaks_no_rule() -> None:
    con = duckdb.connect()
    empty_return(con)
    add_children(con, [{}])
    assert validate(con) == []


TURNS = (
    (re.compile(r"(?<![<>])<(?![=>])"), "<="),
    (re.compile(r"<="), "<"),
    (re.compile(r"(?<![<>-])>(?!=)"), ">="),
    (re.compile(r">="), ">"),
    (re.compile(r"\bBETWEEN\b"), "NOT BETWEEN"),
    (re.compile(r"\bIS NULL\b"), "IS NOT NULL"),
    (re.compile(r"\bIS NOT NULL\b"), "IS NULL"),
    (re.compile(r"\bNOT in_census\b"), "in_census"),
)
NUMBER = re.compile(r"(?<!['\w\[-])\d+(?!['\w\]-])")  # not those in a code or in [0-9]


def turned(sql: str) -> Iterator[str]:
    """The rule with one comparison inverted or off by one, for each that it has."""
    for pattern, other in TURNS:
        for found in pattern.finditer(sql):
            yield sql[: found.start()] + other + sql[found.end() :]
    for found in NUMBER.finditer(sql):
        for number in (int(found[0]) - 1, int(found[0]) + 1):
            yield f"{sql[: found.start()]}{number}{sql[found.end() :]}"


def test_no_rule_could_be_inverted_or_off_by_one_without_a_case_that_tells() -> None:
    con = duckdb.connect()
    empty_return(con)
    add_children(con, (case for _, _, case in CHILD_CASES))
    book = cin.rule_book(YEAR)

    def breaches(sql: str) -> list[str] | None:
        try:
            return sorted(str(row[0]) for row in con.execute(sql).fetchall())
        except (duckdb.ConversionException, duckdb.OutOfRangeException):
            return None  # such as the 32nd of August

    with prepared(con, book, CASES["reference_date"], "returns"):
        unnoticed = [
            (rule.rule, other)
            for rule in book.rules
            if rule.rule in CASES["cases"]
            for other in turned(rule.sql)
            if breaches(other) == breaches(rule.sql)
        ]
    assert unnoticed == []
