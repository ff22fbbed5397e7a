"""Tries a candidate model on the records and the hub as they are, and writes nothing to either.

The records are linked by the candidate and, beside it, by the live model; the hub's own pure
assignment then says what each would make of the identifiers in use. What the live model would change
all the same (a decision that waits for the next run) is not held against the candidate. Precision and
recall are measured wherever there are labels: the truth of a synthetic partnership, and reviewers'
decisions, which are compared with what the model says by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

import linkage
from ffp_data.home.run import Run
from ffp_data.hub import Hub, Preview
from ffp_data.hub.assignment import Group
from ffp_data.hub.compare import Fate, Outlook, outlook
from ffp_data.identity.kinds import kinds_of
from ffp_data.identity.live_model import hub_rules, model_path
from ffp_data.identity.model_labels import quality_rows, too_few
from ffp_data.identity.model_limits import ModelLimits, breaches, read_limits
from ffp_data.identity.model_sample import sample
from ffp_data.identity.model_store import (
    KeptModel,
    Live,
    ModelError,
    ModelStore,
    read_model,
    rules_digest,
)
from ffp_data.identity.record_facts import link_facts, records_to_link
from ffp_data.warehouse import connect
from linkage.fitted import digest_of

LARGEST = 10


@dataclass(frozen=True)
class Trial:
    """What the gate found of a candidate; ``cases`` are people, to be read and not to be kept."""

    kept: KeptModel
    gate: dict[str, Any]
    cases: list[dict[str, Any]]

    @property
    def passed(self) -> bool:
        return bool(self.gate["passed"])


@dataclass(frozen=True)
class _Linked:
    """What a model would make of the records: groups with their identifier, fates, clashes by reason.

    ``result``: its links; None for the hub as it is, where the live model can no longer be read.
    """

    groups: tuple[Group, ...]
    outlook: Outlook
    clashes: dict[str, int]
    result: linkage.LinkResult | None = None

    @property
    def clusters(self) -> dict[str, int]:
        return {record: n for n, group in enumerate(self.groups) for record in group.records}


def try_model(
    run: Run, path: Path | None = None, *, refit: bool = False, truth: Path | None = None
) -> Trial:
    """Fit a candidate, look what it would change, judge it by the limits, and keep it with its gate.

    path: the candidate's file, else the configured one. The live fit is taken over where the
    candidate's columns and comparisons are those of the live model, unless ``refit``. Raises
    ModelError where no model is live yet, or the candidate is the live model.
    """
    store = ModelStore(run.home)
    live_now = store.live()
    live = _readable(store, live_now) if live_now else None
    model = _candidate(read_model(path or model_path(run)), live, refit=refit)
    with connect(run.home, read_only=True) as con, Hub.open(run.home.hub_url) as hub:
        if live_now is None and hub.last_run() is None:
            raise ModelError(store.folder, "no model is live yet", "make the first run: ffp run")
        records = con.execute(records_to_link()).to_arrow_table()
        is_for = live is not None and digest_of(model) == live.fitted.digest and not refit
        preview, then = _link(con, hub, records, model, live.fitted if live and is_for else None)
        kept = _keep(store, model, then, live_now)
        if live:
            _, now = _link(con, hub, records, live.model, live.fitted)
        else:
            now = _as_it_is(preview)
        found = {
            "compared_with": live.version if live else "the hub as it is",
            "compared_with_digest": live_now.digest if live_now else None,
            "after_run": preview.after_run,
            "records": records.num_rows,
            **_differences(con, run, now, then),
            "quality": quality_rows(
                con, run, (now.result, now.clusters), (then.result, then.clusters), truth
            ),
        }
        cases = sample(con, preview, then.outlook.beyond(now.outlook), kinds_now(con))
    gate = _judged(kept, found, read_limits(run.home))
    store.write_gate(kept.digest, gate)
    store.write_cases(kept.digest, cases)
    return Trial(kept, gate, cases)


def _candidate(model: linkage.Model, live: KeptModel | None, *, refit: bool) -> linkage.Model:
    """The candidate's rules; refuses those of the live model, unless they are to be learnt anew."""
    if live and rules_digest(model) == live.rules_digest and not refit:
        raise ModelError(
            model.path or "model", "this is the live model", "to learn anew: ffp model try --refit"
        )
    return model


def _keep(store: ModelStore, model: linkage.Model, then: _Linked, live: Live | None) -> KeptModel:
    """Keep the candidate with the fit that its links used or learnt."""
    if then.result is None or then.result.fitted is None:
        raise ModelError(model.path or "model", "nothing to learn from", "load the feeds first")
    kept = store.keep(model, then.result.fitted)
    if live and kept.digest == live.digest:
        raise ModelError(kept.folder, "the new fit is the live one", "there is nothing to do")
    return kept


def _judged(kept: KeptModel, found: dict[str, Any], limits: ModelLimits) -> dict[str, Any]:
    """The gate: who the candidate is, what was found, what of it lies beyond a limit."""
    broken = breaches(found, limits)
    fewest = limits.quality.fewest_people
    return {
        "model": kept.version,
        "digest": kept.digest,
        "rules": kept.rules_digest,
        "fitted_on": kept.fitted.records,
        **found,
        "quality": [too_few(row, fewest) for row in found["quality"]],
        "limits": {"version": limits.version, "digest": limits.digest},
        "breaches": broken,
        "passed": not broken,
    }


def _readable(store: ModelStore, live: Live) -> KeptModel | None:
    """The live model, or None where this version of the software can't read its fit any more."""
    try:
        return store.load(live.digest)
    except ModelError:
        return None


def _link(
    con: duckdb.DuckDBPyConnection,
    hub: Hub,
    records: pa.Table,
    model: linkage.Model,
    fitted: linkage.Fitted | None,
) -> tuple[Preview, _Linked]:
    must_link, cannot_link = hub.constraints()
    result = linkage.link(records, model, must_link, cannot_link, fitted=fitted)
    preview = hub.preview(
        result.clusters, result.pairs, rules=hub_rules(model), facts=link_facts(con)
    )
    clashes = Counter(clash.reason for clash in preview.assignment.clashes)
    fates = outlook(preview.state, preview.assignment)
    return preview, _Linked(preview.assignment.groups, fates, dict(sorted(clashes.items())), result)


def _as_it_is(preview: Preview) -> _Linked:
    """The hub's present state, of the records that the candidate linked."""
    groups: dict[str, list[str]] = {}
    for record in sorted(preview.assignment.group_of):
        if child_id := preview.state.members.get(record):
            groups.setdefault(child_id, []).append(record)
    held = tuple(Group(tuple(records), child_id) for child_id, records in sorted(groups.items()))
    fates = dict.fromkeys(groups, Fate.UNCHANGED)
    return _Linked(held, Outlook(fates, frozenset(), {}), {})


def kinds_now(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Kind of each identifier in use: child, unborn, adult."""
    return dict(con.execute("SELECT child_id, kind FROM identity.children").fetchall())


def _differences(
    con: duckdb.DuckDBPyConnection, run: Run, now: _Linked, then: _Linked
) -> dict[str, Any]:
    caused = then.outlook.beyond(now.outlook)
    kinds = kinds_now(con)
    return {
        "changes": _by_kind(con, run, kinds, caused),
        "due_anyway": _by_kind(con, run, kinds, now.outlook),
        "largest": {"now": _largest(kinds, now), "then": _largest(kinds, then)},
        "clashes": {"now": now.clashes, "then": then.clashes},
    }


def _by_kind(
    con: duckdb.DuckDBPyConnection, run: Run, kinds: Mapping[str, str], found: Outlook
) -> dict[str, dict[str, Any]]:
    """Counts of each fate by kind, with their share of the identifiers in use."""
    counts = Counter((kinds.get(child, "unknown"), fate) for child, fate in found.fates.items())
    counts.update((kind, Fate.ISSUED) for kind in _kinds_of_groups(con, run, found.issued))
    result: dict[str, dict[str, Any]] = {}
    for kind in sorted({kind for kind, _ in counts}):
        own = {fate.value: counts[kind, fate] for fate in Fate}
        total = sum(own.values()) - own[Fate.ISSUED]
        shares = {fate: round(n / max(1, total), 6) for fate, n in own.items()}
        result[kind] = {"identifiers": total, **own, "shares": shares}
    return result


def _kinds_of_groups(
    con: duckdb.DuckDBPyConnection, run: Run, groups: Iterable[tuple[str, ...]]
) -> list[str]:
    rows = [(record, group[0]) for group in sorted(groups) for record in group]
    if not rows:
        return []
    names = pa.table(
        {"record_key": [r for r, _ in rows], "child_id": [g for _, g in rows]},
        pa.schema([("record_key", pa.string()), ("child_id", pa.string())]),
    )
    return [kind for _, kind in kinds_of(con, names, as_at_of(con, run))]


def as_at_of(con: duckdb.DuckDBPyConnection, run: Run) -> Any:
    """The day of the last run: ages and kinds are as at it."""
    row = con.execute("SELECT as_at FROM meta.linkage_runs ORDER BY rowid DESC LIMIT 1").fetchone()
    return row[0] if row else run.as_at


def _largest(kinds: Mapping[str, str], linked: _Linked) -> list[dict[str, Any]]:
    """The largest groups: how many records, of how many feeds, and of what kind of person."""
    groups = sorted(linked.groups, key=lambda g: (-len(g.records), g.records))
    return [
        {
            "records": len(group.records),
            "feeds": len({record.partition("|")[0] for record in group.records}),
            "kind": kinds.get(group.child_id or "", "new"),
        }
        for group in groups[:LARGEST]
    ]
