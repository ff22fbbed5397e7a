"""A thousand random tamperings with a ledger: each is found by the hub's own check and by the stand-alone one."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from governance.ledger import Checkpoint, Ledger
from tests.governance.tampering import KEY, TAMPERINGS, Case, make_case, tampered

NUMBER = int(os.environ.get("FFP_TAMPERINGS", "1000"))


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return make_case(tmp_path_factory.mktemp("case"))


@pytest.mark.control("D04")
def test_a_thousand_random_tamperings_are_all_found_by_both_verifiers(
    case: Case, tmp_path: Path
) -> None:
    unseen: Counter[tuple[str, str]] = Counter()
    seen: Counter[str] = Counter()
    for number in range(NUMBER):
        how = tampered(case, tmp_path / "copy", number)
        own, apart = case.findings(tmp_path / "copy")
        seen[how.__name__] += 1
        unseen.update(
            (who, f"{how.__name__} {number}")
            for who, found in (("own", own), ("apart", apart))
            if not found
        )
    assert not unseen
    assert len(seen) == len(TAMPERINGS)
    assert sum(seen.values()) == NUMBER


def test_an_untouched_ledger_with_its_witness_has_no_finding(case: Case) -> None:
    assert case.findings(case.whole) == ([], [])


def test_only_a_witness_knows_of_an_older_store_and_of_a_fork(case: Case) -> None:
    for copy in (case.older, case.fork):
        own, apart = case.findings(copy)
        assert own
        assert apart
        without = Case(case.whole, case.older, case.fork, _own_witness(copy))
        assert without.findings(copy) == ([], [])


def _own_witness(folder: Path) -> Checkpoint:
    newest = Ledger(folder, KEY).last_checkpoint()
    assert newest is not None
    return newest
