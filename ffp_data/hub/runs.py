"""One run: from linkage's tables to rows and events, inside the caller's transaction."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any

import sqlalchemy as sa

from ffp_data.hub import review, rewind, store
from ffp_data.hub.assignment import Assignment, assign
from ffp_data.hub.child_id import IdSource, parse
from ffp_data.hub.errors import HubChangeLimit, HubError, RunConflictError
from ffp_data.hub.plan import Plan, make_plan
from ffp_data.hub.safety import Clash
from ffp_data.hub.settled import without_settled
from ffp_data.hub.state import Facts, Links, Rules, State, input_digest

_DRAWS = 100  # for one identifier; even two that are taken in a row mean a broken source


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a caller asks for: the run under an id of its own, its date, model and limits."""

    run_id: str
    as_at: date
    model_version: str
    rules: Rules
    allow_large_change: bool
    facts: Facts = field(default_factory=Facts)


@dataclass(frozen=True)
class Preview:
    """What a run would do, without doing it; ``after_run`` is the last run it would follow."""

    state: State
    assignment: Assignment
    after_run: str | None


@dataclass(frozen=True)
class RunSummary:
    """What a run did. ``unchanged_since`` names an earlier run with the same input: nothing done.

    records: records of this run; children: identifiers in use after it; changes: number of
    events by kind; clashes: decisions that this run's evidence contradicts.
    """

    run_id: str
    records: int
    children: int
    changes: dict[str, int]
    clashes: tuple[Clash, ...] = ()
    unchanged_since: str | None = None

    def counts(self) -> dict[str, int]:
        """All figures of the run by name, for a report."""
        return {
            "records": self.records,
            "children": self.children,
            **self.changes,
            "clashes": len(self.clashes),
        }


def apply_run(
    connection: sa.Connection, request: RunRequest, links: Links, id_source: IdSource
) -> RunSummary:
    """Write what a run changes; nothing for the input of the last run."""
    constraints = review.load_constraints(connection)
    facts = request.facts
    digest = input_digest(
        request.as_at, request.model_version, links, constraints, request.rules, facts
    )
    last = store.last_run(connection)
    if last is not None and last.input_digest == digest:
        return _unchanged(request, last)
    _check_sequence(connection, request, last)

    state = store.load_state(connection)
    undone = rewind.load_undone(connection, links)
    former = rewind.rewound(state, undone, links) if undone else None
    open_links = links if former else without_settled(state, links, constraints, facts)
    assignment = assign(state, open_links, constraints, request.rules, facts, former)
    _check_change(request, state, assignment)
    seq = store.start_run(connection, request.run_id, request.as_at, request.model_version, digest)
    new_ids = _draw(id_source, state, assignment)
    plan = make_plan(state, open_links, constraints, assignment, new_ids, facts)
    store.write_plan(connection, seq, request.as_at, plan)
    rewind.mark_rewound(connection, undone, seq)
    summary = _summary(request, len(links.clusters), state, assignment, plan)
    store.finish_run(connection, seq, asdict(summary))
    return summary


def preview_run(connection: sa.Connection, links: Links, rules: Rules, facts: Facts) -> Preview:
    """What the decisions in force and these links would make of the present state; writes nothing."""
    state = store.load_state(connection)
    constraints = review.load_constraints(connection)
    last = store.last_run(connection)
    undone = rewind.load_undone(connection, links)
    former = rewind.rewound(state, undone, links) if undone else None
    assignment = assign(state, links, constraints, rules, facts, former)
    return Preview(state, assignment, None if last is None else last.run_id)


def _check_sequence(
    connection: sa.Connection, request: RunRequest, last: sa.Row[Any] | None
) -> None:
    """Refuse a run id in use, and a run that looks back: old data must not undo newer findings."""
    if store.is_run(connection, request.run_id):
        raise RunConflictError(f"run {request.run_id} was applied before, with another input")
    if last is not None and request.as_at < last.as_at:
        raise RunConflictError(
            f"run {request.run_id} is as at {request.as_at}, before the last run ({last.as_at}); "
            "to see an earlier state use as_of, to work through older deliveries use another home"
        )


def _check_change(request: RunRequest, state: State, assignment: Assignment) -> None:
    changed = len(assignment.changed_identifiers(state))
    limit = request.rules.change_limit(state.active_count)
    if changed > limit and not request.allow_large_change:
        raise HubChangeLimit(
            request.run_id, changed, state.active_count, limit, len(assignment.retired)
        )


def _draw(id_source: IdSource, state: State, assignment: Assignment) -> list[str]:
    """One identifier that was never issued for each group that has none."""
    taken, drawn = set(state.issued), []
    for _ in range(sum(group.child_id is None for group in assignment.groups)):
        drawn.append(_draw_one(id_source, taken))
        taken.add(drawn[-1])
    return drawn


def _draw_one(id_source: IdSource, taken: set[str]) -> str:
    for _ in range(_DRAWS):
        if (child_id := parse(id_source())) not in taken:
            return child_id
    raise HubError(f"the source of identifiers gave {_DRAWS} in a row that were issued before")


def _summary(
    request: RunRequest, records: int, state: State, assignment: Assignment, plan: Plan
) -> RunSummary:
    return RunSummary(
        run_id=request.run_id,
        records=records,
        children=state.active_count + len(plan.issued) + len(plan.restored) - len(plan.retired),
        changes=plan.counts,
        clashes=assignment.clashes,
    )


def _unchanged(request: RunRequest, last: sa.Row[Any]) -> RunSummary:
    written = last.summary
    clashes = tuple(Clash(**clash) for clash in written["clashes"])
    before = RunSummary(**{**written, "clashes": clashes})
    nothing = dict.fromkeys(before.changes, 0)
    return replace(before, run_id=request.run_id, changes=nothing, unchanged_since=last.run_id)
