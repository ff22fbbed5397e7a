"""What the pages say for days, names, ages, codes and sources, so that no two pages say it differently.

Codes and what is not there have their words in words.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from importlib import resources
from typing import Any

import yaml

from ffp_data.single_view.published import Published


def day(value: date | datetime | None) -> str:
    """A date as people read it; words where there is none."""
    return f"{value.day} {value:%B %Y}" if value else "date not recorded"


_MOMENT = re.compile(
    r"(?<![\w-])(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.\d+)?(?:Z|\+00:00)?)?(?![\w-])"
)


def dated(value: object) -> str:
    """The text with each day and moment in it as people read them.

    Tables say 2026-03-31, also inside a sentence, so that files sort and compare; pages and copies say 31 March 2026.
    Moments are UTC, as everything that the hub writes down.
    """
    return _MOMENT.sub(_moment, str(value))


def _moment(found: re.Match[str]) -> str:
    try:
        told = day(date.fromisoformat(found[1]))
    except ValueError:  # no such day: as it stands
        return found[0]
    return f"{told}, {found[2]} UTC" if found[2] else told


def name_of(row: Mapping[str, Any]) -> str:
    """Given, middle and family name; words for a child whose name nobody knows."""
    parts = [row.get("given_name"), row.get("middle_names"), row.get("surname")]
    return " ".join(part for part in parts if part) or "Name not known"


def age_of(row: Mapping[str, Any]) -> str:
    """Age and birth date; for the unborn, when the birth is expected."""
    if row.get("date_of_birth"):
        years = row["age_years"]
        age = (
            "Under one year old"
            if years == 0
            else f"{years} {'year' if years == 1 else 'years'} old"
        )
        return f"{age}, born {day(row['date_of_birth'])}"
    if row.get("expected_birth_date"):
        return f"Not born yet, expected {day(row['expected_birth_date'])}"
    return "Birth date not known"


@cache
def words() -> Mapping[str, Any]:
    """The words of words.yaml, by kind."""
    loaded: Mapping[str, Any] = yaml.safe_load(
        resources.files(__package__).joinpath("words.yaml").read_text("utf-8")
    )
    return loaded


def group_words() -> Mapping[str, str]:
    """The groups of facts on a child's page, and what each is called."""
    groups: Mapping[str, str] = words()["groups"]
    return groups


def feeds_of(view: Published) -> Mapping[str, Mapping[str, Any]]:
    """The feeds of a view, by name."""
    return view.feeds


def source_words(feeds: Mapping[str, Mapping[str, Any]], source: str | None) -> str:
    """The feeds of a fact as a person names them, with what is late said."""
    told = []
    for feed in (source or "").split(", "):
        known = feeds.get(feed)
        label = (
            feed.replace("_", " ")
            if known is None
            else (known["service_label"] or feed.replace("_", " "))
        )
        told.append(f"{label} (late)" if known and known["is_late"] else label)
    return ", ".join(dict.fromkeys(told)) or "the hub"


def as_of(feeds: Mapping[str, Mapping[str, Any]], source: str) -> str:
    """The day of the last delivery of a feed; of several, the oldest: a fact is as old as that."""
    known = [feeds.get(feed, {}).get("last_delivered_at") for feed in source.split(", ")]
    told = [each for each in known if each is not None]
    return day(min(told) if len(told) == len(known) else None)
