"""The sections of the page about the run itself: weights, examples, clusters, parameters, rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from linkage.curves import histogram
from linkage.report import words
from linkage.report.element import Html, bits, joined, listed, share, spoken, table, tag
from linkage.report.examples import Example, choose
from linkage.report.run import Run
from linkage.report.svg import Bar, Picture, bars, stacked

_OPEN_ROWS = 14  # a longer table is folded
_BARS = 60


def beside(run: Run, stem: str, picture: Picture, rows: Sequence[dict[str, Any]]) -> Html:
    """A picture with its numbers beside it."""
    data = table(f"{picture.title}: the numbers", rows)
    if len(rows) > _OPEN_ROWS:
        data = tag("details", tag("summary", f"The numbers ({len(rows)} rows)"), data)
    figure = tag("figure", picture.svg(run.name(stem)), tag("figcaption", picture.description))
    return tag("div", figure, data, class_="pair")


def summary(run: Run) -> Html:
    """Everything in words."""
    warned = words.warnings(run)
    notice = (
        tag(
            "div",
            tag("h3", f"{words.counted(len(warned), 'warning')}"),
            listed(warned),
            class_="warning",
        )
        if warned
        else tag(
            "p", "No warnings: every comparison was taught and every rule converged.", class_="calm"
        )
    )
    first = words.look_first(run)
    return joined(
        [
            tag("p", words.linked(run), class_="lead"),
            *(tag("p", sentence) for sentence in words.sure(run)),
            tag("p", words.doubtful(run)) if run.pairs.num_rows else "",
            notice,
            tag("h3", "Look first at"),
            listed(first, ordered=True) if first else tag("p", "Nothing stands out."),
        ]
    )


def weights(run: Run) -> Html:
    """Histogram of the weights of the listed pairs."""
    classes = {
        "in one cluster": run.together,
        "apart": ~run.together & ~run.vetoed,
        "apart by a veto": ~run.together & run.vetoed,
    }
    rows = histogram(run.weight, classes)
    if not rows:
        return tag("p", "No pair reached the review threshold.")
    kinds = list(zip(classes, ("for", "against", "held"), strict=True))
    picture = stacked(
        "Pairs by weight",
        "Pairs at or above the review threshold and all pairs inside clusters. A weight of 0 is even odds; "
        "each bit doubles them.",
        rows,
        kinds,
        [(run.join_weight, "join")],
    )
    return beside(run, "weights", picture, rows)


def examples(run: Run) -> Html:
    """Waterfalls of chosen pairs; levels, weights and record ids, never a value."""
    found = choose(run)
    if not found:
        return tag("p", "No pair to show.")
    return joined(_waterfall(run, example) for example in found)


def _waterfall(run: Run, example: Example) -> Html:
    rows, level = [], 0.0
    for step in example.steps:
        kind = "for" if step.bits >= 0 else "against"
        rows.append(Bar(step.label, level, level + step.bits, bits(step.bits), kind))
        level += step.bits
    rows.append(Bar("together", 0.0, example.weight, bits(example.weight), "total"))
    picture = bars(
        f"{example.why}: {example.left} and {example.right}",
        f"{bits(example.weight)} bits, probability {share(example.probability)}; {example.outcome}.",
        rows,
    )
    data = [{"step": s.label, "bits": bits(s.bits)} for s in example.steps]
    data.append({"step": "together", "bits": bits(example.weight)})
    return joined([tag("h3", picture.title), beside(run, "pair", picture, data)])


def clusters(run: Run) -> Html:
    """Sizes of clusters, constraints, and the joins that hold least."""
    sizes = sorted((int(k), v) for k, v in run.report["clusters"]["by_size"].items())
    parts: list[Html] = []
    if sizes:
        picture = bars(
            "Clusters by number of records",
            "How many clusters have how many records; lengths as square roots.",
            [
                Bar(words.counted(size, "record"), 0, count**0.5, f"{count:,}")
                for size, count in sizes[:_BARS]
            ],
        )
        rows = [{"records": s, "clusters": c, "records in all": s * c} for s, c in sizes]
        parts.append(beside(run, "sizes", picture, rows))
    constraints = [
        {"constraint": spoken(name), "number": value}
        for name, value in run.report["constraints"].items()
        if isinstance(value, int | float)
    ]
    parts += [
        tag("h3", "Constraints and repair"),
        table("What held records apart or together", constraints),
        _cuts(run),
        tag("h3", "Joins that hold least"),
        _weakest(run),
    ]
    return joined(parts)


def _cuts(run: Run) -> Html:
    """Pairs that reached the join threshold and were not put together, and the bridges among them."""
    cuts = run.report.get("cuts", {})
    reasons = [{"reason": spoken(k), "pairs": v} for k, v in cuts.get("by_reason", {}).items()]
    bridges = [
        {
            "pair": f"{b['record_id_l']} – {b['record_id_r']}",
            "bits": bits(b["match_weight"]),
            "mean between the clusters": None
            if b["mean_weight"] is None
            else bits(b["mean_weight"]),
            "reason": spoken(b["reason"]),
        }
        for b in cuts.get("strongest_bridges", [])
    ]
    clashes = run.report.get("clashes", [])
    return joined(
        [
            tag("h3", "Strong pairs that were not put together"),
            table(
                "By reason: a veto, a decision, or a bridge that the rest speaks against", reasons
            ),
            table("The strongest bridges that were cut", bridges),
            table("Decisions of reviewers that something speaks against", clashes)
            if clashes
            else "",
        ]
    )


def _weakest(run: Run) -> Html:
    inside = np.flatnonzero(run.together)
    order = inside[np.argsort(run.weight[inside], kind="stable")][:10]
    rows = [
        {
            "pair": f"{row['record_id_l']} – {row['record_id_r']}",
            "bits": bits(row["match_weight"]),
            "probability": share(row["match_probability"]),
            "same household": share(row["p_same_household"]),
            "veto": row["veto"],
        }
        for row in run.pairs.take(order).to_pylist()
    ]
    return table("The pairs inside clusters with the lowest weight", rows)


def parameters(run: Run) -> Html:
    """What was learnt of each level."""
    learnt = run.report["parameters"]
    if not learnt:
        return tag("p", "Nothing was learnt.")
    rows = []
    for name, levels in groupby(learnt, key=lambda p: p["comparison"]):
        for i, level in enumerate(levels):
            weight = level["weight_bits"]
            kind = "for" if weight >= 0 else "against"
            heading = name if i == 0 else ""
            rows.append(Bar(spoken(level["level"]), 0, weight, bits(weight), kind, heading))
    picture = bars(
        "Weight of each level",
        "Bits that a level adds to the odds of one person against strangers; to the left it speaks against.",
        rows,
    )
    shown = [
        {
            "level": f"{p['comparison']}: {p['level']}",
            "one person (m)": p["m"],
            "one household": p["household"],
            "strangers (u)": p["u"],
            "bits": bits(p["weight_bits"]),
        }
        for p in learnt
    ]
    shares = [
        {"class": name, "share of all pairs": f"{value:.3e}".replace("-", "−")}
        for name, value in run.report["shares_of_all_pairs"].items()
    ]
    return joined([beside(run, "levels", picture, shown), _apart(run), table("Classes", shares)])


def _apart(run: Run) -> Html:
    """Probabilities learnt apart for pairs at certain levels of another comparison."""
    rows = [
        {
            "level": f"{p['comparison']}: {p['level']}",
            "among pairs with": "; ".join(f"{n}: {', '.join(v)}" for n, v in p["among"].items()),
            "one household": p["household"],
            "strangers (u)": p["u"],
            "bits": bits(p["weight_bits"]),
        }
        for p in run.report.get("parameters_apart", [])
    ]
    if not rows:
        return Html("")
    title = "Learnt apart, because the comparisons depend on one another"
    return tag("details", tag("summary", f"{title} ({len(rows)} rows)"), table(title, rows))


def rules(run: Run) -> Html:
    """What each blocking rule proposed."""
    sizes = run.report["rules"]
    if not sizes:
        return tag("p", "No rule was run.")
    picture = bars(
        "Pairs by blocking rule",
        "Pairs that each rule proposes, before others take their share.",
        [Bar(r["rule"], 0, r["pairs"], f"{r['pairs']:,}") for r in sizes],
    )
    data = [
        {"rule": r["rule"], "pairs": r["pairs"], "largest block": r["largest_block"]} for r in sizes
    ]
    compared = run.report["pairs"]
    return joined(
        [
            tag(
                "p",
                f"{compared['compared']:,} different pairs were compared; they show "
                f"{compared['distinct_patterns']:,} patterns of levels; {compared['scored']:,} pairs could matter "
                "and were weighed one by one.",
            ),
            beside(run, "rules", picture, data),
        ]
    )


def training(run: Run) -> Html:
    """Whether learning was sound: convergence, label switching, other start values, what was held out."""
    fits = run.report["training"]
    every = [dict(_training_row(fit)) for fit in fits]
    names = ("rule", "pairs", "pairs of one person", "iterations", "converged", "labels switched")
    first = [{n: row[n] for n in names if n in row} for row in every]
    timings = [
        {"stage": spoken(k), "seconds": f"{v:.2f}"}
        for k, v in run.report["timings_seconds"].items()
    ]
    return joined(
        [
            tag("p", _soundness(fits)),
            tag(
                "p",
                "Each rule teaches the comparisons that it does not fix. 'Labels switched' means that a rule's "
                "pairs of one person would agree less than others: what it taught is then left out.",
            ),
            table("What each rule taught", first),
            tag("details", tag("summary", "Everything about each rule"), table("Each rule", every)),
            tag("h3", "Time"),
            table("Seconds by stage", timings),
        ]
    )


def _soundness(fits: Sequence[dict[str, Any]]) -> str:
    """Convergence, label switching and other starts in one sentence."""
    stuck = [f["rule"] for f in fits if not f["converged"]]
    switched = [f["rule"] for f in fits if f["labels_switched"]]
    loose = [
        f["rule"]
        for f in fits
        if any(isinstance(v, dict) and v.get("settled") is False for v in f.values())
    ]
    told = [
        f"{len(fits) - len(stuck)} of {words.counted(len(fits), 'rule')} converged"
        + (f" (not: {', '.join(stuck)})" if stuck else ""),
        f"labels switched in {', '.join(switched)}" if switched else "no labels switched",
    ]
    if loose:
        told.append(f"other start values led elsewhere in {', '.join(loose)}")
    return f"{'; '.join(told)}."


def _training_row(fit: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in fit.items():
        if isinstance(value, list | tuple):
            yield spoken(key), ", ".join(str(v) for v in value) or None
        elif isinstance(value, float):
            yield spoken(key), _shortened(value)
        elif isinstance(value, dict):
            yield from ((f"{spoken(key)}: {k}", v) for k, v in _training_row(value))
        else:
            yield spoken(key), value


def _shortened(value: float) -> str:
    return f"{value:,.{0 if abs(value) >= 100 else 2}f}".replace("-", "−")
