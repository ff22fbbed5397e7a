"""The whole of it: records and a model in, clusters, scored pairs and a report out.

Load and code the records, check the rules' sizes, propose and compare pairs, learn the parameters
from grouped patterns (or take those of an earlier fit), score the pairs that could matter, build
clusters. Each stage is a function of its own module and is timed here. Nothing depends on the clock
or on the order of the input.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from linkage.arrays import distinct
from linkage.assemble import Assembled, Assembler, Population
from linkage.classifier import import_meanwhile
from linkage.decisions import Decisions, Link
from linkage.engine import Engine, Floats, Grouped, Ints, RuleSize, ValueEngine, refuse_oversized
from linkage.engines import open_engine
from linkage.errors import LinkageError
from linkage.fitted import Fitted, keep
from linkage.model import Model
from linkage.moves import Witnesses, places
from linkage.output import cluster_ids, clusters_table, pairs_table
from linkage.packing import Packing
from linkage.run_report import run_report
from linkage.score import Likelihood, Scored, Scorer
from linkage.train import train
from linkage.why import clashes_table, cuts_table, find_cuts, joins_table, summary


@dataclass(frozen=True)
class Outcome:
    """Clusters as arrays: ids and cluster names by record number, and what was assembled."""

    ids: pa.StringArray
    names: pa.StringArray
    assembled: Assembled
    before: Sequence[Scored] = ()  # pairs as they were without what ``moves`` adds


@dataclass(frozen=True)
class LinkResult:
    """What a run gives.

    ``clusters``: record_id, cluster_id; one row for each record, ordered by record_id.
    ``pairs``: record_id_l < record_id_r, match_weight (log2 of the odds of one person),
    match_probability, p_same_household, p_stranger, veto (name or null), level_<comparison>; pairs
    at or above the review threshold and all pairs inside a cluster, ordered by the ids.
    ``cuts``: pairs at or above the join threshold that were not put together, and why (``why``).
    ``report``: parameters, rules, convergence, clusters, constraints, cuts and timings; plain data.
    ``fitted``: the parameters, for another run; None where nothing could be learnt.
    """

    clusters: pa.Table
    pairs: pa.Table
    cuts: pa.Table
    report: dict[str, Any]
    outcome: Outcome = field(repr=False)
    fitted: Fitted | None = None

    @cached_property
    def joins(self) -> pa.Table:
        """How each cluster came together: cluster_id, step, record_id_l, record_id_r,
        match_weight, reason (link or must_link), mean_weight between the two parts."""
        return joins_table(self.outcome.assembled, self.outcome.ids, self.outcome.names)


@dataclass
class Timer:
    """Seconds by stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage."""
        start = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - start, 3)


@dataclass(frozen=True)
class Learnt:
    """A scorer, the shares of the classes, and the proposed pairs (left, right, pattern)."""

    scorer: Scorer
    shares: Floats
    sizes: list[RuleSize]
    patterns: Grouped
    proposed: tuple[Ints, Ints, Ints]
    likelihood: Likelihood | None = None


def link(
    records: pa.Table | Path | str,
    model: Model,
    must_link: Iterable[Link] = (),
    cannot_link: Iterable[Link] = (),
    threads: int = 2,
    memory_limit: str | None = None,
    engine: str = "duckdb",
    fitted: Fitted | None = None,
) -> LinkResult:
    """Link records (Arrow table, or path of a .parquet or .csv file) by a model.

    ``must_link`` and ``cannot_link`` are reviewers' decisions, pairs of record ids.
    ``memory_limit`` (such as "2GB") bounds the engine, which then spills. ``engine`` is ``duckdb``
    or ``spark``; both give equal results. With ``fitted`` (of ``fit``) nothing is learnt. Raises
    LinkageError.
    """
    timer = Timer()
    import_meanwhile()
    with ExitStack() as stack:
        with timer.stage("load"):
            opened = stack.enter_context(open_engine(engine, records, model, threads, memory_limit))
        return link_engine(opened, model, must_link, cannot_link, fitted, timer)


def link_engine(
    engine: Engine,
    model: Model,
    must_link: Iterable[Link] = (),
    cannot_link: Iterable[Link] = (),
    fitted: Fitted | None = None,
    timer: Timer | None = None,
) -> LinkResult:
    """Link the records that an engine has loaded; raises LinkageError."""
    timer = timer or Timer()
    if not _can_compare(engine):
        return _nothing_to_compare(engine, model, timer, fitted)
    learnt = _learn(engine, model, timer, fitted)
    with timer.stage("score"):
        scored = learnt.scorer.weigher.score(*learnt.proposed, learnt.shares, learnt.likelihood)
        learnt = replace(learnt, likelihood=None)  # as large as all else
    with timer.stage("cluster"):
        ids, people = population(engine, model)
        decisions = Decisions.of(ids, must_link, cannot_link)
        learnt, witnesses = _witnesses(engine, model, learnt, scored, decisions, fitted is None)
        assembled = _assemble(engine, people, decisions, learnt, witnesses, scored)
    if fitted is None and isinstance(engine, ValueEngine):
        fitted = keep(learnt.scorer, engine, learnt.shares)
    report = run_report(model, engine.loaded, learnt.scorer.parameters, learnt.sizes, assembled)
    report["shares_of_all_pairs"] = named_shares(learnt.shares)
    report["pairs"] = {
        "compared": int(learnt.patterns.count.sum()),
        "distinct_patterns": len(distinct(learnt.patterns.pattern)),
        "scored": len(learnt.proposed[0]),
    }
    return make_result(ids, assembled, report, fitted, timer, witnesses.before)


def make_result(
    ids: pa.StringArray,
    assembled: Assembled,
    report: dict[str, Any],
    fitted: Fitted | None,
    timer: Timer,
    before: Sequence[Scored] = (),
) -> LinkResult:
    """Tables of what was assembled; completes the report. ``before`` are pairs without ``moves``."""
    with timer.stage("output"):
        names = cluster_ids(ids, assembled.labels)
        clusters = clusters_table(ids, names)
        pairs = pairs_table(ids, assembled)
        cuts = cuts_table(assembled, ids, find_cuts(assembled))
        clashes = clashes_table(assembled.contradictions, ids)
    whole = report | summary(cuts, clashes) | {"timings_seconds": timer.seconds}
    return LinkResult(clusters, pairs, cuts, whole, Outcome(ids, names, assembled, before), fitted)


def fit(
    records: pa.Table | Path | str,
    model: Model,
    threads: int = 2,
    memory_limit: str | None = None,
    engine: str = "duckdb",
) -> Fitted:
    """Learn a model's parameters from records, to link these or others with; raises LinkageError."""
    with open_engine(engine, records, model, threads, memory_limit) as opened:
        if not _can_compare(opened):
            raise LinkageError(f"{opened.loaded.count} records: there is nothing to learn from")
        learnt = _learn(opened, model, Timer(), None)
        if model.moves is not None:
            scored = learnt.scorer.weigher.score(*learnt.proposed, learnt.shares, learnt.likelihood)
            nobody = Decisions.of(opened.identities().record_ids, (), ())
            learnt, _ = _witnesses(opened, model, learnt, scored, nobody, True)
        return _kept(opened, learnt)


def _can_compare(engine: Engine) -> bool:
    return engine.loaded.count >= 2 and bool(engine.loaded.packing.comparisons)


def _kept(engine: Engine, learnt: Learnt) -> Fitted:
    if not isinstance(engine, ValueEngine):
        raise LinkageError("this engine knows no values, so that its fit cannot be kept")
    return keep(learnt.scorer, engine, learnt.shares)


def _learn(engine: Engine, model: Model, timer: Timer, fitted: Fitted | None) -> Learnt:
    """Propose and compare pairs, and learn the parameters or take those of a fit."""
    with timer.stage("check_rules"):
        sizes = engine.rule_sizes()
        refuse_oversized(engine, sizes, model)
    with timer.stage("pairs"):
        patterns = engine.patterns()
    if fitted is not None:
        scorer = _fitted_scorer(engine, model, fitted)
        with timer.stage("survivors"):
            proposed = scorer.survivors(patterns, fitted.shares)
        return Learnt(scorer, fitted.shares, sizes, patterns, proposed)
    with timer.stage("random_pairs"):
        random = engine.random_patterns()
    with timer.stage("estimate"):
        parameters = train(engine, model, patterns, random)
    scorer = Scorer(engine, model, parameters, engine.loaded.count)
    with timer.stage("survivors"):
        proposed = scorer.survivors(patterns)
    with timer.stage("settle_shares"):
        likelihood = scorer.weigher.likelihood(proposed[0], proposed[2])
        shares = scorer.settle_shares(likelihood)
    return Learnt(scorer, shares, sizes, patterns, proposed, likelihood)


def _fitted_scorer(engine: Engine, model: Model, fitted: Fitted) -> Scorer:
    fitted.check(model)
    if not isinstance(engine, ValueEngine):
        raise LinkageError("this engine knows no values, so that a fit cannot be applied")
    return fitted.scorer(engine, model)


def population(engine: Engine, model: Model) -> tuple[pa.StringArray, Population]:
    """Ids of the records, and what clustering knows of their sources."""
    known = engine.identities()
    return known.record_ids, Population.of(known.sources, model)


def _witnesses(
    engine: Engine, model: Model, learnt: Learnt, scored: Scored, decisions: Decisions, learn: bool
) -> tuple[Learnt, Witnesses]:
    """Who moved with whom, and the parameters with how often that is seen."""
    scorer, packing = learnt.scorer, engine.loaded.packing
    found = Witnesses.of(
        model, packing, places(engine, model), scored, decisions, scorer.parameters, learn
    )
    if not learn or found.rates is None:
        return learnt, found
    parameters = replace(scorer.parameters, moved=found.rates)
    return replace(learnt, scorer=replace(scorer, parameters=parameters)), found


def _assemble(
    engine: Engine,
    people: Population,
    decisions: Decisions,
    learnt: Learnt,
    witnesses: Witnesses,
    scored: Scored,
) -> Assembled:
    def score_more(left: Ints, right: Ints) -> Scored:
        pattern = engine.compare(left, right)
        return witnesses(learnt.scorer.weigher.score(left, right, pattern, learnt.shares))

    model, packing = witnesses.model, witnesses.packing
    assembler = Assembler(model, packing, people, decisions, score_more, witnesses.look_again)
    return assembler.run(witnesses.first(scored))


def _nothing_to_compare(
    engine: Engine, model: Model, timer: Timer, fitted: Fitted | None
) -> LinkResult:
    """No or one record: each is its own cluster, and the report says why nothing was estimated."""
    loaded, packing = engine.loaded, Packing(model.comparisons)
    ids, people = population(engine, model)

    def no_more(left: Ints, right: Ints) -> Scored:
        return Scored.none()

    decisions = Decisions.of(ids, (), ())
    assembled = Assembler(model, packing, people, decisions, no_more).run(Scored.none())
    report = run_report(model, loaded, None, [], assembled)
    report["warnings"] = [f"{loaded.count} records: there is nothing to compare"]
    report["pairs"] = {"compared": 0, "distinct_patterns": 0, "scored": 0}
    return make_result(ids, assembled, report, fitted, timer)


def named_shares(shares: Floats) -> dict[str, float]:
    """Shares of all pairs by class."""
    names = ["stranger", "household", "same"] if len(shares) == 3 else ["stranger", "same"]
    return {name: float(s) for name, s in zip(names, shares, strict=True)}
