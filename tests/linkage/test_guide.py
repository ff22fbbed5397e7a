"""The guide to the model file names every word that a model may use, and its example works."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pyarrow as pa
import yaml

import linkage
from linkage.spec import TESTS, Column, Comparison, Part, Rule
from linkage.standardise import step_names

GUIDE = (Path(__file__).parents[2] / "docs/linkage-model.md").read_text(encoding="utf-8")


def test_every_step_part_test_and_key_is_in_the_guide() -> None:
    keys = [f.alias or n for s in (Column, Rule, Comparison) for n, f in s.model_fields.items()]
    words = {*step_names(), *get_args(Part), *TESTS, *keys, *linkage.Model.model_fields} - {"path"}
    words.discard("description")
    assert sorted(w for w in words if not re.search(rf"`[^`]*\b{w}\b[^`]*`", GUIDE)) == []


def test_the_example_in_the_guide_is_a_model_that_links() -> None:
    example = re.search(r"```yaml\n(name: ships.*?)```", GUIDE, re.DOTALL)
    assert example
    model = linkage.Model.from_dict(yaml.safe_load(example.group(1)))
    ships = pa.table(
        {
            "id": ["1", "2", "3"],
            "register": ["a", "b", "b"],
            "name": ["Étoile", "ETOILE", "Mary Rose"],
            "built": ["1990-05-01", "1990-05-01", "1971-02-03"],
            "harbour": ["Brest", "brest ", "Hull"],
            "imo": ["9074729", "907-4729", "1"],
        }
    )
    result = linkage.link(ships, model)
    assert result.pairs["level_name"].to_pylist() == ["exact"]
    assert result.clusters.num_rows == 3
