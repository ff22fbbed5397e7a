"""A release that dies at any step leaves one release or none, and the ledger and the folder agree."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from governance import policy
from governance.files import sha256_of_file
from governance.grants import Grants
from governance.keys import KeyStore
from governance.ledger import Ledger
from governance.manifest import MANIFEST, verify_files
from governance.release import not_released, publish, settle_all

AS_AT = date(2026, 3, 31)
DECISION = Grants(policy.compile_policy(policy.load(), AS_AT)).release(
    "dfe", "statutory_returns.cin_census"
)
STEPS = (("fsync", os), ("rename", os), ("replace", os), ("unlink", os), ("rmdir", os))


def release(root: Path, keys: KeyStore, ledger: Ledger, content: str) -> None:
    def write(part: Path) -> dict[str, int]:
        (part / "cin.xml").write_text(content, "utf-8")
        return {"returns.cin_children": len(content)}

    publish(DECISION, write, as_at=AS_AT, out=root / "cin", keys=keys, ledger=ledger)


def dying_at(step: int, act: Callable[..., None], *args: Any) -> bool:
    """Run `act` in a process that is gone before its n-th step on disk; say whether it came to that."""
    child = os.fork()
    if child == 0:
        taken = 0

        def counted(real: Callable[..., Any]) -> Callable[..., Any]:
            def wrapper(*args: Any, **more: Any) -> Any:
                nonlocal taken
                taken += 1
                if taken == step:
                    os._exit(9)
                return real(*args, **more)

            return wrapper

        try:
            for name, module in STEPS:
                setattr(module, name, counted(getattr(module, name)))
            act(*args)
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, 9)
    return code == 9


def told(ledger: Ledger, kind: str) -> list[str]:
    return [event["facts"]["manifest"] for event in ledger.events() if event["kind"] == kind]


@pytest.mark.control("D04")
def test_a_release_that_dies_at_any_step_is_there_once_or_not_at_all(
    tmp_path: Path, keys: KeyStore
) -> None:
    died = 0
    for step in range(1, 100):
        home = tmp_path / str(step)
        root = home / "out"
        ledger = Ledger(home / "ledger", keys.signing_key)
        release(root, keys, ledger, "<former/>")
        if not dying_at(step, release, root, keys, ledger, "<newer/>"):
            break
        died += 1
        settle_all(root, ledger)
        assert verify_files(root / "cin", keys.public_key) == [], step
        assert not_released(root, keys.public_key, ledger) == [], step
        assert told(ledger, "released").count(sha256_of_file(root / "cin" / MANIFEST)) == 1, step
        is_new = (root / "cin" / "cin.xml").read_text("utf-8") == "<newer/>"
        assert len(told(ledger, "released")) == 1 + is_new, step
        assert [p.name for p in root.iterdir()] == ["cin"], step
        ledger.append("run_started")  # a line that was never acknowledged is set aside by the next
        assert ledger.verify() == [], step
    assert died >= 15


@pytest.mark.control("D11", "F06")
def test_the_next_release_settles_what_the_last_left_without_being_told(
    tmp_path: Path, keys: KeyStore
) -> None:
    for step in range(1, 60):
        home = tmp_path / str(step)
        ledger = Ledger(home / "ledger", keys.signing_key)
        if not dying_at(step, release, home / "out", keys, ledger, "<first/>"):
            break
        release(home / "out", keys, ledger, "<again/>")
        assert not_released(home / "out", keys.public_key, ledger) == [], step
        for manifest in told(ledger, "release_intended"):
            ends = told(ledger, "released") + told(ledger, "release_abandoned")
            assert ends.count(manifest) == 1, step
