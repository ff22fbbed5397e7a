"""The sections of the page that need the truth: figures, curves, calibration, and groups."""

from __future__ import annotations

from typing import Any

from linkage.report.element import Html, interval, joined, listed, share, table, tag
from linkage.report.run import Run
from linkage.report.sections import beside
from linkage.report.svg import Range, Series, lines, ranges

_MEASURES = (("pairwise", "over pairs"), ("b_cubed", "over records (B-cubed)"))


def figures(run: Run) -> Html:
    """Precision, recall and F1 with intervals, and how they move with the threshold."""
    assert run.quality
    rows = [_row(label, run.quality[key]) for key, label in _MEASURES]
    unknown = run.quality["records_without_truth"]
    return joined(
        [
            table("Clusters against the truth, with 95 % intervals", rows),
            tag("p", f"{unknown:,} records have no known person and are left out.")
            if unknown
            else "",
            _curve(run, run.quality["by_threshold"]),
            tag("h3", "Calibration: does the model know how sure it is?"),
            _calibration(run, run.quality["calibration"]),
        ]
    )


def _row(label: str, found: dict[str, Any]) -> dict[str, Any]:
    return {"measure": label} | {
        name: interval(found[name], found["intervals"][name])
        for name in ("precision", "recall", "f1")
    }


def _curve(run: Run, rows: list[dict[str, Any]]) -> Html:
    if len(rows) < 2:
        return tag("p", "Too few pairs for a curve.")
    picture = lines(
        "Precision and recall of pairs by threshold",
        "Single pairs before clusters are built: clusters may do better, since records support one another.",
        [
            Series("precision", "for", [(r["weight"], r["precision"]) for r in rows]),
            Series("recall", "against", [(r["weight"], r["recall"]) for r in rows], dashed=True),
        ],
        "weight from which a pair counts as found, in bits",
        [(run.join_weight, "join")],
    )
    data = [
        {k: r[k] for k in ("weight", "probability", "pairs", "precision", "recall", "f1")}
        for r in rows
    ]
    return joined([tag("h3", picture.title), beside(run, "curve", picture, data)])


def _calibration(run: Run, rows: list[dict[str, Any]]) -> Html:
    if not rows:
        return tag("p", "No pair to compare.")
    shown = [
        Range(
            _band(r),
            r["interval"][0],
            r["true"],
            r["interval"][1],
            f"{r['pairs']:,} pairs",
            r["said"],
        )
        for r in rows
    ]
    data = [
        {
            "probability": _band(r),
            "pairs": r["pairs"],
            "said": r["said"],
            "true": interval(r["true"], r["interval"]),
        }
        for r in rows
    ]
    picture = ranges(
        "Probability said and share found true",
        "In bands of probability: the mean that the model says, and the share of pairs that are one person, "
        "with its 95 % interval. Where the mark lies to the right of the interval, the model is too sure.",
        shown,
        [("found true", "for"), ("said by the model", "against")],
    )
    return beside(run, "calibration", picture, data)


def _band(row: dict[str, Any]) -> str:
    return f"{row['from']:g} to {row['to']:g}"


def _recall(name: str, found: dict[str, Any]) -> Range:
    low, high = found["intervals"]["recall"]
    return Range(name, low, found["recall"], high, share(found["recall"]))


def groups(run: Run) -> Html:
    """Quality by group, in words first."""
    assert run.quality
    parts: list[Html] = [listed(run.quality["words"])]
    for column, found in run.quality["by"].items():
        parts.append(tag("h3", f"By {column}"))
        picture = ranges(
            f"Recall by {column}",
            "Share of the pairs that belong together and were put together, with 95 % intervals.",
            [_recall(name, g["pairwise"]) for name, g in found.items()],
        )
        data = [
            {
                column: name,
                "records": g["records"],
                "recall": interval(g["pairwise"]["recall"], g["pairwise"]["intervals"]["recall"]),
                "precision": interval(
                    g["pairwise"]["precision"], g["pairwise"]["intervals"]["precision"]
                ),
            }
            for name, g in found.items()
        ]
        parts.append(beside(run, "groups", picture, data))
    return joined(parts)
