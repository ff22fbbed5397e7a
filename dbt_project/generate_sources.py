"""dbt source files and code seeds, written from the feed contracts.

A contract says what a feed delivers; dbt needs the same list once more as sources. This script
writes that second list, so that nobody copies it by hand: one `_src_<feed>.yml` for each contract,
seeds of the code lists, and of the early-warning lists. `tests/dbt_project/test_sources.py` fails
with a diff when contract and source have drifted apart.

    python dbt_project/generate_sources.py
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from ffp_data import feeds
from ffp_data.feeds.contract import Contract
from ffp_data.feeds.contract_table import Table
from ffp_data.feeds.tables import raw_columns
from ffp_data.lists import load_lists

PROJECT = Path(__file__).resolve().parent
CODES = Path(feeds.__file__).parent / "codes.yaml"
HEADER = (
    "# Written by dbt_project/generate_sources.py from the contract"
    " ffp_data/feeds/contracts/{feed}.yaml: edit that.\n"
)
PROVENANCE = {
    "record_key": "{{ doc('record_key') }}",
    "_delivery_id": "{{ doc('delivery_id') }}",
    "_line": "{{ doc('line') }}",
    "_element": "Place of the row in the list that its line of the file holds.",
}


def source(contract: Contract) -> dict[str, Any]:
    """The dbt source of one feed: a table for each table of the contract, in schema `raw`."""
    about = contract.description
    return {
        "name": contract.id,
        "database": "warehouse",
        "schema": "raw",
        "description": f"{contract.name}: {about.purpose}. Limits: {about.limitations}.",
        "config": {"meta": {"dagster": {"asset_key": ["raw", contract.id]}}},
        "tables": [_table(contract, table) for table in contract.tables],
    }


def source_file(contract: Contract) -> str:
    """Text of `_src_<feed>.yml`."""
    body = {"version": 2, "sources": [source(contract)]}
    text = yaml.safe_dump(body, sort_keys=False, width=120, default_flow_style=None)
    return HEADER.format(feed=contract.id) + text


def attendance_codes() -> str:
    """Text of the seed of attendance codes: code, meaning, statistical class, validity."""
    marks = _code_lists()["attendance_code"]["values"]
    fields = ("meaning", "statistical_class", "valid_from", "valid_to")
    rows = ((code, *(facts.get(field, "") for field in fields)) for code, facts in marks.items())
    return _csv(("code", *fields), rows)


def codes() -> str:
    """Text of the seed of all other code lists: list, code, meaning."""
    rows = (
        (name, code, meaning)
        for name, listed in feeds.code_lists().items()
        if name != "attendance_code"
        for code, meaning in listed.meanings().items()
    )
    return _csv(("code_list", "code", "meaning"), rows)


def early_warning_lists() -> str:
    """Text of the seed of the early-warning lists, in the order in which they are read."""
    header = (
        "list_id",
        "place",
        "title",
        "rule_in_words",
        "guide",
        "chosen",
        "owner",
        "review_date",
    )
    rows = (
        (
            one.id,
            str(place),
            one.title,
            one.rule,
            one.guide,
            one.chosen,
            one.owner,
            one.review.isoformat(),
        )
        for place, one in enumerate(load_lists(), start=1)
    )
    return _csv(header, rows)


def early_warning_feeds() -> str:
    """Text of the seed of what each list needs: list, feed, and the feed's part in the rule."""
    rows = ((one.id, feed, part) for one in load_lists() for feed, part in one.feeds.items())
    return _csv(("list_id", "feed", "part"), rows)


def files() -> dict[Path, str]:
    """Every generated file and the text that it should hold."""
    sources = {
        PROJECT / "models" / "staging" / feed / f"_src_{feed}.yml": source_file(contract)
        for feed, contract in feeds.load_contracts().items()
    }
    seeds = {
        "attendance_codes.csv": attendance_codes(),
        "codes.csv": codes(),
        "early_warning_lists.csv": early_warning_lists(),
        "early_warning_feeds.csv": early_warning_feeds(),
    }
    return sources | {PROJECT / "seeds" / name: text for name, text in seeds.items()}


def _table(contract: Contract, table: Table) -> dict[str, Any]:
    return {
        "name": table.name,
        "identifier": f"{contract.id}__{table.name}",
        "description": f"{table.description}; {table.grain}",
        "columns": [_column(table, name, kind) for name, kind in raw_columns(table).items()],
    }


def _column(table: Table, name: str, kind: str) -> dict[str, Any]:
    if name in PROVENANCE:
        return {"name": name, "data_type": kind.lower(), "description": PROVENANCE[name]}
    category = {"meta": {"category": table.by_name[name].category}}
    return {"name": name, "data_type": kind.lower(), "config": category}


def _code_lists() -> dict[str, Any]:
    lists: dict[str, Any] = yaml.safe_load(CODES.read_text("utf-8"))
    return lists


def _csv(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def main() -> None:
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
