"""An incremental run gives what a full run with the same fit gives, whatever came and went."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import linkage
from tests.linkage.conftest import SMALL
from tests.linkage.support import invented

Row = dict[str, Any]
SCHEMA = pa.schema(
    [(n, pa.string()) for n in ("id", "source", "given", "surname")]
    + [("born", pa.date32()), ("number", pa.string())]
)


@pytest.fixture(scope="module")
def town() -> list[Row]:
    return invented(7, 40)


@pytest.fixture(scope="module")
def fitted() -> linkage.Fitted:
    return linkage.fit(_table(invented(7, 150)), _model())


def _model(**changed: Any) -> linkage.Model:
    return linkage.Model.from_dict(SMALL | {"one_per_source": ["s2"]} | changed)


def _table(rows: list[Row]) -> pa.Table:
    return pa.Table.from_pylist(rows, SCHEMA)


def _equal(one: linkage.LinkResult, other: linkage.LinkResult) -> None:
    """The same in every table; weights to the last bit, all but columns of other runs' levels."""
    for name in ("clusters", "pairs", "joins", "cuts"):
        left, right = (getattr(r, name).to_pylist() for r in (one, other))
        assert [_plain(r) for r in left] == [_plain(r) for r in right], name


def _plain(row: Row) -> Row:
    return {k: round(v, 9) if isinstance(v, float) else v for k, v in row.items() if v != "missing"}


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_any_sequence_of_changes_gives_what_a_full_run_gives(
    seed: int, town: list[Row], fitted: linkage.Fitted, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rng, state, model = random.Random(seed), tmp_path_factory.mktemp("s") / "state", _model()
    spare = {r["id"]: r for r in invented(100 + rng.randrange(99), 30)}
    there = {r["id"]: r for r in town}
    must: set[tuple[str, str]] = set()
    cannot: set[tuple[str, str]] = set()
    linkage.start(_table(list(there.values())), model, state, fitted)
    for _ in range(3):
        removed = rng.sample(sorted(there), rng.randrange(8))
        for gone in removed:
            del there[gone]
        came = [spare.pop(i) for i in rng.sample(sorted(spare), rng.randrange(min(12, len(spare))))]
        changed = [_changed(there[i], rng, there) for i in rng.sample(sorted(there), 8)]
        there |= {r["id"]: r for r in came + changed}
        for decisions in (must, cannot):
            decisions.add(tuple(sorted(rng.sample(sorted(there), 2))))  # type: ignore[arg-type]
        found = linkage.link_incremental(
            _table(came + changed), model, state, removed, must, cannot
        )
        _equal(
            found, linkage.link(_table(list(there.values())), model, must, cannot, fitted=fitted)
        )


def _changed(row: Row, rng: random.Random, there: dict[str, Row]) -> Row:
    """Another value in one column: none, or that of another record."""
    column = rng.choice(["given", "surname", "born", "number", "source"])
    return row | {column: rng.choice([None, there[rng.choice(sorted(there))][column]])}


def test_what_is_sent_again_unchanged_is_no_change(
    town: list[Row], fitted: linkage.Fitted, tmp_path: Path
) -> None:
    first = linkage.start(_table(town), _model(), tmp_path / "s", fitted)
    again = linkage.link_incremental(_table(town[:20]), _model(), tmp_path / "s", ["nobody"])
    assert again.report["changes"] == {
        "new": 0, "changed": 0, "unchanged": 20, "removed": 0, "unknown": 1,
    }  # fmt: skip
    assert again.report["pairs"]["compared"] == 0
    _equal(first, again)


def test_a_fit_read_from_its_file_weighs_to_the_last_bit_as_the_run_that_learnt_it(
    tmp_path: Path,
) -> None:
    rows = _table(invented(9, 120))
    learnt = linkage.link(rows, _model())
    assert learnt.fitted is not None
    learnt.fitted.save(tmp_path / "p.json")
    again = linkage.link(rows, _model(), fitted=linkage.Fitted.load(tmp_path / "p.json", _model()))
    assert again.pairs.equals(learnt.pairs)
    assert again.clusters.equals(learnt.clusters)
    assert again.report["training"] == learnt.report["training"]


def test_a_fit_does_not_name_what_one_record_alone_has() -> None:
    rows = invented(8, 120)
    rows[0]["given"] = "Zebedee"
    kept = linkage.fit(_table(rows), _model()).to_json()
    assert '"martha"' in kept
    assert "zebedee" not in kept


def test_a_column_that_the_fit_never_saw_filled_says_nothing(fitted: linkage.Fitted) -> None:
    rows = invented(9, 60)
    bare = linkage.fit(_table([r | {"number": None} for r in rows]), _model())
    result = linkage.link(_table(rows), _model(), fitted=bare)
    assert result.pairs.num_rows
    assert "level_number" in result.pairs.column_names


def test_a_fit_for_other_comparisons_is_refused(fitted: linkage.Fitted, tmp_path: Path) -> None:
    other = _model(comparisons=SMALL["comparisons"][:3])
    with pytest.raises(linkage.LinkageError, match="fit again"):
        linkage.link(_table(invented(9, 20)), other, fitted=fitted)
    file = tmp_path / "p.json"
    fitted.save(file)
    for kept in (SMALL["comparisons"][:3], SMALL["comparisons"][3:]):
        with pytest.raises(linkage.LinkageError, match="fit again"):
            linkage.Fitted.load(file, _model(comparisons=kept))
    renamed = {"name": "other", "columns": ["given"], "levels": [{"exact": "given"}]}
    with pytest.raises(linkage.LinkageError, match="fit again"):
        linkage.Fitted.load(file, _model(comparisons=[renamed]))
    for broken in (b"{}", '{"model": "Zoë"}'.encode("latin-1")):
        file.write_bytes(broken)
        with pytest.raises(linkage.LinkageError, match="not the parameters"):
            linkage.Fitted.load(file, _model())


def test_a_state_that_cannot_be_used_is_an_error_and_stays_as_it_is(
    town: list[Row], fitted: linkage.Fitted, tmp_path: Path
) -> None:
    state, model = tmp_path / "s", _model()
    with pytest.raises(linkage.LinkageError, match="not the state"):
        linkage.link_incremental(_table(town[:1]), model, state)
    (tmp_path / "mine").mkdir()
    with pytest.raises(linkage.LinkageError, match="name another"):
        linkage.start(_table(town), model, tmp_path / "mine", fitted)
    linkage.start(_table(town), model, state, fitted)
    before = {p.name: p.read_bytes() for p in state.iterdir()}
    assert state.stat().st_mode & 0o077 == 0
    again = town[0] | {"given": "Zebedee"}
    for rows, removed, words in (
        ([again], [again["id"]], "both changed and removed"),
        ([again, again], [], "more than once"),
        ([again | {"id": None}], [], "no id"),
    ):
        with pytest.raises(linkage.LinkageError, match=words):
            linkage.link_incremental(_table(rows), model, state, removed)
    dates = _table([again]).set_column(4, "born", pa.array(["yesterday"]))
    with pytest.raises(linkage.LinkageError, match="other types"):
        linkage.link_incremental(dates, model, state)
    with pytest.raises(linkage.LinkageError, match="another version"):
        linkage.link_incremental(_table([again]), _model(version="2"), state)
    assert {p.name: p.read_bytes() for p in state.iterdir()} == before
