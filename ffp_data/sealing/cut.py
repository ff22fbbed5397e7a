"""Takes rows out of a delivered file and leaves every other byte of it as it was, format by format.

A row of CSV goes with all the lines it spans; a line of NDJSON whole, or, where it holds a list of people,
the element of the list; an element of XML with its tags. A JSON document is written anew without the
elements. What was taken is given back as text, for the vault.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

from ffp_data.feeds.contract_table import Table
from ffp_data.feeds.json_path import split_records

_TABLES = Sequence[tuple[Table, Collection[int], Collection[int]]]
"""Tables with the lines and the element numbers of their rows that go."""


@dataclass(frozen=True)
class Cut:
    """What is left of a file and what was taken, as it stood there; `header` tells its columns."""

    left: bytes
    taken: tuple[str, ...]
    header: str = ""


def cut_csv(data: bytes, encoding: str, starts: Collection[int], lines: Collection[int]) -> Cut:
    """Without the rows that start on `lines`; `starts` are the first lines of all rows (header: 1)."""
    texts = data.decode(_plain(encoding)).splitlines(keepends=True)
    texts = _whole_lines(texts)
    ordered = sorted({1, *starts})
    taken: list[str] = []
    left: list[str] = []
    for start, end in zip(ordered, [*ordered[1:], len(texts) + 1], strict=True):
        piece = "".join(texts[start - 1 : end - 1])
        (taken if start in lines else left).append(piece)
    header = texts[0].strip("\ufeff\r\n") if texts else ""
    return Cut("".join(left).encode(_plain(encoding)), tuple(taken), header)


def cut_ndjson(data: bytes, encoding: str, tables: _TABLES) -> Cut:
    """Without the records on the lines of tables that are records, and without elements of lists."""
    texts = _whole_lines(data.decode(_plain(encoding)).splitlines(keepends=True))
    gone = {line for table, lines, _ in tables if not table.explode for line in lines}
    taken = [text for n, text in enumerate(texts, 1) if n in gone]
    numbered = [t for t in tables if t[0].explode]
    documents = {n: _object(text) for n, text in enumerate(texts, 1)} if numbered else {}
    changed: set[int] = set()
    for table, _, elements in numbered:
        cut = _cut_lists(table, [d for d in documents.items() if d[1] is not None], elements, taken)
        changed |= {n for n in cut if n not in gone}
    left = [
        _line(documents[n]) if n in changed else text
        for n, text in enumerate(texts, 1)
        if n not in gone
    ]
    return Cut("".join(left).encode(_plain(encoding)), tuple(taken))


def cut_document(data: bytes, encoding: str, tables: _TABLES) -> Cut:
    """A JSON document without elements of its lists of records, or of lists within a record."""
    document = json.loads(data.decode(encoding))
    taken: list[str] = []
    by_place: dict[str, set[int]] = {}
    for table, _, elements in tables:
        place = split_records(table.records or "[*]")[0]
        if table.explode:
            records = list(enumerate(_list_at(document, place), 1))
            _cut_lists(table, _of_kind(table, records), elements, taken)
        else:
            by_place.setdefault(place, set()).update(elements)
    for place, numbers in by_place.items():
        _keep_others(_list_at(document, place), numbers, taken)
    text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
    return Cut(text.encode(_plain(encoding)), tuple(taken))


def cut_xml(data: bytes, encoding: str, records: str, numbers: Collection[int]) -> Cut:
    """Without the record elements of these numbers, counted from 1 over the file."""
    spans = list(_spans(data, encoding, records))
    taken, left, at = [], [], 0
    for number, (start, end) in enumerate(spans, 1):
        if number in numbers:
            taken.append(data[start:end].decode(_plain(encoding)))
            left.append(data[at:start].rstrip(b" \t"))
            at = end
    left.append(data[at:])
    return Cut(b"".join(left), tuple(taken))


def _spans(data: bytes, encoding: str, records: str) -> Iterator[tuple[int, int]]:
    """First byte and the one behind the last of each record element."""
    ways = {tuple(place.strip().split("/")) for place in records.split("|")}
    path: list[str] = []
    open_at: list[int] = []
    found: list[tuple[int, int]] = []
    parser = expat.ParserCreate("windows-1252" if encoding == "cp1252" else "utf-8")

    def start(name: str, _attributes: dict[str, str]) -> None:
        path.append(name)
        if tuple(path) in ways:
            open_at.append(parser.CurrentByteIndex)

    def end(name: str) -> None:
        if tuple(path) in ways:
            at = parser.CurrentByteIndex  # of the closing tag; of an empty element its end
            closing = re.compile(rf"</{re.escape(name)}\s*>".encode()).match(data, at)
            found.append((open_at.pop(), closing.end() if closing else at))
        path.pop()

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.Parse(data, True)
    yield from found


def _cut_lists(
    table: Table, records: Sequence[tuple[int, Any]], elements: Collection[int], taken: list[str]
) -> set[int]:
    """Takes numbered elements out of the exploded lists of the records; the records that lost one."""
    number, losers = 0, set()
    for n, record in records:
        items = _at(record, str(table.explode))
        if not isinstance(items, list):
            continue
        mine = {e - number for e in elements if number < e <= number + len(items)}
        number += len(items)
        if mine:
            _keep_others(items, mine, taken)
            losers.add(n)
    return losers


def _of_kind(table: Table, records: list[tuple[int, Any]]) -> list[tuple[int, Any]]:
    only = table.only_when
    if only is None:
        return records
    return [(n, record) for n, record in records if _at(record, only.path) == only.equals]


def _keep_others(items: list[Any], numbers: Collection[int], taken: list[str]) -> None:
    taken += [
        json.dumps(item, ensure_ascii=False) for n, item in enumerate(items, 1) if n in numbers
    ]
    items[:] = [item for n, item in enumerate(items, 1) if n not in numbers]


def _list_at(document: Any, place: str) -> list[Any]:
    found = _at(document, place) if place else document
    return found if isinstance(found, list) else []


def _at(value: Any, path: str) -> Any:
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _object(text: str) -> Any:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _line(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"


def _plain(encoding: str) -> str:
    """The mark at the beginning of a file is a character like others here, so that it stays as it is."""
    return "utf-8" if encoding == "utf-8-sig" else encoding


def _whole_lines(texts: list[str]) -> list[str]:
    """Lines that end in a line feed only, as the readers count them."""
    joined: list[str] = []
    for text in texts:
        if joined and not joined[-1].endswith("\n"):
            joined[-1] += text
        else:
            joined.append(text)
    return joined
