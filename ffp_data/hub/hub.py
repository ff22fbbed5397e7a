"""The identifier hub: issues identifiers, keeps them across runs, and can tell why they changed."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import sqlalchemy as sa

from ffp_data.hub import lease, lookup, review, seals, store
from ffp_data.hub.child_id import IdSource, new_child_id, parse
from ffp_data.hub.database import create_engine, migrate, writing
from ffp_data.hub.events import PastEvent
from ffp_data.hub.review import PastDecision
from ffp_data.hub.runs import Preview, RunRequest, RunSummary, apply_run, preview_run
from ffp_data.hub.state import Facts, Links, RecordPair, Rules
from ffp_data.hub.subject_keys import HubKeys
from governance.subjects import SubjectKeys


class Hub:
    """One hub on one database. Each method is one transaction. Reviewers decide at ``ffp_data.review.desk``.

    ``token``: the fencing token of the lease under which this hub's runs are written. ``spent_key``:
    the key to identifiers that were sealed, without which a hub that has any issues none. ``kek``: the key
    under which each child's own key is wrapped; without it none are made.
    """

    def __init__(
        self,
        engine: sa.Engine,
        id_source: IdSource = new_child_id,
        token: int | None = None,
        spent_key: bytes | None = None,
        kek: bytes | None = None,
    ) -> None:
        self._engine = engine
        self._id_source = id_source
        self._token = token
        self._spent_key = spent_key
        self._kek = kek

    @classmethod
    def open(
        cls,
        url: str,
        id_source: IdSource = new_child_id,
        token: int | None = None,
        spent_key: bytes | None = None,
        kek: bytes | None = None,
    ) -> Hub:
        """Open a hub by its SQLAlchemy URL; creates its tables, or migrates them."""
        engine = create_engine(url)
        migrate(engine)
        return cls(engine, id_source, token, spent_key, kek)

    def close(self) -> None:
        self._engine.dispose()

    def __enter__(self) -> Hub:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def apply_run(
        self,
        run_id: str,
        as_at: date,
        model_version: str,
        clusters: pa.Table,
        pairs: pa.Table | None = None,
        *,
        rules: Rules = Rules(),  # noqa: B008 - frozen
        allow_large_change: bool = False,
        facts: Facts = Facts(),  # noqa: B008 - frozen
    ) -> RunSummary:
        """Give every record of a run its identifier, all in one transaction.

        clusters and pairs are the linkage engine's tables (``Links.from_arrow``), facts what the
        records themselves say: NHS numbers, merges by their sender, corrections. The same
        input as the last run's writes nothing. Raises HubChangeLimit when too many existing
        identifiers would change, RunConflictError for a run id in use or an as-at date before the
        last run's, InvalidInputError for tables that break their contract, LeaseLostError for a run
        that was overtaken and LeaseHeldError for one without the lease while another has it.
        """
        links = Links.from_arrow(clusters, pairs)
        request = RunRequest(run_id, as_at, model_version, rules, allow_large_change, facts)
        with writing(self._engine) as connection:
            lease.require(connection, self._token)
            ids = seals.unspent(connection, self._id_source, self._spent_key)
            summary = apply_run(connection, request, links, ids)
            if self._kek is not None:
                SubjectKeys(HubKeys(self._engine, connection), self._kek).ensure()
            lease.renew(connection, self._token)  # a long transaction let no sign of life through
            return summary

    def preview(
        self,
        clusters: pa.Table,
        pairs: pa.Table | None = None,
        *,
        rules: Rules = Rules(),  # noqa: B008 - frozen
        facts: Facts = Facts(),  # noqa: B008 - frozen
    ) -> Preview:
        """What ``apply_run`` would make of these links now; writes nothing."""
        links = Links.from_arrow(clusters, pairs)
        with self._engine.connect() as connection:
            return preview_run(connection, links, rules, facts)

    def last_run(self) -> str | None:
        """Id of the last run that was written."""
        with self._engine.connect() as connection:
            last = store.last_run(connection)
        return None if last is None else str(last.run_id)

    def last_model(self) -> str | None:
        """Name, version and digest of the model of the last run that was written."""
        with self._engine.connect() as connection:
            last = store.last_run(connection)
        return None if last is None else str(last.model_version)

    def membership(self) -> pa.Table:
        """record_key, child_id, linked_since (date), link_confidence (double); by record_key."""
        with self._engine.connect() as connection:
            return lookup.current_membership(connection)

    def as_of(self, when: date | str) -> pa.Table:
        """Membership as it was after a run (its id), or as at a date; columns of ``membership``.

        A date stands for the last run whose as-at date isn't after it; before the first run
        the table is empty. Raises HubError for an unknown run.
        """
        with self._engine.connect() as connection:
            return lookup.membership_as_of(connection, when)

    def resolve(self, child_id: str) -> str:
        """The identifier in use for one that was ever issued; follows replacements to their end.

        Raises InvalidIdentifierError for a mistyped text, UnknownIdentifierError for one never issued.
        """
        wanted = parse(child_id)
        with self._engine.connect() as connection:
            return lookup.resolve(connection, wanted)

    def history(self, child_id: str) -> tuple[PastEvent, ...]:
        """Every event that names the identifier, oldest first; errors as for ``resolve``."""
        wanted = parse(child_id)
        with self._engine.connect() as connection:
            lookup.resolve(connection, wanted)
            return lookup.history(connection, wanted)

    def decisions(self) -> tuple[PastDecision, ...]:
        """Every decision ever taken, oldest first."""
        with self._engine.connect() as connection:
            return review.load_decisions(connection)

    def parted_by_reviewers(self) -> frozenset[str]:
        """Records that a decision ever took from the identifier that a run had given them."""
        with self._engine.connect() as connection:
            return lookup.parted_by_reviewers(connection)

    def constraints(self) -> tuple[list[RecordPair], list[RecordPair]]:
        """(must_link, cannot_link) of the decisions in force, as sorted pairs of record keys."""
        with self._engine.connect() as connection:
            constraints = review.load_constraints(connection)
        return sorted(constraints.same), sorted(constraints.not_same)
