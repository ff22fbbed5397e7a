"""Quality without labels: a stratified sample of pairs for people to review, and what follows from it.

Pairs are put into strata by whether they were joined and by their weight, some are drawn from each
(all of a small one), and their order is shuffled. The sheet that a reviewer fills shows
no weight, no probability and no stratum, so that the engine's opinion does not become theirs; the
key beside it holds the strata. From the answers the number of true pairs in each stratum is drawn
many times: those reviewed are known, the rest binomial with a probability from its Beta posterior,
and the strata are added up (Cochran 1977, Sampling Techniques, chapter 5). The prior has the weight of
Jeffreys's for the joined pairs as a whole, shared among their strata, and so for the others (Brown, Cai
and DasGupta 2001, Statistical Science 16): one for each stratum would say "wrong" once for each.
Precision is true among joined; recall is joined among all true pairs *that are listed*: a true pair
that no rule proposed, or below the review threshold, can be in no sample, so recall is an upper bound.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from linkage import tables
from linkage.decisions import Link
from linkage.engine import Bools, Floats, Ints
from linkage.errors import LinkageError

DRAWS = 20_000
BANDS = 5  # of weight, among the joined pairs and among the others
ANSWERS = {"yes": True, "y": True, "1": True, "true": True}
ANSWERS |= {"no": False, "n": False, "0": False, "false": False}
UNSURE = {"unsure", "?", "don't know"}


@dataclass(frozen=True)
class Sample:
    """Drawn pairs in the order in which a reviewer sees them, and the strata they stand for."""

    left: list[str]
    right: list[str]
    stratum: list[int]
    strata: list[dict[str, Any]]  # joined, weight_from, weight_to, pairs
    seed: int


def draw(pairs: pa.Table, clusters: pa.Table, size: int, seed: int = 1) -> Sample:
    """Draw a stratified sample of about ``size`` pairs; raises LinkageError if there is none.

    ``pairs``: record_id_l, record_id_r, match_weight; ``clusters``: record_id, cluster_id.
    """
    if size < 2 * BANDS:
        raise LinkageError(f"a sample needs at least {2 * BANDS} pairs; ask for more than {size}")
    if not pairs.num_rows:
        raise LinkageError("there are no pairs to draw from")
    stratum, strata = _strata(pairs["match_weight"].to_numpy(), in_one_cluster(pairs, clusters))
    random = np.random.default_rng(seed)
    chosen = np.concatenate(
        [
            random.choice(np.flatnonzero(stratum == i), n, replace=False)
            for i, n in enumerate(_allocation([s["pairs"] for s in strata], size))
        ]
    )
    random.shuffle(chosen)
    # Which record stands left must not tell anything either.
    turned = random.random(len(chosen)) < 0.5
    ids = [np.asarray(pairs[f"record_id_{s}"].take(pa.array(chosen)).to_pylist()) for s in "lr"]
    left, right = np.where(turned, ids[1], ids[0]), np.where(turned, ids[0], ids[1])
    return Sample(left.tolist(), right.tolist(), stratum[chosen].tolist(), strata, seed)


def in_one_cluster(pairs: pa.Table, clusters: pa.Table) -> Bools:
    """Which pairs are in one cluster."""
    ids = clusters["record_id"].combine_chunks()
    cluster = clusters["cluster_id"].combine_chunks().dictionary_encode().indices
    found = [
        cluster.take(pc.index_in(pairs[f"record_id_{s}"].combine_chunks(), value_set=ids))
        for s in "lr"
    ]
    result: Bools = pc.fill_null(pc.equal(*found), False).to_numpy(zero_copy_only=False)
    return result


def _strata(weight: Floats, together: Bools) -> tuple[Ints, list[dict[str, Any]]]:
    """Stratum of each pair: joined or not, by fifths of the weight."""
    stratum = np.zeros(len(weight), dtype=np.int64)
    strata: list[dict[str, Any]] = []
    for value in (True, False):
        mine = np.flatnonzero(together == value)
        if not len(mine):
            continue
        # Narrow bands where decisions are doubtful: near the line between joined and not.
        cuts = np.quantile(weight[mine], _cuts(value))
        band = np.searchsorted(cuts, weight[mine], side="right")
        for index in np.unique(band):
            inside = mine[band == index]
            stratum[inside] = len(strata)
            strata.append(
                {
                    "joined": value,
                    "weight_from": float(weight[inside].min()),
                    "weight_to": float(weight[inside].max()),
                    "pairs": len(inside),
                }
            )
    return stratum, strata


def _cuts(together: bool) -> list[float]:
    near = [0.02, 0.1, 0.3, 0.6]
    return near if together else [round(1 - x, 2) for x in reversed(near)]


def _allocation(pairs: list[int], size: int) -> list[int]:
    """Pairs to draw from each stratum: half equally, half by the root of its size; all of a small one."""
    roots = np.sqrt(pairs)
    wanted = size * (0.5 / len(pairs) + 0.5 * roots / roots.sum())
    taken = [min(n, int(w)) for n, w in zip(pairs, wanted, strict=True)]
    for _ in range(min(size, sum(pairs)) - sum(taken)):
        taken[max(range(len(pairs)), key=lambda i: (pairs[i] - taken[i], -i))] += 1
    return taken


def key_path(sheet: Path) -> Path:
    """Where the key of a sheet lies."""
    return sheet.with_suffix(".key.json")


def write_sheet(
    sample: Sample, sheet: Path, records: dict[str, dict[str, str]] | None = None
) -> None:
    """Write the sheet for the reviewer and the key beside it.

    ``records`` gives, for each record id, the values to show side by side. A value that a
    spreadsheet would run as a formula is written with an apostrophe before it.
    """
    shown = list(next(iter(records.values()))) if records else []
    header = ["pair", "same_person", "record_id_l", "record_id_r"]
    header += [f"{column}_{side}" for column in shown for side in "lr"]
    with sheet.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for number, (a, b) in enumerate(zip(sample.left, sample.right, strict=True), 1):
            values = [(records or {}).get(r, {}).get(c, "") for c in shown for r in (a, b)]
            writer.writerow([number, "", *(_harmless(v) for v in (a, b, *values))])
    key = {"seed": sample.seed, "strata": sample.strata, "stratum_of_pair": sample.stratum}
    key_path(sheet).write_text(json.dumps(key, indent=1) + "\n", encoding="utf-8")


def _harmless(value: str) -> str:
    return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def estimate(sheet: Path, seed: int = 1) -> dict[str, Any]:
    """Precision and recall with 95 % intervals from a reviewed sheet and its key.

    Answers in ``same_person``: yes, no, or unsure (left out, and counted). Raises LinkageError for
    an answer it does not know, a sheet without key, or no answer at all.
    """
    key = _read_key(sheet)
    answers = _read_answers(sheet, len(key["stratum_of_pair"]))
    strata = key["strata"]
    reviewed = np.zeros(len(strata), dtype=np.int64)
    true = np.zeros(len(strata), dtype=np.int64)
    for number, answer in answers.items():
        if answer is not None:
            place = key["stratum_of_pair"][number - 1]
            reviewed[place] += 1
            true[place] += answer
    if not reviewed.sum():
        raise LinkageError(f"{sheet}: no answer in column 'same_person'; write yes, no or unsure")
    pairs = np.array([s["pairs"] for s in strata])
    together = np.array([s["joined"] for s in strata], dtype=bool)
    random = np.random.default_rng(seed)
    prior = 0.5 / np.where(together, together.sum(), (~together).sum())
    share = random.beta(true + prior, reviewed - true + prior, (DRAWS, len(strata)))
    total = (true + random.binomial(pairs - reviewed, share)).astype(np.float64)
    point = _points(
        pairs * np.where(reviewed > 0, true / np.maximum(reviewed, 1), 0.5), pairs, together
    )
    samples = _points(total, pairs, together)
    return {
        "reviewed": int(reviewed.sum()),
        "unsure": sum(a is None for a in answers.values()),
        "unanswered": len(key["stratum_of_pair"]) - len(answers),
        "strata_without_answer": int((reviewed == 0).sum()),
        **{
            name: {
                "estimate": float(point[name][0]),
                "interval": _interval(float(point[name][0]), samples[name]),
            }
            for name in ("precision", "recall")
        },
        "strata": [
            s | {"reviewed": int(r), "same_person": int(t)}
            for s, r, t in zip(strata, reviewed, true, strict=True)
        ],
        "note": "recall is an upper bound: true pairs that no rule proposed are in no sample",
    }


def _interval(estimate: float, draws: Floats) -> list[float]:
    """The middle 95 % of the draws, widened to the estimate where all answers of a kind were equal."""
    low, high = (float(q) for q in np.quantile(draws, (0.025, 0.975)))
    return [min(low, estimate), max(high, estimate)]


def decisions(sheet: Path) -> tuple[list[Link], list[Link]]:
    """Pairs that reviewers joined and pairs that they parted, to link by; unsure ones are neither.

    Any .csv or .parquet with record_id_l, record_id_r and same_person, such as a reviewed sample.
    Raises LinkageError.
    """
    table = tables.read(sheet)
    names = ("record_id_l", "record_id_r", "same_person")
    if missing := [n for n in names if n not in table.column_names]:
        raise LinkageError(f"{sheet}: no column {', '.join(missing)}")
    columns = (table[n].cast(pa.string()).to_pylist() for n in names)
    found: dict[bool, list[Link]] = {True: [], False: []}
    for row, (left, right, said) in enumerate(zip(*columns, strict=True), 1):
        answer = (said or "").strip().lower()
        if answer in ANSWERS and left and right:
            found[ANSWERS[answer]].append((left, right))
        elif answer and answer not in UNSURE:
            raise LinkageError(f"{sheet}, row {row}: write yes, no or unsure, and both record ids")
    return found[True], found[False]


def _points(true: Floats, pairs: Ints, together: Bools) -> dict[str, Floats]:
    """(draws, strata) or (strata,) of true pairs to precision and recall."""
    rows = np.atleast_2d(true)
    right, everything = rows[:, together].sum(axis=1), rows.sum(axis=1)
    found = max(1, int(pairs[together].sum()))
    return {
        "precision": right / found if together.any() else np.ones(len(rows)),
        "recall": np.where(everything > 0, right / np.where(everything > 0, everything, 1), 1.0),
    }


def _read_key(sheet: Path) -> dict[str, Any]:
    path = key_path(sheet)
    try:
        key: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if not {"strata", "stratum_of_pair"} <= key.keys():
            raise ValueError
    except OSError as error:
        raise LinkageError(f"{path}: cannot be read; it was written beside the sheet") from error
    except ValueError as error:
        raise LinkageError(f"{path}: not the key of a sample; draw the sample again") from error
    return key


def _read_answers(sheet: Path, size: int) -> dict[int, bool | None]:
    """Answer by number of pair; None for unsure; pairs without an answer are left out."""
    try:
        with sheet.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise LinkageError(f"{sheet}: cannot be read as CSV in UTF-8") from error
    if rows and not {"pair", "same_person"} <= set(rows[0]):
        raise LinkageError(f"{sheet}: needs the columns pair and same_person")
    return dict(_answers(sheet, rows, size))


def _answers(
    sheet: Path, rows: list[dict[str, Any]], size: int
) -> Iterable[tuple[int, bool | None]]:
    seen: set[str] = set()
    for line, row in enumerate(rows, 2):
        number, text = str(row["pair"]).strip(), str(row["same_person"] or "").strip().lower()
        if not number.isdecimal() or not 1 <= int(number) <= size or number in seen:
            raise LinkageError(f"{sheet}, line {line}: pair numbers go once each from 1 to {size}")
        seen.add(number)
        if not text:
            continue
        if text not in ANSWERS and text not in UNSURE:
            raise LinkageError(f"{sheet}, line {line}: write yes, no or unsure in same_person")
        yield int(number), ANSWERS.get(text)
