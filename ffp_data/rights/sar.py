"""Everything that is held on a child, gathered for a request for access (UK GDPR Art 15), with its sources.

The delivered rows come first, feed by feed, with file and line, payload and identity of each row together;
rows of cases that the child has a part in follow them. Then comes what the hub made of them: the
single view, the rows of statutory returns, the links between records with their reasons, decisions of
reviewers, the identifier's history, how long each is kept, and to whom it went. Every table that feeds fill
is read by the contracts, and every table that is made by the columns that name a child, so that one which
is added later is not forgotten.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

import duckdb
import pyarrow as pa
import sqlalchemy as sa

from ffp_data.feeds.contract import Contract
from ffp_data.feeds.contract_table import Table
from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.hub import lookup
from ffp_data.hub.models import Decision
from ffp_data.lookups.grading import evidence_in_words
from ffp_data.rights import retention
from ffp_data.rights.disclosures import Disclosure, DisclosureRegister
from ffp_data.rights.identities import Identity
from ffp_data.rights.sar_pack import Clock, Item, Pack, Section, Source, item
from ffp_data.rights.sar_third_parties import Others, case_marks, marks_in, marks_of, others_of
from ffp_data.sealing.hits import orphans
from ffp_data.sealing.subject import answer_keys
from ffp_data.warehouse import connect
from governance.syntax import quoted

_OURS = ("_delivery_id", "_line", "_element", "_latest", "record_key")
_MADE = (
    "identity",
    "single_view",
    "returns",
    "timeliness",
    "matching",
    "lists",
    "quarterly",
    "programme",
    "rights",
)
_DELIVERED = "__"  # stands in the names of tables that feeds fill
_PERSON_COLUMNS = ("child_id", "child_key", "record_key")
_ORDERS = ("identity.shielded", "rights.withheld_children", "rights.withheld_numbers")
_NAMING = (
    "related_child_id",
    "related_record_key",
    "related_name",
    "related_date_of_birth",
    "family_key",
)
_SCHEMA_WORDS = {
    "identity": ("Who agencies say the child is", "the delivered particulars in one form"),
    "single_view": ("Single view", "what practitioners who may see the child are shown"),
    "returns": (
        "Statutory returns",
        "rows from which the council's returns to the Department are made",
    ),
    "timeliness": ("Time limits", "how the child's cases stand to statutory time limits"),
    "lists": ("Lists", "rules of the programme that name the child, with their facts"),
    "quarterly": (
        "Quarterly collection",
        "what the programme's quarterly figures count of the child",
    ),
    "programme": ("Programme figures", "what the counts of the partnership count of the child"),
    "matching": ("NHS numbers", "how the child's NHS number was found"),
    "rights": ("Orders", "what was ordered about the use of the child's data"),
}


@dataclass(frozen=True)
class Request:
    """When the request came, and when the clock stood still: pairs of first day and day it went on."""

    received: date
    stops: tuple[tuple[date, date], ...] = ()

    @property
    def clock(self) -> Clock:
        """One month (the same day of the next, or its last), longer by every day the clock stood."""
        stood = sum(((on - off).days for off, on in self.stops), 0)
        due = a_month_after(self.received) + timedelta(days=stood)
        told = [f"stood still from {off} until {on}" for off, on in self.stops]
        return Clock(received=self.received, due=due, stops=told)


def a_month_after(day: date) -> date:
    """The corresponding day of the next month, or its last where it has none."""
    year, month = day.year + day.month // 12, day.month % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def gather(run: Run, register: DisclosureRegister, identity: Identity, request: Request) -> Pack:
    """The working copy of the answer: everything, with marks on what somebody must decide about."""
    with connect(run.home, read_only=True) as con:
        sections = [*_Gathering(con, run, register, identity).sections()]
    facts = [fact for section in sections for each in section.items for fact in each.facts]
    with register.access.subjects.engine.connect() as hub:
        last = hub.execute(
            sa.text("SELECT run_id, as_at FROM hub_run ORDER BY seq DESC LIMIT 1")
        ).first()
    return Pack(
        child_id=identity.current,
        made_of_run=last.run_id if last else None,
        as_at=date.fromisoformat(str(last.as_at)) if last else None,
        is_working_copy=True,
        clock=request.clock,
        to_decide=sum(fact.mark is not None for fact in facts),
        withheld=0,
        sections=sections,
    )


@dataclass(frozen=True)
class _Gathering:
    con: duckdb.DuckDBPyConnection
    run: Run
    register: DisclosureRegister
    identity: Identity

    def sections(self) -> Iterator[Section]:
        """Every chapter that holds something, in order."""
        yield self._identity()
        for contract in self.run.contracts.values():
            if items := list(self._delivered(contract)):
                about = f"Delivered by {contract.hub.agency} under {contract.hub.agreement}, feed {contract.id}."
                yield Section(title=contract.name, about=about, items=items)
        for schema in _MADE:
            title, about = _SCHEMA_WORDS[schema]
            if items := list(self._made(schema)):
                yield Section(title=title, about=f"Made by the hub: {about}.", items=items)
        yield Section(
            title="Why these records are taken for one child",
            about="Each pair of records that was joined, how strongly, and what agreed or did not.",
            items=list(self._links()),
        )
        yield Section(
            title="Decisions of reviewers",
            about="Where people decided whether two records are of one child.",
            items=list(self._decisions()),
        )
        yield Section(
            title="How long this is kept",
            about="Classes of the retention register that the child belongs to.",
            items=list(self._retention()),
        )
        yield Section(
            title="To whom this was disclosed",
            about="Every release and every read of the child's data, from the hub's ledger.",
            items=list(self._disclosed()),
        )

    # Who

    def _identity(self) -> Section:
        items = [
            item(Source(table="hub.identifiers", record=each), "identifier", {"child_id": each}, {})
            for each in self.identity.own
        ]
        items += [
            item(Source(table="hub.records", record=each), "record", {"record_key": each}, {})
            for each in self.identity.records
        ]
        with self.register.access.subjects.engine.connect() as hub:
            events = lookup.history(hub, self.identity.current)
        for number, event in enumerate(events, start=1):
            facts = {
                "event": str(event.kind),
                "as_at": str(event.as_at or event.at or ""),
                "reason": str(event.reason),
                "records": ", ".join(sorted(set(event.records) & set(self.identity.records))),
            }
            facts = {name: value for name, value in facts.items() if value}
            items.append(item(Source(table="hub.history"), f"event {number}", facts, {}))
        about = "Identifiers of the child in this hub, the agencies' records that they stand for, and their history."
        return Section(title="Who this is about", about=about, items=items)

    # What agencies delivered

    @cached_property
    def keys(self) -> list[str]:
        """Record keys of the child, and those under which answers about its records lie."""
        return [*self.identity.records, *answer_keys(self.identity.records, self.run.contracts)]

    @cached_property
    def others(self) -> Others:
        return others_of(self.con, self.identity.records)

    @cached_property
    def files(self) -> dict[tuple[str, str], str]:
        rows = self.con.execute(
            "SELECT delivery_id, table_name, min(file_name) FROM meta.deliveries GROUP BY ALL"
        )
        return {(delivery, table): name for delivery, table, name in rows.fetchall()}

    @cached_property
    def tables(self) -> dict[str, list[str]]:
        """Columns of every table, by schema.table."""
        rows = self.con.execute(
            "SELECT schema_name || '.' || table_name, list(column_name ORDER BY column_index)"
            " FROM duckdb_columns() WHERE database_name = current_database() GROUP BY 1 ORDER BY 1"
        )
        return dict(rows.fetchall())

    def _delivered(self, contract: Contract) -> Iterator[Item]:
        for table in contract.tables:
            yield from self._items(contract, table, "record_key", self.keys)
        for column, parents in orphans().get(contract.id, {}).items():
            name, _, key = column.partition(".")
            if cases := self._cases(contract, parents):
                yield from self._items(contract, contract.by_name[name], key, cases)

    def _cases(self, contract: Contract, parents: Sequence[str]) -> list[str]:
        """Ids of the cases that the child has a part in."""
        found: set[str] = set()
        for parent in parents:
            table, _, column = parent.partition(".")
            for row in self._rows(f"raw.{contract.id}__{table}", "record_key", self.keys):
                found |= {str(row[column])} if row[column] is not None else set()
        return sorted(found)

    def _items(
        self, contract: Contract, table: Table, key: str, values: Sequence[str]
    ) -> Iterator[Item]:
        """The rows of a table, payload and identity of one row together."""
        relation = f"{contract.id}__{table.name}"
        merged: dict[tuple[Any, ...], dict[str, Any]] = {}
        for schema in ("raw", "identity"):
            for row in self._rows(f"{schema}.{relation}", key, values):
                place = tuple(
                    row.get(name) for name in ("_delivery_id", "_line", "_element", "record_key")
                )
                merged.setdefault(place, {}).update(row)
        for (delivery, line, element, record), row in merged.items():
            source = Source(
                feed=contract.id,
                table=f"{contract.id}.{table.name}",
                delivery=delivery,
                file=self.files.get((delivery, table.name)),
                line=line,
                element=element,
                record=record,
            )
            facts = _facts(row, _OURS)
            marks = marks_of(table, facts, self.others)
            if key != "record_key":
                marks = case_marks(facts, marks, self.own_places)
            yield item(source, table.description or table.name, facts, marks)

    @cached_property
    def own_places(self) -> frozenset[str]:
        rows = self._rows("identity.person_records", "record_key", list(self.identity.records))
        return frozenset(
            str(row[name]).casefold()
            for row in rows
            for name in ("postcode", "address_line")
            if row[name]
        )

    # What the hub made of it

    def _made(self, schema: str) -> Iterator[Item]:
        for relation, columns in self.tables.items():
            if relation.partition(".")[0] != schema or _DELIVERED in relation:
                continue
            key = next((name for name in _PERSON_COLUMNS if name in columns), None)
            if key is None:
                continue
            values = self.keys if key == "record_key" else list(self.identity.own)
            for row in self._rows(relation, key, values):
                source = Source(
                    table=relation,
                    delivery=row.get("delivery_id"),
                    line=row.get("line"),
                    record=row.get("record_key"),
                )
                facts = _facts(row, ("delivery_id", "line", key)) or {"held": "yes"}
                naming = [name for name in _NAMING if name in facts]
                marks = marks_in(facts, self.others, naming)
                if relation in _ORDERS:
                    marks = dict.fromkeys(
                        facts, "an order: decide whether telling of it endangers somebody"
                    )
                yield item(source, relation, facts, marks)

    def _rows(self, relation: str, key: str, values: Sequence[str]) -> list[dict[str, Any]]:
        """Rows whose key is one of the values, in a total order; none where there is no such table."""
        if key not in self.tables.get(relation, ()):
            return []
        name = ".".join(quoted(part) for part in relation.split("."))
        self.con.register("wanted_in", pa.table({"wanted": pa.array(list(values), pa.string())}))
        rows = self.con.execute(
            f"SELECT * FROM {name} WHERE {quoted(key)}::VARCHAR IN (SELECT wanted FROM wanted_in) ORDER BY ALL"
        ).to_arrow_table()
        self.con.unregister("wanted_in")
        return [dict(row) for row in rows.to_pylist()]

    # Why, and what people decided

    def _links(self) -> Iterator[Item]:
        own = set(self.identity.records)
        pairs = {
            (row["record_id_l"], row["record_id_r"]): row
            for row in self._rows("identity.link_pairs", "record_id_l", self.identity.records)
        }
        for join in self._rows("identity.link_joins", "record_id_l", self.identity.records):
            pair = (join["record_id_l"], join["record_id_r"])
            if pair[1] not in own:
                continue
            scored = pairs.get(pair, {})
            reasons = [
                evidence_in_words(name.removeprefix("level_"), level)
                for name, level in scored.items()
                if name.startswith("level_") and level is not None
            ]
            facts = {"records": " and ".join(pair), "weight": _text(join["match_weight"])}
            if scored:
                facts |= {
                    "probability": _text(scored["match_probability"]),
                    "reasons": "; ".join(reasons),
                }
            facts |= {"joined_by": _text(join["reason"])} if join["reason"] else {}
            yield item(
                Source(table="identity.link_joins", record="|".join(pair)), "link", facts, {}
            )

    def _decisions(self) -> Iterator[Item]:
        own = list(self.identity.records)
        query = sa.select(Decision.__table__).where(
            sa.or_(Decision.left_record.in_(own), Decision.right_record.in_(own))
        )
        with self.register.access.subjects.engine.connect() as hub:
            rows = hub.execute(query.order_by(Decision.decision_id)).all()
        for row in rows:
            facts = {
                "records": f"{row.left_record} and {row.right_record}",
                "verdict": row.verdict,
                "reviewer": row.reviewer,
                "reason": row.reason,
                "decided_at": str(row.decided_at),
            } | ({"undone_at": str(row.undone_at)} if row.undone_at else {})
            other = {row.left_record, row.right_record} - set(own)
            marks = {"records": "names a record of another person"} if other else {}
            marks |= {"reason": "free text: read it, it may name others"}
            yield item(
                Source(table="hub.decisions", record=str(row.decision_id)), "decision", facts, marks
            )

    def _retention(self) -> Iterator[Item]:
        rules = retention.rules(policy.grants(self.run))
        try:
            classes = retention.classes_of(self.run)
        except duckdb.CatalogException:  # nothing was built yet that could be classed
            return
        for name in classes.get(self.identity.current, ()):
            told = {
                "class": rules[name].title,
                "rule": rules[name].words,
                "basis": rules[name].basis,
            }
            yield item(Source(table="retention", record=name), name, told, {})

    def _disclosed(self) -> Iterator[Item]:
        for each in self.register.of_child(self.identity).disclosures:
            source = Source(table="ledger", line=each.number)
            yield item(source, f"event {each.number}", disclosure_facts(each), {})


def disclosure_facts(each: Disclosure) -> dict[str, str]:
    """A disclosure as facts of the answer."""
    fields = dict.fromkeys(f"{f.relation}.{f.name} ({f.transform})" for f in each.fields)
    told = {
        "at": each.at,
        "what": each.what,
        "to": each.to,
        "role": each.role,
        "purpose": each.purpose,
        "agreement": each.agreement,
        "right": each.right,
        "reason": each.reason,
        "under": each.under,
        "fields": ", ".join(fields),
    }
    return {name: value for name, value in told.items() if value}


def _facts(row: Mapping[str, Any], without: Iterable[str]) -> dict[str, str]:
    """What a row says, as text; empty values say nothing."""
    return {
        name: text
        for name, value in row.items()
        if name not in without and (text := _text(value)) != ""
    }


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return "; ".join(_text(each) for each in value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return str(value)
