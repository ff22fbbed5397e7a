"""Reads XML: each record element becomes a JSON document, which columns are taken out of by path.

`hub.records` names the record elements from the root on (`CTfile/CTFpupilData/Pupil`; several are parted
by `|`). An element with text becomes that text, one with elements an object, one that is empty NULL; an
element that the contract explodes or picks from is a list even when it stands there once. What stands
outside the records, such as a header, is read as `../Header.SourceSchool.LEA`. Attributes are not read.

The parser is expat, which tells the exact line of an element however long the file (libxml2 counts to
65,535), builds no tree and lets a DOCTYPE be refused where it begins; what is held between two records is
bounded. A file that is not well formed is refused whole with line and character; a record whose elements
stand where the contract has others costs itself alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from xml.parsers import expat

import duckdb
import pyarrow as pa

from ffp_data.feeds.contract import Contract
from ffp_data.feeds.contract_table import Property, Table
from ffp_data.feeds.errors import FeedError
from ffp_data.feeds.file_facts import FileFacts
from ffp_data.feeds.json_path import scalar
from ffp_data.feeds.source import Fault, Source
from ffp_data.sql_text import literal
from ffp_data.xml_safety import Refusal, declared_encoding, refusal

MAX_DEPTH = 32  # the deepest element of a school census stands at depth 9
MAX_HELD = 2_000_000  # characters and elements of one record, or of all that stands outside records
MAX_TOKEN = 1 << 20  # bytes of one tag, comment or instruction
_BLOCK = 1 << 20
_CHUNK_ROWS, _CHUNK_BYTES = 5_000, 16 << 20
_KEY = re.compile(r"([A-Za-z_][\w-]*)(\[[^\]]*\])?")
_WESTERN = ("windows-1252", "cp1252", "iso-8859-1", "latin1", "us-ascii")

Path_ = tuple[str, ...]
_Row = tuple[int, int, str]


def read_records(
    con: duckdb.DuckDBPyConnection, path: Path, facts: FileFacts, contract: Contract, into: str
) -> tuple[tuple[Fault, ...], str]:
    """Temporary table `into` (_line, _record, doc); the records that are none, and a note on the file.

    Raises FeedError doctype, not_xml, not_well_formed, too_large, too_deep, namespace, other_root,
    wrong_encoding, no_records.
    """
    found = refusal(path)
    if found:
        raise _refused(path, found)
    encoding, note = _encoding(path, facts, contract)
    shape = _Shape(contract)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {into} (_line BIGINT, _record BIGINT, doc JSON)")
    reader = _Reader(path.name, shape)
    with closing(reader.rows(path, encoding)) as rows:
        for chunk in _chunks(rows):
            con.register("_xml_chunk", chunk)
            con.execute(f"INSERT INTO {into} SELECT * FROM _xml_chunk")
            con.unregister("_xml_chunk")
    if not reader.records:
        remedy = f"deliver a file with records at {' or '.join('/'.join(r) for r in shape.records)}"
        raise FeedError("no_records", "the file holds no record", remedy, file=path.name, line=1)
    if reader.outside:
        # A record's own element wins over one of the same name outside.
        con.execute(
            f"UPDATE {into} SET doc = json_merge_patch(?::JSON, doc)", [json.dumps(reader.outside)]
        )
    return tuple(reader.faults), note


def table_source(
    documents: str, table: Table, allowed: Collection[str] | None, faults: tuple[Fault, ...]
) -> Source:
    """Rows of one table out of `documents`; records that are none are faults of the main table alone."""
    wanted = [p for p in table.properties if allowed is None or p.name in allowed]
    if table.explode is None:
        texts = {p.name: _text(p, None) for p in wanted}
        relation = f"(SELECT _line, _record AS _element, doc FROM {documents})"
        return Source(relation, texts, element="_element", faults=faults)
    items = f"json_extract(doc, {literal(f'$.{table.explode}[*]')})"
    relation = (
        "(SELECT _line, doc, element, row_number() OVER (ORDER BY _record, place) AS _element FROM"
        f" (SELECT *, unnest({items}) AS element, generate_subscripts({items}, 1) AS place"
        f" FROM {documents}))"
    )
    texts = {p.name: _text(p, "element") for p in wanted}
    return Source(relation, texts, element="_element")


def _text(prop: Property, element: str | None) -> str:
    """The value at the path of `prop`, or at the first of its aliases that the record has."""
    places = [scalar(path, "doc", element) for path in (prop.path or "", *prop.aliases)]
    return places[0] if len(places) == 1 else f"coalesce({', '.join(places)})"


class _Shape:
    """Where a contract expects records, lists and single values."""

    def __init__(self, contract: Contract) -> None:
        self.records: tuple[Path_, ...] = tuple(
            tuple(place.strip().split("/")) for place in (contract.hub.records or "").split("|")
        )
        self.lists: set[Path_] = set()
        self.values: set[Path_] = set()
        self.outside: set[str] = set()
        ways = {record[1] for record in self.records}
        for table in contract.tables:
            base = self._add(table.explode) if table.explode else ()
            for prop in table.properties:
                for path in (prop.path or "", *prop.aliases):
                    self._add_column(path, base)
        self.outside -= ways

    @cached_property
    def roots(self) -> set[str]:
        return {record[0] for record in self.records}

    @cached_property
    def single(self) -> set[Path_]:
        """Elements that may stand in a record, or in an element of a list, only once."""
        ways = {path[:n] for path in self.values for n in range(1, len(path) + 1)}
        return ways - self.lists

    def _add(self, explode: str) -> Path_:
        place = self._walk(explode, ())
        self.lists.add(place)
        return place

    def _add_column(self, path: str, base: Path_) -> None:
        if path.startswith("../"):
            path, base = path[3:], ()
            self.outside.add(path.partition(".")[0])
        self.values.add(self._walk(path, base))

    def _walk(self, path: str, base: Path_) -> Path_:
        """The elements that `path` goes through; those it picks from are lists."""
        for key, pick in _KEY.findall(path):
            base = (*base, key)
            if pick:
                self.lists.add(base)
        return base


@dataclass
class _Element:
    line: int
    children: dict[str, Any] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)


class _Reader:
    """Hears of elements from the parser and puts records together."""

    def __init__(self, file: str, shape: _Shape) -> None:
        self.file, self.shape = file, shape
        self.outside: dict[str, Any] = {}
        self.faults: list[Fault] = []
        self.records = 0
        self._ready: list[_Row] = []
        self._path: list[str] = []
        self._open: list[_Element] = []
        self._record_depth = 0  # of the record that is open; 0 when none is
        self._fault: tuple[str, str, str] | None = None  # column, rule, remedy
        self._held = 0

    def rows(self, path: Path, encoding: str) -> Generator[_Row, None, None]:
        """Each record as (line, number, JSON text)."""
        self._parser = parser = expat.ParserCreate(encoding)
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._doctype
        try:
            with path.open("rb") as file:
                fed = 0
                while block := file.read(_BLOCK):
                    parser.Parse(block, False)
                    fed += len(block)
                    self._check_token(fed)
                    yield from self._take()
                parser.Parse(b"", True)
        except expat.ExpatError as error:
            message = expat.errors.messages[error.code]
            raise self._refusal(
                "not_well_formed", f"not XML: {message}", "export the file again", at=error
            ) from None
        yield from self._take()

    def _take(self) -> list[_Row]:
        ready, self._ready = self._ready, []
        return ready

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        if len(self._path) == 1:
            self._check_root(name, attributes)
        if len(self._path) > MAX_DEPTH:
            message = f"elements are nested deeper than {MAX_DEPTH}"
            raise self._refusal("too_deep", message, "export the file again")
        self._hold(1)
        if not self._record_depth and tuple(self._path) in self.shape.records:
            self._record_depth, self._fault, self._held = len(self._path), None, 0
        self._open.append(_Element(self._parser.CurrentLineNumber))

    def _text(self, text: str) -> None:
        self._hold(len(text))
        self._open[-1].texts.append(text)

    def _end(self, name: str) -> None:
        element = self._open.pop()
        place = tuple(self._path[self._record_depth :])
        at_record = self._record_depth == len(self._path)
        self._path.pop()
        if at_record:
            self._finish(element)
        elif self._record_depth:
            self._check_value(place, element)
            self._attach(place, name, _value(element))
        elif len(self._path) == 1 and name in self.shape.outside:
            self.outside[name] = _value(element)
        elif len(self._path) > 1 and self._path[1] in self.shape.outside:
            self._open[-1].children[name] = _value(element)

    def _finish(self, element: _Element) -> None:
        self.records += 1
        self._record_depth = self._held = 0
        if self._fault:
            self.faults.append(Fault(element.line, *self._fault))
        else:
            document = json.dumps(element.children, ensure_ascii=False)
            self._ready.append((element.line, self.records, document))

    def _attach(self, place: Path_, name: str, value: Any) -> None:
        siblings = self._open[-1].children
        if place in self.shape.lists:
            siblings.setdefault(name, []).append(value)
        elif name not in siblings:
            siblings[name] = value
        elif place in self.shape.single:
            self._set_aside(place, "repeated_element", "send the element once in a record")

    def _check_value(self, place: Path_, element: _Element) -> None:
        if element.children and place in self.shape.values:
            self._set_aside(
                place, "not_a_value", "send text, not further elements, in this element"
            )

    def _set_aside(self, place: Path_, rule: str, remedy: str) -> None:
        self._fault = self._fault or (".".join(place), rule, remedy)

    def _check_root(self, name: str, attributes: dict[str, str]) -> None:
        expected = " or ".join(sorted(self.shape.roots))
        if ":" in name or "xmlns" in attributes:
            message = f"the root is in a namespace; this feed's {expected} has none"
            raise self._refusal("namespace", message, "export the file without a namespace")
        if name not in self.shape.roots:
            message = f"the root is not {expected}"
            raise self._refusal("other_root", message, "deliver the file in its own feed's folder")

    def _doctype(self, *_: object) -> None:
        raise self._refusal("doctype", "has a DOCTYPE, which is refused", "remove it")

    def _hold(self, size: int) -> None:
        self._held += size
        if self._held > MAX_HELD:
            message = f"a record of more than {MAX_HELD} characters"
            raise self._refusal("too_large", message, "export the file again")

    def _check_token(self, fed: int) -> None:
        """Refuses a tag or comment without end, which expat would read again with every block."""
        if fed - max(self._parser.CurrentByteIndex, 0) > MAX_TOKEN:
            message = f"one tag or comment of more than {MAX_TOKEN} bytes"
            raise self._refusal("too_large", message, "export the file again")

    def _refusal(
        self, rule: str, message: str, remedy: str, at: expat.ExpatError | None = None
    ) -> FeedError:
        line = at.lineno if at else self._parser.CurrentLineNumber
        character = (at.offset if at else self._parser.CurrentColumnNumber) + 1
        column = f"character {character}"
        return FeedError(rule, message, remedy, file=self.file, line=line, column=column)


def _value(element: _Element) -> Any:
    return element.children or "".join(element.texts).strip() or None


def _encoding(path: Path, facts: FileFacts, contract: Contract) -> tuple[str, str]:
    """The encoding to read in, and a note where it is not the one that the file declares."""
    declared = declared_encoding(path)
    if declared in (None, "utf-8", "utf8"):
        if facts.encoding == "cp1252":
            return "windows-1252", f"declared {declared or 'no encoding'}, read as windows-1252"
        return "utf-8", ""
    if declared in _WESTERN and "cp1252" in contract.hub.encodings:
        return "windows-1252", ""
    message = f"the file declares {declared}"
    remedy = f"save the file as {' or '.join(contract.hub.encodings)} and deliver it again"
    raise FeedError("wrong_encoding", message, remedy, file=path.name, line=1)


def _refused(path: Path, found: Refusal) -> FeedError:
    return FeedError(found.rule, found.message, found.remedy, file=path.name, line=found.line)


def _chunks(rows: Iterable[_Row]) -> Generator[pa.Table, None, None]:
    chunk: list[_Row] = []
    size = 0
    for row in rows:
        chunk.append(row)
        size += len(row[2])
        if len(chunk) >= _CHUNK_ROWS or size >= _CHUNK_BYTES:
            yield _arrow(chunk)
            chunk, size = [], 0
    if chunk:
        yield _arrow(chunk)


def _arrow(rows: list[_Row]) -> pa.Table:
    lines, numbers, documents = zip(*rows, strict=True)
    return pa.table(
        {"_line": pa.array(lines), "_record": pa.array(numbers), "doc": pa.array(documents)}
    )
