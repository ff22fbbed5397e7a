"""Taking an identity out of every place: step by step, each of which may be done again.

The filter knows it first; then it leaves the landing folder, the warehouse, the hub and the rest of the home; at
the end everything is searched for it. Only when nothing is found but the listed exceptions is the journal
removed, and look-ups work again. A removal that was killed is resumed. What is written down is who
ordered it, why, and how much left each place; never whom. A seal (`seal`) puts what leaves into the
custodian's vault; an erasure (`ffp_data.rights.erasure`) keeps nothing.
"""

from __future__ import annotations

import secrets
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import sqlalchemy as sa

from ffp_data import feeds
from ffp_data.feeds.contract import Contract
from ffp_data.feeds.file_facts import sha256
from ffp_data.feeds.landing import Delivery, discover_feed, discover_strangers
from ffp_data.home.pending import Journal
from ffp_data.home.run import Run
from ffp_data.home.terms import of_partnership
from ffp_data.hub import seals
from ffp_data.hub.child_id import parse
from ffp_data.hub.database import create_engine, migrate, writing
from ffp_data.hub.errors import HubError
from ffp_data.hub.events import EventKind
from ffp_data.hub.lookup import resolve
from ffp_data.hub.subject_keys import open_subject_keys
from ffp_data.identity.model_store import ModelStore
from ffp_data.sealing import others, sweep
from ffp_data.sealing.corrections import correct, mend
from ffp_data.sealing.deliveries import Taken, take, take_leftovers, take_unread
from ffp_data.sealing.others import Finder, Place
from ffp_data.sealing.report import Counts, Report, make_report
from ffp_data.sealing.search import Wanted
from ffp_data.sealing.sieve import Sieve, filter_key
from ffp_data.sealing.subject import Subject, gather
from ffp_data.serving.snapshot import forget
from ffp_data.warehouse import connect

_SMALL = 1 << 20
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_WORDS = {EventKind.SEALED: "seal", EventKind.ERASED: "erasure"}


class SealError(HubError):
    """A removal that can't be begun, or that found what it can't deal with; says what to do."""


class Removal:
    """One removal under way. `state` is what the journal holds."""

    kind: ClassVar[EventKind]
    begun: ClassVar[str]
    """Ledger events: that one was begun, and that it is done."""
    ended: ClassVar[str]
    lasting: ClassVar[tuple[str, ...]] = ("filter",)
    """Steps that need not be done again when something is found at the end."""

    def __init__(self, run: Run, by: str, reason: str) -> None:
        self.run, self.home = run, run.home
        self.by, self.reason = by, reason
        self.journal = Journal(run.home, run.keys)
        self.state: dict[str, Any] = {}

    @cached_property
    def engine(self) -> sa.Engine:
        engine = create_engine(self.home.hub_url)
        migrate(engine)
        return engine

    @cached_property
    def subject(self) -> Subject:
        return Subject.of_json(self.state["subject"])

    @cached_property
    def contracts(self) -> dict[str, Contract]:
        return {name: of_partnership(self.run, c) for name, c in self.run.contracts.items()}

    def identify(self, child_id: str) -> Subject:
        """The whole identity that an identifier, old or in use, leads to."""
        wanted = parse(child_id)
        with self.engine.connect() as connection:
            current = resolve(connection, wanted)
            child_ids, records = seals.identity_of(connection, current)
        with connect(self.home) as con:
            feeds.create_empty_raw_tables(con, self.contracts)
            self._refuse_other_landing(con)
            return gather(con, self.contracts, current, child_ids, records)

    def resumes(self, child_ids: Collection[str]) -> bool:
        """Take up a removal of these that is under way; raises SealError when another is."""
        found = self.journal.read()
        if found is None:
            return False
        self.state = found
        own = {parse(child) for child in child_ids} <= set(self.subject.child_ids)
        if found.get("kind", "sealed") != self.kind or not own:
            raise SealError("another seal or erasure is under way: run it to its end first")
        return True

    def start(self, subject: Subject, **more: Any) -> None:
        """Write the journal of a new removal; `more` is kept in it."""
        self._refuse_telling(subject)
        self.state = {
            "kind": self.kind.value,
            "subject": subject.as_json(),
            "reference": "".join(secrets.choice(_LETTERS) for _ in range(10)),
            "done": [],
            "moved": [],
            "counts": {},
            "notes": [],
            **more,
        }
        self.journal.write(self.state)
        self._tell(self.begun)

    def steps(self) -> list[tuple[str, Callable[[], Counts]]]:
        """What is done, in order, each under the name that the journal keeps."""
        return [
            ("filter", self._fill_filter),
            ("landing", self._cut_landing),
            ("deliveries", self._correct_books),
            ("warehouse", self._sweep_warehouse),
            ("keys", self._destroy_keys),
            ("hub", self._purge_hub),
            ("files", self._deal_with_files),
        ]

    def finish(self) -> Report:
        """Every step that is not done yet, in order."""
        for name, step in self.steps():
            if name not in self.state["done"]:
                before = Counter(self.state["counts"].get(name, {}))
                self.state["counts"][name] = dict(before + Counter(step()))
                self.state["done"].append(name)
                self.journal.write(self.state)
        places = self._check()
        shown = {k: self.state["counts"][k] for k in ("landing", "warehouse", "hub", "files")}
        report = self.report(self.subject, shown, places)
        self._tell(self.ended, **{k: sum(v.values()) for k, v in shown.items()})
        self.journal.remove()
        return report

    def report(self, subject: Subject, counts: dict[str, Counts], places: list[Place]) -> Report:
        return make_report(self.run, subject, self.state, counts, places)

    def finder(self, subject: Subject) -> Finder:
        wanted = Wanted(subject.words)
        return Finder(self.home, self.run.keys, self.run.ledger, wanted, subject.child_ids)

    def taken(self, sieve: Sieve) -> Iterator[Taken]:
        """What leaves each delivery that lies in the landing folder."""
        with connect(self.home) as con:
            for contract in self.contracts.values():
                for delivery in discover_feed(self.run.landing, contract, self.contracts, None):
                    if found := self._take(con, delivery, contract, sieve):
                        yield found
                prefix = f"{contract.id}|{contract.hub.system}|"
                folder = self.run.landing / contract.id
                yield from take_leftovers(folder, contract.id, prefix, sieve)
        for stranger in discover_strangers(self.run.landing, self.contracts):
            if found := take_unread(stranger, sieve):
                yield found

    # Steps

    def _fill_filter(self) -> Counts:
        """From here on no late row comes in, and no identifier of the old identity is issued."""
        raise NotImplementedError

    def _put_away(self, taken: Taken) -> None:
        """Called with what leaves a delivery, before it does."""

    def _cut_landing(self) -> Counts:
        counts: Counter[str] = Counter()
        for folder in self.contracts:
            mend(self.run.landing / folder)
        sieve = Sieve.of(filter_key(self.run.keys), self.subject.ids)
        for taken in self.taken(sieve):
            self._put_away(taken)
            rows = {t: sorted(places, key=str) for t, places in taken.rows.items()}
            self._moves(taken.delivery.feed, taken.delivery.delivery_id, taken.new_id, rows)
            taken.apply()
            counts[taken.delivery.feed] += taken.count
        self._follow_digests()
        return dict(counts)

    def _correct_books(self) -> Counts:
        """The warehouse's books and rows for the files as they now are; then they are read again."""
        moved = self.state["moved"]
        with connect(self.home) as con:
            self.state["notes"] += correct(con, self.run, self.contracts, moved)
        return {"files": len(moved)}

    def _sweep_warehouse(self) -> Counts:
        with connect(self.home) as con:
            counts = sweep.delete(con, self.subject.words, self.subject.certain)
        sweep.rewrite(self.home, self.home.warehouse)
        return counts

    def _destroy_keys(self) -> Counts:
        """From here on no reference in ledger and lists leads to the identity."""
        keys = open_subject_keys(self.engine, self.run.keys)
        return {"keys": keys.destroy(*self.subject.child_ids)}

    def _purge_hub(self) -> Counts:
        on = datetime.now(UTC).date()
        with writing(self.engine) as connection:
            counts = seals.purge(connection, self.subject.words)
            told = {"reference": self.state["reference"], **counts}
            if all(
                s["counts"].get("reference") != told["reference"] for s in seals.seals(connection)
            ):
                seals.write_seal(connection, on, self.by, self.reason, told, self.kind)
        seals.scour(self.engine)
        return counts

    def _deal_with_files(self) -> Counts:
        counts = Counter({"snapshot for look-ups": forget(self.home, self.subject.child_ids)})
        finder = self.finder(self.subject)
        for place in list(finder.places()):
            finder.deal_with(place, self.subject.words)
            counts[f"{place.kind} ({place.fate})"] += 1
        if samples := ModelStore(
            self.home
        ).drop_samples():  # encrypted: no search sees whom they show
            counts["sample of a model's gate (removed)"] = len(samples)
        _empty(self.home.scratch / "spill")
        return dict(counts)

    def _check(self) -> list[Place]:
        """Everything is searched once more; raises SealError when the identity stands where it may not."""
        sieve = Sieve.of(filter_key(self.run.keys), self.subject.ids)
        wrong = [f"landing: {taken.delivery.file_name}" for taken in self.taken(sieve)]
        with connect(self.home, read_only=True) as con:
            wrong += [
                f"warehouse: {name}"
                for name in sweep.count(con, self.subject.words, self.subject.certain)
            ]
        with self.engine.connect() as connection:
            wrong += [f"hub: {name}" for name in seals.count(connection, self.subject.words)]
        places = list(self.finder(self.subject).places())
        wrong += [str(p.path) for p in places if p.fate != others.KEPT]
        if wrong:
            self.state["done"] = [each for each in self.lasting if each in self.state["done"]]
            self.journal.write(self.state)
            raise SealError(
                f"the {_WORDS[self.kind]} is not done: the identity still stands in {'; '.join(wrong)}. Remove what the"
                " hub does not know how to clear, and run it again"
            )
        return places

    # Parts of steps

    def _take(
        self, con: duckdb.DuckDBPyConnection, delivery: Delivery, contract: Contract, sieve: Sieve
    ) -> Taken | None:
        return take(con, delivery, contract, self.contracts, sieve, self.home.scratch)

    def _moves(
        self, feed: str, old: str, new: str | None, rows: dict[str, list[tuple[int, int | None]]]
    ) -> None:
        """Remember, before it happens, that a delivery gets another identity and loses rows."""
        self.state["moved"].append({"feed": feed, "old": old, "new": new, "rows": rows})
        self.journal.write(self.state)

    def _follow_digests(self) -> None:
        """Files that name another by its hash, as the number search's run lists do, name the new one."""
        for one in [m for m in self.state["moved"] if m["new"]]:
            folder = self.run.landing / one["feed"]
            for path in sorted(folder.glob("*.csv")):
                if path.stat().st_size > _SMALL or one["old"].encode() not in path.read_bytes():
                    continue
                data = path.read_bytes().replace(one["old"].encode(), one["new"].encode())
                part = path.with_name(f".{path.name}.new")
                part.write_bytes(data)
                self._moves(one["feed"], sha256(path), sha256(part), {})
                part.replace(path)

    def _refuse_other_landing(self, con: duckdb.DuckDBPyConnection) -> None:
        """The files must be cut too: a seal that was given the wrong folder would leave them."""
        (loaded,) = con.execute(
            "SELECT count(*) FROM meta.deliveries WHERE status = 'loaded'"
        ).fetchone() or (0,)
        lies = self.run.landing.is_dir() and any(self.run.landing.glob("*/*"))
        if loaded and not lies:
            raise SealError(
                f"{self.run.landing}: none of the deliveries lies here; name the folder with --landing"
            )

    def _refuse_telling(self, subject: Subject) -> None:
        """The reason is kept for ever: it may not say whom the seal is about."""
        names = {part for given, surname, _ in subject.people for part in (given, surname)}
        if Wanted([*subject.words, *(n for n in names if n)]).in_text(self.reason):
            raise SealError(
                "the reason names the child; give one that does not: it is kept for ever"
            )

    def _tell(self, kind: str, **counts: Any) -> None:
        self.run.ledger.append(
            kind, by=self.by, reason=self.reason, reference=self.state["reference"], **counts
        )


def _remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _empty(folder: Path) -> None:
    for path in sorted(folder.glob("*")) if folder.is_dir() else ():
        _remove(path)
