"""Each class of bad file: one clear error, nothing half loaded, the other files go on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ffp_data import feeds
from tests.feeds.conftest import CONTRACTS
from tests.feeds.samples import STAMP, Landing, Row, csv_text, file_name, record, sample_row

EDUCATION = CONTRACTS["education_attendance"]
PUPILS = EDUCATION.by_name["pupils"]
NAME = file_name(PUPILS)


def pupil(number: int = 1, **own: str) -> Row:
    return sample_row(EDUCATION, PUPILS, number, **own)


def pupils(*rows: Row) -> str:
    return csv_text(PUPILS, rows)


def refusal(landing: Landing, content: str | bytes, name: str = NAME) -> feeds.FeedError:
    """The error of the one file with `content`; asserts that it left the warehouse and the file alone."""
    path = landing.file("education_attendance", name, content)
    before = path.read_bytes()
    (result,) = landing.load()
    assert result.status == "refused"
    assert result.error is not None
    assert path.read_bytes() == before
    assert landing.query("SELECT count(*) FROM raw.education_attendance__pupils") == [(0,)]
    assert landing.query("SELECT status, reason FROM meta.deliveries") == [
        ("refused", str(result.error))
    ]
    return result.error


def test_an_empty_file_is_refused(landing: Landing) -> None:
    error = refusal(landing, b"")
    assert (error.rule, error.file, error.line) == ("empty_file", NAME, 1)


def test_a_file_of_people_without_anybody_is_refused(landing: Landing) -> None:
    assert refusal(landing, pupils()).rule == "no_rows"


@pytest.mark.control("G02")
@pytest.mark.parametrize("cut", [10, 40, 90])
def test_a_file_cut_in_its_last_row_is_refused_with_that_line(landing: Landing, cut: int) -> None:
    error = refusal(landing, pupils(pupil(1), pupil(2), pupil(3))[:-cut])
    assert (error.rule, error.line) == ("truncated_file", 4)


def test_a_file_cut_inside_quotes_is_refused(landing: Landing) -> None:
    whole = pupils(pupil(1), pupil(2, address_line_1="1, High Street"))
    error = refusal(landing, whole[: whole.index("High")])
    assert (error.rule, error.line) == ("truncated_file", 3)


def test_a_file_cut_in_its_header_is_refused(landing: Landing) -> None:
    assert refusal(landing, pupils(pupil())[:60]).rule == "wrong_header"


def test_a_last_row_without_line_end_is_whole_when_its_columns_are(landing: Landing) -> None:
    landing.file("education_attendance", NAME, pupils(pupil(1), pupil(2)).rstrip("\n"))
    (result,) = landing.load()
    assert (result.status, result.rows_loaded) == ("loaded", 2)


def test_a_header_that_lacks_a_column_names_it(landing: Landing) -> None:
    error = refusal(landing, pupils(pupil()).replace("date_of_birth", "dob", 1))
    assert (error.rule, error.line, error.column) == ("wrong_header", 1, "date_of_birth")


def test_a_header_that_has_a_column_twice_is_refused(landing: Landing) -> None:
    error = refusal(landing, pupils(pupil()).replace("middle_names", "surname", 1))
    assert (error.rule, error.column) == ("wrong_header", "surname")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_refused(landing: Landing, encoding: str) -> None:
    error = refusal(landing, pupils(pupil()).encode(encoding))
    assert error.rule in {"wrong_encoding", "wrong_header"}
    assert error.line == 1


def test_a_byte_of_no_declared_encoding_is_refused_with_its_line(landing: Landing) -> None:
    content = pupils(pupil(1), pupil(2, surname="Bad")).encode().replace(b"Bad", b"B\x81d")
    error = refusal(landing, content)
    assert (error.rule, error.line) == ("wrong_encoding", 3)


def test_cp1252_is_read_where_the_contract_allows_it(landing: Landing) -> None:
    rows = [pupil(1, surname="O’Neil"), pupil(2, surname="Müller")]
    landing.file("education_attendance", NAME, pupils(*rows).encode("cp1252"))
    landing.load()
    query = "SELECT surname FROM identity.education_attendance__pupils ORDER BY _line"
    assert landing.query(query) == [("O’Neil",), ("Müller",)]


def test_the_header_may_have_a_mark_other_case_and_other_order(landing: Landing) -> None:
    lines = [line.split(",")[::-1] for line in pupils(pupil()).splitlines()]
    text = "\n".join(",".join(line) for line in lines) + "\n"
    header, rest = text.split("\n", 1)
    landing.file("education_attendance", NAME, ("\ufeff" + header.upper() + "\n" + rest).encode())
    (result,) = landing.load()
    assert (result.status, result.rows_loaded) == ("loaded", 1)


def test_a_file_of_another_feed_is_known_by_its_header(landing: Landing) -> None:
    police = CONTRACTS["police_safeguarding"]
    events = police.by_name["events"]
    error = refusal(landing, csv_text(events, [sample_row(police, events)]))
    assert (error.rule, error.line) == ("other_feed", 1)
    assert "police_safeguarding.events" in error.message
    assert "police_safeguarding" in error.remedy


def test_a_file_named_for_another_feed_says_where_it_belongs(landing: Landing) -> None:
    name = file_name(CONTRACTS["early_help"].by_name["plans"])
    error = refusal(landing, pupils(pupil()), name)
    assert error.rule == "unknown_file"
    assert "landing/early_help/" in error.remedy


def test_a_file_without_a_time_in_its_name_is_refused(landing: Landing) -> None:
    assert (
        refusal(landing, pupils(pupil()), "attendance_pupils_latest.csv").rule == "no_time_in_name"
    )


@pytest.mark.parametrize("clock", ["T030000", "T030000+0100", "T0300Z", "T030000BST"])
def test_a_time_in_the_name_that_does_not_say_utc_is_refused(landing: Landing, clock: str) -> None:
    # Taken for its day alone, the morning's and the evening's list would be parts of one list.
    error = refusal(landing, pupils(pupil()), f"attendance_pupils_999_20260402{clock}_001.csv")
    assert error.rule == "no_utc_in_name"


def test_a_file_of_an_unknown_name_is_told_how_to_be_named(landing: Landing) -> None:
    error = refusal(landing, pupils(pupil()), "Pupils April.csv")
    assert error.rule == "unknown_file"
    assert "attendance_pupils_*.csv" in error.remedy


@pytest.mark.parametrize("suffix", [".part", ".filepart", ".crdownload"])
def test_a_file_that_is_still_being_written_is_left_alone(landing: Landing, suffix: str) -> None:
    path = landing.rows("education_attendance", "pupils", [pupil()])
    path.rename(path.with_name(path.name + suffix))
    assert landing.load() == []


@pytest.mark.parametrize(("mark", "word"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
def test_columns_that_are_parted_otherwise_are_told_so(
    landing: Landing, mark: str, word: str
) -> None:
    error = refusal(landing, pupils(pupil()).replace(",", mark))
    assert error.rule == "wrong_header"
    assert word in error.message


def test_a_workbook_named_csv_is_told_so(landing: Landing) -> None:
    error = refusal(landing, b"PK\x03\x04" + b"x" * 50)
    assert error.rule == "wrong_encoding"
    assert "workbook" in error.message


def test_a_folder_of_no_feed_is_reported(landing: Landing, tmp_path: Path) -> None:
    (landing.folder / "unheard_of").mkdir(parents=True)
    (result,) = landing.load()
    assert result.error is not None
    assert result.error.rule == "unknown_feed"


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("early_hlp/x.csv", "move its files to landing/early_help/"),
        ("Early_Help/x.csv", "move its files to landing/early_help/"),
        ("eh_plans_20260401T030000Z_001.csv", "move it to landing/early_help/"),
        ("readme.txt", "put files in landing/<feed id>/"),
    ],
)
def test_what_lies_beside_the_feeds_folders_is_told_where_it_belongs(
    landing: Landing, name: str, remedy: str
) -> None:
    path = landing.folder / name
    path.parent.mkdir(parents=True)
    path.write_text("x")
    (result,) = landing.load()
    assert result.error is not None
    assert result.error.remedy.startswith(remedy)


def test_other_files_and_feeds_go_on_after_a_bad_one(landing: Landing) -> None:
    landing.file("education_attendance", NAME, b"")
    landing.rows(
        "early_help",
        "persons",
        [sample_row(CONTRACTS["early_help"], CONTRACTS["early_help"].by_name["persons"])],
    )
    assert sorted(r.status for r in landing.load()) == ["loaded", "refused"]


def test_a_refused_file_is_loaded_once_it_is_mended_in_place(landing: Landing) -> None:
    landing.file("education_attendance", NAME, b"")
    landing.load()
    landing.file("education_attendance", NAME, pupils(pupil()))
    (result,) = landing.load()
    assert result.status == "loaded"
    assert landing.query("SELECT count(*) FROM meta.deliveries WHERE status = 'loaded'") == [(1,)]


def test_a_binary_file_is_refused(landing: Landing) -> None:
    assert refusal(landing, bytes(range(256)) * 40).rule in {"wrong_encoding", "wrong_header"}


# ---- rows

BROKEN_ROWS = {
    "too_few": ("1,2,3", "wrong_column_count"),
    "too_many": ("1," * 60, "wrong_column_count"),
    "quote_inside": ('"a"b' + "," * 23, "unbalanced_quote"),
    "quote_never_closed": ('"a' + "," * 23, "unbalanced_quote"),
    "nul": ("\0" + "," * 23, "control_character"),
    "only_commas": ("," * 23, "required"),
}


@pytest.mark.parametrize(("line", "rule"), BROKEN_ROWS.values(), ids=BROKEN_ROWS)
def test_a_broken_row_costs_itself_alone_and_keeps_its_line(
    landing: Landing, line: str, rule: str
) -> None:
    first, second = pupils(pupil(1), pupil(2)).splitlines()[1:]
    header = pupils().strip()
    landing.file("education_attendance", NAME, f"{header}\n{first}\n{line}\n{second}\n")
    (result,) = landing.load()
    counts = (result.rows_delivered, result.rows_loaded, result.rows_quarantined)
    assert counts == (3, 2, 1)
    assert landing.query("SELECT line, rule FROM quarantine.rows") == [(3, rule)]
    lines = landing.query("SELECT _line FROM raw.education_attendance__pupils ORDER BY 1")
    assert lines == [(2,), (4,)]


def test_a_value_over_several_lines_is_one_row_and_later_lines_still_count(
    landing: Landing,
) -> None:
    rows = [pupil(1, address_line_1="Flat 2\n1 High Street"), pupil(2)]
    landing.file("education_attendance", NAME, pupils(*rows))
    landing.load()
    query = "SELECT _line, address_line FROM identity.education_attendance__pupils ORDER BY 1"
    assert landing.query(query) == [(2, "Flat 2\n1 High Street"), (4, "Sample")]


def test_blank_lines_are_no_rows(landing: Landing) -> None:
    header, first, second = pupils(pupil(1), pupil(2)).splitlines()
    landing.file("education_attendance", NAME, f"{header}\r\n{first}\r\n\r\n{second}\r\n\r\n\r\n")
    (result,) = landing.load()
    assert (result.rows_delivered, result.rows_loaded) == (2, 2)
    lines = landing.query("SELECT _line FROM raw.education_attendance__pupils ORDER BY 1")
    assert lines == [(2,), (4,)]


def test_a_repeated_key_is_set_aside_behind_its_first_row(landing: Landing) -> None:
    rows = [
        pupil(1, surname="First"),
        pupil(2),
        pupil(1, surname="Later"),
        pupil(1, surname="First"),
    ]
    landing.file("education_attendance", NAME, pupils(*rows))
    (result,) = landing.load()
    assert (result.rows_loaded, result.rows_quarantined) == (2, 2)
    assert landing.query("SELECT line, rule FROM quarantine.rows") == [
        (4, "duplicate_key"),
        (5, "duplicate_key"),
    ]
    query = "SELECT surname FROM identity.education_attendance__pupils ORDER BY _line"
    assert landing.query(query) == [("First",), ("Sample",)]


def test_an_invalid_optional_value_is_set_aside_and_its_row_loaded(landing: Landing) -> None:
    rows = [pupil(1, leaving_date="soon", fsm_eligible="perhaps", sex="X")]
    landing.file("education_attendance", NAME, pupils(*rows))
    (result,) = landing.load()
    assert (result.rows_loaded, result.rows_quarantined) == (1, 0)
    query = 'SELECT column_name, rule, value_redacted FROM quarantine."values" ORDER BY 1'
    assert landing.query(query) == [
        ("fsm_eligible", "not_a_boolean", "xxxxxxx"),
        ("leaving_date", "not_a_date", "xxxx"),
        ("sex", "unknown_code", "x"),
    ]


@pytest.mark.control("D06")
def test_no_value_of_a_person_reaches_quarantine_or_an_error(landing: Landing) -> None:
    rows = [pupil(1, date_of_birth="Zebedee 17"), pupil(2, upn="Q1", leaving_date="Zebedee")]
    landing.file("education_attendance", NAME, pupils(*rows) + "Zebedee,17\n")
    landing.load()
    told = landing.query("SELECT * FROM quarantine.rows UNION ALL SELECT * FROM quarantine.values")
    assert len(told) == 3
    assert "Zebedee" not in str(told)
    assert "17" not in str([row[7] for row in told])


# ---- ndjson

PROBATION = CONTRACTS["probation"]
PERSONS = PROBATION.by_name["persons"]


def adults(*numbers: int) -> list[str]:
    rows = [sample_row(PROBATION, PERSONS, crn=f"X{n:05d}") for n in numbers]
    return [json.dumps(record(PROBATION, PERSONS, row)) for row in rows]


def test_a_broken_json_line_costs_itself_alone(landing: Landing) -> None:
    one, two = adults(1, 2)
    text = f'{one}\n{{"identifiers": \n\n[1]\n{two}\n'
    landing.file("probation", file_name(PERSONS), text)
    (result,) = landing.load()
    people = result.tables[0]
    assert (people.delivered, people.loaded, people.quarantined) == (4, 2, 2)
    assert landing.query("SELECT line, rule FROM quarantine.rows") == [
        (2, "invalid_json"),
        (4, "invalid_json"),
    ]


def test_a_json_file_cut_in_its_last_record_is_refused(landing: Landing) -> None:
    one, two = adults(1, 2)
    landing.file("probation", file_name(PERSONS), f"{one}\n{two[:-9]}")
    (result,) = landing.load()
    assert result.error is not None
    assert (result.error.rule, result.error.line) == ("truncated_file", 2)


def test_a_json_list_that_is_none_is_set_aside(landing: Landing) -> None:
    adult = json.loads(adults(1)[0]) | {"supervisions": {"number": 1}}
    landing.file("probation", file_name(PERSONS), json.dumps(adult) + "\n")
    landing.load()
    query = "SELECT table_name, line, column_name, rule FROM quarantine.rows"
    assert landing.query(query) == [("sentences", 1, "supervisions", "not_a_list")]


def test_records_of_another_kind_are_set_aside(landing: Landing) -> None:
    fhir = CONTRACTS["health_fhir"]
    patients = fhir.by_name["patients"]
    good = record(fhir, patients, sample_row(fhir, patients))
    other = {**good, "id": "2", "resourceType": "Encounter"}
    text = f"{json.dumps(good)}\n{json.dumps(other)}\n"
    landing.file("health_fhir", file_name(patients), text)
    (result,) = landing.load()
    assert (result.rows_loaded, result.rows_quarantined) == (1, 1)
    assert landing.query("SELECT line, rule FROM quarantine.rows") == [(2, "other_record")]


def test_a_json_file_of_another_feed_is_refused(landing: Landing) -> None:
    name = file_name(CONTRACTS["health_fhir"].by_name["patients"])
    landing.file("health_fhir", name, "\n".join(adults(1, 2)) + "\n")
    (result,) = landing.load()
    assert result.error is not None
    assert result.error.rule == "other_feed"
    assert STAMP in result.error.file
