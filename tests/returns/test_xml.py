"""Writing a return as XML and reading it back; what a file from outside may and may not be."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffp_data.returns import Header, cin, validate_file, xml_source, xml_writer
from ffp_data.returns.xml_reader import load_xml, parse_date
from ffp_data.returns.xml_source import UnreadableReturnError
from ffp_data.returns.xml_writer import XmlWriteError, write_xml
from tests.returns.cin_returns import CASES, YEAR, add_children, empty_return

LAYOUT = cin.layout(YEAR)
HEADER = Header.for_year("CIN", YEAR, "999", datetime(2026, 5, 1, 9, 30, tzinfo=UTC))
TABLES = [table.name for table in LAYOUT.tables]


def a_return(*changes: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    empty_return(con)
    add_children(con, changes)
    return con


def written(con: duckdb.DuckDBPyConnection, path: Path) -> str:
    write_xml(con, LAYOUT, HEADER, path, "returns")
    return path.read_text(encoding="utf-8")


def test_elements_stand_in_the_order_of_the_schema_and_empty_ones_are_left_out(
    tmp_path: Path,
) -> None:
    con = a_return({"add": {"review": [{"cpp_review_date": date(2025, 8, 1)}]}})
    golden = Path(__file__).with_name("golden_cin.xml").read_text(encoding="utf-8")
    assert written(con, tmp_path / "cin.xml") == golden


def test_equal_tables_give_equal_bytes_whatever_the_order_of_their_rows(tmp_path: Path) -> None:
    children = [case for both in CASES["cases"].values() for case in both["breaks"]]
    con = a_return(*children)
    first = written(con, tmp_path / "a.xml")
    for table in TABLES:
        con.execute(f"CREATE TABLE shuffled AS FROM returns.{table} AS t ORDER BY hash(t)")
        con.execute(f"DELETE FROM returns.{table}")
        con.execute(f"INSERT INTO returns.{table} FROM shuffled")
        con.execute("DROP TABLE shuffled")
    assert written(con, tmp_path / "b.xml") == first


def test_a_return_is_the_same_in_small_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    con = a_return(*[{}] * 7)
    whole = written(con, tmp_path / "a.xml")
    monkeypatch.setattr(xml_writer, "BATCH", 2)
    assert written(con, tmp_path / "b.xml") == whole


def test_booleans_are_written_0_and_1(tmp_path: Path) -> None:
    con = a_return(
        {"set": {"episode": {"referral_nfa": "false"}, "s47": {"icpc_not_required": "true"}}}
    )
    xml = written(con, tmp_path / "cin.xml")
    assert "<ReferralNFA>0</ReferralNFA>" in xml
    assert "<ICPCnotRequired>1</ICPCnotRequired>" in xml


def test_a_character_that_xml_does_not_allow_is_named_by_place_and_not_shown(
    tmp_path: Path,
) -> None:
    con = a_return({"set": {"child": {"ethnicity": "WB\x02RI"}}})
    with pytest.raises(XmlWriteError, match=r"cin_children\.ethnicity.*'child_key': '1'") as error:
        written(con, tmp_path / "cin.xml")
    assert "WB" not in str(error.value)


def test_a_file_that_was_written_reads_back_to_the_same_rows(tmp_path: Path) -> None:
    children = [case for both in CASES["cases"].values() for case in both["holds"]]
    con = a_return(*children)
    path = tmp_path / "cin.xml"
    text = written(con, path)
    loaded = load_xml(con, LAYOUT, path, "again")
    assert not loaded.findings
    assert loaded.rows["cin_children"] == len(children)
    write_xml(con, LAYOUT, HEADER, path, "again")
    assert path.read_text(encoding="utf-8") == text


def test_a_written_return_without_faults_validates_clean(tmp_path: Path) -> None:
    written(a_return({}), tmp_path / "cin.xml")
    assert validate_file("cin", tmp_path / "cin.xml", YEAR) == ([], 0)


def edited(tmp_path: Path, old: str, new: str) -> Path:
    path = tmp_path / "cin.xml"
    text = written(a_return({}), path)
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_true_and_false_are_read_as_1_and_0(tmp_path: Path) -> None:
    path = edited(tmp_path, "<ReferralNFA>0<", "<ReferralNFA>false<")
    assert validate_file("cin", path, YEAR) == ([], 0)


def test_a_date_that_is_none_is_a_finding_with_its_line(tmp_path: Path) -> None:
    path = edited(tmp_path, "<CPPreviewDate>2025-09-30<", "<CPPreviewDate>30/09/2025<")
    findings, code = validate_file("cin", path, YEAR)
    assert code == 1
    assert [f.rule for f in findings] == ["format", "8842Q"]
    line = path.read_text(encoding="utf-8").split("30/09/2025")[0].count("\n") + 1
    assert findings[0].message == f"Line {line}: CPPreviewDate is not a date (YYYY-MM-DD)."
    assert findings[0].values == ("30/09/2025",)
    assert findings[0].child == "1"


def test_an_empty_reviews_group_is_query_8842(tmp_path: Path) -> None:
    path = edited(tmp_path, "<CPPreviewDate>2025-09-30</CPPreviewDate>", "")
    assert [f.rule for f in validate_file("cin", path, YEAR)[0]] == ["8842Q"]


def test_an_empty_upn_counts_as_missing(tmp_path: Path) -> None:
    path = edited(tmp_path, "<Sex>F</Sex>", "<Sex>F</Sex><PersonDeathDate/>")
    assert validate_file("cin", path, YEAR) == ([], 0)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "<Sex>F</Sex>",
            "<Sex>F</Sex><GenderCurrent>2</GenderCurrent>",
            "GenderCurrent is not part",
        ),
        ("<Sex>F</Sex>", "<Sex>F</Sex><UPN>X</UPN>", "UPN is there more than once"),
        ("<Reviews>", "<Reviews/><Reviews>", "Reviews is there more than once"),
        (
            "<CPPendDate>",
            "<NumberOfPreviousCPP>1</NumberOfPreviousCPP><CPPendDate>",
            "out of order",
        ),
    ],
)
def test_an_element_that_the_schema_does_not_have_there_is_a_finding(
    tmp_path: Path, old: str, new: str, problem: str
) -> None:
    findings, code = validate_file("cin", edited(tmp_path, old, new), YEAR)
    assert code == 1
    assert any(f.rule == "schema" and problem in f.message for f in findings)


BOMB = '<!DOCTYPE Message [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
XML = '<?xml version="1.0"?>\n'


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        (XML + BOMB + "<Message>&b;</Message>", 2, "DOCTYPE"),
        (XML + "<!-- <Message> -->\n<!doctype Message><Message/>", 3, "DOCTYPE"),
        (XML + '<!DOCTYPE Message SYSTEM "http://x.invalid/x.dtd"><Message/>', 2, "DOCTYPE"),
        ((XML + BOMB + "<Message/>").replace("1.0", "1.0").encode("utf-16"), 2, "DOCTYPE"),
        (XML + "<Message><Header>", 2, "not well-formed"),
        (XML + "<Message>" + "<a>" * 300 + "</a>" * 300 + "</Message>", 2, "deeper than"),
        (XML + '<Message xmlns="urn:x"/>', 2, "namespace 'urn:x'"),
        (XML + "<Other/>", 2, "<Other>"),
        ("LAchildID,UPN\n1,2\n", 1, "not well-formed"),
        (b"\xff\xfe\x00", 1, "not well-formed"),
        (b"<Message>\n<!-- \xe9 --></Message>", 2, "invalid token), column 6"),
        ("", 1, "empty"),
        ('<?xml version="1.0" encoding="no-such"?><Message/>', 1, "not well-formed"),
        (XML + "<Message>&amp;&unknown;</Message>", 2, "not well-formed"),
        (XML + '<x:Message xmlns:x="urn:x"/>', 2, "namespace 'urn:x'"),
        (XML + '<Message>\n<Children xmlns="urn:x"/></Message>', 3, "namespace 'urn:x'"),
        (XML + '<Message xmlns:x="urn:x">\n<x:Header/></Message>', 3, "namespace 'x'"),
        (XML + "<Message>\n<Children><Child/>\nlost</Children></Message>", 4, "text between"),
    ],
)
def test_a_file_that_is_not_a_return_is_refused_with_file_line_and_reason(
    tmp_path: Path, content: str | bytes, line: int, reason: str
) -> None:
    path = tmp_path / "bad.xml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (finding,), code = validate_file("cin", path, YEAR)
    assert code == 2
    assert finding.rule == "unreadable"
    assert finding.message.startswith(f"{path}:{line}:")
    assert reason in finding.message


def test_a_file_above_the_limit_of_size_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = edited(tmp_path, "<Sex>F", "<Sex>F")
    monkeypatch.setattr(xml_source, "MAX_BYTES", 100)
    with pytest.raises(UnreadableReturnError, match="bytes"):
        load_xml(duckdb.connect(), LAYOUT, path, "file")


def test_a_child_of_endless_elements_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = edited(tmp_path, "<Sex>F", "<a/>" * 500 + "<Sex>F")
    monkeypatch.setattr(xml_source, "MAX_HELD", 400)
    monkeypatch.setattr(xml_source, "_BLOCK", 2_000)
    with pytest.raises(UnreadableReturnError, match=r"cin\.xml:\d+: more than 400 characters"):
        load_xml(duckdb.connect(), LAYOUT, path, "file")


def test_a_comment_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "cin.xml"
    path.write_text("<Message>\n<!--" + "x" * 5_000, encoding="utf-8")
    monkeypatch.setattr(xml_source, "MAX_TOKEN", 1_000)
    monkeypatch.setattr(xml_source, "_BLOCK", 500)
    with pytest.raises(UnreadableReturnError, match="one tag or comment"):
        load_xml(duckdb.connect(), LAYOUT, path, "file")


def test_lines_are_exact_beyond_the_65535th(tmp_path: Path) -> None:
    path = tmp_path / "cin.xml"
    written(a_return({}), path)
    start, child, end = re.split(r"(<Child>.*</Child>\n)", path.read_text("utf-8"), flags=re.S)
    number = 70_000 // child.count("\n") + 2
    fault = "<Surprise/><PersonDeathDate>31/12/2025</PersonDeathDate>"
    wrong = child.replace("<Sex>F</Sex>", f"<Sex>F</Sex>\n{fault}")
    text = start + child * number + wrong + child + end
    path.write_text(text, encoding="utf-8")
    loaded = load_xml(duckdb.connect(), LAYOUT, path, "file")
    line = text.split("<Surprise/>")[0].count("\n") + 1
    assert line > 70_000
    assert {f.message for f in loaded.findings} == {
        f"Line {line}: Surprise is not part of the layout here.",
        f"Line {line}: PersonDeathDate is not a date (YYYY-MM-DD).",
    }


def test_an_element_beside_header_and_children_is_a_finding(tmp_path: Path) -> None:
    path = edited(tmp_path, "<Children>", "<Adults><Adult/></Adults><Children>")
    findings, code = validate_file("cin", path, YEAR)
    assert code == 1
    assert [(f.rule, f.fields) for f in findings] == [("schema", ("Adults",))]


def test_a_prefix_that_nothing_uses_does_no_harm(tmp_path: Path) -> None:
    declared = '<Message xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    assert validate_file("cin", edited(tmp_path, "<Message>", declared), YEAR) == ([], 0)


@pytest.mark.parametrize(
    ("pattern", "new", "told"),
    [
        ("<Header>.*</Header>", "", "No header names the collection; taken for CIN."),
        ("<Collection>CIN</Collection>", "", "No header names the collection; taken for CIN."),
        ("<Child>.*</Child>", "", "The return has no Child."),
        ("<Children>.*</Children>", "", "The return has no Child."),
        ("<Child>", "<Child>lost", "Child has text beside its elements."),
        ("</Header>", r"</Header><Header><Year>2020</Year></Header>", "Header is not part of"),
        (r"(<Header>.*</Header>)(.*</Children>)", r"\2\1", "Header is out of order."),
    ],
)
def test_what_a_return_lacks_or_has_too_much_of_is_a_finding(
    tmp_path: Path, pattern: str, new: str, told: str
) -> None:
    path = tmp_path / "cin.xml"
    text = written(a_return({}), path)
    path.write_text(re.sub(pattern, new, text, count=1, flags=re.S), encoding="utf-8")
    findings, code = validate_file("cin", path, YEAR)
    assert code == 1
    assert any(f.rule == "schema" and told in f.message for f in findings)


def test_a_return_without_header_breaks_rule_100(tmp_path: Path) -> None:
    path = tmp_path / "cin.xml"
    text = written(a_return({}), path)
    path.write_text(re.sub("<Header>.*</Header>", "", text, flags=re.S), encoding="utf-8")
    assert "100" in {f.rule for f in validate_file("cin", path, YEAR)[0]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252"])
def test_a_return_is_read_in_the_encoding_that_it_declares(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "cin.xml"
    text = written(a_return({}), path)
    declared = re.sub(r"<\?xml[^>]*>", f'<?xml version="1.0" encoding="{encoding}"?>', text)
    path.write_bytes(declared.encode(encoding))
    assert validate_file("cin", path, YEAR) == ([], 0)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("<Collection>CIN<", "<Collection>CLA<", "this is a CLA return, not CIN"),
        (
            "<Year>2026</Year>\n    <ReferenceDate>2026-03-31<",
            "<Year>2025</Year>\n    <ReferenceDate>2025-03-31<",
            "this is a CIN return for 2024-25, not 2025-26; validate it with --year 2024-25",
        ),
    ],
)
def test_a_return_of_another_collection_or_year_is_named_as_such(
    tmp_path: Path, old: str, new: str, reason: str
) -> None:
    (finding,), code = validate_file("cin", edited(tmp_path, old, new), YEAR)
    assert code == 2
    assert reason in finding.message


@pytest.mark.parametrize(
    ("old", "new"),
    [("<Year>2026<", "<Year>2025<"), ("<ReferenceDate>2026-03-31<", "<ReferenceDate>2026-03-30<")],
)
def test_a_header_that_contradicts_itself_is_rule_100(tmp_path: Path, old: str, new: str) -> None:
    findings, code = validate_file("cin", edited(tmp_path, old, new), YEAR)
    assert ([f.rule for f in findings], code) == (["100"], 1)


@given(st.dates())
def test_every_iso_date_is_a_date(day: date) -> None:
    assert parse_date(day.isoformat()) == day


@given(st.text(max_size=12))
def test_no_text_stops_the_reading_of_a_date(text: str) -> None:
    parsed = parse_date(text)
    assert parsed is None or parsed.isoformat() == text
