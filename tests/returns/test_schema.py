"""The XML schema made from a layout takes what the writer writes and refuses what is out of shape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest
from lxml import etree

from ffp_data.returns import cin, tehadc, xml_schema
from ffp_data.returns.validate import validate_file
from ffp_data.returns.xml_reader import load_xml
from ffp_data.returns.xml_source import UnreadableReturnError
from tests.returns.cin_returns import YEAR

GOLDEN = Path(__file__).with_name("golden_cin.xml").read_text("utf-8")
MODULE = "PreProceedingsandFGDM"


def faults(schema: bytes, text: str) -> list[str]:
    checker = etree.XMLSchema(etree.fromstring(schema))
    checker.validate(etree.fromstring(text.encode("utf-8")))
    return [entry.message for entry in checker.error_log]


@pytest.mark.parametrize("year", cin.years())
def test_a_written_return_passes_the_schema_of_each_year(year: str) -> None:
    assert faults(xml_schema(cin.layout(year)), GOLDEN) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("<Sex>F<", "<Sex>X<", "not an element of the set"),
        ("<PersonBirthDate>2012-05-10<", "<PersonBirthDate>10/05/2012<", "not a valid value"),
        (
            "<LAchildID>1<",
            "<LAchildID>123456789012345678901<",
            "exceeds the allowed maximum length",
        ),
        ("<NumberOfPreviousCPP>0<", "<NumberOfPreviousCPP>-1<", "not a valid value"),
        ("<ReferralNFA>0<", "<ReferralNFA>no<", "not a valid value"),
        ("<CPPstartDate>", "<CPPendDate>2025-12-02</CPPendDate><CPPstartDate>", "not expected"),
        ("<Sex>F</Sex>", "<Sex>F</Sex><GenderCurrent>2</GenderCurrent>", "not expected"),
        ("<Reviews>", "<Reviews/><Reviews>", "Missing child element"),
    ],
)
def test_what_is_out_of_shape_does_not_pass(old: str, new: str, fault: str) -> None:
    assert old in GOLDEN
    found = faults(xml_schema(cin.layout(YEAR)), GOLDEN.replace(old, new, 1))
    assert any(fault in message for message in found), found


def test_a_missing_value_is_left_to_the_rules() -> None:
    schema = xml_schema(cin.layout(YEAR))
    assert faults(schema, GOLDEN.replace("<Ethnicity>WBRI</Ethnicity>", "", 1)) == []


def test_the_schema_says_what_is_provisional() -> None:
    assert b"PROVISIONAL" in xml_schema(cin.layout("2026-27"))
    assert b"PROVISIONAL" not in xml_schema(cin.layout(YEAR))


def test_the_early_help_profile_has_a_schema_too() -> None:
    schema = etree.fromstring(xml_schema(tehadc.profile(YEAR).layout))
    names = schema.xpath(
        "//xs:element/@name", namespaces={"xs": "http://www.w3.org/2001/XMLSchema"}
    )
    assert "TEHEpisodeID" in names
    assert "NHSNumber" not in names, "an item that is switched off is not written"


def provisional(tmp_path: Path) -> Path:
    path = tmp_path / "cin.xml"
    text = GOLDEN.replace("2026</Year>", "2027</Year>").replace(
        "<ReferenceDate>2026-", "<ReferenceDate>2027-"
    )
    module = f"<{MODULE}><PPStartDate>2026-05-01</PPStartDate><PPOutcome>A</PPOutcome></{MODULE}>"
    path.write_text(text.replace("</CINdetails>", f"{module}</CINdetails>"), "utf-8")
    return path


def test_the_provisional_module_is_read_when_it_is_switched_on(tmp_path: Path) -> None:
    path = provisional(tmp_path)
    con = duckdb.connect()
    loaded = load_xml(con, cin.layout("2026-27", (MODULE,)), path, "file")
    assert not loaded.findings
    row: Any = con.execute(
        "SELECT pp_start_date::VARCHAR, pp_outcome FROM file.cin_pre_proceedings"
    )
    assert row.fetchall() == [("2026-05-01", "A")]
    assert faults(xml_schema(cin.layout("2026-27", (MODULE,))), path.read_text("utf-8")) == []


def test_the_provisional_module_is_named_when_it_is_switched_off(tmp_path: Path) -> None:
    findings, _ = validate_file("cin", provisional(tmp_path), "2026-27")
    (found,) = [f for f in findings if f.rule == "schema"]
    assert f"switched off; read it with --module {MODULE}" in found.message


def test_a_provisional_return_read_as_another_year_is_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(UnreadableReturnError, match="CIN return for 2026-27, not 2025-26"):
        load_xml(duckdb.connect(), cin.layout(YEAR), provisional(tmp_path), "file")
