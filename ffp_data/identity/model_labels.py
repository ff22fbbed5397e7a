"""Precision and recall of a candidate beside the live model, for everybody and by group.

Two kinds of label: the truth of a synthetic partnership (which record is which person), and reviewers'
decisions. A decision binds the clusters, so there the model is asked what it says of the pair by
itself: at or above the joining threshold and not vetoed counts as *same*.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

import linkage
from ffp_data.home.run import Run
from ffp_data.hub import Hub, Verdict
from ffp_data.identity.truth import read_truth

BY = ("ethnicity", "sex", "age")
_AGES = ((5, "0 to 4"), (11, "5 to 10"), (16, "11 to 15"), (18, "16 and 17"), (200, "18 and over"))
_MEASURES = ("precision", "recall")
NOT_KNOWN = "not known"

Row = dict[str, Any]
Found = tuple[linkage.LinkResult | None, Mapping[str, int]]
"""A model's links, if it can still be asked, and the group of each record."""


def quality_rows(
    con: duckdb.DuckDBPyConnection,
    run: Run,
    now: Found,
    then: Found,
    truth: Path | None,
) -> list[Row]:
    """One row for each label set, column, group and measure: now, then, people (or pairs) behind it."""
    row = con.execute("SELECT as_at FROM meta.linkage_runs ORDER BY rowid DESC LIMIT 1").fetchone()
    as_at = row[0] if row else run.as_at
    rows: list[Row] = []
    if truth is not None:
        known = labelled_truth(truth, as_at)
        rows += _truth_rows(known, now[1], then[1])
    with Hub.open(run.home.hub_url) as hub:
        decided = {
            (d.left_record, d.right_record): d.verdict == Verdict.SAME
            for d in hub.decisions()
            if d.is_in_force and d.verdict != Verdict.CANT_TELL
        }
    if decided:
        rows += _decision_rows(decided, _groups_of_records(con, decided, as_at), now[0], then[0])
    return rows


def too_few(row: Row, fewest: int) -> Row:
    """The row without its figures where so few people stand behind them that they say nothing of a
    group, and too much of a person."""
    if row["column"] == "all" or row["people"] >= fewest:
        return row
    return row | {"now": None, "then": None, "people": None}


def age_band(born: date | None, as_at: date) -> str:
    """The band of an age in whole years."""
    if born is None or born > as_at:
        return NOT_KNOWN
    years = as_at.year - born.year - ((as_at.month, as_at.day) < (born.month, born.day))
    return next(words for below, words in _AGES if years < below)


def labelled_truth(folder: Path, as_at: date) -> pa.Table:
    """record_id, person_id, ethnicity, sex, age of a synthetic partnership's truth."""
    records = read_truth(folder / "record_person.csv")
    people = {p["person_id"]: p for p in read_truth(folder / "persons.csv").to_pylist()}
    rows = []
    for record in records.to_pylist():
        person = people.get(record["person_id"], {})
        born = person.get("birth_date")
        rows.append(
            {
                "record_id": record["record_key"],
                "person_id": record["person_id"],
                "ethnicity": person.get("ethnicity") or NOT_KNOWN,
                "sex": person.get("sex") or NOT_KNOWN,
                "age": age_band(date.fromisoformat(born) if born else None, as_at),
            }
        )
    names = ("record_id", "person_id", *BY)
    return pa.Table.from_pylist(rows, pa.schema([(name, pa.string()) for name in names]))


def _truth_rows(
    known: pa.Table, clusters_now: Mapping[str, int], clusters_then: Mapping[str, int]
) -> Iterator[Row]:
    before, after = (
        linkage.quality(_clusters(c), known, BY) for c in (clusters_now, clusters_then)
    )
    people = {(d["column"], d["group"], d["measure"]): d["people"] for d in after["differences"]}
    everyone = len(set(known["person_id"].to_pylist()))
    for measure in _MEASURES:
        yield _row("truth", "all", "", measure, before["pairwise"], after["pairwise"], everyone)
    for column in BY:
        for group, figures in after["by"][column].items():
            former = before["by"][column].get(group, {"pairwise": {}})
            for measure in _MEASURES:
                counted = people.get((column, group, measure), 0)
                yield _row(
                    "truth",
                    column,
                    group,
                    measure,
                    former["pairwise"],
                    figures["pairwise"],
                    counted,
                )


def _clusters(cluster_of: Mapping[str, int]) -> pa.Table:
    return pa.table(
        {"record_id": list(cluster_of), "cluster_id": [str(n) for n in cluster_of.values()]},
        pa.schema([("record_id", pa.string()), ("cluster_id", pa.string())]),
    )


def _row(
    labels: str,
    column: str,
    group: str,
    measure: str,
    now: Mapping[str, float],
    then: Mapping[str, float],
    people: int,
) -> Row:
    return {
        "labels": labels,
        "column": column,
        "group": group,
        "measure": measure,
        "now": None if now.get(measure) is None else round(now[measure], 6),
        "then": round(then[measure], 6),
        "people": people,
    }


@dataclass(frozen=True)
class _Verdicts:
    """Decided pairs, whether they are one person, and whether a model says so by itself."""

    same: Mapping[tuple[str, str], bool]
    said: frozenset[tuple[str, str]]

    def figures(self, pairs: list[tuple[str, str]]) -> dict[str, float]:
        """Precision and recall over some of the pairs; 1 where there is nothing to get wrong."""
        counts = Counter((self.same[p], p in self.said) for p in pairs)
        right, wrong, missed = counts[True, True], counts[False, True], counts[True, False]
        return {
            "precision": right / (right + wrong) if right + wrong else 1.0,
            "recall": right / (right + missed) if right + missed else 1.0,
        }


def _decision_rows(
    decided: Mapping[tuple[str, str], bool],
    groups: Mapping[str, Mapping[str, str]],
    now: linkage.LinkResult | None,
    then: linkage.LinkResult | None,
) -> Iterator[Row]:
    before, after = (
        _Verdicts(decided, _said(found, decided)) if found else None for found in (now, then)
    )
    assert after is not None, "the candidate was asked"
    chosen: dict[tuple[str, str], list[tuple[str, str]]] = {("all", ""): sorted(decided)}
    for pair in sorted(decided):
        for column in BY:
            group = groups.get(pair[0], {}).get(column, NOT_KNOWN)
            chosen.setdefault((column, group), []).append(pair)
    for (column, group), pairs in chosen.items():
        one, other = before.figures(pairs) if before else {}, after.figures(pairs)
        for measure in _MEASURES:
            yield _row("decisions", column, group, measure, one, other, len(pairs))


def _said(
    result: linkage.LinkResult, decided: Mapping[tuple[str, str], bool]
) -> frozenset[tuple[str, str]]:
    """The decided pairs that a model would join by itself."""
    model = result.outcome.assembled.model
    pairs, wanted = result.pairs, {record for pair in decided for record in pair}
    mask = pa.compute.and_(
        pa.compute.is_in(pairs["record_id_l"], pa.array(sorted(wanted))),
        pa.compute.is_in(pairs["record_id_r"], pa.array(sorted(wanted))),
    )
    return frozenset(
        (row["record_id_l"], row["record_id_r"])
        for row in pairs.filter(mask).to_pylist()
        if row["match_probability"] >= model.thresholds.join and not row["veto"]
    )


def _groups_of_records(
    con: duckdb.DuckDBPyConnection, decided: Mapping[tuple[str, str], bool], as_at: date
) -> dict[str, dict[str, str]]:
    """Sex and age of the records, and the ethnicity that the single view has of their child."""
    wanted = pa.table({"record_key": sorted({r for pair in decided for r in pair})})  # noqa: F841
    has_view = con.execute(
        "SELECT count(*) FROM information_schema.tables"
        " WHERE table_schema = 'single_view' AND table_name = 'children'"
    ).fetchone()
    ethnicity = "v.ethnicity_code" if has_view and has_view[0] else "NULL"
    view = "LEFT JOIN single_view.children v USING (child_id)" if ethnicity != "NULL" else ""
    rows = con.execute(
        f"SELECT record_key, {ethnicity}, p.sex, p.date_of_birth FROM wanted"
        " JOIN identity.person_records p USING (record_key)"
        f" LEFT JOIN identity.child_membership m USING (record_key) {view}"
    ).fetchall()
    return {
        key: {"ethnicity": code or NOT_KNOWN, "sex": sex or NOT_KNOWN, "age": age_band(born, as_at)}
        for key, code, sex, born in rows
    }
