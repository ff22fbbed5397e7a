"""What must be answered before a return is sent, in a workbook in which the analyst writes why.

Errors, queries, changes outside tolerance and unexplained differences each have a key made of what
they are about, not of their wording, so that a reason given once is there again after the next load
as long as the same is found. Reasons lie in a file of the council's, apart from any build.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from openpyxl import load_workbook
from pydantic import TypeAdapter

from ffp_data.returns.findings import shown
from ffp_data.returns.reconcile.differences import UNEXPLAINED, Reconciliation, categories
from ffp_data.returns.reconcile.figures import Change
from ffp_data.strict import Strict
from governance.files import replacing
from governance.xlsx import Cell, Sheet, write_workbook

HEADINGS = (
    "Key", "Kind", "Rule", "Child", "Module", "Fields", "Values", "What it says",
    "Where to mend it", "Reason", "By",
)  # fmt: skip
_WIDTHS = (20, 16, 12, 18, 24, 36, 36, 70, 70, 60, 24)
_MAX_BYTES = 50_000_000


class NotAQueriesFileError(ValueError):
    """The file is not a queries workbook of this hub; says what is wrong."""


@dataclass(frozen=True)
class Query:
    """One thing to answer. Values are as they stand in the return."""

    kind: str
    rule: str
    child: str | None
    module: str
    fields: str
    values: str
    says: str
    where: str

    @property
    def key(self) -> str:
        """Stays as long as the same is found, whatever the words."""
        parts = (self.kind, self.rule, self.child or "", self.module, self.fields, self.values)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


class Reason(Strict):
    """Why something found is right, and who says so; with what it was about, once it is gone."""

    reason: str
    by: str
    rule: str
    child: str | None
    values: str


Reasons = Mapping[str, Reason]


def queries_of(
    findings: Iterable[Mapping[str, Any]], found: Reconciliation, compared: Iterable[Change]
) -> list[Query]:
    """All that must be answered: findings (as in report.json), changes, unexplained differences."""
    return [
        *map(_of_finding, findings),
        *(_of_change(change) for change in compared if change.is_outside),
        *(_of_difference(each) for each in found.to_look_at if each.category == UNEXPLAINED),
    ]


def write_queries(
    path: Path, queries: Sequence[Query], reasons: Reasons, about: Mapping[str, str]
) -> None:
    """Write the workbook, reasons filled in; `about` names collection and year for the way back."""
    open_keys = {query.key for query in queries}
    settled = sorted((key, reason) for key, reason in reasons.items() if key not in open_keys)
    sheets = (
        Sheet("About", ("Item", "Value"), list(about.items()), (24, 40)),
        Sheet("Queries", HEADINGS, (_row(query, reasons) for query in queries), _WIDTHS),
        Sheet(
            "No longer found",
            ("Key", "Rule", "Child", "Values", "Reason", "By"),
            ((k, r.rule, r.child, r.values, r.reason, r.by) for k, r in settled),
            (20, 12, 18, 36, 60, 24),
        ),
    )
    write_workbook(path, sheets, f"{about['Collection']} {about['Year']}: queries")


def read_queries(path: Path) -> tuple[dict[str, str], dict[str, Reason | None]]:
    """What the workbook is about, and by key the reason written in it, None where there is none.

    Raises NotAQueriesFileError with the row where a reason has nobody's name beside it.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise NotAQueriesFileError(f"{path}: larger than {_MAX_BYTES} bytes")
        book = load_workbook(path, read_only=True, data_only=True)
    except (OSError, BadZipFile, KeyError, ValueError) as error:
        raise NotAQueriesFileError(f"{path}: not a workbook that can be read") from error
    try:
        if {"About", "Queries"} - set(book.sheetnames):
            raise NotAQueriesFileError(
                f"{path}: has no sheets About and Queries; fill in queries.xlsx"
            )
        _, *facts = _rows(book["About"])
        about = {str(row[0]): str(row[1]) for row in facts if len(row) > 1}
        header, *rows = _rows(book["Queries"])
    finally:
        book.close()
    if tuple(header) != HEADINGS:
        raise NotAQueriesFileError(f"{path}: the columns of sheet Queries were changed")
    return about, dict(_reason(path, number, row) for number, row in enumerate(rows, 2) if row[0])


def load_reasons(path: Path) -> dict[str, Reason]:
    """Reasons kept in a file; none when it is not there."""
    if not path.is_file():
        return {}
    return TypeAdapter(dict[str, Reason]).validate_json(path.read_bytes())


def save_reasons(path: Path, reasons: Reasons) -> None:
    """Keep the reasons, sorted by key."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept = {key: reasons[key].model_dump() for key in sorted(reasons)}
    with replacing(path) as handle:
        handle.write((json.dumps(kept, ensure_ascii=False, indent=1) + "\n").encode())


def merged(reasons: Reasons, given: Mapping[str, Reason | None]) -> dict[str, Reason]:
    """Reasons after an import: what the workbook has wins, what it leaves empty is taken back."""
    kept = {key: reason for key, reason in reasons.items() if given.get(key, reason) is not None}
    return kept | {key: reason for key, reason in given.items() if reason is not None}


def _of_finding(finding: Mapping[str, Any]) -> Query:
    where = "\n".join(
        f"{s['feed']}, {s['table']}, {s['record_key']}: {s['file'] or s['delivery_id']}, line {s['line']}"
        for s in finding.get("sources", ())
    )
    return Query(
        finding["severity"],
        finding["rule"],
        finding["child"],
        finding["module"],
        ", ".join(finding["fields"]),
        ", ".join("(none)" if v is None else v for v in finding["values"]),
        finding["message"],
        where,
    )


def _of_change(change: Change) -> Query:
    values = f"{change.before} in {change.before_in}, now {change.now}"
    return Query(
        "year on year", "", None, "Return", change.figure, values, "The figure changed.", ""
    )


def _of_difference(each: Any) -> Query:
    facts = asdict(each)
    where = (
        ""
        if each.record_key is None
        else f"{each.table}, {each.record_key}: {each.file}, line {each.line}"
    )
    values = f"only in {facts['side']}"
    return Query(
        "reconciliation", each.category, each.child, each.module, each.against, values,
        categories()[each.category].says, where,
    )  # fmt: skip


def _row(query: Query, reasons: Reasons) -> tuple[Cell, ...]:
    given = reasons.get(query.key)
    answer = (given.reason, given.by) if given else (None, None)
    facts = (fact and shown(fact) for fact in asdict(query).values())
    return (query.key, *facts, *answer)


def _rows(sheet: Any) -> Iterator[tuple[Any, ...]]:
    yield from sheet.iter_rows(values_only=True)


def _reason(path: Path, number: int, row: Sequence[Any]) -> tuple[str, Reason | None]:
    cells = dict(zip(HEADINGS, (("" if c is None else str(c).strip()) for c in row), strict=False))
    if not cells.get("Reason"):
        return cells["Key"], None
    if not cells.get("By"):
        raise NotAQueriesFileError(f"{path}: row {number}: a reason without a name in column By")
    reason = Reason(
        reason=cells["Reason"],
        by=cells["By"],
        rule=cells["Rule"],
        child=cells["Child"] or None,
        values=cells["Values"],
    )
    return cells["Key"], reason
