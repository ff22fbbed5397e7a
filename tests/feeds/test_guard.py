"""A snapshot that would take away too much waits for a person; nothing else waits with it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffp_data import feeds
from ffp_data.feeds import books, replay
from ffp_data.feeds.loading import Terms, load_all
from ffp_data.feeds.snapshots import Guard
from tests.feeds.conftest import CONTRACTS
from tests.feeds.samples import Landing, csv_text, file_name, sample_row
from tests.feeds.test_drop import CASES, PERSON, tables

EDUCATION = CONTRACTS["education_attendance"]
PUPILS = EDUCATION.by_name["pupils"]
DAYS = tuple(f"2026040{day}T030000Z" for day in range(1, 6))
SMALLEST = Guard().min_rows


def school(landing: Landing, numbers: range, day: int, urn: str = "100001", part: int = 1) -> None:
    """A list of one school's pupils, by number."""
    rows = [sample_row(EDUCATION, PUPILS, n, school_urn=urn) for n in numbers]
    name = file_name(PUPILS, DAYS[day]).replace("_001.csv", f"_{urn}_{part:03d}.csv")
    name = name.replace(f"{DAYS[day]}_{urn}", f"{urn}_{DAYS[day]}")
    landing.file(EDUCATION.id, name, csv_text(PUPILS, rows))


def load(landing: Landing) -> list[str]:
    """Statuses in order of time, with the retry of parts that a run makes."""
    new = feeds.discover_feed(landing.folder, EDUCATION, landing.contracts, landing.con)
    results = load_all(landing.con, new, EDUCATION, Terms(known=landing.contracts))
    return [result.status for result in results]


def standing(landing: Landing, urn: str = "100001") -> int:
    query = "SELECT count(*) FROM raw.education_attendance__pupils WHERE starts_with(record_key, ?)"
    key = f"education_attendance|{EDUCATION.hub.system}|{urn}:"
    ((count,),) = landing.con.execute(query, [key]).fetchall()
    return int(count)


def accept(landing: Landing) -> None:
    ((held,),) = landing.query("SELECT delivery_id FROM meta.deliveries WHERE status = 'held'")
    books.accept(landing.con, books.find_entry(landing.con, held[:12]), "A. Person", "looked at")


@given(st.integers(0, 5000), st.integers(0, 5000), st.integers(0, 100), st.integers(1, 50))
def test_a_fall_is_more_than_the_share_of_what_was_there(
    before: int, after: int, percent: int, least: int
) -> None:
    guard = Guard(max_fall=Decimal(percent) / 100, min_rows=least)
    assert guard.trips(before, after) == (
        before >= least and 100 * (before - after) > percent * before
    )


@pytest.mark.control("G02")
@pytest.mark.parametrize(("after", "status"), [(27, "loaded"), (26, "held")])
def test_a_fall_of_more_than_a_tenth_is_held(landing: Landing, after: int, status: str) -> None:
    school(landing, range(30), 0)
    school(landing, range(after), 1)
    assert load(landing) == ["loaded", status]
    assert standing(landing) == (after if status == "loaded" else 30)


def test_a_small_list_guards_nothing(landing: Landing) -> None:
    school(landing, range(SMALLEST - 1), 0)
    school(landing, range(1), 1)
    assert load(landing) == ["loaded", "loaded"]


def test_a_list_that_shares_no_id_is_held_however_long_it_is(landing: Landing) -> None:
    school(landing, range(30), 0)
    school(landing, range(100, 200), 1)
    new = feeds.discover_feed(landing.folder, EDUCATION, landing.contracts, landing.con)
    *_, held = load_all(landing.con, new, EDUCATION, Terms(known=landing.contracts))
    assert held.error is not None
    assert (held.status, held.error.rule) == ("held", "no_shared_ids")
    assert "school_urn 100001" in held.error.message
    assert held.error.remedy.startswith("look at the file; if it is right: ffp feeds accept")


def test_rows_that_were_set_aside_count_as_fallen(landing: Landing) -> None:
    school(landing, range(30), 0)
    load(landing)
    rows = [sample_row(EDUCATION, PUPILS, n, school_urn="100001") for n in range(30)]
    for row in rows[:10]:
        row["date_of_birth"] = "soon"
    landing.rows(EDUCATION.id, "pupils", rows, DAYS[1])
    assert load(landing) == ["held"]
    assert landing.query("SELECT * FROM quarantine.rows") == []
    ((reason,),) = landing.query("SELECT reason FROM meta.deliveries WHERE status = 'held'")
    assert "20 rows where 30 were (10 set aside: not_a_date)" in reason


@pytest.mark.control("G02")
def test_a_held_delivery_waits_for_a_person_and_then_loads(landing: Landing) -> None:
    school(landing, range(30), 0)
    school(landing, range(10), 1)
    assert load(landing) == ["loaded", "held"]
    assert load(landing) == ["held"]
    accept(landing)
    assert load(landing) == ["loaded"]
    assert standing(landing) == 10
    assert load(landing) == []


def test_a_held_delivery_can_be_turned_down_for_good(landing: Landing) -> None:
    school(landing, range(30), 0)
    school(landing, range(10), 1)
    load(landing)
    ((held,),) = landing.query("SELECT delivery_id FROM meta.deliveries WHERE status = 'held'")
    entry = books.find_entry(landing.con, held)
    replay.retract(landing.con, EDUCATION, entry, "A. Person", "half a file")
    assert load(landing) == []
    assert standing(landing) == 30


def test_the_next_whole_list_is_held_to_the_last_that_was_accepted(landing: Landing) -> None:
    school(landing, range(30), 0)
    school(landing, range(10), 1)
    school(landing, range(29), 2)
    assert load(landing) == ["loaded", "held", "loaded"]
    assert standing(landing) == 29


def test_a_late_list_is_held_to_what_went_before_it(landing: Landing) -> None:
    school(landing, range(30), 0)
    school(landing, range(60), 3)
    assert load(landing) == ["loaded", "loaded"]
    school(landing, range(29), 2)
    assert load(landing) == ["loaded"]
    school(landing, range(12), 1)
    assert load(landing) == ["held"]
    assert standing(landing) == 60


def test_a_held_list_stops_neither_other_schools_nor_other_feeds(landing: Landing) -> None:
    early_help = CONTRACTS["early_help"]
    school(landing, range(30), 0)
    load(landing)
    school(landing, range(5), 1)
    school(landing, range(30), 1, urn="100002")
    people = [sample_row(early_help, early_help.by_name["persons"])]
    landing.rows("early_help", "persons", people)
    assert sorted(r.status for r in landing.load()) == ["held", "loaded", "loaded"]
    assert standing(landing, "100002") == 30


def test_parts_of_one_list_are_counted_together(landing: Landing) -> None:
    for day in (0, 1):
        for part in (1, 2):
            school(landing, range(30 * (part - 1), 30 * part + day), day, part=part)
        assert load(landing) == ["loaded", "loaded"]
        assert standing(landing) == 60 + day
    school(landing, range(32), 2, part=1)
    assert load(landing) == ["held"]
    school(landing, range(32, 62), 2, part=2)
    assert load(landing) == ["loaded", "loaded"]
    assert standing(landing) == 62


def test_unchanged_parts_are_the_same_list_again(landing: Landing) -> None:
    for day in (0, 1):
        for part in (1, 2):
            school(landing, range(30 * (part - 1), 30 * part), day, part=part)
        load(landing)
        assert standing(landing) == 60
    assert landing.query("SELECT DISTINCT status FROM meta.deliveries WHERE status = 'held'") == []


def test_a_corrected_file_under_the_same_name_is_held_to_the_first(landing: Landing) -> None:
    school(landing, range(30), 0)
    load(landing)
    school(landing, range(29), 0)
    assert load(landing) == ["loaded"]
    school(landing, range(28), 0)
    assert load(landing) == ["loaded"]
    assert standing(landing) == 28
    school(landing, range(3), 0)
    assert load(landing) == ["held"]
    school(landing, range(29), 0)
    assert load(landing) == ["duplicate"]
    assert standing(landing) == 29
    school(landing, range(28), 1)
    assert load(landing) == ["duplicate"]


def test_the_same_bytes_again_are_guarded_too(landing: Landing) -> None:
    school(landing, range(20), 0)
    school(landing, range(21), 1)
    school(landing, range(30), 2)
    load(landing)
    school(landing, range(20), 3)
    assert load(landing) == ["held"]
    assert standing(landing) == 30
    accept(landing)
    assert load(landing) == ["duplicate"]
    assert standing(landing) == 20


# ---- one school's file, one council's drop


def test_a_list_speaks_for_the_schools_that_stand_in_it(landing: Landing) -> None:
    school(landing, range(5), 0, urn="100001")
    school(landing, range(5), 1, urn="100002")
    school(landing, range(4), 2, urn="100001")
    assert load(landing) == ["loaded"] * 3
    assert (standing(landing), standing(landing, "100002")) == (4, 5)


def test_a_drop_of_another_council_or_system_leaves_the_first_alone(landing: Landing) -> None:
    landing.drop(tables(), "20260401")
    landing.drop(tables(), "20260402", case_system="mosaic")
    assert [r.status for r in landing.load()] == ["loaded", "loaded"]
    query = "SELECT DISTINCT scope FROM meta.deliveries ORDER BY scope"
    assert landing.query(query) == [("999|mosaic",), ("999|systemc",)]
    query = "SELECT record_key FROM identity.case_system__ssd_person ORDER BY record_key"
    keys = [key for (key,) in landing.query(query)]
    assert [key.split("|")[1] for key in keys] == ["mosaic", "systemc"]


def test_a_drop_of_another_council_with_the_same_ids_is_refused(landing: Landing) -> None:
    landing.drop(tables(), "20260401")
    landing.drop(tables(), "20260402", la_code="998")
    first, second = landing.load()
    assert second.error is not None
    assert (first.status, second.error.rule) == ("loaded", "taken_ids")


def test_a_drop_whose_people_have_gone_is_held_whole(landing: Landing) -> None:
    def drop(stamp: str, numbers: range) -> None:
        people = [sample_row(CASES, PERSON, n) for n in numbers]
        landing.drop(tables(ssd_person=csv_text(PERSON, people)), stamp)

    drop("20260401", range(40))
    drop("20260402", range(20))
    assert [r.status for r in landing.load()] == ["loaded", "held"]
    query = "SELECT count(*), count(DISTINCT _delivery_id) FROM raw.case_system__ssd_person"
    assert landing.query(query) == [(40, 1)]
    accept(landing)
    assert [r.status for r in landing.load()] == ["loaded"]
    assert landing.query(query) == [(20, 1)]


# ---- what a contract may say


@pytest.mark.parametrize(
    ("table", "change", "words"),
    [
        ("pupils", {"scope": ["la_code"]}, "scope: la_code must be a key column"),
        ("pupils", {"scope": ["nowhere"]}, "scope: nowhere must be a key column"),
        ("marks", {"scope": ["school_urn"]}, "scope and guard are for snapshots"),
        ("marks", {"guard": {}}, "scope and guard are for snapshots"),
        ("pupils", {"guard": {"max_fall": 2}}, "less than or equal to 1"),
        ("pupils", {"guard": {"max_rise": 1}}, "max_rise"),
    ],
)
def test_a_contract_that_scopes_or_guards_wrongly_is_refused(
    table: str, change: dict[str, object], words: str
) -> None:
    told = EDUCATION.model_dump(by_alias=True, mode="json")
    next(t for t in told["schema"] if t["name"] == table).update(change)
    with pytest.raises(ValueError, match=words):
        feeds.Contract.model_validate(told)


def test_lists_of_people_are_guarded_unless_the_contract_says_otherwise() -> None:
    assert PUPILS.drop_guard == Guard(max_fall=Decimal("0.1"), min_rows=20)
    assert EDUCATION.by_name["marks"].drop_guard is None
    assert CASES.by_name["ssd_cp_plans"].drop_guard == Guard(max_fall=Decimal("0.5"))
    assert CASES.by_name["ssd_professionals"].drop_guard is None


def test_a_year_mistyped_in_a_name_is_refused_before_it_outlives_every_newer_list(
    landing: Landing,
) -> None:
    landing.rows(EDUCATION.id, "pupils", [sample_row(EDUCATION, PUPILS, 1)], "20620402T030000Z")
    landing.rows(EDUCATION.id, "pupils", [sample_row(EDUCATION, PUPILS, 2)], "20270401T030000Z")
    new = feeds.discover_feed(landing.folder, EDUCATION, landing.contracts, landing.con)
    terms = Terms(known=landing.contracts, as_at=date(2026, 3, 31))
    ahead, typed = load_all(landing.con, new, EDUCATION, terms)
    assert (ahead.status, typed.status) == ("loaded", "refused")
    assert typed.error is not None
    assert typed.error.rule == "far_ahead"
