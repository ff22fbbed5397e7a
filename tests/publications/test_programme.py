"""Every programme table that everybody may read: counted by hand, and attacked with all others and a quarter before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
import yaml

from ffp_data.home.release_zone import ZONE
from ffp_data.programme.figures import tables
from ffp_data.programme.population import OF_HUB, Population
from ffp_data.programme.profile import read_profile
from ffp_data.programme.tables import programme
from ffp_data.publications import programme as publication
from ffp_data.publications.counting import Counting
from ffp_data.publications.published import _protect_each
from governance.disclosure_control import Published, Rules, Table
from governance.disclosure_control.attack import attack, recovered
from governance.policy.model import DEMO_DIRECTORY

TERMS = next(
    entry
    for entry in yaml.safe_load((DEMO_DIRECTORY / "suppression.yaml").read_text("utf-8"))[
        "suppression"
    ]
    if entry["id"] == "programme"
)
RULES = Rules.of(TERMS)
ROOMS = """
CREATE SCHEMA programme; CREATE SCHEMA identity; CREATE SCHEMA rights; CREATE SCHEMA single_view;
CREATE TABLE rights.withheld_children (child_id VARCHAR, purpose VARCHAR, recipient VARCHAR);
CREATE TABLE identity.shielded (child_id VARCHAR);
CREATE TABLE identity.child_membership (record_key VARCHAR, child_id VARCHAR);
CREATE TABLE identity.person_records (record_key VARCHAR, is_restricted BOOLEAN);
CREATE TABLE single_view.children (child_id VARCHAR, is_restricted BOOLEAN);
"""
CODES = programme().codes


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as made:
        made.execute(ROOMS)
        yield made


def fill(
    con: duckdb.DuckDBPyConnection, people: list[tuple[Any, ...]], told: list[tuple[Any, ...]]
) -> None:
    population = ("child_id", "age", "sex", "ethnicity", "disability", "district")
    occurrences = ("measure", "child_id", "code", "other_code", "events")
    for name, columns, rows in (
        ("population", population, people),
        ("occurrences", occurrences, told),
    ):
        table = pa.Table.from_pylist([dict(zip(columns, row, strict=True)) for row in rows])
        con.register("rows_in", table)
        con.execute(f"CREATE OR REPLACE TABLE programme.{name} AS SELECT * FROM rows_in")
        con.unregister("rows_in")


def counting(con: duckdb.DuckDBPyConnection, day: date = date(2026, 3, 31)) -> Counting:
    who = ("statistics", "statistics.publication")
    return Counting(con, ZONE.rights, *who, day, date(2025, 4, 1), TERMS, 1)


def child(n: int, district: str | None = "XF1", age: str = "5 to 9") -> tuple[Any, ...]:
    return (f"C{n}", age, "female", "White", "not known", district)


def of(made: list[Table], name: str) -> Table:
    return next(each for each in made if each.frame.name == f"statistics.programme_{name}")


def test_a_child_counts_once_in_all_and_under_each_need_and_events_as_often_as_they_were(
    con: duckdb.DuckDBPyConnection,
) -> None:
    move = [("move 2026-03-31", f"C{n}", "no service", "child in need", 1) for n in range(4)]
    fill(con, [child(0), child(1, None), child(2, "XF6"), child(3)], [
        ("need", "C0", "neglect", None, 1), ("need", "C0", "domestic abuse", None, 1),
        ("need", "C1", "neglect", None, 1), ("need", "C2", "neglect", None, 1), ("need", "C3", "neglect", None, 1),
        ("harm", "C0", "missing (police)", None, 7), ("harm", "C1", "missing (police)", None, 2), *move,
    ])  # fmt: skip
    con.execute("INSERT INTO identity.shielded VALUES ('C2')")
    con.execute("INSERT INTO rights.withheld_children VALUES ('C3', 'statistics', NULL)")
    made = publication.tables(counting(con))
    areas = of(made, "needs_by_area").counts
    assert areas["all", "all"] == 3  # not four needs, and without the child who is kept out
    assert (areas["neglect", "all"], areas["domestic abuse", "all"]) == (3, 1)
    assert (areas["neglect", "North"], areas["neglect", "East"]) == (
        1,
        0,
    )  # a shielded child has no area
    assert areas["neglect", "elsewhere or not known"] == 2
    harms = of(made, "harms")
    assert harms.counts["missing (police)", "5 to 9"] == 9
    assert harms.people["missing (police)", "5 to 9"] == (2, 7)
    moves = of(made, "moves")
    assert [each.name for each in moves.frame.dimensions] == [
        "level on 2025-12-31",
        "level on 2026-03-31",
    ]
    assert moves.counts["no service", "child in need"] == 3


def crowd(seed: int, grown: int = 0) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """A made-up partnership of few and uneven cells; `grown` adds what happened in a further quarter."""
    random = np.random.default_rng(seed)
    districts = [d for each in TERMS["areas"].values() for d in each] + [None]

    def pick(codes: Any) -> Any:
        weights = np.arange(len(codes), 0, -1) ** 2.0
        return codes[random.choice(len(codes), p=weights / weights.sum())]

    people = [
        (
            f"C{n}",
            *(pick(CODES[each]) for each in ("age", "sex", "ethnicity", "disability")),
            pick(districts),
        )
        for n in range(350)
    ]
    told: list[tuple[Any, ...]] = []
    for n in range(350):
        began, ended = pick(CODES["level"]), pick(CODES["level"])
        told += [("move 2026-03-31", f"C{n}", began, ended, 1), ("level", f"C{n}", ended, None, 1)]
    for measure, codes, often in (
        ("need", "need", 120),
        ("referral", "reason", 90),
        ("harm", "harm", 140),
    ):
        found: dict[tuple[str, str], int] = {}
        for _ in range(often + grown):
            key = (f"C{random.integers(0, 350)}", pick(CODES[codes]))
            found[key] = 1 if measure == "need" else found.get(key, 0) + 1
        told += [(measure, who, code, None, events) for (who, code), events in found.items()]
    for n in range(25):
        told.append(("return home", f"C{n}", pick(CODES["outcome"]), pick(CODES["left_care"]), 1))
    return people, told


def found(made: list[Published]) -> dict[Any, Any]:
    """What an attacker narrows down; tables of one thing are one riddle."""
    things: dict[str, list[Published]] = {}
    for table in made:
        things.setdefault(table.frame.counted, []).append(table)
    return {
        k: v for each in things.values() for k, v in recovered(attack(each), RULES.width).items()
    }


def protected(con: duckdb.DuckDBPyConnection, former: list[Published]) -> list[Published]:
    made = _protect_each(publication.tables(counting(con)), RULES, former)
    assert made.secondary <= 0.15 * made.primary
    return list(made.tables)


def test_an_attacker_finds_no_hidden_cell_of_any_table(con: duckdb.DuckDBPyConnection) -> None:
    fill(con, *crowd(1))
    made = protected(con, [])
    assert {table.frame.name for table in made} == set(publication.relations())
    assert any(count is None for table in made for count in table.cells.values())
    assert found(made) == {}


def since_april(what: Counting) -> list[Table]:
    return [table for table in publication.tables(what) if table.frame.since]


def test_a_quarter_later_an_attacker_finds_none_in_both(con: duckdb.DuckDBPyConnection) -> None:
    people, told = crowd(3)
    fill(con, people, told)
    day = date(2025, 12, 31)
    before = list(_protect_each(since_april(counting(con, day)), RULES, []).tables)
    more = [("harm", f"C{n}", "missing (police)", None, 1) for n in range(3)]
    kept = {(m, who, code) for m, who, code, *_ in told}
    needs = [
        ("need", f"C{n}", "neglect", None, 1)
        for n in range(5)
        if ("need", f"C{n}", "neglect") not in kept
    ]
    fill(con, people, [*told, *more, *needs])
    after = list(_protect_each(since_april(counting(con)), RULES, before).tables)
    assert found([*before, *after]) == {}


def test_the_profile_has_the_counts_of_the_marts_and_a_population_table_with_its_source(
    con: duckdb.DuckDBPyConnection,
) -> None:
    people, told = crowd(4)
    fill(con, people, told)
    con.execute(
        "CREATE TABLE programme.linked_records AS SELECT 'r' AS record_key, child_id, 'police' AS feed, age, ethnicity,"
        " true AS is_linked, false AS is_weakly_linked, false AS is_parted FROM programme.population"
    )
    lives_here = Population(
        source="a table of this test",
        as_at=date(2025, 6, 30),
        children={"sex": {"female": 4000, "male": 4100}},
    )
    for name, table in tables(con, TERMS["areas"], lives_here).items():
        con.register(name, table)

    def ask(sql: str, _: object) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = con.execute(sql).to_arrow_table().to_pylist()
        return found

    profile = read_profile(ask, "2026-03-31")
    moves = profile.table("moves")
    assert (
        moves.number("all", "all")
        == 350
        == sum(moves.number(r, c) for r in moves.rows for c in moves.columns)
    )
    needs = profile.table("needs_by_age")
    assert needs.number("all", "all") == len(
        {who for measure, who, *_ in told if measure == "need"}
    )
    harms = profile.table("harms")
    assert harms.number("all", "all") == sum(row[4] for row in told if row[0] == "harm")
    assert {c.children for c in profile.comparisons if c.group == "female"} == {4000}
    assert (
        profile.denominators["sex"] == "children who live here (a table of this test, 2025-06-30)"
    )
    assert profile.denominators["ethnicity"] == OF_HUB
    json.dumps(
        profile.told(), allow_nan=False
    )  # a ratio against none has no end, and JSON no infinity
