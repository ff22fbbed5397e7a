"""Who could see a column, and who did: grants by lineage against what the ledger says left or was read.

*Could*: every column that an agreement in force gives to a recipient, and every right of a role, whose lineage
holds the column asked about, as its value or by choosing it. *Did*: every release and every read of such a column.
What was done is held against the lock that was in force then, which the event quotes; done beyond it must be empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import BaseModel, Field

from ffp_data.lineage.answers import FROZEN
from ffp_data.lineage.books import source_column
from ffp_data.lineage.columns import ColumnLineage, UnknownColumnError
from ffp_data.lineage.stored import FeedColumn
from governance.access import Right, Roles
from governance.policy.compile import Lock

DIRECT, INDIRECT = "direct", "indirect"
_PERSON = (
    *("given_name", "middle_names", "surname", "date_of_birth", "expected_birth_date", "sex"),
    *("nhs_number", "nhs_number_status"),
)
_READ_BY = {
    Right.PERSON: tuple(f"single_view.children.{name}" for name in _PERSON),
    Right.PLACE: ("single_view.children.postcode",),
}
"""What a read of a right shows. `explain` names its column in the event; other rights show keys alone."""


class Seen(NamedTuple):
    """One way to see a column: who, for what, which column left, how changed, and how it holds the one asked."""

    who: str
    purpose: str
    agreement: str
    column: str
    transform: str
    way: str


class CouldSee(BaseModel):
    """A grant, or the right of a role."""

    model_config = FROZEN

    who: str
    purpose: str
    agreement: str = Field(description="Agreement and version; the right, where it is a role's.")
    column: str
    transform: str
    way: str = Field(description="direct: the value is made of it; indirect: it chooses the value.")


class DidSee(CouldSee):
    """The same, done: how often, first and last."""

    times: int
    first: datetime
    last: datetime


class WhoAnswer(BaseModel):
    """Who could see a column and who did."""

    model_config = FROZEN

    column: str
    could: list[CouldSee]
    did: list[DidSee]
    beyond: list[DidSee] = Field(description="Done without a grant; must be empty.")


Events = Iterable[Mapping[str, Any]]


@dataclass(frozen=True)
class Who:
    """Answers for one home. ``lock_of`` finds the lock that an event quotes, None where it was not kept."""

    lineage: ColumnLineage
    lock: Lock
    roles: Roles
    lock_of: Callable[[str], Lock | None]
    _granted: dict[str, frozenset[tuple[str, ...]]] = field(default_factory=dict)

    def ask(self, column: str, events: Events) -> WhoAnswer:
        """Who could see `feed.table.column`, or `schema.table.column`, and who did; raises UnknownColumnError."""
        way_of = self._ways(column)
        could = sorted({*self._by_grant(way_of), *self._by_role(way_of)})
        done: dict[tuple[Seen, bool], list[datetime]] = {}
        for seen, is_granted, at in self._done(way_of, events):
            done.setdefault((seen, is_granted), []).append(at)
        told = {
            key: DidSee(**key[0]._asdict(), times=len(ats), first=min(ats), last=max(ats))
            for key, ats in sorted(done.items())
        }
        return WhoAnswer(
            column=column,
            could=[CouldSee(**each._asdict()) for each in could],
            did=list(told.values()),
            beyond=[each for (_, is_granted), each in told.items() if not is_granted],
        )

    def _ways(self, column: str) -> Callable[[str, str], str | None]:
        """How `relation`, `column` holds the one asked about; None when it does not."""
        parts = column.split(".")
        if len(parts) == 3 and parts[0] in self.lineage.contracts:
            return self._ways_of_feed(FeedColumn(*parts))
        relation = ".".join(parts[:-1]) if len(parts) == 3 else f"single_view.{parts[0]}"
        if len(parts) < 2 or parts[-1] not in self.lineage.columns(relation):
            raise UnknownColumnError(
                f"{column}: no such column; write feed.table.column or schema.table.column"
            )
        asked = (relation, parts[-1])
        return lambda of, name: DIRECT if (of, name) == asked else None

    def _ways_of_feed(self, asked: FeedColumn) -> Callable[[str, str], str | None]:
        contract = self.lineage.contracts[asked.feed]
        table = contract.by_name.get(asked.table)
        if table is None or asked.column not in table.by_name:
            raise UnknownColumnError(f"{'.'.join(asked)}: the feed's contract has no such column")

        def way(relation: str, name: str) -> str | None:
            try:
                up = self.lineage.upstream(relation, name)
            except UnknownColumnError:  # released once, by a model that is gone
                return None
            return DIRECT if asked in up.direct else INDIRECT if asked in up.indirect else None

        return way

    def _by_grant(self, way_of: Callable[[str, str], str | None]) -> Iterator[Seen]:
        for each in self.lock.data["release"]:
            way = way_of(each["relation"], each["column"])
            if way:
                terms = self.lock.data["agreements"][each["agreement"]]["terms"]
                agreement = f"{each['agreement']}@{terms['version']}"
                column = f"{each['relation']}.{each['column']}"
                for purpose in each["purposes"]:
                    who = each["recipient"]
                    yield Seen(who, purpose, agreement, column, each["transform"], way)

    def _by_role(self, way_of: Callable[[str, str], str | None]) -> Iterator[Seen]:
        every = tuple(
            f"{relation}.{name}"
            for relation in self.lineage.graph.steps
            if relation.startswith("single_view.")
            for name in self.lineage.columns(relation)
        )
        for role in self.roles.by_id.values():
            for right, columns in {**_READ_BY, Right.EXPLAIN: every}.items():
                for column in columns if right in role.rights else ():
                    if way := way_of(*_split(column)):
                        yield _of_role(role.id, role.purpose, right.value, column, way)

    def _done(
        self, way_of: Callable[[str, str], str | None], events: Events
    ) -> Iterator[tuple[Seen, bool, datetime]]:
        for event in events:
            at = datetime.fromisoformat(event["at"].replace("Z", "+00:00"))
            if event["kind"] == "released":
                for seen, is_granted in self._released(way_of, event["facts"]):
                    yield seen, is_granted, at
            elif event["kind"] == "read":
                for seen, is_granted in self._read(way_of, event["facts"]):
                    yield seen, is_granted, at

    def _released(
        self, way_of: Callable[[str, str], str | None], facts: Mapping[str, Any]
    ) -> Iterator[tuple[Seen, bool]]:
        granted = self._grants_of(facts["policy"])
        for each in facts["columns"]:
            name = source_column(each)
            if way := way_of(each["relation"], name):
                who, column = facts["recipient"], f"{each['relation']}.{name}"
                seen = Seen(
                    who, facts["purpose"], facts["agreement"], column, each["transform"], way
                )
                yield seen, (who, column, each["transform"]) in granted

    def _read(
        self, way_of: Callable[[str, str], str | None], facts: Mapping[str, Any]
    ) -> Iterator[tuple[Seen, bool]]:
        """What a read showed; that the role had the right then, the gate saw to, today's register may differ."""
        right = facts["right"]
        shown: Iterable[str] = ()
        if right == Right.EXPLAIN:
            shown = (f"single_view.{facts['attribute']}",) if "attribute" in facts else ()
        elif right in set(_READ_BY):
            shown = _READ_BY[Right(right)]
        role = self.roles.by_id.get(facts["role"])
        for column in shown:
            if way := way_of(*_split(column)):
                seen = _of_role(facts["role"], facts["purpose"], right, column, way)
                yield seen, role is not None and Right(right) in role.rights

    def _grants_of(self, policy: str) -> frozenset[tuple[str, ...]]:
        """Recipient, column and transform of every grant of the lock that an event quotes."""
        if policy not in self._granted:
            lock = self.lock_of(policy) or self.lock
            self._granted[policy] = frozenset(
                (each["recipient"], f"{each['relation']}.{each['column']}", each["transform"])
                for each in lock.data["release"]
            )
        return self._granted[policy]


def _of_role(role: str, purpose: str, right: str, column: str, way: str) -> Seen:
    return Seen(f"role {role}", purpose, f"right {right}", column, "clear", way)


def _split(column: str) -> tuple[str, str]:
    relation, _, name = column.rpartition(".")
    return relation, name
