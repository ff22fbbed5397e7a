"""Newline-delimited JSON that is broken, malicious, or only strange."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.hostile.corpus import SECRET, STAMP, Case, file, loaded, refused, set_aside

NAME = f"people_{STAMP}.ndjson"
GOOD = '{"id": "1", "name": [{"given": "Ada", "family": "Sample"}], "contacts": [{"no": 1}]}'
LAST = '{"id": "3", "name": [{"given": "Bo", "family": "Sample"}]}'


def _record(**own: Any) -> str:
    name = [{"given": SECRET, "family": "Sample"}]
    return json.dumps({"id": "2", "name": name} | own)


def cases() -> Iterator[Case]:
    lines: dict[str, tuple[str | Callable[[], str], int, str]] = {
        "a line that is no JSON": ("{id: 2}", 2, "invalid_json"),
        "a list for a record": ('["2"]', 2, "invalid_json"),
        "a number for a record": ("2", 2, "invalid_json"),
        "a bare NaN": (_record(visits=float("nan")), 3, "not_an_integer"),
        "a lone surrogate": ('{"id": "2", "note": "\\ud800"}', 2, "invalid_json"),
        "a cut record in the middle": (_record()[:-3], 2, "invalid_json"),
        "a word where a list belongs": (_record(contacts="none"), 3, "not_a_list"),
        "a record without key": ('{"name": [{"given": "x", "family": "y"}]}', 2, "required"),
        "a count beyond 64 bits": (_record(visits=10**40), 3, "not_an_integer"),
        "a NUL in a note": (_record(note="a\0b"), 3, "control_character"),
        "a right-to-left override": (_record(note="a\u202eb"), 3, "control_character"),
        "a 40 MB note": (lambda: _record(note="x" * (40 << 20)), 2, "invalid_json"),
        "a 2 MB note": (lambda: _record(note="x" * (2 << 20)), 3, "value_too_long"),
    }
    for name, (line, count, rule) in lines.items():
        yield set_aside(f"JSON: {name}", "stream", _file(line), count, rule)
    deep = '{"id": "2", "name": [{"given": "x", "family": "y"}], "x": '
    harmless = {
        "a million lists in one another": lambda: f"{deep}{'[' * 1_000_000}{']' * 1_000_000}}}",
        "an object where text belongs": _record(note={"a": 1}),
        "keys that look like paths": _record(**{"$..id": "9", "name[0].given": "x"}),
        "SQL in a value": _record(note="'); DROP TABLE raw.stream__people; --"),
        "line separators inside a value": _record(note="a\u2028b\u0085c"),
    }
    for name, line in harmless.items():
        yield loaded(f"JSON: {name}", "stream", _file(line), 3)
    long = lambda: _record(note="x" * (40 << 20)).encode() + b"\n"  # noqa: E731 -- made only when asked for
    yield refused("JSON: a line of 40 MB alone", "stream", file(NAME, long), "other_feed")
    yield refused(
        "JSON: cut in the last record", "stream", file(NAME, GOOD[:-4].encode()), "truncated_file"
    )
    yield refused(
        "JSON: records of another feed", "stream", file(NAME, b'{"x": 1}\n{"x": 2}\n'), "other_feed"
    )
    yield refused("JSON: UTF-16", "stream", file(NAME, GOOD.encode("utf-16")), "wrong_encoding")


def _file(line: str | Callable[[], str]) -> Callable[..., object]:
    """A file of three lines with the hostile one in the middle."""
    return file(NAME, f"{GOOD}\n{line() if callable(line) else line}\n{LAST}\n".encode)
