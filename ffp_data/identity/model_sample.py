"""A sample of what a candidate would change, to be read side by side; places of the protected hidden.

Cases are drawn by the hash of their identifiers, so that the same trial shows the same ones and nobody
chooses them; children come before adults, merges before splits. Where any record of a case is
restricted, every record of it is shown without what tells where somebody lives or goes to school:
address, postcode, property, phone, email, pupil number (whose digits name a school) and the sender's
own system and number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import duckdb
import pyarrow as pa

from ffp_data.hub import Preview
from ffp_data.hub.compare import Fate, Outlook

CASES = 12
MOST_RECORDS = 12
SHOWN = (
    "feed", "role", "given_name", "middle_names", "surname", "other_surname", "date_of_birth",
    "expected_birth_date", "sex", "nhs_number", "nhs_number_status", "birth_order",
)  # fmt: skip
PLACES = ("record_key", "address_line", "postcode", "uprn", "phone", "email", "upn")
HIDDEN = "hidden: protected"


def sample(
    con: duckdb.DuckDBPyConnection, preview: Preview, caused: Outlook, kinds: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Cases as plain data: fate, kind, and the records with the part that they are in now and then."""
    now: dict[str, list[str]] = {}
    for record in preview.assignment.group_of:
        if child_id := preview.state.members.get(record):
            now.setdefault(child_id, []).append(record)
    protected = _protected(con)
    cases = []
    for fate in (Fate.MERGED, Fate.SPLIT):
        chosen = sorted(
            (child for child, found in caused.fates.items() if found == fate),
            key=lambda child: (kinds.get(child) == "adult", _drawn(child)),
        )
        for child_id in chosen[:CASES]:
            others = sorted(c for c in caused.partners.get(child_id, ()) if c)
            keys = [r for c in (child_id, *others) for r in sorted(now.get(c, ()))][:MOST_RECORDS]
            hide = not protected.isdisjoint((child_id, *others))
            rows = _rows(con, preview, keys, hide=hide)
            kind = kinds.get(child_id, "unknown")
            cases.append({"fate": fate.value, "kind": kind, "records": rows})
    return cases


_PROTECTED = """
WITH places AS (SELECT postcode, uprn FROM identity.person_records WHERE is_restricted)
SELECT DISTINCT child_id
FROM identity.child_membership JOIN identity.person_records p USING (record_key)
WHERE p.is_restricted
   OR p.postcode IN (SELECT postcode FROM places WHERE postcode IS NOT NULL)
   OR p.uprn IN (SELECT uprn FROM places WHERE uprn IS NOT NULL)
"""


def _protected(con: duckdb.DuckDBPyConnection) -> set[str]:
    """Identifiers of the protected, of those who live with them, and of their neighbours."""
    found = {child_id for (child_id,) in con.execute(_PROTECTED).fetchall()}
    has_view = con.execute(
        "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'single_view'"
        " AND table_name = 'children' AND column_name = 'is_restricted'"
    ).fetchone()
    if has_view and has_view[0]:
        said = con.execute("SELECT child_id FROM single_view.children WHERE is_restricted")
        found |= {child_id for (child_id,) in said.fetchall()}
    return found


def _drawn(child_id: str) -> str:
    return hashlib.sha256(child_id.encode()).hexdigest()


def _rows(
    con: duckdb.DuckDBPyConnection, preview: Preview, keys: Iterable[str], *, hide: bool
) -> list[dict[str, Any]]:
    """The records of a case, with letters for the identifiers of now and numbers for those of then."""
    wanted = pa.table({"record_key": list(keys)}, pa.schema([("record_key", pa.string())]))  # noqa: F841
    columns = (*SHOWN, *PLACES)
    query = (
        f"SELECT {', '.join(columns)} FROM wanted JOIN identity.person_records USING (record_key)"
    )
    found = [dict(zip(columns, row, strict=True)) for row in con.execute(query).fetchall()]
    found.sort(key=lambda row: row["record_key"])
    letters: dict[Any, str] = {}
    rows = []
    for row in found:
        key = row["record_key"]
        before = preview.state.members.get(key)
        after = ("group", preview.assignment.group_of[key])
        shown = dict.fromkeys(PLACES, HIDDEN) if hide else {}
        rows.append(
            {"now": _letter(letters, before, "A"), "then": _letter(letters, after, "1")}
            | row
            | shown
        )
    return [{name: _text(value) for name, value in row.items()} for row in rows]


def _letter(letters: dict[Any, str], what: Any, first: str) -> str:
    if what not in letters:
        used = sum(letter[0].isdigit() == first.isdigit() for letter in letters.values())
        letters[what] = chr(ord("A") + used) if first == "A" else str(1 + used)
    return letters[what]


def _text(value: Any) -> str:
    return "" if value is None else str(value)
