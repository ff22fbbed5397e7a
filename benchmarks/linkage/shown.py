"""The results as a table (linkage.md) and a picture (linkage.svg), drawn from linkage.json alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

ORDER = ("ffp", "splink", "splink-tuned", "recordlinkage")
NAMES = {
    "ffp": "this engine",
    "splink": "Splink 5, recommended",
    "splink-tuned": "Splink 5, an expert's",
    "recordlinkage": "recordlinkage 0.16",
}
COLOURS = {
    "ffp": "#1d70b8",
    "splink": "#f47738",
    "splink-tuned": "#b58840",
    "recordlinkage": "#6f777b",
}
PANELS = (
    ("wall_seconds", "Seconds, file to clusters"),
    ("peak_gib", "Peak memory, GiB"),
    ("error", "Errors of 1,000 pairs (1 − F1, clusters)"),
)
WIDTH, LEFT, BAR, GAP, HEAD = 1020, 190, 15, 14, 58


def write(results: dict[str, Any], path: Path) -> None:
    """Write both beside the results."""
    path.with_suffix(".md").write_text(table(results))
    path.with_suffix(".svg").write_text(picture(results))


def by_size(results: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Sets, the smaller first."""
    return sorted(results["sets"].items(), key=lambda item: (item[1]["records"], item[0]))


def systems(one: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The systems that ran on a set, in the order of the table."""
    return [(name, one["systems"][name]) for name in ORDER if name in one["systems"]]


def table(results: dict[str, Any]) -> str:
    """Markdown: one table of cost and quality, one of false joins and groups, and where it ran."""
    lines = [
        "# Linkage: this engine and its peers",
        "",
        "Made by `python benchmarks/linkage/compare.py`; figures are medians of the runs in linkage.json.",
        "F1 is of clusters; recommended and expert's thresholds are fixed beforehand, *best* is what the",
        "threshold best for the truth would have given. Ratios are to this engine in the same rounds.",
        "",
        "![picture](linkage.svg)",
        "",
        "| set | system | wall s | ratio | CPU s | peak GiB | precision | recall | F1 | best F1 | B-cubed F1 |",
        "| --- | --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for name, one in by_size(results):
        lines += [_cost_row(name, one, system, x) for system, x in systems(one)]
    lines += [
        "",
        "## Who was joined wrongly, and who was missed",
        "",
        *_joins(results),
        "",
        *_machines(results),
    ]
    return "\n".join(lines) + "\n"


def _cost_row(name: str, one: dict[str, Any], system: str, x: dict[str, Any]) -> str:
    pairs, cubed = x["pairwise"], x["b_cubed"]["f1"]
    best = x.get("at_best_threshold", x)["pairwise"]["f1"]
    ours = one["systems"].get("ffp", {}).get("wall_seconds")
    ratio = f"{x['wall_seconds'] / ours:.1f}" if ours else ""
    return (
        f"| {name} | {NAMES[system]} | {x['wall_seconds']:.1f} | {ratio} | {x['cpu_seconds']:.1f}"
        f" | {x['peak_gib']:.2f} | {pairs['precision']:.4f} | {pairs['recall']:.4f}"
        f" | {pairs['f1']:.4f} | {best:.4f} | {cubed:.4f} |"
    )


def _joins(results: dict[str, Any]) -> list[str]:
    lines = [
        "Pairs of people whose records met in one cluster; recall (pairwise) of the group with most and least.",
        "",
        "| set | system | twins (of) | siblings | strangers | best group | worst group | gap |",
        "| --- | --- | --: | --: | --: | --- | --- | --: |",
    ]
    for name, one in by_size(results):
        for system, x in systems(one):
            if "false_joins" in x:
                joins, groups = x["false_joins"], x["recall_by_group"]
                ends = [f(groups, key=groups.get) for f in (max, min)]
                named = " | ".join(f"{g} {groups[g]:.4f}" for g in ends)
                lines.append(
                    f"| {name} | {NAMES[system]} | {joins['twins']} ({one['pairs_of_twins']})"
                    f" | {joins['siblings']} | {joins['strangers']} | {named} | {x['recall_gap']:.4f} |"
                )
    return lines


def _machines(results: dict[str, Any]) -> list[str]:
    lines = ["## Where"]
    for name, one in by_size(results):
        m, runs = one["machine"], max(len(x["runs"]) for x in one["systems"].values())
        lines.append(
            f"- {name}: {one['records']:,} records, {runs} runs; {m['processor']}, {m['cores']} cores,"
            f" {m['memory_gib']} GiB, load before {m['load_before'][0]}; Python {m['python']},"
            f" DuckDB {m['ffp']['duckdb']}, Splink {m['peers']['splink']}."
        )
    return lines


def picture(results: dict[str, Any]) -> str:
    """SVG: for each set a bar for each system, in three panels; the scale of a panel is its set's largest."""
    sets = by_size(results)
    parts, top = [], HEAD
    for name, one in sets:
        drawn = systems(one)
        parts.append(_text(10, top + 12, name, "bold"))
        parts.append(_text(10, top + 28, f"{one['records']:,} records"))
        for row, (system, x) in enumerate(drawn):
            parts += _bars(drawn, system, x, top + row * (BAR + 3))
        top += max(2, len(drawn)) * (BAR + 3) + GAP
    height = top + 10
    heads = [_text(_left(i), HEAD - 14, title, "bold") for i, (_, title) in enumerate(PANELS)]
    keys = [_key(i, system) for i, system in enumerate(ORDER)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" role="img"'
        f' aria-label="Time, memory and errors of linkage engines" font-family="sans-serif" font-size="12">'
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>'
        + "".join([*keys, *heads, *parts])
        + "</svg>\n"
    )


def _left(panel: int) -> int:
    return LEFT + panel * (WIDTH - LEFT) // len(PANELS)


def _value(x: dict[str, Any], key: str) -> float:
    return 1000 * (1 - x["pairwise"]["f1"]) if key == "error" else float(x[key])


def _bars(
    drawn: list[tuple[str, dict[str, Any]]], system: str, x: dict[str, Any], y: int
) -> list[str]:
    parts = []
    for panel, (key, _) in enumerate(PANELS):
        largest = max(_value(other, key) for _, other in drawn) or 1.0
        width = max(1, round(_value(x, key) / largest * 190))
        left = _left(panel)
        parts.append(
            f'<rect x="{left}" y="{y}" width="{width}" height="{BAR}" fill="{COLOURS[system]}"/>'
        )
        parts.append(_text(left + width + 5, y + 12, f"{_value(x, key):.3g}"))
    return parts


def _key(place: int, system: str) -> str:
    x = 10 + place * 190
    return f'<rect x="{x}" y="10" width="12" height="12" fill="{COLOURS[system]}"/>' + _text(
        x + 18, 20, NAMES[system]
    )


def _text(x: int, y: int, text: str, weight: str = "normal") -> str:
    return f'<text x="{x}" y="{y}" font-weight="{weight}">{text}</text>'
