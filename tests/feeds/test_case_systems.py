"""What councils' extracts are known for (data-to-insight/ssd-data-model 1.4.5): each fault, and each system's way."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffp_data import feeds
from ffp_data.feeds.case_system import profiles
from tests.feeds.conftest import CONTRACTS
from tests.feeds.samples import Landing, csv_text, sample_row

CASES = CONTRACTS["case_system"]
Rows = Sequence[dict[str, str]]


def table_text(rows: Rows, *header: str) -> str:
    """CSV of rows that share their keys; with `header` alone, a table without a row."""
    names = list(rows[0]) if rows else list(header)
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def rows_of(name: str, *own: dict[str, str]) -> str:
    table = CASES.by_name[name]
    made = [sample_row(CASES, table, n) | row for n, row in enumerate(own, start=1)]
    return csv_text(table, made)


def whole(**own: str) -> dict[str, str]:
    """A whole drop: one person, and the header alone of every other required table."""
    texts = {t.name: csv_text(t, []) for t in CASES.tables if not t.may_be_missing}
    return texts | {"ssd_person": rows_of("ssd_person", {"pers_person_id": "1"})} | own


def load_one(landing: Landing) -> feeds.DeliveryResult:
    (result,) = landing.load()
    return result


def mosaic(**own: str) -> dict[str, str]:
    """A drop as Mosaic's scripts name it: no family of residence, no person in reviews and involvements."""
    texts = whole(**own)
    plans = texts["ssd_cin_plans"].replace("cinp_cin_plan_id", "cin_plan_id")
    involvements = texts["ssd_involvements"].replace("invo_person_id,", "")
    return texts | {"ssd_cin_plans": plans, "ssd_involvements": involvements}


# Whose drop it is


def test_an_unknown_system_is_refused_by_name(landing: Landing) -> None:
    landing.drop(whole(), case_system="abacus")
    error = load_one(landing).error
    assert error is not None
    assert (error.rule, "abacus" in error.message) == ("unknown_system", True)


@pytest.mark.parametrize(
    ("la_code", "systems", "rule"),
    [("999", ("mosaic",), "other_system"), ("888", (), "other_council")],
)
def test_a_partnership_takes_drops_of_its_own_council_and_systems_alone(
    landing: Landing, tmp_path: Path, la_code: str, systems: tuple[str, ...], rule: str
) -> None:
    landing.drop(whole())
    own = feeds.narrowed(CASES, la_code, systems, tmp_path)
    (delivery,) = feeds.discover(landing.folder, CONTRACTS, landing.con)
    error = feeds.load(landing.con, delivery, own).error
    assert error is not None
    assert error.rule == rule


def test_liquidlogic_is_system_c_under_another_name(landing: Landing, tmp_path: Path) -> None:
    landing.drop(whole(), case_system="Liquidlogic")
    own = feeds.narrowed(CASES, "999", ["LiquidLogic"], tmp_path)
    (delivery,) = feeds.discover(landing.folder, CONTRACTS, landing.con)
    assert feeds.load(landing.con, delivery, own).error is None
    assert landing.query("SELECT record_key FROM raw.case_system__ssd_person") == [
        ("case_system|systemc|1",)
    ]


def test_two_systems_stand_side_by_side_under_the_same_numbers(landing: Landing) -> None:
    landing.drop(whole())
    landing.drop(mosaic(), stamp="20260402", case_system="mosaic")
    landing.drop(whole(), stamp="20260403", ssd_version="1.4.6")
    landing.load()
    feeds.assemble_identity(landing.con, CONTRACTS, allow_test_numbers=True)
    query = "SELECT record_key, system, source_person_id FROM identity.person_records ORDER BY 1"
    assert landing.query(query) == [
        ("case_system|mosaic|1", "mosaic", "1"),
        ("case_system|systemc|1", "systemc", "1"),
    ]
    books = feeds.reconcile(landing.con, {"case_system": CASES}).to_pylist()
    assert all(row["is_reconciled"] for row in books)


def test_a_mother_of_one_system_is_no_mother_in_another(landing: Landing) -> None:
    tie = {"moth_person_id": "2", "moth_childs_person_id": "1"}
    landing.drop(whole(ssd_mother=rows_of("ssd_mother", tie)), case_system="eclipse")
    landing.load()
    feeds.assemble_identity(landing.con, CONTRACTS, allow_test_numbers=True)
    query = "SELECT record_key, related_record_key FROM identity.relationships"
    assert landing.query(query) == [("case_system|eclipse|1", "case_system|eclipse|2")]


# Mosaic


def test_mosaic_needs_no_family_table_and_its_own_names_are_known(landing: Landing) -> None:
    plan = rows_of("ssd_cin_plans", {"cinp_cin_plan_id": "7", "cinp_person_id": "1"})
    landing.drop(mosaic(ssd_cin_plans=plan), case_system="mosaic")
    assert load_one(landing).error is None
    query = "SELECT cinp_cin_plan_id, record_key FROM raw.case_system__ssd_cin_plans"
    assert landing.query(query) == [("7", "case_system|mosaic|1")]


def test_a_review_and_a_worker_find_their_child_by_plan_and_referral(landing: Landing) -> None:
    plans = rows_of("ssd_cp_plans", {"cppl_cp_plan_id": "5", "cppl_person_id": "1"})
    reviews = [
        {"cppr_cp_review_id": "R1", "cppr_cp_plan_id": "5", "cppr_cp_review_date": "2025-09-03"},
        {"cppr_cp_review_id": "R2", "cppr_cp_plan_id": "6", "cppr_cp_review_date": "2025-09-03"},
    ]
    referral = {"cine_referral_id": "3", "cine_person_id": "1"}
    worker = {
        "invo_involvements_id": "I1", "invo_professional_id": "P1", "invo_referral_id": "3",
        "invo_involvement_start_date": "2025-09-03 00:00:00.000",
    }  # fmt: skip
    texts = mosaic(ssd_cp_plans=plans, ssd_cin_episodes=rows_of("ssd_cin_episodes", referral))
    texts |= {"ssd_cp_reviews": table_text(reviews), "ssd_involvements": table_text([worker])}
    landing.drop(texts, case_system="mosaic")
    assert load_one(landing).error is None
    assert landing.query(
        "SELECT record_key, cppr_cp_review_id FROM raw.case_system__ssd_cp_reviews"
    ) == [("case_system|mosaic|1", "R1")]
    assert landing.query("SELECT record_key FROM raw.case_system__ssd_involvements") == [
        ("case_system|mosaic|1",)
    ]
    # The review of a plan that is not in the drop names nobody: it is set aside, and told.
    assert landing.query("SELECT column_name, rule, line FROM quarantine.rows") == [
        ("cppr_person_id", "required", 3)
    ]


@settings(max_examples=5)  # a drop of thirty files each
@given(
    plans=st.lists(st.sampled_from(["a", "b", "c"]), unique=True, max_size=3),
    wanted=st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=6),
    again=st.booleans(),
)
def test_a_lookup_neither_adds_nor_loses_a_row(
    plans: list[str], wanted: list[str], again: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    con = duckdb.connect(":memory:")
    feeds.create_empty_raw_tables(con, {"case_system": CASES})
    landing = Landing(tmp_path_factory.mktemp("lookup"), CONTRACTS, con)
    given_plans = [{"cppl_cp_plan_id": p, "cppl_person_id": f"of {p}"} for p in plans]
    texts = mosaic(
        ssd_cp_plans=rows_of("ssd_cp_plans", *given_plans, *(given_plans if again else []))
    )
    reviews = [
        {"cppr_cp_review_id": str(n), "cppr_cp_plan_id": plan, "cppr_cp_review_date": "2025-09-03"}
        for n, plan in enumerate(wanted)
    ]
    header = ("cppr_cp_review_id", "cppr_cp_plan_id", "cppr_cp_review_date")
    landing.drop(texts | {"ssd_cp_reviews": table_text(reviews, *header)}, case_system="mosaic")
    assert load_one(landing).error is None
    found = landing.query("SELECT record_key, cppr_cp_plan_id FROM raw.case_system__ssd_cp_reviews")
    assert sorted(found) == sorted(
        (f"case_system|mosaic|of {plan}", plan) for plan in wanted if plan in plans
    )
    books = feeds.reconcile(con, {"case_system": CASES}).to_pylist()
    assert all(row["is_reconciled"] for row in books)
    con.close()


# Azeus


def azeus() -> dict[str, str]:
    """The least that Azeus can send: its own tables where the mapping names them."""
    mapping = profiles()["azeus"].tables
    texts = {n: t for n, t in whole().items() if n not in mapping}
    people = {
        "SVC_USR_REF_NO": "1", "REG_GENDER": "Female", "ETHNIC_ORIGIN": "WBRI", "DOB_YR": "2012", "DOB_MTH": "5",
        "DOB_DAY": "1",
    }  # fmt: skip
    names = [
        {"SVC_USR_REF_NO": "1", "GIVEN_NM": "Old", "SURNAME": "Name", "EFFECT_DT_FR": "2012-05-01"},
        {"SVC_USR_REF_NO": "1", "GIVEN_NM": "Ada", "SURNAME": "Vale", "EFFECT_DT_FR": "2020-01-01"},
    ]
    referral = {
        "REF_ID": "9",
        "SVC_USR_REF_NO": "1",
        "REF_DT": "2025-09-03 00:00:00",
        "FUR_ACTN": "NFA",
    }
    episode = {
        "CASE_ID": "C9", "REF_ID": "9", "SVC_USR_REF_NO": "1", "START_DT": "2025-09-03", "END_DT": "2025-09-10",
        "END_REAS": "RC7",
    }  # fmt: skip
    address = {
        "S_REC_ID": "A1", "SVC_USR_REF_NO": "1", "POSTCODE": "XF1 2AB", "STREET_START_NO": "16",
        "STREET_NAME": "High St", "UNQ_PROP_REF_NO": "10001",
    }  # fmt: skip
    ties = [
        {"REL_ID": "1", "SVC_USR_REF_NO": "1", "REL_SVC_USR_REF_NO": "2", "REL_CD": "Mother"},
        {"REL_ID": "2", "SVC_USR_REF_NO": "1", "REL_SVC_USR_REF_NO": "3", "REL_CD": "UNCLE"},
    ]
    empty = {
        "ASMT": "ASMT_ID,SVC_USR_REF_NO,ACTL_START_DT", "KEYWORKER_HIST": "KEYWORKER_HIST_ID,EMP_ID,CASE_ID,START_DT",
        "SVC_USR_ID": "ID_ID,SVC_USR_REF_NO,ID_TYP,ID_NO",
        "SVC_USR_LA_STATUS": "SVC_USR_LA_STATUS_ID,SVC_USR_REF_NO,START_DT",
        "SVC_USR_PLAN": "SVC_USR_PLAN_ID,PLAN_TYP,CASE_ID,EFFECT_START_DT",
    }  # fmt: skip
    own = {
        "SVC_USR": [people], "SVC_USR_NM": names, "REFERRAL": [referral], "CASE_EPISODE": [episode],
        "SVC_USR_ADDR": [address], "SVC_USR_REL": ties,
    }  # fmt: skip
    return (
        texts
        | {n: table_text(rows) for n, rows in own.items()}
        | {n: f"{h}\n" for n, h in empty.items()}
    )


def test_azeus_own_tables_become_the_datasets(landing: Landing) -> None:
    landing.drop(azeus(), case_system="azeus")
    assert load_one(landing).error is None
    feeds.assemble_identity(landing.con, CONTRACTS, allow_test_numbers=True)
    about = "given_name, surname, sex, date_of_birth::VARCHAR, address_line, postcode, uprn"
    assert landing.query(f"SELECT {about} FROM identity.person_records") == [
        ("Ada", "Vale", "F", "2012-05-01", "16 High St", "XF1 2AB", "10001")
    ]
    referral = "cine_referral_date::VARCHAR, cine_referral_nfa, cine_close_date::VARCHAR, cine_close_reason"
    assert landing.query(f"SELECT {referral} FROM raw.case_system__ssd_cin_episodes") == [
        ("2025-09-03", True, "2025-09-10", "RC7")
    ]
    mothers = "SELECT moth_person_id, moth_childs_person_id FROM raw.case_system__ssd_mother"
    assert landing.query(mothers) == [("2", "1")]
    ((notes,),) = landing.query(
        "SELECT notes FROM meta.deliveries WHERE table_name = 'ssd_person' AND status = 'loaded'"
    )
    assert "mapped from SVC_USR.csv" in notes


def test_an_azeus_table_in_the_datasets_own_form_is_taken_as_it_stands(landing: Landing) -> None:
    texts = {n: t for n, t in azeus().items() if n not in ("SVC_USR", "SVC_USR_NM")}
    landing.drop(texts | {"ssd_person": whole()["ssd_person"]}, case_system="azeus")
    assert load_one(landing).error is None
    query = "SELECT surname FROM identity.case_system__ssd_person"
    assert landing.query(query) == [("Sample",)]


def test_a_source_table_that_lacks_a_key_is_refused_with_its_name(landing: Landing) -> None:
    texts = azeus() | {"SVC_USR": "REG_GENDER\nMALE\n"}
    landing.drop(texts, case_system="azeus")
    error = load_one(landing).error
    assert error is not None
    assert (error.rule, error.file, error.column) == (
        "wrong_header",
        "SVC_USR.csv",
        "pers_person_id",
    )


# Faults of every extract


def test_before_1_4_the_single_identifier_had_another_name_and_mostly_nothing_in_it(
    landing: Landing,
) -> None:
    people = rows_of(
        "ssd_person",
        {"pers_single_unique_id": "SSD_SUI"},
        {"pers_single_unique_id": ""},
        {"pers_single_unique_id": "9990000018"},
    ).replace("pers_single_unique_id", "pers_common_child_id")
    landing.drop(whole(ssd_person=people))
    landing.load()
    query = "SELECT nhs_number FROM identity.case_system__ssd_person ORDER BY _line"
    assert landing.query(query) == [(None,), (None,), ("9990000018",)]


def test_linked_identifiers_that_are_placeholders_or_were_appended_again_do_no_harm(
    landing: Landing,
) -> None:
    one = {
        "link_person_id": "1",
        "link_identifier_type": "NHS Number",
        "link_identifier_value": "9990000018",
    }
    rows = rows_of(
        "ssd_linked_identifiers",
        one,
        one,
        one | {"link_identifier_value": "SSD_PH", "link_identifier_type": "SSD_PH"},
    )
    landing.drop(whole(ssd_linked_identifiers=rows))
    landing.load()
    feeds.assemble_identity(landing.con, CONTRACTS, allow_test_numbers=True)
    assert landing.query("SELECT nhs_number FROM identity.person_records") == [("9990000018",)]


@pytest.mark.parametrize(
    "broken",
    [
        '{"SINGLE_ASSESSMENT_FLAG": "Y", "COMMENTS": "she said "no""}',
        ('{"COMMENTS": "' + "word " * 900 + '"}')[:4000],
    ],
)
def test_a_broken_outcome_costs_the_value_and_never_the_referral(
    landing: Landing, broken: str
) -> None:
    rows = rows_of("ssd_cin_episodes", {"cine_referral_outcome_json": broken})
    landing.drop(whole(ssd_cin_episodes=rows))
    landing.load()
    query = (
        "SELECT count(*), count(cine_referral_outcome_json) FROM raw.case_system__ssd_cin_episodes"
    )
    assert landing.query(query) == [(1, 0)]
    told = landing.query('SELECT column_name, rule FROM quarantine."values"')
    assert told == [("cine_referral_outcome_json", "invalid_json")]


def test_factors_come_as_an_object_or_as_a_list(landing: Landing) -> None:
    rows = rows_of(
        "ssd_assessment_factors",
        {"cinf_assessment_factors_json": '{"1A": "Yes"}'},
        {"cinf_assessment_factors_json": '["1A"]'},
    )
    landing.drop(whole(ssd_assessment_factors=rows))
    landing.load()
    query = "SELECT cinf_assessment_factors_json FROM raw.case_system__ssd_assessment_factors ORDER BY _line"
    assert landing.query(query) == [('{"1A": "Yes"}',), ('["1A"]',)]


def test_a_day_comes_as_a_datetime(landing: Landing) -> None:
    days = (
        "2025-09-03 00:00:00",
        "2025-09-03 00:00:00.000",
        "2025-09-03T00:00:00",
        "03/09/2025 00:00:00",
    )
    rows = rows_of("ssd_cin_episodes", *({"cine_referral_date": day} for day in days))
    landing.drop(whole(ssd_cin_episodes=rows))
    landing.load()
    query = "SELECT cine_referral_date::VARCHAR FROM raw.case_system__ssd_cin_episodes"
    assert landing.query(query) == [("2025-09-03",)] * len(days)


def test_placeholders_are_nothing_and_nobodys_fault(landing: Landing) -> None:
    rows = rows_of(
        "ssd_cin_episodes",
        {
            "cine_close_date": "1900-01-01 00:00:00.000",
            "cine_referral_worker_id": "PLACEHOLDER_DATA",
        },
    )
    landing.drop(whole(ssd_cin_episodes=rows))
    landing.load()
    query = "SELECT cine_close_date, cine_referral_worker_id FROM raw.case_system__ssd_cin_episodes"
    assert landing.query(query) == [(None, None)]
    assert landing.query('SELECT count(*) FROM quarantine."values"') == [(0,)]


def test_an_expected_birth_in_the_column_of_births_is_an_expected_one(landing: Landing) -> None:
    row = {"pers_dob": "2026-07-01 00:00:00", "pers_expected_dob": ""}
    landing.drop(whole(ssd_person=rows_of("ssd_person", row)))
    landing.load()
    feeds.assemble_identity(landing.con, CONTRACTS, allow_test_numbers=True)
    query = "SELECT date_of_birth, expected_birth_date::VARCHAR FROM identity.person_records"
    assert landing.query(query) == [(None, "2026-07-01")]


def test_ethnicities_that_the_upstream_list_lacks_are_known(landing: Landing) -> None:
    codes = ("WBRI", "WIRI", "WIRT", "WOTH", "WROM", "MWBC", "MWBA", "MWAS")
    rows = rows_of("ssd_person", *({"pers_ethnicity": code} for code in codes))
    landing.drop(whole(ssd_person=rows))
    landing.load()
    query = "SELECT pers_ethnicity FROM raw.case_system__ssd_person ORDER BY _line"
    assert landing.query(query) == [(code,) for code in codes]


def test_rows_of_nobody_load_and_break_nothing(landing: Landing) -> None:
    rows = rows_of("ssd_cin_episodes", {"cine_person_id": "404"})
    landing.drop(whole(ssd_cin_episodes=rows))
    assert load_one(landing).error is None
    feeds.assemble_identity(landing.con, CONTRACTS, allow_test_numbers=True)
    assert landing.query("SELECT count(*) FROM identity.person_records") == [(1,)]


def test_the_books_say_when_children_of_early_help_alone_are_left_out(landing: Landing) -> None:
    landing.drop(whole(), cohort_includes_early_help=False)
    landing.load()
    query = "SELECT count(*) FROM meta.deliveries WHERE notes LIKE '%early help alone are not in the drop%'"
    ((count,),) = landing.query(query)
    assert count == len(whole())
