"""NHS numbers that the SUI Matcher found: each tier, each test that an assertion must pass, and what is used."""

from __future__ import annotations

import hashlib
from datetime import date

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffp_data import feeds
from tests.feeds.samples import Landing, Row, csv_text
from tests.feeds.sui.answers import (
    BEN,
    CONTRACTS,
    JOE,
    MIA,
    STAMP,
    SUI,
    Matched,
    key,
    of,
    person,
    result,
    search_id,
)


def test_a_match_that_passes_every_test_gives_the_record_its_number(matched: Matched) -> None:
    matched.results(result("1", "Mia", MIA))
    (found,) = matched.weigh()
    assert found["tier"] == "high"
    assert (found["record_key"], found["nhs_number"], found["effect"]) == (key("1"), MIA, "fills")
    assert (found["score"], found["asserted_on"]) == (0.97, date(2026, 4, 1))
    assert found["method"] == "sui_matcher.full_results strategy 4 version 2"
    query = "SELECT nhs_number, nhs_number_status FROM identity.person_records WHERE record_key = ?"
    assert matched.landing.con.execute(query, [key("1")]).fetchone() == (MIA, "sui_verified")
    listed = "SELECT record_key, value, source FROM identity.person_identifiers WHERE identifier_type = 'nhs_number'"
    assert matched.landing.query(listed) == [(key("1"), MIA, "sui_matcher.full_results")]


FAILS: dict[
    str, tuple[Row, Row]
] = {  # what the row says otherwise, what the manifest says otherwise
    "no_manifest": ({}, {"results_sha256": "0" * 64}),
    "searched_without_given_name": ({}, {"strategy": "5"}),
    "reconciliation": ({}, {"mode": "reconciliation"}),
    "low_score": ({"status": "PotentialMatch", "score": "0.9"}, {}),
    "invalid_number": ({"nhs_number": f"{MIA[:9]}{(int(MIA[9]) + 1) % 10}"}, {}),
    "search_id": ({"search_id": "0" * 64}, {}),
    "unknown_record": ({"record_id": "9"}, {}),
    "another_birth_date": ({"date_of_birth": "2019-05-03"}, {}),
}


@pytest.mark.parametrize("reason", FAILS)
def test_a_match_that_fails_a_test_is_listed_for_review_and_not_used(
    matched: Matched, reason: str
) -> None:
    row, manifest = FAILS[reason]
    matched.results(result("1", "Mia", MIA, **row), manifest=manifest)
    (found,) = matched.weigh()
    assert (found["tier"], found["reasons"], found["effect"]) == ("review", [reason], None)
    assert matched.numbers() == {}


def test_a_lesser_score_is_for_review_whatever_the_status_says(matched: Matched) -> None:
    matched.results(
        result("1", "Mia", MIA, score="0.94"),
        result("2", "Ben", BEN, status="LowConfidenceMatch", score="0.5"),
    )
    assert [(f["tier"], f["reasons"]) for f in matched.weigh()] == [("review", ["low_score"])] * 2


def test_a_number_of_the_test_range_is_no_number_in_earnest(matched: Matched) -> None:
    matched.results(result("1", "Mia", MIA))
    (found,) = matched.weigh(allow_test_numbers=False)
    assert (found["tier"], found["reasons"]) == ("review", ["invalid_number"])


def test_one_number_for_two_records_is_a_conflict_for_both(matched: Matched) -> None:
    matched.results(result("1", "Mia", MIA), result("2", "Ben", MIA), result("3", "Joe", JOE))
    assert [f["tier"] for f in matched.weigh()] == ["conflict", "conflict", "high"]
    assert matched.numbers() == {"3": JOE}


def test_two_numbers_for_one_record_are_a_conflict_also_from_two_runs(matched: Matched) -> None:
    matched.results(result("1", "Mia", MIA))
    second = csv_text(SUI.by_name["full_results"], [result("1", "Mia", BEN)])
    matched.landing.file("sui_matcher", "x_20260403T030000Z_full-results.csv", second)
    assert {f["tier"] for f in matched.weigh()} == {"conflict"}
    assert matched.numbers() == {}


def test_several_people_are_a_conflict_and_no_answer_says_nothing(matched: Matched) -> None:
    matched.results(
        result("1", "Mia", "-", status="ManyMatch", score="-"),
        result("2", "Ben", "-", status="NoMatch", score="-"),
        result("3", "Joe", "-", status="Error", score="-"),
    )
    found = matched.weigh()
    assert [f["tier"] for f in found] == ["conflict", "not_known", "not_known"]
    assert [f["nhs_number"] for f in found] == [None, None, None]


def test_no_answer_takes_no_number_back(matched: Matched) -> None:
    matched.results(result("1", "Mia", MIA))
    outage = csv_text(
        SUI.by_name["full_results"], [result("1", "Mia", "-", status="NoMatch", score="-")]
    )
    matched.landing.file("sui_matcher", "x_20260403T030000Z_full-results.csv", outage)
    assert sorted(f["tier"] for f in matched.weigh()) == ["high", "not_known"]
    assert matched.numbers() == {"1": MIA}


def test_the_file_of_successes_cannot_be_checked_and_is_for_review(matched: Matched) -> None:
    row = {"record_id": "1", "identifier_kind": "NHSNo", "nhs_number": MIA}
    matched.results(row, table="successes")
    (found,) = matched.weigh()
    assert (found["tier"], found["reasons"]) == ("review", ["search_id"])


def test_successes_add_nothing_to_the_full_results_beside_them(matched: Matched) -> None:
    matched.results(result("1", "Mia", MIA))
    row = {"record_id": "1", "identifier_kind": "NHSNo", "nhs_number": MIA}
    matched.landing.rows("sui_matcher", "successes", [row], STAMP)
    assert [f["tier"] for f in matched.weigh()] == ["high"]


def test_what_the_watcher_writes_has_no_search_id_to_check(matched: Matched) -> None:
    matched.results(result("1", "Mia", MIA), table="watcher_results")
    assert [(f["tier"], f["reasons"]) for f in matched.weigh()] == [("review", ["search_id"])]


def test_further_columns_of_the_reconciliation_mode_are_noted_and_never_fatal(
    matched: Matched,
) -> None:
    text = csv_text(SUI.by_name["full_results"], [result("1", "Mia", MIA, status="NoDifferences")])
    header, row = text.splitlines()
    wider = f"{header},SUI_AgeGroup,SUI_PrimaryAddressSame\n{row},0-5,Matched\n"
    matched.landing.file("sui_matcher", "x_20260403T030000Z_full-results.csv", wider)
    (found,) = matched.weigh()
    assert found["tier"] == "review"
    assert "reconciliation" in found["reasons"]


def test_a_superseded_number_names_the_number_it_was(landing: Landing) -> None:
    landing.rows("early_help", "persons", [person("1", "Mia", nhs_number=BEN)])
    table = SUI.by_name["full_results"]
    row = result("1", "Mia", MIA, status="LocalNhsNumberIsSuperseded")
    landing.file("sui_matcher", "x_20260403T030000Z_full-results.csv", csv_text(table, [row]))
    landing.load()
    feeds.assemble_identity(landing.con, CONTRACTS, allow_test_numbers=True)
    query = "SELECT tier, former_number, nhs_number FROM identity.nhs_number_assertions"
    assert landing.query(query) == [("review", BEN, MIA)]


def test_a_record_that_has_the_number_is_confirmed_and_one_with_another_is_for_review(
    landing: Landing,
) -> None:
    landing.rows(
        "early_help",
        "persons",
        [person("1", "Mia", nhs_number=MIA), person("2", "Ben", nhs_number=JOE)],
    )
    matched = of(landing)
    matched.results(result("1", "Mia", MIA), result("2", "Ben", BEN))
    one, other = matched.weigh()
    assert (one["tier"], one["effect"]) == ("high", "confirms")
    assert (other["tier"], other["reasons"]) == ("review", ["another_number_held"])
    assert matched.numbers() == {"1": MIA, "2": JOE}


def test_a_number_that_another_known_child_holds_waits(matched: Matched) -> None:
    matched.landing.rows(
        "early_help", "persons", [person("1", "Mia"), person("4", "Mia", nhs_number=MIA)]
    )
    matched.results(result("1", "Mia", MIA))
    matched.landing.con.execute(
        "CREATE TABLE identity.child_membership AS SELECT * FROM (VALUES ($1, 'A', NULL::DATE, 1.0),"
        " ($2, 'B', NULL::DATE, 1.0)) t (record_key, child_id, linked_since, link_confidence)",
        [key("1"), key("4")],
    )
    (found,) = matched.weigh()
    assert (found["tier"], found["effect"]) == ("high", "waits")
    assert matched.numbers() == {"4": MIA}
    # Once both records are one child's, the number is theirs.
    matched.landing.con.execute("UPDATE identity.child_membership SET child_id = 'A'")
    feeds.assemble_identity(matched.landing.con, CONTRACTS, allow_test_numbers=True)
    assert matched.numbers() == {"1": MIA, "4": MIA}


def test_the_hubs_own_key_leads_to_the_record_and_a_case_number_of_two_records_to_none(
    matched: Matched,
) -> None:
    matched.results(
        result(key("1"), "Mia", MIA),
        manifest={"source_feed": "case_system", "source_system": "other"},
    )
    assert [(f["record_key"], f["tier"]) for f in matched.weigh()] == [(key("1"), "high")]


PUBLISHED = {  # DFE-Digital/SUI_Matcher: GetUniqueSearchIdTests and HashUtilTest
    "2f383866c432df9a75556ed5d732bb8e348b134b8bfc5c5394990af77090c155": (
        "Jane", "Smith", "2004-05-15", "female", "XY9 8ZW",
    ),
    "be916a1b542b16fb6f8df9b9f593959d64481bd4ac2a9fcd6ac26b575dad3ab3": (
        "John", "Doe", "1990-01-01", "male", "AB1 2CD",
    ),
}  # fmt: skip


def made_by_the_hub(landing: Landing, values: tuple[str | None, ...]) -> str:
    landing.con.execute(feeds.assertions.SEARCH_ID)
    query = "SELECT sui_search_id($1, $2, $3::DATE, $4, $5)"
    (found,) = landing.con.execute(query, list(values)).fetchone() or ("",)
    return str(found)


@pytest.mark.parametrize(("expected", "values"), PUBLISHED.items())
def test_the_search_id_is_the_one_that_the_matcher_makes(
    landing: Landing, values: tuple[str, ...], expected: str
) -> None:
    assert made_by_the_hub(landing, values) == expected
    assert search_id(*values) == expected


def test_a_search_id_of_missing_parts_and_of_a_gender_in_digits(landing: Landing) -> None:
    expected = hashlib.sha256(b"zo?female").hexdigest()
    assert made_by_the_hub(landing, ("Zoë", None, None, "2", None)) == expected


@given(st.text("ABab '-éł", min_size=1, max_size=8), st.dates(date(1990, 1, 1), date(2026, 1, 1)))
def test_any_name_and_day_give_the_same_search_id_twice(name: str, born: date) -> None:
    with duckdb.connect(":memory:") as con:
        con.execute(feeds.assertions.SEARCH_ID)
        query = "SELECT sui_search_id($1, $2, $3, 'male', 'XF1 1AA')"
        found = con.execute(query, [name, name, born]).fetchone()
    blank = name if name.strip() else ""
    assert blank == "" or found == (search_id(name, name, born.isoformat(), "male", "XF1 1AA"),)
