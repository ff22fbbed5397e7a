"""A quarter as it is told: every item with its figure or what was typed, the quarter before, target, progress.

`told` is what leaves the council: counts and words, nobody's. The lines behind the figures stay inside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ffp_data.quarterly.checks import Check
from ffp_data.quarterly.counting import Counted
from ffp_data.quarterly.entries import Entry
from ffp_data.quarterly.figures import Figure, Rate, make_figures, make_rates
from ffp_data.quarterly.items import Item, Items, Settings
from ffp_data.quarterly.progress import Known, Rating, rate_items
from ffp_data.quarterly.quarters import Quarter

REHEARSAL = (
    "The items begin with {first}: this quarter is counted by them as a rehearsal, and the department asked for "
    "other items then."
)


@dataclass(frozen=True)
class Report:
    """One quarter, ready to be written."""

    quarter: Quarter
    items: Items
    settings: Settings
    figures: Mapping[str, Figure]
    before: Mapping[str, Figure]
    rates: Mapping[str, Rate]
    ratings: Mapping[str, Rating]
    entries: Mapping[str, Entry]
    checks: Sequence[Check]

    @property
    def notes(self) -> list[str]:
        """What whoever reads the quarter must know first."""
        first = self.items.first
        return [REHEARSAL.format(first=first.in_words)] if self.quarter < first else []


def make_report(
    items: Items,
    settings: Settings,
    counted: Counted,
    before: Counted,
    baseline: Counted | None,
    entries: Mapping[str, Entry],
    entries_before: Mapping[str, Entry],
) -> Report:
    """The report of a quarter without its checks; baseline: the first quarter of the items, None before it."""
    figures = make_figures(items, settings, counted)
    earlier = make_figures(items, settings, before)
    rates = make_rates(items, settings, counted, figures)
    known = Known(
        counted.quarter, items, settings, figures, earlier,
        make_figures(items, settings, baseline) if baseline else {}, rates,
        {item: entry.value for item, entry in entries.items()},
        {item: entry.value for item, entry in entries_before.items()},
    )  # fmt: skip
    return Report(
        counted.quarter, items, settings, figures, earlier, rates, rate_items(known), entries, ()
    )


def told(report: Report) -> dict[str, Any]:
    """The quarter as the department gets it: items, figures of ours, and what is inferred. Nobody is named."""
    return {
        "collection": "Families First Partnership quarterly data collection",
        "source": report.items.source,
        "quarter": report.quarter.name,
        "first_day": report.quarter.first.isoformat(),
        "last_day": report.quarter.last.isoformat(),
        "notes": report.notes,
        "items": [_item(report, item) for item in report.items.items],
        "beside": [
            {"id": kpi.id, "title": kpi.title, "unit": kpi.unit, "of": kpi.of, "known": kpi.known, "target": kpi.target,
             **{k: v for k, v in asdict(report.rates[kpi.id]).items() if k != "kpi"}}
            for kpi in report.items.kpis
        ],
        "definitions": report.settings.model_dump(mode="json"),
    }  # fmt: skip


def _item(report: Report, item: Item) -> dict[str, Any]:
    figure, entry = report.figures.get(item.id), report.entries.get(item.id)
    before, rating = report.before.get(item.id), report.ratings[item.id]
    return {
        "id": item.id, "table": item.table, "expectation": item.expectation, "title": item.title, "unit": item.unit,
        "known": item.known, "inferred": list(item.inferred), "expected": item.expected,
        "deadline": item.deadline.isoformat() if item.deadline else None,
        "figure": _figure(figure) if figure else None,
        "before": before.value if before else None,
        "typed": entry.value.model_dump(mode="json", exclude_none=True) if entry else None,
        "progress": {"colour": rating.colour, "why": rating.why},
    }  # fmt: skip


def _figure(figure: Figure) -> dict[str, Any]:
    return {
        "value": figure.value, "basis": figure.basis, "parts": dict(figure.parts), "beside": dict(figure.beside),
        "left_out": dict(figure.left_out),
    }  # fmt: skip


def in_words(report: Report, item: Item) -> str:
    """What an item comes to, in words: never an empty place."""
    figure, entry = report.figures.get(item.id), report.entries.get(item.id)
    told = [figure_in_words(item, figure.value)] if figure else []
    if entry:
        told.append(entry.value.in_words)
    return "; ".join(told) or "not entered yet"


def figure_in_words(item: Item, value: float | int | None) -> str:
    """A figure with its unit, rounded as it is told."""
    if value is None:
        return "none to tell"
    if item.kind == "money":
        return f"£{value:,.2f}"
    number = f"{value:,.1f}" if item.kind == "mean" else f"{value:,}"
    return f"{number} {item.unit}"


def parts_in_words(parts: Mapping[str, Any]) -> str:
    """The parts of a figure in one line."""
    return "; ".join(f"{name.replace('_', ' ')}: {plain(value)}" for name, value in parts.items())


def plain(value: Any) -> str:
    """A number as it is read, or words for none."""
    if value is None:
        return "none to tell"
    return f"{value:,.1f}".removesuffix(".0") if isinstance(value, float) else f"{value:,}"


def rate_in_words(rate: Rate, unit: str) -> str:
    """A figure of ours with what it is a share of, and its interval."""
    share = f"{plain(rate.numerator)} of {rate.denominator:,}"
    if rate.value is None:
        return f"{share} ({rate.note})"
    if unit != "percent":
        return f"£{rate.value:,.2f} ({share})"
    told = f"{rate.value:g} % ({share}"
    if rate.low is not None:
        told += f"; 95 % interval {rate.low:g} to {rate.high:g} %"
    return f"{told})" + (f", {rate.note}" if rate.note else "")


def of_table(items: Items, table: int) -> Iterable[Item]:
    """The items of one of the guide's tables."""
    return (item for item in items.items if item.table == table)
