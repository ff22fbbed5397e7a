"""XML deliveries: what is read, what costs one record, and what is refused whole."""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ffp_data import feeds
from ffp_data.feeds import xml_reader
from ffp_data.feeds.file_facts import inspect
from tests.feeds.conftest import CONTRACTS
from tests.feeds.samples import STAMP, Landing

CTF = CONTRACTS["ctf"]
NAME = f"9992001_CTF_9992002_001_{STAMP}.xml"
HEADER = """<Header>
<DocumentName>Common Transfer File</DocumentName><CTFversion>25.0</CTFversion>
<DateTime>2026-01-09T15:30:00</DateTime>
<SourceSchool><LEA>999</LEA><Estab>2001</Estab><SchoolName>Elm Primary</SchoolName></SourceSchool>
<DestSchool><LEA>999</LEA><Estab>2002</Estab></DestSchool>
</Header>
"""
UPN = "A001000000001"


def pupil(upn: str = UPN, extra: str = "", **values: str) -> str:
    told = {"Surname": "Sample", "Forename": "Ada", "DOB": "2014-05-06", "Sex": "F"} | values
    elements = "".join(f"<{name}>{escape(value)}</{name}>\n" for name, value in told.items())
    return f"<Pupil>\n<UPN>{upn}</UPN>\n{elements}{extra}</Pupil>\n"


def ctf(*pupils: str, declaration: str = '<?xml version="1.0" encoding="UTF-8"?>\n') -> str:
    return f"{declaration}<CTfile>\n{HEADER}<CTFpupilData>\n{''.join(pupils)}</CTFpupilData>\n</CTfile>\n"


def school(estab: str, entry: str, leaving: str = "") -> str:
    left = f"<LeavingDate>{leaving}</LeavingDate>" if leaving else ""
    return (
        f"<School><LEA>999</LEA><Estab>{estab}</Estab><EntryDate>{entry}</EntryDate>{left}</School>"
    )


def load(landing: Landing, content: str | bytes, name: str = NAME) -> feeds.DeliveryResult:
    landing.file("ctf", name, content)
    (result,) = landing.load()
    return result


def test_a_pupil_is_read_with_the_header_and_lines_of_the_file(landing: Landing) -> None:
    result = load(landing, ctf(pupil(), pupil("A001000000002", Forename="Ben & Co")))
    assert (result.status, result.error) == ("loaded", None)
    query = "SELECT _line, source_lea, source_estab, dest_estab, sent_at::VARCHAR FROM raw.ctf__pupils ORDER BY 1"
    told = ("999", "2001", "2002", "2026-01-09 15:30:00")
    assert landing.query(query) == [(10, *told), (17, *told)]
    names = "SELECT given_name, sex FROM identity.ctf__pupils ORDER BY _line"
    assert landing.query(names) == [("Ada", "F"), ("Ben & Co", "F")]


def test_the_element_that_older_versions_have_in_place_of_sex_is_read(landing: Landing) -> None:
    older = pupil().replace("Sex>", "Gender>")
    load(landing, ctf(older))
    assert landing.query("SELECT sex FROM identity.ctf__pupils") == [("F",)]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_list_is_a_list_with_none_one_or_several_elements(landing: Landing, count: int) -> None:
    history = "".join(school(f"200{n}", f"202{n}-09-01") for n in range(count))
    load(landing, ctf(pupil(extra=f"<SchoolHistory>{history}</SchoolHistory>")))
    query = "SELECT estab, record_key FROM raw.ctf__schools ORDER BY 1"
    key = f"ctf|s2s|999:2001:{UPN}"
    assert landing.query(query) == [(f"200{n}", key) for n in range(count)]


def test_both_ways_to_write_marks_give_the_same_totals(landing: Landing) -> None:
    totals = (
        "<SessionsPossible>100</SessionsPossible><SessionsAuthorised>4</SessionsAuthorised>"
        "<SessionsAttended>95</SessionsAttended><SessionsUnauthorised>1</SessionsUnauthorised>"
    )
    for number, marks in enumerate((r"/\/\I", r"/,\,/,\,C1"), start=1):
        start = "<AttendanceStartDate>2025-09-03</AttendanceStartDate>"
        sessions = (
            f"<AttendSessions>{start}<AttendanceMarks>{marks}</AttendanceMarks></AttendSessions>"
        )
        year = f"<YearData><Year>2026</Year><LEA>999</LEA><Estab>2001</Estab>{totals}{sessions}</YearData>"
        name = NAME.replace("_001_", f"_00{number}_")
        upn = f"A00100000000{number}"
        load(landing, ctf(pupil(upn, extra=f"<Attendance>{year}</Attendance>")), name)
    query = """SELECT sessions_possible, sessions_attended, sessions_authorised, sessions_unauthorised
        FROM raw.ctf__years"""
    assert landing.query(query) == [(100, 95, 4, 1)] * 2


def test_lines_are_right_in_a_file_of_more_lines_than_libxml2_counts(landing: Landing) -> None:
    filler = "\n" * 70_000
    load(landing, ctf(pupil(), filler, pupil("A001000000002")))
    assert landing.query("SELECT _line FROM raw.ctf__pupils ORDER BY 1") == [(10,), (70_017,)]


def test_records_on_one_line_are_told_apart_by_number(landing: Landing) -> None:
    one_line = ctf(pupil(), pupil("A001000000002")).replace("\n", "")
    result = load(landing, one_line.replace("?>", "?>\n"))
    assert result.rows_loaded == 2
    query = "SELECT _line, _element FROM raw.ctf__pupils ORDER BY 2"
    assert landing.query(query) == [(2, 1), (2, 2)]


@pytest.mark.parametrize("declaration", ["", '<?xml version="1.0" encoding="UTF-8"?>\n'])
def test_a_file_of_windows_letters_that_does_not_say_so_is_read_and_noted(
    landing: Landing, declaration: str
) -> None:
    load(landing, ctf(pupil(Surname="Núñez"), declaration=declaration).encode("cp1252"))
    assert landing.query("SELECT surname FROM identity.ctf__pupils") == [("Núñez",)]
    ((note,),) = landing.query("SELECT notes FROM meta.deliveries WHERE table_name = 'pupils'")
    assert "read as windows-1252" in note


def test_a_byte_order_mark_and_a_declared_western_encoding_are_no_fault(landing: Landing) -> None:
    load(landing, b"\xef\xbb\xbf" + ctf(pupil(Surname="Núñez")).encode())
    western = '<?xml version="1.0" encoding="ISO-8859-1"?>\n'
    other = ctf(pupil("A001000000002", Surname="Øst"), declaration=western).encode("latin1")
    load(landing, other, NAME.replace("_001_", "_002_"))
    query = "SELECT surname FROM identity.ctf__pupils ORDER BY 1"
    assert landing.query(query) == [("Núñez",), ("Øst",)]


@pytest.mark.parametrize(
    ("broken", "rule", "column"),
    [
        (pupil("A001000000002", extra="<Surname>Other</Surname>\n"), "repeated_element", "Surname"),
        (pupil("A001000000002").replace("Ada", "<b>Ada</b>"), "not_a_value", "Forename"),
        (
            pupil("A001000000002", extra="<BasicDetails/><BasicDetails/>"),
            "repeated_element",
            "BasicDetails",
        ),
    ],
)
def test_a_record_of_another_shape_costs_itself_alone(
    landing: Landing, broken: str, rule: str, column: str
) -> None:
    result = load(landing, ctf(pupil(), broken, pupil("A001000000003")))
    assert (result.tables[0].delivered, result.tables[0].loaded) == (3, 2)
    query = "SELECT table_name, line, column_name, rule FROM quarantine.rows"
    assert landing.query(query) == [("pupils", 17, column, rule)]


def test_a_record_without_its_key_costs_itself_alone(landing: Landing) -> None:
    load(landing, ctf(pupil(), pupil("")))
    query = "SELECT line, column_name, rule FROM quarantine.rows"
    assert landing.query(query) == [(17, "upn", "required")]


LOCAL_ENTITY = '<!DOCTYPE CTfile [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>\n'
ROOT = "<CTfile><CTFpupilData><Pupil>{}</Pupil></CTFpupilData></CTfile>"


@pytest.mark.parametrize(
    ("content", "rule", "line"),
    [
        ("", "empty_file", 1),
        (LOCAL_ENTITY + ROOT.format("<UPN>&b;</UPN>"), "doctype", 1),
        ("<!-- <CTfile> -->\n<!doctype CTfile><CTfile/>", "doctype", 2),
        ("<?x <CTfile> ?>\n\n<!DOCTYPE CTfile SYSTEM 'file:///etc/passwd'><CTfile/>", "doctype", 3),
        ((LOCAL_ENTITY + "<CTfile/>").encode("utf-16-le"), "wrong_encoding", 1),
        (ROOT.format("<UPN>&undeclared;</UPN>"), "not_well_formed", 1),
        (ROOT.format("\n" + "<a>" * 40 + "</a>" * 40), "too_deep", 2),
        (ROOT.format(f"\n<UPN>{'x' * (xml_reader.MAX_HELD + 1)}</UPN>"), "too_large", 2),
        (ROOT.format(f"\n<UPN a='{'x' * (3 << 20)}'/>"), "too_large", 2),
        ("<CTfile>\n<!--" + "x" * (4 << 20), "too_large", 2),
        ("<?xml version='1.0'?>" + "\n" * (2 << 20), "not_xml", 1),
        ("<CTfile xmlns='urn:x'/>", "namespace", 1),
        ("<c:CTfile xmlns:c='urn:x'/>", "namespace", 1),
        ("\n<Message/>", "other_root", 2),
        (ROOT.format("<UPN>1</UPN>")[:-12], "not_well_formed", 1),
        (ROOT.format("\n<UPN>\x01</UPN>"), "not_well_formed", 2),
        (ROOT.format("\n<UPN>\x00</UPN>"), "not_well_formed", 2),
        (ROOT.format("\n<UPN a='1' a='2'/>"), "not_well_formed", 2),
        (ROOT.format("") + "<CTfile/>", "not_well_formed", 1),
        ("name,upn\nAda,1\n", "not_well_formed", 1),
        ("<CTfile><CTFpupilData/></CTfile>", "no_records", 1),
        ("<?xml version='1.0' encoding='UTF-7'?>\n<CTfile/>", "wrong_encoding", 1),
        ("<CTfile/>".encode("utf-16"), "wrong_encoding", 1),
    ],
)
def test_a_file_that_is_no_such_xml_is_refused_whole_with_its_line(
    landing: Landing, content: str | bytes, rule: str, line: int
) -> None:
    result = load(landing, content)
    assert result.error is not None
    assert (result.status, result.error.rule, result.error.line) == ("refused", rule, line)
    assert result.error.file == NAME
    assert landing.query("SELECT * FROM raw.ctf__pupils") == []


def test_a_fault_in_the_middle_leaves_nothing_of_the_file_behind(landing: Landing) -> None:
    content = ctf(pupil(), pupil("A001000000002")).replace("</CTFpupilData>", "<oops>")
    result = load(landing, content)
    assert result.error is not None
    assert result.error.rule == "not_well_formed"
    assert (result.error.line, result.error.column) == (25, "character 3")
    assert landing.query("SELECT count(*) FROM raw.ctf__pupils") == [(0,)]


def test_no_value_of_a_person_stands_in_a_refusal(landing: Landing) -> None:
    result = load(landing, ctf(pupil(Surname="Zebedee")).replace("</Surname>", "</Zebedee>"))
    assert result.error is not None
    assert "Zebedee" not in str(result.error)


TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\u2028"),
    max_size=12,
)
SPACE = st.sampled_from(["", "\n", "\n\n  ", "<!-- <UPN>9</UPN> -->", "<?x y?>\n"])


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(SPACE, st.dictionaries(st.sampled_from(["Surname", "Forename"]), TEXT)),
        min_size=1,
        max_size=5,
    )
)
def test_any_layout_of_the_same_elements_gives_the_same_values(
    landing: Landing, records: list[tuple[str, Mapping[str, str]]]
) -> None:
    parts = [
        space + pupil(f"A{n:012d}", **told).replace("\n", space)
        for n, (space, told) in enumerate(records)
    ]
    path = landing.file("ctf", NAME, ctf(*parts))
    facts = inspect(path, CTF.hub.encodings)
    xml_reader.read_records(landing.con, path, facts, CTF, "documents")
    found = landing.query("SELECT doc->>'$.UPN', doc->>'$.Surname' FROM documents ORDER BY _record")
    wanted = [
        (f"A{n:012d}", told.get("Surname", "Sample").strip() or None)
        for n, (_, told) in enumerate(records)
    ]
    assert found == wanted
