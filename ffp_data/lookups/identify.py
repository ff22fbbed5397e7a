"""Who a child is, by what is known: candidates out of the records of a run's snapshot.

The gate decides first, and the read is written down, with the candidates it shows, before anybody sees them.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import NamedTuple

from ffp_data.home.protected import PLACES
from ffp_data.lookups.demographics import FIELDS, Demographics
from ffp_data.lookups.grading import SHOWN, Answer, grade
from ffp_data.lookups.register import Register
from ffp_data.serving import Served, Serving
from governance.access import Gate, Principal, Right
from linkage.lookup import Match, TooLittleError
from linkage.spec import Thresholds


class NotEnoughError(ValueError):
    """Too little is known to look for anybody; the message says what would do."""

    @classmethod
    def of(cls, ways: list[tuple[str, ...]]) -> NotEnoughError:
        """Name the fields that suffice, without sets that hold another one."""
        known = [{FIELDS[c] for c in way} for way in ways if set(way) <= FIELDS.keys()]
        least = [way for way in known if not any(other < way for other in known)]
        told = "; or ".join(" and ".join(sorted(way)) for way in least)
        return cls(f"too little is known to look for anybody; give {told}")


class NamesThePersonError(ValueError):
    """A reason that repeats what the search gives: the ledger would then name the person."""


class _Found(NamedTuple):
    """The records that may be the one looked for, with the child of each, and what they rest on."""

    matches: list[Match]
    child_of: dict[str, str]
    thresholds: Thresholds
    meta: Mapping[str, str]


class Identify:
    """The look-up by what is known; safe for several threads."""

    def __init__(self, register: Register, records: Serving[Served], gate: Gate) -> None:
        """`records` keeps the snapshot that is searched."""
        self._register, self._records, self._gate = register, records, gate

    def __call__(self, who: Principal, known: Demographics, reason: str | None) -> Answer:
        """Candidates for what is known of a child.

        Raises AccessDeniedError, NotEnoughError, TooManyError (of linkage: too many share it),
        NothingPublishedError, NamesThePersonError.
        """
        self._gate.check(who, Right.IDENTIFY, reason=reason)
        _refuse_names(known, reason)
        try:
            searched = self._search(known.record())
        except TooLittleError as error:
            raise NotEnoughError.of(error.ways) from None
        in_use = self._register.in_use(set(searched.child_of.values()))
        if hidden := self._register.shielded() & set(in_use.values()):
            searched = self._as_if_placeless(searched, known, hidden)
        own, meta = searched.child_of, searched.meta
        found = grade(searched.matches, lambda r: in_use.get(own[r]), searched.thresholds)
        shown = found[:SHOWN]
        self._gate.read(
            who,
            Right.IDENTIFY,
            subjects=[candidate.child_id for candidate in shown],
            reason=reason,
            fields=known.given,
            found=len(found),
        )
        return Answer(
            candidates=shown,
            more=len(found) - len(shown),
            model=meta["model_version"],
            run=meta["run_id"],
            as_at=meta["as_at"],
        )

    def _search(self, record: Mapping[str, str | None]) -> _Found:
        served = self._records.served()
        matches = served.lookup.find(record)
        own = {match.record_id: served.child_of(match.record_id) for match in matches}
        return _Found(matches, own, served.model.thresholds, served.meta)

    def _as_if_placeless(self, first: _Found, known: Demographics, hidden: Set[str]) -> _Found:
        """The search as if no place of these children were known: they were shielded since the last run."""
        record = {name: value for name, value in known.record().items() if name not in PLACES}
        try:
            again = self._search(record)
        except TooLittleError:  # a place was all that led to them
            again = first._replace(matches=[], child_of={})
        in_use = self._register.in_use({*first.child_of.values(), *again.child_of.values()})
        seen = [m for m in first.matches if in_use.get(first.child_of[m.record_id]) not in hidden]
        seen += [m for m in again.matches if in_use.get(again.child_of[m.record_id]) in hidden]
        return first._replace(matches=seen, child_of={**first.child_of, **again.child_of})


def _refuse_names(known: Demographics, reason: str | None) -> None:
    words = (reason or "").casefold()
    for value in known.record().values():
        if value and len(value) > 1 and value.casefold() in words:
            raise NamesThePersonError(
                "the reason repeats what is searched for; say why, not who: it is kept in the ledger"
            )
