"""The profile as people read it: tables with rows and columns in order, comparisons, and the monitor of links."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import inf
from typing import Any

from ffp_data.programme.counting import ALL
from ffp_data.programme.groups import Comparison, Group, Linkage, compare, monitor
from ffp_data.programme.intervals import Estimate, share
from ffp_data.programme.population import OF_HUB
from ffp_data.programme.tables import TableSpec, programme

Ask = Callable[[str, Sequence[object]], list[dict[str, Any]]]
"""Rows of a query over the published tables."""
_SHARES = (
    ("returned within 12 months", ("returned within 12 months",), ("12 to 24 months ago", "24 to 36 months ago")),
    ("returned within 24 months", ("returned within 12 months", "returned within 24 months"),
     ("24 to 36 months ago",)),
)  # fmt: skip
"""Of those who left long enough ago to be known for the whole time."""
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Shown:
    """One table: its rows and columns, the number in each cell, and how many children are behind it."""

    spec: TableSpec
    quarter: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: Mapping[tuple[str, str], tuple[int, int]]

    def number(self, row: str, column: str) -> int:
        """Children or events, whichever the table counts; zero where nobody is."""
        events, children = self.cells.get((row, column), (0, 0))
        return events if self.spec.counts == "events" else children

    def told(self) -> dict[str, Any]:
        """As JSON."""
        wide = [*self.columns, ALL]
        return {
            "title": self.spec.title,
            "counts": self.spec.thing,
            "words": self.spec.words.strip(),
            "quarter_end": self.quarter or None,
            "rows": [
                {"code": row, **{column: self.number(row, column) for column in wide}}
                for row in (*self.rows, ALL)
            ],
        }


@dataclass(frozen=True)
class Returned:
    """Of children who left care to parents and were followed long enough, those who came back."""

    within: str
    came_back: int
    left: int
    share: Estimate | None


@dataclass(frozen=True)
class Profile:
    """All of it, as at a day."""

    as_at: str
    tables: tuple[Shown, ...]
    returned: tuple[Returned, ...]
    comparisons: tuple[Comparison, ...]
    denominators: Mapping[str, str]
    linkage: tuple[Linkage, ...]

    def table(self, name: str, quarter: str = "") -> Shown:
        """A table by its id; of moves, that of the quarter, else of the newest. Raises KeyError."""
        found = [t for t in self.tables if t.spec.id == name and quarter in ("", t.quarter)]
        if not found:
            raise KeyError(name)
        return found[-1]

    @property
    def quarters(self) -> list[str]:
        """Ends of the quarters that have moves."""
        return [each.quarter for each in self.tables if each.spec.each]

    @property
    def warnings(self) -> list[Linkage]:
        """Groups whose records are linked otherwise than those of others."""
        return [each for each in self.linkage if each.is_warned]

    def figures(self) -> dict[str, Any]:
        """How much there is of it, for the record of a run."""
        return {
            "quarters": ", ".join(self.quarters) or "none",
            "tables": len({each.spec.id for each in self.tables}),
            "comparisons made": sum(each.ratio is not None for each in self.comparisons),
            "groups linked otherwise": len({(each.by, each.group) for each in self.warnings}),
        }

    def told(self) -> dict[str, Any]:
        """As JSON."""
        tables: dict[str, list[dict[str, Any]]] = {}
        for each in self.tables:
            tables.setdefault(each.spec.id, []).append(each.told())
        return {
            "as_at": self.as_at,
            "tables": tables,
            "returned": [asdict(each) for each in self.returned],
            "comparisons": [
                {**asdict(each), "ratio": _ends(each.ratio), "per_10_000": each.per_10_000}
                for each in self.comparisons
            ],
            "denominators": dict(self.denominators),
            "linkage": [asdict(each) for each in self.linkage],
        }


def _ends(ratio: Estimate | None) -> dict[str, float | None] | None:
    """A ratio as JSON, which has no infinity: none for a side that is open."""
    if ratio is None:
        return None
    return {name: value if value < inf else None for name, value in asdict(ratio).items()}


def read_profile(ask: Ask, as_at: str) -> Profile:
    """The profile of the tables that a run published."""
    tables = tuple(_tables(ask))
    populations: dict[str, dict[str, int]] = {}
    denominators = dict.fromkeys(("ethnicity", "sex", "disability"), OF_HUB)
    for row in ask("FROM programme_population ORDER BY ALL", ()):
        populations.setdefault(row["characteristic"], {})[row["code"]] = row["children"]
        denominators[row["characteristic"]] = row["words"]
    return Profile(
        as_at,
        tables,
        _returned(next(each for each in tables if each.spec.id == "returns_home")),
        tuple(_comparisons(tables, populations)),
        denominators,
        _linkage(ask),
    )


def _tables(ask: Ask) -> list[Shown]:
    codes: dict[tuple[str, str], list[str]] = {}
    for row in ask("FROM programme_codes ORDER BY table_id, split, place", ()):
        codes.setdefault((row["table_id"], row["split"]), []).append(row["code"])
    cells: dict[tuple[str, str], dict[tuple[str, str], tuple[int, int]]] = {}
    for row in ask("FROM programme_cells ORDER BY ALL", ()):
        found = cells.setdefault((row["table_id"], row["quarter"]), {})
        found[row["code"], row["other"]] = (row["events"], row["children"])
    shown = []
    for spec in programme().tables:
        quarters = sorted(q for table, q in cells if table == spec.id) or [""]
        split = (tuple(codes.get((spec.id, each), ())) for each in ("code", "other"))
        rows, columns = split
        shown += [
            Shown(spec, quarter, rows, columns, cells.get((spec.id, quarter), {}))
            for quarter in quarters
        ]
    return shown


def _returned(table: Shown) -> tuple[Returned, ...]:
    found = []
    for words, outcomes, when in _SHARES:
        back = sum(table.number(outcome, column) for outcome in outcomes for column in when)
        left = sum(table.number(ALL, column) for column in when)
        found.append(Returned(words, back, left, share(back, left, _CONFIDENCE) if left else None))
    return tuple(found)


def _comparisons(
    tables: Sequence[Shown], populations: Mapping[str, Mapping[str, int]]
) -> list[Comparison]:
    return [
        comparison
        for table in tables
        if table.spec.of == "level"
        for comparison in compare(
            table.spec.by,
            {(r, c): table.number(r, c) for r in table.rows for c in table.columns},
            populations.get(table.spec.by),
            programme().compared,
        )
    ]


def _linkage(ask: Ask) -> tuple[Linkage, ...]:
    groups = [
        Group(
            row["split"],
            row["code"],
            row["records"],
            {
                "linked": row["linked"],
                "weakly linked": row["weakly_linked"],
                "parted by reviewers": row["parted"],
            },
        )
        for row in ask("FROM programme_records ORDER BY split, code", ())
    ]
    return tuple(monitor(groups, programme().linked))
