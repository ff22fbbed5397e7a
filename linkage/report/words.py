"""The run in sentences: what was linked, how sure, what is to be doubted, what to look at first."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from linkage.report.element import bits, interval, share
from linkage.report.run import Run


def counted(number: int, one: str, many: str | None = None) -> str:
    """'1 pair', '2,000 pairs'."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def linked(run: Run) -> str:
    """How many records came to how many clusters."""
    report = run.report
    sizes = {int(k): v for k, v in report["clusters"]["by_size"].items()}
    alone = sizes.get(1, 0)
    return (
        f"{counted(report['records'], 'record')} came to {counted(report['clusters']['count'], 'cluster')}, "
        f"each taken for one person or thing. {counted(alone, 'record')} stayed alone; the largest cluster "
        f"has {counted(max(sizes, default=0), 'record')}."
    )


def sure(run: Run) -> list[str]:
    """How sure the joins are by the model's own account, and against the truth if that is known."""
    sentences = []
    inside = run.together & ~run.vetoed
    if inside.any():
        wrong = float((1 - run.probability[inside]).sum())
        sentences.append(
            f"Of the {counted(int(inside.sum()), 'pair')} inside clusters the model itself expects about "
            f"{wrong:,.1f} to be wrong (mean probability {share(float(run.probability[inside].mean()))}). "
            "That is the model's opinion; only labels or a reviewed sample can confirm it."
        )
    if run.quality:
        found = run.quality["pairwise"]
        told = (f"{n} {interval(found[n], found['intervals'][n])}" for n in ("precision", "recall"))
        sentences.append(
            f"Against the known truth, with 95 % intervals: {', '.join(told)}, over pairs of records."
        )
    return sentences


def doubtful(run: Run) -> str:
    """How many pairs lie between review and join."""
    limits = run.model.thresholds
    between = (run.probability >= limits.review) & (run.probability < limits.join) & ~run.vetoed
    cut = sum(run.report.get("cuts", {}).get("by_reason", {}).values())
    return (
        f"{counted(int(between.sum()), 'pair')} {'is' if between.sum() == 1 else 'are'} doubtful (probability from "
        f"{limits.review:g} to {limits.join:g}); {counted(cut, 'pair')} reached the join threshold but "
        f"{'was' if cut == 1 else 'were'} not put together, because a veto, a decision or the other records of "
        "the two clusters spoke against it."
    )


def warnings(run: Run) -> list[str]:
    """Everything that makes the result less than it seems, most serious first."""
    dropped = [
        f"comparison '{name}' was left out: {why}"
        for name, why in run.report["comparisons_dropped"].items()
    ]
    behind = [s for s in (run.quality or {}).get("words", []) if "beyond chance (interval" in s]
    return [*run.report["warnings"], *dropped, *behind]


def look_first(run: Run) -> list[str]:
    """What a person should look at first, in order."""
    return list(_look_first(run))


def _look_first(run: Run) -> Iterator[str]:
    if warnings(run):
        yield "the warnings above"
    constraints = run.report["constraints"]
    if clash := constraints.get("decisions_that_clash", 0):
        yield f"{counted(clash, 'decision')} of reviewers that clash with another"
    against = run.together & (run.weight < 0)
    if against.any():
        yield (
            f"{counted(int(against.sum()), 'pair')} inside a cluster whose own weight speaks against it "
            f"(lowest {bits(float(run.weight[against].min()))} bits): the cluster holds together through others"
        )
    held = run.vetoed & (run.probability >= run.model.thresholds.join) & ~run.together
    if held.any():
        yield f"{counted(int(held.sum()), 'pair')} that a veto held apart in spite of their weight"
    near = np.abs(run.weight - run.join_weight) <= 1
    near &= ~run.vetoed
    if near.any():
        yield f"{counted(int(near.sum()), 'pair')} within one bit of the join threshold ({bits(run.join_weight)} bits)"
    largest = max((int(k) for k in run.report["clusters"]["by_size"]), default=0)
    if largest > 2:
        yield f"the largest clusters ({largest} records): are they really one?"
