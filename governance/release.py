"""The only writer of extracts: it turns an allowed decision into files, and nothing more.

For each table of the decision it selects exactly the agreed columns of the cohort's rows, applies
each column's transform, and sorts the result after pseudonyms are set, so that the order of rows
tells nothing of the hub's identifiers. Parquet, a workbook and a signed manifest are written to a
hidden directory that is renamed when whole. The ledger gets the intention before the rename and
the fact after it, so a crash between the two is seen. Equal input gives equal bytes.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from governance.cover import cover_sheet
from governance.files import replacing, replacing_directory, sha256_of_file
from governance.grants import Cohort, ReleaseDecision, ReleaseItem
from governance.keys import KeyStore
from governance.ledger import Ledger
from governance.manifest import MANIFEST, read_manifest, write_manifest
from governance.pseudonym import pseudonym_key, pseudonymise
from governance.syntax import quoted
from governance.xlsx import Sheet, write_workbook

WORKBOOK = "extract.xlsx"
_WIDEST = 40


class ReleaseRefusedError(Exception):
    """An extract that no agreement permits, or that asks for more than the decision holds."""


class ReleaseFailedError(Exception):
    """A permitted extract that cannot be made, because the warehouse lacks what was agreed."""


@dataclass(frozen=True)
class Extract:
    """A written extract: where it lies, its manifest's hash and the rows of each table."""

    directory: Path
    agreement: str
    manifest_sha256: str
    rows: Mapping[str, int]


def write_extract(
    con: duckdb.DuckDBPyConnection,
    decision: ReleaseDecision,
    *,
    as_at: date,
    out: Path,
    keys: KeyStore,
    ledger: Ledger,
    only: Mapping[str, Sequence[str]] | None = None,
) -> Extract:
    """Write the extract of an allowed decision into the directory ``out``, replacing it whole.

    ``only`` narrows the decision to named columns per relation. Raises ReleaseRefusedError (also
    written to the ledger) or ReleaseFailedError; in both cases ``out`` stays as it was.
    """
    _refuse_if_denied(decision, as_at, ledger)
    narrowed = decision if only is None else _narrowed(decision, only, as_at, ledger)
    key = pseudonym_key(keys, decision.recipient, decision.purpose, _epoch(as_at))
    tables = {
        relation: _table(con, narrowed, relation, key, as_at) for relation in narrowed.relations
    }
    rows = {relation: table.num_rows for relation, table in tables.items()}

    def write(part: Path) -> Mapping[str, int]:
        for relation, table in tables.items():
            _write_parquet(table, part / f"{_short(relation)}.parquet")
        sheets = [cover_sheet(narrowed, as_at, rows), *map(_sheet, tables, tables.values())]
        write_workbook(part / WORKBOOK, sheets, f"{narrowed.agreement} {narrowed.recipient}")
        return rows

    return publish(narrowed, write, as_at=as_at, out=out, keys=keys, ledger=ledger)


def publish(
    decision: ReleaseDecision,
    write: Callable[[Path], Mapping[str, int]],
    *,
    as_at: date,
    out: Path,
    keys: KeyStore,
    ledger: Ledger,
) -> Extract:
    """Let ``write`` fill a hidden directory, sign it, record it and put it in the place of ``out``.

    For files of another shape than `write_extract` makes, such as the XML of a statutory return.
    ``write`` returns the number of rows written of each relation; naming one outside the decision
    refuses the whole, and nothing of it stays.
    """
    _refuse_if_denied(decision, as_at, ledger)
    with replacing_directory(out) as part:
        rows = write(part)
        _refuse_others(decision, sorted(set(rows) - set(decision.relations)), as_at, ledger)
        manifest = write_manifest(part, _facts(decision, as_at, rows), keys.signing_key)
        about = {**_about(decision, as_at), "manifest": manifest, "rows": dict(rows)}
        ledger.append("release_intended", **about)
    ledger.append("released", **about, columns=_columns(decision))
    return Extract(out, str(decision.agreement), manifest, dict(rows))


def why_withdrawn(manifest: Mapping[str, Any], decision: ReleaseDecision) -> str | None:
    """Say why today's ``decision`` would not release what ``manifest`` tells of; None when it would."""
    if not decision.allowed:
        return decision.reason
    given = {(each.relation, each.name, each.transform) for each in decision.items}
    excess = [
        f"{column['relation']}.{column['name']}"
        for table in manifest["tables"]
        for column in table["columns"]
        if (column["relation"], column["name"], column["transform"]) not in given
    ]
    if excess:
        return f"{decision.agreement} does not give {', '.join(sorted(excess))} as it was released"
    if manifest["cohort"] != decision.terms["rows"]["cohort"]:
        return f"{decision.agreement} gives other rows than were released"
    return None


def withdraw(directory: Path, reason: str, *, keys: KeyStore, ledger: Ledger) -> None:
    """Remove a release that may no longer lie there; the ledger has it before and keeps it for ever.

    Raises ValueError when the directory holds no release of this hub; then it stays.
    """
    manifest = read_manifest(directory, keys.public_key)
    about = {name: manifest[name] for name in ("recipient", "purpose", "agreement", "as_at")}
    digest = sha256_of_file(directory / MANIFEST)
    ledger.append("release_withdrawn", **about, manifest=digest, reason=reason)
    shutil.rmtree(directory)


def _refuse_if_denied(decision: ReleaseDecision, as_at: date, ledger: Ledger) -> None:
    if not decision.allowed:
        ledger.append("release_refused", **_about(decision, as_at), reason=decision.reason)
        raise ReleaseRefusedError(decision.reason)


def _refuse_others(
    decision: ReleaseDecision, others: Sequence[str], as_at: date, ledger: Ledger
) -> None:
    if others:
        reason = f"{decision.agreement} does not give {', '.join(others)} to {decision.recipient}"
        ledger.append("release_refused", **_about(decision, as_at), reason=reason)
        raise ReleaseRefusedError(f"{reason}; ask for agreed columns, or amend the agreement")


def _narrowed(
    decision: ReleaseDecision, only: Mapping[str, Sequence[str]], as_at: date, ledger: Ledger
) -> ReleaseDecision:
    wanted = {f"{relation}.{name}" for relation, names in only.items() for name in names}
    _refuse_others(decision, sorted(wanted - set(decision.transforms)), as_at, ledger)
    items = tuple(each for each in decision.items if f"{each.relation}.{each.name}" in wanted)
    return replace(decision, items=items)


# Reading: one SELECT per table, made of the decision's own names.


def _table(
    con: duckdb.DuckDBPyConnection,
    decision: ReleaseDecision,
    relation: str,
    key: bytes,
    as_at: date,
) -> pa.Table:
    items = [each for each in decision.items if each.relation == relation]
    types = _types(con, decision, relation)
    if lacking := [each.column for each in items if each.column not in types]:
        raise ReleaseFailedError(
            f"{decision.agreement} names {', '.join(lacking)}, which {relation} lacks; "
            "amend the agreement or the model"
        )
    selected = ", ".join(f"{_expression(each, types)} AS {quoted(each.name)}" for each in items)
    condition = _row_filter(decision.cohort) + _source_filter(decision, items)
    sql = f"SELECT {selected} FROM {_qualified(relation)}{condition}"
    table = con.execute(sql, _parameters(sql, as_at)).to_arrow_table()
    for index, item in enumerate(items):
        if item.transform == "pseudonymised":
            tokens = pseudonymise(key, table.column(index).to_pylist())
            table = table.set_column(index, item.name, pa.array(tokens, pa.string()))
    return table.sort_by([(name, "ascending") for name in table.column_names])


def _types(
    con: duckdb.DuckDBPyConnection, decision: ReleaseDecision, relation: str
) -> dict[str, str]:
    try:
        described = con.execute(f"DESCRIBE {_qualified(relation)}").fetchall()
    except duckdb.CatalogException:
        raise ReleaseFailedError(
            f"{decision.agreement} names {relation}, which the warehouse lacks; build it first"
        ) from None
    return {row[0]: row[1] for row in described}


def _expression(item: ReleaseItem, types: Mapping[str, str]) -> str:
    column, kind = quoted(item.column), types[item.column]
    if item.transform == "clear" and kind.endswith("[]"):
        return f"array_to_string({column}, '; ')"  # a sheet has no lists, and lists do not sort
    if item.transform == "flag":
        return f"coalesce({column}, false)" if kind == "BOOLEAN" else f"{column} IS NOT NULL"
    return {
        "clear": column,
        "pseudonymised": f"{column}::VARCHAR",
        "month": f"strftime({column}, '%Y-%m')",
        "year": f"year({column})::INTEGER",
        "district": f"nullif(split_part({column}, ' ', 1), '')",
    }[item.transform]


def _row_filter(cohort: Cohort | None) -> str:
    if cohort is None:
        raise ReleaseRefusedError("a decision without a cohort releases no row")
    if cohort.members is None:
        return " WHERE true"
    return f" WHERE {quoted(cohort.key)} IN (\n{cohort.members}\n)"


def _source_filter(decision: ReleaseDecision, items: Sequence[ReleaseItem]) -> str:
    """Of a table that names its sources, only rows that rest on agreed feeds alone."""
    if not any(each.column == "source" for each in items):
        return ""
    feeds = ", ".join(f"'{feed}'" for feed in decision.terms["rows"].get("feeds", ()))
    return f" AND list_has_all([{feeds}]::VARCHAR[], string_split(source, ', '))"


def _parameters(sql: str, as_at: date) -> dict[str, Any]:
    return {"as_at": as_at} if "$as_at" in sql else {}


def _qualified(relation: str) -> str:
    return ".".join(quoted(each) for each in relation.split("."))


# Writing


def _write_parquet(table: pa.Table, path: Path) -> None:
    with replacing(path) as handle:
        pq.write_table(table, handle, compression="zstd")


def _sheet(relation: str, table: pa.Table) -> Sheet:
    widths = [_width(name, table.column(name)) for name in table.column_names]
    columns = [table.column(name).to_pylist() for name in table.column_names]
    return Sheet(_short(relation), table.column_names, zip(*columns, strict=True), widths)


def _width(name: str, column: pa.ChunkedArray) -> int:
    longest = max((len(str(each)) for each in column.slice(0, 200).to_pylist()), default=0)
    return min(_WIDEST, max(len(name), longest) + 2)


# Telling


def _about(decision: ReleaseDecision, as_at: date) -> dict[str, Any]:
    return {
        "recipient": decision.recipient,
        "purpose": decision.purpose,
        "agreement": decision.agreement,
        "policy": decision.policy,
        "as_at": as_at.isoformat(),
    }


def _facts(decision: ReleaseDecision, as_at: date, rows: Mapping[str, int]) -> dict[str, Any]:
    terms = decision.terms
    return {
        **_about(decision, as_at),
        "epoch": _epoch(as_at),
        "cohort": terms["rows"]["cohort"],
        "retention": terms["retention"],
        "onward": terms["onward"],
        "tables": [
            {"relation": relation, "rows": count, "columns": _columns(decision, relation)}
            for relation, count in sorted(rows.items())
        ],
    }


def _columns(decision: ReleaseDecision, relation: str | None = None) -> list[dict[str, str]]:
    return [
        {
            "relation": each.relation,
            "name": each.name,
            "transform": each.transform,
            "category": each.category,
        }
        for each in decision.items
        if relation is None or each.relation == relation
    ]


def _epoch(as_at: date) -> str:
    """Pseudonyms hold for a calendar year, then change."""
    return str(as_at.year)


def _short(relation: str) -> str:
    return relation.partition(".")[2]
