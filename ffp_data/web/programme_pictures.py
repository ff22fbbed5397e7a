"""The programme's pictures. Each shows figures that stand on the page as a table too, and says them in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from ffp_data.programme.counting import ALL
from ffp_data.programme.groups import Comparison, Linkage
from ffp_data.programme.profile import Profile, Shown
from ffp_data.single_view.words import dated
from ffp_data.web.pictures import COLOURS, INK, QUIET, SHADES, data, svg

WIDTH = 560
_OPEN = ("targeted early help", "child in need", "child protection", "looked after")
_LOWEST, _HIGHEST = 0.05, 20.0
"""Ratios beyond stand at the edge: an interval may reach infinity."""


@dataclass(frozen=True)
class Picture:
    """A picture that can be drawn: what it is called, what it shows in words, and how."""

    title: str
    words: Callable[[Profile, str], str]
    draw: Callable[[Profile, str], Any]

    def svg(self, profile: Profile, quarter: str) -> str:
        """The picture as SVG; `quarter` is the end of the quarter whose moves are wanted."""
        return svg(self.draw(profile, quarter), self.title, self.words(profile, quarter))


def _altair() -> Any:
    import altair  # noqa: PLC0415 - 0.5 s: only who draws pays for it

    return altair


# Moves and levels


def _moves(profile: Profile, quarter: str) -> Any:
    """A square for each pair of levels: darker for more moves; who stayed is in grey."""
    alt, table = _altair(), profile.table("moves", quarter)
    levels = [each for each in table.rows if table.number(each, ALL) or table.number(ALL, each)]
    rows = [
        {"before": b, "after": a, "children": table.number(b, a), "moved": a != b}
        for b in levels
        for a in levels
        if table.number(b, a)
    ]
    x = alt.X("after:N", sort=levels, scale=alt.Scale(domain=levels), title="At the end of the quarter",
              axis=alt.Axis(orient="top", labelAngle=-35, domain=False, ticks=False))  # fmt: skip
    y = alt.Y("before:N", sort=levels, scale=alt.Scale(domain=levels), title="Before the quarter",
              axis=alt.Axis(domain=False, ticks=False, titlePadding=14))  # fmt: skip
    most = max((table.number(b, a) for b in levels for a in levels if a != b), default=1) or 1
    scale = alt.Scale(type="sqrt", range=list(SHADES), domain=[0, most])
    shade = alt.Color("children:Q", legend=None, scale=scale)
    squares = alt.Chart(data(rows)).encode(x=x, y=y)
    is_dark = f"datum.moved && datum.children > {most / 3}"
    ink = alt.condition(is_dark, alt.value("#ffffff"), alt.value(INK))
    return (
        squares.mark_rect(stroke="#ffffff").encode(color=shade).transform_filter("datum.moved")
        + squares.mark_rect(stroke="#ffffff", color="#e5e6e7").transform_filter("!datum.moved")
        + squares.mark_text(fontSize=15).encode(text="children:Q", color=ink)
    ).properties(width=alt.Step(72), height=alt.Step(44))


def _moves_words(profile: Profile, quarter: str) -> str:
    table = profile.table("moves", quarter)
    moves = [(table.number(b, a), b, a) for b in table.rows for a in table.columns if a != b]
    return _most([(n, f"from {b} to {a}") for n, b, a in moves], "moved")


def _levels(profile: Profile, _: str) -> Any:
    """Children at each level of help at the end of each quarter."""
    alt = _altair()
    rows = [
        {
            "day": dated(table.quarter),
            "level": level,
            "children": table.number(ALL, level),
            "place": place,
        }
        for table in profile.tables
        if table.spec.id == "moves"
        for place, level in enumerate(_OPEN)
    ]
    bars = alt.Chart(data(rows)).encode(
        x=alt.X("day:O", sort=[dated(each) for each in profile.quarters], title="At the end of the quarter",
                axis=alt.Axis(labelAngle=0)),
        y=alt.Y("children:Q", title="Children", axis=alt.Axis(tickMinStep=1)),
        color=alt.Color("level:N", sort=list(_OPEN), title=None,
                        scale=alt.Scale(domain=list(_OPEN), range=list(COLOURS[:4]))),
        order="place:Q",
    )  # fmt: skip
    return bars.mark_bar(size=48).properties(width=WIDTH - 120, height=240)


def _levels_words(profile: Profile, _: str) -> str:
    found = [table for table in profile.tables if table.spec.id == "moves"]
    told = (f"{dated(t.quarter)}: {sum(t.number(ALL, each) for each in _OPEN)}" for t in found)
    return f"Children with any of the four levels of help open, {'; '.join(told)}"


# Bars of one table, its columns side by side in each


def _bars(name: str) -> Callable[[Profile, str], Any]:
    def draw(profile: Profile, _: str) -> Any:
        alt, table = _altair(), profile.table(name)
        found = [row for row in table.rows if table.number(row, ALL)]
        rows = [
            {"row": row, "column": column, "n": table.number(row, column), "place": place}
            for row in found
            for place, column in enumerate(table.columns)
            if table.number(row, column)
        ]
        order = sorted(found, key=lambda row: (-table.number(row, ALL), row))
        bars = alt.Chart(data(rows)).encode(
            x=alt.X("n:Q", title=table.spec.thing.capitalize(), axis=alt.Axis(tickMinStep=1)),
            y=alt.Y("row:N", sort=order, title=None),
            color=alt.Color("column:N", sort=list(table.columns), title=table.spec.columns.capitalize(),
                            scale=alt.Scale(domain=list(table.columns), range=list(COLOURS))),
            order="place:Q",
        )  # fmt: skip
        return bars.mark_bar().properties(width=WIDTH - 200, height=alt.Step(26))

    return draw


def _bars_words(name: str) -> Callable[[Profile, str], str]:
    def words(profile: Profile, _: str) -> str:
        table = profile.table(name)
        return _most([(table.number(row, ALL), row) for row in table.rows], table.spec.thing)

    return words


def _most(found: Sequence[tuple[int, str]], what: str) -> str:
    """The three largest in words."""
    largest = sorted((each for each in found if each[0]), key=lambda each: (-each[0], each[1]))[:3]
    told = "; ".join(f"{n} {words}" for n, words in largest)
    return f"{what.capitalize()}. Most: {told}" if told else f"{what.capitalize()}: none"


# Groups


def compared(profile: Profile) -> list[Comparison]:
    """Comparisons that were made."""
    return [each for each in profile.comparisons if each.ratio is not None]


def _ratios(profile: Profile, _: str) -> Any:
    """A point with its interval for each comparison, on a scale where half and double are as far from 1."""
    rows = [
        {
            "name": f"{each.group}: {each.level}", "at": _within(each.ratio.value), "low": _within(each.ratio.low),
            "high": _within(each.ratio.high), "is_apart": each.ratio.low > 1 or each.ratio.high < 1,
        }
        for each in compared(profile)
        if each.ratio is not None
    ]  # fmt: skip
    alt = _altair()
    ticks = [0.1, 0.2, 0.5, 1, 2, 5, 10]
    scale = alt.Scale(type="log", domain=[_LOWEST, _HIGHEST])
    how = {
        "scale": scale,
        "axis": alt.Axis(values=ticks),
        "title": "Times as often as other children",
    }
    return _points(rows, how, 1)


def _within(value: float) -> float:
    return min(max(value, _LOWEST), _HIGHEST) if value < inf else _HIGHEST


def _ratios_words(profile: Profile, _: str) -> str:
    apart = [e for e in compared(profile) if e.ratio and (e.ratio.low > 1 or e.ratio.high < 1)]
    told = "; ".join(f"{e.group} children, {e.level}: {e.words}" for e in apart)
    return told or "No group differs clearly from the others at any level"


def of_links(profile: Profile) -> list[Linkage]:
    """What the picture of links shows: shares of linked records by ethnic group and age."""
    return [e for e in profile.linkage if e.measure == "linked" and e.by != "feed"]


def _links(profile: Profile, _: str) -> Any:
    rows = [
        {
            "name": f"{each.by}: {each.group}", "at": each.share.value, "low": each.share.low,
            "high": each.share.high, "is_apart": each.is_warned,
        }
        for each in of_links(profile)
    ]  # fmt: skip
    alt = _altair()
    how = {
        "scale": alt.Scale(zero=False), "axis": alt.Axis(format="%"), "title": "Share of records linked to another",
    }  # fmt: skip
    return _points(rows, how, None)


def _links_words(profile: Profile, _: str) -> str:
    told = "; ".join(f"{e.by} {e.group}: {e.words}" for e in of_links(profile) if e.is_warned)
    return told or "No group's records are clearly linked more or less often than others'"


def _points(
    rows: Sequence[Mapping[str, Any]], how: Mapping[str, Any], line_at: float | None
) -> Any:
    """Points with intervals; in the second colour, and larger, those that stand apart."""
    alt = _altair()
    colour = alt.condition("datum.is_apart", alt.value(COLOURS[5]), alt.value(COLOURS[0]))
    size = alt.condition("datum.is_apart", alt.value(130), alt.value(60))
    base = alt.Chart(data(rows)).encode(
        y=alt.Y("name:N", sort=[row["name"] for row in rows], title=None), color=colour
    )
    drawn = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", **how), x2="high:Q")
    drawn += base.mark_point(filled=True, opacity=1).encode(x=alt.X("at:Q", **how), size=size)
    if line_at is not None:
        line = alt.Chart(data([{"at": line_at}])).mark_rule(color=QUIET, strokeDash=[4, 3])
        drawn = line.encode(x=alt.X("at:Q", **how)) + drawn
    return drawn.properties(width=WIDTH - 220, height=alt.Step(22))


PICTURES: Mapping[str, Picture] = {
    "levels": Picture("Levels of help at the end of each quarter", _levels_words, _levels),
    "moves": Picture("Moves between levels of help in the quarter", _moves_words, _moves),
    "needs": Picture(
        "Needs and harms found at assessment, by age", _bars_words("needs_by_age"), _bars("needs_by_age")
    ),
    "referrals": Picture(
        "Reasons of referrals, by age", _bars_words("referrals"), _bars("referrals")
    ),
    "harms": Picture("Events that tell of harm, by age", _bars_words("harms"), _bars("harms")),
    "ratios": Picture("Levels of help of each group against others", _ratios_words, _ratios),
    "links": Picture("Share of linked records, by group", _links_words, _links),
}  # fmt: skip


def drawable(profile: Profile) -> dict[str, Picture]:
    """The pictures that there is anything to draw of."""
    empty = {
        "ratios": not compared(profile),
        "links": not of_links(profile),
        "needs": not _any(profile.table("needs_by_age")),
        "referrals": not _any(profile.table("referrals")),
        "harms": not _any(profile.table("harms")),
        "moves": not profile.quarters,
        "levels": not profile.quarters,
    }  # fmt: skip
    return {name: picture for name, picture in PICTURES.items() if not empty[name]}


def _any(table: Shown) -> bool:
    return bool(table.number(ALL, ALL))
