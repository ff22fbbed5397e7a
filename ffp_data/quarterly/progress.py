"""How an item stands against what the guide expects: green, amber, red or grey, and why in words.

Which rule an item goes by is data (`items.yaml`), and so are the thresholds (`settings.yaml`): the guide tells the
expectation in words, the colours are ours. Before the collection begins, and in its first quarter, no trend is rated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from ffp_data.quarterly.entries import Value
from ffp_data.quarterly.figures import Figure, Rate
from ffp_data.quarterly.items import Item, Items, Settings
from ffp_data.quarterly.quarters import Quarter

Colour = Literal["green", "amber", "red", "grey"]
DONE = ("yes", "fully operational")


@dataclass(frozen=True)
class Rating:
    """A colour and the words that say it without the colour."""

    colour: Colour
    why: str


@dataclass(frozen=True)
class Known:
    """What ratings look at: figures of this quarter, the one before and the first; what is typed now and was before."""

    quarter: Quarter
    items: Items
    settings: Settings
    figures: Mapping[str, Figure]
    before: Mapping[str, Figure]
    baseline: Mapping[str, Figure]
    rates: Mapping[str, Rate]
    typed: Mapping[str, Value]
    typed_before: Mapping[str, Value]


def rate_items(known: Known) -> dict[str, Rating]:
    """A rating for each item, by its code."""
    return {item.id: _RULES[item.progress.rule](item, known) for item in known.items.items}


def _by_date(item: Item, known: Known) -> Rating:
    value, deadline = known.typed.get(item.id), item.deadline
    assert deadline is not None, "a rule by date has a deadline"
    if value is None:
        return _not_entered(known)
    due = f"{deadline:%-d %B %Y}"
    if value.answer in DONE:
        late = value.day is not None and value.day > deadline
        return Rating("red" if late else "green", f"{value.in_words}; due by {due}")
    if known.quarter.last > deadline:
        return Rating("red", f"not done, and {due} has passed")
    if value.day is None:
        return Rating("red", f"not done, and no day is given for {due}")
    late = value.day > deadline
    return Rating("red" if late else "amber", f"expected on {value.day:%-d %B %Y}, due by {due}")


def _date_by(item: Item, known: Known) -> Rating:
    value, deadline = known.typed.get(item.id), item.deadline
    assert deadline is not None, "a rule by date has a deadline"
    if value is None or value.day is None:
        return _not_entered(known)
    if value.day > deadline:
        return Rating("red", f"{value.day:%-d %B %Y} is after {deadline:%-d %B %Y}")
    last = known.typed_before.get(item.id)
    if last and last.day and value.day > last.day:
        return Rating(
            "amber", f"in time, but later than {last.day:%-d %B %Y}, as told last quarter"
        )
    return Rating("green", f"in time for {deadline:%-d %B %Y}")


def _not_entered(known: Known) -> Rating:
    if known.quarter < known.items.first:
        return Rating("grey", f"nothing is typed; the items begin with {known.items.first.name}")
    return Rating("red", "nothing is typed for this quarter")


def _increasing(item: Item, known: Known, rising: bool = True) -> Rating:
    if known.quarter <= known.items.first:
        return Rating(
            "grey",
            f"a trend is rated after {known.items.first.name}, the first quarter of the items",
        )
    values = [each.get(item.id) for each in (known.figures, known.before, known.baseline)]
    now, last, first = (figure.value if figure else None for figure in values)
    if now is None or last is None or first is None:
        return Rating("grey", "there is no figure to compare with")
    flat = known.settings.progress.flat_percent
    steps = [_step(now, other, flat) * (1 if rising else -1) for other in (last, first)]
    words = f"{_plain(last)} in the quarter before, {_plain(first)} in {known.items.first.name}"
    if min(steps) > 0:
        return Rating("green", f"{'up' if rising else 'down'} on both: {words}")
    if max(steps) < 0:
        return Rating("red", f"{'down' if rising else 'up'} on both: {words}")
    return Rating("amber", f"not {'up' if rising else 'down'} on both: {words}")


def _step(now: float, then: float, flat: float) -> int:
    """1 up, -1 down, 0 within the share that counts as flat."""
    return 0 if abs(now - then) <= flat / 100 * then else 1 if now > then else -1


def _decreasing(item: Item, known: Known) -> Rating:
    return _increasing(item, known, rising=False)


def _increasing_with_status(item: Item, known: Known) -> Rating:
    status = known.typed.get(item.progress.status or "")
    if status and status.answer == "fully operational":
        return _equals_100(item, known)
    return _increasing(item, known)


def _equals_100(item: Item, known: Known) -> Rating:
    rate = known.rates[item.progress.kpi or ""]
    if not rate.denominator:
        return Rating("grey", "there was none in the quarter")
    share = 100 * rate.numerator / rate.denominator
    words = f"{rate.numerator:,} of {rate.denominator:,}"
    nearly = known.settings.progress.nearly_100
    return Rating("green" if share >= 100 else "amber" if share >= nearly else "red", words)


def _benchmark(item: Item, known: Known) -> Rating:
    rate = known.rates[item.progress.kpi or ""]
    target = next(kpi.target for kpi in known.items.kpis if kpi.id == rate.kpi) or 0
    words = f"{rate.numerator:,} of {rate.denominator:,} offered before proceedings met, for {target:g} %"
    if rate.value is None:
        return Rating("grey", f"{words}; too few to rate")
    nearly = known.settings.progress.nearly_benchmark
    return Rating(
        "green" if rate.value >= target else "amber" if rate.value >= nearly else "red", words
    )


def _local_target(item: Item, known: Known) -> Rating:
    value, figure = known.typed.get(item.id), known.figures[item.id]
    if value is None or not value.target:
        return Rating("grey", "no target of the council is entered")
    share = 100 * (figure.value or 0) / value.target
    nearly = known.settings.progress.nearly_target
    words = f"{_plain(figure.value or 0)} of a target of {value.target:,}"
    return Rating("green" if share >= 100 else "amber" if share >= nearly else "red", words)


def _told(item: Item, known: Known) -> Rating:
    figure, value = known.figures.get(item.id), known.typed.get(item.id)
    if item.is_counted and not item.with_narrative:
        return Rating("grey", f"{_plain((figure and figure.value) or 0)}; the guide sets no number")
    if value is None or not value.text:
        return Rating("grey", "no words are typed yet")
    return Rating("grey", "told in words; the guide sets no number")


def _none(_item: Item, _known: Known) -> Rating:
    return Rating("grey", "a baseline: the guide sets no target")


def _plain(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0") if isinstance(value, float) else f"{value:,}"


_RULES: Mapping[str, Callable[[Item, Known], Rating]] = {
    "by_date": _by_date,
    "date_by": _date_by,
    "increasing": _increasing,
    "increasing_with_status": _increasing_with_status,
    "decreasing": _decreasing,
    "equals_100": _equals_100,
    "benchmark": _benchmark,
    "local_target": _local_target,
    "told": _told,
    "none": _none,
}
