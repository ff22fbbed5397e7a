"""What six agencies write down about children: who is known where, and what goes wrong.

Rates of writing errors, of coverage and of duplicates are those of the synthetic partnership
(ffp_data/synthetic/data/rates.yaml, each with its source), the few others are below with theirs.
Faults go together: a family's records in one agency have one origin, which may be hurried (all
errors five times likelier), write surnames in capitals, or not know of a move or a new surname.
The mechanisms and rates are the same for every child; what differs by tradition is only what the
names themselves cause: transliteration where a name has other spellings, order, double surnames.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from benchmarks.linkage.households import AS_AT, FAMILIES, Array, Children, Rng, postcodes, streets
from benchmarks.linkage.names import traditions
from ffp_data.synthetic.names import variants
from ffp_data.synthetic.noise import PHONETIC, REORDERED, STREET_KINDS, plain, typo
from ffp_data.synthetic.numbers import stream
from ffp_data.synthetic.rates import rates


@dataclass(frozen=True)
class Agency:
    """One source. Shares: children known (of ages from-to), repeated, with NHS number, with UPN, with a
    birth date, with 1 January for a birth date; feed: its error factor in rates.yaml."""

    name: str
    feed: str
    known: float
    repeated: float
    ages: tuple[int, int] = (0, 18)
    nhs: float = 0.0
    upn: float = 0.0
    no_birth_date: float = 0.0
    default_date: float = 0.0


@cache
def agencies(doorstep: bool = False) -> tuple[Agency, ...]:
    """The six sources, with rates from rates.yaml where it has them; the others are assumed.

    ``doorstep``: a demanding variant in which every agency writes as carelessly as rates.yaml says of
    police (spoken at a doorstep), lacks as many birth dates, and knows half as many numbers.
    """
    plain = _agencies()
    if not doorstep:
        return plain
    police = plain[-1]
    return tuple(
        replace(
            one, feed=police.feed, nhs=one.nhs / 2, upn=one.upn / 2,
            no_birth_date=police.no_birth_date, default_date=police.default_date,
        )
        for one in plain
    )  # fmt: skip


def _agencies() -> tuple[Agency, ...]:
    school, health = rates("education"), rates("health")
    police, case = rates("police"), rates("case_system")
    return (
        Agency(
            "school", "education_attendance", known=school["state_school"], ages=(4, 18),
            repeated=0.004, upn=0.98,
        ),
        Agency(
            "health", "health_fhir", known=health["community_trust"],
            repeated=health["duplicate_patient"], nhs=1 - health["no_nhs_number"],
        ),
        Agency("hospital", "health_csv", known=health["hospital"], repeated=0.01, nhs=0.97),
        # Known to children's services at any time in six years; DfE: about 3 % in need on one day.
        Agency(
            "social_care", "case_system", known=0.12, repeated=case["duplicate_child"],
            nhs=case["nhs_number_held"], upn=case["upn_held"],
        ),
        Agency("early_help", "early_help", known=0.10, repeated=0.01, nhs=0.5, upn=0.4),
        Agency(
            "police", "police_safeguarding", known=0.08, repeated=police["second_nominal"],
            no_birth_date=police["no_birth_date"], default_date=police["default_birth_date"],
        ),
    )  # fmt: skip


# The rate of other spellings is that of names with listed ones, and was raised there on purpose; for other
# names of traditions that write in another script it is a quarter of it (assumed).
WITHOUT_LISTED_SPELLINGS = 0.25
ROMANISED = frozenset({"pakistani", "bangladeshi", "indian", "sikh", "somali", "arabic", "chinese"})
ROMANISATIONS = (
    ("ee", "i"), ("i", "ee"), ("oo", "u"), ("u", "oo"), ("ou", "u"), ("aa", "a"), ("kh", "k"), ("q", "k"),
    ("gh", "g"), ("dh", "d"), ("th", "t"), ("sh", "s"), ("z", "s"), ("y", "i"), ("w", "v"), ("v", "w"),
    ("ai", "ay"), ("ei", "ay"), ("zh", "j"), ("x", "sh"), ("zi", "tsz"), ("c", "k"), ("e", "a"), ("o", "u"),
)  # fmt: skip


@dataclass
class Records:
    """Columns of the records of a district, changed in place; ``child`` and ``agency`` are positions."""

    children: Children
    agencies: tuple[Agency, ...]
    child: Array
    agency: Array
    factor: Array
    given: Array
    middle: Array
    surname: Array
    born: Array
    postcode: Array
    address: Array
    nhs: Array
    upn: Array

    def change(self, chosen: Array, column: str, make: Callable[[str], str]) -> None:
        """Set a text column of the chosen records to make(old)."""
        values = getattr(self, column)
        for i in chosen.tolist():
            values[i] = make(values[i])


def record(rng: Rng, children: Children, kinds: tuple[Agency, ...]) -> Records:
    """All records of a district's children in all agencies."""
    child, agency = _seen(rng, children, kinds)
    hurried, capitals, old_home, old_name = _origins(rng, len(kinds))
    family = children.family[child]
    place, origin = children.families, (family, agency)
    feeds = np.array([rates("feed_factor")[a.feed] for a in kinds])
    factor = feeds[agency] * np.where(hurried[origin], rates("record")["hurried_factor"], 1.0)
    at_old = old_home[origin] & place.moved[family]
    postcode = np.where(at_old, place.old_postcode[family], place.postcode[family])
    house = np.where(at_old, place.old_house[family], place.house[family])
    records = Records(
        children, kinds, child, agency, factor, children.given[child], children.middle[child],
        np.where(old_name[origin], children.old_surname[child], children.surname[child]),
        children.born[child], postcodes(postcode), house.astype("U3").astype(object) + " " + streets(postcode),
        *_identifiers(rng, children, child, agency, kinds),
    )  # fmt: skip
    words = stream(int(rng.integers(0, 2**62)))
    for fault in (_given_faults, _surname_faults, _order_faults, _date_faults, _address_faults):
        fault(rng, words, records)
    _holding_names(rng, records)
    records.change(np.flatnonzero(capitals[origin] & (agency > 0)), "surname", str.upper)
    return records


def _seen(rng: Rng, children: Children, kinds: tuple[Agency, ...]) -> tuple[Array, Array]:
    """Which child is in which agency, some of them twice."""
    age = (AS_AT - children.born).astype(int) // 365
    child, agency = [], []
    for number, one in enumerate(kinds):
        known = (rng.random(len(age)) < one.known) & (age >= one.ages[0]) & (age < one.ages[1])
        once = np.flatnonzero(known)
        both = np.r_[once, once[rng.random(len(once)) < one.repeated]]
        child.append(both)
        agency.append(np.full(len(both), number))
    return np.concatenate(child), np.concatenate(agency)


def _origins(rng: Rng, sources: int) -> list[Array]:
    """Hurried, in capitals, at the old address, under the old surname: by family and agency."""
    chance = rates("record")
    keys = ("hurried_origin", "upper_case", "move_not_recorded", "name_change_not_recorded")
    return [rng.random((FAMILIES, sources)) < chance[key] for key in keys]


def _identifiers(
    rng: Rng, children: Children, child: Array, agency: Array, kinds: tuple[Agency, ...]
) -> tuple[Array, Array]:
    """NHS number and UPN as far as the agency has them; now and then a sibling's or the twin's."""
    nhs, upn = children.nhs[child], children.upn[child]
    wrong = np.where(
        children.kind == "twin",
        rates("health")["twin_number"],
        rates("case_system")["sibling_nhs_number"],
    )
    other = _relative(children)[child]
    struck = (rng.random(len(child)) < wrong[child]) & (other >= 0)
    nhs[struck] = children.nhs[other[struck]]
    struck = (children.kind[child] == "twin") & (
        rng.random(len(child)) < rates("education")["twin_upn"]
    )
    upn[struck] = children.upn[other[struck]]
    young = (AS_AT - children.born[child]).astype(int) < 4 * 365
    nhs[rng.random(len(child)) >= np.array([k.nhs for k in kinds])[agency]] = None
    upn[young | (rng.random(len(child)) >= np.array([k.upn for k in kinds])[agency])] = None
    return nhs, upn


def _relative(children: Children) -> Array:
    """For each child the next of its family (twins: the other twin), or -1."""
    family, count = children.family, len(children.family)
    following = np.r_[family[1:] == family[:-1], False]
    before = np.r_[False, family[1:] == family[:-1]]
    twin = children.kind == "twin"
    second = twin & np.r_[False, twin[:-1]] & before  # the second of two twins: the first one
    here = np.arange(count)
    return np.where(second | (before & ~following), here - 1, np.where(following, here + 1, -1))


def _hit(rng: Rng, records: Records, name: str, fixed: bool = False) -> Array:
    """Records struck by an error; a habit (``fixed``) is not made likelier by hurry."""
    rate = rates("record")[name]
    odds = rate if fixed else np.minimum(0.5, rate * records.factor)
    return np.flatnonzero(rng.random(len(records.child)) < odds)


def _other_spelling(words: Any, text: str, romanised: bool) -> str:
    """One word of the text in another spelling: a known variant, else another romanisation."""
    parts = text.split(" ")
    at = words.randrange(len(parts))
    known = variants("transliteration", parts[at])
    if known:
        parts[at] = words.choice(known)
    elif romanised and words.random() < WITHOUT_LISTED_SPELLINGS:
        fitting = [(a, b) for a, b in ROMANISATIONS if a in parts[at][1:]]
        if fitting:
            old, new = words.choice(fitting)
            parts[at] = parts[at][:1] + parts[at][1:].replace(old, new, 1)
    return " ".join(parts)


def _respell(rng: Rng, words: Any, records: Records, column: str) -> None:
    codes = [t.code in ROMANISED for t in traditions()]
    romanised = np.array(codes)[records.children.tradition_of()[records.child]]
    values = getattr(records, column)
    for i in _hit(rng, records, "transliteration").tolist():
        values[i] = _other_spelling(words, values[i], bool(romanised[i]))


def _sounds(words: Any, text: str) -> str:
    found = [(a, b) for a, b in PHONETIC if a in text]
    old, new = words.choice(found) if found else ("", "")
    return text.replace(old, new, 1) if found else text


def _given_faults(rng: Rng, words: Any, records: Records) -> None:
    _respell(rng, words, records, "given")
    records.change(
        _hit(rng, records, "nickname"), "given",
        lambda v: words.choice(variants("nickname", v) or variants("spelling", v) or (v,)),
    )  # fmt: skip
    records.change(_hit(rng, records, "no_middle_name", fixed=True), "middle", lambda _: "")
    records.change(_hit(rng, records, "typo"), "given", lambda v: typo(words, v))
    records.change(_hit(rng, records, "typo"), "given", lambda v: _sounds(words, v))


def _surname_faults(rng: Rng, words: Any, records: Records) -> None:
    records.change(
        _hit(rng, records, "hyphen", fixed=True), "surname", lambda v: v.replace("-", " ")
    )
    records.change(
        _hit(rng, records, "part_of_double_surname", fixed=True), "surname",
        lambda v: words.choice([p for p in v.replace("-", " ").split() if len(p) > 2] or [v]),
    )  # fmt: skip
    _respell(rng, words, records, "surname")
    records.change(_hit(rng, records, "typo"), "surname", lambda v: typo(words, v))


def _order_faults(rng: Rng, _: Any, records: Records) -> None:
    """Names in the other order, and accents lost."""
    other_order = [t.code in REORDERED for t in traditions()]
    turned = np.array(other_order)[records.children.tradition_of()[records.child]]
    chance = rates("record")
    rate = np.where(turned, chance["swap_names_other_tradition"], chance["swap_names"])
    hit = rng.random(len(turned)) < np.minimum(0.5, rate * records.factor)
    given, surname = records.given.copy(), records.surname.copy()
    records.given[hit], records.surname[hit] = surname[hit], given[hit]
    lost = _hit(rng, records, "accent_lost", fixed=True)
    for column in ("given", "middle", "surname"):
        accented = [i for i in lost.tolist() if not getattr(records, column)[i].isascii()]
        records.change(np.array(accented, dtype=np.int64), column, plain)


def _date_faults(rng: Rng, _: Any, records: Records) -> None:
    born, kinds = records.born, records.agencies
    month = born.astype("datetime64[M]")
    year = born.astype("datetime64[Y]")
    day = (born - month).astype(int) + 1
    swap = _hit(rng, records, "day_month_swap")
    swap = swap[day[swap] <= 12]
    swapped = year[swap] + (day[swap] - 1).astype("timedelta64[M]")
    swapped = swapped.astype("datetime64[D]") + (month[swap] - year[swap]).astype(int)
    digit = _hit(rng, records, "birth_date_digit")
    change = rng.choice([1, -1, 31, -30, 365, -365, 3653, -3652], len(digit))
    sibling = _hit(rng, records, "birth_date_of_sibling")
    other = _relative(records.children)[records.child[sibling]]
    born[sibling[other >= 0]] = records.children.born[other[other >= 0]]
    born[digit] = np.minimum(born[digit] + change, AS_AT)
    born[swap] = swapped
    chance = rng.random(len(born))
    default = chance < np.array([k.default_date for k in kinds])[records.agency]
    born[default] = year[default]
    born[chance > 1 - np.array([k.no_birth_date for k in kinds])[records.agency]] = np.datetime64(
        "NaT"
    )


def _address_faults(rng: Rng, words: Any, records: Records) -> None:
    records.change(
        _hit(rng, records, "address_layout", fixed=True), "address", lambda v: _layout(words, v)
    )
    records.change(
        _hit(rng, records, "postcode_letter_digit"), "postcode",
        lambda v: v.replace("0", "O").replace("1", "I"),
    )  # fmt: skip
    records.change(_hit(rng, records, "postcode_partial"), "postcode", lambda v: v.split(" ")[0])
    records.postcode[_hit(rng, records, "postcode_missing")] = None


def _layout(words: Any, line: str) -> str:
    house, street = line.split(" ", 1)
    name, _, kind = street.rpartition(" ")
    short = f"{house} {name} {STREET_KINDS.get(kind, kind)}"
    return str(words.choice([f"{house}, {street}", short, line.upper()]))


def _holding_names(rng: Rng, records: Records) -> None:
    """A baby's health record keeps the name that it had before registration."""
    chance, age = rates("health"), (AS_AT - records.children.born[records.child]).astype(int)
    share = np.where(
        age < 60, chance["holding_name"], np.where(age < 730, chance["holding_name_kept"], 0)
    )
    struck = (rng.random(len(age)) < share) & np.isin(records.agency, (1, 2))
    records.middle[struck] = ""
    records.given[struck] = "Baby"
    for i in np.flatnonzero(struck & (records.children.kind[records.child] == "twin")).tolist():
        child = records.child[i]
        first = (
            child + 1 < len(records.children.kind) and records.children.kind[child + 1] == "twin"
        )
        records.given[i] = "Twin 1" if first else "Twin 2"
