"""DfE's children's social care data flow: built and sent under an agreement, each batch written down.

The decision is asked for twice: at the build, which sends on nothing that the agreement does not give,
and before anything leaves. A state that was built under other terms is built again first. The
ledger has how many children each batch holds and its hash, before it leaves and after; never a payload.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb

from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.https import Patience
from ffp_data.releases.keeping_back import Nevertheless, why_kept_back
from ffp_data.returns import LayoutError
from ffp_data.returns.dataflow import state
from ffp_data.returns.dataflow.build import (
    Problem,
    build_payloads,
    fill_relations,
    find_problems,
)
from ffp_data.returns.dataflow.client import Access, Client
from ffp_data.returns.dataflow.layout import Layout, layout
from ffp_data.returns.dataflow.sender import Batch, Sent, send_pending
from ffp_data.returns.dataflow.state import LastBuild, TooManyPurgedError
from ffp_data.warehouse import connect
from governance.canonical import digest
from governance.grants import ReleaseDecision

DEPARTMENT = "dfe"
PURPOSE = "statutory_returns.dataflow"


@dataclass(frozen=True)
class BuildOutcome:
    """What a build found, or why there was none: children by status and state, and faults to mend."""

    permitted: bool
    reason: str
    children: dict[str, dict[str, int]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def figures(self) -> dict[str, Any]:
        return {
            "permitted": self.permitted,
            "decision": self.reason,
            "children": self.children,
            "problems": [vars(each) for each in self.problems],
        }


@dataclass(frozen=True)
class SendOutcome:
    """What a sending did, or why nothing left."""

    permitted: bool
    reason: str
    sent: Sent = field(default_factory=Sent)

    def figures(self) -> dict[str, Any]:
        return {"permitted": self.permitted, "decision": self.reason, **vars(self.sent)}


def build(
    run: Run, *, allow_purges: bool = False, nevertheless: Nevertheless | None = None
) -> BuildOutcome:
    """Build every child's payload of the day and compare it with what DfE holds.

    Without a source that the flow rests on nothing is built, and what was built before stands, unless
    `nevertheless` says who lets it go and why.
    """
    decision = policy.grants(run).release(DEPARTMENT, PURPOSE)
    if not decision.allowed:
        return BuildOutcome(False, _refused(run, decision, decision.reason))
    shape = layout()
    with connect(run.home) as con:
        state.prepare(con)
        try:
            if reason := why_kept_back(run, con, decision, "dataflow", nevertheless):
                return BuildOutcome(False, reason)
            _require_whole(decision)
            fill_relations(con, shape, run.as_at)
            problems = find_problems(con, shape)
            build_payloads(con, shape, _agreed(decision))
            about = LastBuild(run.as_at.isoformat(), str(decision.agreement), _terms(decision))
            state.merge(con, shape, problems, about, allow_purges=allow_purges)
        except (LayoutError, TooManyPurgedError, duckdb.CatalogException) as problem:
            return BuildOutcome(False, _failed(run, decision, problem))
        children = state.counts(con)
    run.ledger.append("dataflow_built", **_about(run, decision), children=children)
    return BuildOutcome(True, decision.reason, children, tuple(problems))


def send(
    run: Run,
    environment: Mapping[str, str],
    sleep: Callable[[float], None] = time.sleep,
    patience: Patience | None = None,
) -> SendOutcome:
    """Send what is pending. Raises SettingsError when the environment does not say where to.

    Refused, and written down as such, where no agreement permits it or the state was built under
    other terms.
    """
    shape = layout()
    client = Client(Access.from_environment(environment), _path(run, shape), sleep, patience)
    decision = policy.grants(run).release(DEPARTMENT, PURPOSE)
    with connect(run.home) as con:
        state.prepare(con)
        refusal = _why_not(decision, state.last_build(con))
        if refusal:
            return SendOutcome(False, _refused(run, decision, refusal))

        def tell(batch: Batch) -> None:
            _write_down(run, decision, batch)

        _tell_late(run, decision, state.sent_batches(con))
        sent = send_pending(con, shape, client, tell)
    return SendOutcome(True, decision.reason, sent)


def status(run: Run) -> dict[str, Any]:
    """Children by status and state, those in error with reason and answer, and the last build."""
    with connect(run.home) as con:
        state.prepare(con)
        last = state.last_build(con)
        return {
            "built": vars(last) if last else None,
            "children": state.counts(con),
            "errors": state.errors(con),
        }


def _why_not(decision: ReleaseDecision, last: LastBuild | None) -> str:
    """Why nothing may leave now; empty when it may."""
    if not decision.allowed:
        return decision.reason
    if last is None:
        return "nothing was built yet: ffp returns dataflow build"
    if last.terms != _terms(decision):
        return "the agreement changed since the build: ffp returns dataflow build"
    return ""


def _require_whole(decision: ReleaseDecision) -> None:
    """A payload holds values as they are of all its children; an agreement on less is not overrun."""
    changed = sorted(name for name, how in decision.transforms.items() if how != "clear")
    if changed or decision.cohort is None or decision.cohort.members is not None:
        what = f"{', '.join(changed)} changed" if changed else "some rows only"
        raise LayoutError(f"{decision.agreement} gives {what}, which the flow cannot do; amend it")


def _agreed(decision: ReleaseDecision) -> frozenset[tuple[str, str]]:
    return frozenset((each.relation, each.column) for each in decision.items)


def _terms(decision: ReleaseDecision) -> str:
    """A digest of what the agreement gives; the policy's own changes with every day."""
    return digest(
        [decision.agreement, sorted(sorted(vars(each).items()) for each in decision.items)]
    )


def _path(run: Run, shape: Layout) -> str:
    return shape.path.format(la_code=run.partnership.la_code)


# Telling


def _about(run: Run, decision: ReleaseDecision) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "recipient": decision.recipient,
        "purpose": decision.purpose,
        "agreement": decision.agreement,
        "policy": decision.policy,
        "as_at": run.as_at.isoformat(),
    }


def _write_down(run: Run, decision: ReleaseDecision, batch: Batch) -> None:
    facts = {"batch": batch.sha256, "children": batch.children}
    if batch.reason:
        facts["reason"] = batch.reason
    run.ledger.append(f"dataflow_batch_{batch.outcome}", **_about(run, decision), **facts)


def _tell_late(run: Run, decision: ReleaseDecision, sent: Mapping[str, int]) -> None:
    """A batch that was recorded when the process died has not been told yet."""
    told = {event["facts"]["batch"] for event in run.ledger.events("dataflow_batch_accepted")}
    for batch, children in sent.items():
        if batch not in told:
            _write_down(run, decision, Batch(batch, children, "accepted", "told late"))


def _refused(run: Run, decision: ReleaseDecision, reason: str) -> str:
    run.ledger.append("release_refused", **_about(run, decision), reason=reason)
    return reason


def _failed(run: Run, decision: ReleaseDecision, problem: Exception) -> str:
    reason = str(problem)
    if isinstance(problem, duckdb.CatalogException):
        reason = "the warehouse lacks the models that the flow is built from; run the hub first"
    run.ledger.append("release_failed", **_about(run, decision), reason=reason)
    return reason
