"""How sure the figures of quality are, how they differ by group, and how they move with the threshold.

Intervals come from a bootstrap whose units are the smallest sets of records that neither a cluster
nor a person crosses (mostly one person): records of one person are not independent, so whole units
are drawn (Field and Welsh 2007, Journal of the Royal Statistical Society B 69: bootstrapping
clustered data). Equal units are grouped and their counts drawn from one multinomial, so that a
million records cost no more than a thousand. Where no error was seen, resampling shows none; the
far end of the interval is then the rule of three (Hanley and Lippman-Hand 1983, JAMA 249).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import pyarrow as pa

from linkage.cluster import components
from linkage.engine import Bools, Floats, Ints
from linkage.errors import LinkageError
from linkage.evaluate import Contributions, Crosstab, codes, joined_with_truth

DRAWS = 1_000
CONFIDENCE = 0.95
FEWEST_PEOPLE = 30  # a group in which fewer people could be got right or wrong is not judged
MOST_GROUPS = 100
# Measure: (numerator, denominator) among the columns of a unit.
_RATIOS = {
    ("pairwise", "precision"): (0, 1),
    ("pairwise", "recall"): (0, 2),
    ("b_cubed", "precision"): (4, 3),
    ("b_cubed", "recall"): (5, 3),
}
_COLUMNS = ("both", "together", "wanted", "records", "b_precision", "b_recall")


@dataclass(frozen=True)
class Units:
    """Distinct kinds of unit (kinds, 6) in the order of ``_COLUMNS``, and how many of each there are."""

    kinds: Floats
    count: Ints

    @classmethod
    def of(cls, unit: Ints, per_record: Contributions, chosen: Bools) -> Units:
        """Sum the contributions of the chosen records by unit, then group equal units."""
        _, inverse = np.unique(unit[chosen], return_inverse=True)
        sums = {
            name: np.round(np.bincount(inverse, values[chosen]), 9)
            for name, values in zip(_COLUMNS, per_record.columns(), strict=True)
        }
        grouped = pa.table(sums).group_by(list(_COLUMNS)).aggregate([([], "count_all")])
        grouped = grouped.sort_by([(name, "ascending") for name in _COLUMNS])
        kinds = np.stack([np.asarray(grouped[name]) for name in _COLUMNS], axis=1)
        return cls(kinds, np.asarray(grouped["count_all"], dtype=np.int64))

    def totals(self) -> Floats:
        """(6,) sums over all units."""
        result: Floats = self.count @ self.kinds
        return result

    def draws(self, seed: int) -> Floats:
        """(draws, 6) sums over units drawn again."""
        total = int(self.count.sum())
        drawn = np.random.default_rng(seed).multinomial(total, self.count / total, DRAWS)
        result: Floats = drawn @ self.kinds
        return result

    def speaking(self, column: int) -> int:
        """Units that have something to count in a column (pairs found, pairs wanted)."""
        return int(self.count[self.kinds[:, column] > 0].sum())


def quality(
    clusters: pa.Table, truth: pa.Table, by: Iterable[str] = (), seed: int = 1
) -> dict[str, Any]:
    """Figures of `linkage.evaluate` with 95 % intervals, by groups, and differences between groups.

    ``truth`` has record_id, person_id and the columns named in ``by``. ``by`` of the result holds,
    for each column and each of its values, the same figures; ``differences`` says which groups are
    behind the best, and ``words`` tells it in sentences. Raises LinkageError.
    """
    columns = tuple(by)
    joined = joined_with_truth(clusters, truth, columns)
    table = Crosstab.of(codes(joined["cluster_id"]), codes(joined["person_id"]))
    unit = _crossed_by_none(table)
    everyone = np.ones(joined.num_rows, dtype=bool)
    result: dict[str, Any] = {
        "records": joined.num_rows,
        "records_without_truth": clusters.num_rows - joined.num_rows,
        "confidence": CONFIDENCE,
        **_with_intervals(_units(unit, table, everyone), seed),
        "by": {},
        "differences": [],
    }
    for column in columns:
        groups = _groups(joined[column], unit, table)
        result["by"][column] = {
            name: _with_intervals(units, seed) for name, units in groups.items()
        }
        result["differences"] += differences(column, groups, seed)
    result["words"] = [s for c in columns for s in _words(c, result["differences"])]
    return result


def _crossed_by_none(table: Crosstab) -> Ints:
    """For each record, a code of the smallest set that neither a cluster nor a person leaves."""
    clusters = int(table.cluster.max(initial=0)) + 1
    persons = int(table.person.max(initial=0)) + 1
    label = components(clusters + persons, table.cluster, table.person + clusters)
    return label[table.cluster]


def _units(unit: Ints, table: Crosstab, chosen: Bools) -> Units:
    return Units.of(unit, table.contributions(chosen), chosen)


def _groups(column: pa.ChunkedArray, unit: Ints, table: Crosstab) -> dict[str, Units]:
    """Units of each value of a column, in the order of the values; no value is ``(none)``."""
    text = column.combine_chunks().cast(pa.string()).fill_null("(none)").dictionary_encode()
    index, names = np.asarray(text.indices), text.dictionary.to_pylist()
    if len(names) > MOST_GROUPS:
        raise LinkageError(
            f"a column to split by has {len(names):,} values; make one of bands, at most {MOST_GROUPS}"
        )
    return {
        name: _units(unit, table, index == code)
        for code, name in sorted(enumerate(names), key=lambda item: str(item[1]))
    }


def _with_intervals(units: Units, seed: int) -> dict[str, Any]:
    totals = units.totals()
    result: dict[str, Any] = {"records": int(totals[3])}
    draws = units.draws(seed) if totals[3] else np.zeros((1, len(_COLUMNS)))
    for measure in ("pairwise", "b_cubed"):
        values, samples = {}, {}
        intervals: dict[str, list[float]] = {}
        for name in ("precision", "recall"):
            top, bottom = _RATIOS[measure, name]
            values[name] = float(_ratio(totals[top], totals[bottom]))
            samples[name] = _ratio(draws[:, top], draws[:, bottom])
            intervals[name] = _interval(values[name], samples[name], units.speaking(bottom))
        values["f1"] = float(_f1(values["precision"], values["recall"]))
        intervals["f1"] = _interval(
            values["f1"], _f1(samples["precision"], samples["recall"]), units.speaking(2)
        )
        result[measure] = {**values, "intervals": intervals}
    return result


def _ratio(top: Any, bottom: Any) -> Any:
    """top / bottom; 1 where there is nothing to get wrong."""
    return np.where(bottom > 0, top / np.where(bottom > 0, bottom, 1), 1.0)


def _f1(precision: Any, recall: Any) -> Any:
    both = precision + recall
    return np.where(both > 0, 2 * precision * recall / np.where(both > 0, both, 1), 0.0)


def _interval(value: float, draws: Floats, speaking: int) -> list[float]:
    """Percentiles of the draws; the rule of three where all draws are at an end of the scale."""
    tail = (1 - CONFIDENCE) / 2
    low, high = (float(q) for q in np.quantile(draws, (tail, 1 - tail)))
    unseen = min(1.0, 3 / speaking) if speaking else 1.0
    if value >= 1 and low >= 1:
        low = 1 - unseen
    if value <= 0 and high <= 0:
        high = unseen
    return [min(low, value), max(high, value)]


def differences(column: str, groups: dict[str, Units], seed: int = 1) -> list[dict[str, Any]]:
    """For recall and precision, how far each group is behind the best one, and whether by chance.

    The interval allows for all pairs of groups having been looked at (Bonferroni), since the best
    one is known only from the same data. Groups with fewer than 30 people are not judged.
    """
    found = []
    for measure in ("recall", "precision"):
        top, bottom = _RATIOS["pairwise", measure]
        judged = {n: g for n, g in groups.items() if g.speaking(bottom) >= FEWEST_PEOPLE}
        value = {n: float(_ratio(g.totals()[top], g.totals()[bottom])) for n, g in groups.items()}
        error = {n: _standard_error(g, top, bottom, seed) for n, g in judged.items()}
        best = max(judged, key=lambda n: (value[n], n), default=None)
        pairs = max(1, len(judged) * (len(judged) - 1) // 2)
        z = NormalDist().inv_cdf(1 - (1 - CONFIDENCE) / 2 / pairs)
        for name, group in groups.items():
            row: dict[str, Any] = {
                "column": column,
                "measure": measure,
                "group": name,
                "value": value[name],
                "people": group.speaking(bottom),
                "best_group": best,
                "behind": None,
                "interval": None,
                "beyond_chance": None,
            }
            if best is not None and name in judged and len(judged) > 1:
                behind = value[best] - value[name]
                half = z * float(np.hypot(error[name], error[best])) if name != best else 0.0
                row |= {
                    "behind": behind,
                    "interval": [behind - half, behind + half],
                    "beyond_chance": behind - half > 0,
                }
            found.append(row)
    return found


def _standard_error(units: Units, top: int, bottom: int, seed: int) -> float:
    """Of a ratio, from the draws; never less than one error in as many units would make it."""
    draws = units.draws(seed)
    spread = float(np.std(_ratio(draws[:, top], draws[:, bottom])))
    return max(spread, 1 / max(1, units.speaking(bottom)))


def _words(column: str, rows: Sequence[dict[str, Any]]) -> list[str]:
    """The differences of one column in sentences."""
    sentences = []
    for measure in ("recall", "precision"):
        mine = [r for r in rows if r["column"] == column and r["measure"] == measure]
        behind = sorted((r for r in mine if r["beyond_chance"]), key=lambda r: -r["behind"])
        judged = [r for r in mine if r["behind"] is not None]
        best = next((r for r in judged if r["group"] == r["best_group"]), None)
        sentences += [_behind(column, measure, row, best) for row in behind if best]
        if best and not behind:
            widest = max(judged, key=lambda r: r["behind"])
            sentences.append(
                f"By {column}, no group's {measure} is behind the best group's beyond chance; the widest gap is "
                f"{widest['behind']:.4f} ('{widest['group']}' {widest['value']:.4f}, "
                f"'{best['group']}' {best['value']:.4f})."
            )
        if not best:
            sentences.append(f"By {column}, too few people to compare the {measure} of groups.")
        few = [f"'{r['group']}' ({r['people']})" for r in mine if r["people"] < FEWEST_PEOPLE]
        if few and best:
            sentences.append(
                f"By {column}, not judged on {measure} for want of people: {', '.join(few)}."
            )
    return sentences


def _behind(column: str, measure: str, row: dict[str, Any], best: dict[str, Any]) -> str:
    return (
        f"By {column}, the {measure} of '{row['group']}' is {row['value']:.4f}, {row['behind']:.4f} behind "
        f"'{best['group']}' ({best['value']:.4f}); that is beyond chance "
        f"(interval {row['interval'][0]:.4f} to {row['interval'][1]:.4f})."
    )
