"""The data dictionary of an extract: each column that leaves, what it means, what it is made of and what it joins to.

Meanings are those of the models' own documentation (the manifest of dbt), sources those of the columns' lineage as far
as the agreement lets their facts leave; both follow the warehouse, nobody writes them a second time. It lies in every
extract as `dictionary.parquet` and as a sheet, so that a report tool loads it like any table.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache

import pyarrow as pa

from ffp_data.feeds import Contract
from ffp_data.lineage.columns import ColumnLineage, UnknownColumnError
from ffp_data.lineage.graph import MANIFEST, current_graph
from ffp_data.marts.transform import current_manifest
from governance.grants import ReleaseDecision, ReleaseItem
from governance.subject_lists import SUBJECT_COLUMNS

NAME = "dictionary"
_HUB = "children"
"""The table that has one row a child; the others join to it."""

_CHANGED = {
    "pseudonymised": "As a pseudonym for this recipient, purpose and year.",
    "month": "The month alone.",
    "year": "The year alone.",
    "district": "The postcode district alone.",
    "flag": "Whether there is one, and not which.",
}
_COLUMNS = ("table", "column", "meaning", "type", "source", "agreement", "joins_to")


def dictionary(
    decision: ReleaseDecision, tables: Mapping[str, pa.Table], contracts: Mapping[str, Contract]
) -> dict[str, pa.Table]:
    """The dictionary of the tables of an extract by their relations, as one table more."""
    lineage = ColumnLineage(current_graph(), contracts)
    rows = [
        dict(zip(_COLUMNS, row, strict=True))
        for relation, table in tables.items()
        for row in _rows(decision, relation, table.schema, lineage)
    ]
    return {NAME: pa.Table.from_pylist(rows, pa.schema([(name, pa.string()) for name in _COLUMNS]))}


def _rows(
    decision: ReleaseDecision, relation: str, schema: pa.Schema, lineage: ColumnLineage
) -> Iterator[tuple[str, ...]]:
    agreement = f"{decision.agreement}, {decision.terms['title']}"
    for item in decision.items:
        if item.relation == relation:
            kind = str(schema.field(item.name).type).partition("[")[0]
            yield (
                _short(relation),
                item.name,
                _meaning(item),
                kind,
                _source(decision, item, lineage),
                agreement,
                _joins_to(decision, item),
            )


def _short(relation: str) -> str:
    return relation.partition(".")[2]


def _meaning(item: ReleaseItem) -> str:
    told = _meanings().get((item.relation, item.column)) or "No meaning is written down."
    place = " Empty for whoever must not be located." if item.is_place else ""
    return " ".join(filter(None, (told.strip(), _CHANGED.get(item.transform)))) + place


def _source(decision: ReleaseDecision, item: ReleaseItem, lineage: ColumnLineage) -> str:
    """The feeds whose values it is made of; those that only choose among rows are in the lineage documents."""
    try:
        found = lineage.upstream(item.relation, item.column).direct
    except UnknownColumnError:
        return "the hub"
    agreed = decision.terms["rows"].get("feeds")
    feeds = sorted({each.feed for each in found if agreed is None or each.feed in agreed})
    return ", ".join(feeds) or "the hub"


def _joins_to(decision: ReleaseDecision, item: ReleaseItem) -> str:
    """Many rows of another table belong to one child."""
    hub = next(
        (
            each
            for each in decision.items
            if _short(each.relation) == _HUB and each.column in SUBJECT_COLUMNS
        ),
        None,
    )
    if item.column not in SUBJECT_COLUMNS or hub is None:
        return "nothing"
    if item.relation == hub.relation:
        return "one row a child"
    return f"{_HUB}.{hub.name}, many to one"


@cache
def _meanings() -> Mapping[tuple[str, str], str]:
    """What the models say of their columns, by relation and column."""
    nodes = json.loads(current_manifest(MANIFEST).read_bytes())["nodes"].values()
    return {
        (f"{node['schema']}.{node['name']}", name): column["description"]
        for node in nodes
        if node["resource_type"] == "model"
        for name, column in node["columns"].items()
    }
