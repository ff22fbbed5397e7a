"""What is due goes on its day, by the rule that keeps longest; what is held stays; a surprise stops and asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.rights import hold, retention
from ffp_data.rights.orders import Kind, Orders, Said
from ffp_data.rights.retention import SOURCE_GONE, OverLimitError, Person, Rule, add_years, plan
from ffp_data.warehouse import connect
from tests.rights.small import ids

pytestmark = pytest.mark.control("C06")
WHY = Said("s.siro", "notice")
BORN, SEEN = date(2005, 2, 28), date(2020, 6, 1)

_BUILT = """
CREATE SCHEMA IF NOT EXISTS staging;
CREATE OR REPLACE TABLE staging.stg_case_system__care_episodes (record_key VARCHAR);
CREATE OR REPLACE TABLE staging.stg_case_system__protection_plans (record_key VARCHAR);
CREATE OR REPLACE TABLE staging.stg_case_system__referrals
    (record_key VARCHAR, is_no_further_action BOOLEAN, closure_date DATE, closure_reason_code VARCHAR);
CREATE OR REPLACE TABLE staging.stg_early_help__episodes (record_key VARCHAR);
CREATE OR REPLACE TABLE staging.stg_case_system__early_help_episodes (record_key VARCHAR);
CREATE OR REPLACE TABLE staging.stg_case_system__persons (record_key VARCHAR, death_date DATE);
CREATE SCHEMA IF NOT EXISTS intermediate;
CREATE OR REPLACE TABLE intermediate.int_matching__adopted (child_id VARCHAR);
CREATE OR REPLACE TABLE intermediate.int_persons__open_work (child_id VARCHAR);
CREATE OR REPLACE TABLE intermediate.int_families__members (child_id VARCHAR, related_child_id VARCHAR);
CREATE OR REPLACE TABLE intermediate.int_persons__survivors AS
SELECT child_id, date_of_birth, NULL::DATE AS expected_birth_date FROM single_view.children;
CREATE OR REPLACE TABLE single_view.chronology AS
SELECT child_id, DATE '2020-06-01' AS event_date FROM single_view.children;
CREATE OR REPLACE TABLE identity.children AS SELECT child_id, 'child' AS kind FROM single_view.children;
"""


@pytest.fixture
def built(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Ann was a child in need, Bob in care; Cat is known to an agency alone. All were last sent in June 2020."""
    own = ids(run)
    with connect(run.home) as con:
        con.execute(_BUILT)
        con.execute("UPDATE intermediate.int_persons__survivors SET date_of_birth = ?", [BORN])
        con.execute(
            "INSERT INTO staging.stg_case_system__referrals VALUES ('case_system|x|ann', false, NULL, NULL)"
        )
        con.execute(
            "INSERT INTO staging.stg_case_system__care_episodes VALUES ('case_system|x|bob')"
        )
    assert own

    def ends(*_: object) -> Mapping[str, tuple[date, date]]:
        return SENT

    monkeypatch.setattr(retention, "_ends", ends)
    return run


SENT = {
    f"case_system|x|{name}": (SEEN, SEEN + timedelta(days=365))
    for name in ("ann", "ann2", "bob", "cat")
}


def due(run: Run, day: str) -> dict[str, str]:
    """Name -> class of whoever is due."""
    names = {child: name for name, child in ids(run).items() if name != "ann2"}
    return {names[each.child_id]: each.rule for each in plan(run, date.fromisoformat(day)).due}


def test_a_copy_never_outlives_its_source_whatever_the_class_says(built: Run) -> None:
    assert due(built, "2021-05-31") == {}
    assert due(built, "2021-06-01") == dict.fromkeys(("ann", "bob", "cat"), SOURCE_GONE)


def test_whom_an_agency_still_sends_is_told_of_and_stays(
    built: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    still = {key: (SEEN, date(2090, 1, 1)) for key in SENT}
    monkeypatch.setattr(retention, "_ends", lambda *_: still)
    assert due(built, "2022-05-31") == {}
    assert due(built, "2022-06-01") == {"cat": "never_open"}
    assert due(built, "2023-06-01") == {"ann": "child_in_need", "cat": "never_open"}
    assert due(built, "2080-02-27") == {"ann": "child_in_need", "cat": "never_open"}
    assert due(built, "2080-02-28")["bob"] == "looked_after"
    found = plan(built, date(2080, 2, 28))
    assert found.free == []
    assert {row["still sent"] for row in found.rows() if row["class"] == "looked_after"} == {1}


def test_nobody_is_due_with_whom_a_service_works(
    built: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_ends", lambda *_: {k: (SEEN, date(2090, 1, 1)) for k in SENT})
    with connect(built.home) as con:
        con.execute(
            "INSERT INTO intermediate.int_persons__open_work VALUES (?)", [ids(built)["cat"]]
        )
    assert due(built, "2023-06-01") == {"ann": "child_in_need"}


def test_a_report_tells_the_rule_in_words_and_whether_it_is_evidenced(built: Run) -> None:
    rows = {row["class"]: row for row in plan(built, date(2021, 6, 1)).rows()}
    assert (
        rows["looked_after"]["rule"]
        == "75 years from birth; 15 years from death before the age of 18"
    )
    assert rows["looked_after"]["basis"] == "evidenced"
    assert "regulation 50" in rows["looked_after"]["source"]
    assert rows["child_in_need"]["basis"] == "local_choice"
    assert rows[SOURCE_GONE]["people"] == 3
    assert rows[SOURCE_GONE]["records"] == 4


@pytest.mark.control("C07")
def test_what_is_held_is_told_apart_and_not_among_what_goes(built: Run, orders: Orders) -> None:
    scopes = {
        ids(built)["ann"]: {"bob", "cat"},
        "looked_after": {"ann", "cat"},
        "case_system": set(),
    }
    names = {child: name for name, child in ids(built).items() if name != "ann2"}
    for what, left in scopes.items():
        number = hold.add(
            orders, what, WHY, authority="the inquiry", review=date(2020, 1, 1),
            feeds=built.contracts, classes=retention.classes(built.home),
        )  # fmt: skip
        found = plan(built, date(2021, 6, 1))
        assert {names[each.child_id] for each in found.free} == left
        assert sum(row["held"] for row in found.rows()) == 3 - len(left)
        orders.lift(number, [Kind.HOLD], WHY)


def test_more_than_the_limit_stops_and_asks_and_nothing_has_changed(built: Run) -> None:
    found = plan(built, date(2021, 6, 1))
    with pytest.raises(OverLimitError, match="--allow-share"):
        retention.apply(built, found, "d.officer", "s.siro")
    assert set(ids(built)) == {"ann", "ann2", "bob", "cat"}
    (event,) = [e["facts"] for e in built.ledger.events() if e["kind"] == "retention_stopped"]
    assert event["due"] == {SOURCE_GONE: 3}


@pytest.mark.slow  # a whole erasure
def test_applying_erases_what_is_due_and_leaves_the_others(built: Run, orders: Orders) -> None:
    hold.add(
        orders, ids(built)["bob"], WHY, authority="the inquiry", review=date(2030, 1, 1),
        feeds=built.contracts, classes=(),
    )  # fmt: skip
    before = ids(built)
    done = retention.apply(
        built, plan(built, date(2021, 6, 1)), "d.officer", "s.siro", allow_share=True
    )
    assert done is not None
    assert ids(built) == {"bob": before["bob"]}
    assert orders.subjects.known(before.values()).keys() == {before["bob"]}
    assert built.ledger.verify() == []
    facts = {e["kind"]: e["facts"] for e in built.ledger.events()}
    assert facts["retention_applied"]["due"] == {SOURCE_GONE: 2}
    assert facts["retention_applied"]["held"] == 1
    assert facts["erased"]["people"] == 2
    assert not any(child in str(facts) for child in before.values())


@pytest.mark.slow  # a whole erasure
def test_single_records_go_when_their_source_is_gone_and_the_child_stays(
    built: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    still = {**SENT, "case_system|x|ann": (SEEN, date(2090, 1, 1))}
    monkeypatch.setattr(retention, "_ends", lambda *_: still)
    before = ids(built)
    found = plan(built, date(2021, 6, 1))
    found = replace(found, due=tuple(d for d in found.due if d.child_id == before["ann"]))
    assert [(d.records, d.is_whole) for d in found.due] == [(("case_system|x|ann2",), False)]
    assert retention.apply(built, found, "d.officer", "s.siro") is not None
    assert ids(built) == {name: child for name, child in before.items() if name != "ann2"}


def person(**others: Any) -> Person:
    about: dict[str, Any] = {
        "child_id": "c", "kind": "child", "classes": (), "birth": BORN, "death": None, "adoption": None,
        "last_contact": SEEN, "is_open": False, "children": (),
    }  # fmt: skip
    return Person(**{**about, **others})


def test_after_a_death_before_eighteen_other_years_count(built: Run) -> None:
    rule = retention.rules(policy.grants(built))["looked_after"]
    assert rule.due(person()) == date(2080, 2, 28)
    assert rule.due(person(death=date(2015, 3, 1))) == date(2030, 3, 1)
    assert rule.due(person(death=date(2023, 3, 1))) == date(2080, 2, 28), "died at eighteen"
    assert rule.due(person(birth=None)) is None


@given(st.dates(date(1950, 1, 1), date(2026, 1, 1)), st.integers(0, 100), st.integers(0, 100))
def test_the_latest_of_several_days_decides(day: date, first: int, second: int) -> None:
    rule = Rule("r", "r", ((first, "birth"), (second, "last_contact")), None, "local_choice", "s")
    found = rule.due(person(birth=day, last_contact=day))
    assert found == add_years(day, max(first, second))
    assert (found.month, found.day) in {(day.month, day.day), (3, 1)}
