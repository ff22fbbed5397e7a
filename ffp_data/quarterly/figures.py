"""Figures of a quarter: counts, sums and means of its lines, each with its parts and what is left out.

Nothing here reads the warehouse: what stands in a figure stands in its lines. A percent of fewer than ten (or what the
settings say) is not told, since it swings on one child; numerator and denominator always are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import sqrt
from statistics import NormalDist, median
from typing import Any

from ffp_data.quarterly.counting import Counted, Lines
from ffp_data.quarterly.items import UNASSIGNED, Item, Items, Kpi, Settings

Z_95 = NormalDist().inv_cdf(0.975)
_DEFAULT_BASIS = {
    "FH-2.1": "snapshot", "FH-2.2": "snapshot", "FN-1.1": "snapshot", "CP-2.1": "snapshot",
}  # fmt: skip
_OTHER = {"snapshot": "any_time", "any_time": "snapshot"}


@dataclass(frozen=True)
class Figure:
    """One counted item: its value, the parts of it, what stands beside, and how many are left out, by reason."""

    item: str
    basis: str
    value: float | int | None
    parts: Mapping[str, float | int] = field(default_factory=dict)
    beside: Mapping[str, float | int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Rate:
    """One figure of ours: a share with its interval (Wilson, 95 %), or a mean; None where it is not told."""

    kpi: str
    numerator: float | int
    denominator: int
    value: float | None
    low: float | None = None
    high: float | None = None
    note: str | None = None


def wilson(numerator: int, denominator: int) -> tuple[float, float]:
    """The 95 % interval of a share, in percent (Wilson 1927): sound for small numbers, never beyond 0 or 100."""
    share, z2 = numerator / denominator, Z_95 * Z_95
    middle = share + z2 / (2 * denominator)
    half = Z_95 * sqrt(share * (1 - share) / denominator + z2 / (4 * denominator**2))
    scale = 1 + z2 / denominator
    return max(0.0, 100 * (middle - half) / scale), min(100.0, 100 * (middle + half) / scale)


def make_figures(items: Items, settings: Settings, counted: Counted) -> dict[str, Figure]:
    """A figure for each counted item, by its code."""
    by_item: dict[str, Lines] = {}
    for line in counted.lines:
        by_item.setdefault(line["item"], []).append(line)
    return {
        item.id: _figure(item, items, settings, by_item.get(item.id, []))
        for item in items.items
        if item.is_counted
    }


def _figure(item: Item, items: Items, settings: Settings, lines: Lines) -> Figure:
    basis = settings.bases.get(item.id) or _DEFAULT_BASIS.get(item.id, "in_quarter")
    own = [line for line in lines if line["basis"] == basis]
    counting = [line for line in own if line["why_not"] is None]
    add = _ADD.get(item.kind, _distinct)
    parts = {
        part: add([each for each in counting if each["part"] == part])
        for part in _parts(item, items, counting)
    }
    return Figure(
        item.id, basis, add(counting), parts, _beside(item, basis, lines), _reasons(own)
    )  # fmt: skip


def _parts(item: Item, items: Items, lines: Lines) -> Iterable[str]:
    """The parts that a figure is told in: those of its breakdown, none missing, then any other that occurs."""
    if item.is_by_stage:
        return (*items.stages.values, UNASSIGNED)
    named = tuple(item.breakdown)
    found = sorted({line["part"] for line in lines} - {*named, "all"})
    return (*named, *found)


def _distinct(lines: Lines) -> int:
    return len({line["counted"] for line in lines})


def _sum(lines: Lines) -> float:
    """A package's pounds once, however many children it is for."""
    once = {line["counted"]: line["value"] for line in lines}
    return round(float(sum(once.values())), 2)


def _mean(lines: Lines) -> float | None:
    once = {line["counted"]: line["value"] for line in lines}
    return round(sum(once.values()) / len(once), 1) if once else None


_ADD: Mapping[str, Callable[[Lines], Any]] = {"money": _sum, "mean": _mean}


def _reasons(lines: Lines) -> dict[str, int]:
    found: dict[str, set[str]] = {}
    for line in lines:
        if line["why_not"] is not None:
            found.setdefault(line["why_not"], set()).add(line["counted"])
    return {reason: len(counted) for reason, counted in sorted(found.items())}


def _beside(item: Item, basis: str, lines: Lines) -> dict[str, Any]:
    """What is told beside a figure: the other basis, children at several stages, spread of days, cases held."""
    told: dict[str, Any] = {}
    standing = [line for line in lines if line["why_not"] is None]
    other = _OTHER.get(basis)
    if other and any(line["basis"] == other for line in lines):
        told[other.replace("_", " ")] = _distinct([x for x in standing if x["basis"] == other])
    if item.id == "FH-1.3":
        own = [line for line in lines if line["basis"] == basis]
        told["with protection plans"] = _distinct([x for x in own if x["part"] != "looked after"])
        told["with protection plans and looked-after children"] = _distinct(own)
    if item.id == "FH-2.1":
        told["practitioners who hold cases"] = _distinct(
            [x for x in lines if x["basis"] == "holds cases"]
        )
    if item.id == "FN-2.4":
        told |= _days(lines)
    return told


def _days(lines: Lines) -> dict[str, Any]:
    own = [line for line in lines if line["basis"] == "in_quarter"]
    days = {x["counted"]: x["value"] for x in own if x["why_not"] is None}
    waiting = {x["counted"]: x["value"] for x in lines if x["basis"] == "waiting"}
    told: dict[str, Any] = {"packages with both days": len(days), "still waiting": len(waiting)}
    told["without a day of agreement"] = _reasons(own).get("no day of agreement is recorded", 0)
    if days:
        told |= {"median days": median(days.values()), "longest, days": max(days.values())}
    if waiting:
        told["longest wait so far, days"] = max(waiting.values())
    return told


def make_rates(
    items: Items, settings: Settings, counted: Counted, figures: Mapping[str, Figure]
) -> dict[str, Rate]:
    """The figures of our own, by their code."""
    return {kpi.id: _rate(kpi, settings, counted, figures) for kpi in items.kpis}


def _rate(kpi: Kpi, settings: Settings, counted: Counted, figures: Mapping[str, Figure]) -> Rate:
    if kpi.id in _SHARES:
        share, of = _SHARES[kpi.id]
        basis = settings.bases.get(of, of)
        own = [line for line in counted.lines if line["item"] == kpi.id and line["basis"] == basis]
        return share_of(
            kpi.id, _distinct([x for x in own if x["part"] == share]), _distinct(own), settings
        )
    top, bottom, part = _RATIOS[kpi.id]
    numerator, denominator = _value(figures[top], part), int(_value(figures[bottom], part))
    if kpi.unit != "percent":
        value = round(numerator / denominator, 2) if denominator else None
        return Rate(
            kpi.id,
            numerator,
            denominator,
            value,
            note=None if denominator else "none in the quarter",
        )
    told = share_of(kpi.id, int(numerator), denominator, settings)
    if numerator > denominator and told.value is not None:
        return Rate(
            kpi.id,
            numerator,
            denominator,
            told.value,
            note="more meetings than offers: they belong to earlier offers",
        )
    return told


_SHARES = {
    "FH-K1": ("with a lead practitioner", "FH-1.3"),
    "CP-K1": ("with the team", "CP-1.3"),
    "CP-K2": ("offered", "in_quarter"),
    "FN-K1": ("offered", "in_quarter"),
    "FN-K2": ("met", "cohort"),
}
"""By figure: the part of its lines that counts, and the basis (or the item whose basis is taken)."""

_RATIOS = {
    "FN-K2P": ("FN-1.3", "FN-1.2", "pre_proceedings"),
    "FN-K3": ("FN-1.4", "FN-1.3", None),
    "FN-K4": ("FN-2.1", "FN-2.2", None),
}


def _value(figure: Figure, part: str | None) -> float | int:
    return figure.parts[part] if part else figure.value or 0


def share_of(kpi: str, numerator: int, denominator: int, settings: Settings) -> Rate:
    """A share in percent with its interval, told when there are enough to tell it of."""
    if denominator < settings.smallest_percent:
        note = f"not told as a percent: fewer than {settings.smallest_percent}"
        return Rate(kpi, numerator, denominator, None, note=note)
    value = round(100 * numerator / denominator, 1)
    if numerator > denominator:
        return Rate(kpi, numerator, denominator, value)
    low, high = wilson(numerator, denominator)
    return Rate(kpi, numerator, denominator, value, round(low, 1), round(high, 1))
