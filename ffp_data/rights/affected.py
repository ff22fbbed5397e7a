"""Who is affected when something was lost: the list for the notice of a personal data breach.

The ICO must be told within 72 hours (UK GDPR Art 33) which categories and how many people, and the people
themselves without delay where the risk is high (Art 34). What was lost is named by a release (its folder,
or its manifest's SHA-256), a run, a recipient, or a key: that of a recipient, to which extracts were sealed.
The lists of whom each release disclosed hold references; here the register's keys turn them back into
identifiers. References of children who were erased or sealed since lead to nobody, and are counted.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field

from ffp_data.hub.models import Person
from ffp_data.rights.disclosures import DisclosureRegister, GivenField, fields_given
from governance.files import replacing, sha256_of_file
from governance.manifest import MANIFEST
from governance.subject_lists import FOLDER, REFERENCE, read_list

COLUMNS = (
    "child_id", "current", "recipient", "purpose", "agreement", "released_at", "as_at", "is_sealed",
    "tables", "fields", "categories", "manifest",
)  # fmt: skip
_HEX = frozenset("0123456789abcdef")
_SHORTEST = 8


class NothingLostError(Exception):
    """No release fits what was named."""


class Lost(BaseModel):
    """One release among what was lost."""

    model_config = ConfigDict(frozen=True)

    number: int = Field(description="The event's number in the ledger.")
    released_at: str
    recipient: str
    purpose: str
    agreement: str
    as_at: str
    manifest: str
    sealed_to: str | None = Field(description="Id of the key it was encrypted to; null: in clear.")
    fields: list[GivenField]
    categories: list[str]
    children: int
    unknown: int = Field(description="Of them erased or sealed since, whom nobody can name.")


class Affected(BaseModel):
    """The people affected, and by what."""

    model_config = ConfigDict(frozen=True)

    asked: str
    fits: str = Field(description="What the name was taken for: run, release, recipient or key.")
    children: int
    unknown: int
    categories: dict[str, int] = Field(description="Children by category of what was lost.")
    releases: list[Lost]


@dataclass(frozen=True)
class Row:
    """A child in a release, and in which of its tables."""

    child_id: str
    current: str
    release: Lost
    tables: tuple[str, ...]

    def as_cells(self) -> dict[str, str]:
        own = [each for each in self.release.fields if each.relation in self.tables]
        return {
            "child_id": self.child_id,
            "current": self.current,
            "recipient": self.release.recipient,
            "purpose": self.release.purpose,
            "agreement": self.release.agreement,
            "released_at": self.release.released_at,
            "as_at": self.release.as_at,
            "is_sealed": "yes" if self.release.sealed_to else "no",
            "tables": "; ".join(self.tables),
            "fields": "; ".join(f"{e.relation}.{e.name} ({e.transform})" for e in own),
            "categories": "; ".join(sorted({e.category for e in own})),
            "manifest": self.release.manifest,
        }


@dataclass(frozen=True)
class _Child:
    child_id: str
    current: str


def affected_by(register: DisclosureRegister, what: str) -> tuple[Affected, list[Row]]:
    """Everybody in the releases that ``what`` names. Raises NothingLostError, SubjectListError."""
    with register.index.opened() as answers:
        events, runs = list(answers.releases()), answers.run_numbers()
    fits, lost = _fitting(events, runs, what)
    people = _people(register)
    rows: list[Row] = []
    releases = []
    for event in lost:
        told, own = _of_release(register, event, people)
        releases.append(told)
        rows += own
    everybody: dict[str, set[str]] = {}
    for row in rows:
        given = {e.category for e in row.release.fields if e.relation in row.tables}
        everybody.setdefault(row.current, set()).update(given)
    by_category = Counter(category for each in everybody.values() for category in each)
    return Affected(
        asked=what,
        fits=fits,
        children=len(everybody),
        unknown=max((each.unknown for each in releases), default=0),
        categories=dict(sorted(by_category.items())),
        releases=releases,
    ), sorted(rows, key=lambda row: (row.current, row.child_id, row.release.number))


def _fitting(
    events: Sequence[Mapping[str, Any]], runs: Mapping[str, int], what: str
) -> tuple[str, list[Mapping[str, Any]]]:
    """The releases that a name fits, and what it was taken for.

    A run's releases are those between its assignment of identifiers and that of the next run.
    """
    manifest, made = _manifest_of(Path(what)), _made_by(runs, what)
    ways: dict[str, Callable[[Mapping[str, Any]], bool]] = {
        "release": lambda e: (
            e["facts"]["manifest"] == manifest or _begins(e["facts"]["manifest"], what)
        ),
        "recipient": lambda e: bool(e["facts"]["recipient"] == what),
        "run": lambda e: e["number"] in made,
        "key": lambda e: _begins(e["facts"].get("sealed_to"), what),
    }
    for name, fits in ways.items():
        if found := [event for event in events if fits(event)]:
            return name, found
    raise NothingLostError(
        f"{what}: no release has this folder, manifest, run, recipient or key; see: ffp ledger show --kind released"
    )


def _made_by(runs: Mapping[str, int], run_id: str) -> range:
    begun = runs.get(run_id)
    if begun is None:
        return range(0)
    return range(begun, min((n for n in runs.values() if n > begun), default=sys.maxsize))


def _manifest_of(path: Path) -> str | None:
    for each in (path, path / MANIFEST):
        if each.name == MANIFEST and each.is_file():
            return sha256_of_file(each)
    return None


def _begins(digest: str | None, what: str) -> bool:
    is_part = len(what) >= _SHORTEST and set(what.lower()) <= _HEX
    return bool(digest) and is_part and str(digest).startswith(what.lower())


def _people(register: DisclosureRegister) -> dict[bytes, _Child]:
    """Everybody whom the register knows, by reference."""
    subjects = register.access.subjects
    with subjects.engine.connect() as connection:
        rows = connection.execute(sa.select(Person.child_id, Person.replaced_by))
        led_to = {child: successor for child, successor in rows}
    known = subjects.keys.known(led_to.keys())
    return {bytes.fromhex(r): _Child(c, _end(c, led_to)) for c, r in known.items()}


def _end(child_id: str, led_to: Mapping[str, str | None]) -> str:
    while (successor := led_to.get(child_id)) is not None:
        child_id = successor
    return child_id


def _of_release(
    register: DisclosureRegister, event: Mapping[str, Any], people: Mapping[bytes, _Child]
) -> tuple[Lost, list[Row]]:
    facts = event["facts"]
    listed = _list_of(register, facts)
    relations = listed.column_names[1:]
    is_in = [listed[relation].to_numpy() for relation in relations]
    bits = np.zeros(listed.num_rows, np.int64)
    for bit, column in enumerate(is_in):
        bits |= column.astype(np.int64) << bit
    whole = (1 << len(relations)) - 1
    fields = list(fields_given(facts, whole)) if relations else []
    children = [people.get(each) for each in listed[REFERENCE].to_pylist()]
    told = Lost(
        number=event["number"],
        released_at=event["at"],
        recipient=facts["recipient"],
        purpose=facts["purpose"],
        agreement=facts["agreement"],
        as_at=facts["as_at"],
        manifest=facts["manifest"],
        sealed_to=facts.get("sealed_to"),
        fields=fields,
        categories=sorted({each.category for each in fields}),
        children=len(children),
        unknown=children.count(None),
    )
    return told, list(_rows(told, relations, children, bits.tolist()))


def _rows(
    told: Lost, relations: Sequence[str], children: Sequence[_Child | None], bits: Sequence[int]
) -> Iterator[Row]:
    tables: dict[int, tuple[str, ...]] = {}
    for child, mask in zip(children, bits, strict=True):
        if mask not in tables:
            tables[mask] = tuple(r for bit, r in enumerate(relations) if mask >> bit & 1)
        if child is not None:
            yield Row(child.child_id, child.current, told, tables[mask])


def _list_of(register: DisclosureRegister, facts: Mapping[str, Any]) -> pa.Table:
    if said := facts.get("subject_list"):
        return read_list(register.access.ledger.directory / FOLDER, said)
    return pa.table({REFERENCE: pa.array([], pa.binary())})  # of before lists were kept


def write_affected(told: Affected, rows: Sequence[Row], out: Path) -> None:
    """Write the officer's list, .csv or .json, whole or not at all and for its owner's eyes."""
    if out.suffix == ".json":
        whole = {**told.model_dump(), "people": [row.as_cells() for row in rows]}
        text = json.dumps(whole, indent=1, ensure_ascii=False)
    else:
        buffer = io.StringIO(newline="")
        writer = csv.DictWriter(buffer, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(row.as_cells() for row in rows)
        text = buffer.getvalue()
    with replacing(out) as handle:
        handle.write(text.encode())
