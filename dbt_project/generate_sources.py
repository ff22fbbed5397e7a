"""dbt source files and code seeds, written from the feed contracts.

A contract says what a feed delivers; dbt needs the same list once more as sources. This script writes
that second list, so that nobody copies it by hand: one `_src_<feed>.yml` for each contract and one seed
of attendance codes. `tests/dbt_project/test_sources.py` fails with a diff when they have drifted apart.

    python dbt_project/generate_sources.py
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parent
FEEDS = PROJECT.parent / "ffp_data" / "feeds"
HEADER = "# Written by dbt_project/generate_sources.py from ffp_data/feeds/contracts/{feed}.yaml: edit that file.\n"
SQL_TYPES = {
    "string": "varchar",
    "object": "varchar",
    "date": "date",
    "timestamp": "timestamp",
    "integer": "bigint",
    "number": "double",
    "boolean": "boolean",
}
KEY_COLUMNS = {
    "record_key": ("varchar", "{{ doc('record_key') }}"),
    "_delivery_id": ("varchar", "{{ doc('delivery_id') }}"),
    "_line": ("bigint", "{{ doc('line') }}"),
}


def contracts() -> dict[str, dict[str, Any]]:
    """Every feed contract by its id, in the order of file names."""
    files = sorted((FEEDS / "contracts").glob("*.yaml"))
    return {file.stem: yaml.safe_load(file.read_text("utf-8")) for file in files}


def payload(table: dict[str, Any]) -> list[dict[str, Any]]:
    """Properties of a table that go to `raw`: all but the attributes of identity."""
    return [prop for prop in table["properties"] if "person" not in prop]


def columns(table: dict[str, Any]) -> dict[str, str]:
    """Column name -> DuckDB type of `raw.<feed>__<table>`."""
    own = {prop["name"]: SQL_TYPES[prop["logicalType"]] for prop in payload(table)}
    return own | {name: kind for name, (kind, _) in KEY_COLUMNS.items()}


def _column(prop: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": prop["name"],
        "data_type": SQL_TYPES[prop["logicalType"]],
        "config": {"meta": {"category": prop["category"]}},
    }


def _key_column(name: str) -> dict[str, Any]:
    data_type, description = KEY_COLUMNS[name]
    return {"name": name, "data_type": data_type, "description": description}


def _table(feed: str, table: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": table["name"],
        "identifier": f"{feed}__{table['name']}",
        "description": f"{table['description']}; {table['grain']}",
        "columns": [_column(p) for p in payload(table)] + [_key_column(n) for n in KEY_COLUMNS],
    }


def source(feed: str, contract: dict[str, Any]) -> dict[str, Any]:
    """The dbt source of one feed: a table for each table of the contract, in schema `raw`."""
    about = contract["description"]
    return {
        "name": feed,
        "database": "warehouse",
        "schema": "raw",
        "description": f"{contract['name']}: {about['purpose']}. Limits: {about['limitations']}.",
        "config": {"meta": {"dagster": {"asset_key": ["raw", feed]}}},
        "tables": [_table(feed, table) for table in contract["schema"]],
    }


def source_file(feed: str, contract: dict[str, Any]) -> str:
    """Text of `_src_<feed>.yml`."""
    body = {"version": 2, "sources": [source(feed, contract)]}
    return HEADER.format(feed=feed) + yaml.safe_dump(
        body, sort_keys=False, width=120, default_flow_style=None
    )


def _csv(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def attendance_codes() -> str:
    """Text of the seed of attendance codes: code, meaning, statistical class, validity."""
    lists = yaml.safe_load((FEEDS / "codes.yaml").read_text("utf-8"))
    marks = lists["attendance_code"]["values"]
    fields = ("meaning", "statistical_class", "valid_from", "valid_to")
    rows = ((code, *(facts.get(field, "") for field in fields)) for code, facts in marks.items())
    return _csv(("code", *fields), rows)


def codes() -> str:
    """Text of the seed of code lists: list, code, meaning. Attendance codes have a seed of their own."""
    lists = yaml.safe_load((FEEDS / "codes.yaml").read_text("utf-8"))
    rows = (
        (name, code, meaning)
        for name, facts in lists.items()
        if name != "attendance_code"
        for code, meaning in facts["values"].items()
    )
    return _csv(("code_list", "code", "meaning"), rows)


def files() -> dict[Path, str]:
    """Every generated file and the text that it should hold."""
    sources = {
        PROJECT / "models" / "staging" / feed / f"_src_{feed}.yml": source_file(feed, contract)
        for feed, contract in contracts().items()
    }
    seeds = {"attendance_codes.csv": attendance_codes(), "codes.csv": codes()}
    return sources | {PROJECT / "seeds" / name: text for name, text in seeds.items()}


def main() -> None:
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
