"""Invented families seen by several agencies, with the truth, to test and time linkage.

Households first: adults, children, now and then twins, a son named after his father, an unborn
child. Each agency then records some of them with its own identifiers and its own faults: nicknames,
other spellings, former surnames, old or missing postcodes, swapped or mistyped dates, a holding name
for a newborn, a sibling's NHS number. Rates are chosen to be demanding, not measured. Columns are
those that a person model reads; all people are invented and NHS numbers begin with 9. For tests; the
benchmark's children, at any size and with sourced rates, are those of ``partnership``.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import pyarrow as pa
from faker.providers.person.en_GB import Provider as British
from faker.providers.person.en_IN import Provider as Indian
from faker.providers.person.en_PK import Provider as Pakistani
from faker.providers.person.pl_PL import Provider as Polish

AS_AT = dt.date(2026, 3, 31)
SPELLINGS = [
    ["Muhammad", "Mohammed", "Mohammad", "Muhammed", "Mohamed"],
    ["Aisha", "Ayesha", "Aysha", "Aishah"],
    ["Yusuf", "Yousef", "Youssef"],
    ["Fatima", "Fatimah", "Fathima"],
]
NICKNAMES = {
    "Thomas": "Tom", "Elizabeth": "Beth", "William": "Bill", "Joshua": "Josh", "Samuel": "Sam",
    "Katherine": "Kate", "Benjamin": "Ben", "Daniel": "Danny", "Victoria": "Vicky", "James": "Jim",
    "Rebecca": "Becky", "Jennifer": "Jenny", "Matthew": "Matt", "Nicola": "Nicky", "Robert": "Bob",
}  # fmt: skip
TRADITIONS: dict[str, tuple[Any, float]] = {
    "british": (British, 0.72),
    "pakistani": (Pakistani, 0.14),
    "indian": (Indian, 0.08),
    "polish": (Polish, 0.06),
}
COLUMNS = [
    "record_key", "feed", "system", "source_person_id", "role", "given_name", "middle_names",
    "surname", "other_surname", "other_given_name", "date_of_birth", "expected_birth_date",
    "sex", "address_line", "postcode", "uprn", "nhs_number", "nhs_number_status", "upn",
    "former_upn", "pnc_id", "crn", "prison_number", "phone", "email", "birth_order",
    "is_restricted", "valid_from", "delivery_id", "line",
]  # fmt: skip
DATES = ("date_of_birth", "expected_birth_date", "valid_from")


@dataclass(frozen=True)
class Person:
    """One invented person."""

    person_id: int
    household: int
    tradition: str
    kind: str  # adult, child, twin, unborn
    given: str
    middle: str | None
    surname: str
    sex: str
    born: dt.date
    nhs: str
    birth_order: int | None
    address: str
    postcode: str
    phone: str


def _list(provider: Any, *names: str) -> list[str]:
    for name in names:
        values = getattr(provider, name, None)
        if values:
            return [v for v in values if v.isascii() or provider is Polish]
    raise ValueError(f"no such list: {names}")


NAMES = {
    key: (
        _list(p, "first_names_male", "first_names"),
        _list(p, "first_names_female", "first_names"),
        _list(p, "unisex_last_names", "last_names"),
    )
    for key, (p, _) in TRADITIONS.items()
}


class Town:
    """Makes households one after the other; everything follows from the seed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.people: list[Person] = []
        self.households = 0

    def _given(self, tradition: str, sex: str) -> str:
        male, female, _ = NAMES[tradition]
        if tradition == "pakistani" and self.rng.random() < 0.3:
            return SPELLINGS[0 if sex == "M" else 1][0]
        names = male if sex == "M" else female
        # Names are far from equally common: an index that favours the first of the list.
        return names[int(len(names) * self.rng.random() ** 2)]

    def _nhs(self) -> str:
        while True:
            digits = [9, *(self.rng.randrange(10) for _ in range(8))]
            check = (11 - sum(d * (10 - i) for i, d in enumerate(digits)) % 11) % 11
            if check < 10:
                return "".join(map(str, digits)) + str(check)

    def _born(self, youngest: int, oldest: int) -> dt.date:
        return AS_AT - dt.timedelta(days=self.rng.randrange(youngest * 365, oldest * 365))

    def household(self) -> None:
        """Add one household."""
        rng, number = self.rng, self.households
        self.households += 1
        tradition = rng.choices(list(TRADITIONS), [w for _, w in TRADITIONS.values()])[0]
        surnames = NAMES[tradition][2]
        surname = surnames[int(len(surnames) * rng.random() ** 2)]
        postcode = f"XF{rng.randrange(1, 30)} {rng.randrange(1, 10)}{rng.choice('ABDEFGHJ')}{rng.choice('ABDEFGHJLN')}"
        home = {
            "household": number, "tradition": tradition, "surname": surname, "postcode": postcode,
            "address": f"{rng.randrange(1, 90)} {rng.choice(['Mill', 'Church', 'Station', 'Fen'])} Lane",
            "phone": f"07700 900{rng.randrange(1000):03d}",
        }  # fmt: skip
        adults = [self._add(home, "adult", sex) for sex in ("F", "M")[: rng.choice([1, 2, 2])]]
        for _ in range(rng.choices([1, 2, 3, 4], [35, 40, 18, 7])[0]):
            if rng.random() < 0.03:
                twin = self._add(home, "twin", rng.choice("MF"), order=1)
                # A quarter of twins have names alike, as parents choose them.
                alike = self._alike(twin) if rng.random() < 0.25 else None
                sex = twin.sex if alike else rng.choice("MF")
                self._add(home, "twin", sex, given=alike, born=twin.born, order=2)
            elif rng.random() < 0.03 and len(adults) == 2:
                self._add(home, "child", "M", given=adults[1].given)
            else:
                self._add(home, "child", rng.choice("MF"))
        if rng.random() < 0.02:
            self._add(home, "unborn", "F", born=AS_AT + dt.timedelta(days=rng.randrange(200)))

    def _alike(self, twin: Person) -> str | None:
        """The most similar other name of the tradition."""
        names = NAMES[twin.tradition][0 if twin.sex == "M" else 1]
        others = (n for n in names if n.lower() != twin.given.lower())
        return max(others, key=lambda n: SequenceMatcher(None, n, twin.given).ratio(), default=None)

    def _add(
        self,
        home: dict[str, Any],
        kind: str,
        sex: str,
        given: str | None = None,
        born: dt.date | None = None,
        order: int | None = None,
    ) -> Person:
        taken = {p.given for p in self.people[-9:] if p.household == home["household"]}
        name = given or self._given(home["tradition"], sex)
        while given is None and name in taken:
            name = self._given(home["tradition"], sex)
        person = Person(
            person_id=len(self.people), kind=kind, given=name, sex=sex, birth_order=order,
            middle=self._given(home["tradition"], sex) if self.rng.random() < 0.5 else None,
            born=born or (self._born(20, 48) if kind == "adult" else self._born(0, 18)),
            nhs=self._nhs(), **home,
        )  # fmt: skip
        self.people.append(person)
        return person


# feed: (share of children, share of adults, who knows the NHS number, how careless)
FEEDS = {
    "education_attendance": (0.85, 0.0, 0.0, 0.5),
    "health_fhir": (0.95, 0.6, 0.97, 0.7),
    "case_system": (0.35, 0.3, 0.55, 1.0),
    "police_safeguarding": (0.20, 0.25, 0.0, 2.0),
    "probation": (0.0, 0.10, 0.0, 1.2),
    "early_help": (0.20, 0.15, 0.25, 1.2),
}


class Recorder:
    """Writes each person as the agencies know them."""

    def __init__(self, town: Town, seed: int) -> None:
        self.rng, self.town = random.Random(seed), town
        self.rows: list[dict[str, Any]] = []
        self.truth: list[tuple[str, str, str, str]] = []
        self.moves: dict[tuple[int, str], tuple[str, str]] = {}
        self.by_household: dict[int, list[Person]] = {}
        for person in town.people:
            self.by_household.setdefault(person.household, []).append(person)

    def run(self) -> None:
        """Record everyone in every feed that knows them."""
        for person in self.town.people:
            for feed, (children, adults, _, _) in FEEDS.items():
                known = adults if person.kind == "adult" else children
                if person.kind == "unborn":
                    known = 0.8 if feed in ("case_system", "health_fhir") else 0.0
                if self.rng.random() < known:
                    self._record(person, feed)
                    if self.rng.random() < 0.02:
                        self._record(person, feed)

    def _chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def _record(self, person: Person, feed: str) -> None:
        _, _, knows_nhs, careless = FEEDS[feed]
        number = f"{len(self.rows):07d}"
        row: dict[str, Any] = dict.fromkeys(COLUMNS)
        row |= {
            "record_key": f"{feed}|x|{number}", "feed": feed, "system": "x",
            "source_person_id": number, "role": "adult" if person.kind == "adult" else "child",
            "given_name": person.given, "surname": person.surname, "sex": person.sex,
            "date_of_birth": person.born, "is_restricted": False, "line": len(self.rows),
            "middle_names": person.middle if self._chance(0.6) else None,
            "birth_order": person.birth_order if self._chance(0.5) else None,
            "nhs_number": person.nhs if self._chance(knows_nhs) else None,
            "phone": person.phone if self._chance(0.4) else None,
        }  # fmt: skip
        if feed == "police_safeguarding":
            row["role"] = "unknown"
        if feed in ("education_attendance", "case_system") and person.kind != "adult":
            row["upn"] = f"A001{person.person_id:09d}" if self._chance(0.9) else None
        if person.kind == "adult" and feed in ("police_safeguarding", "probation"):
            row["pnc_id"] = f"1/{person.person_id}" if self._chance(0.6) else None
        self._place(row, person, feed, careless)
        self._faults(row, person, careless)
        self._birth(row, person, feed)
        self.rows.append(row)
        truth_id = f"p{person.person_id}"
        self.truth.append((row["record_key"], truth_id, person.kind, person.tradition))

    def _place(self, row: dict[str, Any], person: Person, feed: str, careless: float) -> None:
        """A family that moved is at its old address in the same feeds, all members together."""
        key = (person.household, feed)
        if key not in self.moves:
            other = f"XG{self.rng.randrange(1, 30)} 1AA", f"{self.rng.randrange(90)} Old Road"
            here = person.postcode, person.address
            self.moves[key] = other if self._chance(0.10 * careless) else here
        row["postcode"], row["address_line"] = self.moves[key]
        if self._chance(0.04 * careless):
            row["postcode"] = None

    def _faults(self, row: dict[str, Any], person: Person, careless: float) -> None:
        self._given_fault(row, person, careless)
        self._surname_fault(row, person, careless)
        self._date_fault(row, person, careless)
        if row["nhs_number"] and self._chance(0.003):
            row["nhs_number"] = self.rng.choice(self.by_household[person.household]).nhs

    def _given_fault(self, row: dict[str, Any], person: Person, careless: float) -> None:
        spellings = next((s for s in SPELLINGS if person.given in s), None)
        if spellings and self._chance(0.35):
            row["given_name"] = self.rng.choice(spellings)
        elif person.given in NICKNAMES and self._chance(0.12 * careless):
            row["given_name"] = NICKNAMES[person.given]
        elif self._chance(0.03 * careless):
            row["given_name"] = self._mistype(person.given)

    def _surname_fault(self, row: dict[str, Any], person: Person, careless: float) -> None:
        if self._chance(0.02 * careless):
            row["surname"] = self._mistype(person.surname)
        elif self._chance(0.02 * careless):
            row["surname"] = self.rng.choice(NAMES[person.tradition][2])
            row["other_surname"] = person.surname if self._chance(0.5) else None
        if self._chance(0.004 * careless):
            row["given_name"], row["surname"] = row["surname"], row["given_name"]

    def _date_fault(self, row: dict[str, Any], person: Person, careless: float) -> None:
        born = person.born
        if self._chance(0.015 * careless) and born.day <= 12:
            row["date_of_birth"] = born.replace(month=born.day, day=born.month)
        elif self._chance(0.015 * careless):
            row["date_of_birth"] = born + dt.timedelta(days=self.rng.choice([-1, 1, 365, -365]))
        elif self._chance(0.02 * careless):
            row["date_of_birth"] = None

    def _birth(self, row: dict[str, Any], person: Person, feed: str) -> None:
        """Unborn children have an expected date; a newborn may have a holding name."""
        if person.kind == "unborn":
            row |= {"given_name": "Unborn", "middle_names": None, "sex": None, "nhs_number": None}
            row |= {"date_of_birth": None, "expected_birth_date": person.born, "upn": None}
        elif feed == "health_fhir" and (AS_AT - person.born).days < 200 and self._chance(0.4):
            row["given_name"] = f"Twin {person.birth_order}" if person.birth_order else "Baby"
            row["middle_names"] = None

    def _mistype(self, name: str) -> str:
        at = self.rng.randrange(1, len(name)) if len(name) > 1 else 0
        return name[:at] + self.rng.choice("aeinorst") + name[at + 1 :]


def table(rows: list[dict[str, Any]]) -> pa.Table:
    """Rows as a table of person records; absent columns are null."""
    types = {c: pa.string() for c in COLUMNS}
    types |= {c: pa.date32() for c in DATES}
    types |= {"birth_order": pa.int32(), "is_restricted": pa.bool_(), "line": pa.int32()}
    return pa.table({c: pa.array([row.get(c) for row in rows], types[c]) for c in COLUMNS})


def make(households: int, seed: int = 1) -> tuple[pa.Table, pa.Table]:
    """(person records, truth: record_id, person_id, kind, tradition) of a number of households."""
    town = Town(seed)
    for _ in range(households):
        town.household()
    recorder = Recorder(town, seed + 1)
    recorder.run()
    columns = list(zip(*recorder.truth, strict=True))
    names = ("record_id", "person_id", "kind", "tradition")
    return table(recorder.rows), pa.table(dict(zip(names, map(list, columns), strict=True)))
