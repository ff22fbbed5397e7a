"""Agreements become the signed lock of this home: the only policy that later steps read."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from ffp_data.home.kept_locks import KeptLocks
from ffp_data.home.run import Run
from ffp_data.settings import Home, NoPartnershipError, Partnership
from governance.grants import Grants
from governance.policy import (
    DEMO_DIRECTORY,
    Lock,
    Policy,
    PolicyError,
    Problem,
    check,
    compile_policy,
    load,
)


@dataclass(frozen=True)
class PolicyOutcome:
    """What compiling found: problems as text; the lock's digest and counts when there are none."""

    problems: list[str]
    digest: str | None
    ingest_columns: int
    release_columns: int
    agreements: int

    def figures(self) -> dict[str, Any]:
        return {
            "policy sha256": self.digest or "not compiled",
            "agreements": self.agreements,
            "columns that may enter": self.ingest_columns,
            "columns that may leave": self.release_columns,
        }


def policy_folder(home: Home) -> Path:
    """The partnership's own policy in its home, else the packaged demonstration."""
    own = home.root / "policy"
    return own if own.is_dir() else DEMO_DIRECTORY


def start_policy(home: Home) -> Path:
    """Copy the demonstration's policy into the home, to be changed there.

    Raises FileExistsError when the home has a policy, and NoPartnershipError unless it is of made-up
    people: made-up agreements must not come to decide on real ones by way of a copy.
    """
    if not Partnership.of(home).is_synthetic:
        raise NoPartnershipError(
            f"{home.root}: of real people; its agreements are its own to write"
        )
    skipped = shutil.ignore_patterns("*.py", "__pycache__", "schema", "controls.yaml")
    return Path(shutil.copytree(DEMO_DIRECTORY, home.root / "policy", ignore=skipped))


def missing_policy(home: Home) -> str | None:
    """Why nothing can be decided in a home of real people without a policy of its own; None where there is one.

    The packaged agreements are of made-up parties: they never decide on real people's data. Raises
    NoPartnershipError.
    """
    if policy_folder(home) != DEMO_DIRECTORY or Partnership.of(home).is_synthetic:
        return None
    return (
        f"{home.root / 'policy'}: missing; put the partnership's agreements there"
        " (docs/governance.md, Begin your own)"
    )


def load_policy(home: Home, as_at: date) -> tuple[Policy | None, list[str]]:
    """The policy and its problems as one line each; no policy when a file cannot be read."""
    folder = policy_folder(home)
    try:
        is_synthetic, missing = Partnership.of(home).is_synthetic, missing_policy(home)
    except NoPartnershipError as error:
        return None, [str(error)]
    if missing:
        return None, [missing]
    try:
        policy = load(folder)
    except PolicyError as error:
        return None, [str(problem) for problem in error.problems]
    copied = [] if is_synthetic else _word_for_word(policy)
    return policy, [
        str(each) for each in (*copied, *check(policy, as_at)) if each.severity == "error"
    ]


def _word_for_word(policy: Policy) -> list[Problem]:
    """Charters and agreements that are still the demonstration's: a copy was put here and not written anew."""
    made_up = load(DEMO_DIRECTORY)
    shipped = [each.data for each in (*made_up.charters, *made_up.agreements)]
    return [
        each.problem(
            "made_up",
            "word for word the made-up partnership's, and this home is of real people",
            "write what your partnership signed, or take the file out",
        )
        for each in (*policy.charters, *policy.agreements)
        if each.data in shipped
    ]


def compile_lock(run: Run) -> PolicyOutcome:
    """Check and compile; with problems the former lock is removed, so that nothing runs on it."""
    run = run.with_day_fixed()
    policy, problems = load_policy(run.home, run.as_at)
    if policy is None or problems:
        run.lock_file.unlink(missing_ok=True)
        run.ledger.append("policy_refused", run_id=run.run_id, problems=len(problems))
        return PolicyOutcome(problems, None, 0, 0, 0)
    lock = _covered(run, policy)
    lock.write(run.lock_file, run.keys.signing_key)
    run.ledger.append(
        "policy_compiled", run_id=run.run_id, policy=lock.sha256, as_at=str(run.as_at)
    )
    return PolicyOutcome(
        problems=[],
        digest=lock.sha256,
        ingest_columns=len(lock.data["ingest"]),
        release_columns=len(lock.data["release"]),
        agreements=len(lock.data["agreements"]),
    )


def _covered(run: Run, policy: Policy) -> Lock:
    """The lock, without outbound agreements that have outgrown their DPIA; it is kept by its digest."""
    kept, lock = KeptLocks(run.home, run.keys), compile_policy(policy, run.as_at)
    kept.record_dpias(lock, run.ledger)
    stale = kept.stale_dpias(lock)
    for name, more in stale.items():
        run.ledger.append("dpia_stale", run_id=run.run_id, agreement=name, more=more)
    uncovered = {
        name: f"its DPIA was not asked about this: {'; '.join(more)}"
        for name, more in stale.items()
        if lock.data["agreements"][name]["terms"]["direction"] == "outbound"
    }
    lock = compile_policy(policy, run.as_at, uncovered) if uncovered else lock
    kept.keep(lock)
    return lock


def grants(run: Run) -> Grants:
    """The decision functions over this run's lock; raises LockError when it is missing or altered."""
    return Grants.read(run.lock_file, run.keys.trusted, run.as_at)
