"""Reads the delivered file again and says whether an explanation is right; knows nothing of our readers or tables.

An explanation names a file and a line. The oracle takes the record that begins there (a row of CSV, a line of
NDJSON, an element of XML, an object of a JSON document), with no more than the standard library, and looks whether the
value of each named column, and the value shown, stand in it. Where the file is CSV it looks in the named column. For a
list of people it also looks whether a later file of the same kind tells of the same person: then the explanation names
a record that was corrected since.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_STAMP = re.compile(r"\d{8}T\d{6}Z")
_VERBATIM = frozenset(
    {
        *("given_name", "middle_names", "surname", "date_of_birth", "expected_birth_date", "sex"),
        *("nhs_number", "upn", "la_child_id", "postcode", "address_line", "school_urn"),
        *("since", "contact_name", "contact_phone", "team", "event_date"),
    }
)
"""Columns whose value is one that somebody sent, in another spelling at most."""


@dataclass(frozen=True)
class Verdict:
    """Whether an explanation holds, and if not why; ``checked`` counts the rows that were read again."""

    checked: int
    problems: tuple[str, ...]


def judge(landing: Path, answer: Mapping[str, Any]) -> Verdict:
    """Read again every row that an explanation (as JSON) rests on."""
    checked, problems = 0, []
    column = answer["attribute"].rpartition(".")[2]
    for cell in answer["cells"]:
        found = []
        for row in cell["taken_from"]:
            if row["line"] is None:
                continue
            record = _record(landing / row["feed"], row["file_name"], row["line"])
            checked += 1
            problems += list(_missing(record, row))
            problems += list(_overtaken(landing, row))
            found.append(record)
        if cell["value"] is None or column not in _VERBATIM:
            continue
        if not cell["taken_from"]:
            problems.append(f"{answer['attribute']}: a value without an origin")
        elif found and not any(_holds(record, cell["value"]) for record in found):
            problems.append(f"{answer['attribute']}: the value shown stands in no named row")
    return Verdict(checked, tuple(problems))


@dataclass(frozen=True)
class Record:
    """A delivered record: its text, and for CSV its cells by header."""

    text: str
    cells: Mapping[str, str]


def _missing(record: Record, row: Mapping[str, Any]) -> Iterator[str]:
    """Columns whose value does not stand where the explanation says."""
    for column in row["columns"]:
        if column["value"] is None:
            continue
        name = column["as_sent"].partition(" ")[0]
        by_name = {key.lower(): value for key, value in record.cells.items()}
        narrow = Record(by_name[name.lower()], {}) if name.lower() in by_name else record
        if not _holds(narrow, column["value"]):
            yield f"{row['feed']}.{row['table']}.{column['column']}: not at line {row['line']} of its file"


def _holds(record: Record, value: str) -> bool:
    """Whether a value stands in a text, in one of the spellings in which people send it."""
    text = _plain(record.text)
    if any(_plain(spelling) in text for spelling in _spellings(value)):
        return True
    words = value.split()  # an address comes in parts
    return len(words) > 2 and all(_plain(word) in text for word in words)


def _spellings(value: str) -> Iterator[str]:
    yield value
    yield value.removeprefix("school ")
    yield value.removeprefix("EH")
    yield {"M": "male", "F": "female", "True": "true", "False": "false"}.get(value, value)
    yield {"True": "Y", "False": "N"}.get(value, value)
    yield {"True": "1", "False": "0"}.get(value, value)
    if match := re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)(?: (\d\d):(\d\d):\d\d)?", value):
        year, month, day, *_ = match.groups()
        yield f"{day}/{month}/{year}"
        yield f"{year}-{month}-{day}"
        yield f"{day}-{month}-{year}"
        yield f"{year}{month}{day}"


def _plain(text: str) -> str:
    return re.sub(r"[\s]+", "", text).casefold()


def _record(folder: Path, file_name: str, line: int) -> Record:
    text = _text(folder, file_name)
    suffix = file_name.rpartition(".")[2].lower()
    lines = text.splitlines(keepends=True)
    if suffix == "csv":
        return _csv(lines, line)
    if suffix == "ndjson":
        return Record(json.dumps(json.loads(lines[line - 1]), ensure_ascii=False), {})
    if suffix == "xml":  # what holds for all records of a file stands before the first
        element = _element("".join(lines[line - 1 :]))
        tag = re.match(r"<\w+", element)
        return Record(text.partition(tag.group() if tag else "\0")[0] + element, {})
    return Record(_object("".join(lines[line - 1 :])), {})


@cache
def _text(folder: Path, file_name: str) -> str:
    whole, _, member = file_name.partition(".zip/")
    if member:
        with zipfile.ZipFile(folder / f"{whole}.zip") as archive:
            data = archive.read(member)
    else:
        data = (folder / file_name).read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252")


def _csv(lines: list[str], line: int) -> Record:
    header = next(csv.reader(io.StringIO(lines[0])))
    rows = csv.reader(io.StringIO("".join(lines[line - 1 :]), newline=""))
    cells = next(rows)
    return Record(" | ".join(cells), dict(zip(header, cells, strict=False)))


def _element(text: str) -> str:
    """From the first tag of a text to where it is closed."""
    opened = re.search(r"<([A-Za-z]\w*)", text)
    if opened is None:
        return ""
    closed = text.find(f"</{opened.group(1)}>", opened.start())
    return text[opened.start() : closed]


def _object(text: str) -> str:
    """The JSON object that begins first in a text."""
    start = text.find("{")
    value, _ = json.JSONDecoder().raw_decode(text[start:])
    return json.dumps(value, ensure_ascii=False)


_LISTS_OF_PEOPLE = {
    ("early_help", "persons"): ("eh_persons_*.csv", ("eh_person_id",)),
    ("education_attendance", "pupils"): (
        "attendance_pupils_*.csv",
        ("school_urn", "pupil_key"),
    ),
    ("health_csv", "children"): ("health_RXG_children_*.csv", ("LOCAL_PATIENT_ID",)),
}


def _overtaken(landing: Path, row: Mapping[str, Any]) -> Iterator[str]:
    """Whether a later file of the same list tells of the same person."""
    known = _LISTS_OF_PEOPLE.get((row["feed"], row["table"]))
    if known is None:
        return
    pattern, key = known
    folder = landing / row["feed"]
    here = _csv(_text(folder, row["file_name"]).splitlines(keepends=True), row["line"])
    whose = tuple(here.cells[name] for name in key)
    for later in folder.glob(pattern):
        if _stamp(later.name) > _stamp(row["file_name"]) and whose in _people(later, key):
            yield f"{row['feed']}.{row['table']}: corrected since, in a later file"


def _stamp(name: str) -> str:
    found = _STAMP.search(name)
    return found.group() if found else ""


@cache
def _people(path: Path, key: tuple[str, ...]) -> frozenset[tuple[str, ...]]:
    rows = csv.DictReader(io.StringIO(_text(path.parent, path.name), newline=""))
    return frozenset(tuple(row[name] for name in key) for row in rows)
