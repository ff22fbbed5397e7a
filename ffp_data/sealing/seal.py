"""The seal of an adopted child's old identity: what leaves goes to the custodian's vault, and nowhere else.

The removal itself is `ffp_data.sealing.removal`: step by step, each of which may be done again, so that a seal
that was killed is resumed. Here stands what is a seal's own: the vault is written before anything leaves.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import duckdb

from ffp_data.home import pending
from ffp_data.home.run import Run, sole_run
from ffp_data.hub import seals
from ffp_data.hub.database import create_engine, migrate, writing
from ffp_data.hub.events import EventKind
from ffp_data.hub.lookup import history
from ffp_data.sealing import late, sweep
from ffp_data.sealing.deliveries import Taken
from ffp_data.sealing.places import custodian_file, vault_folder
from ffp_data.sealing.removal import Removal, SealError
from ffp_data.sealing.report import Counts, Report
from ffp_data.sealing.sieve import Sieve, filter_key, spent_key, spent_token, token
from ffp_data.sealing.subject import Subject
from ffp_data.sealing.vault import Custodian, Vault
from ffp_data.warehouse import connect

__all__ = ["Report", "SealError", "let_in", "seal", "simulate"]


def simulate(run: Run, child_id: str) -> Report:
    """What a seal of this identifier would take out; writes nothing. Raises as `seal`."""
    pending.require_none(run.home)
    with sole_run(run.home, lambda: None):
        work = _Seal(run, "", "")
        subject = work.identify(child_id)
        sieve = Sieve.of(filter_key(run.keys), subject.ids)
        counts = {"landing": Counter[str]()}
        for taken in work.taken(sieve):
            counts["landing"][taken.delivery.feed] += taken.count
        with connect(run.home, read_only=True) as con:
            counts["warehouse"] = Counter(sweep.count(con, subject.words, subject.certain))
        with work.engine.connect() as connection:
            counts["hub"] = Counter(seals.count(connection, subject.words))
        places = list(work.finder(subject).places())
        counts["files"] = Counter(f"{place.kind} ({place.fate})" for place in places)
        return work.report(subject, {k: dict(v) for k, v in counts.items()}, places)


def seal(run: Run, child_id: str, by: str, reason: str) -> Report:
    """Seal an identity, or go on with the seal that is under way. It can't be undone by the hub.

    Raises SealError, UnknownIdentifierError and InvalidIdentifierError as look-ups do, VaultError
    where there is no custodian's key.
    """
    if not by.strip() or not reason.strip():
        raise SealError("a seal needs somebody who seals (--by) and a reason (--reason)")
    with sole_run(run.home, lambda: None), pending.sealing(run.home):
        work = _Seal(run, by, reason)
        try:
            if not work.resumes([child_id]):
                _ = work.vault  # no custodian, no seal
                work.start(work.identify(child_id))
            return work.finish()
        finally:
            work.engine.dispose()


def let_in(run: Run, subject: Subject) -> int:
    """Take the ids of an identity out of the filter, so that its agencies' next lists bring it in anew.

    For a seal of the wrong child. The old identifier stays spent. Gives the number of ids.
    """
    pending.require_none(run.home)
    old = [token(filter_key(run.keys), *each) for each in subject.ids]
    engine = create_engine(run.home.hub_url)
    try:
        migrate(engine)
        with sole_run(run.home, lambda: None), writing(engine) as connection:
            return seals.remove_tokens(connection, old)
    finally:
        engine.dispose()


class _Seal(Removal):
    """One seal under way."""

    kind = EventKind.SEALED
    begun, ended = "seal_begun", "identity_sealed"
    lasting = ("filter", "vault")

    @cached_property
    def vault(self) -> Vault:
        return Vault(vault_folder(self.home), Custodian.read(custodian_file(self.home)))

    def steps(self) -> list[tuple[str, Callable[[], Counts]]]:
        filter_first, *rest = super().steps()
        return [filter_first, ("vault", self._fill_vault), *rest]

    def _fill_filter(self) -> Counts:
        ids, keys = self.subject.ids, self.run.keys
        new = [token(filter_key(keys), *each) for each in ids]
        spent = [spent_token(spent_key(keys), child) for child in self.subject.child_ids]
        with writing(self.engine) as connection:
            seals.add_tokens(connection, new, spent)
        return {"tokens": len(new), "identifiers": len(spent)}

    def _put_away(self, taken: Taken) -> None:
        late.put_away(self.run, taken, self.state["reference"])

    def _fill_vault(self) -> Counts:
        """All that the hub holds of the identity, in one part; the rows of files come with the files."""
        with connect(self.home, read_only=True) as con:
            tables = dict(self._rows(con))
        with self.engine.connect() as connection:
            events = [e for c in self.subject.child_ids for e in history(connection, c)]
        content = {
            "identity": self.subject.as_json(),
            "tables": tables,
            "history": [json.loads(json.dumps(vars(event), default=str)) for event in events],
        }
        self.vault.put(content, f"{self.state['reference']}-identity")
        return {"tables": len(tables)}

    def _rows(self, con: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """The identity's rows of every table that feeds fill."""
        keys = list(self.subject.records)
        for contract in self.contracts.values():
            for table in contract.tables:
                names = [contract.raw_name(table)]
                names += [contract.identity_name(table)] if table.identity else []
                for name in names:
                    query = f"SELECT * FROM {name} WHERE list_contains(?, record_key)"
                    rows = con.execute(query, [keys]).to_arrow_table().to_pylist()
                    if rows:
                        plain = [{k: _plain(v) for k, v in row.items()} for row in rows]
                        yield name.replace('"', ""), plain


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
