"""New, changed and removed records against the records that are there, with a fit that stays.

Only pairs in which one side is new or changed are compared, and only where a blocking rule proposes
them; the other pairs keep the weights that they have. Clusters are then built from all pairs by the
code of a full run, which takes a second for a million records, so that nothing has to be proved
about which components a change could reach. Because weights come from a fit and not from the
records of the day, the result is that of a full run with the same fit.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from linkage.assemble import Assembled, Assembler
from linkage.assemble import Population as People
from linkage.changes import Changes, Comparer, Population, take_in, write_first
from linkage.cluster import components
from linkage.decisions import Decisions, Link
from linkage.duck import connect, open_engine
from linkage.engine import Ints, Loaded
from linkage.errors import LinkageError
from linkage.fitted import Fitted
from linkage.linker import LinkResult, Timer, link_engine, make_result, named_shares
from linkage.model import Model
from linkage.moves import Witnesses
from linkage.packing import Packing
from linkage.run_report import run_report
from linkage.score import Scored
from linkage.state import RECORDS, State, new_state, open_state, write_state


def start(
    records: pa.Table | Path | str,
    model: Model,
    state: Path | str,
    fitted: Fitted | None = None,
    must_link: Iterable[Link] = (),
    cannot_link: Iterable[Link] = (),
    threads: int = 2,
    memory_limit: str | None = None,
) -> LinkResult:
    """Link all records and keep what ``link_incremental`` needs in the folder ``state``.

    Without ``fitted`` the parameters are learnt from these records. Raises LinkageError.
    """
    must, cannot = _pairs(must_link), _pairs(cannot_link)
    Packing(model.comparisons)  # all of them have to fit, as any may speak one day
    with new_state(state) as folder:
        with open_engine(records, model, threads, memory_limit) as engine:
            result = link_engine(engine, model, must, cannot, fitted)
        if result.fitted is None:
            raise LinkageError("there is nothing to learn from; give 'fitted', or more records")
        with (
            tempfile.TemporaryDirectory(prefix="linkage-") as scratch,
            connect(scratch, threads, memory_limit) as con,
        ):
            write_first(con, model, records, folder / RECORDS)
        write_state(folder, model, result, must, cannot)
    return result


def link_incremental(
    records: pa.Table | Path | str,
    model: Model,
    previous: Path | str,
    removed: Iterable[str] = (),
    must_link: Iterable[Link] | None = None,
    cannot_link: Iterable[Link] | None = None,
    threads: int = 2,
    memory_limit: str | None = None,
) -> LinkResult:
    """Take new and changed ``records`` and ``removed`` ids into the state ``previous``.

    The folder is replaced by the new state. ``must_link`` and ``cannot_link`` are all decisions now
    in force; None leaves those of the state. Raises LinkageError, and then the state is untouched.
    """
    timer = Timer()
    with timer.stage("open"):
        state = open_state(previous, model)
    must = state.must_link if must_link is None else _pairs(must_link)
    cannot = state.cannot_link if cannot_link is None else _pairs(cannot_link)
    with (
        tempfile.TemporaryDirectory(prefix="linkage-") as scratch,
        connect(scratch, threads, memory_limit) as con,
        new_state(previous) as folder,
        ExitStack() as stack,
    ):
        with timer.stage("records"):
            changes, population = take_in(
                con, model, records, removed, state.records, folder / RECORDS
            )
            old, known = _moved(state, population)
        strong = old.take(old.at_least(model.thresholds.join))
        labels = components(len(population), strong.left, strong.right)
        packing = Packing(model.comparisons)
        comparer = Comparer(population, state.fitted, packing, labels, stack, threads, memory_limit)
        fresh = _fresh(population, comparer, timer)
        with timer.stage("cluster"):
            scored = old.with_more(fresh, len(population))
            decisions = Decisions.of(population.ids, must, cannot)
            assembled, before = _assemble(comparer, decisions, known, scored)
        report = _report(model, state, changes, assembled)
        report["pairs"] = {"compared": len(fresh), "scored": len(assembled.scored)}
        result = make_result(population.ids, assembled, report, state.fitted, timer, before)
        with timer.stage("write"):
            write_state(folder, model, result, must, cannot)
    return result


def _pairs(links: Iterable[Link]) -> set[Link]:
    return {(min(a, b), max(a, b)) for a, b in links}


def _fresh(population: Population, comparer: Comparer, timer: Timer) -> Scored:
    """The pairs with a new or changed side at or above the review threshold."""
    with timer.stage("propose"):
        left, right = population.candidates()
    with timer.stage("compare"):
        scored = comparer.score(left, right)
        return scored.take(scored.at_least(population.model.thresholds.review))


def _moved(state: State, population: Population) -> tuple[Scored, Scored]:
    """The pairs of the state that no change touches, with the records' new numbers.

    Those that the rules proposed, and those that came in when a component was looked at whole: these
    may be used again where that is so again, and must not join records where it is not.
    """
    old = state.clusters()["record_id"].combine_chunks()
    number = pc.index_in(old, population.ids).fill_null(-1).to_numpy().astype(np.int64)
    fresh = np.zeros(len(population) + 1, dtype=bool)
    fresh[population.fresh] = True
    number[fresh[number]] = -1
    pairs, proposed = state.compared()
    left, right = number[pairs.left], number[pairs.right]
    stays = (left >= 0) & (right >= 0)
    moved: Scored = replace(pairs, left=left, right=right)
    return moved.take(stays & proposed), moved.take(stays & ~proposed)


def _assemble(
    comparer: Comparer, decisions: Decisions, known: Scored, scored: Scored
) -> tuple[Assembled, list[Scored]]:
    """Clusters from all pairs, and those pairs to which the moves added evidence as they were."""
    population, packing = comparer.population, comparer.packing
    model, parameters, place = population.model, comparer.fitted.parameters, population.places()
    witnesses = Witnesses.of(model, packing, place, scored, decisions, parameters, learn=False)

    def score_more(left: Ints, right: Ints) -> Scored:
        return witnesses(_score_more(comparer, known, left, right))

    people = People.of(population.sources(), model)
    assembler = Assembler(model, packing, people, decisions, score_more, witnesses.look_again)
    return assembler.run(witnesses.first(scored)), witnesses.before


def _score_more(comparer: Comparer, known: Scored, left: Ints, right: Ints) -> Scored:
    """Weights of ordered pairs, some of which may be known."""
    count = len(comparer.population)
    keys, wanted = known.left * count + known.right, left * count + right
    at = np.searchsorted(keys, wanted)
    found = np.append(keys, -1)[at] == wanted
    more = comparer.score(left[~found], right[~found])
    return known.take(at[found]).with_more(more, count)


def _report(model: Model, state: State, changes: Changes, assembled: Assembled) -> dict[str, Any]:
    parameters = state.fitted.parameters
    loaded = Loaded(len(assembled.labels), assembled.packing, {}, ())
    report = run_report(model, loaded, parameters, [], assembled)
    report["shares_of_all_pairs"] = named_shares(state.fitted.shares)
    report["changes"] = asdict(changes)
    return report
