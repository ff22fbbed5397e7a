"""How an agency's record of a person differs from the person. Errors go together: each family
has one origin in each feed (made in a hurry or not, all in capitals or not, heard of the move
or not, of the new surname or not), shared by its members' records; single slips are then drawn
for each record at the feed's own rate. The operators applied are kept for truth."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from ffp_data.synthetic.names import variants
from ffp_data.synthetic.people import Family, Member, Person, years_before
from ffp_data.synthetic.places import Address
from ffp_data.synthetic.rates import rates

KEYBOARD = {
    "a": "s", "b": "v", "c": "x", "d": "f", "e": "r", "f": "g", "g": "h", "h": "j", "i": "o", "j": "k",
    "k": "l", "l": "k", "m": "n",
    "n": "m", "o": "p", "p": "o", "q": "w", "r": "t", "s": "d", "t": "y", "u": "i", "v": "b", "w": "e",
    "x": "z", "y": "u", "z": "x",
}  # fmt: skip
STREET_KINDS = {"Road": "Rd", "Street": "St", "Avenue": "Ave", "Lane": "Ln"}
PHONETIC = (
    ("ph", "f"),
    ("ck", "k"),
    ("ee", "ea"),
    ("ie", "y"),
    ("ll", "l"),
    ("ss", "s"),
    ("th", "t"),
    ("ou", "u"),
    ("ei", "ie"),
    ("tt", "t"),
)
NEWBORN_DAYS, FORGOTTEN_DAYS = (
    60,
    730,
)  # a holding name kept for more than two years would be noticed
REORDERED = frozenset(
    {"chinese", "somali", "arabic", "pakistani", "bangladeshi", "yoruba", "ghanaian", "sikh"}
)
PLAIN_LETTERS = str.maketrans("łŁıøØđĐɔƆɛƐŋŊ", "lLioOdDoOeEnN")


@dataclass(frozen=True, slots=True)
class Origin:
    """How a family came into a feed. seen_on: the day whose address and surname its records carry."""

    feed: str
    factor: float
    hurried: bool
    upper_case: bool
    address_on: date
    name_on: date


@dataclass(slots=True)
class Sighting:
    """What one record says about a person. `birth` None when the feed does not know it."""

    given: str
    middle: str
    surname: str
    birth: date | None
    sex: str
    address: Address
    address_line: str
    postcode: str
    uprn: str
    nhs: str
    upn: str
    phone: str
    other_surname: str = ""
    birth_order: int | None = None
    operators: list[str] = field(default_factory=list)


def origin(rng: Random, feed: str, moved_on: date | None, as_at: date) -> Origin:
    """Draw the origin of a family's records in a feed."""
    chance = rates("record")
    hurried = rng.random() < chance["hurried_origin"]
    stale_move = moved_on is not None and rng.random() < chance["move_not_recorded"]
    stale_name = rng.random() < chance["name_change_not_recorded"]
    before_move = moved_on - timedelta(days=1) if moved_on else as_at
    return Origin(
        feed,
        rates("feed_factor")[feed] * (chance["hurried_factor"] if hurried else 1.0),
        hurried,
        feed != "education_attendance" and rng.random() < chance["upper_case"],
        before_move if stale_move else as_at,
        years_before(as_at, 4) if stale_name else as_at,
    )


def plain(text: str) -> str:
    """Return the text without accents."""
    return "".join(
        c
        for c in unicodedata.normalize("NFKD", text.translate(PLAIN_LETTERS))
        if not unicodedata.combining(c)
    )


def typo(rng: Random, text: str) -> str:
    """Return the text with one slip, not in its first letter: one dropped, doubled, swapped or struck beside."""
    if len(text) < 4:
        return text
    at = rng.randrange(1, len(text) - 1)
    match rng.randrange(4):
        case 0:
            return text[:at] + text[at + 1 :]
        case 1:
            return text[:at] + text[at] + text[at:]
        case 2:
            return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
        case _:
            return text[:at] + KEYBOARD.get(text[at].lower(), "e") + text[at + 1 :]


def phonetic(rng: Random, text: str) -> str:
    """Return the text with one sound written another way, when it has one."""
    found = [(a, b) for a, b in PHONETIC if a in text]
    if not found:
        return text
    old, new = rng.choice(found)
    return text.replace(old, new, 1)


def part_variant(rng: Random, text: str) -> str:
    """Return the text with one of its words in another transliteration."""
    words = text.split(" ")
    known = [i for i, word in enumerate(words) if variants("transliteration", word)]
    if not known:
        return text
    at = rng.choice(known)
    words[at] = rng.choice(variants("transliteration", words[at]))
    return " ".join(words)


@dataclass
class Recorder:
    """Applies operators to one sighting: `odds(name)` is the rate times the origin's factor, at most one half."""

    rng: Random
    source: Origin
    sighting: Sighting

    def hit(self, name: str, fixed: bool = False) -> bool:
        """True when operator `name` strikes; `fixed`: a habit that hurry does not make likelier."""
        rate = rates("record")[name]
        return self.rng.random() < (rate if fixed else min(0.5, rate * self.source.factor))

    def change(self, operator: str, attribute: str, make: Callable[[str], str]) -> None:
        """Set an attribute to make(old), and remember the operator when that changed it."""
        old = getattr(self.sighting, attribute)
        new = make(old)
        if new != old:
            setattr(self.sighting, attribute, new)
            self.sighting.operators.append(operator)


def see(rng: Random, source: Origin, member: Member, relatives: Sequence[Person] = ()) -> Sighting:
    """Return the record that a feed holds of a member of a family.

    `relatives`: other children of the family, whose birth date or number may be copied by mistake.
    """
    person = member.person
    name = person.name_on(source.name_on)
    address = member.address_on(source.address_on)
    seen = Sighting(
        name.given, name.middle, name.surname, person.birth, person.sex, address, address.line,
        address.postcode,
        address.uprn, "" if person.unborn else person.nhs, person.upn, person.phone,
        birth_order=person.birth_order,
    )  # fmt: skip
    if name != person.name:
        seen.operators.append("former_surname")
    if address != member.home:
        seen.operators.append("former_address")
    recorder = Recorder(rng, source, seen)
    _given_name(recorder, person)
    _surname(recorder)
    _whole_name(recorder, person)
    _birth_date(recorder, relatives)
    _address(recorder)
    return seen


def _given_name(r: Recorder, person: Person) -> None:
    if r.hit("transliteration"):
        r.change("transliteration", "given", lambda v: part_variant(r.rng, v))
    if r.hit("nickname"):
        r.change(
            "nickname",
            "given",
            lambda v: r.rng.choice(variants("nickname", v) or variants("spelling", v) or (v,)),
        )
    if person.preferred and r.rng.random() < 0.15:
        r.change("preferred_name", "given", lambda _: person.preferred)
    if r.hit("no_middle_name", fixed=True):
        r.change("no_middle_name", "middle", lambda _: "")
    if r.hit("typo"):
        r.change("typo_given", "given", lambda v: typo(r.rng, v))
    if r.hit("typo"):
        r.change("phonetic_given", "given", lambda v: phonetic(r.rng, v))


def _surname(r: Recorder) -> None:
    text = r.sighting.surname
    if "'" in text and r.hit("apostrophe", fixed=True):
        r.change(
            "apostrophe", "surname", lambda v: v.replace("'", r.rng.choice(["’", "`", "", " "]))
        )
    if "-" in text and r.hit("hyphen", fixed=True):
        r.change("hyphen", "surname", lambda v: v.replace("-", " "))
    if text[:2] == "Mc" and text[2:3].isupper() and r.hit("prefix_space", fixed=True):
        r.change("prefix_space", "surname", lambda v: f"Mc {v[2:]}")
    if (" " in text or "-" in text) and r.hit("part_of_double_surname", fixed=True):
        r.change(
            "part_of_double_surname", "surname", lambda v: r.rng.choice(v.replace("-", " ").split())
        )
    if r.hit("transliteration"):
        r.change("transliteration_surname", "surname", lambda v: part_variant(r.rng, v))
    if r.hit("typo"):
        r.change("typo_surname", "surname", lambda v: typo(r.rng, v))


def _whole_name(r: Recorder, person: Person) -> None:
    s = r.sighting
    if r.hit("swap_names_other_tradition" if person.tradition in REORDERED else "swap_names"):
        s.given, s.surname = s.surname, s.given
        s.operators.append("swap_given_family")
    if r.hit("accent_lost", fixed=True):
        for attribute in ("given", "middle", "surname"):
            r.change("accent_lost", attribute, plain)
    if r.source.upper_case:
        r.change("upper_case", "surname", str.upper)


def _birth_date(r: Recorder, relatives: Sequence[Person]) -> None:
    birth = r.sighting.birth
    if birth is None:
        return
    if birth.day <= 12 and birth.day != birth.month and r.hit("day_month_swap"):
        r.sighting.birth = birth.replace(month=birth.day, day=birth.month)
        r.sighting.operators.append("day_month_swap")
    elif r.hit("birth_date_digit"):
        r.sighting.birth = _one_digit(r.rng, birth)
        r.sighting.operators.append("birth_date_digit")
    elif relatives and r.hit("birth_date_of_sibling"):
        r.sighting.birth = r.rng.choice(relatives).birth
        r.sighting.operators.append("birth_date_of_sibling")


def _one_digit(rng: Random, birth: date) -> date:
    match rng.randrange(3):
        case 0:
            return birth.replace(day=birth.day + 1 if birth.day < 28 else 27)
        case 1:
            return birth.replace(day=min(birth.day, 28), month=birth.month % 12 + 1)
        case _:
            return years_before(birth, rng.choice((1, 2, 10)))


def _address(r: Recorder) -> None:
    s = r.sighting
    if r.hit("postcode_missing"):
        r.change("postcode_missing", "postcode", lambda _: "")
    elif r.hit("postcode_letter_digit"):
        r.change(
            "postcode_letter_digit", "postcode", lambda v: v.replace("0", "O").replace("1", "I")
        )
    elif r.hit("postcode_partial"):
        r.change("postcode_partial", "postcode", lambda v: v.split(" ")[0])
    if r.hit("address_layout", fixed=True):
        r.change("address_layout", "address_line", lambda _: _other_layout(r.rng, s.address))
    if r.hit("phone_missing", fixed=True):
        s.phone = ""


def _short(street: str) -> str:
    name, _, kind = street.rpartition(" ")
    return f"{name} {STREET_KINDS.get(kind, kind)}"


def _other_layout(rng: Random, address: Address) -> str:
    forms = [
        f"{address.house}, {address.street}, {address.town}",
        f"{address.house} {_short(address.street)}",
        f"{address.house} {address.street}".upper(),
    ]
    return rng.choice(forms)


def holding_name(rng: Random, as_at: date, family: Family, person: Person, seen: Sighting) -> None:
    """Give a baby's health record the name it had before registration: Baby or Twin 2, and the mother's surname."""
    chance, days = rates("health"), (as_at - person.birth).days
    share = chance["holding_name"] if days < NEWBORN_DAYS else chance["holding_name_kept"]
    if not person.is_child or days > FORGOTTEN_DAYS or rng.random() >= share:
        return
    mother = next(
        (m.person for m in family.members if m.person.person_id == person.mother_id), person
    )
    seen.given = f"Twin {person.birth_order}" if person.birth_order else "Baby"
    seen.middle, seen.surname = "", mother.name.surname
    seen.operators.append("holding_name")
