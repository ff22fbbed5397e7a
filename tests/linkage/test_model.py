"""A model file is refused with its file, the key and a remedy; a good one says what it means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import linkage
from linkage.packing import Packing


def _refusal(content: dict[str, Any]) -> str:
    with pytest.raises(linkage.LinkageError) as caught:
        linkage.Model.from_dict(content, Path("my_model.yaml"))
    return str(caught.value)


def test_every_problem_is_named_with_file_key_and_remedy(small: dict[str, Any]) -> None:
    small["colums"] = {}
    del small["version"]
    text = _refusal(small)
    assert "my_model.yaml: key 'colums': unknown key: remove it or correct its spelling" in text
    assert "my_model.yaml: key 'version': required key is missing: add it" in text


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"blocking": [{"equal": ["town"]}]}, "no column 'town' under 'columns'"),
        ({"blocking": [{"equal": [{"given": "year"}]}]}, "column 'given' must be of type date"),
        (
            {"blocking": [{"equal": ["given"], "with": ["given", "born"]}]},
            "same number of components",
        ),
        ({"blocking": [{"equal": ["given"]}, {"equal": ["given"]}]}, "rename one"),
        ({"vetoes": [{"name": "v", "when": {"number": ["near"]}}]}, "has no level near"),
        ({"one_per_source": ["a"], "source": None}, "needs 'source'"),
        ({"thresholds": {"join": 0.5, "break": 0.9}}, "review <= break <= join"),
    ],
)
def test_a_model_that_contradicts_itself_is_refused(
    small: dict[str, Any], change: dict[str, Any], expected: str
) -> None:
    assert expected in _refusal(small | change)


@pytest.mark.parametrize(
    ("comparison", "expected"),
    [
        (
            {"levels": [{"exact": "given", "near": {"column": "born", "within_days": 1}}]},
            "exactly one",
        ),
        ({"levels": [{"soundex": "given"}]}, "unknown key"),
        ({"levels": [{"exact": "given"}, {"exact": "given"}]}, "two levels named exact"),
        ({"levels": [{"name": "different", "exact": "given"}]}, "every comparison has"),
        ({"levels": [{"equivalent": "given"}]}, "no 'equivalents' table"),
        ({"levels": [{"swapped": ["given", "number"]}]}, "same 'domain'"),
        ({"levels": [{"day_month_swapped": "given"}]}, "must be of type date"),
        ({"levels": [{"exact": "given"}], "shared_by_household": True}, "family: true"),
        ({"levels": [{"exact": "given"}], "only_if_missing": "x"}, "only_if_missing names no"),
        (
            {"levels": [{"similar": {"column": "given", "at_least": 0.9}}], "term_frequency": True},
            "term_frequency needs",
        ),
    ],
)
def test_a_comparison_that_cannot_work_is_refused(
    small: dict[str, Any], comparison: dict[str, Any], expected: str
) -> None:
    small["comparisons"] = [{"name": "given", **comparison}]
    assert expected in _refusal(small)


def test_a_file_that_is_missing_or_no_yaml_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    with pytest.raises(linkage.LinkageError, match=r"m\.yaml: cannot be read"):
        linkage.Model.from_yaml(file)
    file.write_text("a: [1\nb: 2", encoding="utf-8")
    with pytest.raises(linkage.LinkageError, match=r"m\.yaml, line \d: not valid YAML"):
        linkage.Model.from_yaml(file)
    file.write_text("- a", encoding="utf-8")
    with pytest.raises(linkage.LinkageError, match="a model is a mapping"):
        linkage.Model.from_yaml(file)


def test_rules_and_levels_get_names_that_say_what_they_do(small: dict[str, Any]) -> None:
    model = linkage.Model.from_dict(small)
    assert [r.name for r in model.blocking][1::3] == ["surname+born", "given+surname_crossed"]
    assert model.comparisons[0].level_names == (
        "missing", "exact", "swapped", "similar_85", "different",
    )  # fmt: skip


def test_more_levels_than_a_pattern_can_hold_are_refused_with_advice(small: dict[str, Any]) -> None:
    small["comparisons"] = [
        {"name": f"c{i}", "columns": ["given"], "levels": [{"exact": "given"}]} for i in range(40)
    ]
    model = linkage.Model.from_dict(small)
    with pytest.raises(linkage.LinkageError, match="use fewer comparisons"):
        Packing(model.comparisons)


def test_the_person_model_is_read_and_fits_into_one_pattern(person_model: linkage.Model) -> None:
    assert sum(Packing(person_model.comparisons).bits) <= 62
    assert {r.name for r in person_model.blocking if r.family} == {"surname+postcode", "uprn"}


def test_a_model_written_and_read_again_is_the_same(tmp_path: Path, small: dict[str, Any]) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(yaml.safe_dump(small), encoding="utf-8")
    assert linkage.Model.from_yaml(file).model_dump() == linkage.Model.from_dict(small).model_dump()
