"""Reads a sample of a file that nobody has described yet: its columns, and some values of each.

Only for drafts of contracts: the readers of a feed are told by its contract, this one has to look. It
keeps at most `MOST_ROWS` rows, reads no file above `LARGEST` bytes and refuses a DOCTYPE.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from lxml import etree

from ffp_data.feeds.errors import FeedError
from ffp_data.feeds.json_path import check_path
from ffp_data.xml_safety import refusal

MOST_ROWS = 5_000
LARGEST = 64 << 20
_DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class Sample:
    """`columns` leads from a header (csv) or a path (others) to its values; None where it has none."""

    format: str
    encoding: str
    records: str | None
    columns: dict[str, list[str | None]]
    rows: int


def read_sample(path: Path) -> Sample:
    """A sample of a csv, ndjson, json or xml file, told by its content; raises FeedError."""
    if path.stat().st_size > LARGEST:
        raise _unreadable(path, f"larger than {LARGEST >> 20} MiB", "cut a sample of some rows")
    text, encoding = _text(path)
    start = text.lstrip()[:1]
    if start == "<":
        return _xml(path, encoding)
    if start in ("{", "["):
        return _json(path, text, encoding)
    return _csv(path, text, encoding)


def _text(path: Path) -> tuple[str, str]:
    data = path.read_bytes()
    for encoding in ("utf-8", "cp1252"):
        try:
            return data.decode(encoding).removeprefix("\ufeff"), encoding
        except UnicodeDecodeError:
            continue
    raise _unreadable(path, "neither UTF-8 nor Windows-1252", "save it as UTF-8")


def _csv(path: Path, text: str, encoding: str) -> Sample:
    first = text.partition("\n")[0]
    if (delimiter := max(_DELIMITERS, key=first.count)) != "," and first.count(delimiter):
        raise _unreadable(path, f"columns are parted by {delimiter!r}", "export it with commas")
    reader = csv.reader(io.StringIO(text, newline=""))
    header = [name.strip() for name in next(reader, [])]
    twice = [name for name, n in Counter(map(str.casefold, header)).items() if n > 1]
    if not all(header) or twice:
        raise _unreadable(path, "line 1 is no header of distinct names", "add a line of names")
    rows = [row for row in islice(reader, MOST_ROWS) if len(row) == len(header)]
    columns = {name: [row[n].strip() or None for row in rows] for n, name in enumerate(header)}
    return Sample("csv", encoding, None, columns, len(rows))


def _json(path: Path, text: str, encoding: str) -> Sample:
    try:
        document = json.loads(text)
    except json.JSONDecodeError:
        return _ndjson(path, text, encoding)
    if isinstance(document, dict) and not any(_lists(document)):
        return _ndjson(path, text, encoding)  # one line is one record
    place, found = max(_lists(document), key=lambda one: len(one[1]), default=("", []))
    return _of_documents("ndjson", encoding, place, found[:MOST_ROWS])


def _ndjson(path: Path, text: str, encoding: str) -> Sample:
    try:
        lines = (line for line in text.splitlines() if line.strip())
        documents = [json.loads(line) for line in islice(lines, MOST_ROWS)]
    except json.JSONDecodeError as error:
        raise _unreadable(
            path, "neither JSON nor a JSON object on each line", "export it again"
        ) from error
    return _of_documents("ndjson", encoding, None, [d for d in documents if isinstance(d, dict)])


def _lists(node: Any, place: str = "") -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Lists of objects in a document, each with its place as contracts write it."""
    if isinstance(node, list) and node and all(isinstance(each, dict) for each in node):
        inner = {key for each in node for key in each}
        objects = [key for key in sorted(inner) if all(isinstance(e.get(key), dict) for e in node)]
        if len(inner) <= 3 and len(objects) == 1:  # an envelope around each record
            yield f"{place}[*].{objects[0]}", [each[objects[0]] for each in node]
        else:
            yield f"{place}[*]", node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _lists(value, f"{place}.{key}" if place else key)


def _xml(path: Path, encoding: str) -> Sample:
    if problem := refusal(path, LARGEST):
        raise FeedError(
            problem.rule, problem.message, problem.remedy, file=path.name, line=problem.line
        )
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.parse(path, parser).getroot()
    except etree.XMLSyntaxError as error:
        raise FeedError(
            "not_xml", "not well formed", "export it again", file=path.name, line=error.lineno
        ) from error
    counts = Counter(
        _place(element)
        for element in root.iter(etree.Element)
        if len(element) and element is not root
    )
    # Of what repeats, the outermost: what repeats within it belongs to it.
    repeated = {place for place, n in counts.items() if n > 1} or set(counts)
    place = min(repeated, key=lambda one: (one.count("/"), -counts[one], one), default=_place(root))
    found = [e for e in root.iter(etree.Element) if _place(e) == place][:MOST_ROWS]
    return _of_documents("xml", encoding, place, [_object(each) for each in found])


def _place(element: Any) -> str:
    names = [etree.QName(e).localname for e in (element, *element.iterancestors())]
    return "/".join(reversed(names))


def _object(element: Any) -> Any:
    if not len(element):
        return (element.text or "").strip() or None
    return {
        etree.QName(child).localname: _object(child)
        for child in element.iterchildren(etree.Element)
    }


def _of_documents(
    kind: str, encoding: str, records: str | None, documents: list[dict[str, Any]]
) -> Sample:
    columns: dict[str, list[str | None]] = {}
    for number, document in enumerate(documents):
        for place, value in _leaves(document):
            values = columns.setdefault(place, [None] * number)
            values += [None] * (number - len(values)) + [value]
    rows = len(documents)
    padded = {place: [*said, *[None] * (rows - len(said))] for place, said in columns.items()}
    return Sample(kind, encoding, records, padded, rows)


def _leaves(node: Any, place: str = "") -> Iterator[tuple[str, str | None]]:
    """Values of a record by path; of a list of objects the first, which a draft can name without knowing more."""
    if isinstance(node, dict):
        for key, value in node.items():
            inner = f"{place}.{key}" if place else key
            if _is_path(inner):
                yield from _leaves(value, inner)
    elif isinstance(node, list):
        if node:
            yield from _leaves(node[0], f"{place}[0]")
    else:
        yield place, _word(node)


def _is_path(text: str) -> bool:
    try:
        check_path(text)
    except ValueError:
        return False
    return True


def _word(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value).strip() or None


def _unreadable(path: Path, message: str, remedy: str) -> FeedError:
    return FeedError("not_a_sample", message, remedy, file=path.name)
