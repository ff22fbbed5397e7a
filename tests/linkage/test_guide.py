"""The guide to the model file names every word that a model may use, and its example works."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import duckdb
import pyarrow as pa
import pytest
import yaml
from typer.main import get_command

import linkage
from ffp_data.cli.main import app
from linkage.report import FILES
from linkage.spec import TESTS, Column, Comparison, Part, Rule
from linkage.sql_text import literal
from linkage.standardise import column_sql, step_names

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


KNOWN = {  # published examples of right numbers
    "NHS number": "9434765919",
    "Dutch BSN": "111222333",
    "IMO ship number": "9074729",
    "personnummer": "8112289874",
}


@pytest.mark.parametrize("name", KNOWN)
def test_the_weights_of_known_identifiers_pass_right_numbers_and_stop_wrong_ones(name: str) -> None:
    told = re.search(rf"{name}[^`]*`(\[[-0-9, ]+\])` and (\d+)( with `sum_digits: true`)?", GUIDE)
    assert told
    setting = {
        "weights": yaml.safe_load(told[1]),
        "modulus": int(told[2]),
        "sum_digits": bool(told[3]),
    }
    column = Column.model_validate({"steps": [{"check_digit": setting}]})
    right = KNOWN[name]
    for place in range(len(right)):
        wrong = right[:place] + str((int(right[place]) + 1) % 10) + right[place + 1 :]
        found = duckdb.sql(f"SELECT {column_sql(column, literal(wrong))}").fetchone()
        assert found == (None,)
    assert duckdb.sql(f"SELECT {column_sql(column, literal(right))}").fetchone() == (right,)


def test_the_links_inside_the_guide_lead_somewhere() -> None:
    headings = re.findall(r"^#+ (.+)$", GUIDE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-") for h in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", GUIDE)) <= anchors


def test_every_file_of_a_result_and_every_option_of_the_command_is_in_the_guide() -> None:
    options = [o for p in get_command(app).commands["link"].params for o in p.opts]  # type: ignore[attr-defined]
    wanted = [*FILES, *(o for o in options if o.startswith("--") and o not in ("--json", "--help"))]
    assert [w for w in wanted if w not in GUIDE] == []
