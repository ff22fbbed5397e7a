"""Deliveries for tests, made from a contract: any table, any rows, in the contract's own format."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import duckdb
import yaml

from ffp_data import feeds

Row = dict[str, str]
STAMP = "20260401T030000Z"

_SAMPLES = {
    "string": "Sample",
    "date": "2025-09-03",
    "timestamp": "2025-09-03T09:15:00Z",
    "integer": "3",
    "number": "0.6",
    "boolean": "true",
    "object": '{"OUTCOME": "x"}',
}
# Patterns of the contracts that a made value must fit.
_BY_PATTERN = {
    r"^(-|[01](\.\d+)?)$": "0.97",
    r"^[0-9a-f]{64}$": "0" * 64,
    r"^\d{6}$": "100001",
    r"^\d{3}$": "999",
    r"^\d{4}$": "2001",
    r"^\d{2}$": "51",
    r"^[A-Z]\d{5,6}$": "X00001",
    r"^[A-Z]\d{4}[A-Z]{2}$": "A1234AA",
    r"^\d{1,12}$": "1001",
    "^[^0-9,;/&+()]+$": "Sample",
}


class Landing:
    """A landing folder that can be filled table by table and loaded into a warehouse."""

    def __init__(
        self,
        folder: Path,
        contracts: Mapping[str, feeds.Contract],
        con: duckdb.DuckDBPyConnection,
    ) -> None:
        self.folder, self.contracts, self.con = folder, contracts, con

    def file(self, feed: str, name: str, content: str | bytes) -> Path:
        """Writes a delivered file as it stands."""
        path = self.folder / feed / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def rows(self, feed: str, table: str, rows: Iterable[Row], stamp: str = STAMP) -> Path:
        """Writes a file of `rows` (property -> text) of a CSV, NDJSON or XML feed."""
        contract = self.contracts[feed]
        declared = contract.by_name[table]
        name = file_name(declared, stamp)
        text = csv_text(declared, rows)
        if contract.hub.format == "ndjson":
            text = "".join(json.dumps(record(contract, declared, row)) + "\n" for row in rows)
        if name.endswith(".json"):
            text = document_text(contract, declared, rows)
        if contract.hub.format == "xml":
            text = xml_text(contract, [record(contract, declared, row) for row in rows])
        return self.file(feed, name, text)

    def drop(self, tables: Mapping[str, str], stamp: str = "20260401", **manifest: Any) -> Path:
        """Writes a case system's drop of CSV texts by table, with a true manifest unless told otherwise."""
        folder = self.folder / "case_system" / f"ssd_{stamp}"
        folder.mkdir(parents=True, exist_ok=True)
        for table, text in tables.items():
            (folder / f"{table}.csv").write_text(text, "utf-8")
        (folder / "manifest.yaml").write_text(
            yaml.safe_dump(manifest_of(tables) | manifest), "utf-8"
        )
        return folder

    def load(
        self, allowed: Mapping[str, Iterable[str]] | None = None
    ) -> list[feeds.DeliveryResult]:
        """Loads what is new, in the order of discovery."""
        limits = {table: set(names) for table, names in allowed.items()} if allowed else None
        return [
            feeds.load(self.con, d, self.contracts.get(d.feed), limits, self.contracts)
            for d in feeds.discover(self.folder, self.contracts, self.con)
        ]

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        return self.con.execute(sql).fetchall()


def file_name(table: feeds.Table, stamp: str = STAMP) -> str:
    """A name that the table's glob accepts and that ends in the time of delivery."""
    stem, suffix = table.physical_name.rsplit(".", 1)
    return (
        stem.replace("*", "999", stem.count("*") - 1).replace("*", f"999_{stamp}_001")
        + f".{suffix}"
    )


def sample_row(contract: feeds.Contract, table: feeds.Table, number: int = 1, **own: str) -> Row:
    """A row that the contract accepts; rows of different number differ in their key."""
    row = {p.name: sample_value(p) for p in table.properties if not p.from_}
    row |= {name: f"{row[name]}{number}" for name in table.key if is_free(table.by_name[name])}
    return row | own


def is_free(prop: feeds.Property) -> bool:
    return prop.logical_type == "string" and prop.codes is None and prop.pattern is None


def sample_value(prop: feeds.Property) -> str:
    if isinstance(prop.codes, str):
        return next(iter(feeds.code_lists()[prop.codes].values))
    if prop.codes:
        return prop.codes[0]
    if prop.pattern:
        return _BY_PATTERN.get(prop.pattern, _SAMPLES["string"])
    return _SAMPLES[prop.logical_type]


def csv_text(table: feeds.Table, rows: Iterable[Row]) -> str:
    """CSV with the file's own header names."""
    headers = list(dict.fromkeys(p.header for p in table.properties))
    names = {p.header: p.name for p in table.properties if not p.from_}
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(headers)
    writer.writerows([row.get(names.get(h, h), "") for h in headers] for row in rows)
    return out.getvalue()


def record(contract: feeds.Contract, table: feeds.Table, row: Row) -> dict[str, Any]:
    """A JSON record that holds `row`; the list of an exploded table stands in a record of its main table."""
    if not table.explode:
        return as_json(table, row)
    main = next(
        t for t in contract.tables if t.physical_name == table.physical_name and not t.explode
    )
    return _merged(as_json(table, row), as_json(main, sample_row(contract, main)))


def document_text(contract: feeds.Contract, table: feeds.Table, rows: Iterable[Row]) -> str:
    """A whole document with `rows` in the table's list and nothing in the others."""
    document: dict[str, Any] = {}
    own = (table.records or "").removesuffix("[*]")
    _put(document, own, [record(contract, table, row) for row in rows])
    for place in sorted({t.records for t in contract.tables if t.records}):
        _put(document, place.removesuffix("[*]"), [])
    return json.dumps(document, indent=1)


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Both records in one; objects of one name grow together, and of other values `other`'s stands."""
    shared = {
        name: _merged(value, other[name])
        for name, value in one.items()
        if isinstance(value, dict) and isinstance(other.get(name), dict)
    }
    return one | other | shared


def as_json(table: feeds.Table, row: Row) -> dict[str, Any]:
    """The record whose paths lead to the values of `row`."""
    record: dict[str, Any] = {}
    element: dict[str, Any] = {}
    for prop in table.properties:
        value: Any = row[prop.name]
        if prop.logical_type == "boolean" and value in {"true", "false"}:
            value = value == "true"
        value = f"Patient/{value}" if prop.reference else value
        path = prop.path or ""
        inside = table.explode is not None and not path.startswith("../")
        _put(element if inside else record, path.removeprefix("../"), value)
    if table.explode:
        _put(record, table.explode.replace("[*]", ""), [element])
    if table.only_when:
        _put(record, table.only_when.path, table.only_when.equals)
    return record


def xml_text(contract: feeds.Contract, records: Iterable[Mapping[str, Any]]) -> str:
    """An XML file of `records` in which keys of records that the root holds itself stand there, as a header."""
    way = (contract.hub.records or "").split("|")[0].strip().split("/")
    paths = [p.path or "" for t in contract.tables for p in t.properties]
    outside = {path[3:].partition(".")[0] for path in paths if path.startswith("../")} - {
        path.partition(".")[0] for path in paths if not path.startswith("../")
    }
    header: dict[str, Any] = {}
    body: list[str] = []
    for record in records:
        header |= {name: value for name, value in record.items() if name in outside and value}
        own = {name: value for name, value in record.items() if name not in outside}
        body.append(_element(way[-1], own))
    for name in reversed(way[1:-1]):
        body = [f"<{name}>\n", *body, f"</{name}>\n"]
    tops = [_element(name, value) for name, value in header.items() if isinstance(value, dict)]
    return f"<{way[0]}>\n{''.join([*tops, *body])}</{way[0]}>\n"


def _element(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(_element(name, item) for item in value)
    if isinstance(value, dict):
        return f"<{name}>\n{''.join(_element(k, v) for k, v in value.items())}</{name}>\n"
    return f"<{name}>{escape(str(value))}</{name}>\n"


def manifest_of(tables: Mapping[str, str]) -> dict[str, Any]:
    listed = [
        {
            "name": name,
            "rows": max(len(text.splitlines()) - 1, 0),
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
        }
        for name, text in tables.items()
    ]
    return {
        "la_code": "999",
        "case_system": "systemc",
        "ssd_version": "1.4.5",
        "extract_started": "2026-04-01T01:00:00Z",
        "extract_finished": "2026-04-01T01:30:00Z",
        "window_years": 6,
        "cohort_includes_early_help": True,
        "tables": listed,
        "signed_off_by": "Head of Performance",
    }


_STEP = re.compile(r"\.?([A-Za-z_][\w-]*)|\[(\d+)\]|\[([^\]]+)\]")


def _put(record: Any, path: str, value: Any) -> None:
    """Sets the value at a path of the contract language, making objects and lists on the way."""
    steps = [m.groups() for m in _STEP.finditer(path)]
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        empty: Any = value if following is None else ({} if following[0] else [])
        record = _step_into(record, step, empty)


def _step_into(record: Any, step: tuple[Any, ...], empty: Any) -> Any:
    key, index, tests = step
    if key is not None:
        return record.setdefault(key, empty)
    if index is not None:
        while len(record) <= int(index):
            record.append(empty)
        return record[int(index)]
    wanted = dict(
        test.split("=", 1) for test in tests.split("&") if not re.search(r"^[\w.-]+(!=|~)", test)
    )
    found = next((item for item in record if wanted.items() <= item.items()), None)
    if found is None:
        found = dict(wanted)
        record.append(found)
    return found
