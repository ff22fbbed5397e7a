"""Reports that a fact is wrong: kept for whoever owns the fact, until they answer or the time is up.

It is no case record. What somebody writes is encrypted under the child's own key, the child stands beside it by
reference only, and the ledger tells that a report was made, never its words. A report whose child nobody can be any
more, since the key was destroyed, is removed when reports are next read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Set
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from ffp_data.home.subjects import HubSubjects
from ffp_data.hub.database import writing
from ffp_data.hub.models import Person
from ffp_data.kept.database import TABLES, Kept

REVIEWERS = "reviewers"
"""Stands for a feed where the doubt is whose records these are."""
LONGEST = 300
"""Letters of a report."""

_REPORTS = sa.Table(
    "reports",
    TABLES,
    sa.Column("report_id", sa.Integer, primary_key=True),
    sa.Column("made", sa.Date, nullable=False),
    sa.Column("about", sa.Text, nullable=False),
    sa.Column("feed", sa.Text, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("closed", sa.LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)


@dataclass(frozen=True)
class Said:
    """What somebody writes, and who they are."""

    by: str
    words: str


@dataclass(frozen=True)
class Report:
    """One report, opened: of which child, about which group of facts, from which feed."""

    report_id: int
    made: date
    about: str
    feed: str
    child_id: str
    by: str
    words: str


@dataclass(frozen=True)
class Count:
    """How many reports wait for the owner of a feed, and since when."""

    feed: str
    reports: int
    oldest: date


def report(
    kept: Kept, subjects: HubSubjects, child_id: str, about: str, feed: str, said: Said, made: date
) -> int:  # fmt: skip
    """Keep a report; gives its number. Raises UnknownSubjectError for a child without a key."""
    (reference,) = subjects.references([child_id])
    closed = subjects.keys.encrypt(child_id, json.dumps(asdict(said)).encode())
    values = {"made": made, "about": about, "feed": feed, "reference": reference, "closed": closed}
    with writing(kept.engine) as connection:
        done = connection.execute(sa.insert(_REPORTS).values(values))
        key = done.inserted_primary_key
        assert key is not None, "a row that was added has a number"
        return int(key[0])


def counts(kept: Kept) -> list[Count]:
    """How many wait, by feed; nothing of anybody is read."""
    query = (
        sa.select(_REPORTS.c.feed, sa.func.count(), sa.func.min(_REPORTS.c.made))
        .group_by(_REPORTS.c.feed)
        .order_by(_REPORTS.c.feed)
    )
    with kept.engine.connect() as connection:
        return [Count(*row) for row in connection.execute(query)]


def waiting(
    kept: Kept,
    subjects: HubSubjects,
    *,
    for_reviewers: bool,
    by_reference: Callable[[], Mapping[str, str]] = dict,
) -> list[Report]:
    """The reports for the owners of data, or those for reviewers, oldest first.

    `by_reference`: gives children where who asks has them so; only for others all identifiers are gone through.
    """
    whose = _REPORTS.c.feed == REVIEWERS if for_reviewers else _REPORTS.c.feed != REVIEWERS
    with kept.engine.connect() as connection:
        rows = connection.execute(sa.select(_REPORTS).where(whose).order_by("report_id")).all()
    if not rows:
        return []
    wanted, known = {row.reference for row in rows}, by_reference()
    likely = [known[reference] for reference in wanted if reference in known]
    return list(_opened(kept, subjects, rows, _children(subjects, wanted, likely)))


def _children(subjects: HubSubjects, wanted: Set[str], likely: Collection[str]) -> dict[str, str]:
    """Children by reference. It tells of nobody by itself: those of the likely are made, else those of everybody."""
    found = {reference: child for child, reference in subjects.keys.known(likely).items()}
    if found.keys() >= wanted:
        return found
    with subjects.engine.connect() as hub:
        everybody = list(hub.scalars(sa.select(Person.child_id)))
    return {reference: child for child, reference in subjects.keys.known(everybody).items()}


def _opened(
    kept: Kept, subjects: HubSubjects, rows: Sequence[sa.Row[Any]], child_of: Mapping[str, str]
) -> Iterator[Report]:
    for row in rows:
        child = child_of.get(row.reference)
        if child is None:
            answer(kept, row.report_id)
            continue
        said = Said(**json.loads(subjects.keys.decrypt(child, row.closed)))
        yield Report(row.report_id, row.made, row.about, row.feed, child, said.by, said.words)


def answer(kept: Kept, report_id: int) -> bool:
    """Remove a report that was answered; whether it was there."""
    with writing(kept.engine) as connection:
        gone = connection.execute(sa.delete(_REPORTS).where(_REPORTS.c.report_id == report_id))
        return bool(gone.rowcount)


def forget(kept: Kept, as_at: date, days: int) -> int:
    """Remove reports that nobody answered in so many days; gives how many."""
    with writing(kept.engine) as connection:
        old = sa.delete(_REPORTS).where(_REPORTS.c.made < as_at - timedelta(days=days))
        return int(connection.execute(old).rowcount)
