"""Which columns of which feeds a column of the warehouse rests on, and how: as its value, or by choosing it.

`upstream` follows the steps of the graph (`graph`) down to the stored tables and from there to the feeds
(`stored`). *Direct*: the value is made of it. *Indirect*: it filters, joins, orders, counts or chooses. What linkage
read to say which records are one person is not repeated at each column; `rests_on_linkage` says that it counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property

from ffp_data import feeds
from ffp_data.feeds.contract import Contract
from ffp_data.lineage.graph import Graph, Step, current_graph
from ffp_data.lineage.stored import LINKAGE, FeedColumn, Filled
from ffp_data.lineage.values import Source
from governance.readset import ROWS


class UnknownColumnError(KeyError):
    """No model or stored table of the warehouse has this column."""

    def __str__(self) -> str:
        """The message without the quotes of a KeyError."""
        return str(self.args[0])


@dataclass(frozen=True)
class Upstream:
    """What one column rests on. ``stored`` has the warehouse's own columns on the way's end."""

    direct: frozenset[FeedColumn]
    indirect: frozenset[FeedColumn]
    rests_on_linkage: bool
    stored: frozenset[Source]

    @property
    def every(self) -> frozenset[FeedColumn]:
        """Direct and indirect together."""
        return self.direct | self.indirect

    @property
    def feeds(self) -> frozenset[str]:
        """The feeds without which the column could differ."""
        return frozenset(each.feed for each in self.every)


@dataclass(frozen=True)
class ColumnLineage:
    """The lineage of one version of the project and its contracts."""

    graph: Graph
    contracts: Mapping[str, Contract]
    _known: dict[tuple[str, str], Upstream] = field(default_factory=dict)

    @cached_property
    def filled(self) -> Filled:
        """The feeds' columns that fill each stored column."""
        return Filled.by(self.contracts)

    def columns(self, relation: str) -> tuple[str, ...]:
        """The columns of a model, in the order of their names; raises UnknownColumnError."""
        if relation not in self.graph.steps:
            raise UnknownColumnError(f"{relation}: no model of this name")
        return tuple(name for name in self.graph.steps[relation] if name != ROWS)

    def upstream(self, relation: str, column: str) -> Upstream:
        """What a column rests on, or with ROWS the rows of a relation; raises UnknownColumnError."""
        if (relation, column) not in self._known:
            self._known[relation, column] = self._followed(Source(relation, column))
        return self._known[relation, column]

    def downstream(self, feed: str, table: str, column: str) -> dict[Source, str]:
        """Every column of a model that rests on a feed's column: "direct" or "indirect"."""
        sought = FeedColumn(feed, table, column)
        found = {}
        for relation in self.graph.steps:
            for name in self.columns(relation):
                up = self.upstream(relation, name)
                if sought in up.every:
                    found[Source(relation, name)] = "direct" if sought in up.direct else "indirect"
        return found

    def _followed(self, source: Source) -> Upstream:
        step = self._step(source)
        if step is None:
            return self._stored(source)
        values = [self.upstream(*each) for each in step.direct]
        others = [self.upstream(*each) for each in step.read]
        direct = frozenset(c for up in values for c in up.direct)
        every = frozenset(c for up in others for c in up.every)
        return Upstream(
            direct,
            every - direct,
            any(up.rests_on_linkage for up in others),
            frozenset(s for up in others for s in up.stored),
        )

    def _step(self, source: Source) -> Step | None:
        """The step of a model's column; None at a stored table."""
        steps = self.graph.steps.get(source.relation)
        if steps is None:
            return None
        if source.column not in steps:
            raise UnknownColumnError(f"{source.relation} has no column {source.column}")
        return steps[source.column]

    def _stored(self, source: Source) -> Upstream:
        if source.column not in (ROWS, *self.graph.stored.get(source.relation, ())):
            raise UnknownColumnError(f"{source.relation} has no column {source.column}")
        fill = self.filled.of(*source)
        return Upstream(
            fill.values,
            fill.choice - fill.values,
            source.relation in LINKAGE,
            frozenset({source}),
        )


@cache
def packaged() -> ColumnLineage:
    """The lineage of the packaged project and contracts."""
    return ColumnLineage(current_graph(), feeds.load_contracts(feeds.PACKAGED))
