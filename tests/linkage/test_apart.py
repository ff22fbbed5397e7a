"""Comparisons that depend on another one: learnt apart, kept with a fit, and refused where they make no sense."""

from __future__ import annotations

import copy
import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import linkage
from linkage.fitted import Fitted
from linkage.linker import fit
from tests.linkage.support import GIVEN, SURNAMES

ALIKE = [a + "ie" for a in ("Ann", "Mill", "Ell", "Ros", "Sad", "Ol", "Mad", "Car", "Jos", "Luc")]


def households(alike: float, seed: int = 5) -> pa.Table:
    """Twins in a third of 900 homes, a share of them with names alike; two agencies with a number each.

    Each agency knows its own number and the other's for half the children, so that many pairs of
    twins are known to be two by their numbers and many are not.
    """
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    number = 0
    for home in range(900):
        surname = f"{SURNAMES[home % len(SURNAMES)]}{home // len(SURNAMES):02d}"
        born = [dt.date(2010, 1, 1) + dt.timedelta(days=int(d)) for d in rng.integers(0, 4000, 2)]
        given = [str(g) for g in rng.choice(GIVEN, 2, replace=False)]
        if home % 3 == 0:
            born[1] = born[0]
            if rng.random() < alike:
                one = str(rng.choice(ALIKE))
                given = [one, one[:-2] + "y"]
        for name, day in zip(given, born, strict=True):
            number += 1
            for agency in ("a", "b"):
                known = str(number) if agency == "a" or rng.random() < 0.5 else None
                written = name[:-1] if rng.random() < 0.03 else name
                row = {"given": written, "surname": surname, "born": day, "number": known}
                rows.append(row | {"id": f"{agency}{number}", "source": agency, "home": f"h{home}"})
    return pa.Table.from_pylist(rows)


@pytest.fixture
def model(small: dict[str, Any]) -> dict[str, Any]:
    """The small model with households."""
    changed = copy.deepcopy(small)
    changed["columns"]["home"] = {}
    changed["blocking"].append({"equal": ["home"], "family": True})
    changed["comparisons"][1]["shared_by_household"] = True
    changed["vetoes"] = [{"name": "other_number", "when": {"number": ["different"]}}]
    return changed


def weight_of_similar_twins(model: dict[str, Any], records: pa.Table) -> float:
    """Mean weight of pairs with names alike, one birth date and no number in common."""
    pairs = linkage.link(records, linkage.Model.from_dict(model)).pairs.to_pylist()
    levels = {"given": "similar_85", "surname": "exact", "born": "exact", "number": "missing"}
    found = [
        p["match_weight"] for p in pairs if all(p[f"level_{k}"] == v for k, v in levels.items())
    ]
    assert found
    return float(np.mean(found))


def test_where_twins_have_names_alike_a_name_alike_on_one_birth_date_says_less(
    model: dict[str, Any],
) -> None:
    general = weight_of_similar_twins(model, households(alike=0.5))
    model["comparisons"][0]["apart_when"] = {"born": ["exact"]}
    alike = weight_of_similar_twins(model, households(alike=0.5))
    unlike = weight_of_similar_twins(model, households(alike=0.0))
    assert alike < general - 1.5
    assert unlike > alike + 2


def test_a_fit_keeps_what_was_learnt_apart(model: dict[str, Any], tmp_path: Path) -> None:
    model["comparisons"][0]["apart_when"] = {"born": ["exact"]}
    checked = linkage.Model.from_dict(model)
    learnt = fit(households(alike=0.5), checked)
    learnt.save(tmp_path / "fit.json")
    again = Fitted.load(tmp_path / "fit.json", checked)
    levels = np.array([[1, 1, 1, 0], [3, 1, 1, 0], [3, 1, 4, 2], [4, 1, 1, 0]])
    assert learnt.parameters.apart
    np.testing.assert_array_equal(
        learnt.parameters.log_likelihood(levels), again.parameters.log_likelihood(levels)
    )


@pytest.mark.parametrize(
    ("apart", "message"),
    [
        ({"given": ["exact"]}, "names no other comparison"),
        ({"shoe_size": ["exact"]}, "names no other comparison"),
        ({"born": ["close"]}, "'born' has no level close"),
    ],
)
def test_a_dependence_on_what_is_not_there_is_refused(
    model: dict[str, Any], apart: dict[str, list[str]], message: str
) -> None:
    model["comparisons"][0]["apart_when"] = apart
    with pytest.raises(linkage.LinkageError, match=message):
        linkage.Model.from_dict(model)
