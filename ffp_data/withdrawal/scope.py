"""What an agreement covers, and the policy as it would be without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ffp_data.feeds import Contract
from ffp_data.home.policy import load_policy
from ffp_data.home.run import Run
from governance.grants import Grants
from governance.policy import Policy, compile_policy
from governance.policy.compile import Lock

WITHDRAWN, SUSPENDED = "withdrawn", "suspended"


class WithdrawalError(ValueError):
    """A withdrawal that cannot be simulated, applied or proved; says what to do instead."""


@dataclass(frozen=True)
class Scope:
    """An agreement as a lock has it: of feeds that it lets in, or of a recipient that it gives to."""

    agreement: str
    terms: Mapping[str, Any]
    not_in_force: str | None

    @property
    def is_inbound(self) -> bool:
        return bool(self.terms["direction"] == "inbound")

    @property
    def title(self) -> str:
        return str(self.terms["title"])

    @property
    def status(self) -> str:
        return str(self.terms["status"])

    @property
    def versioned(self) -> str:
        return f"{self.agreement}@{self.terms['version']}"

    @cached_property
    def columns(self) -> Mapping[tuple[str, str], tuple[str, ...]]:
        """The columns that an inbound agreement lets in, by feed and table, in its own order."""
        found: dict[tuple[str, str], tuple[str, ...]] = {}
        for item in self.terms["items"] if self.is_inbound else ():
            place = (item["feed"], item["table"])
            found[place] = (*found.get(place, ()), *item["columns"])
        return found

    @property
    def feeds(self) -> tuple[str, ...]:
        return tuple(sorted({feed for feed, _ in self.columns}))

    def gives(self, recipient: str, purpose: str) -> bool:
        """Whether this outbound agreement is the one on a recipient and purpose."""
        mine = self.terms.get("recipient") == recipient
        return mine and any(
            purpose == own or purpose.startswith(f"{own}.") for own in self.terms["purposes"]
        )


def scope_of(lock: Lock, agreement: str) -> Scope:
    """The agreement in a lock; raises WithdrawalError for one that the lock does not know."""
    known = lock.data["agreements"]
    if agreement not in known:
        raise WithdrawalError(
            f"{agreement}: no such agreement; there are {', '.join(sorted(known))}"
        )
    entry = known[agreement]
    return Scope(agreement, entry["terms"], entry["not_in_force"])


def current_lock(run: Run) -> Lock:
    """The lock that the last run read; raises LockError when it is missing or altered."""
    return Lock.read(run.lock_file, run.keys.trusted)


def lock_without(run: Run, agreement: str, status: str) -> Lock:
    """The lock of today's policy, were the agreement of this status; nothing is written.

    Raises WithdrawalError when the policy does not hold or has no such agreement.
    """
    policy, problems = load_policy(run.home, run.as_at)
    if policy is None or problems:
        raise WithdrawalError("; ".join(problems) or "the policy cannot be read")
    return compile_policy(_with_status(policy, agreement, status), run.as_at)


def _with_status(policy: Policy, agreement: str, status: str) -> Policy:
    if agreement not in {each.data["id"] for each in policy.agreements}:
        raise WithdrawalError(
            f"{agreement}: the policy in {policy.directory} has no such agreement"
        )
    changed = tuple(
        replace(each, data={**each.data, "status": status})
        if each.data["id"] == agreement
        else each
        for each in policy.agreements
    )
    return replace(policy, agreements=changed)


def covered(grants: Grants, contract: Contract) -> dict[str, frozenset[str]]:
    """The columns by table that a lock lets in of a feed; tables that it lets nothing in of are left out."""
    decisions = (grants.ingest(contract.id, table.name) for table in contract.tables)
    return {each.table: frozenset(each.columns) for each in decisions if each.allowed}
