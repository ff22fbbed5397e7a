"""Erasure: a person leaves every place of the home, nothing is kept, and the key of the person is destroyed.

The removal is that of a seal (`ffp_data.sealing.removal`), journalled and resumable, without a vault. Two people
order it, and no hold may stand. Rows that come again later are kept out by a keyed filter, or, by choice,
let in as somebody new: the hub then has no way to tell that they are the same. The person's reference in the
ledger is written once more and can't be tied to anybody afterwards, since its key is gone; the chain stands.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ffp_data import feeds
from ffp_data.home import pending
from ffp_data.home.run import Run, sole_run
from ffp_data.hub import seals
from ffp_data.hub.child_id import parse
from ffp_data.hub.database import writing
from ffp_data.hub.events import EventKind
from ffp_data.hub.lookup import resolve
from ffp_data.hub.order_models import ErasedToken
from ffp_data.hub.subject_keys import open_subject_keys
from ffp_data.rights import hold
from ffp_data.rights.hold import HeldError
from ffp_data.rights.orders import Orders
from ffp_data.sealing.removal import Removal, SealError
from ffp_data.sealing.report import Counts, Report
from ffp_data.sealing.sieve import erased_key, spent_key, spent_token, token
from ffp_data.sealing.subject import Subject, gather
from ffp_data.warehouse import connect


@dataclass(frozen=True)
class Ordered:
    """Who orders an erasure, who agrees, and why; `late`: whether rows that come again stay out."""

    by: str
    second: str
    reason: str
    keeps_late_out: bool = True

    def require(self) -> None:
        """Raises SealError where it is not two people with a reason."""
        if not self.by.strip() or not self.second.strip() or not self.reason.strip():
            raise SealError(
                "an erasure needs who orders it (--by), who agrees (--second) and a reason (--reason)"
            )
        if self.by.strip().casefold() == self.second.strip().casefold():
            raise SealError("--by and --second are one person; somebody else must agree")


Classes = Callable[[], Mapping[str, Collection[str]]]
"""The classes of retention by identifier; asked only where a hold on a class stands."""


@dataclass(frozen=True)
class Records:
    """Records of people who stay: what their sources no longer send."""

    keys: tuple[str, ...]


def erase(
    run: Run,
    child_ids: Sequence[str],
    ordered: Ordered,
    *,
    classes: Classes,
    records: Records | None = None,
) -> Report:
    """Erase these people, and `records` of others, or go on with the erasure under way.

    Raises HeldError (which stands in the ledger), SealError, UnknownIdentifierError and InvalidIdentifierError.
    """
    ordered.require()
    with sole_run(run.home, lambda: None), pending.sealing(run.home):
        work = _Erasure(run, ordered)
        try:
            if not work.resumes(child_ids):
                subject = work.gather(child_ids, records)
                _refuse_held(run, subject, classes)
                work.start(
                    subject,
                    keeps_late_out=ordered.keeps_late_out,
                    people=len(child_ids),
                    subjects=work.references(subject),
                )
            return work.finish()
        finally:
            work.engine.dispose()


def _refuse_held(run: Run, subject: Subject, classes: Classes) -> None:
    feeds_of = {key.partition("|")[0] for key in subject.records}
    with Orders(run.home) as orders:
        holds = hold.standing(orders)
    known = classes() if holds.classes else {}
    found = sorted(
        {n for child in subject.child_ids for n in holds.of(child, feeds_of, known.get(child, ()))}
    )
    if found:
        numbers = ", ".join(map(str, found))
        run.ledger.append("erasure_refused", holds=found)
        raise HeldError(
            f"held by {numbers}: nothing is erased until that is lifted (ffp hold list)"
        )


class _Erasure(Removal):
    """One erasure under way."""

    kind = EventKind.ERASED
    begun, ended = "erasure_begun", "erased"
    lasting = ("filter", "keys")

    def __init__(self, run: Run, ordered: Ordered) -> None:
        super().__init__(run, f"{ordered.by}, {ordered.second}", ordered.reason)

    def gather(self, child_ids: Sequence[str], records: Records | None) -> Subject:
        """All these identities as one: what any of them alone has is theirs."""
        ids, keys = set[str](), set(records.keys if records else ())
        with self.engine.connect() as connection:
            for child in child_ids:
                own, held = seals.identity_of(connection, resolve(connection, parse(child)))
                ids |= own
                keys |= held
        with connect(self.home) as con:
            feeds.create_empty_raw_tables(con, self.contracts)
            self._refuse_other_landing(con)
            return gather(con, self.contracts, "", ids, keys)

    def references(self, subject: Subject) -> list[str]:
        """What stands for them in the ledger, of those who have a key."""
        keys = open_subject_keys(self.engine, self.run.keys)
        return sorted(keys.known(subject.child_ids).values())

    def _fill_filter(self) -> Counts:
        keys, ids = self.run.keys, self.subject.ids if self.state["keeps_late_out"] else set()
        new = [token(erased_key(keys), *each) for each in ids]
        spent = [spent_token(spent_key(keys), child) for child in self.subject.child_ids]
        with writing(self.engine) as connection:
            seals.add_tokens(connection, new, spent, ErasedToken)
        return {"tokens": len(new), "identifiers": len(spent)}

    def _tell(self, kind: str, **counts: Any) -> None:
        more = {"people": self.state["people"], "subjects": self.state["subjects"]}
        super()._tell(kind, **counts, **more)
