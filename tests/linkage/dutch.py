"""Made-up Dutch hospital records with the truth: another country, other columns, other faults.

Families of two to five at one address seen by two hospitals. Surnames with prefixes ("van der"), married
women with two surnames in either order, several given names and a call name, dates as text with
unknown day and month written 00, a citizen service number that one record in three has, sometimes
with a digit wrong. Everything follows from the seed; all people are invented.
"""

from __future__ import annotations

import random
from typing import Any

import pyarrow as pa
from faker.providers.person.nl_NL import Provider

_GIVEN = {"M": list(Provider.first_names_male), "V": list(Provider.first_names_female)}
_SURNAMES = list(Provider.last_names)
COLUMNS = ["dossier", "ziekenhuis", "voornamen", "roepnaam", "achternaam", "geboortedatum", "geslacht",
           "postcode", "huisnummer", "telefoon", "bsn", "persoon", "rol"]  # fmt: skip


def _bsn(rng: random.Random) -> str:
    """Nine digits that pass the eleven test (Dutch government, BSN logical design)."""
    while True:
        digits = [9, *(rng.randrange(10) for _ in range(7))]
        last = sum(d * w for d, w in zip(digits, range(9, 1, -1), strict=True)) % 11
        if last < 10:
            return "".join(map(str, [*digits, last]))


def _family(rng: random.Random, number: int) -> list[dict[str, Any]]:
    surname, maiden = rng.choice(_SURNAMES), rng.choice(_SURNAMES)
    home = {
        "postcode": f"{rng.randrange(1000, 9999)} {rng.choice('ABCDEFGHJ')}{rng.choice('ABCDEFGHJ')}",
        "huisnummer": str(rng.randrange(1, 200)),
        "telefoon": f"06-{rng.randrange(10**7, 10**8)}",
    }
    people = []
    for place in range(rng.choice([2, 3, 4, 4, 5])):
        role = "ouder" if place < 2 else "kind"
        sex = "MV"[place] if place < 2 else rng.choice("MV")
        born = rng.randrange(1970, 1990) if place < 2 else rng.randrange(2005, 2022)
        given = rng.sample(_GIVEN[sex], 1 + (rng.random() < 0.6))
        person = {
            "voornamen": " ".join(given), "roepnaam": given[0][: rng.choice([3, 4, 20])],
            "achternaam": f"{maiden}-{surname}" if place == 1 and rng.random() < 0.5 else surname,
            "day": rng.randrange(1, 29), "month": rng.randrange(1, 13), "year": born,
            "geslacht": sex, "bsn": _bsn(rng), "persoon": f"p{number}.{place}", "rol": role,
        }  # fmt: skip
        if place == 3 and rng.random() < 0.15:  # twins share everything but their names
            person |= {k: people[2][k] for k in ("day", "month", "year")} | {"rol": "tweeling"}
            people[2]["rol"] = "tweeling"
        people.append(home | person)
    return people


def _mistyped(rng: random.Random, name: str) -> str:
    at = rng.randrange(1, len(name)) if len(name) > 1 else 0
    return name[:at] + rng.choice("aeinst") + name[at + 1 :]


def _date(rng: random.Random, person: dict[str, Any]) -> str:
    """Day, month, year; unknown parts are 00, parts are exchanged, the day is a slip off."""
    day, month = person["day"], person["month"]
    chance = rng.random()
    if chance < 0.06:
        day, month = 0, 0
    elif chance < 0.08 and day <= 12:
        day, month = month, day
    elif chance < 0.11:
        day = day % 28 + 1
    return f"{day:02d}-{month:02d}-{person['year']}"


def _number(rng: random.Random, bsn: str) -> str | None:
    """Known for a third; one digit wrong in one of twenty."""
    if rng.random() >= 0.35:
        return None
    place = rng.randrange(9)
    wrong = str((int(bsn[place]) + 1) % 10)
    return bsn[:place] + wrong + bsn[place + 1 :] if rng.random() < 0.05 else bsn


def _surname(rng: random.Random, name: str, hospital: str) -> str:
    """Two surnames in either order; one hospital writes capitals and shortens prefixes."""
    if "-" in name and rng.random() < 0.5:
        name = "-".join(reversed(name.split("-")))
    if hospital == "Zuid":
        name = name.upper().replace("VAN DER", "v.d.")
    return _mistyped(rng, name) if rng.random() < 0.08 else name


def _given(rng: random.Random, names: str) -> str:
    names = names.split(maxsplit=1)[0] if rng.random() < 0.4 else names
    return _mistyped(rng, names) if rng.random() < 0.06 else names


def _seen(rng: random.Random, person: dict[str, Any], hospital: str) -> dict[str, Any]:
    """One hospital's record of a person, with that hospital's habits and faults."""
    row = person | {
        "ziekenhuis": hospital,
        "geboortedatum": _date(rng, person),
        "bsn": _number(rng, person["bsn"]),
        "achternaam": _surname(rng, person["achternaam"], hospital),
        "voornamen": _given(rng, person["voornamen"]),
    }
    row |= {
        name: None for name, share in (("telefoon", 0.3), ("roepnaam", 0.2)) if rng.random() < share
    }
    if rng.random() < 0.15:  # moved
        row |= {"postcode": f"{rng.randrange(1000, 9999)} ZZ", "huisnummer": "1", "telefoon": None}
    if hospital == "Zuid":
        row["postcode"] = row["postcode"].replace(" ", "").lower()
    return row


def records(families: int, seed: int = 1) -> pa.Table:
    """Records with columns ``COLUMNS``; ``persoon`` and ``rol`` are the truth."""
    rng = random.Random(seed)
    rows: list[dict[str, Any]] = []
    for number in range(families):
        for person in _family(rng, number):
            for hospital in ("Noord", "Zuid"):
                for _ in range(rng.choice([0, 1, 1, 1, 2])):
                    rows.append(_seen(rng, person, hospital) | {"dossier": f"{len(rows):06d}"})
    rng.shuffle(rows)
    return pa.table({c: pa.array([r[c] for r in rows], pa.string()) for c in COLUMNS})
