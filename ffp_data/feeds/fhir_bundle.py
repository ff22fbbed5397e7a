"""What a FHIR R4 Bundle says around its resources (HL7 FHIR R4, Bundle, "Resource URL & Uniqueness rules").

An entry that was just made may be known by `fullUrl: urn:uuid:...` alone, and the other entries refer
to it by that: such references are rewritten to Type/id, and a resource without id takes the uuid. An
entry of a history or transaction whose request is DELETE has no resource: it becomes one that is
entered in error, the mark by which a single resource is taken back too. Entries of such a bundle, and
of no other, say what was requested (invariant bdl-3), which tells a bundle of changes from a list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import duckdb
import pyarrow as pa

_URN = re.compile(r'"(urn:(?:uuid|oid):[^"\\]+)"')
_CHUNK = 5_000

# A reference in the request of a DELETE is Type/id; conditional deletes (Type?x=y) name no resource.
_DELETED = r"^(?:.*/)?([A-Z][A-Za-z]*)/([A-Za-z0-9.-]{1,64})$"

_TAKE_BACK = """
UPDATE {read} SET item = json_merge_patch(item, json_object('resource', json_object(
    'resourceType', regexp_extract(item ->> '$.request.url', '{deleted}', 1),
    'id', regexp_extract(item ->> '$.request.url', '{deleted}', 2),
    'status', 'entered-in-error'
)))
WHERE (item ->> '$.request.method') = 'DELETE' AND (item -> '$.resource') IS NULL
    AND regexp_matches(item ->> '$.request.url', '{deleted}')
"""

_NAME = """
UPDATE {read} SET item = json_merge_patch(item, json_object('resource', json_object(
    'id', regexp_extract(item ->> '$.fullUrl', '[^:]+$')
)))
WHERE (item ->> '$.fullUrl') LIKE 'urn:%' AND (item -> '$.resource') IS NOT NULL
    AND (item ->> '$.resource.id') IS NULL
"""

_NAMES = """
SELECT (item ->> '$.fullUrl'), (item ->> '$.resource.resourceType') || '/' || (item ->> '$.resource.id')
FROM {read} WHERE (item ->> '$.fullUrl') LIKE 'urn:%'
"""


def settle(con: duckdb.DuckDBPyConnection, read: str) -> bool:
    """Rewrites the entries in table `read` (_line, _record, place, item, fault) of a document.

    True when the bundle tells changes: what it leaves out is still there.
    """
    changes = f"SELECT 1 FROM {read} WHERE (item -> '$.request.method') IS NOT NULL LIMIT 1"
    is_change = con.execute(changes).fetchone() is not None
    con.execute(_TAKE_BACK.format(read=read, deleted=_DELETED))
    con.execute(_NAME.format(read=read))
    names = {urn: name for urn, name in con.execute(_NAMES.format(read=read)).fetchall() if name}
    if names:
        _rewrite(con, read, names)
    return is_change


def _rewrite(con: duckdb.DuckDBPyConnection, read: str, names: Mapping[str, str]) -> None:
    """Replaces each urn that an entry of the document bears by Type/id, wherever it is referred to."""
    found = con.execute(f"SELECT rowid, item FROM {read} WHERE item LIKE '%\"urn:%'")
    written: list[tuple[int, str]] = []
    while rows := found.fetchmany(_CHUNK):
        written += [(row, _URN.sub(lambda m: _named(m, names), item)) for row, item in rows]
    numbers, items = zip(*written, strict=True)
    con.register("_named", pa.table({"row_id": numbers, "item": items}))
    con.execute(f"UPDATE {read} SET item = n.item FROM _named n WHERE {read}.rowid = n.row_id")
    con.unregister("_named")


def _named(match: re.Match[str], names: Mapping[str, str]) -> str:
    return f'"{names.get(match[1], match[1])}"'
