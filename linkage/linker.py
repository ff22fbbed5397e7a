"""The whole of it: records and a model in, clusters, scored pairs and a report out.

Load and code the records, check the rules' sizes, propose and compare pairs, learn the parameters
from grouped patterns, score the pairs that could matter, build clusters. Each stage is a function
of its own module and is timed here. Nothing depends on the clock or on the order of the input.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from linkage.assemble import Assembled, Assembler, Decisions
from linkage.em import Ints
from linkage.engine import Engine, Loaded, RuleSize, refuse_oversized
from linkage.engines import open_engine
from linkage.estimate import Parameters, veto_names
from linkage.model import Model
from linkage.packing import Packing
from linkage.score import Scored, Scorer
from linkage.train import train

Link = tuple[str, str]


@dataclass(frozen=True)
class LinkResult:
    """What a run gives.

    ``clusters``: record_id, cluster_id; one row for each record, ordered by record_id.
    ``pairs``: record_id_l < record_id_r, match_weight (log2 of the odds of one person),
    match_probability, p_same_household, p_stranger, veto (name or null), level_<comparison>; pairs
    at or above the review threshold and all pairs inside a cluster, ordered by the ids.
    ``report``: parameters, rules, convergence, clusters, constraints and timings; plain data.
    """

    clusters: pa.Table
    pairs: pa.Table
    report: dict[str, Any]


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


def link(
    records: pa.Table | Path | str,
    model: Model,
    must_link: Iterable[Link] = (),
    cannot_link: Iterable[Link] = (),
    threads: int = 2,
    memory_limit: str | None = None,
    engine: str = "duckdb",
) -> LinkResult:
    """Link records (Arrow table, or path of a .parquet or .csv file) by a model.

    ``must_link`` and ``cannot_link`` are reviewers' decisions, pairs of record ids.
    ``memory_limit`` (such as "2GB") bounds the engine, which then spills. ``engine`` is ``duckdb``
    or ``spark``; both give equal results. Raises LinkageError.
    """
    timer = Timer()
    with ExitStack() as stack:
        with timer.stage("load"):
            opened = stack.enter_context(open_engine(engine, records, model, threads, memory_limit))
        return _link(opened, model, must_link, cannot_link, timer)


def link_engine(
    engine: Engine,
    model: Model,
    must_link: Iterable[Link] = (),
    cannot_link: Iterable[Link] = (),
) -> LinkResult:
    """Link the records that an engine has loaded; raises LinkageError."""
    return _link(engine, model, must_link, cannot_link, Timer())


def _link(
    engine: Engine,
    model: Model,
    must_link: Iterable[Link],
    cannot_link: Iterable[Link],
    timer: Timer,
) -> LinkResult:
    loaded = engine.loaded
    if loaded.count < 2 or not loaded.packing.comparisons:
        return _nothing_to_compare(engine, model, timer)
    with timer.stage("check_rules"):
        sizes = engine.rule_sizes()
        refuse_oversized(sizes, model)
    with timer.stage("pairs"):
        patterns = engine.patterns()
    with timer.stage("random_pairs"):
        random = engine.random_patterns()
    with timer.stage("estimate"):
        parameters = train(engine, model, patterns, random)
    scorer = Scorer(engine, model, parameters, loaded.count)
    with timer.stage("score"):
        proposed = scorer.survivors(patterns)
        shares = scorer.settle_shares(*proposed)
        scored = scorer.score(*proposed, shares)
    with timer.stage("cluster"):
        ids, assembled = _assemble(engine, model, scorer, shares, scored, must_link, cannot_link)
    with timer.stage("output"):
        clusters = _clusters_table(ids, assembled.labels)
        pairs = _pairs_table(model, loaded.packing, ids, assembled)
    report = _report(model, loaded, parameters, sizes, assembled)
    report["shares_of_all_pairs"] = _named_shares(parameters, shares)
    report["pairs"]["compared"] = int(patterns.count.sum())
    report["pairs"]["distinct_patterns"] = len(np.unique(patterns.pattern))
    report["pairs"]["scored"] = len(proposed[0])
    report["timings_seconds"] = timer.seconds
    return LinkResult(clusters, pairs, report)


def _assemble(
    engine: Engine,
    model: Model,
    scorer: Scorer,
    shares: Any,
    scored: Scored,
    must_link: Iterable[Link],
    cannot_link: Iterable[Link],
) -> tuple[pa.StringArray, Assembled]:
    known = engine.identities()
    ids: list[str] = known.record_ids.to_pylist()
    names = known.sources.dictionary.to_pylist()
    source = np.asarray(known.sources.indices.fill_null(len(names)), dtype=np.int64)
    single = np.array([*(n in model.one_per_source for n in names), False])

    def score_more(left: Ints, right: Ints) -> Scored:
        return scorer.score(left, right, engine.compare(left, right), shares)

    assembler = Assembler(
        model,
        len(ids),
        source,
        single[source],
        Decisions.of({r: i for i, r in enumerate(ids)}, must_link, cannot_link),
        score_more,
    )
    return known.record_ids, assembler.run(scored)


def _cluster_id(record_id: str) -> str:
    """A name that nobody takes for a record's: a hash of the cluster's lowest record id."""
    return "cluster-" + hashlib.sha256(record_id.encode()).hexdigest()[:16]


def _clusters_table(ids: pa.StringArray, labels: Ints) -> pa.Table:
    first, cluster = np.unique(labels, return_inverse=True)
    names = pa.array([_cluster_id(r) for r in ids.take(pa.array(first)).to_pylist()], pa.string())
    return pa.table({"record_id": ids, "cluster_id": names.take(pa.array(cluster))})


def _pairs_table(
    model: Model, packing: Packing, ids: pa.StringArray, assembled: Assembled
) -> pa.Table:
    scored = assembled.scored
    together = assembled.labels[scored.left] == assembled.labels[scored.right]
    kept = scored.take(together | (scored.probability >= model.thresholds.review))
    levels = packing.unpack(kept.pattern)
    household = kept.posterior[:, 1] if kept.posterior.shape[1] == 3 else np.zeros(len(kept))
    columns: dict[str, Any] = {
        "record_id_l": ids.take(pa.array(kept.left)),
        "record_id_r": ids.take(pa.array(kept.right)),
        "match_weight": kept.weight,
        "match_probability": kept.probability,
        "p_same_household": household,
        "p_stranger": kept.posterior[:, 0],
        "veto": _veto_column(model, packing, levels),
    }
    for index, comparison in enumerate(packing.comparisons):
        codes = pa.array(levels[:, index], pa.int8())
        coded = pa.DictionaryArray.from_arrays(codes, list(comparison.level_names))
        columns[f"level_{comparison.name}"] = coded.cast(pa.string())
    return pa.table(columns)


def _veto_column(model: Model, packing: Packing, levels: Ints) -> pa.Array:
    """Name of the first veto that applies to each pair, or null."""
    names = np.full(len(levels), None, dtype=object)
    for name, applies in reversed(veto_names(model, packing, levels)):
        names[applies] = name
    return pa.array(names, pa.string())


def _nothing_to_compare(engine: Engine, model: Model, timer: Timer) -> LinkResult:
    """No or one record: each is its own cluster, and the report says why nothing was estimated."""
    loaded, ids = engine.loaded, engine.identities().record_ids
    packing = Packing(model.comparisons)
    empty = np.empty(0, np.int64)
    scored = Scored(empty, empty, empty, np.empty(0), np.empty((0, 3)), np.empty(0, dtype=bool))
    labels = np.arange(len(ids), dtype=np.int64)
    report = {
        "model": {"name": model.name, "version": model.version},
        "records": loaded.count,
        "comparisons_dropped": loaded.dropped,
        "rules": [],
        "pairs": {"compared": 0, "distinct_patterns": 0, "scored": 0},
        "parameters": [],
        "training": [],
        "clusters": {"count": len(ids), "by_size": {1: len(ids)} if ids else {}},
        "constraints": {},
        "warnings": [f"{loaded.count} records: there is nothing to compare"],
        "shares_of_all_pairs": {},
        "timings_seconds": timer.seconds,
    }
    pairs = _pairs_table(model, packing, ids, Assembled(labels, scored, {}))
    return LinkResult(_clusters_table(ids, labels), pairs, report)


def _named_shares(parameters: Parameters, shares: Any) -> dict[str, float]:
    names = (
        ["stranger", "household", "same"] if parameters.classes.count == 3 else ["stranger", "same"]
    )
    return {name: float(s) for name, s in zip(names, shares, strict=True)}


def _report(
    model: Model,
    loaded: Loaded,
    parameters: Parameters,
    sizes: list[RuleSize],
    assembled: Assembled,
) -> dict[str, Any]:
    sizes_of_clusters, counts = np.unique(
        np.unique(assembled.labels, return_counts=True)[1], return_counts=True
    )
    return {
        "model": {"name": model.name, "version": model.version},
        "records": loaded.count,
        "comparisons_dropped": loaded.dropped,
        "rules": [
            {"rule": s.name, "pairs": s.pairs, "largest_block": s.largest_block} for s in sizes
        ],
        "pairs": {},
        "parameters": _parameter_report(parameters),
        "training": parameters.training,
        "clusters": {
            "count": int(counts.sum()),
            "by_size": {int(s): int(c) for s, c in zip(sizes_of_clusters, counts, strict=True)},
        },
        "constraints": assembled.report,
        "warnings": [*loaded.warnings, *parameters.warnings],
    }


def _parameter_report(parameters: Parameters) -> list[dict[str, Any]]:
    """m, household and u of each level, and its weight in bits."""
    rows = []
    classes = parameters.classes
    for index, comparison in enumerate(parameters.packing.comparisons):
        m, u = parameters.of(index, classes.same), parameters.of(index, 0)
        household = parameters.of(index, 1) if classes.count == 3 else u
        for code, level in enumerate(comparison.level_names):
            if code in comparison.neutral_codes:
                continue
            rows.append(
                {
                    "comparison": comparison.name,
                    "level": level,
                    "m": float(m[code]),
                    "household": float(household[code]) if classes.count == 3 else None,
                    "u": float(u[code]),
                    "weight_bits": float(np.log2(m[code] / u[code])),
                }
            )
    return rows
