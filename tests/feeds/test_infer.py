"""A first draft of a contract from a file that nobody has described."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ffp_data import feeds
from ffp_data.feeds import FeedError
from ffp_data.feeds.contract import Contract
from ffp_data.feeds.draft import agreement_for, contract_like, contract_of_sample, feed_name
from ffp_data.feeds.infer import Column, infer_columns, words
from ffp_data.feeds.registry import PACKAGED, parse_draft
from ffp_data.feeds.sample import Sample, read_sample

NHS = ["9990000018", "9990000026", "9990000034"]
UPNS = ["A001000000001", "A001000000002"]


def columns(**values: list[str | None]) -> dict[str, Column]:
    rows = len(next(iter(values.values())))
    sample = Sample("csv", "utf-8", None, values, rows)
    return {column.source: column for column in infer_columns(sample)}


def draft(tmp_path: Path, name: str, text: str) -> Contract:
    """The contract drafted from a file of this name and text, read back as `check` reads it."""
    file = tmp_path / name
    file.write_text(text, "utf-8")
    return parse_draft(contract_of_sample(read_sample(file), name, feed_name(file)))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["2026-03-01", None], "date"),
        (["31/01/2026", "02/03/2026"], "date"),
        (["2026-03-01T10:00:00Z"], "timestamp"),
        (["yes", "NO"], "boolean"),
        (["0", "1"], "boolean"),
        (["0", "2"], "integer"),
        (["12", "-3"], "integer"),
        (["007", "12"], "string"),
        (["1.5", "2.25"], "number"),
        (["1E5"], "string"),
        (["30/02/2026"], "string"),
        ([None], "string"),
    ],
)
def test_a_type_holds_when_every_value_is_of_it(values: list[str | None], kind: str) -> None:
    assert columns(x=values)["x"].type == kind


def test_digits_that_name_something_are_no_amount() -> None:
    found = columns(person_id=["12", "13"], visits=["12", "13"])
    assert (found["person_id"].type, found["visits"].type) == ("string", "integer")


def test_a_few_wrong_dates_do_not_hide_a_column_of_dates_nor_a_second_way_to_write_them() -> None:
    found = columns(born=["01/02/2012", "2013-02-01"] * 50 + ["unknown"])["born"]
    assert (found.type, set(found.formats)) == ("date", {"%d/%m/%Y", "%Y-%m-%d"})
    assert "no date" in found.why[-1]


def test_days_before_months_unless_a_value_says_otherwise() -> None:
    found = columns(a=["01/02/2026"], b=["01/13/2026"])
    assert (found["a"].formats, found["b"].formats) == (("%d/%m/%Y",), ("%m/%d/%Y",))


def test_an_identifier_is_told_by_its_check_digit_whatever_its_header() -> None:
    assert columns(ref=NHS)["ref"].person == "nhs_number"
    assert columns(ref=[number[:-1] + "0" for number in NHS])["ref"].person is None
    liar = columns(nhs_number=["1234567890", "1234567891"])["nhs_number"]
    assert liar.person is None
    assert "not valid" in liar.why[0]


@pytest.mark.parametrize(
    ("header", "attribute"),
    [
        ("ChildDOB", "date_of_birth"),
        ("child_dob", "date_of_birth"),
        ("Child's DOB", "date_of_birth"),
        ("First Name", "given_name"),
        ("Previous Surname", "other_surname"),
        ("Mobile", "phone"),
        ("Worker Phone", None),
        ("Surname of worker", None),
    ],
)
def test_a_person_attribute_is_told_by_the_words_of_its_header(
    header: str, attribute: str | None
) -> None:
    assert columns(**{header: ["x", "y"]})[header].person == attribute


def test_an_attribute_is_filled_once() -> None:
    found = columns(surname=["a"], last_name=["b"])
    assert [c.person for c in found.values()] == ["surname", None]
    assert "too" in found["last_name"].why[0]


def test_codes_are_kept_and_names_are_not() -> None:
    found = columns(level=["low", "high"] * 40, surname=["Vale", "Moss"] * 40)
    assert found["level"].codes == ("high", "low")
    assert found["surname"].codes == ()


def test_few_rows_give_no_codes_since_their_values_may_be_anybody() -> None:
    assert columns(note=["Vale", "Moss"])["note"].codes == ()


CSV = (
    "Carer No,First Name,Last Name,DOB,NHS No,Start Date,End Date,Worker,Notes\n"
    f"C1,Ada,Vale,01/05/2012,{NHS[0]},05/02/2026,,Pat Oak,calls daily\n"
    f"C2,Ben,Moss,14/09/2014,{NHS[1]},10/10/2025,01/12/2025,Pat Oak,\n"
)


def test_a_csv_draft_has_key_person_spell_and_file_pattern(tmp_path: Path) -> None:
    contract = draft(tmp_path, "young_carers_20260327T030000Z.csv", CSV)
    (table,) = contract.tables
    assert (contract.id, contract.hub.format) == ("young_carers", "csv")
    assert (table.key, table.record_key) == (("carer_no",), ("carer_no",))
    assert table.physical_name == "young_carers_*.csv"
    assert {p.person for p in table.identity} == {
        "given_name",
        "surname",
        "date_of_birth",
        "nhs_number",
    }
    (spell,) = table.facts.involvements
    assert (spell.since, spell.until, spell.contact_name) == ("start_date", "end_date", "worker")
    assert contract.hub.date_formats == ("%d/%m/%Y",)


def test_no_value_of_the_sample_stands_in_the_draft(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV, "utf-8")
    text = contract_of_sample(read_sample(tmp_path / "a.csv"), "a.csv", "a")
    for value in ("Ada", "Vale", NHS[0], "Pat Oak", "calls daily", "2012"):
        assert value not in text


def test_a_draft_names_what_a_person_must_fill_in_and_holds_when_it_is_done(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV, "utf-8")
    text = contract_of_sample(read_sample(tmp_path / "a.csv"), "a.csv", "a")
    (tmp_path / "a.yaml").write_text(text, "utf-8")
    left = feeds.check_contracts(tmp_path / "a.yaml")
    assert [error.column for error in left] == [
        "description.purpose",
        "description.limitations",
        "hub.agency",
        "hub.agreement",
    ]
    for error in left:
        assert error.rule == "to_do"
        assert error.line is not None
        assert "TODO" in text.splitlines()[error.line - 1]
    (tmp_path / "a.yaml").write_text(text.replace("TODO", "x"), "utf-8")
    assert feeds.check_contracts(tmp_path / "a.yaml") == []


DOCUMENTS = {
    "people_20260327.json": json.dumps(
        {"header": {"n": 2}, "people": [{"id": "a", "name": {"family": "Vale"}}, {"id": "b"}]}
    ),
    "people_20260327.ndjson": '{"id": "a", "name": {"family": "Vale"}}\n{"id": "b"}\n',
    "people_20260327.xml": (
        "<all><head><n>2</n></head><people><person><id>a</id><name><family>Vale</family></name></person>"
        "<person><id>b</id></person></people></all>"
    ),
}


@pytest.mark.parametrize(
    ("name", "place", "form"),
    [
        ("people_20260327.json", "people[*]", "ndjson"),
        ("people_20260327.ndjson", None, "ndjson"),
        ("people_20260327.xml", "all/people/person", "xml"),
    ],
)
def test_records_are_found_in_documents_and_lines(
    tmp_path: Path, name: str, place: str | None, form: str
) -> None:
    contract = draft(tmp_path, name, DOCUMENTS[name])
    assert (contract.hub.format, contract.hub.records) == (form, place)
    paths = {p.name: p.path for p in contract.tables[0].properties}
    assert paths == {"id": "id", "family": "name.family"}


def test_the_records_of_a_bundle_are_what_its_entries_hold(tmp_path: Path) -> None:
    entries = [{"resource": {"id": str(n), "resourceType": "Flag"}} for n in range(3)]
    (tmp_path / "b.json").write_text(json.dumps({"entry": entries}), "utf-8")
    assert read_sample(tmp_path / "b.json").records == "entry[*].resource"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("a;b\n1;2\n", "not_a_sample"),
        ("a,a\n1,2\n", "not_a_sample"),
        ("{not json\n", "not_a_sample"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "doctype"),
        ("<a><b></a>", "not_xml"),
    ],
)
def test_a_file_that_is_no_sample_is_refused_in_words(tmp_path: Path, text: str, rule: str) -> None:
    (tmp_path / "a.txt").write_text(text, "utf-8")
    with pytest.raises(FeedError) as caught:
        read_sample(tmp_path / "a.txt")
    assert caught.value.rule == rule


@pytest.mark.parametrize("feed", sorted(feeds.load_contracts()))
def test_a_contract_after_any_other_leaves_the_agency_and_the_agreement_to_a_person(
    tmp_path: Path, feed: str
) -> None:
    text = (PACKAGED / f"{feed}.yaml").read_text("utf-8")
    new = contract_like(text, feeds.load_contracts()[feed], "another")
    (tmp_path / "another.yaml").write_text(new, "utf-8")
    left = {error.column for error in feeds.check_contracts(tmp_path / "another.yaml")}
    assert {"hub.agency", "hub.agreement"} <= left
    assert parse_draft(new).id == "another"


def test_the_agreement_of_a_draft_covers_every_column_and_leaves_free_text_out(
    tmp_path: Path,
) -> None:
    contract = draft(tmp_path, "young_carers.csv", CSV)
    agreement = yaml.safe_load(agreement_for(contract))
    covered = {name for item in agreement["items"] for name in item["columns"]}
    (excluded,) = agreement["excluded"]
    assert covered | set(excluded["columns"]) == {p.name for p in contract.tables[0].properties}
    assert excluded["columns"] == ["notes"]
    assert agreement["status"] == "draft"


@given(st.text(min_size=1, max_size=30), st.lists(st.text(max_size=12), min_size=1, max_size=5))
def test_whatever_headers_and_values_a_file_has_its_draft_is_a_contract(
    header: str, values: list[str]
) -> None:
    table = {"key": [str(n) for n in range(len(values))], header: list(values)}
    sample = Sample("csv", "utf-8", None, table, len(values))
    parse_draft(contract_of_sample(sample, "a.csv", "a"))


@given(st.text(max_size=40))
def test_words_are_small_letters_and_digits(header: str) -> None:
    assert set(words(header)) <= set("abcdefghijklmnopqrstuvwxyz0123456789 ")


@pytest.mark.parametrize(
    ("rows", "key"),
    [
        ("1,a\n1,b\n2,a\n", ("child_id", "level")),
        ("1,a\n2,a\n3,a\n", ("child_id",)),
    ],
)
def test_the_key_is_the_fewest_columns_that_tell_rows_apart(
    tmp_path: Path, rows: str, key: tuple[str, ...]
) -> None:
    assert draft(tmp_path, "a.csv", f"child_id,level\n{rows}").tables[0].key == key


def test_where_nothing_tells_rows_apart_a_person_is_asked(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("child_id,level\n1,a\n1,a\n", "utf-8")
    text = contract_of_sample(read_sample(tmp_path / "a.csv"), "a.csv", "a")
    (tmp_path / "a.yaml").write_text(text, "utf-8")
    assert "schema.0.grain" in {
        error.column for error in feeds.check_contracts(tmp_path / "a.yaml")
    }
