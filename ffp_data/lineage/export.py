"""The lineage of one run for officers and for machines: a page to read and search, and OpenLineage events.

Both tell for each column of each published table which columns of which feeds it is made of, what else bears on it,
under which agreements those came in, and to whom it may go, changed how. Nothing of any person is in them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import column_lineage_dataset as facets
from openlineage.client.serde import Serde

from ffp_data.home.run import Run as PipelineRun
from ffp_data.lineage.columns import ColumnLineage, Upstream
from ffp_data.lineage.graph import current_graph
from ffp_data.lineage.stored import FeedColumn
from governance.documents.page import Document, Section, Table

FOLDER, EVENTS = "lineage", "openlineage.ndjson"
PUBLISHED = ("single_view", "returns", "matching", "timeliness", "lists", "quarterly", "programme")
PRODUCER = "https://github.com/families-first-data/hub"
NAMESPACE = "families-first-hub"
_MASKING = frozenset({"pseudonymised", "month", "year", "district", "flag"})


@dataclass(frozen=True)
class Export:
    """What is exported: the lineage, and the lock of the run as plain data."""

    lineage: ColumnLineage
    lock: Mapping[str, Any]
    run_id: str
    as_at: str

    def write(self, folder: Path) -> list[str]:
        """Write page, JSON and events into ``folder``; gives the names of the files."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.document().write(folder)
        with (folder / EVENTS).open("w", encoding="utf-8") as handle:
            for event in self.events():
                handle.write(json.dumps(event, sort_keys=True, ensure_ascii=False) + "\n")
        return sorted(path.name for path in folder.iterdir())

    @cached_property
    def relations(self) -> list[str]:
        """The published tables, and others that an agreement names."""
        named = {each["relation"] for each in self.lock["release"]}
        steps = self.lineage.graph.steps
        return sorted(r for r in steps if r.partition(".")[0] in PUBLISHED or r in named)

    @cached_property
    def agreements(self) -> Mapping[FeedColumn, str]:
        """The agreement in force for each column of a feed."""
        return {
            FeedColumn(each["feed"], each["table"], each["column"]): self._versioned(each)
            for each in self.lock["ingest"]
        }

    @cached_property
    def grants(self) -> Mapping[tuple[str, str], list[Mapping[str, Any]]]:
        """Grants by relation and column."""
        found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        for each in self.lock["release"]:
            found.setdefault((each["relation"], each["column"]), []).append(each)
        return found

    def _versioned(self, grant: Mapping[str, Any]) -> str:
        name = grant["agreement"]
        return f"{name}@{self.lock['agreements'][name]['terms']['version']}"

    # For officers

    def document(self) -> Document:
        """The page: one section for each column."""
        sections = [
            self._section(relation, column)
            for relation in self.relations
            for column in self.lineage.columns(relation)
        ]
        about = (
            "Of each column of each published table: what its value is made of, under which agreement that came in, "
            "to whom it may go, and what else bears on it because it filters, joins, counts or chooses. Which records "
            "are one child, linkage decided on all columns that say who somebody is; that is not repeated here. "
            "Search with the browser's own find: feed.table.column, a table's column, an agreement, a recipient."
        )
        footer = f"Run {self.run_id}, as at {self.as_at}."
        return Document(
            "columns",
            "Where every column comes from",
            about,
            tuple(sections),
            footer,
            has_csv=False,
        )

    def _section(self, relation: str, column: str) -> Section:
        up = self.lineage.upstream(relation, column)
        return Section(
            f"{relation}.{column}",
            tuple(self._paragraphs(relation, column, up)),
            self._sources(relation, column, up) if up.direct else None,
        )

    def _paragraphs(self, relation: str, column: str, up: Upstream) -> Iterator[str]:
        granted = self.grants.get((relation, column), [])
        if not granted:
            yield "Given to nobody outside the hub."
        for each in granted:
            purposes = ", ".join(each["purposes"])
            how = "" if each["transform"] == "clear" else f", {each['transform']} as {each['name']}"
            yield f"To {each['recipient']} for {purposes} under {self._versioned(each)}{how}."
        if not up.direct:
            yield "Its value is made of no feed's column: it is worked out, or the hub's own."
        if up.indirect:
            yield f"What else bears on it: {'; '.join(_by_table(up.indirect))}."

    def _sources(self, relation: str, column: str, up: Upstream) -> Table:
        rows = tuple(
            (".".join(each), self.agreements.get(each, "none in force"))
            for each in sorted(up.direct)
        )
        heads = ("Feed, table and column", "Agreement that lets it in")
        return Table(f"{relation}.{column}", "Its value is made of", heads, rows)

    # For machines

    def events(self) -> Iterator[dict[str, Any]]:
        """One RunEvent for each table, and one for each recipient of it, in OpenLineage's JSON."""
        for relation in self.relations:
            yield self._event(f"build.{relation}", relation, self._fields(relation))
        released = sorted({(each["recipient"], each["relation"]) for each in self.lock["release"]})
        for recipient, relation in released:
            if relation in self.lineage.graph.steps:
                name = f"{recipient}/{relation}"
                yield self._event(f"release.{name}", name, self._left(recipient, relation))

    def _fields(self, relation: str) -> dict[str, Any]:

        found = {c: self.lineage.upstream(relation, c) for c in self.lineage.columns(relation)}
        return {
            column: facets.Fields(inputFields=[*_inputs(up.direct, "DIRECT", "TRANSFORMATION")])
            for column, up in found.items()
        } | {
            "": _inputs(
                frozenset[FeedColumn]().union(*(u.indirect for u in found.values())),
                "INDIRECT",
                "FILTER",
            )
        }

    def _left(self, recipient: str, relation: str) -> dict[str, Any]:
        fields: dict[str, Any] = {"": []}
        for (of, column), grants in self.grants.items():
            for each in grants:
                if of == relation and each["recipient"] == recipient:
                    masks = each["transform"] in _MASKING
                    changed = facets.Transformation(
                        "DIRECT",
                        "IDENTITY" if each["transform"] == "clear" else "TRANSFORMATION",
                        f"{each['transform']} under {self._versioned(each)}",
                        masks,
                    )
                    fields[each["name"]] = facets.Fields(
                        inputFields=[facets.InputField(NAMESPACE, relation, column, [changed])]
                    )
        return fields

    def _event(self, job: str, output: str, fields: dict[str, Any]) -> dict[str, Any]:

        dataset = fields.pop("")
        values = [each for found in fields.values() for each in found.inputFields]
        read = {(each.namespace, each.name) for each in [*dataset, *values]}
        facet = facets.ColumnLineageDatasetFacet(
            fields=fields, dataset=list(dataset), producer=PRODUCER
        )
        event = RunEvent(
            eventTime=f"{self.as_at}T00:00:00Z",  # of the day that the run speaks for, not the clock
            producer=PRODUCER,
            run=Run(runId=str(uuid5(NAMESPACE_URL, f"{self.run_id}/{job}"))),
            job=Job(namespace=NAMESPACE, name=job),
            eventType=RunState.COMPLETE,
            inputs=[InputDataset(*each) for each in sorted(read)],
            outputs=[
                OutputDataset(namespace=NAMESPACE, name=output, facets={"columnLineage": facet})
            ],
        )
        told: dict[str, Any] = Serde.to_dict(event)
        return told


def _inputs(found: Iterable[FeedColumn], kind: str, subtype: str) -> list[Any]:

    how = [facets.Transformation(kind, subtype, None, False)]
    return [
        facets.InputField(f"{NAMESPACE}/feeds", f"{each.feed}.{each.table}", each.column, how)
        for each in sorted(found)
    ]


def _by_table(found: Iterable[FeedColumn]) -> Iterator[str]:
    """The columns of each table after its name; `*` where only its rows count."""
    tables: dict[tuple[str, str], list[str]] = {}
    for each in sorted(found):
        tables.setdefault((each.feed, each.table), []).append(each.column)
    for (feed, table), names in tables.items():
        listed = ", ".join(f"{feed}.{table}.{name}" for name in names if name != "*")
        yield listed or f"rows of {feed}.{table}"


def write_lineage(run: PipelineRun, lock: Mapping[str, Any], folder: Path) -> list[str]:
    """Write the lineage of a run into ``folder``; gives the names of the files."""
    lineage = ColumnLineage(current_graph(), run.contracts)
    return Export(lineage, lock, run.run_id, run.as_at.isoformat()).write(folder)
