"""Reads whole JSON documents: records that stand in lists of one document, such as a FHIR Bundle.

The lists are found by the contract's `records:` paths (`entry[*].resource`, `people[*]`, `[*]`). The
document is read once from front to back: what is not on the way to a list is stepped over, and each
element of a list becomes one row of text that DuckDB takes apart like a line of NDJSON. Its line is
the one on which the element begins; since a document may be one long line, its number in the list,
from 1, is told beside it. A document that is no JSON is refused whole with line and character. What
JSON lets pass but no two programs read alike (a key given twice, NaN, a number beyond all measure)
sets aside that record alone, as do absurd depth and length.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from ffp_data.feeds.errors import FeedError
from ffp_data.feeds.file_facts import FileFacts
from ffp_data.feeds.json_path import split_records
from ffp_data.feeds.source import TRUNCATED_REMEDY, Fault

LARGEST = 48 << 20
"""Bytes of a document. It is held in memory, four bytes a character at worst; 64 MiB took 1 GiB in all."""
LONGEST_RECORD = 16 << 20
DEEPEST = 100
LONGEST_NUMBER = 40
"""Characters. The widest number that DuckDB holds whole has 39."""

REMEDIES = {
    "double_json_key": "give each key once in an object",
    "not_a_number": "leave out what has no value; NaN and Infinity are not JSON",
    "number_too_large": "send a long code as text, in quotes",
    "too_deep": f"nest no deeper than {DEEPEST} levels",
    "record_too_long": f"send records of at most {LONGEST_RECORD >> 20} MiB",
    "not_a_record": "send each record as an object",
    "invalid_json": "send one whole JSON object for each record, its text in valid Unicode",
}
"""What to do about a record that is set aside, by rule; the first rule that fits is told."""

_CHUNK_ROWS, _CHUNK_BYTES = 20_000, 32 << 20
_SPACE = re.compile(r"[ \t\n\r]*")
_TEXT = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"')
_COLUMNS = {"_line": pa.int64(), "_record": pa.int64(), "place": pa.string(), "item": pa.string()}
_SCHEMA = pa.schema({**_COLUMNS, "fault": pa.string()})

_Lists = Mapping[str, Any]
"""Keys on the way to lists of records; `None` under the key of a list itself."""
_Row = tuple[int, int, str, str | None, str | None]
_Walk = Generator[_Row, None, int]
"""Yields rows and returns where the text goes on."""


def read_document(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    facts: FileFacts,
    places: Collection[str],
    into: str,
) -> None:
    """Temporary table `into` (_line, _record, place, item, fault): the elements of the lists in `places`.

    `place` is the path of the list, `item` the element or NULL where `fault` names why it is none.
    Raises FeedError document_too_large, invalid_json, truncated_file, double_json_key, too_deep,
    not_a_list, no_records.
    """
    if path.stat().st_size > LARGEST:
        raise FeedError(
            "document_too_large",
            f"the document is larger than {LARGEST >> 20} MiB",
            "deliver one record a line (NDJSON), which may be of any size",
            file=path.name,
        )
    document = _Document(path.read_text(facts.encoding), path.name)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {into}"
        " (_line BIGINT, _record BIGINT, place VARCHAR, item JSON, fault VARCHAR)"
    )
    for chunk in _chunks(document.records(places)):
        con.register("_json_chunk", chunk)
        # Lone surrogates are the one fault of JSON that Python lets pass and DuckDB does not.
        con.execute(
            f"INSERT INTO {into} SELECT _line, _record, place, CASE WHEN json_valid(item) THEN item END,"
            " coalesce(fault, CASE WHEN NOT json_valid(item) THEN 'invalid_json' END) FROM _json_chunk"
        )
        con.unregister("_json_chunk")


def record_faults(con: duckdb.DuckDBPyConnection, read: str, place: str) -> tuple[Fault, ...]:
    """What in the list of `place` is no record, by its line and its place in the list, such as entry[16]."""
    path, _ = split_records(place)
    found = con.execute(
        f"SELECT _line, _record, fault FROM {read} WHERE place = ? AND fault IS NOT NULL ORDER BY _record",
        [path],
    ).fetchall()
    return tuple(
        Fault(line, f"{path}[{number - 1}]", rule, REMEDIES[rule], element=number)
        for line, number, rule in found
    )


@dataclass
class _Document:
    """The text of a document, and what was found wrong with the value read last."""

    text: str
    file: str
    flaws: set[str] = field(default_factory=set)
    has_list: bool = False

    def __post_init__(self) -> None:
        self.decode = json.JSONDecoder(
            object_pairs_hook=self._check_keys,
            parse_constant=lambda _: self.flaws.add("not_a_number"),
            parse_int=self._check_number,
            parse_float=self._check_number,
        ).raw_decode

    def records(self, places: Collection[str]) -> Iterator[_Row]:
        """Every element of every list of `places`."""
        yield from self._descend(_lists(places), self._space(0))
        if not self.has_list:
            raise FeedError(
                "no_records",
                f"the document has no list at {' or '.join(sorted(places))}",
                "deliver the document that the contract describes, with its records",
                file=self.file,
                line=1,
            )

    def _descend(self, lists: _Lists | None, start: int) -> Iterator[_Row]:
        """Rows of the lists within the value at `start`, which is the root of the document."""
        end = yield from self._value(lists, "", start)
        if self._space(end) < len(self.text):
            raise self._broken("text after the end of the document", self._space(end))

    def _value(self, lists: _Lists | None, at: str, start: int) -> _Walk:
        if lists is None:
            return (yield from self._list(at, start))
        if self.text[start : start + 1] == "{":
            return (yield from self._object(lists, at, start))
        return self._step_over(start)

    def _object(self, lists: _Lists, at: str, start: int) -> _Walk:
        seen: set[str] = set()
        place = self._space(start + 1)
        if self.text[place : place + 1] == "}":
            return place + 1
        while True:
            key, colon = self._key(place)
            if key in seen:
                raise self._refusal("double_json_key", "a key is given twice", place)
            seen.add(key)
            value = self._space(colon + 1)
            if key in lists:
                end = yield from self._value(lists[key], f"{at}.{key}" if at else key, value)
            else:
                end = self._step_over(value)
            place, is_last = self._next(end, "}")
            if is_last:
                return place

    def _list(self, at: str, start: int) -> _Walk:
        if self.text[start : start + 1] != "[":
            raise self._refusal("not_a_list", "the records do not stand in a list", start, at)
        self.has_list = True
        place, number, line, counted = self._space(start + 1), 0, 1, 0
        if self.text[place : place + 1] == "]":
            return place + 1
        while True:
            number += 1
            line, counted = line + self.text.count("\n", counted, place), place
            end = self._step_over(place)
            item = self.text[place:end]
            fault = self._fault(item)
            yield line, number, at, None if fault else item, fault
            place, is_last = self._next(end, "]")
            if is_last:
                return place

    def _key(self, start: int) -> tuple[str, int]:
        if self.text[start : start + 1] != '"':
            raise self._broken("a key was expected", start)
        end = self._step_over(start)
        key = json.loads(self.text[start:end])
        colon = self._space(end)
        if self.text[colon : colon + 1] != ":":
            raise self._broken("a colon was expected", colon)
        return key, colon

    def _next(self, end: int, closing: str) -> tuple[int, bool]:
        """Where the next member begins, or, with True, where the text goes on after the last one."""
        place = self._space(end)
        sign = self.text[place : place + 1]
        if sign == closing:
            return place + 1, True
        if sign != ",":
            raise self._broken(f"a comma or {closing} was expected", place)
        return self._space(place + 1), False

    def _step_over(self, start: int) -> int:
        """Where the value at `start` ends; its flaws stay in `flaws`."""
        self.flaws.clear()
        try:
            _, end = self.decode(self.text, start)
        except json.JSONDecodeError as error:
            raise self._broken(error.msg, error.pos) from None
        except RecursionError:
            raise self._refusal(
                "too_deep", "values are nested too deep to be read", start
            ) from None
        return end

    def _fault(self, item: str) -> str | None:
        flaws = set(self.flaws)
        if not item.startswith("{"):
            flaws.add("not_a_record")
        if len(item) > LONGEST_RECORD:
            flaws.add("record_too_long")
        if _depth(item) > DEEPEST:
            flaws.add("too_deep")
        return next((rule for rule in REMEDIES if rule in flaws), None)

    def _check_keys(self, pairs: list[tuple[str, Any]]) -> None:
        if len({key for key, _ in pairs}) < len(pairs):
            self.flaws.add("double_json_key")

    def _check_number(self, number: str) -> None:
        if len(number) > LONGEST_NUMBER or abs(float(number)) == float("inf"):
            self.flaws.add("number_too_large")

    def _space(self, start: int) -> int:
        found = _SPACE.match(self.text, start)
        return found.end() if found else start

    def _broken(self, message: str, at: int) -> FeedError:
        if at >= len(self.text.rstrip()):
            message = "the document ends in the middle"
            return self._refusal("truncated_file", message, at, remedy=TRUNCATED_REMEDY)
        said = message.partition(":")[0].lower()
        return self._refusal("invalid_json", f"the document is no JSON: {said}", at)

    def _refusal(
        self, rule: str, message: str, at: int, column: str = "", remedy: str = ""
    ) -> FeedError:
        return FeedError(
            rule,
            message,
            remedy or "mend the document at this place and deliver it again",
            file=self.file,
            line=self.text.count("\n", 0, at) + 1,
            column=column or f"character {at - self.text.rfind(chr(10), 0, at)}",
        )


def _lists(places: Collection[str]) -> _Lists | None:
    """The keys to follow; None when the document itself is the list."""
    lists: dict[str, Any] = {}
    for place in sorted({split_records(place)[0] for place in places}):
        if not place:
            return None
        *way, last = place.split(".")
        node = lists
        for key in way:
            node = node.setdefault(key, {})
        node[last] = None
    return lists


def _depth(item: str) -> int:
    """How deep the brackets of `item` nest, or how many there are when those are few already."""
    count = item.count("{") + item.count("[")
    if count <= DEEPEST:
        return count
    level = deepest = 0
    for bracket in re.findall(r"[\[\]{}]", _TEXT.sub("", item)):
        level += 1 if bracket in "[{" else -1
        deepest = max(deepest, level)
    return deepest


def _chunks(rows: Iterable[_Row]) -> Iterator[pa.Table]:
    chunk: list[_Row] = []
    size = 0
    for row in rows:
        chunk.append(row)
        size += len(row[3] or "")
        if len(chunk) >= _CHUNK_ROWS or size >= _CHUNK_BYTES:
            yield _table(chunk)
            chunk, size = [], 0
    if chunk:
        yield _table(chunk)


def _table(rows: list[_Row]) -> pa.Table:
    columns = zip(*rows, strict=True)
    return pa.table([pa.array(c, t.type) for c, t in zip(columns, _SCHEMA, strict=True)], _SCHEMA)
