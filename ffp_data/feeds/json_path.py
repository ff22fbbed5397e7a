"""Compiles the path language of contracts to DuckDB JSON expressions.

A path is a chain of keys and picks: `a.b` steps into an object, `[0]` takes an element of a list,
`[system=x]` takes the first element whose key `system` equals x, and a leading `../` reads from the
record that holds an exploded element, or from the list element around a record. A path that meets
nothing gives NULL. A pick may ask several things: `[system=x&use!=old]` (another value or none) and
`[actor.reference~Patient/]` (holds this text). Where the records of a whole document stand is told
by keys, the list `[*]` and keys within each element: `entry[*].resource`.
"""

from __future__ import annotations

import re

from ffp_data.sql_text import literal

_KEYS = r"[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*"
_TEST = rf"{_KEYS}(?:!=|=|~)[^\]&]+"
_STEP = re.compile(
    rf"(?:^|\.)(?P<key>[A-Za-z_][\w-]*)|\[(?P<index>\d+)\]|\[(?P<tests>{_TEST}(?:&{_TEST})*)\]"
)
_PARTS = re.compile(rf"(?P<by>{_KEYS})(?P<how>!=|=|~)(?P<value>[^\]&]+)")

_RECORDS = re.compile(
    r"(?P<list>(?:[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*)?)\[\*\](?:\.(?P<rest>.+))?"
)


def compile_path(path: str, document: str, element: str | None = None) -> str:
    """SQL text of the JSON value at `path` in column `document`, or in `element` of an explode.

    Raises ValueError for a path that is not of the language.
    """
    base = element or document
    if path.startswith("../"):
        base, path = document, path[3:]
    place = "$"
    for match in _steps(path):
        if match["key"] is not None:
            place += f'."{match["key"]}"'
        elif match["index"] is not None:
            place += f"[{match['index']}]"
        else:
            items = f"json_extract({base}, {literal(place + '[*]')})"
            tests = " AND ".join(_test(part) for part in _PARTS.finditer(match["tests"]))
            base = f"list_filter({items}, lambda x: {tests})[1]"
            place = "$"
    return f"json_extract({base}, {literal(place)})"


def _test(part: re.Match[str]) -> str:
    """SQL of one condition on the element `x` of a pick."""
    keys = "".join(f'."{key}"' for key in part["by"].split("."))
    found, wanted = f"json_extract_string(x, {literal('$' + keys)})", literal(part["value"])
    if part["how"] == "~":
        return f"contains({found}, {wanted})"
    return f"{found} {'=' if part['how'] == '=' else 'IS DISTINCT FROM'} {wanted}"


def scalar(path: str, document: str, element: str | None = None) -> str:
    """SQL text of the value at `path` as VARCHAR; JSON null gives NULL."""
    return f"json_extract_string({compile_path(path, document, element)}, '$')"


def check_path(path: str) -> str:
    """`path` itself when it is of the language; raises ValueError otherwise."""
    _steps(path.removeprefix("../"))
    return path


def split_records(place: str) -> tuple[str, str]:
    """The keys that lead to the list of `place`, and the path from an element to its record.

    Either is empty where there is nothing to step through. Raises ValueError for other text.
    """
    match = _RECORDS.fullmatch(place)
    if match is None:
        raise ValueError(f"{place!r}: not a place of records such as entry[*].resource or [*]")
    return match["list"], check_path(match["rest"] or "")


def _steps(path: str) -> list[re.Match[str]]:
    steps, position = [], 0
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            raise ValueError(f"{path!r}: not a path at character {position + 1}")
        steps.append(match)
        position = match.end()
    return steps
