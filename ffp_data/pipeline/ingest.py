"""Load what agencies delivered, as far as an agreement covers it, and write each decision down.

For each table of a feed the compiled grants are asked first; what they do not cover never gets past
the reader. A delivery that cannot be read is refused by name and stays in the landing folder, and the
others go on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import duckdb

from ffp_data import feeds
from ffp_data.feeds import Contract, DeliveryResult, books
from ffp_data.feeds.errors import FeedError
from ffp_data.feeds.landing import Delivery
from ffp_data.feeds.loading import Terms, load_all
from ffp_data.feeds.replay import Reloaded, reload_waiting
from ffp_data.feeds.withdrawing import Withdrawn, has_rows, remove_feed, withdraw
from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.home.terms import decide, of_partnership, terms_of
from ffp_data.rights import hold
from ffp_data.sealing import late
from ffp_data.sealing.late import KeptOut
from ffp_data.warehouse import connect
from governance.canonical import digest
from governance.grants import IngestDecision
from governance.release import released_files

PARTS = ("rows_delivered", "rows_loaded", "rows_quarantined", "rows_superseded")


@dataclass(frozen=True)
class FeedOutcome:
    """What became of a feed's new deliveries, and what the warehouse holds of it now, by table."""

    decisions: tuple[IngestDecision, ...]
    results: tuple[DeliveryResult, ...]
    books: tuple[Mapping[str, Any], ...]
    """One row for each delivery and table in the warehouse, as `feeds.reconcile` gives it."""

    @property
    def errors(self) -> list[str]:
        return [str(result.error) for result in self.results if result.error]

    @property
    def held(self) -> int:
        """Deliveries that wait for a person's word; their reasons stand among the errors."""
        return sum(result.status == "held" for result in self.results)

    def figures(self) -> dict[str, Any]:
        """Counts for people who look at the asset; no value of a record."""
        return {
            "new deliveries": sum(result.status == "loaded" for result in self.results),
            "refused deliveries": len(self.errors) - self.held,
            "held deliveries": self.held,
            **{part.replace("_", " "): sum(row[part] for row in self.books) for part in PARTS},
            "agreement": next((d.agreement for d in self.decisions if d.allowed), None) or "none",
            "columns kept out": sum(len(d.dropped) for d in self.decisions),
        }

    def checks(self) -> dict[str, bool]:
        """The three checks of a feed by name."""
        return {
            "agreement_in_force": any(decision.allowed for decision in self.decisions),
            "contract_holds": not self.errors,
            "counts_reconcile": all(row["is_reconciled"] for row in self.books),
        }

    def table(self) -> str:
        """Counts by table, as Markdown."""
        sums: dict[str, Counter[str]] = {}
        for row in self.books:
            sums.setdefault(row["table_name"], Counter()).update({p: row[p] for p in PARTS})
        lines = [f"| {name} | {' | '.join(str(n[p]) for p in PARTS)} |" for name, n in sums.items()]
        return "\n".join([f"| table | {' | '.join(PARTS)} |", "| --- " * 5 + "|", *sorted(lines)])


def ingest_feed(run: Run, contract: Contract) -> FeedOutcome:
    """Load every new delivery of one feed; each decision and each delivery goes to the ledger."""
    contracts = run.contracts
    contract = of_partnership(run, contract)
    decisions = decide(run, contract)
    run.ledger.append_many([("ingest_decision", _decision_facts(run, d)) for d in decisions])
    terms = terms_of(run, decisions)
    with connect(run.home) as con:
        feeds.create_empty_raw_tables(con, contracts)
        withdrawn = _withdraw(con, run, contract, terms)
        again = reload_waiting(con, run.landing, contract, terms)
        new, kept_out = _without_sealed(run, con, contract)
        new = _without_circular(run, new)
        results = tuple(load_all(con, new, contract, terms))
        books = feeds.reconcile(con, {contract.id: contract}).to_pylist()
    run.ledger.append_many([_withdrawal_event(run, contract, one) for one in withdrawn])
    run.ledger.append_many([reload_event(run.run_id, one) for one in again])
    run.ledger.append_many([_kept_out_event(run, one) for one in kept_out])
    run.ledger.append_many([_delivery_event(run, result) for result in results])
    own = tuple(row for row in books if row["feed"] == contract.id)
    return FeedOutcome(decisions, results, own)


def _withdraw(
    con: duckdb.DuckDBPyConnection, run: Run, contract: Contract, terms: Terms
) -> list[Withdrawn]:
    """Take out what no agreement covers, and all of a feed whose agreement was withdrawn.

    Of a feed that a hold reaches the rows stay, shut out of everything as of one that is suspended, until a
    run after the hold was lifted.
    """
    if terms.allowed:
        books.forget_withdrawn(con, contract.id)
    elif (agreement := policy.grants(run).ended(contract.id)) and has_rows(con, contract):
        if holds := hold.of_feeds(run.home, [contract.id]).numbers:
            facts = {"run_id": run.run_id, "feed": contract.id, "agreement": agreement}
            run.ledger.append("withdrawal_held", **facts, holds=list(holds))
            return []
        return remove_feed(con, contract, f"{agreement} was withdrawn")
    return withdraw(con, contract, terms.allowed)


def _without_sealed(
    run: Run, con: duckdb.DuckDBPyConnection, contract: Contract
) -> tuple[list[Delivery], list[KeptOut]]:
    """The new deliveries of a feed, once rows of the sealed and the erased are out of their files."""

    def new() -> list[Delivery]:
        return feeds.discover_feed(run.landing, contract, run.contracts, con)

    found = new()
    filters = late.filters_of(run) if found else None
    kept_out = late.keep_out(run, con, contract, new, filters) if filters else []
    return new() if kept_out else found, kept_out


def _without_circular(run: Run, new: list[Delivery]) -> list[Delivery]:
    """The deliveries, each that is a file of our own releases with the problem that says so.

    What a recipient hands on or back is no agency's record: taken in, it would bear itself out.
    """
    released = released_files(run.home.out, run.keys.public_key) if new else frozenset()
    return [
        replace(one, problem=_circular(one)) if one.delivery_id in released else one for one in new
    ]


def _circular(delivery: Delivery) -> FeedError:
    return FeedError(
        "circular",
        "this hub released the file itself",
        "deliver what the agency recorded; an extract may not be passed on",
        file=delivery.file_name,
    )


def reload_event(run_id: str, one: Reloaded) -> tuple[str, dict[str, Any]]:
    """What the ledger tells of a delivery that was read again."""
    facts = {
        "run_id": run_id,
        "feed": one.feed,
        "delivery_id": one.delivery_id,
        "file": one.file_name,
    }
    if one.error:
        return "delivery_not_replayed", facts | {"rule": one.error.rule}
    return "delivery_replayed", facts | dict(one.after)


def _withdrawal_event(run: Run, contract: Contract, one: Withdrawn) -> tuple[str, dict[str, Any]]:
    """What the ledger tells of data that left because no agreement covers it any more."""
    facts = {"run_id": run.run_id, "feed": contract.id, "table": one.table}
    return "data_withdrawn", facts | {"columns": list(one.columns), "rows": one.rows}


def refuse_strangers(run: Run) -> int:
    """Record what lies in no feed's folder, in the warehouse and in the ledger; how many there are."""

    def found() -> list[Delivery]:
        return feeds.discover_strangers(run.landing, run.contracts)

    strangers = found()
    filters = late.filters_of(run) if strangers else None
    if filters and (kept_out := late.keep_out_strangers(run, found, filters)):
        run.ledger.append_many([_kept_out_event(run, one) for one in kept_out])
        strangers = found()
    with connect(run.home) as con:
        results = [feeds.load(con, stranger, None) for stranger in strangers]
    run.ledger.append_many([_delivery_event(run, result) for result in results])
    return len(results)


def landing_fingerprint(run: Run) -> str:
    """A digest of the names, sizes and times of all files in the landing folder; empty when none."""
    files = [
        (str(path.relative_to(run.landing)), path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(run.landing.rglob("*"))
        if path.is_file()
    ]
    return digest(files) if files else ""


def _decision_facts(run: Run, decision: IngestDecision) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "feed": decision.feed,
        "table": decision.table,
        "allowed": decision.allowed,
        "agreement": decision.agreement,
        "columns": len(decision.columns),
        "dropped": list(decision.dropped),
        "policy": decision.policy,
        "reason": decision.reason,
    }


def _kept_out_event(run: Run, one: KeptOut) -> tuple[str, dict[str, Any]]:
    """What the ledger tells of rows that a seal keeps out: how many, and of which feed."""
    return "late_rows_kept_out", {"run_id": run.run_id, "feed": one.feed, "rows": one.rows}


def _delivery_event(run: Run, result: DeliveryResult) -> tuple[str, dict[str, Any]]:
    facts = {
        "run_id": run.run_id,
        "feed": result.delivery.feed,
        "delivery_id": result.delivery.delivery_id,
        "file": result.delivery.file_name,
        "rows_delivered": result.rows_delivered,
        "rows_loaded": result.rows_loaded,
        "rows_quarantined": result.rows_quarantined,
    }
    if result.error:
        facts |= {"rule": result.error.rule, "line": result.error.line}
    return f"delivery_{result.status}", facts
