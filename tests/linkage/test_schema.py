"""The JSON Schema of model files: kept in step with the classes, and of one mind with them."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import linkage
from linkage.schema import schema, schema_text
from tests.linkage.conftest import PERSON_MODEL, SMALL

ROOT = Path(__file__).parents[2]
CHECKER = jsonschema.Draft202012Validator(schema())
MODELS = [PERSON_MODEL, *sorted(ROOT.glob("benchmarks/linkage/*.yaml"))]


def test_the_published_schema_is_the_one_that_the_classes_make() -> None:
    published = (ROOT / "docs/linkage-model.schema.json").read_text(encoding="utf-8")
    assert published == schema_text(), "run: ffp model schema --out docs/linkage-model.schema.json"


def test_the_schema_is_itself_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("path", MODELS, ids=lambda p: p.name)
def test_models_that_the_engine_reads_fit_the_schema(path: Path) -> None:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if "comparisons" in content:
        linkage.Model.from_dict(content, path)
        assert [e.message for e in CHECKER.iter_errors(content)] == []


def _broken(path: str, value: Any) -> dict[str, Any]:
    """The small model with one value changed; ``path`` is dotted."""
    model = copy.deepcopy(SMALL)
    place: Any = model
    *way, last = path.split(".")
    for key in way:
        place = place[int(key) if key.isdecimal() else key]
    place[last] = value
    return model


MISTAKES = [
    ("colums", {}),
    ("columns.given.stps", ["lower"]),
    ("columns.given.steps", ["polish"]),
    ("columns.given.steps", [{"replace": {"pattern": "a"}}]),
    ("columns.born.type", "number"),
    ("columns.number.steps", [{"check_digit": {"weights": [1], "modulus": 11}}]),
    ("blocking.0.equal", []),
    ("blocking.0.equal", [{"surname": "soundex"}]),
    ("comparisons.0.levels", [{"exact": "given", "similar": {"column": "given", "at_least": 0.9}}]),
    ("comparisons.0.levels", [{"name": "nothing"}]),
    ("comparisons.0.levels", [{"similar": {"column": "given", "at_least": 2}}]),
    ("thresholds", {"join": 1.5}),
    ("estimation", {"max_iterations": 0}),
]


@pytest.mark.parametrize(("path", "value"), MISTAKES)
def test_what_the_schema_refuses_the_engine_refuses_too(path: str, value: Any) -> None:
    model = _broken(path, value)
    assert list(CHECKER.iter_errors(model))
    with pytest.raises(linkage.LinkageError):
        linkage.Model.from_dict(model)
