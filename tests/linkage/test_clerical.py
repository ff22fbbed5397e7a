"""Drawing pairs for blind review, and what the answers say of all pairs."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from linkage import clerical
from linkage.errors import LinkageError


def _world(count: int = 4000, seed: int = 2) -> tuple[pa.Table, pa.Table, dict[str, bool]]:
    """Pairs (l_i, r_i), clusters that join those above 3 bits, and which pairs are one person."""
    random = np.random.default_rng(seed)
    weight = random.normal(6, 6, count)
    same = random.random(count) < 1 / (1 + 2.0 ** -(0.9 * weight - 1))
    left, right = [f"l{i}" for i in range(count)], [f"r{i}" for i in range(count)]
    pairs = pa.table({"record_id_l": left, "record_id_r": right, "match_weight": weight})
    cluster = [f"c{i}" if w > 3 else f"d{i}" for i, w in enumerate(weight)]
    clusters = pa.table(
        {"record_id": left + right, "cluster_id": [f"c{i}" for i in range(count)] + cluster}
    )
    return pairs, clusters, {f"{i}": bool(s) for i, s in enumerate(same)}


def _answer(sheet: Path, same: dict[str, bool], words: tuple[str, str] = ("yes", "no")) -> None:
    with sheet.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["same_person"] = words[0] if same[row["record_id_l"][1:]] else words[1]
    _write(sheet, rows)


def _write(sheet: Path, rows: list[dict[str, str]]) -> None:
    with sheet.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_the_sheet_tells_a_reviewer_nothing_of_what_the_engine_thought(tmp_path: Path) -> None:
    pairs, clusters, _ = _world()
    sample = clerical.draw(pairs, clusters, 200)
    clerical.write_sheet(sample, tmp_path / "s.csv")
    text = (tmp_path / "s.csv").read_text(encoding="utf-8")
    assert text.splitlines()[0] == "pair,same_person,record_id_l,record_id_r"
    assert len(text.splitlines()) == 201
    turned = sum(line.split(",")[2].startswith("r") for line in text.splitlines()[1:])
    assert 70 < turned < 130
    # Neighbours are of different strata as often as chance would have it.
    runs = np.diff(sample.stratum) != 0
    assert runs.mean() > 0.8
    assert json.loads((tmp_path / "s.key.json").read_text(encoding="utf-8"))["seed"] == 1


def test_each_stratum_is_drawn_from_and_the_draw_can_be_repeated() -> None:
    pairs, clusters, _ = _world()
    sample = clerical.draw(pairs, clusters, 150, seed=9)
    assert sample == clerical.draw(pairs, clusters, 150, seed=9)
    assert sample != clerical.draw(pairs, clusters, 150, seed=10)
    assert sum(s["pairs"] for s in sample.strata) == pairs.num_rows
    counts = np.bincount(sample.stratum, minlength=len(sample.strata))
    assert counts.min() >= 7
    assert counts.sum() == 150


def test_a_review_of_every_pair_gives_the_exact_figures(tmp_path: Path) -> None:
    pairs, clusters, same = _world(300)
    sheet = tmp_path / "s.csv"
    clerical.write_sheet(clerical.draw(pairs, clusters, 10_000), sheet)
    _answer(sheet, same, ("Y", "0"))
    found = clerical.estimate(sheet)
    together = np.asarray(pairs["match_weight"]) > 3
    true = np.array(list(same.values()))
    precision, recall = true[together].mean(), true[together].sum() / true.sum()
    assert found["precision"] == {
        "estimate": pytest.approx(precision),
        "interval": [pytest.approx(precision)] * 2,
    }
    assert found["recall"] == {
        "estimate": pytest.approx(recall),
        "interval": [pytest.approx(recall)] * 2,
    }


def test_intervals_hold_the_truth_as_often_as_they_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clerical, "DRAWS", 1500)
    pairs, clusters, same = _world()
    together = np.asarray(pairs["match_weight"]) > 3
    true = np.array(list(same.values()))
    known = {"precision": true[together].mean(), "recall": true[together].sum() / true.sum()}
    held = dict.fromkeys(known, 0)
    for seed in range(60):
        sheet = tmp_path / f"{seed}.csv"
        clerical.write_sheet(clerical.draw(pairs, clusters, 150, seed), sheet)
        _answer(sheet, same)
        found = clerical.estimate(sheet, seed)
        for name, value in known.items():
            low, high = found[name]["interval"]
            held[name] += low <= value <= high
    assert min(held.values()) >= 53  # 57 are expected; fewer than 53 of 60 would be 3 in 100


def test_unsure_and_unanswered_pairs_are_left_out_and_counted(tmp_path: Path) -> None:
    pairs, clusters, same = _world()
    sheet = tmp_path / "s.csv"
    clerical.write_sheet(clerical.draw(pairs, clusters, 100), sheet)
    _answer(sheet, same)
    with sheet.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    rows[0]["same_person"], rows[1]["same_person"] = "unsure", " "
    _write(sheet, rows[:-1])
    found = clerical.estimate(sheet)
    assert (found["reviewed"], found["unsure"], found["unanswered"]) == (97, 1, 2)


def test_values_are_shown_side_by_side_and_cannot_run_as_formulas(tmp_path: Path) -> None:
    pairs = pa.table(
        {"record_id_l": ["1"] * 12, "record_id_r": ["2"] * 12, "match_weight": range(12)}
    )
    clusters = pa.table({"record_id": ["1", "2"], "cluster_id": ["a", "a"]})
    values = {"1": {"name": "=cmd()"}, "2": {"name": "Ann"}}
    clerical.write_sheet(clerical.draw(pairs, clusters, 12), tmp_path / "s.csv", values)
    with (tmp_path / "s.csv").open(encoding="utf-8", newline="") as file:
        shown = {frozenset((r["name_l"], r["name_r"])) for r in csv.DictReader(file)}
    assert shown == {frozenset(("'=cmd()", "Ann"))}


def test_what_cannot_be_estimated_from_is_refused_by_line(tmp_path: Path) -> None:
    pairs, clusters, same = _world(100)
    sheet = tmp_path / "s.csv"
    with pytest.raises(LinkageError, match=r"s\.key\.json: cannot be read"):
        clerical.estimate(sheet)
    clerical.write_sheet(clerical.draw(pairs, clusters, 20), sheet)
    with pytest.raises(LinkageError, match="no answer in column 'same_person'"):
        clerical.estimate(sheet)
    _answer(sheet, same, ("yes", "maybe"))
    with pytest.raises(LinkageError, match=r"s\.csv, line \d+: write yes, no or unsure"):
        clerical.estimate(sheet)
    sheet.write_text("pair,same_person\n1,yes\n1,no\n", encoding="utf-8")
    with pytest.raises(LinkageError, match=r"line 3: pair numbers go once each from 1 to 20"):
        clerical.estimate(sheet)
    sheet.write_text("a,b\n1,yes\n", encoding="utf-8")
    with pytest.raises(LinkageError, match="needs the columns pair and same_person"):
        clerical.estimate(sheet)
    with pytest.raises(LinkageError, match="at least 10 pairs"):
        clerical.draw(pairs, clusters, 3)
    with pytest.raises(LinkageError, match="no pairs to draw from"):
        clerical.draw(pairs.slice(0, 0), clusters, 20)
