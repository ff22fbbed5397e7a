"""Guesses what the columns of a sample are: the first draft of a contract, for a person to correct.

A type holds when every value of the sample is of it, of dates nearly every one. An identifier is told by
its check digit, never by its length; a person attribute, its category of personal data and the parts of
a spell of work by the words of its header (`synonyms.yaml`, which is inferred and says so). Values are
looked at and not kept: of the sample only short codes that repeat reach a draft, and none of a column that
may name a person.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

from ffp_data.feeds.columns import FALSE_WORDS, TRUE_WORDS
from ffp_data.feeds.sample import Sample
from ffp_data.identifiers import Result, crn, nhs_number, pnc, postcode, prison_number, upn
from ffp_data.strict import Strict

SYNONYMS = Path(__file__).parent / "synonyms.yaml"
DATE_FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y%m%d", "%d/%m/%y", "%m/%d/%Y")
FEW = 0.02  # of the values of a column of dates, so many may be none
MOST_CODES, LONGEST_CODE, FEWEST_ROWS = 12, 24, 40

_CHECKS: Mapping[str, Callable[[str], Result]] = {
    "nhs_number": lambda text: nhs_number.check(text, allow_test_numbers=True),
    "upn": upn.check,
    "pnc_id": pnc.check,
    "prison_number": prison_number.check,
    "crn": crn.check,
    "postcode": postcode.check,
}

_BY_VALUE = tuple(kind for kind in _CHECKS if kind != "crn")  # a CRN has no check digit


class Synonyms(Strict):
    """`synonyms.yaml`: what headers usually mean."""

    status: Literal["inferred"]
    attributes: dict[str, tuple[str, ...]]
    others: tuple[str, ...]
    codes: tuple[str, ...]
    records: tuple[str, ...]
    involvements: dict[str, tuple[str, ...]]
    categories: dict[str, tuple[str, ...]]
    of_attributes: dict[str, str]


@dataclass(frozen=True)
class Column:
    """A guessed column. `why` names the grounds of each guess that a person should look at."""

    name: str
    source: str
    type: str
    category: str
    formats: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    person: str | None = None
    part: str | None = None
    """What the column is to a spell of work: since, until, contact_name, ..."""
    names_record: bool = False
    why: tuple[str, ...] = ()


@cache
def synonyms(path: Path = SYNONYMS) -> Synonyms:
    return Synonyms.model_validate(yaml.safe_load(path.read_text("utf-8")))


def infer_columns(sample: Sample) -> list[Column]:
    """The columns of a sample in its order, each person attribute and each part of a spell given once."""
    names = _names(sample.columns)
    columns = [_column(names[source], source, values) for source, values in sample.columns.items()]
    return _once(columns)


def _column(name: str, source: str, values: list[str | None]) -> Column:
    said = [value for value in values if value is not None]
    header = words(source)
    person, why = _person(header, said)
    kind, formats = _type(said)
    if person in _CHECKS or (kind == "integer" and _is_code(header, said)):
        kind = "string"
    if kind == "date" and not all(any(_is_date(v, f) for f in formats) for v in said):
        why = (*why, "a few values are no date")
    codes = _codes(said, kind) if person in (None, "sex") else ()
    return Column(
        name=name,
        source=source,
        type=kind,
        category=_category(header, person),
        formats=formats,
        codes=codes,
        person=person,
        part=None if person else _named(header, synonyms().involvements),
        names_record=_named(header, {"record": synonyms().records}) is not None,
        why=why,
    )


def words(header: str) -> str:
    """The words of a header in lower case: `ChildDOB`, `child_dob` and `Child's DOB` alike give `child dob`."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", header.replace("'s", ""))
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


def _names(sources: Iterable[str]) -> dict[str, str]:
    """SQL names, each once: the last word of a path where that is enough, else the whole of it."""
    names: dict[str, str] = {}
    for source in sources:
        short, whole = (
            _sql_name(words(part)) for part in (re.split(r"[.\]]", source)[-1] or source, source)
        )
        name = short if short not in names.values() else whole
        number = 2
        while name in names.values():
            name, number = f"{whole}_{number}", number + 1
        names[source] = name
    return names


def _sql_name(text: str) -> str:
    name = text.replace(" ", "_")
    return name if name[:1].isalpha() else f"c_{name}"


def _named(header: str, known: Mapping[str, Iterable[str]]) -> str | None:
    """The entry one of whose phrases ends the header, the longest phrase first."""
    hits = _hits(header, known)
    return max(hits, key=lambda hit: hit[0])[1] if hits else None


def _longest(header: str, known: Mapping[str, Iterable[str]]) -> int:
    return max((length for length, _ in _hits(header, known)), default=0)


def _hits(header: str, known: Mapping[str, Iterable[str]]) -> list[tuple[int, str]]:
    return [
        (len(phrase), name)
        for name, phrases in known.items()
        for phrase in phrases
        if f" {header}".endswith(f" {phrase}")
    ]


def _person(header: str, said: list[str]) -> tuple[str | None, tuple[str, ...]]:
    """The attribute and the ground for it: its values' check digit first, then its header."""
    said_by_header = _named(header, synonyms().attributes)
    if set(header.split()) & set(synonyms().others):
        said_by_header = None
    if _longest(header, synonyms().involvements) > _longest(header, synonyms().attributes):
        said_by_header = None  # "worker phone" is the worker's, not the child's
    if len(said) > 1:
        for kind in _BY_VALUE:
            if _mostly_valid(kind, said):
                is_former = said_by_header == "former_upn"
                return "former_upn" if is_former else kind, (
                    f"nearly all values are a valid {kind}",
                )
    named = said_by_header
    if named and named in _CHECKS and said and not _mostly_valid(named, said):
        return None, (f"named like a {named}, but most values are not valid",)
    return named, (f"by its header a {named}",) if named else ()


def _mostly_valid(kind: str, said: list[str]) -> bool:
    return sum(_CHECKS[kind](value).is_valid for value in said) >= 0.9 * len(said)


def _type(said: list[str]) -> tuple[str, tuple[str, ...]]:
    """The narrowest type that the values are of, and for dates the formats; a few dates may be wrong."""
    if not said:
        return "string", ()
    if formats := _date_formats(said):
        return "date", formats
    tests: Mapping[str, Callable[[str], object]] = {
        "boolean": lambda value: value.lower() in (*TRUE_WORDS, *FALSE_WORDS),
        "integer": lambda value: re.fullmatch(r"[+-]?\d{1,9}", value),
        "timestamp": _is_instant,
        "number": lambda value: re.fullmatch(r"[+-]?\d{1,12}\.\d+", value),
    }
    is_numbers = set(said) != {"0", "1"} and all(map(tests["integer"], said))
    order = ("integer",) if is_numbers else ("boolean", "timestamp", "number")
    return next((kind for kind in order if all(map(tests[kind], said))), "string"), ()


def _date_formats(said: list[str]) -> tuple[str, ...]:
    """The fewest formats that nearly all values are written in, the commonest first; none when they are no dates.

    Months before days is believed only of a whole column: beside days before months it is a slip.
    """
    left, found = said, list[str]()
    while left and len(left) > len(said) * FEW:
        best = max(DATE_FORMATS, key=lambda form: sum(_is_date(value, form) for value in left))
        rest = [value for value in left if not _is_date(value, best)]
        if len(rest) == len(left) or (found and best == "%m/%d/%Y"):
            return ()
        left, found = rest, [*found, best]
    return tuple(found)


def _is_date(value: str, form: str) -> bool:
    try:
        day = datetime.strptime(value, form)  # noqa: DTZ007 -- a day has no zone
    except ValueError:
        return False
    return len(value) in (8, 10) and 1880 <= day.year <= 2100


def _is_instant(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return bool(re.match(r"\d{4}-\d{2}-\d{2}[T ]\d", value))


def _is_code(header: str, said: list[str]) -> bool:
    """Digits that are a name and not an amount: padded with zeros, or called an id, a key or a number."""
    is_named = any(f" {header}".endswith(f" {word}") for word in synonyms().codes)
    return is_named or any(re.fullmatch(r"0\d+", value) for value in said)


def _codes(said: list[str], kind: str) -> tuple[str, ...]:
    if kind != "string" or len(said) < FEWEST_ROWS:
        return ()
    found = sorted(set(said))
    is_list = len(found) <= MOST_CODES and max(map(len, found)) <= LONGEST_CODE
    return tuple(found) if is_list and len(said) >= 5 * len(found) else ()


def _category(header: str, person: str | None) -> str:
    if person:
        return synonyms().of_attributes.get(person, "quasi_identifier")
    if _named(header, {"record": synonyms().records}):
        return "direct_identifier"
    parts = f" {header} "
    for category, phrases in synonyms().categories.items():
        if any(f" {phrase} " in parts for phrase in phrases):
            return category
    return "operational"


def _once(columns: list[Column]) -> list[Column]:
    """The first column of an attribute or part keeps it; the others say that they might be it."""
    seen: set[str] = set()
    kept = []
    for column in columns:
        claims = {claim for claim in (column.person, column.part) if claim}
        if claims & seen:
            why = (f"might be the {'/'.join(sorted(claims))} too",)
            column = replace(column, person=None, part=None, why=why)  # noqa: PLW2901
        seen |= claims
        kept.append(column)
    return kept
