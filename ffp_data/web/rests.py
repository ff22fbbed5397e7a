"""Which published columns rest on an agreement, by lineage: those that it alone fills, and others."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ffp_data.lineage.columns import ColumnLineage
from ffp_data.lineage.stored import FeedColumn


@dataclass(frozen=True)
class Rests:
    """A published table: columns that are made of the agreement's columns `alone`, or `shared` with others'.

    `chosen`: how many more of its columns they only filter, join, order or count.
    """

    relation: str
    alone: tuple[str, ...]
    shared: tuple[str, ...]
    chosen: int


def rests_on(
    lineage: ColumnLineage, relations: Iterable[str], given: Collection[FeedColumn]
) -> list[Rests]:
    """Each table that rests on the given columns, in the order of the tables."""
    own = frozenset(given)
    found = (_of(lineage, relation, own) for relation in relations)
    return [each for each in found if each.alone or each.shared or each.chosen]


def _of(lineage: ColumnLineage, relation: str, own: frozenset[FeedColumn]) -> Rests:
    alone: list[str] = []
    shared: list[str] = []
    chosen = 0
    for column in lineage.columns(relation):
        up = lineage.upstream(relation, column)
        if up.direct & own:
            (alone if up.direct <= own else shared).append(column)
        elif up.indirect & own:
            chosen += 1
    return Rests(relation, tuple(alone), tuple(shared), chosen)
