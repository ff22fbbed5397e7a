"""Build a return: its files, its validation report and a build record, in one directory.

Everything is written into the directory that the caller gives, which also decides how it is
published. Equal tables, header and inputs give equal bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import duckdb

from ffp_data.returns import cin, tehadc
from ffp_data.returns.checks import RuleBook, validate_tables
from ffp_data.returns.findings import Finding, count_by_rule
from ffp_data.returns.header import Header
from ffp_data.returns.layout import LayoutError, year_label
from ffp_data.returns.reports import write_reports
from ffp_data.returns.sources import with_sources
from ffp_data.returns.tehadc.csv_files import write_csv_files
from ffp_data.returns.tehadc.match import pre_match
from ffp_data.returns.tehadc.model import COHORT, SOURCE, choose_cohort, copy_tables
from ffp_data.returns.tehadc.profile import Profile
from ffp_data.returns.tehadc.workbook import write_tehadc_workbook
from ffp_data.returns.versions import PROFILE, RECORD, TABLES, keep_tables, made_by
from ffp_data.returns.xml_writer import write_xml


@dataclass(frozen=True)
class ReturnResult:
    """What was built: paths, rows by table, and findings by severity and rule."""

    collection: str
    year: str
    files: tuple[Path, ...]
    for_council: tuple[Path, ...]
    """What is not part of the return: report, build record, workbook, pre-match, kept tables."""
    counts: Mapping[str, int]
    errors: int
    queries: int
    findings_by_rule: Mapping[str, int]
    children: Mapping[str, frozenset[str]]
    """Keys of the children in each table: whom the return tells about."""


def build_return(
    con: duckdb.DuckDBPyConnection,
    out_dir: Path,
    header: Header,
    *,
    schema: str = "returns",
    delivery_ids: Sequence[str] = (),
    profile: Profile | None = None,
    about: Mapping[str, object] = MappingProxyType({}),
    keep: bool = False,
) -> ReturnResult:
    """Write the return that the header names into `out_dir`, with its report and build record.

    `delivery_ids` are those of the inputs and `about` further facts, for that record; `profile`
    replaces the TEHADC profile of the product; with `keep` the tables are written too, from which
    the same can be built again. Raises LayoutError for an unknown collection or year, or missing
    tables.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    year = year_label(header.census_year)
    if header.collection == cin.COLLECTION:
        built = _build_cin(con, year, out_dir, header, schema)
    elif header.collection == tehadc.COLLECTION:
        built = _build_tehadc(con, profile or tehadc.profile(year), out_dir, header, schema)
    else:
        raise LayoutError(f"'{header.collection}' is not a return held here: CIN, TEHADC")
    findings = with_sources(con, built.findings, built.book.layouts, schema)
    title = f"{header.collection} {year}, LA {header.lea}: validation report"
    if built.book.layout.provisional:
        title += " (PROVISIONAL)"
    reports = write_reports(findings, out_dir, title, header.written_at)
    result = _result(header.collection, year, reports, built)
    tables = _keep(con, built, out_dir, schema) if keep else {}
    record = _write_record(out_dir, result, header, built.book, delivery_ids, about, tables)
    kept = (out_dir / TABLES,) if keep else ()
    return replace(
        result,
        files=(*result.files, record, *kept),
        for_council=(*result.for_council, record, *kept),
    )


@dataclass(frozen=True)
class _Built:
    files: list[Path]
    for_council: list[Path]
    findings: list[Finding]
    counts: Mapping[str, int]
    children: Mapping[str, frozenset[str]]
    book: RuleBook
    profile: Profile | None = None


def _keep(
    con: duckdb.DuckDBPyConnection, built: _Built, out_dir: Path, schema: str
) -> dict[str, str]:
    """Write the tables, and the profile that was used; SHA-256 of each table by name."""
    tables = keep_tables(con, built.book, schema, out_dir / TABLES)
    if built.profile is not None:
        profile = built.profile.model_dump_json(indent=1)
        (out_dir / TABLES / PROFILE).write_text(profile, encoding="utf-8")
    return tables


def _build_cin(
    con: duckdb.DuckDBPyConnection, year: str, out_dir: Path, header: Header, schema: str
) -> _Built:
    book = cin.rule_book(year)
    path = out_dir / f"cin-{year}-{header.lea}.xml"
    findings = validate_tables(con, book, header.reference_date, schema)
    write_xml(con, book.layout, header, path, schema)
    counts, children = _row_counts(con, book, schema), _children(con, book, schema)
    return _Built([path], [], findings, counts, children, book)


def _build_tehadc(
    con: duckdb.DuckDBPyConnection, profile: Profile, out_dir: Path, header: Header, schema: str
) -> _Built:
    book = tehadc.rule_book_of(profile)
    model = copy_tables(con, profile, cin.layout(profile.year), schema)
    chosen = choose_cohort(model, profile)
    match = pre_match(model)
    stem = f"tehadc-{profile.year}-{header.lea}"
    xml, workbook = out_dir / f"{stem}.xml", out_dir / f"{stem}.xlsx"
    write_xml(model, profile.layout, header, xml, COHORT)
    # Rules look at all that was delivered, so that what is left out is reported too.
    findings = validate_tables(model, book, header.reference_date, SOURCE)
    checks = [finding for finding in findings if finding.rule in tehadc.match_rules()]
    write_tehadc_workbook(model, profile, chosen, match, checks, workbook)
    match_file = out_dir / "pre-match.json"
    found = match.as_dict() | {"overlap_and_sequence": [check.as_dict() for check in checks]}
    match_file.write_text(_json(found), encoding="utf-8")
    files = [xml, *write_csv_files(model, profile, out_dir)]
    counts, children = _row_counts(model, book, COHORT), _children(model, book, COHORT)
    return _Built(files, [workbook, match_file], findings, counts, children, book, profile)


def _row_counts(con: duckdb.DuckDBPyConnection, book: RuleBook, schema: str) -> dict[str, int]:
    counts = {}
    for table in book.layout.tables:
        row = con.execute(f"SELECT count(*) FROM {schema}.{table.name}").fetchone()
        counts[table.name] = 0 if row is None else int(row[0])
    return counts


def _children(
    con: duckdb.DuckDBPyConnection, book: RuleBook, schema: str
) -> dict[str, frozenset[str]]:
    found = {}
    for table in book.layout.tables:
        rows = con.execute(f"SELECT DISTINCT child_key FROM {schema}.{table.name}").fetchall()
        found[table.name] = frozenset(key for (key,) in rows)
    return found


def _result(collection: str, year: str, reports: Sequence[Path], built: _Built) -> ReturnResult:
    return ReturnResult(
        collection=collection,
        year=year,
        files=(*built.files, *built.for_council, *reports),
        for_council=(*built.for_council, *reports),
        counts=built.counts,
        errors=sum(f.severity == "error" for f in built.findings),
        queries=sum(f.severity == "query" for f in built.findings),
        findings_by_rule=count_by_rule(built.findings),
        children=built.children,
    )


def _write_record(
    out_dir: Path,
    result: ReturnResult,
    header: Header,
    book: RuleBook,
    delivery_ids: Sequence[str],
    about: Mapping[str, object],
    tables: Mapping[str, str],
) -> Path:
    path = out_dir / RECORD
    facts = {
        "collection": result.collection,
        "year": result.year,
        "header": header.as_dict(),
        "layout_status": book.layout.status,
        "provisional": book.layout.provisional,
        "made_by": dict(made_by()),
        "rules_sha256": rules_version(book),
        "about": dict(about),
        "inputs": sorted(delivery_ids),
        "rows": dict(result.counts),
        "errors": result.errors,
        "queries": result.queries,
        "findings_by_rule": dict(result.findings_by_rule),
        "files": {file.name: _sha256(file.read_bytes()) for file in result.files},
        "tables": dict(tables),
    }
    path.write_text(_json(facts), encoding="utf-8")
    return path


def rules_version(book: RuleBook) -> str:
    """SHA-256 over layout, rules, views and parameters: changes whenever a finding could."""
    rules = "\n".join(rule.model_dump_json() for rule in book.rules)
    lists = _json({name: list(values) for name, (_, values) in book.lists.items()})
    parts = (book.layout.model_dump_json(), rules, book.views, lists, _json(dict(book.parameters)))
    return _sha256("\0".join(parts).encode())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _json(facts: Mapping[str, object]) -> str:
    return json.dumps(facts, ensure_ascii=False, indent=1) + "\n"
