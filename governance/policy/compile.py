"""From a checked policy to the lock: a closed list of grants, canonical, hashed and signed.

The lock is all that a running hub reads. It lists, for one day, each column that may enter and
each column that may leave, under which agreement and version; what it does not list is denied.
Agreements that are not in force stay in it with the reason, so that a refusal can say why.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.canonical import canonical_bytes, digest
from governance.files import replacing
from governance.keys import Verifier, key_id
from governance.policy.check import check
from governance.policy.model import Policy, why_not_in_force
from governance.policy.source import Document, PolicyError

LOCK_FORMAT = 3
NOTHING_UNCOVERED: Mapping[str, str] = {}
CASE_ONLY = "it permits sharing child by child after a recorded decision, not in bulk"
_NEVER = "9999-12-31"
_NAME_OF = {
    "clear": "{}",
    "pseudonymised": "{}_pseudonym",
    "month": "{}_month",
    "year": "{}_year",
    "district": "{}_district",
    "flag": "{}_flag",
}
TRANSFORMS = tuple(_NAME_OF)


class LockError(Exception):
    """A lock file is missing, altered, signed by another key, or not for this day."""


@dataclass(frozen=True)
class Lock:
    """The compiled policy of one day: plain JSON data and its SHA-256."""

    data: dict[str, Any]

    @property
    def sha256(self) -> str:
        """The hash that decisions, manifests and ledger events quote as the policy's version."""
        return digest(self.data)

    def write(self, path: Path, signing_key: Ed25519PrivateKey) -> None:
        """Write the signed lock file; equal policies and keys give equal bytes."""
        with replacing(path, mode=0o644) as handle:
            handle.write(self.signed(signing_key))

    def signed(self, signing_key: Ed25519PrivateKey) -> bytes:
        """Return the bytes of the lock file."""
        envelope = {
            "lock": self.data,
            "sha256": self.sha256,
            "key_id": key_id(signing_key.public_key()),
            "signature": signing_key.sign(canonical_bytes(self.data)).hex(),
        }
        return canonical_bytes(envelope) + b"\n"

    @staticmethod
    def read(path: Path, public_key: Verifier) -> Lock:
        """Read and verify a lock file; raise LockError when it is not exactly what was signed."""
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise LockError(f"{path}: no lock; compile the policy first") from None
        lock = Lock.parse(content, public_key, path)
        if lock.data["format"] != LOCK_FORMAT:  # a kept lock may be compared, but not decide
            raise LockError(f"{path}: compiled by another version; compile the policy again")
        return lock

    @staticmethod
    def parse(content: bytes, public_key: Verifier | None, path: Path) -> Lock:
        """Verify the bytes of a lock file as `read` does; ``path`` is for the words of an error.

        Without a key only the hash is checked: enough to compare locks, never to decide by one.
        """
        try:
            envelope = json.loads(content)
            if public_key is None and digest(envelope["lock"]) != envelope["sha256"]:
                raise LockError(f"{path}: altered; compile again")
            if public_key is not None:
                signature = bytes.fromhex(envelope["signature"])
                public_key.verify(signature, canonical_bytes(envelope["lock"]))
        except (ValueError, KeyError, TypeError):
            raise LockError(f"{path}: not a lock file; compile the policy again") from None
        except InvalidSignature:
            raise LockError(f"{path}: altered, or signed by another key; compile again") from None
        return Lock(envelope["lock"])


def compile_policy(
    policy: Policy, as_at: date, uncovered: Mapping[str, str] = NOTHING_UNCOVERED
) -> Lock:
    """Return the lock for a day; raise PolicyError when `check` finds an error.

    ``uncovered``: outbound agreements that give more than their DPIA was asked about, each with the
    reason in words. They are not in force until it is approved again.
    """
    errors = [each for each in check(policy, as_at) if each.severity == "error"]
    if errors:
        raise PolicyError(errors)
    day = as_at.isoformat()
    standing = {
        each.data["id"]: _standing(policy, each, day, uncovered.get(each.data["id"]))
        for each in policy.agreements
    }
    in_force = [each for each in policy.agreements if standing[each.data["id"]] is None]
    by_case = [each for each in policy.agreements if standing[each.data["id"]] == CASE_ONLY]
    return Lock(
        {
            "format": LOCK_FORMAT,
            "as_at": day,
            "valid_until": _next_change(policy, day),
            "policy_sha256": digest({each.file: each.data for each in policy.documents}),
            "agreements": {
                each.data["id"]: _entry(policy, each, standing[each.data["id"]])
                for each in policy.agreements
            },
            "organisations": policy.entries("organisations"),
            "purposes": policy.entries("purposes"),
            "cohorts": policy.entries("cohorts"),
            "gateways": policy.entries("gateways"),
            "retention": policy.registers["retention"].data,
            "suppression": policy.entries("suppression"),
            "ingest": [grant for each in in_force for grant in _ingest_grants(each)],
            "release": [grant for each in in_force for grant in _release_grants(policy, each)],
            "cases": [grant for each in by_case for grant in _release_grants(policy, each)],
        }
    )


def _standing(policy: Policy, agreement: Document, day: str, uncovered: str | None) -> str | None:
    """Why an agreement gives nothing in bulk on a day; CASE_ONLY when it is in force for decisions."""
    charter = policy.charters_by_id[agreement.data["inherits"]]
    why = why_not_in_force(agreement, charter, day) or uncovered
    by_case = agreement.data["rows"]["decision"] == "case"
    return why or (CASE_ONLY if by_case else None)


def _entry(policy: Policy, agreement: Document, not_in_force: str | None) -> dict[str, Any]:
    terms = policy.resolved(agreement)
    return {"terms": terms, "sha256": digest(terms), "not_in_force": not_in_force}


def _ingest_grants(agreement: Document) -> Iterator[dict[str, Any]]:
    if agreement.data["direction"] == "inbound":
        for item in agreement.data["items"]:
            for column in item["columns"]:
                yield {
                    "agreement": agreement.data["id"],
                    "feed": item["feed"],
                    "table": item["table"],
                    "column": column,
                    "category": item["category"],
                    "purposes": sorted(item.get("purposes", agreement.data["purposes"])),
                }


def _release_grants(policy: Policy, agreement: Document) -> Iterator[dict[str, Any]]:
    if agreement.data["direction"] == "outbound":
        for item in agreement.data["items"]:
            for column in item["columns"]:
                yield {
                    "agreement": agreement.data["id"],
                    "recipient": agreement.data["recipient"],
                    "purposes": sorted(agreement.data["purposes"]),
                    "relation": item["relation"],
                    "column": column,
                    "name": _NAME_OF[item["transform"]].format(column),
                    "transform": item["transform"],
                    "category": item["category"],
                    "is_place": policy.tells_of_a_place(column),
                }


def _next_change(policy: Policy, day: str) -> str:
    """Return the first later day on which the answer could differ: the lock ends there."""
    dates = [each.data[name] for each in policy.charters for name in ("starts", "expires")]
    dates += [each.data[name] for each in policy.agreements for name in ("starts", "expires")]
    for gateway in policy.entries("gateways").values():
        dates += [gateway["in_force_from"] or _NEVER, gateway["in_force_to"] or _NEVER]
    return str(min((each for each in dates if each > day), default=_NEVER))
