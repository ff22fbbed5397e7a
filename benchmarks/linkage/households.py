"""Families of one postcode district, drawn all at once as arrays: who the children are.

A district has 2,000 families with children, its own mixture of traditions and its own postcodes. It
follows from the seed and its number alone, so that any number of districts can be made one by one,
in any process. Names follow the tradition's rule (see ``ffp_data.synthetic.names``). Hard cases are
those of life: twins, some with names alike; siblings; children of one home with two surnames;
cousins of one surname at one postcode; families that moved; children whose surname changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from benchmarks.linkage.names import GROUPS, Pool, Tradition, traditions
from ffp_data.identifiers.upn import ALPHABET
from ffp_data.synthetic.names import feminine
from ffp_data.synthetic.rates import rates, read_data

Array = np.ndarray[Any, Any]
Rng = np.random.Generator

AS_AT = np.datetime64("2026-03-31")
FAMILIES = 2_000
STRIDE = 12_000  # serial numbers kept for one district; no family has more than six children
UNITS = 512  # postcodes of a district: about four families with children in each
CHILDHOOD = 18 * 365
# Families by number of dependent children: ONS, Families and households, about 45, 40 and 15 %.
CHILDREN = (0.45, 0.40, 0.11, 0.04)
MULTIPLE_MATERNITY = 0.015  # ONS, Birth characteristics: about 15 in 1,000 maternities
TWO_SURNAMES = 0.08  # families with children of two fathers' surnames; assumed
COUSINS = 0.02  # families with the surname and the postcode of another of the district; assumed
SEGREGATION = 30.0  # how alike districts are (Dirichlet); assumed, censuses show clear differences
LETTERS = np.array(list("ABDEFGHJ"), dtype=object)
AREAS = [f"X{letter}" for letter in "FGABCDEHJKLMNPQRSTUVWYZ"]  # no postcode area begins with X


@dataclass(frozen=True)
class Families:
    """Arrays with one value for each family."""

    tradition: Array  # position in names.traditions()
    surname: Array
    second_surname: Array
    father: Array
    grandfather: Array
    postcode: Array  # number of a postcode: district * UNITS + unit
    house: Array
    old_postcode: Array
    old_house: Array
    moved: Array


@dataclass(frozen=True)
class Children:
    """Arrays with one value for each child, ordered by family."""

    families: Families
    family: Array
    serial: Array
    kind: Array  # only_child, sibling, twin
    sex: Array
    born: Array
    given: Array
    middle: Array
    surname: Array
    old_surname: Array
    nhs: Array
    upn: Array

    def tradition_of(self) -> Array:
        """Each child's tradition, as a position in names.traditions()."""
        return self.families.tradition[self.family]


def district(seed: int, number: int) -> tuple[Rng, Children]:
    """Make the children of a district, and hand on its random stream."""
    rng = np.random.default_rng([seed, number])
    families = _families(rng, number)
    return rng, _children(rng, number, families)


def _families(rng: Rng, number: int) -> Families:
    shares = np.array([share for _, share, _ in GROUPS.values()])
    mixture = rng.gamma(SEGREGATION * shares / shares.sum())
    tradition = rng.choice(len(shares), FAMILIES, p=mixture / mixture.sum())
    surname, other = _by_tradition(tradition, rng, lambda t: t.surnames, 2)
    father, grandfather = _by_tradition(tradition, rng, lambda t: t.fathers, 2)
    postcode = number * UNITS + rng.integers(0, UNITS, FAMILIES)
    _make_cousins(rng, tradition, surname, postcode)
    moved = rng.random(FAMILIES) < rates("family")["moved_in_four_years"]
    before = rng.integers(max(0, number - 8), number + 1, FAMILIES) * UNITS
    return Families(
        tradition, surname, other, father, grandfather, postcode, rng.integers(1, 80, FAMILIES),
        before + rng.integers(0, UNITS, FAMILIES), rng.integers(1, 80, FAMILIES), moved,
    )  # fmt: skip


def _by_tradition(
    tradition: Array, rng: Rng, pool: Callable[[Tradition], Pool], times: int
) -> list[Array]:
    """Draw ``times`` values for each entry from its tradition's pool."""
    drawn = [np.empty(len(tradition), dtype=object) for _ in range(times)]
    for code, one in enumerate(traditions()):
        chosen = np.flatnonzero(tradition == code)
        for values in drawn:
            values[chosen] = pool(one).draw(rng, len(chosen))
    return drawn


def _make_cousins(rng: Rng, tradition: Array, surname: Array, postcode: Array) -> None:
    """Give some families the surname and the postcode of an earlier one of their tradition."""
    for code in range(len(traditions())):
        own = np.flatnonzero(tradition == code)
        chosen = own[1:][rng.random(max(0, len(own) - 1)) < COUSINS]
        for family in chosen:
            other = own[rng.integers(0, np.searchsorted(own, family))]
            surname[family], postcode[family] = surname[other], postcode[other]


def _children(rng: Rng, number: int, families: Families) -> Children:
    family, born, twin = _births(rng)
    count = len(family)
    sex = np.where(rng.random(count) < 0.512, "M", "F")  # ONS: 105 boys to 100 girls
    tradition = families.tradition[family]
    _official_dates(rng, tradition, born)
    given = _given_names(rng, family, tradition, sex)
    _alike_twins(rng, twin, sex, tradition, given)
    middle, surname = _full_names(rng, families, family, tradition, sex, given)
    old = _old_surnames(rng, tradition, born, surname)
    serial = number * STRIDE + np.arange(count)
    size = np.bincount(family, minlength=FAMILIES)[family]
    kind = np.where(twin, "twin", np.where(size > 1, "sibling", "only_child"))
    return Children(
        families, family, serial, kind, sex, born, given, middle, surname, old,
        nhs_numbers(serial), upns(serial, born),
    )  # fmt: skip


def _births(rng: Rng) -> tuple[Array, Array, Array]:
    """Family, birth date and whether a twin; siblings are born at least a year apart."""
    births = rng.choice([1, 2, 3, 4], FAMILIES, p=CHILDREN)
    family = np.repeat(np.arange(FAMILIES), births)
    first = np.r_[True, family[1:] != family[:-1]]
    gap = np.where(
        first, rng.integers(0, CHILDHOOD, len(family)), 365 + rng.integers(0, 1500, len(family))
    )
    age = np.cumsum(gap)
    age -= np.repeat((age - gap)[first], births)
    young = age < CHILDHOOD
    family, age = family[young], age[young]
    multiple = rng.random(len(family)) < MULTIPLE_MATERNITY
    multiple &= _first_true(family, multiple)
    times = 1 + multiple
    return np.repeat(family, times), AS_AT - np.repeat(age, times), np.repeat(multiple, times)


def _first_true(family: Array, flag: Array) -> Array:
    """Keep only a family's first true value."""
    position = np.flatnonzero(flag)
    _, first = np.unique(family[position], return_index=True)
    kept = np.zeros(len(flag), dtype=bool)
    kept[position[first]] = True
    return kept


def _official_dates(rng: Rng, tradition: Array, born: Array) -> None:
    """Births that were never registered got 1 January as their official date."""
    share = np.array([dated for _, _, dated in GROUPS.values()])[tradition]
    struck = rng.random(len(born)) < share
    born[struck] = born[struck].astype("datetime64[Y]").astype("datetime64[D]")


def _given_names(rng: Rng, family: Array, tradition: Array, sex: Array) -> Array:
    """Given names, none twice in a family."""
    given = np.empty(len(family), dtype=object)
    again = np.arange(len(family))
    while len(again):
        for code, one in enumerate(traditions()):
            for letter in ("M", "F"):
                chosen = again[(tradition[again] == code) & (sex[again] == letter)]
                given[chosen] = one.given[letter].draw(rng, len(chosen))
        seen: set[tuple[int, str]] = set()
        clash = []
        for i, key in enumerate(zip(family.tolist(), given.tolist(), strict=True)):
            clash += [i] if key in seen else []
            seen.add(key)
        again = np.array(clash, dtype=np.int64)
    return given


def _alike_twins(rng: Rng, twin: Array, sex: Array, tradition: Array, given: Array) -> None:
    """Some twins of one sex are given names that begin alike."""
    for second in np.flatnonzero(twin)[1::2]:
        first = second - 1
        if sex[first] != sex[second] or rng.random() >= rates("family")["alike_twin_names"]:
            continue
        names = _by_beginning(int(tradition[first]), str(sex[first]))[given[first][:1]]
        others = [name for name in names if name != given[first]]
        if others:
            given[second] = others[int(len(others) * rng.random() ** 2)]


@cache
def _by_beginning(tradition: int, sex: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in traditions()[tradition].given[sex].values:
        found.setdefault(name[:1], []).append(name)
    return found


def _full_names(
    rng: Rng, families: Families, family: Array, tradition: Array, sex: Array, given: Array
) -> tuple[Array, Array]:
    """Middle name (or empty) and surname by the tradition's rule; ``given`` may be changed in place."""
    two = (rng.random(FAMILIES) < TWO_SURNAMES)[family]
    second = two & ~np.r_[True, family[1:] != family[:-1]]
    surname = np.where(second, families.second_surname[family], families.surname[family])
    (middle,) = _by_tradition(tradition, rng, lambda t: t.given["M"], 1)
    for code, one in enumerate(traditions()):
        for letter in ("M", "F"):
            own = np.flatnonzero((tradition == code) & (sex == letter))
            middle[own] = one.given[letter].draw(rng, len(own))
    middle[rng.random(len(family)) >= rates("family")["middle_name"]] = ""
    middle[middle == given] = ""
    for code, one in enumerate(traditions()):
        own = np.flatnonzero(tradition == code)
        RULES[one.rule](rng, families, Named(own, family, sex, given, middle, surname))
    return middle, surname


@dataclass(frozen=True)
class Named:
    """Names of the children of one tradition (``own``: their positions), changed in place by its rule."""

    own: Array
    family: Array
    sex: Array
    given: Array
    middle: Array
    surname: Array

    def some(self, rng: Rng, share: float, sex: str = "") -> Array:
        """A random share of them, of one sex if asked."""
        chosen = self.own[rng.random(len(self.own)) < share]
        return chosen[self.sex[chosen] == sex] if sex else chosen


def _western(rng: Rng, families: Families, n: Named) -> None:
    double = rng.random(FAMILIES) < rates("family")["double_barrelled"]
    chosen = n.own[double[n.family[n.own]]]
    n.surname[chosen] = n.surname[chosen] + "-" + families.second_surname[n.family[chosen]]


def _polish(_: Rng, __: Families, n: Named) -> None:
    girls = n.own[n.sex[n.own] == "F"]
    n.surname[girls] = [feminine(name) for name in n.surname[girls]]


def _portuguese(_: Rng, families: Families, n: Named) -> None:
    n.surname[n.own] = families.second_surname[n.family[n.own]] + " " + n.surname[n.own]


def _pakistani(rng: Rng, families: Families, n: Named) -> None:
    n.middle[n.own] = ""
    girls = n.some(rng, 0.2, "F")
    n.surname[girls] = rng.choice(np.array(["Bibi", "Begum", "Khatoon"], dtype=object), len(girls))
    boys = n.some(rng, 0.15, "M")
    n.surname[boys] = families.father[n.family[boys]]
    boys = n.some(rng, 0.3, "M")
    boys = boys[n.given[boys] != "Muhammad"]
    n.middle[boys], n.given[boys] = n.given[boys], "Muhammad"


def _bangladeshi(rng: Rng, _: Families, n: Named) -> None:
    n.middle[n.own] = ""
    women = np.array(["Begum", "Begum", "Khatun", "Akter", "Bibi", "Khanom"], dtype=object)
    men = np.array(["Miah", "Uddin", "Ali", "Ahmed"], dtype=object)
    for sex, last in (("F", women), ("M", men)):
        chosen = n.some(rng, 0.7, sex)
        n.surname[chosen] = rng.choice(last, len(chosen))


def _sikh(rng: Rng, _: Families, n: Named) -> None:
    word = np.where(n.sex == "F", "Kaur", "Singh").astype(object)
    n.middle[n.own] = word[n.own]
    alone = n.some(rng, 0.45)
    n.surname[alone], n.middle[alone] = word[alone], ""


def _somali(_: Rng, families: Families, n: Named) -> None:
    n.middle[n.own] = families.father[n.family[n.own]]
    n.surname[n.own] = families.grandfather[n.family[n.own]]


def _arabic(_: Rng, families: Families, n: Named) -> None:
    n.middle[n.own] = families.father[n.family[n.own]]


def _chinese(_: Rng, __: Families, n: Named) -> None:
    n.middle[n.own] = ""


RULES: dict[str, Callable[[Rng, Families, Named], None]] = {
    "western": _western,
    "polish": _polish,
    "portuguese": _portuguese,
    "pakistani": _pakistani,
    "bangladeshi": _bangladeshi,
    "sikh": _sikh,
    "somali": _somali,
    "arabic": _arabic,
    "chinese": _chinese,
}


def _old_surnames(rng: Rng, tradition: Array, born: Array, surname: Array) -> Array:
    """The surname that some children bore before, else the present one."""
    (other,) = _by_tradition(tradition, rng, lambda t: t.surnames, 1)
    changed = rng.random(len(born)) < rates("family")["surname_change"]
    changed &= (AS_AT - born).astype(int) > 3 * 365
    changed &= other != "-"  # no family name, none to change
    return np.where(changed, other, surname)


def nhs_numbers(serial: Array) -> Array:
    """Valid test-range NHS numbers, one to one with serials below fifty million."""
    stem = 9 * 10**8 + 2 * ((serial * 7_368_787) % 50_000_000)
    check = _nhs_check(stem)
    stem = np.where(check == 10, stem + 1, stem)
    return _text(stem * 10 + _nhs_check(stem), 10)


def _nhs_check(stem: Array) -> Array:
    digits = stem[:, None] // 10 ** np.arange(8, -1, -1) % 10
    return (11 - (digits * np.arange(10, 1, -1)).sum(axis=1) % 11) % 11


def upns(serial: Array, born: Array) -> Array:
    """Valid UPNs with a pseudo local authority, one to one with serials below fifty million."""
    place = serial % 10_000_000 * 7_368_787 % 10_000_000
    year = (born.astype("datetime64[Y]").astype(int) + 1974) % 100
    body = (
        ((1 + serial // 10_000_000) * 10_000 + place // 1000) * 100_000 + year * 1000 + place % 1000
    )
    digits = body[:, None] // 10 ** np.arange(11, -1, -1) % 10
    letter = (digits * np.arange(2, 14)).sum(axis=1) % len(ALPHABET)
    return np.array(list(ALPHABET), dtype=object)[letter] + _text(body, 12)


def _text(number: Array, width: int) -> Array:
    return np.char.zfill(number.astype(f"U{width}"), width).astype(object)


def postcodes(number: Array) -> Array:
    """Postcodes by number, in areas that don't exist."""
    place, unit = number // UNITS, number % UNITS
    outward = _outwards(int(place.max()) + 1)[place]
    inward = (unit // 64).astype("U1").astype(object)
    return outward + " " + inward + LETTERS[unit // 8 % 8] + LETTERS[unit % 8]


@cache
def _outwards(count: int) -> Array:
    return np.array([f"{AREAS[i // 99]}{i % 99 + 1}" for i in range(count)], dtype=object)


@cache
def _streets() -> Array:
    places = read_data("places.yaml")
    return np.array(
        [f"{n} {k}" for n in places["street_names"] for k in places["street_kinds"]], dtype=object
    )


def streets(number: Array) -> Array:
    """The street of each postcode by number."""
    return _streets()[number * 2_654_435_761 % 2**32 % len(_streets())]
