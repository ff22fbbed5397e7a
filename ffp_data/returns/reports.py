"""The report of a validation: JSON for machines, a workbook to work through, a page to read.

For our own returns a last column says where to mend it: the source records, with feed, file and line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from string import Template

from ffp_data.returns.findings import Finding, rule_order, shown
from governance.xlsx import Sheet, write_workbook

FORMATS = ("json", "xlsx", "html")
HTML_ROWS = 2_000  # a browser stays quick; the rest is in the workbook
HEADINGS = ("Rule", "Severity", "Child", "Module", "Fields", "Values", "Message")
WIDTHS = (10, 10, 22, 24, 40, 40, 90)
WHERE = "Where to mend it"
_TEMPLATE = Path(__file__).with_name("report.html")


def write_report(findings: Sequence[Finding], path: Path, title: str, dated: datetime) -> Path:
    """Write `path` in the format of its suffix. `dated` is shown and never taken from the clock."""
    writer = {".json": _write_json, ".xlsx": _write_xlsx, ".html": _write_html}.get(path.suffix)
    if writer is None:
        raise ValueError(f"{path.name}: a report is one of {', '.join(FORMATS)}")
    writer(findings, path, title, dated)
    return path


def write_reports(
    findings: Sequence[Finding], folder: Path, title: str, dated: datetime
) -> list[Path]:
    """Write report.json, report.xlsx and report.html into `folder`."""
    return [write_report(findings, folder / f"report.{kind}", title, dated) for kind in FORMATS]


def to_json(findings: Sequence[Finding]) -> str:
    """A list of {rule, severity, child, module, fields, values, message}, with {sources} if known."""
    return json.dumps([f.as_dict() for f in findings], ensure_ascii=False, indent=1) + "\n"


def _write_json(findings: Sequence[Finding], path: Path, title: str, dated: datetime) -> None:
    path.write_text(to_json(findings), encoding="utf-8")


def _write_xlsx(findings: Sequence[Finding], path: Path, title: str, dated: datetime) -> None:
    traced = _traced(findings)
    summary = Sheet(
        "Summary",
        ("Rule", "Severity", "Findings", "Children", "Message"),
        _by_rule(findings),
        (10, 10, 10, 10, 100),
    )
    rows = (_row(f, "\n") if traced else _row(f) for f in findings)
    found = Sheet("Findings", _headings(traced), rows, (*WIDTHS, 90) if traced else WIDTHS)
    write_workbook(path, (summary, found), title)


def _write_html(findings: Sequence[Finding], path: Path, title: str, dated: datetime) -> None:
    shown, traced = findings[:HTML_ROWS], _traced(findings)
    left = len(findings) - len(shown)
    page = Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=escape(title),
        dated=dated.strftime("%d %B %Y"),
        errors=sum(f.severity == "error" for f in findings),
        queries=sum(f.severity == "query" for f in findings),
        summary="\n".join(_html_row(row) for row in _by_rule(findings)),
        headings="".join(f'<th scope="col">{h}</th>' for h in _headings(traced)),
        rows="\n".join(_html_row(_row(f, "; ") if traced else _row(f)) for f in shown),
        more=f"{left} further findings are in the workbook beside this page." if left else "",
    )
    path.write_text(page, encoding="utf-8")


def _by_rule(findings: Sequence[Finding]) -> Iterator[tuple[str | int, ...]]:
    by_rule: dict[str, list[Finding]] = {}
    for finding in findings:
        by_rule.setdefault(finding.rule, []).append(finding)
    for rule in sorted(by_rule, key=rule_order):
        found = by_rule[rule]
        children = len({f.child for f in found if f.child is not None})
        # The messages of the reader name a line; the summary must not speak of one line only.
        messages = {f.message for f in found}
        message = shown(messages.pop()) if len(messages) == 1 else "See the findings."
        yield rule, found[0].severity, len(found), children, message


def _traced(findings: Sequence[Finding]) -> bool:
    """Whether the findings lead to source records."""
    return any(finding.sources for finding in findings)


def _headings(traced: bool) -> tuple[str, ...]:
    return (*HEADINGS, WHERE) if traced else HEADINGS


def _row(finding: Finding, between: str | None = None) -> tuple[str, ...]:
    """Cells of a finding; with `between`, its sources too, parted by it."""
    where = () if between is None else (between.join(map(str, finding.sources)),)
    cells = (
        finding.rule,
        finding.severity,
        finding.child or "whole return",
        finding.module,
        ", ".join(finding.fields),
        ", ".join("(none)" if v is None else v for v in finding.values),
        finding.message,
        *where,
    )
    return tuple(map(shown, cells))


def _html_row(values: Sequence[object]) -> str:
    return "<tr>" + "".join(f"<td>{escape(str(v))}</td>" for v in values) + "</tr>"
