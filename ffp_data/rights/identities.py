"""Under which identifiers a child was ever known, so that what was written under each is found again.

A child answers for every identifier that leads to the one in use: disclosures under a merged identifier are
the survivor's. Records also change hands without their identifier retiring, when a wrong link is broken:
what was disclosed under the other identifier, while it held a record that is the child's today, told of the
child too, and is listed with the runs between which that was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from ffp_data.hub import lookup, seals
from ffp_data.hub.child_id import parse
from ffp_data.hub.models import Membership, Run


@dataclass(frozen=True)
class Span:
    """An identifier that held records of the child from one run up to, and without, another."""

    child_id: str
    from_run: str
    to_run: str

    def covers(self, number: int, numbers: Mapping[str, int]) -> bool:
        """Whether the event of this number happened between the two runs."""
        return numbers.get(self.from_run, 0) <= number < numbers.get(self.to_run, number + 1)


@dataclass(frozen=True)
class Identity:
    """The identifier in use, all that lead to it, the records that it holds, and spans elsewhere."""

    current: str
    own: tuple[str, ...]
    records: tuple[str, ...]
    elsewhere: tuple[Span, ...]

    @property
    def everywhere(self) -> tuple[str, ...]:
        """Every identifier that can lead to something of the child."""
        return tuple(dict.fromkeys([*self.own, *(span.child_id for span in self.elsewhere)]))


def identity_of(connection: sa.Connection, child_id: str) -> Identity:
    """The identity that an identifier leads to. Raises HubError: sealed is as if never issued."""
    current = lookup.resolve(connection, parse(child_id))
    own, records = seals.identity_of(connection, current)
    return Identity(
        current,
        (current, *sorted(own - {current})),
        tuple(sorted(records)),
        _elsewhere(connection, own, records),
    )


def _elsewhere(
    connection: sa.Connection, own: frozenset[str], records: frozenset[str]
) -> tuple[Span, ...]:
    begun, ended = sa.orm.aliased(Run), sa.orm.aliased(Run)
    query = (
        sa.select(Membership.child_id, begun.run_id, ended.run_id)
        .join(begun, begun.seq == Membership.from_seq)
        .join(ended, ended.seq == Membership.to_seq)
        .where(Membership.record_key.in_(records), Membership.child_id.not_in(own))
        .distinct()
    )
    return tuple(
        sorted((Span(*row) for row in connection.execute(query)), key=lambda s: s.child_id)
    )
