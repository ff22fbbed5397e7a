"""Addresses and schools of a county that does not exist. Homes are numbered and a number always
gives the same address: neighbouring numbers are neighbours in one street and one postcode, as
real families are, and no two homes share one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from ffp_data.synthetic.numbers import scramble
from ffp_data.synthetic.rates import read_data

HOMES_PER_STREET = 8
UNIT_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"
SECTORS = len(UNIT_LETTERS) ** 2 * 10  # postcodes in one district


@dataclass(frozen=True, slots=True)
class Address:
    """One home; `flat` may be empty. uprn: twelve digits of a block that begins 9990."""

    flat: str
    house: str
    street: str
    town: str
    postcode: str
    uprn: str

    @property
    def line(self) -> str:
        """First line as most agencies write it."""
        return (
            f"{self.flat}, {self.house} {self.street}"
            if self.flat
            else f"{self.house} {self.street}"
        )

    @property
    def outside(self) -> bool:
        """True in Holmeshire, the county next door."""
        return self.postcode.startswith("XG")


@dataclass(frozen=True, slots=True)
class School:
    """A made-up school: six-digit number and phase (primary, secondary, other)."""

    urn: str
    name: str
    phase: str
    town: str
    laestab: str


@cache
def _names(key: str) -> tuple[str, ...]:
    return tuple(read_data("places.yaml")[key])


@cache
def _street(number: int, area: str, first_district: int, districts: int) -> tuple[str, str, str]:
    district, units = divmod(scramble(number, districts * SECTORS, first_district), SECTORS)
    sector, unit = divmod(units, len(UNIT_LETTERS) ** 2)
    postcode = f"{area}{first_district + district} {sector}{UNIT_LETTERS[unit // 20]}{UNIT_LETTERS[unit % 20]}"
    towns = _names("towns") if area == "XF" else _names("outside_towns")
    names, kinds = _names("street_names"), _names("street_kinds")
    kind, name = divmod(scramble(number, 1 << 20, 9), 1 << 14)
    street = f"{names[name % len(names)]} {kinds[kind % len(kinds)]}"
    return street, towns[district % len(towns)], postcode


def _address(number: int, area: str, first_district: int, districts: int, block: int) -> Address:
    street_number, place = divmod(number, HOMES_PER_STREET)
    street, town, postcode = _street(street_number, area, first_district, districts)
    house = str(place * 4 + street_number % 3 + 1)
    flat = f"Flat {place % 6 + 1}" if street_number % 7 == 3 else ""
    return Address(flat, house, street, town, postcode, f"9990{block}{number:07d}")


def home(number: int) -> Address:
    """Return the home of family `number` in Fenmarch (0 to 639,999)."""
    return _address(number, "XF", 1, 20, 1)


def other_home(number: int) -> Address:
    """Return another home in Fenmarch: of a parent who lives elsewhere, an adopter, a foster carer (0 to 2,559,999)."""
    return _address(number, "XF", 21, 70, 2)


def outside_home(number: int) -> Address:
    """Return a home in Holmeshire."""
    return _address(number, "XG", 1, 20, 3)


@cache
def schools() -> tuple[School, ...]:
    """Return all schools; their numbers begin with 99, where no school is registered."""
    rows: list[tuple[str, str, str]] = []
    for town in _names("towns"):
        rows += [(text.format(town=town), "primary", town) for text in _names("primary_schools")]
        rows += [
            (text.format(town=town), "secondary", town) for text in _names("secondary_schools")
        ]
    rows += [(text, "other", _names("towns")[0]) for text in _names("other_schools")]
    return tuple(
        School(
            f"{990101 + n}", name, phase, town, f"999{2000 + n if phase == 'primary' else 4000 + n}"
        )
        for n, (name, phase, town) in enumerate(rows)
    )


@cache
def schools_near(town: str, phase: str) -> tuple[School, ...]:
    """Return the schools of a phase in a town; all of the phase when the town has none."""
    near = tuple(s for s in schools() if s.phase == phase and s.town == town)
    return near or tuple(s for s in schools() if s.phase == phase)
