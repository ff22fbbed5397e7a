"""Names by tradition, ready to be drawn by the thousand: pools of values with cumulative weights.

Heads of the lists come from the synthetic partnership (ffp_data.synthetic: Faker's lists, MIT, and
ordinary names in use). A nation needs long tails as well, or everybody shares a few hundred names:
in 2012 the hundred commonest names covered 58 % of boys and 49 % of girls (ONS, baby names, England
and Wales), so the rest is drawn from Faker's long English lists; surnames get tails made by the
rules that really formed them (places, fathers' names, word parts). Shares of heads of surnames are
assumed. Nothing here depends on what a linkage engine is good at.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import yaml

from ffp_data.synthetic import names as partnership
from ffp_data.synthetic.rates import read_data

ADULT_HEAD = 9  # flattens the first ranks: the commonest name is about 4 % of a list of a hundred
# ONS, baby names, England and Wales, 2012: share of children with one of the hundred commonest names.
TOP_HUNDRED = {"M": 0.58, "F": 0.49}


@dataclass(frozen=True)
class Pool:
    """Values and their cumulative weights, the last one being 1."""

    values: np.ndarray[Any, Any]
    cumulative: np.ndarray[Any, Any]

    def draw(self, rng: np.random.Generator, count: int) -> np.ndarray[Any, Any]:
        """Draw values with replacement."""
        found = np.searchsorted(self.cumulative, rng.random(count), side="right")
        return self.values[np.minimum(found, len(self.values) - 1)]


@dataclass(frozen=True)
class Tradition:
    """Given names by sex, names of fathers, and surnames of a tradition; ``rule`` forms full names."""

    code: str
    group: str
    share: float
    rule: str
    given: dict[str, Pool]
    fathers: Pool
    surnames: Pool


# code: (ethnic group as Census 2021 names it, share of families, share of children whose official birth
# date is 1 January). Shares: the order of Census 2021 (ONS, children in England), small groups raised to
# 2-3 % so that recall can be measured for each. Births without registration: assumed.
GROUPS: dict[str, tuple[str, float, float]] = {
    "english": ("White British", 0.50, 0.0),
    "irish": ("White Irish", 0.03, 0.0),
    "polish": ("White Polish", 0.05, 0.0),
    "romanian": ("Other White", 0.025, 0.0),
    "portuguese": ("Other White", 0.025, 0.0),
    "pakistani": ("Pakistani", 0.075, 0.005),
    "bangladeshi": ("Bangladeshi", 0.04, 0.005),
    "indian": ("Indian", 0.035, 0.0),
    "sikh": ("Indian", 0.025, 0.0),
    "yoruba": ("Black African", 0.025, 0.0),
    "ghanaian": ("Black African", 0.02, 0.0),
    "somali": ("Black African", 0.025, 0.06),
    "caribbean": ("Black Caribbean", 0.03, 0.0),
    "chinese": ("Chinese", 0.03, 0.0),
    "arabic": ("Arab", 0.03, 0.04),
    "mixed": ("Mixed", 0.035, 0.0),
}
PARTS: dict[str, list[str]] = yaml.safe_load(
    Path(__file__).with_name("name_parts.yaml").read_text()
)


def ranked(values: Iterable[str], share: float = 1.0, head: int = ADULT_HEAD) -> dict[str, float]:
    """Weights that fall with rank and add up to ``share``."""
    unique = list(dict.fromkeys(values))
    weights = [1 / (rank + head) for rank in range(len(unique))]
    return {v: share * w / sum(weights) for v, w in zip(unique, weights, strict=True)}


def pool(*parts: dict[str, float]) -> Pool:
    """One pool out of parts; a value in two parts keeps both weights."""
    total: dict[str, float] = {}
    for part in parts:
        for value, weight in part.items():
            total[value] = total.get(value, 0.0) + weight
    cumulative = np.cumsum(list(total.values()))
    return Pool(np.array(list(total), dtype=object), cumulative / cumulative[-1])


def _faker(locale: str, *names: str) -> list[str]:
    """A list of Faker's in a fixed shuffled order: the lists are alphabetical, ranks must not be."""
    provider = importlib.import_module(f"faker.providers.person.{locale}".rstrip(".")).Provider
    values = sorted({str(v).strip() for name in names for v in getattr(provider, name)})
    Random(f"{locale} {names}").shuffle(values)
    return values


def _joined(parts: tuple[Sequence[str], Sequence[str]], seed: str, between: str = "") -> list[str]:
    values = sorted({f"{a}{between}{b}" for a, b in product(*parts) if a != b})
    Random(seed).shuffle(values)
    return values


def _english_given() -> dict[str, Pool]:
    head = read_data("given_names.yaml")["english_children"]
    lists = {"M": "first_names_male", "F": "first_names_female"}
    return {
        sex: pool(
            ranked(head[sex], TOP_HUNDRED[sex]),
            ranked(_faker("en", lists[sex]), 1 - TOP_HUNDRED[sex], head=60),
        )
        for sex in lists
    }


def _english_surnames() -> Pool:
    known = importlib.import_module("faker.providers.person.en_GB").Provider.last_names
    total = sum(known.values())
    fathers = [f"{n}son" for n in _faker("en_GB", "first_names_male") if n[-1] not in "aeiouys"]
    places = _joined((PARTS["english_places"], PARTS["english_place_endings"]), "places")
    return pool(
        {name: 0.45 * weight / total for name, weight in known.items()},
        ranked(places + fathers, 0.40, head=40),
        ranked(_faker("en_IE", "last_names"), 0.15, head=40),
    )


def _from_partnership(code: str) -> dict[str, Pool]:
    base = partnership.traditions()[code]
    return {sex: pool(ranked(base.child[sex].values)) for sex in ("M", "F")}


def _muslim_given() -> dict[str, Pool]:
    lists = read_data("given_names.yaml")["muslim"]
    second = {"M": ["Abdul", "Muhammad", "Syed"], "F": ["Umme", "Noor", "Bibi", "Syeda"]}
    return {
        sex: pool(
            ranked(lists[sex], 0.75),
            ranked(_joined((second[sex], lists[sex]), f"compound {sex}", " "), 0.25, head=30),
        )
        for sex in ("M", "F")
    }


def _chinese_given() -> dict[str, Pool]:
    mainland = [v.capitalize() for v in _joined((PARTS["pinyin"], PARTS["pinyin"]), "pinyin")]
    cantonese = _joined((PARTS["cantonese"], PARTS["cantonese"]), "cantonese", " ")
    half = len(mainland) // 2
    split = {"M": (mainland[:half], cantonese[:270]), "F": (mainland[half:], cantonese[270:])}
    return {
        sex: pool(ranked(a, 0.6, head=40), ranked(b, 0.4, head=40)) for sex, (a, b) in split.items()
    }


def _romanian_surnames() -> Pool:
    stems = [n.rstrip("aeiu") for n in _faker("ro_RO", "first_names_male")]
    made = [f"{s}{e}" for s in stems if len(s) > 2 for e in ("escu", "eanu")]
    return pool(ranked(_faker("ro_RO", "last_names"), 0.4), ranked(sorted(set(made)), 0.6, head=40))


def _given(code: str) -> dict[str, Pool]:
    if code in ("english", "caribbean", "mixed"):
        return _english_given()
    if code in ("pakistani", "bangladeshi", "arabic"):
        return _muslim_given()
    if code == "chinese":
        return _chinese_given()
    if code == "sikh":
        return {
            sex: pool(
                ranked(_joined((PARTS["sikh_first"], PARTS["sikh_second"]), f"sikh {sex}"), head=20)
            )
            for sex in ("M", "F")
        }
    if code == "somali":
        lists = read_data("given_names.yaml")
        return {
            sex: pool(ranked(lists["somali"][sex], 0.7), ranked(lists["muslim"][sex], 0.3))
            for sex in ("M", "F")
        }
    return _from_partnership(code)


def _plain_surnames(code: str) -> Pool:
    return pool(ranked(partnership.traditions()[code].surnames.values, head=12))


SURNAMES: dict[str, Callable[[], Pool]] = {
    "english": _english_surnames,
    "mixed": _english_surnames,
    "polish": lambda: pool(
        ranked(partnership.traditions()["polish"].surnames.values, 0.35, head=12),
        ranked(_faker("pl_PL", "unisex_last_names"), 0.65, head=60),
    ),
    "romanian": _romanian_surnames,
    "pakistani": lambda: pool(
        ranked(partnership.traditions()["pakistani"].surnames.values, 0.8, head=3),
        ranked(_faker("en_PK", "last_names"), 0.2, head=30),
    ),
    "bangladeshi": lambda: pool(
        ranked(partnership.traditions()["bangladeshi"].surnames.values, 0.8, head=3),
        ranked(partnership.traditions()["pakistani"].surnames.values, 0.2, head=12),
    ),
    "sikh": lambda: pool(ranked(PARTS["sikh_surnames"])),
    "chinese": lambda: pool(ranked(PARTS["chinese_surnames"], head=3)),
    "arabic": lambda: pool(ranked(PARTS["arabic_surnames"])),
    "yoruba": lambda: pool(
        ranked(_faker("yo_NG", "last_names"), 0.6),
        ranked(_joined((PARTS["yoruba_first"], PARTS["yoruba_second"]), "yoruba"), 0.4),
    ),
}


@cache
def traditions() -> tuple[Tradition, ...]:
    """All traditions, in a fixed order."""
    made = []
    for code, (group, share, _) in GROUPS.items():
        given = _given(code)
        rule = partnership.traditions()[code].rule
        surnames = SURNAMES.get(code, lambda c=code: _plain_surnames(c))()
        made.append(Tradition(code, group, share, rule, given, given["M"], surnames))
    return tuple(made)
