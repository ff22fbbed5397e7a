"""YAML read so that every value knows its line, and nothing is guessed.

Only true/false, null and whole numbers are resolved; all else is text. So a date stays as written,
`on:` is a key and not a boolean, and `051` is not an octal number. A key given twice is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Place = tuple[str | int, ...]
"""Where a value stands in a document: keys and list positions from the top."""


@dataclass(frozen=True)
class Problem:
    """One finding about a policy file, with what to do about it."""

    file: str
    line: int
    rule: str
    message: str
    remedy: str
    severity: str = "error"

    def __str__(self) -> str:
        """One line, as compilers write them."""
        where = f"{self.file}:{self.line}: {self.severity}: {self.rule}"
        return f"{where}: {self.message}; {self.remedy}"


class PolicyError(Exception):
    """A policy cannot be read or compiled; ``problems`` says where and why."""

    def __init__(self, problems: list[Problem]) -> None:
        """Keep the problems and show them one on each line."""
        super().__init__("\n".join(str(each) for each in problems))
        self.problems = problems


@dataclass(frozen=True)
class Document:
    """One YAML file: its name below the policy directory, its content, the line of each value."""

    file: str
    data: Any
    lines: Mapping[Place, int] = field(repr=False)

    def line(self, *place: str | int) -> int:
        """Return the line of a value, or of the nearest value that holds it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def problem(self, rule: str, message: str, remedy: str, *place: str | int) -> Problem:
        """Return an error about the value at ``place``."""
        return Problem(self.file, self.line(*place), rule, message, remedy)

    def warning(self, rule: str, message: str, remedy: str, *place: str | int) -> Problem:
        """Return a warning about the value at ``place``."""
        return Problem(self.file, self.line(*place), rule, message, remedy, "warning")


def read_document(directory: Path, path: Path) -> Document:
    """Read one YAML file; raise PolicyError naming file and line when it is not readable."""
    file = path.relative_to(directory).as_posix()
    lines: dict[Place, int] = {}
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=_PlainLoader)
        data = None if node is None else _value(node, (), lines)
    except FileNotFoundError:
        raise _unreadable(file, 1, "the file is missing", "add it") from None
    except UnicodeDecodeError as error:
        raise _unreadable(file, 1, f"not UTF-8: {error.reason}", "save it as UTF-8") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _unreadable(file, line, f"not YAML: {error.problem}", "mend the syntax") from None
    except yaml.YAMLError as error:
        raise _unreadable(file, 1, f"not YAML: {error}", "mend the syntax") from None
    return Document(file, data, lines)


class _PlainLoader(yaml.CSafeLoader):
    """A safe loader, on libyaml because it is ten times faster; what it resolves stands below."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own class attribute


def _resolve(tag: str, pattern: str, first: str) -> None:
    _PlainLoader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))


_resolve("bool", r"^(?:true|false)$", "tf")
_resolve("null", r"^(?:null|~)$", "n~")
_resolve("int", r"^(?:0|-?[1-9][0-9]*)$", "-0123456789")


def _value(node: yaml.Node, place: Place, lines: dict[Place, int]) -> Any:
    lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, place, lines)
    if isinstance(node, yaml.SequenceNode):
        return [_value(each, (*place, index), lines) for index, each in enumerate(node.value)]
    return _scalar(node)


def _mapping(node: yaml.MappingNode, place: Place, lines: dict[Place, int]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value)
        if key in result:
            raise yaml.MarkedYAMLError(
                problem=f"the key {key!r} is given twice", problem_mark=key_node.start_mark
            )
        lines[(*place, key)] = key_node.start_mark.line + 1
        result[key] = _value(value_node, (*place, key), lines)
    return result


def _scalar(node: yaml.Node) -> str | int | bool | None:
    text, kind = str(node.value), node.tag.rpartition(":")[2]
    if kind == "int":
        return int(text)
    if kind == "bool":
        return text == "true"
    return None if kind == "null" else text


def _unreadable(file: str, line: int, message: str, remedy: str) -> PolicyError:
    return PolicyError([Problem(file, line, "readable", message, remedy)])
