"""CSV files that are broken, malicious, or only strange."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.hostile.corpus import (
    GOOD,
    HEADER,
    SECRET,
    STAMP,
    Case,
    file,
    loaded,
    refused,
    set_aside,
)

NAME = f"people_{STAMP}.csv"
Content = bytes | Callable[[], bytes]


def _csv(*rows: str, header: str = HEADER, end: str = "\n") -> bytes:
    return "".join(line + end for line in (header, *rows)).encode()


def _row(**own: str) -> str:
    """Row 2 of a file, of the secret person, with some values of its own."""
    values = dict(zip(HEADER.split(","), f"2,,{SECRET},Sample,,,,,".split(","), strict=True)) | own
    return ",".join(values[name] for name in HEADER.split(","))


def cases() -> Iterator[Case]:
    yield from _whole_files()
    yield from _headers()
    yield from _shapes()
    yield from _values()


def _file(content: Content) -> Callable[[Path], object]:
    return file(NAME, content)


def _whole_files() -> Iterator[Case]:
    good = _csv(GOOD, _row())
    contents: dict[str, tuple[Content, tuple[str, ...]]] = {
        "no bytes": (b"", ("empty_file",)),
        "a byte-order mark alone": (b"\xef\xbb\xbf", ("wrong_header",)),
        "line ends alone": (b"\n" * 1000, ("wrong_header",)),
        "five million line ends": (lambda: b"\n" * 5_000_000, ("wrong_header",)),
        "a header alone": (_csv(), ("no_rows",)),
        "UTF-16, little end first": (good.decode().encode("utf-16"), ("wrong_encoding",)),
        "UTF-16 without a mark": (good.decode().encode("utf-16-be"), ("wrong_encoding",)),
        "UTF-32": (good.decode().encode("utf-32"), ("wrong_encoding",)),
        "a megabyte of NUL": (b"\0" * (1 << 20), ("wrong_encoding",)),
        "bytes of no text": (bytes(range(256)) * 4000, ("wrong_encoding",)),
        "overlong UTF-8": (good + b"3,,\xc0\xaf,x,,,,,\n", ("wrong_encoding",)),
        "surrogates in UTF-8": (good + b"3,,\xed\xa0\x80,x,,,,,\n", ("wrong_encoding",)),
        "a gzip file called csv": (gzip.compress(good, mtime=0), ("wrong_encoding",)),
        "a zip file called csv": (b"PK\x03\x04" + bytes(100), ("wrong_header", "wrong_encoding")),
        "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(200), ("wrong_encoding", "wrong_header")),
        "an error page of a web server": (
            b"<!DOCTYPE html>\n<html><body>502 Bad Gateway</body></html>\n",
            ("wrong_header",),
        ),
        "cut in the last row": (good[:-12], ("truncated_file",)),
        "cut inside quotes": (good + f'3,,"{SECRET}'.encode(), ("truncated_file",)),
        "one line of 32 MB": (lambda: b"x" * (32 << 20), ("wrong_header", "truncated_file")),
    }
    for name, (content, rules) in contents.items():
        yield refused(name, "sheet", _file(content), *rules)


def _headers() -> Iterator[Case]:
    swapped = HEADER.replace("person_no,nhs_number", "nhs_number,person_ref")
    headers = {
        "the same width, other names": swapped,
        "a column twice": HEADER.replace("note", "surname"),
        "no column names, data at once": GOOD,
        "semicolons between columns": HEADER.replace(",", ";"),
        "tabs between columns": HEADER.replace(",", "\t"),
        "SQL for a column name": HEADER.replace("note", 'note"); DROP TABLE raw.sheet__people; --'),
        "an unbalanced quote in the header": HEADER.replace("note", '"note'),
        "titles above the header": f"Extract of children,,,,,,,,\n{HEADER}",
        "bidirectional marks in a name": HEADER.replace("note", "\u202etona"),
        "a look-alike letter in a name": HEADER.replace("surname", "surn\u0430me"),
    }
    for name, header in headers.items():
        yield refused(name, "sheet", _file(_csv(GOOD, header=header)), "wrong_header")
    many = ",".join(f"extra_{i}" for i in range(10_000))
    wide = _csv(GOOD + "," * 10_000, header=f"{HEADER},{many}")
    yield refused("10,000 unknown columns", "sheet", _file(wide), "too_many_columns")
    huge = lambda: ("c," * 2_000_000).encode() + b"\n"  # noqa: E731 -- made only when asked for
    yield refused("two million columns", "sheet", _file(huge), "too_many_columns", "wrong_header")
    sql = f'{HEADER},"x\'); DROP TABLE meta.deliveries; --"'
    yield loaded("an unknown column named in SQL", "sheet", _file(_csv(GOOD + ",", header=sql)), 1)
    yield loaded("a mark before the header", "sheet", _file(b"\xef\xbb\xbf" + _csv(GOOD)), 1)


def _shapes() -> Iterator[Case]:
    rows: dict[str, tuple[list[str], int, str]] = {
        "a row too short": ([GOOD, f"2,,{SECRET}"], 1, "wrong_column_count"),
        "a row too long": ([GOOD, _row() + ",x,y"], 1, "wrong_column_count"),
        "an open quote that would swallow the file": (
            [GOOD, _row(note='"open'), *(f"{n},,Bo,Sample,,,,," for n in range(3, 300))],
            298,
            "unbalanced_quote",
        ),
        "a mark in the middle": ([GOOD, "\ufeff" + _row()], 1, "pattern"),
        "a NUL in a row": ([GOOD, _row(note="a\0b")], 1, "control_character"),
        "the same key 5,000 times": ([GOOD] * 5000, 1, "duplicate_key"),
    }
    for name, (lines, count, rule) in rows.items():
        yield set_aside(name, "sheet", _file(_csv(*lines)), count, rule)
    mixed = f"{HEADER}\r\n{GOOD}\n{_row()}\r\n".encode()
    faults = ("pattern", "not_an_integer", "not_a_number", "not_a_date")
    yield set_aside("the header again below", "sheet", _file(_csv(GOOD, HEADER)), 1, *faults)
    old = _csv(GOOD, _row(), end="\r")
    yield loaded("line ends of an old Macintosh", "sheet", _file(old), 2)
    yield loaded("a quote inside a value", "sheet", _file(_csv(GOOD, _row(note='a"b'))), 2)
    yield loaded("mixed line ends", "sheet", _file(mixed), 2)
    yield loaded("blank lines between", "sheet", _file(_csv("", GOOD, "", "", _row())), 2)
    wide = _csv(GOOD, _row(note='"' + "x" * 200_000 + '"'))
    yield set_aside("a value of 200,000 letters", "sheet", _file(wide), 2, "value_too_long")
    quotes = lambda: _csv(GOOD, _row(note='"' * 1_000_001))  # noqa: E731 -- as above
    yield set_aside("a million quotes", "sheet", _file(quotes), 1, "unbalanced_quote")
    lines = lambda: _csv(GOOD, _row(note='"' + "x\n" * 300_000))  # noqa: E731 -- as above
    wrong = ("wrong_column_count", "unbalanced_quote")
    yield set_aside("a quote open for 300,000 lines", "sheet", _file(lines), 1, *wrong)


def _values() -> Iterator[Case]:
    values: dict[str, tuple[dict[str, str], int, str]] = {
        "an identifier as a spreadsheet writes it": ({"person_no": "1E5"}, 1, "pattern"),
        "a year 0026": ({"seen": "0026-01-02"}, 2, "not_a_date"),
        "a day that is none": ({"seen": "31/02/2026"}, 2, "not_a_date"),
        "month and day exchanged": ({"seen": "2026-13-01"}, 2, "not_a_date"),
        "an American date": ({"seen": "02/28/2026"}, 2, "not_a_date"),
        "a spreadsheet's day number": ({"seen": "46023"}, 2, "not_a_date"),
        "a count beyond 64 bits": ({"visits": "9" * 30}, 2, "not_an_integer"),
        "a count with a decimal": ({"visits": "3.0"}, 2, "not_an_integer"),
        "not a number": ({"amount": "NaN"}, 2, "not_a_number"),
        "infinity": ({"amount": "1e999"}, 2, "not_a_number"),
        "no key": ({"person_no": ""}, 1, "required"),
        "right-to-left override in a note": ({"note": "a\u202eb"}, 2, "control_character"),
        "an escape sequence in a note": ({"note": "a\x1b[31mb"}, 2, "control_character"),
        "a name of control characters": ({"surname": "Sam\x07ple"}, 1, "control_character"),
    }
    for name, (own, count, rule) in values.items():
        yield set_aside(name, "sheet", _file(_csv(GOOD, _row(**own))), count, rule)
    harmless = {
        "SQL in a value": {"note": "'); DROP TABLE raw.sheet__people; --"},
        "a formula in a value": {"note": "=cmd|'/c calc'!A1"},
        "markup in a value": {"note": "<script>alert(1)</script>"},
        "leading zeros in a key": {"person_no": "0002"},
        "a name in Arabic": {"surname": "الحسن"},
        "a name with combining marks": {"surname": "Nguye\u0302\u0303n"},
        "a format string in a value": {"note": "%s%n{0.__class__}"},
    }
    for name, own in harmless.items():
        yield loaded(name, "sheet", _file(_csv(GOOD, _row(**own))), 2)
