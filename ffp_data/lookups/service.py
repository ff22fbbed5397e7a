"""Every look-up by identifier or run behind one gate: commands and API ask here, and nothing is answered past it.

Each method takes who asks (`Principal`) and why, lets the gate decide, writes the read down and only then
answers. A sealed identity is not there: it is answered like an identifier that was never issued.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ffp_data.access import Access
from ffp_data.hub.child_id import canonical
from ffp_data.hub.errors import HubError
from ffp_data.hub.events import PastEvent
from ffp_data.lookups.answers import Child, Event, History, Resolution
from ffp_data.lookups.changes import Told, changes_since
from ffp_data.lookups.register import Register
from ffp_data.serving import NothingPublishedError, People, Served, Serving
from governance.access import Gate, Principal, Right
from governance.pseudonym import pseudonymise

_WITHHELD = "lookups/withheld-record-keys"


class NotThereError(Exception):
    """No such identifier or run in this hub, or a text that can't be one."""


class Lookups:
    """The look-ups of one home; safe for several threads."""

    def __init__(
        self,
        access: Access,
        register: Register,
        people: Serving[People] | Serving[Served],
        gate: Gate | None = None,
    ) -> None:
        """`gate` replaces the home's own, which waits for the disk at each read."""
        self._access, self._register, self._people = access, register, people
        self._gate = gate or access.gate

    def resolve(self, who: Principal, child_id: str, reason: str | None = None) -> Resolution:
        """The identifier in use for one that was issued; raises NotThereError, AccessDeniedError."""
        self._gate.read(who, Right.RESOLVE, subjects=[canonical(child_id)], reason=reason)
        with _told():
            return Resolution(asked=child_id, current=self._register.resolve(child_id))

    def child(self, who: Principal, child_id: str, reason: str | None = None) -> Child:
        """An identifier and how it stands; who it is, for a role that may know and tells why.

        Raises NotThereError, AccessDeniedError.
        """
        self._gate.read(who, Right.RESOLVE, subjects=[canonical(child_id)], reason=reason)
        with _told():
            standing = self._register.standing(child_id)
        is_protected, person = self._person(who, standing.in_use, reason)
        return Child(
            child_id=standing.child_id,
            current=standing.in_use,
            issued_on=standing.issued_on,
            records=standing.records,
            place_withheld=is_protected,
            **person,
        )

    def _person(
        self, who: Principal, child_id: str, reason: str | None
    ) -> tuple[bool, dict[str, Any]]:
        """(is the child protected, what this role may know of who it is)."""
        served = self._snapshot()
        is_protected = served is None or bool(self._protected_of({child_id}))
        if served is None or not self._may(who, Right.PERSON, reason):
            return is_protected, {}
        self._gate.read(who, Right.PERSON, subjects=[child_id], reason=reason)
        row = served.person(child_id) or {}
        person = {
            "given_name": row.get("given_name"),
            "middle_names": row.get("middle_names"),
            "family_name": row.get("surname"),
            "birth_date": row.get("date_of_birth"),
            "expected_birth_date": row.get("expected_birth_date"),
            "sex": row.get("sex"),
            "nhs_number": row.get("nhs_number"),
            "nhs_number_status": row.get("nhs_number_status"),
        }
        if not is_protected and self._may(who, Right.PLACE, reason):
            person["postcode"] = row.get("postcode")
        return is_protected, person

    def history(self, who: Principal, child_id: str, reason: str | None = None) -> History:
        """Everything that happened to an identifier; raises NotThereError, AccessDeniedError."""
        self._gate.read(who, Right.HISTORY, subjects=[canonical(child_id)], reason=reason)
        with _told():
            current = self._register.resolve(child_id)
            events = self._register.history(child_id)
        named = {c for e in events for c in (e.child_id, e.other_child_id) if c} | {current}
        shows = self._sees_keys(who) and (
            self._may(who, Right.PROTECTED_PLACE, reason) or not self._any_protected(named)
        )
        return History(
            child_id=child_id, current=current, events=[_event(e, shows) for e in events]
        )

    def as_of(
        self, who: Principal, when: date | str, reason: str | None = None
    ) -> tuple[pa.Table, int]:
        """Membership as at a day or after a run, and how many records stand as pseudonyms.

        Keys of records can name a school: those of protected people are withheld from a role that may not
        see their place. Raises NotThereError, AccessDeniedError.
        """
        self._gate.read(who, Right.AS_OF, reason=reason, as_of=str(when))
        with _told():
            table = self._register.as_of(when)
        if self._may(who, Right.PROTECTED_PLACE, reason):
            self._gate.read(who, Right.PROTECTED_PLACE, reason=reason, as_of=str(when))
            return table, 0
        return self._without_places(table)

    def export(self, who: Principal, *, whole: bool, file: str) -> tuple[pa.Table, int]:
        """record_key and child_id of every record, and how many keys stand as pseudonyms.

        `whole`: whoever asks may see protected people's places in another of their roles. Raises
        AccessDeniedError.
        """
        facts = self._gate.check(who, Right.EXPORT)
        table, withheld = self._register.membership(), 0
        if not whole:
            table, withheld = self._without_places(table)
        self._gate.append(
            "identifiers_exported", **facts, file=file, rows=table.num_rows, withheld=withheld
        )
        return table.select(["record_key", "child_id"]), withheld

    def changes(
        self, who: Principal, since: str, recipient: str | None = None, reason: str | None = None
    ) -> Told:
        """What each recipient must be told since a run; a service is told its own alone.

        Raises NotThereError, AccessDeniedError.
        """
        right, asked = Right.CHANGES, recipient
        if not self._access.roles.may(who, Right.CHANGES) and recipient in (None, who.name):
            right, asked = Right.OWN_CHANGES, who.name
        self._gate.read(who, right, reason=reason, since=since, recipient=asked)
        out, keys = self._access.home.out, self._access.keys
        with _told():
            return changes_since(self._register, out, keys, since, self._releases(), asked)

    def runs(self) -> list[dict[str, object]]:
        """The runs that the register knows; of nobody, so nobody is asked."""
        return self._register.runs()

    def _releases(self) -> Iterator[dict[str, Any]]:
        for event in self._access.ledger.events("released"):
            yield event["facts"]

    def _without_places(self, table: pa.Table) -> tuple[pa.Table, int]:
        children = table["child_id"].unique().to_pylist()
        in_use = self._register.in_use(children)
        hidden = self._protected_of(set(in_use.values()))
        gone = [c for c in children if c not in in_use or in_use[c] in hidden]
        keys, withheld = (
            table["record_key"],
            pc.is_in(table["child_id"], pa.array(gone, pa.string())),
        )
        some = pc.filter(keys, withheld).to_pylist()
        key = self._access.keys.key(_WITHHELD)
        tokens = pa.array(pseudonymise(key, some), pa.string())
        mask = pa.chunked_array([withheld.combine_chunks()])
        shown = pc.replace_with_mask(keys.combine_chunks(), mask.combine_chunks(), tokens)
        changed = table.set_column(0, "record_key", shown)
        return changed.sort_by("record_key"), len(some)

    def _any_protected(self, child_ids: set[str]) -> bool:
        in_use = self._register.in_use(child_ids)
        return len(in_use) < len(child_ids) or bool(self._protected_of(set(in_use.values())))

    def _protected_of(self, child_ids: set[str]) -> set[str]:
        """Which of these are protected; all of them while nothing says who is."""
        served = self._snapshot()
        if served is None:
            return child_ids
        return child_ids & (served.protected | self._register.shielded())

    def _snapshot(self) -> People | None:
        try:
            return self._people.served()
        except NothingPublishedError:
            return None

    def _sees_keys(self, who: Principal) -> bool:
        return any(self._access.roles.may(who, right) for right in (Right.EVIDENCE, Right.EXPORT))

    def _may(self, who: Principal, right: Right, reason: str | None) -> bool:
        """Whether a role may, and says why where it must: what is beyond it is left out, not refused."""
        roles = self._access.roles
        return roles.may(who, right) and (bool(reason) or not roles.needs_reason(who, right))


@contextmanager
def _told() -> Iterator[None]:
    """The register's refusals as one: a sealed identity must look like one that was never issued."""
    try:
        yield
    except HubError as error:
        raise NotThereError(str(error)) from error


def _event(event: PastEvent, shows_keys: bool) -> Event:
    strongest = event.evidence.get("strongest_pair") or {}
    return Event(
        event=str(event.kind),
        child_id=event.child_id,
        other=event.other_child_id,
        run=event.run_id,
        as_at=event.as_at,
        at=event.at,
        model=event.model_version,
        reason=str(event.reason),
        record_count=len(event.records),
        records=list(event.records) if shows_keys else None,
        strongest_probability=strongest.get("probability"),
    )
