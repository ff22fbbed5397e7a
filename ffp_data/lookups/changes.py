"""What each recipient must be told since a run: of the identifiers they hold, old -> new, in their words.

Who holds what is read from the releases that lie under `out/`, whose manifests this hub signed: the
columns that carry the hub's identifier, in clear or as that recipient's pseudonym of that year. The
events of the runs since then say which identifiers were merged, split, retired, redirected or restored;
where each leads is asked of the register today. A release that the ledger knows and that is sealed, or
lies there no longer, is named, since nobody here can say whom it held.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field

from ffp_data.hub.errors import HubError
from ffp_data.hub.events import EventKind
from ffp_data.hub.models import HubEvent, Run
from ffp_data.lookups.register import Register
from governance.keys import KeyStore
from governance.manifest import MANIFEST, read_manifest
from governance.pseudonym import pseudonym_key, pseudonymise

IDENTIFIERS = frozenset({"child_id"})
"""Columns of extracts that hold the hub's identifier; a return has the council's own child ids instead."""

TOLD = (
    EventKind.MERGED,
    EventKind.RETIRED,
    EventKind.REDIRECTED,
    EventKind.RESTORED,
    EventKind.SPLIT,
    EventKind.MOVED,
)
_SPLITTING = frozenset({EventKind.SPLIT, EventKind.MOVED})


class Change(BaseModel):
    """One identifier that a recipient holds, and what became of it."""

    model_config = ConfigDict(frozen=True)

    recipient: str
    purpose: str
    agreement: str
    epoch: str = Field(description="The year whose pseudonyms both sides are in.")
    what: list[str] = Field(description="merged, retired, redirected, restored, split or moved.")
    old: str = Field(
        description="The identifier that the recipient holds, in the recipient's form."
    )
    new: list[str] = Field(
        description="What it leads to today, in the same form; first what it is now."
    )


class Told(BaseModel):
    """Everything that recipients must be told since a run."""

    model_config = ConfigDict(frozen=True)

    since: str
    changes: list[Change]
    cannot_say: list[str] = Field(
        description="Releases that the ledger knows and that are sealed or gone: whom they held is unknown."
    )


def changes_since(
    register: Register,
    out: Path,
    keys: KeyStore,
    since: str,
    released: Iterable[dict[str, Any]],
    recipient: str | None = None,
) -> Told:
    """Changes of what recipients hold. `released`: facts of the ledger's release events, in order.

    Raises HubError for an unknown run.
    """
    affected = _affected(register, since)
    holdings = [
        h for h in _holdings(out, keys) if recipient is None or h.manifest["recipient"] == recipient
    ]
    found = {
        (change.recipient, change.purpose, change.epoch, change.old): change
        for holding in holdings
        for change in holding.changes(affected)
    }
    lie_here = {holding.key for holding in holdings}
    gone = sorted(
        f"{recipient_}, {purpose}, as at {as_at}"
        for recipient_, purpose, as_at in _released(released) - lie_here
        if recipient is None or recipient_ == recipient
    )
    return Told(since=since, changes=[found[key] for key in sorted(found)], cannot_say=gone)


Affected = dict[str, tuple[list[str], list[str]]]
"""Identifier -> (what happened, what it leads to today)."""


def _affected(register: Register, since: str) -> Affected:
    with register.connect() as connection:
        seq = connection.scalar(sa.select(Run.seq).where(Run.run_id == since))
        if seq is None:
            raise HubError(f"the hub has no run {since}; runs are listed by: ffp hub runs")
        query = (
            sa.select(HubEvent.kind, HubEvent.child_id, HubEvent.other_child_id)
            .where(HubEvent.run_seq > seq, HubEvent.kind.in_([kind.value for kind in TOLD]))
            .order_by(HubEvent.event_id)
        )
        events = connection.execute(query).all()
    happened: dict[str, dict[str, None]] = {}
    parts: dict[str, set[str]] = {}
    for kind, child_id, other in events:
        happened.setdefault(child_id, {})[kind] = None
        if other is not None and kind in _SPLITTING:
            parts.setdefault(child_id, set()).add(other)
    everybody = {*happened, *(p for each in parts.values() for p in each)}
    in_use = register.in_use(everybody)
    return {
        child: (list(what), _leads(child, parts.get(child, set()), in_use))
        for child, what in happened.items()
        if child in in_use
    }


def _leads(child: str, parts: set[str], in_use: dict[str, str]) -> list[str]:
    own = in_use[child]
    return [own, *sorted({in_use[part] for part in parts if part in in_use} - {own})]


class _Holding:
    """One release that lies under `out/`: who has it, and the identifiers in it."""

    def __init__(self, folder: Path, manifest: dict[str, Any], keys: KeyStore) -> None:
        self.folder, self.manifest = folder, manifest
        about = (manifest["recipient"], manifest["purpose"], manifest["epoch"])
        self._pseudonyms = pseudonym_key(keys, *about)

    @property
    def key(self) -> tuple[str, str, str]:
        return self.manifest["recipient"], self.manifest["purpose"], self.manifest["as_at"]

    def changes(self, affected: Affected) -> Iterator[Change]:
        for transform in ("clear", "pseudonymised"):
            if held := self._held(transform):
                for child, (what, leads_to) in affected.items():
                    (old, *new) = self._forms([child, *leads_to], transform)
                    if old in held:
                        yield self._change(what, old, new)

    def _change(self, what: list[str], old: str, new: list[str]) -> Change:
        about = {n: self.manifest[n] for n in ("recipient", "purpose", "agreement", "epoch")}
        return Change(**about, what=what, old=old, new=new)

    def _forms(self, child_ids: Sequence[str], transform: str) -> list[str]:
        if transform == "clear":
            return list(child_ids)
        return [token for token in pseudonymise(self._pseudonyms, child_ids) if token]

    def _held(self, transform: str) -> set[str]:
        """The identifiers in the columns of this transform."""
        held: set[str] = set()
        for table in self.manifest["tables"]:
            path = self.folder / f"{table['relation'].partition('.')[2]}.parquet"
            names = [c["name"] for c in table["columns"] if _is_identifier(c, transform)]
            if names and path.is_file():
                rows = pq.read_table(path, columns=names)
                held.update(v for name in names for v in rows[name].to_pylist() if v is not None)
        return held


def _is_identifier(column: dict[str, str], transform: str) -> bool:
    if column["transform"] != transform:
        return False
    return column["name"].removesuffix("_pseudonym") in IDENTIFIERS


def _holdings(out: Path, keys: KeyStore) -> Iterator[_Holding]:
    for path in sorted(out.rglob(MANIFEST)):
        manifest = read_manifest(path.parent, keys.trusted)
        if "sealed" in manifest:
            continue  # only its recipient can read it: `cannot_say` names it
        if any(_carries_identifier(table) for table in manifest["tables"]):
            yield _Holding(path.parent, manifest, keys)


def _carries_identifier(table: dict[str, Any]) -> bool:
    return any(_is_identifier(c, t) for c in table["columns"] for t in ("clear", "pseudonymised"))


def _released(events: Iterable[dict[str, Any]]) -> set[tuple[str, str, str]]:
    """Releases with an identifier that the ledger knows of."""
    return {
        (facts["recipient"], facts["purpose"], facts["as_at"])
        for facts in events
        if _carries_identifier({"columns": facts["columns"]})
    }
