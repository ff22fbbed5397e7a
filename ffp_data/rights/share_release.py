"""The release of one child's rows under a recorded decision, and its taking back.

It is made by the one writer under `out/`, from the same generated views: the agreement's columns as far as
the decision named them, of this child alone and only if the child is of the agreement's cohort; restrictions,
shields and numbers to be left out bind it as they stand at this moment, not as at the last build.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb

from ffp_data.home import policy
from ffp_data.home.release_zone import ZONE
from ffp_data.home.run import Run
from ffp_data.hub.orders import OrderError
from ffp_data.rights import restriction, share_decision, stored
from ffp_data.rights.orders import Kind, Order, Orders
from ffp_data.warehouse import connect
from governance.grants import Grants, ReleaseDecision
from governance.manifest import MANIFEST
from governance.release import Extract, withdraw, write_extract

CASES = "cases"


def folder_of(run: Run, order: Order) -> Path:
    """Where the files of a decision lie."""
    return run.home.out / CASES / str(order.recipient) / str(order.number)


def release(run: Run, child_id: str, number: int) -> Extract:
    """Make the files of a decision to share. Raises OrderError, ReleaseRefusedError, ReleaseFailedError."""
    grants = policy.grants(run)
    stored.write(run)
    with Orders(run.home) as orders:
        order = share_decision.standing(orders, number, run.as_at)
        if orders.in_use(child_id) != order.child_id:
            raise OrderError(f"{number}: this decision is about another child")
        decision = decision_today(orders, grants, number, run)
        reference = orders.subjects.reference(str(order.child_id))
    if not decision.allowed:
        run.ledger.append("case_refused", number=number, reason=decision.reason)
        raise OrderError(f"{number}: {decision.reason}")
    with connect(run.home, read_only=True) as con:
        _require_in_cohort(con, decision, run)
        extract = write_extract(
            con,
            decision,
            zone=ZONE,
            as_at=run.as_at,
            out=folder_of(run, order),
            keys=run.keys,
            ledger=run.ledger,
            lists=run.subject_lists,
        )
    run.ledger.append(
        "case_shared", number=number, subject=reference, manifest=extract.manifest_sha256
    )
    return extract


def _require_in_cohort(con: duckdb.DuckDBPyConnection, decision: ReleaseDecision, run: Run) -> None:
    """A release without rows would tell the recipient nothing and look like one that tells that there is nothing."""
    assert decision.cohort is not None, "an allowed decision has a cohort"
    members = str(decision.cohort.members)
    values = {"as_at": run.as_at} if "$as_at" in members else {}
    if not con.execute(f"SELECT 1 FROM ({members}) LIMIT 1", values).fetchone():
        raise OrderError(
            f"the child is not one of whom {decision.agreement} lets anything be shared:"
            f" {decision.cohort.title}"
        )


def decision_today(orders: Orders, grants: Grants, number: int, run: Run) -> ReleaseDecision:
    """What may leave today under a decision; not allowed, with the reason, where nothing may."""
    order = orders.find(number, Kind.SHARE)
    decision = share_decision.decision_of(order, grants)
    if not decision.allowed:
        return decision
    try:
        share_decision.standing(orders, number, run.as_at)
    except OrderError as error:
        return _denied(decision, str(error))
    ground = order.told.get("ground")
    flow = (str(order.recipient), str(order.purpose))
    if wrong := share_decision.why_not(grants, str(order.scope), *flow, ground, run.as_at):
        return _denied(decision, wrong)
    flows = [(decision.recipient, decision.purpose)]
    kept = restriction.withheld(orders, run.as_at, flows) | share_decision.withheld(
        orders, run.as_at, flows
    )
    if any(row[0] == order.child_id for row in kept):
        return _denied(decision, "a restriction, an objection or a later decision keeps it back")
    return decision


def take_back(run: Run, order: Order, reason: str) -> bool:
    """Remove the files of a decision that was withdrawn; whether there were any."""
    folder = folder_of(run, order)
    if not (folder / MANIFEST).is_file():
        return False
    withdraw(folder, reason, keys=run.keys, ledger=run.ledger)
    return True


def of_folder(run: Run, folder: Path) -> ReleaseDecision | None:
    """What may leave today under the decision whose files lie in a folder; None for another release."""
    parts = folder.relative_to(run.home.out).parts
    if parts[:1] != (CASES,) or not parts[-1].isdigit():
        return None
    with Orders(run.home) as orders:
        return decision_today(orders, policy.grants(run), int(parts[-1]), run)


def _denied(decision: ReleaseDecision, reason: str) -> ReleaseDecision:
    return replace(decision, allowed=False, reason=f"no: {reason}")
