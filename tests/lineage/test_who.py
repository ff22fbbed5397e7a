"""Could see against did see: by lineage, and against the lock that was in force."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from ffp_data.lineage.columns import UnknownColumnError, packaged
from ffp_data.lineage.who import Who
from governance.access import load_roles
from governance.policy import DEMO_DIRECTORY, Lock, compile_policy, load

NORTH = "fenmarch-family-help-north"


@pytest.fixture(scope="module")
def lock() -> Lock:
    return compile_policy(load(DEMO_DIRECTORY), date(2026, 3, 31))


@pytest.fixture(scope="module")
def who(lock: Lock) -> Who:
    return Who(packaged(), lock, load_roles(), lambda digest: None)


def released(lock: Lock, *columns: tuple[str, str, str]) -> Mapping[str, Any]:
    listed = [{"relation": r, "name": n, "transform": t, "category": "x"} for r, n, t in columns]
    facts = {"recipient": NORTH, "purpose": "single_view.family_help", "policy": lock.sha256}
    return {
        "kind": "released",
        "at": "2026-04-01T10:00:00Z",
        "facts": {**facts, "agreement": "DSA-FHN-01@1", "columns": listed},
    }


@pytest.mark.control("F01")
def test_a_column_of_a_feed_leads_to_every_recipient_of_what_was_made_of_it(who: Who) -> None:
    could = who.ask("early_help.persons.postcode", []).could
    assert any(
        e.who == NORTH and e.column.endswith(".postcode") and e.way == "direct" for e in could
    )
    assert any(e.who == NORTH and e.way == "indirect" for e in could)
    assert any(e.who == "role practitioner" and e.agreement == "right place" for e in could)


@pytest.mark.control("F06")
def test_what_left_under_a_grant_is_done_and_nothing_is_beyond(who: Who, lock: Lock) -> None:
    event = released(lock, ("single_view.children", "postcode", "clear"))
    answer = who.ask("single_view.children.postcode", [event, event])
    assert [(each.who, each.times) for each in answer.did] == [(NORTH, 2)]
    assert answer.beyond == []


@pytest.mark.control("F06")
@pytest.mark.parametrize(
    ("column", "transform"), [("ethnicity_code", "clear"), ("address_line", "clear")]
)
def test_what_left_without_a_grant_is_beyond(
    who: Who, lock: Lock, column: str, transform: str
) -> None:
    event = released(lock, ("single_view.children", column, transform))
    answer = who.ask(f"single_view.children.{column}", [event])
    assert [each.column for each in answer.beyond] == [f"single_view.children.{column}"]


@pytest.mark.control("F06")
def test_a_pseudonym_that_left_in_clear_is_beyond(who: Who, lock: Lock) -> None:
    masked = released(lock, ("single_view.children", "child_id_pseudonym", "pseudonymised"))
    clear = released(lock, ("single_view.children", "child_id", "clear"))
    assert who.ask("single_view.children.child_id", [masked]).beyond == []
    assert len(who.ask("single_view.children.child_id", [clear]).beyond) == 1


@pytest.mark.parametrize("column", ["early_help.persons.nonsense", "single_view.children.x", "x"])
def test_a_column_that_nobody_has_is_an_error(who: Who, column: str) -> None:
    with pytest.raises(UnknownColumnError):
        who.ask(column, [])
