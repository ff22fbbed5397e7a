"""What the gate found of a candidate, as Markdown for people and as a page of cases to read.

The report holds counts alone and may be passed on; the page shows people side by side and is made only
for whoever may see the evidence behind a link.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from itertools import zip_longest
from typing import Any

from ffp_data.identity.model_sample import HIDDEN, PLACES, SHOWN

_FATES = ("identifiers", "unchanged", "gained", "merged", "split", "issued")


def markdown(gate: Mapping[str, Any]) -> str:
    """The report of a gate."""
    verdict = "passed" if gate["passed"] else "did not pass"
    lines = [
        f"# Gate of {gate['model']}: {verdict}",
        "",
        f"Compared with {gate['compared_with']} on {gate['records']:,} records, after run"
        f" {gate['after_run']}; limits {gate['limits']['version']} ({gate['limits']['digest']});"
        f" fitted on {gate['fitted_on']:,} records.",
        "",
        *_breaches(gate["breaches"]),
        *_changes("What would become of the identifiers in use", gate["changes"]),
        *_changes("What the live model changes all the same (not counted)", gate["due_anyway"]),
        *_table(
            "Largest clusters",
            ("now: records", "feeds", "of", "then: records", "feeds", "of"),
            _side_by_side(gate["largest"]),
        ),
        *_table("Clashes for reviewers", ("reason", "now", "then"), _clashes(gate["clashes"])),
        *_quality(gate["quality"]),
    ]
    return "\n".join(lines) + "\n"


def _breaches(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not found:
        yield from ("Every figure lies within its limit.", "")
        return
    rows = [(b["rule"], b["of"], b["value"], b["limit"], b["remedy"]) for b in found]
    yield from _table("Beyond a limit", ("rule", "of", "value", "limit", "remedy"), rows)


def _changes(title: str, by_kind: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    def cell(counts: Mapping[str, Any], fate: str) -> str:
        if fate == "identifiers":
            return f"{counts[fate]:,}"
        return f"{counts[fate]:,} ({counts['shares'][fate]:.2%})"

    rows = [(kind, *(cell(counts, fate) for fate in _FATES)) for kind, counts in by_kind.items()]
    yield from _table(title, ("kind", *_FATES), rows)


def _side_by_side(largest: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[tuple[Any, ...]]:
    for now, then in zip_longest(largest["now"], largest["then"]):
        yield (*_size(now), *_size(then))


def _size(cluster: Mapping[str, Any] | None) -> tuple[Any, ...]:
    if cluster is None:
        return None, None, None
    return cluster["records"], cluster["feeds"], cluster["kind"]


def _clashes(clashes: Mapping[str, Mapping[str, int]]) -> Iterator[tuple[Any, ...]]:
    for reason in sorted({*clashes["now"], *clashes["then"]}):
        yield reason, clashes["now"].get(reason, 0), clashes["then"].get(reason, 0)


def _quality(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not rows:
        yield from (
            "## Precision and recall",
            "",
            "There are no labels: no decision, no truth.",
            "",
        )
        return
    columns = ("labels", "by", "group", "measure", "now", "then", "people or pairs")
    cells = [
        (r["labels"], r["column"], r["group"], r["measure"], r["now"], r["then"], r["people"])
        for r in rows
        if r["people"] is not None
    ]
    few = sorted({f"{r['column']} {r['group']}" for r in rows if r["people"] is None})
    yield from _table("Precision and recall", columns, cells)
    if few:
        yield from (f"Too few people to judge: {', '.join(few)}.", "")


def _table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    written = ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    yield from (f"## {title}", "")
    if not written:
        yield from ("None.", "")
        return
    yield "| " + " | ".join(columns) + " |"
    yield "| " + " | ".join("---" for _ in columns) + " |"
    yield from written
    yield ""


def _cell(value: Any) -> str:
    text = "–" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
    return text.replace("|", "\\|")


_STYLE = """
body{font:15px/1.4 system-ui,sans-serif;margin:2rem;color:#111}
table{border-collapse:collapse;margin:.5rem 0 2rem}
caption{text-align:left;font-weight:600}
td,th{border:1px solid #bbb;padding:.2rem .5rem;text-align:left;vertical-align:top}
.other{background:#fff3cd}
"""


def page(model: str, cases: Sequence[Mapping[str, Any]]) -> str:
    """Cases as one page without a script or anything fetched; values that differ are marked."""
    body = "".join(_case(number, case) for number, case in enumerate(cases, 1))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>Cases of {escape(model)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>What {escape(model)} would change</h1><p>Letters are identifiers now, numbers are"
        " identifiers then. A value that differs from the record above it is marked.</p>"
        f"{body or '<p>Nothing.</p>'}</body></html>\n"
    )


def _case(number: int, case: Mapping[str, Any]) -> str:
    columns = ("now", "then", *SHOWN, *PLACES)
    heads = "".join(f'<th scope="col">{escape(c.replace("_", " "))}</th>' for c in columns)
    rows, before = [], dict[str, str]()
    for record in case["records"]:
        rows.append(f"<tr>{''.join(_td(c, record[c], before) for c in columns)}</tr>")
        before = dict(record)
    return (
        f"<table><caption>{number}. {escape(case['fate'])}, {escape(case['kind'])}</caption>"
        f"<tr>{heads}</tr>{''.join(rows)}</table>"
    )


def _td(column: str, value: str, before: Mapping[str, str]) -> str:
    differs = bool(before.get(column) and value and before[column] != value) and value != HIDDEN
    mark = ' class="other"' if differs and column not in ("feed", "record_key") else ""
    return f"<td{mark}>{escape(value)}</td>"
