"""When somebody last looked at a child: which published view they saw, and which they saw before that.

A row is found by an HMAC of the user under the child's reference; it names neither. Of each user and child two views
are kept: who loads a page twice sees the same changes twice, until there is a newer view.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from ffp_data.hub.database import writing
from ffp_data.kept.database import TABLES, Kept

_LOOKS = sa.Table(
    "looks",
    TABLES,
    sa.Column("look_id", sa.LargeBinary, primary_key=True),
    sa.Column("began", sa.Text, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("as_at", sa.Date, nullable=False),
    sa.Column("former_began", sa.Text),
    sa.Column("former_number", sa.Integer),
    sa.Column("former_as_at", sa.Date),
)
_LOT = 500


@dataclass(frozen=True)
class Look:
    """A published view that somebody saw: the row of publications, its number there, and its day."""

    began: str
    number: int
    as_at: date


def look(kept: Kept, user: str, reference: str, now: Look) -> Look | None:
    """Write a look down; gives the view that was seen before this one, None for the first look."""
    own = _id(user, reference)
    with kept.engine.connect() as connection:
        row = connection.execute(sa.select(_LOOKS).where(_LOOKS.c.look_id == own)).one_or_none()
    if row is not None and (row.began, row.number) == (now.began, now.number):
        former = (row.former_began, row.former_number, row.former_as_at)
        return None if row.former_began is None else Look(*former)
    before = None if row is None else Look(row.began, row.number, row.as_at)
    values = {"look_id": own, "began": now.began, "number": now.number, "as_at": now.as_at}
    if before is not None:
        values |= {"former_began": before.began, "former_number": before.number}
        values |= {"former_as_at": before.as_at}
    with writing(kept.engine) as connection:
        connection.execute(sa.delete(_LOOKS).where(_LOOKS.c.look_id == own))
        connection.execute(sa.insert(_LOOKS).values(values))
    return before


def last_looks(kept: Kept, user: str, references: Sequence[str]) -> Mapping[str, Look]:
    """The newest look of a user at each, by reference; those never looked at are left out."""
    by_id = {_id(user, reference): reference for reference in references}
    ids, found = sorted(by_id), dict[str, Look]()
    with kept.engine.connect() as connection:
        for at in range(0, len(ids), _LOT):
            query = sa.select(_LOOKS).where(_LOOKS.c.look_id.in_(ids[at : at + _LOT]))
            for row in connection.execute(query):
                found[by_id[row.look_id]] = Look(row.began, row.number, row.as_at)
    return found


def forget_before(kept: Kept, day: date) -> int:
    """Forget looks at views from before a day; gives how many."""
    with writing(kept.engine) as connection:
        return connection.execute(sa.delete(_LOOKS).where(_LOOKS.c.as_at < day)).rowcount


def _id(user: str, reference: str) -> bytes:
    return hmac.digest(bytes.fromhex(reference), user.encode(), "sha256")
