"""One record against all: every kind of test as in the SQL, the same pairs proposed, the same weights."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import linkage
from linkage import LinkageError, Model
from linkage.catalogue import KEYS, RECORDS, Catalogue, Standardiser
from linkage.lookup import Lookup, TooLittleError, TooManyError
from linkage.packing import Packing
from linkage.strings import jaro_winkler, one_edit
from tests.linkage.reference import all_pairs
from tests.linkage.test_levels import COLUMNS, CONTENT, record
from tests.linkage.test_levels import model as model  # noqa: PLC0414 - a fixture

word = st.text("abcé李 ", max_size=12)


@given(left=word, right=word)
def test_similarity_and_one_edit_are_those_of_the_database(left: str, right: str) -> None:
    row = duckdb.execute(
        "SELECT round(jaro_winkler_similarity($a, $b), 6), damerau_levenshtein($a, $b) = 1",
        {"a": left, "b": right},
    ).fetchone()
    assert row is not None
    if left != right:
        assert (jaro_winkler(left, right), one_edit(left, right)) == row


def _table(rows: list[tuple[Any, ...]]) -> pa.Table:
    columns = zip(*rows, strict=True)
    data = dict(zip(COLUMNS, map(list, columns), strict=True))
    ids = [f"r{i:03d}" for i in range(len(rows))]
    return pa.table({"id": ids, **{k: pa.array(v, pa.string()) for k, v in data.items()}})


@settings(max_examples=8)
@given(rows=st.lists(record, min_size=8, max_size=25))
def test_a_record_meets_the_pairs_of_the_reference_at_the_same_levels(
    rows: list[tuple[Any, ...]], model: Model
) -> None:
    table = _table(rows)
    packing = Packing(model.comparisons)
    expected = all_pairs(table, model, packing)
    with duckdb.connect() as con:
        catalogue = Catalogue.of(con, table, model)
    lookup = _Levels(catalogue, model)
    for number, row in enumerate(table.to_pylist()):
        found = lookup.patterns({k: v for k, v in row.items() if k != "id"})
        for (left, right), (mask, pattern) in expected.items():
            if number in (left, right):
                other = right if number == left else left
                assert (other in found) == (mask != 0)
                if mask:
                    assert found[other] == pattern


class _Levels(Lookup):
    """A look-up without a fit, for its proposals and levels alone."""

    def __init__(self, catalogue: Catalogue, model: Model) -> None:
        self.model, self.catalogue = model, catalogue
        self._prepare()

    def patterns(self, row: dict[str, str | None]) -> dict[int, int]:
        probe = self._with_lists(self._standardiser.values(row))
        try:
            rows = self._proposed(probe)
        except TooLittleError:
            return {}
        others = self._records(probe, rows)
        levels = np.array([self._judge.levels(probe, o) for o in others], np.int64)
        packed = self._packing.pack(levels) if len(rows) else []
        return dict(zip(rows.tolist(), np.asarray(packed).tolist(), strict=True))


@pytest.fixture(scope="module")
def people() -> pa.Table:
    names = ["anna", "bela", "carl", "dora", "emil", "fred", "gina", "hugo", "ivan", "jana"]
    rows = []
    for n in range(120):
        given, surname = names[n % 10], f"{names[n // 10 % 10]}son"
        row = (
            given,
            surname,
            None,
            None,
            f"20{n % 20:02d}-03-{n % 28 + 1:02d}",
            None,
            str(n),
            None,
        )
        rows += [(*row, f"ab{n % 9} 1cd")] * 2
    return _table(rows)


def test_the_catalogue_survives_being_kept(people: pa.Table, model: Model) -> None:
    with duckdb.connect() as con:
        made = Catalogue.of(con, people, model)
    tables = made.tables()
    again = Catalogue.from_tables(tables[RECORDS], tables[KEYS], model)
    assert again.ids.equals(made.ids)
    assert {n: c.to_pylist() for n, c in again.columns.items()} == {
        n: c.to_pylist() for n, c in made.columns.items()
    }
    for one, other in zip(again.sides, made.sides, strict=True):
        for a, b in zip(one, other, strict=True):
            assert (a is None) == (b is None)
            if a is not None and b is not None:
                assert a.keys.tolist() == b.keys.tolist()
                assert a.rows.tolist() == b.rows.tolist()


def test_weights_are_those_of_a_run_with_the_same_fit(people: pa.Table, model: Model) -> None:
    fitted = linkage.fit(people, model)
    pairs = linkage.link(people, model, fitted=fitted).pairs.to_pylist()
    with duckdb.connect() as con:
        lookup = Lookup(Catalogue.of(con, people, model), model, fitted)
    rows = {row["id"]: row for row in people.to_pylist()}
    assert pairs
    for pair in pairs:
        row = {k: v for k, v in rows[pair["record_id_l"]].items() if k != "id"}
        found = {m.record_id: m for m in lookup.find(row, at_least=0)}
        if match := found.get(pair["record_id_r"]):
            assert match.weight == pytest.approx(pair["match_weight"], abs=1e-9)
            assert math.isclose(match.probability, pair["match_probability"], abs_tol=1e-12)
    with pytest.raises(TooManyError, match="share these values"):
        lookup.find({"number": "1"}, most=1)
    with pytest.raises(TooLittleError, match="number"):
        lookup.find({"born": "2001-03-09"})
    lookup.close()


def test_a_look_up_says_nothing_of_what_only_a_whole_population_can_tell(
    people: pa.Table, model: Model
) -> None:
    moved = {"name": "family_moved", "levels": [{"moved_together": "place"}]}
    content = {**CONTENT, "comparisons": [*CONTENT["comparisons"], moved]}
    asked = Model.from_dict(content, Path(str(model.path)))
    with duckdb.connect() as con:
        lookup = Lookup(Catalogue.of(con, people, asked), asked, linkage.fit(people, asked))
    found = lookup.find({"given": "anna", "surname": "annason", "place": "zz9 9zz", "number": "0"})
    assert found
    assert all("place" in m.levels and "family_moved" not in m.levels for m in found)
    lookup.close()


def test_a_fit_of_another_model_is_refused(people: pa.Table, model: Model) -> None:
    fitted = linkage.fit(people, model)
    other = Model.from_dict(
        {**CONTENT, "comparisons": CONTENT["comparisons"][1:3]}, Path(str(model.path))
    )
    with duckdb.connect() as con:
        catalogue = Catalogue.of(con, people, other)
    with pytest.raises(LinkageError, match="fit again"):
        Lookup(catalogue, other, fitted)


def test_a_value_is_asked_once_and_what_was_asked_long_ago_is_forgotten(model: Model) -> None:
    standardiser = Standardiser(model, remember=2)
    first = standardiser.values({"given": "ANNA", "born": "2001-03-09"})
    assert first["given"] == "anna"
    assert first["born_or_due__hash"] == first["born__hash"]
    for name in ("a", "b", "c", "d"):
        standardiser.values({"given": name})
    assert len(standardiser._known) == 2
    standardiser.close()
