"""The delivered rows that a cell was made of: what the models keep beside each value, made into rows of feeds.

`int_persons__survivors` and its companions name the record of each value; involvements, flags, family members and
attendance carry the rows themselves (macro `origin`); an event of the chronology names table, delivery and line. Of a
record's own attribute the row is the one of the feed's tables that `person_sql` took it from: the list of people
first, then the tables that add to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

import duckdb
import yaml

from ffp_data.lineage.cell import CHILDREN, Cell
from ffp_data.lineage.columns import ColumnLineage
from ffp_data.strict import Strict

Values = Mapping[str, Any]


class Origin(NamedTuple):
    """A row of a feed; without a line, all rows of the record. ``columns``: those the value was made of."""

    feed: str
    table: str | None
    record_key: str | None
    delivery_id: str | None
    line: int | None
    attributes: tuple[str, ...]
    """Attributes of a person record; empty where ``columns`` says it."""
    columns: tuple[str, ...]
    """Columns of the table, as agreements name them."""


class ChildRule(Strict):
    """What `rules.yaml` says of one column of `children`."""

    rule: str
    of: str | None = None
    otherwise: str | None = None
    """The attribute where there is none of the first."""
    shows: str | None = None
    key: str | None = None
    column: str | None = None
    origins: str | None = None
    records: tuple[str, ...] | None = None


class _File(Strict):
    rules: dict[str, str]
    children: dict[str, ChildRule]


@cache
def rules() -> _File:
    """The rules by name, and what each column of `children` follows."""
    text = resources.files(__package__).joinpath("rules.yaml").read_text("utf-8")
    return _File.model_validate(yaml.safe_load(text))


_RULE_OF_TABLE = {
    "flags": "flag",
    "attendance": "counted",
    "chronology": "event",
    "family_members": "statement",
}
_OF_SERVICE = ("service", "service_label", "source", "as_of", "is_contact_withheld")
_ORIGIN_OF = {
    "since": "since_origin",
    "until": "until_origin",
    "contact_name": "contact_origin",
    "contact_phone": "contact_origin",
    "team": "team_origin",
}


def rule_of(cell: Cell) -> str:
    """The rule that chooses a cell, by its name in `rules.yaml`."""
    if cell.table == CHILDREN:
        return rules().children[cell.column].rule
    if cell.table == "involvements":
        return "service" if cell.column in _OF_SERVICE else "spell"
    return _RULE_OF_TABLE[cell.table]


@dataclass(frozen=True)
class Origins:
    """Finds the origins of cells in one warehouse."""

    con: duckdb.DuckDBPyConnection
    lineage: ColumnLineage

    def of(self, cell: Cell, row: Values) -> list[Origin]:
        """The rows that one cell was made of, in a settled order."""
        if cell.table == CHILDREN:
            return list(self._of_child(cell, row))
        if cell.table == "chronology":
            return [self._placed(cell, row["source"], self._event(row))]
        if cell.table == "involvements":
            return list(self._of_spell(cell, row))
        return [self._placed(cell, _feed(o["record_key"]), o) for o in self._listed(cell, row)]

    def _of_child(self, cell: Cell, row: Values) -> Iterator[Origin]:
        rule, child = rules().children[cell.column], row["child_id"]
        if rule.of:
            yield from self._of_survivor(rule, child)
        elif rule.key:
            table, _, name = rule.key.partition(".")
            if key := self._one(f"SELECT {name} FROM intermediate.{table}", child):
                yield self.of_column(key, rule)
        elif rule.origins:
            for (listed,) in self._all(f"SELECT origins FROM intermediate.{rule.origins}", child):
                for each in listed:
                    yield self._placed(cell, _feed(each["record_key"]), each)
        elif rule.records is not None:
            yield from self._of_records(rule.records, row)

    def _of_survivor(self, rule: ChildRule, child: str) -> Iterator[Origin]:
        for name in (rule.of, rule.otherwise):
            survivors = "intermediate.int_persons__survivors"
            if name and (key := self._one(f"SELECT {name}_record_key FROM {survivors}", child)):
                yield _of_record(key, (rule.shows or name,))
                return

    def of_column(self, key: str, rule: ChildRule) -> Origin:
        """A record's own row in the table of its feed that the column of a model is made of."""
        if rule.column is None:
            return _of_record(key, (rule.shows or "record_key",))
        table, _, name = rule.column.partition(".")
        found = self.lineage.upstream(f"intermediate.{table}", name).direct
        of_feed = sorted(each for each in found if each.feed == _feed(key))
        if not of_feed:  # a date of the record itself
            return _of_record(key, ("record_key",))
        names = tuple(each.column for each in of_feed if each.table == of_feed[0].table)
        return Origin(_feed(key), of_feed[0].table, key, None, None, (), names)

    def _of_records(self, attributes: tuple[str, ...], row: Values) -> Iterator[Origin]:
        shown = ", ".join(("record_key", *attributes))
        wanted = row.get("former_surnames")
        for key, *values in self._all(
            f"SELECT {shown} FROM intermediate.int_persons__records", row["child_id"], "record_key"
        ):
            stated = tuple(
                name
                for name, value in zip(attributes, values, strict=True)
                if value and (attributes != ("surname", "other_surname") or value in (wanted or ()))
            )
            if stated or not attributes:
                yield _of_record(key, stated or ("record_key",))

    def _of_spell(self, cell: Cell, row: Values) -> Iterator[Origin]:
        if cell.column in _OF_SERVICE:
            return
        found = self.con.execute(
            "SELECT origin, since_origin, until_origin, contact_origin, team_origin "
            "FROM intermediate.int_involvements__by_feed WHERE child_id = ? AND feed = ?",
            [row["child_id"], row["source"]],
        ).fetchone()
        if found is None:  # known to the feed, without work
            if row["record_key"]:
                yield _of_record(row["record_key"], ("record_key",))
            return
        names = ("origin", "since_origin", "until_origin", "contact_origin", "team_origin")
        by_name = dict(zip(names, found, strict=True))
        origin = by_name.get(_ORIGIN_OF.get(cell.column, "origin")) or by_name["origin"]
        yield self._placed(cell, row["source"], origin)

    def _event(self, row: Values) -> Values:
        table = self.con.execute(
            "SELECT source_table FROM intermediate.int_chronology__events WHERE child_id = ? "
            "AND record_key = ? AND delivery_id = ? AND line = ? AND event_type = ? "
            "AND event_date = ?",
            [row[n] for n in ("child_id", "record_key", "delivery_id", "line")]
            + [row["event_type"], row["event_date"]],
        ).fetchone()
        return {**row, "source_table": table[0] if table else None}

    def _listed(self, cell: Cell, row: Values) -> Sequence[Values]:
        """The list of origins that stands beside the row in the model below the mart."""
        model, keys = _BESIDE[cell.table, row["source"] if cell.table == "attendance" else ""]
        tests = " AND ".join(f"{key} IS NOT DISTINCT FROM ?" for key in keys)
        found = self.con.execute(
            f"SELECT origins FROM {model} WHERE {tests}", [row[k] for k in keys]
        ).fetchall()
        return [each for (listed,) in found for each in listed or ()]

    def _placed(self, cell: Cell, feed: str, at: Values) -> Origin:
        """An origin that names its row; its columns are those of its table that the cell is made of."""
        up = self.lineage.upstream(cell.relation, cell.column)
        for found in (up.direct, up.indirect):
            here = [f.column for f in found if (f.feed, f.table) == (feed, at["source_table"])]
            names = tuple(sorted(name for name in here if name != "*"))
            if names:
                break
        place = (at["source_table"], at["record_key"], at["delivery_id"], at["line"])
        return Origin(feed, *place, (), names)

    def _one(self, select: str, child_id: str) -> Any:
        found = self._all(select, child_id)
        return found[0][0] if found else None

    def _all(self, select: str, child_id: str, order: str = "ALL") -> list[tuple[Any, ...]]:
        return self.con.execute(
            f"{select} WHERE child_id = ? ORDER BY {order}", [child_id]
        ).fetchall()


_FLAGS = """(
    SELECT child_id, flag, origins FROM intermediate.int_flags__attendance
    UNION ALL SELECT child_id, flag, origins FROM intermediate.int_flags__clocks
    UNION ALL SELECT child_id, flag, origins FROM intermediate.int_flags__contacts
    UNION ALL SELECT child_id, flag, origins FROM intermediate.int_flags__missing
    UNION ALL SELECT child_id, flag, origins FROM intermediate.int_flags__parents
    UNION ALL SELECT child_id, flag, origins FROM intermediate.int_flags__protection
)"""
_WINDOW = ("child_id", "attendance_window", "window_start")
_BESIDE = {
    ("flags", ""): (_FLAGS, ("child_id", "flag")),
    ("family_members", ""): (
        "intermediate.int_families__members",
        (
            "child_id",
            "related_child_id",
            "relationship",
            "source",
            "from_date",
            "to_date",
            "family_key",
        ),
    ),
    ("attendance", "education_attendance"): ("intermediate.int_attendance__by_child", _WINDOW),
    ("attendance", "school_census_attendance"): (
        "intermediate.int_attendance__census_term",
        _WINDOW,
    ),
    ("attendance", "ctf"): ("intermediate.int_attendance__transferred_year", _WINDOW),
}


def _of_record(key: str, attributes: tuple[str, ...]) -> Origin:
    return Origin(_feed(key), None, key, None, None, attributes, ())


def _feed(record_key: str) -> str:
    return record_key.partition("|")[0]
