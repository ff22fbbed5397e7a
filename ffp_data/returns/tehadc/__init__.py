"""Targeted Early Help Annual Data Collection: profiles, rules, cohort and formats."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from ffp_data.returns import cin
from ffp_data.returns.checks import RuleBook
from ffp_data.returns.layout import LayoutError
from ffp_data.returns.rules import Rule, load_rules, read_rules
from ffp_data.returns.tehadc.profile import Profile, load_profile

COLLECTION = "TEHADC"
_FOLDER = Path(__file__).parent


def years() -> tuple[str, ...]:
    """Years that have a profile, oldest first."""
    return tuple(sorted(p.stem for p in (_FOLDER / "profiles").glob("20*.yaml")))


@cache
def profile(year: str) -> Profile:
    """Profile that comes with the product. Raises LayoutError when the year is not held."""
    if year not in years():
        raise LayoutError(f"no TEHADC {year} is held here: {', '.join(years())}")
    return load_profile(_FOLDER / "profiles" / f"{year}.yaml")


@cache
def rule_book(year: str, modules: tuple[str, ...] = ()) -> RuleBook:
    """Rules for the profile that comes with the product. It has no modules to switch on."""
    if modules:
        raise LayoutError(f"TEHADC {year} has no module {', '.join(modules)} to switch on")
    return rule_book_of(profile(year))


def rule_book_of(chosen: Profile) -> RuleBook:
    """Rules for any profile. The tables of the CIN census must lie in the same schema."""
    views = (_FOLDER / "views.sql").read_text(encoding="utf-8")
    return RuleBook(
        layout=chosen.full_layout,
        rules=_rules(),
        views=f"{cin.views()}\n{views}",
        lists={"la_number": ("la_number", cin.la_numbers())},
        parameters=chosen.parameters,
        children=("tehadc_children", "cin_children"),
        beside=cin.layout(chosen.year),
    )


@cache
def match_rules() -> frozenset[str]:
    """Codes of the rules that hold the collection against the CIN census: overlap and sequence."""
    return frozenset(rule.rule for rule in read_rules(_FOLDER / "rules" / "match.yaml"))


@cache
def _rules() -> tuple[Rule, ...]:
    return load_rules(_FOLDER / "rules")
