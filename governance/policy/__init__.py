"""Sharing policy as data: `load` a directory, `check` it for a day, `compile_policy` to a lock."""

from __future__ import annotations

from governance.policy.check import check
from governance.policy.compile import Lock, LockError, compile_policy
from governance.policy.model import DEMO_DIRECTORY, Policy, is_below, load
from governance.policy.source import PolicyError, Problem

__all__ = [
    "DEMO_DIRECTORY",
    "Lock",
    "LockError",
    "Policy",
    "PolicyError",
    "Problem",
    "check",
    "compile_policy",
    "is_below",
    "load",
]
