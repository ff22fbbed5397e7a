"""The case system's drop obeys the rules of the children in need census but for the faults that were planted."""

from __future__ import annotations

from collections import defaultdict

import pytest

from ffp_data.synthetic import synthesise
from tests.synthetic.conftest import AS_AT, Made, census_findings

# Rules about the return as a whole that a few dozen children can't meet by size alone.
NEEDS_MANY_CHILDREN = {"2887Q"}


def unexplained(made: Made) -> list[tuple[str, str | None]]:
    explains: dict[str, set[str]] = defaultdict(set)
    for fault in made.truth("planted_faults"):
        explains[fault["source_person_id"]] |= set(fault["explains"].split())
    anywhere = set().union(*explains.values())
    return [
        (f.rule, f.child)
        for f in census_findings(made.folder)
        if f.rule not in (explains[f.child] if f.child else anywhere)
        and f.rule not in NEEDS_MANY_CHILDREN
    ]


def test_every_finding_is_a_planted_fault(made: Made) -> None:
    assert unexplained(made) == []


@pytest.mark.parametrize("seed", [1, 2])
def test_every_finding_is_a_planted_fault_of_other_seeds_too(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    folder = tmp_path_factory.mktemp("census") / "out"
    summary = synthesise(folder, 500, seed, AS_AT)
    assert unexplained(Made(folder, summary)) == []


def test_planted_faults_trip_a_dozen_different_rules(made: Made) -> None:
    rules = {f.rule for f in census_findings(made.folder)}
    assert len(rules) >= 12, sorted(rules)


def test_without_planting_there_is_nothing_to_find(
    made: Made, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ffp_data.synthetic.feed_case_system.FAULT_SHARE", 0.0)
    folder = tmp_path_factory.mktemp("clean") / "out"
    clean = Made(folder, synthesise(folder, 400, 20, AS_AT))
    kinds = {f["fault"] for f in clean.truth("planted_faults") if f["feed"] == "case_system"}
    assert kinds <= {"duplicate_record", "unborn_not_converted", "wrong_birth_date"}
    assert {rule for rule, _ in unexplained(clean)} == set()
