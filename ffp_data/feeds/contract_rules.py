"""What the keys of a contract ask of one another, beyond what each must be by itself.

The models call these functions when they are built and raise the first fault, in plain words; `registry`
finds its file and line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ffp_data.feeds.declared import problems as fact_problems
from ffp_data.feeds.json_path import check_path, split_records

if TYPE_CHECKING:
    from ffp_data.feeds.contract import Contract
    from ffp_data.feeds.contract_table import Property, Relationship, Table


def table_problems(table: Table) -> Iterator[str]:
    """What the keys of a table lack or contradict."""
    names = [p.name for p in table.properties]
    yield from (f"column {n} is declared twice" for n in _repeated(names))
    named = table.structural | ({table.role_from.column} if table.role_from else set())
    yield from (f"{n} is not a column of {table.name}" for n in sorted(named - set(names)))
    yield from _key_problems(table)
    yield from fact_problems(table)
    yield from _person_if_problems(table)
    yield from _merged_problems(table)
    if table.relationship:
        yield from _relationship_problems(table, table.relationship)
    yield from _snapshot_problems(table)
    yield from _identity_problems(table)


def contract_problems(contract: Contract) -> Iterator[str]:
    """What the tables of a contract lack or contradict, beside each other and under its `hub` keys."""
    for table in contract.tables:
        for prop in table.properties:
            for problem in _path_problems(contract, prop):
                yield f"{table.name}.{prop.name}: {problem}"
    if contract.hub.format == "xml" and not contract.hub.records:
        yield "an xml feed needs hub.records: the record elements, from the root on"
    for table in contract.tables:
        if table.facts.involvements and contract.hub.service is None:
            yield f"{table.name}: facts.involvements need hub.service"
    for pattern in sorted({pattern for t in contract.tables for pattern in t.patterns}):
        yield from _file_problems(contract, pattern)


def _repeated(names: Iterable[str]) -> list[str]:
    given = list(names)
    return sorted({name for name in given if given.count(name) > 1})


def _raw_names(table: Table) -> set[str]:
    return {p.name for p in table.payload}


def _key_problems(table: Table) -> Iterator[str]:
    for name in (*table.key, *table.record_key):
        if name in table.by_name and not table.by_name[name].required:
            yield f"key column {name} must be required: a row without it cannot be told from another"


def _person_if_problems(table: Table) -> Iterator[str]:
    if table.person_if is None:
        return
    for name in sorted(set(table.person_if.when) - _raw_names(table)):
        yield f"person_if: {name} is not a column of {table.name} that goes to raw"
    filled = {p.person for p in table.properties}
    for name in table.person_if.known:
        if name not in filled:
            yield f"person_if: no column fills {name}"
    if table.role is None:
        yield "person_if is for a list of people: give the table a role"


def _merged_problems(table: Table) -> Iterator[str]:
    if table.merged_into and not (table.role and len(table.record_key) == 1):
        yield "merged_into is for a list of people whose record_key is one column"
    if table.merged_into in {p.name for p in table.identity}:
        yield "merged_into: a column that goes to raw, beside the record_key"


def _relationship_problems(table: Table, tie: Relationship) -> Iterator[str]:
    if tie.related_key and tie.name and not table.person_if:
        yield "relationship: give either related_key or name, or person_if beside both"
    if tie.word == "reverse" and not _has_named_list(table, tie.type):
        yield "relationship: word: reverse needs a type whose codes are a list by name"


def _has_named_list(table: Table, column: str | None) -> bool:
    return column in table.by_name and isinstance(table.by_name[column].codes, str)


def _snapshot_problems(table: Table) -> Iterator[str]:
    for name in table.scope:
        if name not in table.key or name not in _raw_names(table):
            yield f"scope: {name} must be a key column that goes to raw"
    if (table.scope or table.guard) and table.semantics != "snapshot":
        yield "scope and guard are for snapshots: a delta takes nothing away"


def _identity_problems(table: Table) -> Iterator[str]:
    if set(table.key) != set(table.record_key) and not set(table.key) <= _raw_names(table):
        yield "a key column that fills a person attribute must be the record_key"
    if table.identity and table.taken_back:
        yield "taken_back is for tables of facts: a row that takes back tells of nobody"
    if table.identity and not table.record_key:
        yield "a table with person attributes needs a record_key"
    for attribute in _repeated(p.person for p in table.properties if p.person):
        yield f"two columns fill person attribute {attribute}"


def _path_problems(contract: Contract, prop: Property) -> Iterator[str]:
    """Columns of JSON and XML stand at a path, which their aliases are too; others stand in a header."""
    if contract.hub.format not in ("ndjson", "xml"):
        if prop.path and not prop.from_:
            yield "path: is for ndjson and xml feeds, or beside from:"
        return
    if not prop.path:
        yield "a column of an ndjson or xml feed needs path:"
    for alias in prop.aliases:
        try:
            check_path(alias)
        except ValueError as error:
            yield str(error)


def _file_problems(contract: Contract, pattern: str) -> Iterator[str]:
    """Files of several tables must say of each record, or each list of records, which table it is for."""
    readers = [t for t in contract.tables if pattern in t.patterns]
    mains = [t for t in readers if not t.explode]
    kinds = {(t.records, t.only_when.equals if t.only_when else None) for t in mains}
    if not mains or len(mains) > len(kinds):
        yield f"{pattern}: one table without explode: may read the records of one kind"
    elif len({t.only_when.path for t in mains if t.only_when}) > 1:
        yield f"{pattern}: the tables of one file tell its kinds of record by one path"
    elif pattern.endswith(".json") and contract.hub.format == "ndjson":
        for table in readers:
            yield from _place_problems(table)


def _place_problems(table: Table) -> Iterator[str]:
    if table.records is None:
        yield f"{table.name} needs records: where in the document they stand"
        return
    try:
        split_records(table.records)
    except ValueError as error:
        yield f"{table.name}: {error}"
