"""Reads the contracts and code lists, and names file, line, key and remedy for each fault in them.

YAML is composed to nodes first, so that a fault that pydantic finds by its path can be told by its
line, and so that a key given twice is a fault instead of a silent loss.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ValidationError

from ffp_data.feeds.code_list import CodeList
from ffp_data.feeds.contract import Contract
from ffp_data.feeds.errors import FeedError

PACKAGED = Path(__file__).parent / "contracts"
CODES = Path(__file__).parent / "codes.yaml"
TO_DO = "TODO"
"""How a draft marks what only a person can say."""

Loc = tuple[int | str, ...]

# libyaml, where PyYAML was built with it, reads the contracts several times faster.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Codes(BaseModel):
    lists: dict[str, CodeList]


@cache
def code_lists(path: Path = CODES) -> Mapping[str, CodeList]:
    """The code lists by name; raises FeedError."""
    node, data = read_yaml(path)
    try:
        return _Codes.model_validate({"lists": data}).lists
    except ValidationError as error:
        raise faults_of(path, node, error, skip=1)[0] from error


def load_contracts(*places: Path) -> dict[str, Contract]:
    """Every contract by feed id, in order of id; raises FeedError for the first fault.

    `places` are folders or single files, the packaged folder when none is given. A folder that is not
    there holds no contract, so that a home without contracts of its own needs none.
    """
    contracts, errors = _load(places or (PACKAGED,))
    if errors:
        raise errors[0]
    return contracts


def check_contracts(*places: Path) -> list[FeedError]:
    """All faults of all contracts of `places`, as `load_contracts` takes them; empty when each can be used."""
    return _load(places or (PACKAGED,))[1]


def _load(places: Iterable[Path]) -> tuple[dict[str, Contract], list[FeedError]]:
    files = [path for place in places for path in _files(place)]
    contracts, errors = _read(tuple((path, path.read_bytes()) for path in files))
    return dict(contracts), list(errors)


@lru_cache(maxsize=8)
def _read(
    files: tuple[tuple[Path, bytes], ...],
) -> tuple[dict[str, Contract], list[FeedError]]:
    """Remembered by what the files hold: every step of a run asks, and reading twenty takes a while."""
    contracts: dict[str, Contract] = {}
    errors: list[FeedError] = []
    for path, _ in files:
        try:
            node, data = read_yaml(path)
            if unfinished := _unfinished(path, node):
                errors += unfinished
                continue
            contract = Contract.model_validate(data)
        except ValidationError as error:
            errors += faults_of(path, node, error)
        except FeedError as error:
            errors.append(error)
        else:
            errors += _across(path, node, contract, contracts)
            contracts[contract.id] = contract
    return dict(sorted(contracts.items())), errors


def file_of(feed: str, *places: Path) -> Path:
    """The file that holds the contract of `feed`; KeyError when none does."""
    for path in (path for place in places for path in _files(place)):
        if isinstance(data := read_yaml(path)[1], dict) and data.get("id") == feed:
            return path
    raise KeyError(feed)


def parse_draft(text: str) -> Contract:
    """A contract that may still have TODOs, where these are text; pydantic's ValidationError otherwise."""
    return Contract.model_validate(_LOADER(text).get_single_data())


def _files(place: Path) -> list[Path]:
    return [place] if place.is_file() else sorted(place.glob("*.yaml"))


def _unfinished(path: Path, node: yaml.Node, loc: Loc = ()) -> list[FeedError]:
    """What a draft leaves to a person, each place with its key and line."""
    if isinstance(node, yaml.ScalarNode):
        if not str(node.value).startswith(TO_DO):
            return []
        key, line = ".".join(map(str, loc)), node.start_mark.line + 1
        message, remedy = "left to a person", "put what holds in the place of TODO"
        return [FeedError("to_do", message, remedy, file=str(path), line=line, column=key)]
    return [error for key, child in _parts(node) for error in _unfinished(path, child, (*loc, key))]


def _parts(node: yaml.Node) -> list[tuple[int | str, yaml.Node]]:
    if isinstance(node, yaml.SequenceNode):
        return list(enumerate(node.value))
    return [(str(key.value), value) for key, value in node.value]


def _across(
    path: Path, node: yaml.Node, contract: Contract, others: Mapping[str, Contract]
) -> Iterator[FeedError]:
    """Faults that only show beside other files: code lists that don't exist, a feed id used twice."""
    if contract.id in others:
        remedy = "give each contract its own id"
        yield fault_at(
            path, node, ("id",), f"feed {contract.id} has another contract already", remedy
        )
    known = code_lists()
    for i, table in enumerate(contract.tables):
        for j, column in enumerate(table.properties):
            if isinstance(column.codes, str) and column.codes not in known:
                loc = ("schema", i, "properties", j, "codes")
                message = f"no code list {column.codes}"
                yield fault_at(
                    path, node, loc, message, f"add it to {CODES.name} or correct the name"
                )


def read_yaml(path: Path) -> tuple[yaml.Node, object]:
    """The nodes of a YAML file, which know their lines, and its data; raises FeedError."""
    try:
        node = yaml.compose(path.read_text("utf-8"), Loader=_LOADER)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        raise FeedError(
            "not_yaml", "the file is not YAML", "correct the line", file=str(path), line=line
        ) from error
    if not isinstance(node, yaml.MappingNode):
        raise FeedError("not_a_mapping", "no keys", "write key: value", file=str(path), line=1)
    _forbid_double_keys(path, node)
    return node, _LOADER("").construct_document(node)


def _forbid_double_keys(path: Path, node: yaml.Node) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                raise FeedError(
                    "double_key",
                    "a key is given twice",
                    "keep one of them",
                    file=str(path),
                    line=key.start_mark.line + 1,
                    column=key.value,
                )
            seen.add(key.value)
            _forbid_double_keys(path, value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _forbid_double_keys(path, item)


def faults_of(
    path: Path, node: yaml.Node, error: ValidationError, skip: int = 0
) -> list[FeedError]:
    """What pydantic found wrong in a file, each with line, key and remedy."""
    found = error.errors()
    # A list whose only part is wrong counts as empty to pydantic: the part's own fault is the one to tell.
    deeper = {loc[:n] for loc in (e["loc"] for e in found) for n in range(len(loc))}
    return [
        fault_at(path, node, e["loc"][skip:], e["msg"], _remedy(e["type"]))
        for e in found
        if not (e["type"] == "too_short" and e["loc"] in deeper)
    ]


def _remedy(kind: str) -> str:
    remedies = {
        "missing": "add the key",
        "extra_forbidden": "remove the key or correct its spelling",
        "literal_error": "use one of the words named",
    }
    return remedies.get(kind, "correct the value")


def fault_at(path: Path, node: yaml.Node, loc: Loc, message: str, remedy: str) -> FeedError:
    """A fault at a key of a file, with the key's line."""
    column = ".".join(str(step) for step in loc)
    line = _line(node, loc)
    return FeedError("contract", message, remedy, file=str(path), line=line, column=column)


def _line(node: yaml.Node, loc: Loc) -> int:
    """The line of the deepest part of `loc` that the document has."""
    line = node.start_mark.line + 1
    for step in loc:
        found = _child(node, step)
        if found is None:
            break
        key, node = found
        line = key.start_mark.line + 1
    return line


def _child(node: yaml.Node, step: int | str) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    if isinstance(node, yaml.MappingNode):
        return next(((k, v) for k, v in node.value if k.value == step), None)
    return None
