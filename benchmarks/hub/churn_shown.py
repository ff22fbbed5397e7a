"""The result of churn.py as a table (hub_churn.md) and a picture (hub_churn.svg), drawn from the figures alone."""

from __future__ import annotations

from math import log10
from pathlib import Path
from statistics import median
from typing import Any

ORDER = ("hub", "least record", "least record, learnt anew")
NAMES = {
    "hub": "the hub",
    "least record": "no hub: cluster named by its least record",
    "least record, learnt anew": "no hub, parameters learnt anew each month",
}
COLOURS = {"hub": "#1d70b8", "least record": "#f47738", "least record, learnt anew": "#b58840"}
LIMIT = 0.001
MONTHLY = (
    "month", "records", "births", "moves", "names", "late", "churned", "true merges", "true splits",
    "records moved wrongly", "hub merged", "hub split", "link, CPU s", "assign, CPU s",
)  # fmt: skip
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 900, 380, 70, 62, 56
FLOOR, CEILING = (
    1e-5,
    1.0,
)  # of the scale, which is logarithmic; no churn at all stands on the floor


def write(result: dict[str, Any], path: Path) -> None:
    """Write both beside the result."""
    path.with_suffix(".md").write_text(table(result))
    path.with_suffix(".svg").write_text(picture(result))


def systems(result: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The ways of naming children, the hub first."""
    return [(name, result["systems"][name]) for name in ORDER if name in result["systems"]]


def table(result: dict[str, Any]) -> str:
    """Markdown: the year, what was wrong and healed, the hub's months, what it cost and where."""
    asked = result["asked"]
    lines = [
        "# Identifiers over twelve months",
        "",
        "Made by `python benchmarks/hub/churn.py`:"
        f" {asked['children']:,} children at the start, {asked['months']} months.",
        "Churn is children whose identifier changed without a true merge or split (benchmarks/hub/measures.py",
        "says exactly when); a child counts once in the year.",
        "",
        "![picture](hub_churn.svg)",
        "",
        "| way | children | with churn | share | middle month | first to last month |",
        "| --- | --: | --: | --: | --: | --: |",
        *[_year_row(name, s) for name, s in systems(result)],
        "",
        "What was wrong against truth: pairs of persons with one identifier, and children with several.",
        "",
        _head(
            "way",
            *(
                f"wrong {k}: {w}"
                for k in ("merges", "splits")
                for w in ("first", "new", "healed", "last")
            ),
        ),
        *[_wrong_row(name, s) for name, s in systems(result)],
        "",
        "## The hub month by month",
        "",
        _head(*MONTHLY),
        *[
            _month_row(month, seen)
            for month, seen in zip(
                result["months"], result["systems"]["hub"]["months"], strict=True
            )
        ],
        "",
        *_notes(result),
    ]
    return "\n".join(lines) + "\n"


def _head(first: str, *others: str) -> str:
    return f"| {' | '.join((first, *others))} |\n| {' | '.join(['---', *['--:'] * len(others)])} |"


def _year_row(name: str, system: dict[str, Any]) -> str:
    year = system["year"]
    ends = year["first_to_last"]
    middle = median(m["churn"] for m in system["months"][1:])
    return (
        f"| {NAMES[name]} | {year['children']:,} | {year['children_with_churn']:,} | {year['churn']:.3%}"
        f" | {middle:.3%} | {ends['churned']:,} of {ends['children']:,} |"
    )


def _wrong_row(name: str, system: dict[str, Any]) -> str:
    cells = [NAMES[name]]
    for kind in ("wrongly_merged", "wrongly_split"):
        flows = [m[kind] for m in system["months"]]
        new, healed = (sum(f[what] for f in flows[1:]) for what in ("new", "healed"))
        cells += [str(flows[0]["now"]), str(new), str(healed), str(flows[-1]["now"])]
    return f"| {' | '.join(cells)} |"


def _month_row(month: dict[str, Any], seen: dict[str, Any]) -> str:
    news, changes, costs = month["happened"], month["changes"], month["seconds"]
    cells = [
        month["month"], f"{month['records']:,}", news["born"], news["moved"], news["renamed"],
        month["late"], seen["churned"], seen["true_merges"], seen["true_splits"], seen["moved_wrongly"],
        changes["merged"], changes["split"], costs["link"]["cpu"], costs["assign"]["cpu"],
    ]  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


def _notes(result: dict[str, Any]) -> list[str]:
    absent = {m["month"]: m["absent"] for m in result["months"] if m["absent"]}
    missing = {m["month"]: m["missing"] for m in result["months"] if m["missing"]}
    told = [f"month {n}: no delivery of {', '.join(f)}" for n, f in missing.items()]
    told += [f"month {n}: no record of {', '.join(f)} in the run" for n, f in absent.items()]
    m, spent = result["machine"], result["seconds"]
    return [
        f"{'; '.join(told) or 'every feed delivered'}. All of it took {spent['wall']:.0f} s"
        f" ({spent['cpu']:.0f} s CPU), peak {result['peak_memory_gib']} GiB; {m['processor']},"
        f" {m['cores']} cores, load before {m['load_before'][0]}; Python {m['python']}, DuckDB"
        f" {m['versions']['duckdb']}, SQLite.",
    ]


def picture(result: dict[str, Any]) -> str:
    """SVG: churn of each month on a logarithmic scale, and the limit of the year."""
    months = len(result["months"]) - 1
    parts = [
        _text(LEFT, 20, "Children whose identifier changed for no reason, share by month", "bold")
    ]
    for power in range(-5, 1):
        y = _y(10.0**power)
        label = "none" if power == -5 else f"{100 * 10.0**power:g} %"
        parts.append(_line(LEFT, y, WIDTH - 20, y, "#dddddd"))
        parts.append(_text(LEFT - 8, y + 4, label, anchor="end"))
    parts.append(_line(LEFT, _y(LIMIT), WIDTH - 20, _y(LIMIT), "#d4351c", "6 4"))
    parts.append(_text(WIDTH - 24, _y(LIMIT) - 6, "limit for a whole year", anchor="end"))
    for month in range(1, months + 1):
        parts.append(_text(_x(month, months), HEIGHT - BOTTOM + 20, str(month), anchor="middle"))
    parts.append(_text((LEFT + WIDTH) / 2, HEIGHT - 14, "month", anchor="middle"))
    for month in result["months"]:
        for feed, words in [(f, "none new") for f in month["missing"]] + [
            (f, "absent") for f in month["absent"]
        ]:
            x = _x(month["month"], months)
            parts.append(_text(x, HEIGHT - BOTTOM + 34, f"{feed} {words}", anchor="middle"))
    for place, (name, system) in enumerate(systems(result)):
        parts += _curve(name, [m["churn"] for m in system["months"][1:]], months, place)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" role="img"'
        f' aria-label="Identifier churn by month" font-family="sans-serif" font-size="12">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>{"".join(parts)}</svg>\n'
    )


def _curve(name: str, shares: list[float], months: int, place: int) -> list[str]:
    points = [(_x(n, months), _y(share)) for n, share in enumerate(shares, start=1)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dash = ' stroke-dasharray="3 4"' if place == 2 else ""
    drawn = [
        f'<polyline points="{path}" fill="none" stroke="{COLOURS[name]}" stroke-width="2"{dash}/>'
    ]
    drawn += [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{COLOURS[name]}"/>' for x, y in points
    ]
    x = (LEFT, LEFT + 110, LEFT + 430)[place]
    drawn.append(f'<rect x="{x}" y="34" width="12" height="12" fill="{COLOURS[name]}"/>')
    return [*drawn, _text(x + 18, 44, NAMES[name])]


def _x(month: int, months: int) -> float:
    return LEFT + 20 + (WIDTH - LEFT - 60) * (month - 1) / max(1, months - 1)


def _y(share: float) -> float:
    level = log10(max(share, FLOOR) / FLOOR) / log10(CEILING / FLOOR)
    return HEIGHT - BOTTOM - level * (HEIGHT - TOP - BOTTOM)


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, dash: str = "") -> str:
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{dashes}/>'
    )


def _text(x: float, y: float, words: str, weight: str = "normal", anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-weight="{weight}" text-anchor="{anchor}">{words}</text>'
