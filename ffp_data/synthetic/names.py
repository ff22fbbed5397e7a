"""Names by tradition. A tradition says where given names and surnames come from (Faker's lists,
or lists of our own) and by which rule a child's name follows from its parents': father's
surname, Singh and Kaur, Bibi and Begum, Polish and Lithuanian endings by sex, Somali and Arabic
names made of father's and grandfather's, two Portuguese surnames, Chinese two-part given names.
Common names are common: lists are weighted by rank."""

from __future__ import annotations

import csv
import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from itertools import accumulate
from random import Random
from typing import Any

from ffp_data.synthetic.numbers import stream
from ffp_data.synthetic.rates import rates, read_data

DAUGHTER = {"ski": "ska", "cki": "cka", "dzki": "dzka"}


@dataclass(frozen=True, slots=True)
class Name:
    """given and surname are what most records carry; middle may be empty."""

    given: str
    middle: str
    surname: str


@dataclass(frozen=True)
class Pool:
    """Values with cumulative weights, ready to draw from."""

    values: tuple[str, ...]
    weights: tuple[float, ...]

    def draw(self, rng: Random) -> str:
        """Return one value."""
        return rng.choices(self.values, cum_weights=self.weights)[0]


def ranked(values: Sequence[str], head: int) -> Pool:
    """Weight values by rank, 1/(rank + head): the smaller `head`, the more the first ones prevail."""
    return Pool(tuple(values), tuple(accumulate(1 / (rank + head) for rank in range(len(values)))))


@dataclass(frozen=True)
class Tradition:
    """One naming tradition, see data/traditions.yaml."""

    code: str
    rule: str
    ethnicity: Pool
    adult: Mapping[str, Pool]
    child: Mapping[str, Pool]
    surnames: Pool


def _provider(locale: str) -> Any:
    return importlib.import_module(f"faker.providers.person.{locale}").Provider


def _shuffled(locale: str, values: Sequence[str]) -> list[str]:
    """Faker's lists are alphabetical; a fixed shuffle decides which names are common here."""
    plain = sorted({v.strip() for v in values if v.strip()})
    stream(f"names of {locale}").shuffle(plain)
    return plain


def _faker_given(locale: str) -> dict[str, list[str]]:
    provider = _provider(locale)
    if hasattr(provider, "first_names_male"):
        return {
            "M": _shuffled(locale, provider.first_names_male),
            "F": _shuffled(locale, provider.first_names_female),
        }
    names = _shuffled(locale, provider.first_names)  # Lithuanian: the ending tells
    return {"F": [n for n in names if n[-1] in "aė"], "M": [n for n in names if n[-1] not in "aė"]}


def _surnames(code: str, spec: Mapping[str, Any]) -> Pool:
    if "surnames" in spec:
        return ranked(spec["surnames"] or ["-"], 3)
    provider = _provider(spec["faker"])
    if code == "polish":
        return ranked([n for n in provider.male_last_names if len(n) > 3], 12)
    names = provider.last_names
    if isinstance(names, Mapping):
        return Pool(tuple(names), tuple(accumulate(names.values())))
    return ranked(_shuffled(spec["faker"], names), 25)


def _tradition(code: str, spec: Mapping[str, Any], given: Mapping[str, Any]) -> Tradition:
    ethnicity = Pool(tuple(spec["ethnicity"]), tuple(accumulate(spec["ethnicity"].values())))
    child: Mapping[str, Sequence[str]]
    if spec["given"] == "faker":
        adult = child = _faker_given(spec["faker"])
    elif spec["given"] == "english":
        adult, child = _faker_given("en_GB"), given["english_children"]
    else:
        adult = child = given[spec["given"]]
    pools = [{sex: ranked(names[sex], 9) for sex in ("M", "F")} for names in (adult, child)]
    return Tradition(code, spec["rule"], ethnicity, pools[0], pools[1], _surnames(code, spec))


@cache
def traditions() -> Mapping[str, Tradition]:
    """Return all traditions by code."""
    given = read_data("given_names.yaml")
    return {
        code: _tradition(code, spec, given) for code, spec in read_data("traditions.yaml").items()
    }


@cache
def _tradition_shares() -> Pool:
    specs = read_data("traditions.yaml")
    return Pool(tuple(specs), tuple(accumulate(spec["share"] for spec in specs.values())))


def draw_tradition(rng: Random) -> Tradition:
    """Return the tradition of a family."""
    return traditions()[_tradition_shares().draw(rng)]


def feminine(surname: str) -> str:
    """Return the form of a Polish surname that women bear."""
    for ending, form in DAUGHTER.items():
        if surname.endswith(ending):
            return surname.removesuffix(ending) + form
    return surname


def lithuanian(surname: str, married: bool) -> str:
    """Return the form of a Lithuanian surname that a daughter or a wife bears."""
    stem = surname[:-2] if surname[-2:] in ("as", "is", "us", "ys") else surname
    if married:
        return f"{stem}ienė"
    return f"{stem}{'aitė' if surname.endswith('as') else 'ytė' if surname[-2:] in ('is', 'ys') else 'utė'}"


def _middle(rng: Random, pool: Pool, given: str) -> str:
    middle = pool.draw(rng) if rng.random() < rates("family")["middle_name"] else ""
    return "" if middle == given else middle


def _pakistani(rng: Random, _: Tradition, sex: str, name: Name, father: Name | None) -> Name:
    if sex == "F":
        surname = rng.choice(["Bibi", "Begum", "Khatoon"]) if rng.random() < 0.2 else name.surname
        return Name(name.given, "", surname)
    surname = father.given if father and rng.random() < 0.15 else name.surname
    if rng.random() < 0.3 and name.given != "Muhammad":
        return Name("Muhammad", name.given, surname)
    return Name(name.given, "", surname)


def _bangladeshi(rng: Random, _: Tradition, sex: str, name: Name, __: Name | None) -> Name:
    women, men = (
        ("Begum", "Begum", "Khatun", "Akter", "Bibi", "Khanom"),
        ("Miah", "Uddin", "Ali", "Ahmed"),
    )
    last = rng.choice(women if sex == "F" else men) if rng.random() < 0.7 else name.surname
    return Name(name.given, "", last)


def _sikh(rng: Random, _: Tradition, sex: str, name: Name, __: Name | None) -> Name:
    word = "Kaur" if sex == "F" else "Singh"
    alone = name.surname in ("Singh", "Kaur") or rng.random() < 0.45
    return Name(name.given, "", word) if alone else Name(name.given, word, name.surname)


def _somali(rng: Random, tradition: Tradition, _: str, name: Name, father: Name | None) -> Name:
    """Own, father's and grandfather's given name; there is no family name."""
    first = father.given if father else tradition.adult["M"].draw(rng)
    second = (father.middle if father else "") or tradition.adult["M"].draw(rng)
    return Name(name.given, first, second)


def _arabic(_: Random, __: Tradition, ___: str, name: Name, father: Name | None) -> Name:
    return replace(name, middle=father.given if father else "")


def _no_middle_name(_: Random, __: Tradition, ___: str, name: Name, ____: Name | None) -> Name:
    return replace(name, middle="")


def _polish(_: Random, __: Tradition, sex: str, name: Name, ___: Name | None) -> Name:
    return replace(name, surname=feminine(name.surname)) if sex == "F" else name


RULES: Mapping[str, Callable[[Random, Tradition, str, Name, Name | None], Name]] = {
    "western": lambda _, __, ___, name, ____: name,
    "portuguese": lambda _, __, ___, name, ____: name,
    "lithuanian": lambda _, __, ___, name, ____: name,
    "pakistani": _pakistani,
    "bangladeshi": _bangladeshi,
    "sikh": _sikh,
    "somali": _somali,
    "arabic": _arabic,
    "chinese": _no_middle_name,
    "polish": _polish,
}


def adult_name(rng: Random, tradition: Tradition, sex: str) -> Name:
    """Return the name of a grown-up before any marriage."""
    pool = tradition.adult[sex]
    given = pool.draw(rng)
    surname = tradition.surnames.draw(rng)
    if tradition.rule == "portuguese":
        surname = f"{tradition.surnames.draw(rng)} {surname}"
    if tradition.rule == "lithuanian" and sex == "F":
        surname = lithuanian(surname, married=False)
    name = Name(given, _middle(rng, pool, given), surname)
    return RULES[tradition.rule](rng, tradition, sex, name, None)


def child_name(
    rng: Random, tradition: Tradition, sex: str, mother: Name, father: Name | None, stem: str
) -> Name:
    """Return a child's name from its parents' names; `stem` is the surname that the family hands on."""
    pool = tradition.child[sex]
    surname = stem
    if tradition.rule == "portuguese":
        surname = f"{mother.surname.split()[-1]} {stem.rsplit(maxsplit=1)[-1]}"
    elif tradition.rule == "lithuanian" and sex == "F":
        surname = lithuanian(stem, married=False)
    given = pool.draw(rng)
    name = Name(given, _middle(rng, pool, given), surname)
    return RULES[tradition.rule](rng, tradition, sex, name, father)


def alike(rng: Random, tradition: Tradition, sex: str, given: str) -> str:
    """Return another given name that begins as `given` does, for twins; any other when there is none."""
    pool = [n for n in tradition.child[sex].values if n != given]
    same = [n for n in pool if n[:1] == given[:1]]
    return rng.choice(same or pool)


@cache
def _variants() -> dict[str, dict[str, tuple[str, ...]]]:
    """kind -> name in lower case -> other names of its group."""
    groups: dict[tuple[str, str], list[str]] = {}
    text = (resources.files(__package__) / "data" / "name_variants.csv").read_text("utf-8")
    for row in csv.DictReader(text.splitlines()):
        groups.setdefault((row["kind"], row["group"]), []).append(row["name"])
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for (kind, _), members in groups.items():
        for name in members:
            others = tuple(m for m in members if m != name)
            known = found.setdefault(kind, {})
            known[name.lower()] = known.get(name.lower(), ()) + others
    return found


def variants(kind: str, name: str) -> tuple[str, ...]:
    """Return other forms of a name: kind transliteration, nickname or spelling."""
    return _variants().get(kind, {}).get(name.lower(), ())
