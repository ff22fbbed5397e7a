"""Whole JSON documents: where records begin, what costs one record and what the whole file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ffp_data import feeds
from ffp_data.feeds import json_document
from ffp_data.feeds.errors import FeedError
from ffp_data.feeds.file_facts import inspect
from tests.feeds.samples import Landing

NAME = "cases_20260401T030000Z_001.json"


def _column(name: str, path: str, **more: Any) -> dict[str, Any]:
    said = {"name": name, "path": path, "logicalType": "string", "category": "operational"}
    return said | {"required": name == "id"} | more


def _table(name: str, *columns: dict[str, Any], **more: Any) -> dict[str, Any]:
    said = {"name": name, "physicalName": "cases_*.json", "description": "d", "grain": "g"}
    return said | {"key": ["id"], "semantics": "delta", "properties": list(columns)} | more


def contract(*tables: dict[str, Any], records: str | None = None) -> feeds.Contract:
    """A contract of the feed `cases` with these tables."""
    hub = {
        "agency": "a", "system": "s", "agreement": "DSA-1", "format": "ndjson", "encodings": ["utf-8"],
        "date_formats": ["%Y-%m-%d"], "promise": {"every": "P1D", "late_after": "P2D"},
    }  # fmt: skip
    return feeds.Contract.model_validate(
        {
            "apiVersion": "v3.1.0", "kind": "DataContract", "id": "cases", "name": "n", "version": "1.0.0",
            "status": "active", "domain": "d", "description": {"purpose": "p", "limitations": "l"},
            "hub": hub | ({"records": records} if records else {}), "schema": list(tables),
        }
    )  # fmt: skip


LISTS = contract(
    _table("people", _column("id", "id"), _column("town", "home.town"), records="data.people[*]"),
    _table("events", _column("id", "id"), records="data.events[*]"),
    _table(
        "marks", _column("id", "code"), _column("event", "../id"), explode="marks",
        records="data.events[*]",
    ),
)  # fmt: skip
BUNDLE = contract(
    _table("dogs", _column("id", "id"), _column("url", "../fullUrl"), only_when={"path": "kind", "equals": "Dog"}),
    _table("cats", _column("id", "id"), only_when={"path": "kind", "equals": "Cat"}),
    records="entry[*].resource",
)  # fmt: skip
FLAT = contract(_table("rows", _column("id", "id")), records="[*]")


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as connection:
        yield connection


class Desk(Landing):
    """Loads documents of one contract."""

    def load_text(self, text: str | bytes, name: str = NAME) -> feeds.DeliveryResult:
        self.file("cases", name, text)
        (result,) = self.load()
        return result

    def values(self, table: str, columns: str) -> list[tuple[Any, ...]]:
        return self.query(f'SELECT {columns} FROM raw."cases__{table}" ORDER BY ALL')

    def set_aside(self) -> list[tuple[Any, ...]]:
        return self.query("SELECT table_name, line, column_name, rule FROM quarantine.rows")

    def places(self) -> list[tuple[Any, ...]]:
        return self.query("SELECT line, element, rule FROM quarantine.rows ORDER BY element")


def desk(tmp_path: Path, con: duckdb.DuckDBPyConnection, of: feeds.Contract) -> Desk:
    feeds.create_empty_raw_tables(con, {"cases": of})
    return Desk(tmp_path / "landing", {"cases": of}, con)


def test_several_lists_of_one_document_fill_their_tables(
    tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    at = desk(tmp_path, con, LISTS)
    document = {
        "made": [1, {"people": "not these"}],
        "data": {
            "events": [
                {"id": "e1", "marks": [{"code": "x"}, {"code": "y"}]},
                {"id": "e2", "marks": [{"code": "z"}]},
            ],
            "people": [{"id": "p1", "home": {"town": "Marchfen"}}],
        },
    }
    result = at.load_text(json.dumps(document))
    assert [(t.table, t.loaded) for t in result.tables] == [
        ("people", 1),
        ("events", 2),
        ("marks", 3),
    ]
    assert at.values("people", "id, town") == [("p1", "Marchfen")]
    assert at.values("marks", "id, event, _element") == [
        ("x", "e1", 1),
        ("y", "e1", 2),
        ("z", "e2", 3),
    ]


def test_a_record_is_told_by_the_line_on_which_it_begins_and_its_number(
    tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    at = desk(tmp_path, con, FLAT)
    at.load_text('[\n  {"id":\n    "a"},\n  {"id": "b"}, {"id": "c"}\n]\n')
    assert at.values("rows", "_line, _element, id") == [(2, 1, "a"), (4, 2, "b"), (4, 3, "c")]


def test_a_document_of_one_line_still_tells_its_records_apart(
    tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    at = desk(tmp_path, con, FLAT)
    at.load_text('[{"id": "a"}, 7, {"id": "b"}, {"id": "a"}, {"town": "x"}]')
    assert at.values("rows", "_line, _element, id") == [(1, 1, "a"), (1, 3, "b")]
    assert ("rows", 1, "[1]", "not_a_record") in at.set_aside()
    assert at.places() == [(1, 2, "not_a_record"), (1, 4, "duplicate_key"), (1, 5, "required")]


def test_a_bundle_fills_a_table_for_each_kind_and_notes_the_rest(
    tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    at = desk(tmp_path, con, BUNDLE)
    entries: list[dict[str, Any]] = [
        {"fullUrl": "urn:1", "resource": {"kind": "Dog", "id": "1"}},
        {"resource": {"kind": "Cat", "id": "1"}},
        {"resource": {"kind": "Newt", "id": "1"}},
        {"resource": {"kind": "9 secret words", "id": "1"}},
        {"fullUrl": "urn:5"},
    ]
    result = at.load_text(json.dumps({"kind": "Box", "entry": entries}))
    assert [(t.table, t.delivered, t.loaded) for t in result.tables] == [
        ("dogs", 1, 1),
        ("cats", 1, 1),
    ]
    assert at.values("dogs", "id, url") == [("1", "urn:1")]
    notes = at.query("SELECT notes FROM meta.deliveries WHERE table_name = 'dogs'")
    assert notes == [("records that no table takes: 1 Newt, 1 no kind",)]


ALONE = {
    "double_json_key": '{"id": "x", "id": "y"}',
    "not_a_number": '{"id": "x", "n": NaN}',
    "number_too_large": '{"id": ' + "9" * 41 + "}",
    "too_deep": '{"id": "x", "n": ' + "[" * 150 + "]" * 150 + "}",
    "record_too_long": '{"id": "' + "x" * (16 << 20) + '"}',
    "not_a_record": '["id", "x"]',
    "invalid_json": '{"id": "\\ud800"}',
    "required": '{"town": "x"}',
}


@pytest.mark.parametrize(("rule", "record"), ALONE.items())
def test_one_bad_record_costs_itself_alone(
    tmp_path: Path, con: duckdb.DuckDBPyConnection, rule: str, record: str
) -> None:
    at = desk(tmp_path, con, FLAT)
    result = at.load_text(f'[{{"id": "a"}},\n{record},\n{{"id": "b"}}]')
    assert at.values("rows", "id") == [("a",), ("b",)]
    ((_, line, _, found),) = at.set_aside()
    assert (line, found) == (2, rule)
    assert (result.rows_delivered, result.rows_loaded, result.rows_quarantined) == (3, 2, 1)


def test_many_brackets_side_by_side_are_not_deep(
    tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    at = desk(tmp_path, con, FLAT)
    record = {"id": "a", "n": [[1]] * 200, "text": '[[[["{\\"' * 200}
    at.load_text(json.dumps([record]))
    assert at.values("rows", "id") == [("a",)]


REFUSED = {
    '[{"id": "a"},\n {"id": "b"}': ("truncated_file", 2, "character 13"),
    '[{"id": "a"},\n {"id": b}]': ("invalid_json", 2, "character 9"),
    '[{"id": "a"}\n {"id": "b"}]': ("invalid_json", 2, "character 2"),
    '[{"id": "a"}] []': ("invalid_json", 1, "character 15"),
    '[{"id": "a"},]': ("invalid_json", 1, "character 14"),
    "[{'id': 'a'}]": ("invalid_json", 1, "character 3"),
    '[{"id": "a\tb"}]': ("invalid_json", 1, "character 11"),
    '[{"id": "a\0b"}]': ("invalid_json", 1, "character 11"),
    "[" + "[" * 100_000 + "]" * 100_000 + "]": ("too_deep", 1, "character 2"),
    '{"id": "a"}': ("not_a_list", 1, None),
    '"text"': ("not_a_list", 1, None),
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:20])
def test_what_is_no_json_is_refused_whole_with_its_place(
    tmp_path: Path, con: duckdb.DuckDBPyConnection, text: str
) -> None:
    at = desk(tmp_path, con, FLAT)
    error = at.load_text(text).error
    rule, line, column = REFUSED[text]
    assert error is not None
    assert (error.rule, error.line) == (rule, line)
    assert column in (None, error.column)
    assert at.values("rows", "id") == []


REFUSED_ON_THE_WAY = {
    '{"data": {"people": []}, "data": {"events": []}}': "double_json_key",
    '{"data": {"people": {}}}': "not_a_list",
    '{"data": []}': "no_records",
    "{}": "no_records",
    '{"data" {}}': "invalid_json",
    "{data: {}}": "invalid_json",
    '{"data": {"people": [] "events": []}}': "invalid_json",
}


@pytest.mark.parametrize(("text", "rule"), REFUSED_ON_THE_WAY.items())
def test_what_stands_around_the_records_is_checked_too(
    tmp_path: Path, con: duckdb.DuckDBPyConnection, text: str, rule: str
) -> None:
    error = desk(tmp_path, con, LISTS).load_text(text).error
    assert error is not None
    assert error.rule == rule


def test_a_document_beyond_the_limit_is_refused_unread(
    tmp_path: Path, con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_document, "LARGEST", 20)
    error = desk(tmp_path, con, FLAT).load_text('[{"id": "a"}, {"id": "b"}]').error
    assert error is not None
    assert (error.rule, "NDJSON" in error.remedy) == ("document_too_large", True)


def test_a_contract_must_say_where_records_stand_and_which_table_takes_which() -> None:
    rows = _table("rows", _column("id", "id"))
    with pytest.raises(ValidationError, match="rows needs records:"):
        contract(rows)
    with pytest.raises(ValidationError, match="not a place of records"):
        contract(rows, records="rows[0]")
    with pytest.raises(ValidationError, match="may read the records of one kind"):
        contract(rows, _table("others", _column("id", "id")), records="[*]")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(
    records=st.lists(st.dictionaries(st.text(), JSON, max_size=4), min_size=1, max_size=5),
    around=st.dictionaries(st.text().filter(lambda key: key != "data"), JSON, max_size=3),
    indent=st.sampled_from([None, 0, 2]),
    ascii_only=st.booleans(),
)
def test_any_document_gives_its_records_with_their_lines(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[dict[str, Any]],
    around: dict[str, Any],
    indent: int | None,
    ascii_only: bool,
) -> None:
    path = tmp_path_factory.mktemp("made") / NAME
    document = around | {"data": {"people": records}}
    text = json.dumps(document, indent=indent, ensure_ascii=ascii_only)
    path.write_text(text, "utf-8", newline="")
    with duckdb.connect(":memory:") as con:
        json_document.read_document(
            con, path, inspect(path, ["utf-8"]), ["data.people[*]"], "temp.main.found"
        )
        found = con.execute("SELECT item, _line FROM found ORDER BY _record").fetchall()
    assert [json.loads(item) for item, _ in found] == records
    begins = [line for _, line in found]
    assert begins == sorted(begins)
    assert all(
        text.split("\n")[line - 1].lstrip().endswith(("{", "}", "[", ",")) for line in begins
    )


def test_any_cut_of_a_document_is_refused_or_holds_all(tmp_path: Path) -> None:
    text = '{"a": [1, "x\\n"], "data": {"people": [{"id": "é"}, {"id": "b"}]}} '
    for cut in range(1, len(text) - 1):
        path = tmp_path / NAME
        path.write_text(text[:cut], "utf-8")
        with duckdb.connect(":memory:") as con, pytest.raises(FeedError):
            json_document.read_document(
                con, path, inspect(path, ["utf-8"]), ["data.people[*]"], "temp.main.found"
            )
