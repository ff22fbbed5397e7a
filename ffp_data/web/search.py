"""Search as people type it: names in any order, as they sound, former ones; a birth date, an address, an identifier.

Every word must fit. A name that sounds like the word fits less well than one that is written like it, and
stands below. A word that could be two things, such as ten digits, is tried as each.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from ffp_data.serving.view import (
    ADDRESS,
    BORN,
    INDEX,
    JOINED,
    NAME,
    NUMBER,
    POSTCODE,
    SOUND,
    sound_of,
    words_of,
)
from ffp_data.single_view.published import Published

SHOWN = 20
_MOST_WORDS = 8
_DATE = re.compile(r"\b(\d{1,2})[/. -](\d{1,2})[/. -](\d{4})\b|\b(\d{4})-(\d{2})-(\d{2})\b")
_POSTCODE = re.compile(r"\b([A-Z]{1,2}\d[A-Z\d]?)\s*(\d[A-Z]{2})\b")
_SPACED_NUMBER = re.compile(r"\b(\d{3})[ -](\d{3})[ -](\d{4})\b")
_EXACT, _ALIKE = 1.0, 0.5


@dataclass(frozen=True)
class Term:
    """One thing that must fit: the kinds and tokens that would, with how well each fits."""

    tokens: tuple[tuple[str, str, float], ...]


@dataclass(frozen=True)
class Asked:
    """What is searched for, as typed: names, numbers and dates in one field, an address in the other."""

    text: str
    address: str = ""


@dataclass(frozen=True)
class Hit:
    """A child who was found."""

    child: dict[str, Any]
    is_alike: bool


@dataclass(frozen=True)
class Result:
    """The children, best first; `more`: how many are not shown."""

    hits: tuple[Hit, ...]
    more: int


def terms_of(text: str) -> list[Term]:
    """What was typed, as terms; empty for nothing that could be searched for."""
    rest, found = text.upper(), []
    for match in _DATE.finditer(rest):
        if (born := _day(match)) is not None:
            found.append(Term(((BORN, born.isoformat(), _EXACT),)))
            rest = rest.replace(match[0], " ", 1)
    for pattern, kind in ((_POSTCODE, POSTCODE), (_SPACED_NUMBER, NUMBER)):
        for match in pattern.finditer(rest):
            found.append(Term(((kind, "".join(match.groups()), _EXACT),)))
            rest = rest.replace(match[0], " ", 1)
    for word in rest.split():
        if any(letter.isdigit() for letter in word):
            found.append(Term(((NUMBER, re.sub("[^A-Z0-9]", "", word), _EXACT),)))
        else:
            names = words_of(word)
            found += [Term(((NAME, n, _EXACT), (SOUND, sound_of(n), _ALIKE))) for n in names]
    return list(dict.fromkeys(found))[:_MOST_WORDS]


def address_terms(text: str) -> list[Term]:
    """The words of an address, each as it may be written too, and a postcode."""
    rest, found = text.upper(), []
    for match in _POSTCODE.finditer(rest):
        found.append(Term(((POSTCODE, "".join(match.groups()), _EXACT),)))
        rest = rest.replace(match[0], " ", 1)
    for word in re.findall("[A-Z0-9]+", rest):
        also = next((each for each in _SHORT if word in each), (word,))
        found.append(Term(tuple((ADDRESS, each, _EXACT) for each in also)))
    return list(dict.fromkeys(found))[:_MOST_WORDS]


_SHORT = (
    ("ROAD", "RD"), ("STREET", "ST"), ("AVENUE", "AVE", "AV"), ("LANE", "LN"), ("CLOSE", "CL"), ("DRIVE", "DR"),
    ("COURT", "CT"), ("CRESCENT", "CRES"), ("GARDENS", "GDNS"), ("PLACE", "PL"), ("SQUARE", "SQ"), ("TERRACE", "TER"),
    ("APARTMENT", "APT"), ("HOUSE", "HSE"),
)  # fmt: skip
"""Words of addresses that are often written short: our choice, each found as the other."""


def _day(match: re.Match[str]) -> date | None:
    day, month, year, iso_year, iso_month, iso_day = match.groups()
    try:
        return date(int(year or iso_year), int(month or iso_month), int(day or iso_day))
    except ValueError:
        return None


def search(
    view: Published,
    asked: Asked,
    shielded: Collection[str] = (),
    own: Collection[str] | None = None,
) -> Result:
    """The children who fit every term, those written alike first, then by name and age.

    `shielded`: children hidden since the view was made, whom no address may find. `own`: given where search shows
    only these children and those whom two agencies know.
    """
    terms = [*terms_of(asked.text), *address_terms(asked.address)]
    if not terms:
        return Result((), 0)
    wanted = [(number, *token) for number, term in enumerate(terms) for token in term.tokens]
    limits = [sorted(shielded), len(terms), own is None, sorted(own or ())]
    rows = view.rows(_SQL, [*zip(*wanted, strict=True), *limits])
    hidden = view.protected.union(shielded)
    hits = [Hit(_shown(row, hidden), row["fits"] < len(terms)) for row in rows]
    return Result(tuple(hits), rows[0]["found"] - len(hits) if rows else 0)


_SQL = f"""
WITH wanted AS (
    SELECT unnest(?::INTEGER[]) AS term, unnest(?::VARCHAR[]) AS kind, unnest(?::VARCHAR[]) AS token,
           unnest(?::DOUBLE[]) AS fits
), each_term AS (
    SELECT i.child_id, w.term, max(w.fits) AS fits
    FROM {INDEX} AS i JOIN wanted AS w ON i.kind = w.kind AND i.token = w.token
    WHERE NOT (i.kind IN ('{POSTCODE}', '{ADDRESS}') AND list_contains(?::VARCHAR[], i.child_id))
    GROUP BY ALL
), whole AS (
    SELECT child_id, sum(fits) AS fits FROM each_term GROUP BY child_id HAVING count(*) = ?
), may AS (
    SELECT * FROM whole AS w
    WHERE ? OR list_contains(?::VARCHAR[], w.child_id) OR w.child_id IN (SELECT child_id FROM {JOINED})
)
SELECT c.child_id, c.given_name, c.middle_names, c.surname, c.former_surnames, c.date_of_birth,
       c.expected_birth_date, c.age_years, c.sex, c.postcode, c.is_restricted,
       w.fits, count(*) OVER () AS found
FROM may AS w JOIN children AS c USING (child_id)
ORDER BY w.fits DESC, c.surname, c.given_name, c.date_of_birth, c.child_id
LIMIT {SHOWN}
"""


def _shown(row: dict[str, Any], hidden: Collection[str]) -> dict[str, Any]:
    is_hidden = row["is_restricted"] or row["child_id"] in hidden
    shown = {name: value for name, value in row.items() if name not in ("fits", "found")}
    return {**shown, "is_restricted": is_hidden, "postcode": None if is_hidden else row["postcode"]}
