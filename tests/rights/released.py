"""A home with a register and a warehouse of ten children, of whom real extracts are released."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import sqlalchemy as sa

from ffp_data.access import Access
from ffp_data.home.subjects import lists_of
from ffp_data.hub.child_id import from_bits
from ffp_data.hub.database import create_engine, writing
from ffp_data.hub.models import RETIRED, Membership, Person, Run
from ffp_data.rights.disclosures import DisclosureRegister
from ffp_data.settings import Home, make_demonstration
from governance.grants import ReleaseDecision
from governance.pseudonym import pseudonym_key, pseudonymise
from governance.release import Extract, write_extract
from tests.governance.test_release import AS_AT, DECISION, WAREHOUSE, ZONE
from tests.rights.register import register

CHILDREN = [from_bits(random.Random(n).getrandbits) for n in range(10)]
TABLES = ("children", "involvements", "flags")


@dataclass
class Office:
    """The home, and what its releases really held: manifest -> table -> children."""

    home: Home
    access: Access
    truth: dict[str, dict[str, set[str]]] = field(default_factory=dict)

    @property
    def register(self) -> DisclosureRegister:
        return DisclosureRegister(self.home, Access(self.home))

    def release(
        self,
        decision: ReleaseDecision = DECISION,
        without: dict[str, list[str]] | None = None,
        where: str = "one",
    ) -> Extract:
        """Release an extract of a warehouse without some children in some tables."""
        with _warehouse(without or {}) as con:
            made = write_extract(
                con,
                decision,
                zone=ZONE,
                as_at=AS_AT,
                out=self.home.out / where,
                keys=self.access.keys,
                ledger=self.access.ledger,
                lists=lists_of(self.home, self.access.keys),
            )
        self.truth[made.manifest_sha256] = self._read(made.directory, decision)
        return made

    def _read(self, folder: Path, decision: ReleaseDecision) -> dict[str, set[str]]:
        """Whom the files tell about, read back from the recipient's pseudonyms."""
        about = (decision.recipient, decision.purpose, str(AS_AT.year))
        tokens = pseudonymise(pseudonym_key(self.access.keys, *about), CHILDREN)
        child_of = dict(zip(tokens, CHILDREN, strict=True))
        return {
            f"single_view.{table}": {
                child_of[token]
                for token in pq.read_table(folder / f"{table}.parquet")[
                    "child_id_pseudonym"
                ].to_pylist()
            }
            for table in TABLES
        }

    def merge(self, gone: str, into: str) -> None:
        """Retire an identifier; its records go to the other."""
        self.run("merged")
        with self._hub() as hub:
            seq = sa.select(sa.func.max(Run.seq)).scalar_subquery()
            hub.execute(
                sa.update(Person)
                .where(Person.child_id == gone)
                .values(status=RETIRED, replaced_by=into, retired_seq=seq)
            )
        self.move(gone, into)

    def move(self, old: str, new: str) -> None:
        """Give the records of one identifier to another in the newest run."""
        with self._hub() as hub:
            seq = hub.scalar(sa.select(sa.func.max(Run.seq)))
            held = sa.and_(Membership.child_id == old, Membership.to_seq.is_(None))
            records = hub.scalars(sa.select(Membership.record_key).where(held)).all()
            hub.execute(sa.update(Membership).where(held).values(to_seq=seq, valid_to=AS_AT))
            rows = [
                {"record_key": r, "child_id": new, "from_seq": seq, "valid_from": AS_AT}
                for r in records
            ]
            hub.execute(sa.insert(Membership), rows)

    def run(self, run_id: str) -> None:
        """A run of the hub, as hub and ledger know it."""
        with self._hub() as hub:
            values = {"as_at": AS_AT, "model_version": "m", "state": "finished"}
            hub.execute(sa.insert(Run), {"run_id": run_id, **values, "input_digest": "0" * 64})
        self.access.ledger.append("identifiers_assigned", run_id=run_id)

    @contextmanager
    def _hub(self) -> Iterator[sa.Connection]:
        engine = create_engine(self.home.hub_url)
        with writing(engine) as connection:
            yield connection
        engine.dispose()


def open_office(root: Path) -> Office:
    """An office without releases."""
    home = Home(root).prepare()
    make_demonstration(home)
    register(home, {f"case|{child}": child for child in CHILDREN})
    access = Access(home)
    access.ledger.append("identifiers_assigned", run_id="registered")
    return Office(home, access)


@contextmanager
def _warehouse(without: dict[str, list[str]]) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        con.execute(WAREHOUSE)
        for number, child in enumerate(CHILDREN):
            for table in (*(f"single_view.{t}" for t in TABLES), "identity.child_membership"):
                con.execute(
                    f"UPDATE {table} SET child_id = ? WHERE child_id = ?", [child, f"C{number}"]
                )
        for table, children in without.items():
            con.execute(
                f"DELETE FROM single_view.{table} WHERE list_contains(?, child_id)", [children]
            )
        yield con
