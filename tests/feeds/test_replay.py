"""After a fix, what was set aside comes in, once; and a delivery that was a mistake is as if never sent."""

from __future__ import annotations

from typing import Any

import pytest

from ffp_data import feeds
from ffp_data.feeds import books, replay
from ffp_data.feeds.loading import Terms
from ffp_data.feeds.replay import Reloaded
from tests.feeds.conftest import CONTRACTS
from tests.feeds.samples import Landing, Row, csv_text, sample_row
from tests.feeds.test_drop import CASES, PERSON, tables
from tests.feeds.test_order import assert_reconciled
from tests.feeds.test_order import books as counts

EDUCATION = CONTRACTS["education_attendance"]
PUPILS, MARKS = EDUCATION.by_name["pupils"], EDUCATION.by_name["marks"]
DAYS = ("20260401T030000Z", "20260402T030000Z", "20260403T030000Z")
ALL = {t.name: {p.name for p in t.properties} for t in EDUCATION.tables}


def pupil(number: int, **own: str) -> Row:
    return sample_row(EDUCATION, PUPILS, number, **own)


def mark(number: int, code: str = "/", **own: str) -> Row:
    return sample_row(EDUCATION, MARKS, number, attendance_code=code, **own)


def without_code(column: str, code: str) -> feeds.Contract:
    """The attendance contract as it was before somebody added a code that schools use."""
    told = EDUCATION.model_dump(by_alias=True, mode="json")
    for prop in (p for table in told["schema"] for p in table["properties"]):
        if prop["name"] == column:
            known = prop["codes"]
            codes = feeds.code_lists()[known].values if isinstance(known, str) else known
            prop["codes"] = [c for c in codes if c != code]
            prop["codes_at"] = None
    return feeds.Contract.model_validate(told)


def load(landing: Landing, contract: feeds.Contract, allowed: Any = None) -> list[str]:
    landing.contracts = {**CONTRACTS, contract.id: contract}
    return [r.status for r in landing.load(allowed)]


def again(landing: Landing, allowed: Any = None, named: str | None = None) -> list[Reloaded]:
    entry = books.find_entry(landing.con, named) if named else None
    terms = Terms(allowed=allowed, known=CONTRACTS)
    return replay.replay(landing.con, landing.folder, EDUCATION, terms, entry)


def retract(landing: Landing, name: str, feed: str = "education_attendance") -> list[Reloaded]:
    entry = books.find_entry(landing.con, name)
    replay.retract(landing.con, CONTRACTS[feed], entry, "A. Person", "sent by mistake")
    terms = Terms(known=CONTRACTS)
    return replay.reload_waiting(landing.con, landing.folder, CONTRACTS[feed], terms)


def codes(landing: Landing) -> list[tuple[str, str]]:
    query = "SELECT pupil_key, attendance_code FROM raw.education_attendance__marks ORDER BY 1"
    return [(key.removeprefix("Sample"), code) for key, code in landing.query(query)]


# ---- replay


def test_rows_that_were_set_aside_come_in_after_a_fix_and_never_twice(landing: Landing) -> None:
    landing.rows(EDUCATION.id, "marks", [mark(1), mark(2, "I"), mark(3, "no")], DAYS[0])
    load(landing, without_code("attendance_code", "I"))
    assert counts(landing, "marks") == [(3, 1, 2, 0)]
    (one,) = again(landing)
    assert (one.before["rows_quarantined"], one.after["rows_quarantined"]) == (2, 1)
    assert counts(landing, "marks") == [(3, 2, 1, 0)]
    assert codes(landing) == [("1", "/"), ("2", "I")]
    assert landing.query("SELECT line, rule FROM quarantine.rows") == [(4, "unknown_code")]
    (one,) = again(landing)
    assert one.before == one.after
    assert_reconciled(landing)


def test_a_row_that_newer_ones_have_overtaken_meanwhile_counts_as_superseded(
    landing: Landing,
) -> None:
    landing.rows(EDUCATION.id, "marks", [mark(1, "I"), mark(2, "I")], DAYS[0])
    load(landing, without_code("attendance_code", "I"))
    landing.rows(EDUCATION.id, "marks", [mark(1, "/")], DAYS[1])
    load(landing, EDUCATION)
    again(landing)
    assert counts(landing, "marks") == [(2, 1, 0, 1), (1, 1, 0, 0)]
    assert codes(landing) == [("1", "/"), ("2", "I")]
    assert_reconciled(landing)


def test_a_value_that_was_set_aside_comes_to_its_row(landing: Landing) -> None:
    landing.rows(EDUCATION.id, "pupils", [pupil(1, sex="U")], DAYS[0])
    load(landing, without_code("sex", "U"))
    query = "SELECT sex FROM identity.education_attendance__pupils"
    assert landing.query(query) == [(None,)]
    again(landing)
    assert landing.query(query) == [("U",)]
    assert landing.query('SELECT * FROM quarantine."values"') == []


def test_columns_that_an_agreement_covers_now_come_in(landing: Landing) -> None:
    landing.rows(EDUCATION.id, "pupils", [pupil(1)], DAYS[0])
    load(landing, EDUCATION, ALL | {"pupils": ALL["pupils"] - {"ethnicity"}})
    assert again(landing, ALL | {"pupils": ALL["pupils"] - {"ethnicity"}}) == []
    assert len(again(landing, ALL)) == 1
    query = "SELECT ethnicity IS NOT NULL FROM raw.education_attendance__pupils"
    assert landing.query(query) == [(True,)]
    assert landing.query("SELECT columns_dropped FROM meta.deliveries") == [(0,)]


def test_tables_that_an_agreement_covers_now_come_in(landing: Landing) -> None:
    landing.drop(tables())
    every = {t.name: {p.name for p in t.properties} for t in CASES.tables}
    allowed = {name: columns for name, columns in every.items() if name != "ssd_professionals"}
    landing.load(allowed)
    query = "SELECT count(*) FROM meta.deliveries WHERE table_name = 'ssd_professionals'"
    assert landing.query(query) == [(0,)]
    terms = Terms(allowed=every, known=CONTRACTS)
    (one,) = replay.replay(landing.con, landing.folder, CASES, terms)
    assert one.error is None
    assert landing.query(query) == [(1,)]
    query = "SELECT count(*) FROM raw.case_system__ssd_person"
    assert landing.query(query) == [(1,)]
    assert_reconciled(landing)


def test_a_file_that_is_gone_is_told_and_nothing_is_lost(landing: Landing) -> None:
    path = landing.rows(EDUCATION.id, "marks", [mark(1), mark(2, "I")], DAYS[0])
    load(landing, without_code("attendance_code", "I"))
    path.unlink()
    (one,) = again(landing)
    assert one.error is not None
    assert (one.error.rule, one.before) == ("gone", one.after)
    assert codes(landing) == [("1", "/")]
    assert_reconciled(landing)


def test_a_file_is_known_by_its_bytes_under_whatever_name(landing: Landing) -> None:
    path = landing.rows(EDUCATION.id, "marks", [mark(1, "I")], DAYS[0])
    load(landing, without_code("attendance_code", "I"))
    path.rename(path.with_name(f"attendance_marks_999_moved_{DAYS[2]}_001.csv"))
    (one,) = again(landing)
    assert (one.error, one.file_name) == (None, path.name)
    assert codes(landing) == [("1", "I")]


def test_a_reading_that_would_lose_rows_is_refused(landing: Landing) -> None:
    path = landing.rows(EDUCATION.id, "marks", [mark(1, "I"), mark(2)], DAYS[0])
    load(landing, EDUCATION)
    narrower = without_code("attendance_code", "I")
    entry = books.find_entry(landing.con, path.name)
    terms = Terms(known=CONTRACTS)
    (one,) = replay.replay(landing.con, landing.folder, narrower, terms, entry)
    assert one.error is not None
    assert one.error.rule == "replay_loses_rows"
    assert codes(landing) == [("1", "I"), ("2", "/")]
    assert_reconciled(landing)


def test_only_a_loaded_delivery_is_read_again(landing: Landing) -> None:
    path = landing.file(EDUCATION.id, f"attendance_marks_999_{DAYS[0]}_001.csv", b"")
    load(landing, EDUCATION)
    with pytest.raises(feeds.FeedError, match="not_loaded"):
        again(landing, named=path.name)


# ---- retraction


def test_what_a_retracted_delta_had_replaced_comes_back(landing: Landing) -> None:
    landing.rows(EDUCATION.id, "marks", [mark(1), mark(2)], DAYS[0])
    wrong = landing.rows(EDUCATION.id, "marks", [mark(2, "I"), mark(3, "bad")], DAYS[1])
    load(landing, EDUCATION)
    (back,) = retract(landing, wrong.name)
    assert (back.before["rows_loaded"], back.after["rows_loaded"]) == (1, 2)
    assert codes(landing) == [("1", "/"), ("2", "/")]
    assert landing.query("SELECT * FROM quarantine.rows") == []
    told = landing.query(
        "SELECT rows_delivered, rows_loaded, rows_quarantined, rows_superseded, reason"
        " FROM meta.deliveries WHERE status = 'retracted'"
    )
    assert told == [(2, 0, 0, 2, "retracted by A. Person: sent by mistake")]
    assert_reconciled(landing)


def test_only_the_newest_of_older_snapshots_is_read_again(landing: Landing) -> None:
    for day, numbers in enumerate(((1, 2), (1, 2, 3), (4,))):
        landing.rows(EDUCATION.id, "pupils", [pupil(n) for n in numbers], DAYS[day])
    load(landing, EDUCATION)
    (back,) = retract(landing, f"attendance_pupils_999_{DAYS[2]}_001.csv")
    assert DAYS[1] in back.file_name
    assert counts(landing, "pupils") == [(2, 0, 0, 2), (3, 3, 0, 0)]
    assert_reconciled(landing)


def test_an_older_snapshot_that_is_retracted_brings_nothing_back(landing: Landing) -> None:
    for day in (0, 1):
        landing.rows(EDUCATION.id, "pupils", [pupil(n) for n in range(day + 1)], DAYS[day])
    load(landing, EDUCATION)
    assert retract(landing, f"attendance_pupils_999_{DAYS[0]}_001.csv") == []
    assert counts(landing, "pupils") == [(2, 2, 0, 0)]


def test_a_retracted_drop_leaves_whole_and_the_one_before_holds_again(landing: Landing) -> None:
    for stamp, numbers in (("20260401", (1, 2)), ("20260402", (2, 3, 4))):
        people = [sample_row(CASES, PERSON, n) for n in numbers]
        landing.drop(tables(ssd_person=csv_text(PERSON, people)), stamp)
    landing.load()
    assert landing.query("SELECT count(*) FROM raw.case_system__ssd_person") == [(3,)]
    (back,) = retract(landing, "ssd_20260402", "case_system")
    assert back.error is None
    assert landing.query("SELECT count(*) FROM raw.case_system__ssd_person") == [(2,)]
    assert landing.load() == []
    assert_reconciled(landing)


def test_a_retracted_delivery_is_not_loaded_again_under_any_name(landing: Landing) -> None:
    path = landing.rows(EDUCATION.id, "marks", [mark(1)], DAYS[0])
    load(landing, EDUCATION)
    retract(landing, path.name)
    assert load(landing, EDUCATION) == []
    landing.rows(EDUCATION.id, "marks", [mark(1)], DAYS[1])
    assert load(landing, EDUCATION) == ["retracted"]
    assert load(landing, EDUCATION) == []
    assert codes(landing) == []


def test_a_retracted_delivery_that_is_accepted_loads_again(landing: Landing) -> None:
    path = landing.rows(EDUCATION.id, "marks", [mark(1)], DAYS[0])
    load(landing, EDUCATION)
    retract(landing, path.name)
    books.accept(landing.con, books.find_entry(landing.con, path.name), "A. Person", "was right")
    assert load(landing, EDUCATION) == ["loaded"]
    assert codes(landing) == [("1", "/")]
    assert_reconciled(landing)


def test_what_cannot_be_brought_back_is_told_once_and_kept_in_the_notes(landing: Landing) -> None:
    first = landing.rows(EDUCATION.id, "marks", [mark(1), mark(2)], DAYS[0])
    landing.rows(EDUCATION.id, "marks", [mark(2, "I")], DAYS[1])
    load(landing, EDUCATION)
    content = first.read_bytes()
    first.unlink()
    (back,) = retract(landing, f"attendance_marks_999_{DAYS[1]}_001.csv")
    assert back.error is not None
    assert back.error.rule == "gone"
    query = "SELECT notes LIKE '%could not come back%' FROM meta.deliveries WHERE status = 'loaded'"
    assert landing.query(query) == [(True,)]
    assert codes(landing) == [("1", "/")]
    assert_reconciled(landing)
    first.write_bytes(content)
    assert [one.error for one in again(landing, named=first.name)] == [None]
    assert codes(landing) == [("1", "/"), ("2", "/")]
    assert_reconciled(landing)


def test_a_retraction_that_was_cut_off_is_finished_by_the_next_run(landing: Landing) -> None:
    landing.rows(EDUCATION.id, "marks", [mark(1)], DAYS[0])
    wrong = landing.rows(EDUCATION.id, "marks", [mark(1, "I")], DAYS[1])
    load(landing, EDUCATION)
    entry = books.find_entry(landing.con, wrong.name)
    replay.retract(landing.con, EDUCATION, entry, "A. Person", "wrong register")
    assert codes(landing) == []
    assert_reconciled(landing)
    terms = Terms(known=CONTRACTS)
    replay.reload_waiting(landing.con, landing.folder, EDUCATION, terms)
    assert codes(landing) == [("1", "/")]
    assert replay.reload_waiting(landing.con, landing.folder, EDUCATION, terms) == []


def test_a_correction_replaces_the_row_that_it_corrects(landing: Landing) -> None:
    landing.rows(EDUCATION.id, "marks", [mark(1, "N"), mark(2)], DAYS[0])
    landing.rows(EDUCATION.id, "marks", [mark(1, "I")], DAYS[2])
    load(landing, EDUCATION)
    landing.rows(EDUCATION.id, "marks", [mark(1, "L"), mark(3)], DAYS[1])
    load(landing, EDUCATION)
    assert codes(landing) == [("1", "I"), ("2", "/"), ("3", "/")]
    assert counts(landing, "marks") == [(2, 1, 0, 1), (2, 1, 0, 1), (1, 1, 0, 0)]
    assert_reconciled(landing)


# ---- which delivery is meant


def test_a_delivery_is_found_by_the_beginning_of_its_id_or_by_its_name(landing: Landing) -> None:
    path = landing.rows(EDUCATION.id, "marks", [mark(1)], DAYS[0])
    (result,) = landing.load()
    for named in (result.delivery.delivery_id, result.delivery.delivery_id[:8], path.name):
        assert books.find_entry(landing.con, named).delivery_id == result.delivery.delivery_id


@pytest.mark.parametrize("named", ["", "abc", "%", "ffffffffff", "attendance"])
def test_what_names_no_delivery_is_told(landing: Landing, named: str) -> None:
    landing.rows(EDUCATION.id, "marks", [mark(1)], DAYS[0])
    landing.load()
    with pytest.raises(feeds.FeedError, match="unknown_delivery"):
        books.find_entry(landing.con, named)


def test_only_what_waits_can_be_accepted_and_only_what_stands_retracted(landing: Landing) -> None:
    path = landing.rows(EDUCATION.id, "marks", [mark(1)], DAYS[0])
    landing.load()
    entry = books.find_entry(landing.con, path.name)
    with pytest.raises(feeds.FeedError, match="not_waiting"):
        books.accept(landing.con, entry, "A. Person", "why not")
    retract(landing, path.name)
    with pytest.raises(feeds.FeedError, match="already_retracted"):
        retract(landing, path.name)
