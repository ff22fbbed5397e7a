"""Every kind of test means the same to all who judge a pair: SQL, arrays, a look-up, and tokens.

The model of these tests is made from the table of kinds, so that a new kind is in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from linkage import Model
from linkage.duck import open_engine
from linkage.kinds import KINDS
from linkage.lookup import Lookup
from linkage.packing import Packing
from linkage.private.engine import TokenEngine
from linkage.private.settings import ASKABLE, Discovery
from linkage.private.tokenise import Keys, tokenise
from linkage.single import Judge
from linkage.spec import TESTS, Condition, Spec
from tests.linkage.private_town import SECRET
from tests.linkage.reference import all_pairs

Row = tuple[str | None, str | None, str | None]
COLUMNS = ("one", "two", "born")
FILLED: Row = ("anna", "maria", "2001-03-09")  # so that every comparison can speak
EXAMPLES: dict[str, Any] = {
    "column": "one", "columns": ["one", "two"], "of": "one", "in": "two",
    "at_least": 0.8, "min_letters": 2, "part": "skeleton", "within_days": 31,
}  # fmt: skip
COARSER = {"one_date_part_differs"}  # over tokens any year may stand for another
TEXTS = [
    "anna", "Anna", "anna maria", "maria anna", "ann", "an", "hanna", "annq", "mohammed", "muhammad",
    "zoë", "zoe\u0308", "zoe", "李", "李明", "ß", "ss", "👩‍👧", "a" * 70, "a" * 69 + "b", "o'neil", "a  b",
    "", " ", "\u00a0", None,
]  # fmt: skip
DAYS = [
    "2001-03-09", "2001-09-03", "2001-03-10", "2002-03-09", "2011-03-09", "2001-04-09", "2000-02-29",
    "1900-02-28", "1970-01-01", "1969-12-31", "0001-01-01", "0001-01-02", "9999-12-31", "10000-01-01",
    "0044-03-15 (BC)", "infinity", "-infinity", "2001-02-29", "today", "", None,
]  # fmt: skip
CROSSWISE: list[Row] = [
    *(("hanna", "mohammed", None), ("mohammed", "anna", None)),  # alike, with other initials
    *(("mohammed", "zoe", None), ("zoe", "muhammad", None)),  # alike, with another second letter
]
EDGES: list[Row] = [
    *zip(TEXTS * 2, TEXTS[::-1] * 2, (DAYS * 3)[: 2 * len(TEXTS)], strict=True),
    *CROSSWISE,
]
text = st.one_of(
    st.sampled_from(TEXTS),
    st.text("ab é", max_size=5),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4),
)
row = st.tuples(text, text, st.sampled_from(DAYS))


def _tests(kind: str) -> Iterator[Any]:
    """A kind's test with all settings that it can have, and with those alone that it needs."""
    (annotation,) = get_args(Condition.model_fields[kind].annotation)[:1]
    if not (isinstance(annotation, type) and issubclass(annotation, Spec)):
        two = get_origin(annotation) is tuple
        yield ["one", "two"] if two else "born" if KINDS[kind].type == "date" else "one"
        return
    fields = {f.alias or name: f for name, f in annotation.model_fields.items()}
    full = {name: EXAMPLES[name] for name in fields}
    if KINDS[kind].type == "date":
        full["column"] = "born"
    yield full
    least = {name: value for name, value in full.items() if fields[name].is_required()}
    if least != full:
        yield least


def _model(kinds: list[str], folder: Path) -> Model:
    """One comparison for each test of these kinds."""
    comparisons = [
        {
            "name": f"{kind}_{number}",
            "columns": ["born"] if KINDS[kind].type == "date" else ["one", "two"],
            "levels": [{"name": "holds", kind: test}],
        }
        for kind in kinds
        for number, test in enumerate(_tests(kind))
    ]
    content = {
        "name": "kinds", "version": "1", "record_id": "id", "equivalents": {"names": "names.csv"},
        "columns": {
            "one": {"domain": "name", "equivalents": "names"},
            "two": {"domain": "name", "equivalents": "names"},
            "born": {"type": "date"},
        },
        "blocking": [{"equal": ["one"]}],
        "comparisons": comparisons,
    }  # fmt: skip
    return Model.from_dict(content, folder / "model.yaml")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("kinds")
    rows = ["anna,1", "hanna,1", "zoë,2", "zoe,2", "zoe,3", "李,3"]
    lines = ["value,group,source", *(f"{r},test" for r in rows)]
    (made / "names.csv").write_text("\n".join(lines), encoding="utf-8")
    return made


def test_the_table_has_every_key_of_a_test_but_the_one_that_two_records_cannot_answer() -> None:
    assert {*KINDS, "moved_together"} == set(TESTS)


class _Plain(Lookup):
    """A look-up without records or a fit, for its levels alone."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._prepare()

    def levels(self, packing: Packing, rows: list[Row]) -> np.ndarray[Any, Any]:
        judge = Judge.of(packing)
        records = [
            self._with_lists(self._standardiser.values(dict(zip(COLUMNS, r, strict=True))))
            for r in rows
        ]
        return np.array([judge.levels(records[i], records[j]) for i, j in _pairs(len(rows))])


def _pairs(count: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(count) for j in range(i + 1, count)]


def _table(rows: list[Row]) -> pa.Table:
    columns = zip(COLUMNS, map(list, zip(*rows, strict=True)), strict=True)
    ids = [f"r{i:03d}" for i in range(len(rows))]
    return pa.table({"id": ids, **{name: pa.array(c, pa.string()) for name, c in columns}})


def _named(packing: Packing, levels: np.ndarray[Any, Any]) -> dict[str, list[int]]:
    return {c.name: levels[:, i].tolist() for i, c in enumerate(packing.comparisons)}


@settings(max_examples=8)
@given(rows=st.lists(row, min_size=8, max_size=24))
@example(rows=EDGES)
def test_sql_arrays_look_ups_and_tokens_give_every_kind_the_same_level(
    rows: list[Row], folder: Path
) -> None:
    rows = [*rows, FILLED, FILLED]
    model = _model(list(KINDS), folder)
    with open_engine(_table(rows), model) as engine:
        packing = engine.loaded.packing
        sql = all_pairs(_table(rows), model, packing)
        left, right = (np.array(side) for side in zip(*_pairs(len(rows)), strict=True))
        arrays = _named(packing, packing.unpack(engine.compare(left, right)))
    patterns = np.array([sql[pair][1] for pair in _pairs(len(rows))])
    expected = _named(packing, packing.unpack(patterns))
    assert arrays == expected
    assert _named(packing, _Plain(model).levels(packing, rows)) == expected
    for name, levels in _by_tokens(rows, folder).items():
        coarser = any(name.startswith(kind) for kind in COARSER)
        for clear, token in zip(expected[name], levels, strict=True):
            assert token == clear or (coarser and (clear, token) == (2, 1)), name


def _by_tokens(rows: list[Row], folder: Path) -> dict[str, list[int]]:
    """The levels over tokens, of every kind but similarities, which tokens only estimate."""
    table, half = _table(rows), len(rows) // 2
    model = _model([k for k in ASKABLE if "at_least" not in str(list(_tests(k)))], folder)
    parameters = {"name": "t", "version": "1", "epoch": "e", "model": "m", "smallest_domain": 0}
    discovery = Discovery.from_dict(parameters, folder / "tokens.yaml", model)
    parts = {"first": table.slice(0, half), "second": table.slice(half)}
    engine = TokenEngine(
        [tokenise(part, discovery, SECRET, name) for name, part in parts.items()], discovery
    )
    keys = Keys(SECRET, discovery)
    ids = [i for name, p in parts.items() for i in keys.record_ids(name, p["id"].to_pylist())]
    place = {token: at for at, token in enumerate(engine.identities().record_ids.to_pylist())}
    left, right = (
        np.array([place[ids[n]] for n in side]) for side in zip(*_pairs(len(rows)), strict=True)
    )
    packing = engine.loaded.packing
    return _named(packing, packing.unpack(engine.compare(left, right)))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_the_table_holds_for_some_pair_of_these_values(
    kind: str, folder: Path
) -> None:
    """So that the same level is not the same silence."""
    model = _model([kind], folder)
    levels = _Plain(model).levels(Packing(model.comparisons), EDGES)
    assert (levels == 1).any(axis=0).all()
