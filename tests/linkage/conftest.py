"""A small model, and one linked town, shared by the linkage tests."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

import linkage

PERSON_MODEL = Path(__file__).parents[2] / "ffp_data/identity/person_model.yaml"

SMALL: dict[str, Any] = {
    "name": "small",
    "version": "1",
    "record_id": "id",
    "source": "source",
    "columns": {
        "given": {"steps": ["lower"], "domain": "name"},
        "surname": {"steps": ["lower"], "domain": "name"},
        "born": {"type": "date"},
        "number": {},
    },
    "blocking": [
        {"equal": ["number"]},
        {"equal": ["surname", "born"]},
        {"equal": ["given", "born"]},
        {"equal": ["given", "surname"]},
        {"equal": ["given", "surname"], "with": ["surname", "given"], "train": False},
    ],
    "comparisons": [
        {
            "name": "given",
            "term_frequency": True,
            "levels": [
                {"exact": "given"},
                {"swapped": ["given", "surname"]},
                {"similar": {"column": "given", "at_least": 0.85}},
            ],
        },
        {
            "name": "surname",
            "levels": [
                {"exact": "surname"},
                {"swapped": ["given", "surname"], "neutral": True},
                {"similar": {"column": "surname", "at_least": 0.85}},
            ],
        },
        {
            "name": "born",
            "levels": [
                {"exact": "born"},
                {"day_month_swapped": "born"},
                {"one_date_part_differs": "born"},
            ],
        },
        {"name": "number", "levels": [{"exact": "number"}]},
    ],
    "thresholds": {"join": 0.9, "break": 0.5, "review": 0.01},
}


@pytest.fixture
def small() -> dict[str, Any]:
    """The small model as plain data, free to be changed by a test."""
    return copy.deepcopy(SMALL)


@pytest.fixture(scope="session")
def person_model() -> linkage.Model:
    """The hub's own model."""
    return linkage.Model.from_yaml(PERSON_MODEL)
