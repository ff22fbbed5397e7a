"""Children in need census: the year's layout, rules and code lists, all read from data."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import yaml

from ffp_data.returns.checks import RuleBook
from ffp_data.returns.layout import Layout, LayoutError, load_layout
from ffp_data.returns.rules import load_rules

COLLECTION = "CIN"
_FOLDER = Path(__file__).parent


def years() -> tuple[str, ...]:
    """Years that have a layout, oldest first."""
    return tuple(sorted(p.stem for p in (_FOLDER / "spec").glob("20*.yaml")))


@cache
def layout(year: str, modules: tuple[str, ...] = ()) -> Layout:
    """Layout of a year such as '2025-26', with `modules` that are off by default switched on.

    Raises LayoutError when the year or a module is not held.
    """
    if year not in years():
        raise LayoutError(f"no CIN census {year} is held here: {', '.join(years())}")
    return load_layout(_FOLDER / "spec" / f"{year}.yaml", modules)


@cache
def rule_book(year: str, modules: tuple[str, ...] = ()) -> RuleBook:
    """Everything that validation of a year needs. The rules are the same in all years held."""
    return RuleBook(
        layout=layout(year, modules),
        rules=load_rules(_FOLDER / "rules"),
        views=views(),
        lists={"la_number": ("la_number", la_numbers())},
        parameters={},
        children=("cin_children",),
    )


def views() -> str:
    """SQL of the tables that rules read, with {schema} in it."""
    return (_FOLDER / "views.sql").read_text(encoding="utf-8")


@cache
def la_numbers() -> tuple[str, ...]:
    """Three-digit numbers that a UPN may carry."""
    entries = yaml.safe_load((_FOLDER / "la_numbers.yaml").read_text(encoding="utf-8"))
    return tuple(
        number for entry in entries for text in entry["ranges"] for number in _expand(str(text))
    )


def _expand(text: str) -> Iterator[str]:
    first, _, last = text.partition("-")
    for number in range(int(first), int(last or first) + 1):
        yield f"{number:03}"
