"""Taking a copy: who may, of whom, under which agreement; the number by which a found copy leads back to its taker.

The gate of reads says whether the role may take copies and whether a reason is lacking; the agreement by case
for the role's purpose says what of the children leaves; orders say what of that is kept back. The number is random and
stands on every page: whoever finds a copy asks `traced`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import duckdb

from ffp_data.home.subjects import lists_of
from ffp_data.hub.child_id import ALPHABET
from ffp_data.serving.view import TABLES
from ffp_data.settings import Home
from ffp_data.single_view.published import Published
from ffp_data.single_view.words import day
from ffp_data.take_away.agreed import Agreed, agreed, grants_of, rights_now
from governance.access import Gate, Principal, Right
from governance.grants import Grants, ReleaseDecision
from governance.keys import KeyStore
from governance.ledger import Ledger
from governance.policy.compile import LockError
from governance.release import (
    Made,
    ReleaseFailedError,
    ReleaseRefusedError,
    hand_over,
)

_SYMBOLS, _GROUP = 12, 4
_FORGIVEN = str.maketrans("OIL", "011", "- ")
_UNITS = {"D": "days", "M": "months", "Y": "years"}


@dataclass(frozen=True)
class Hub:
    """What taking a copy needs of a home."""

    home: Home
    gate: Gate
    ledger: Ledger
    keys: KeyStore


@dataclass(frozen=True)
class Taker:
    """Who takes a copy, what for, and why of a child of others."""

    principal: Principal
    name: str
    """As people read it on the copy."""
    meeting: str
    reason: str | None = None


@dataclass(frozen=True)
class Copy:
    """A copy as it is handed over."""

    number: str
    """As `written`; what a file may be called by, since it names nobody."""
    content: bytes


@dataclass(frozen=True)
class Stamp:
    """What stands on a copy beside its facts."""

    copy: str
    taken_by: str
    taken_at: str
    meeting: str
    agreement: str
    purpose: str
    keep: str
    breach: str
    as_at: str
    left_out: int
    """Of how many children an order lets nothing leave."""


def take(
    hub: Hub,
    taker: Taker,
    view: Published,
    child_ids: Collection[str],
    compose: Callable[[Agreed, Stamp], bytes],
) -> Copy:
    """The copy that ``compose`` sets of these children, once the ledger has it.

    Raises AccessDeniedError, ReleaseRefusedError, ReleaseFailedError; each refusal is in the ledger.
    """
    as_at = date.fromisoformat(view.as_at)
    told = hub.gate.check(
        taker.principal, Right.TAKE_AWAY, subjects=child_ids, reason=taker.reason or taker.meeting
    )
    decision, grants = _decision(hub, taker, as_at)
    number = _new_number()
    asked = {**told, "copy": number, "meeting": taker.meeting, "run_id": view.run_id}

    def make(at: str) -> Made:
        assert grants is not None, "an allowed decision comes of grants"
        rights = rights_now(hub.home, grants, as_at)
        try:
            found = agreed(hub.home, view, decision, rights, child_ids)
            if not found.rows.get(_CHILDREN):
                raise ReleaseRefusedError(KEPT_OUT)
            stamp = _stamp(number, taker, decision, at, found)
            return Made(compose(found, stamp), found.rows, found.people)
        except (KeyError, duckdb.CatalogException, duckdb.BinderException) as lack:
            raise ReleaseFailedError(
                f"the newest view, or {decision.agreement}, lacks what the page of a child shows: "
                "make a run, or amend the agreement"
            ) from lack

    lists = lists_of(hub.home, hub.keys)
    content = hand_over(decision, make, asked=asked, as_at=as_at, ledger=hub.ledger, lists=lists)
    return Copy(written(number), content)


_CHILDREN = "single_view.children"
KEPT_OUT = (
    "an order on this child keeps it out of every copy; ask the information-governance officer"
)


def _decision(hub: Hub, taker: Taker, as_at: date) -> tuple[ReleaseDecision, Grants | None]:
    """What the agreement by case for the role's purpose gives; not allowed where there is not exactly one."""
    purpose = hub.gate.roles.purpose(taker.principal)
    try:
        grants = grants_of(hub.home, as_at)
    except (LockError, FileNotFoundError) as problem:
        return _none(purpose, f"no: {problem}"), None
    if len(found := grants.cases(purpose)) != 1:
        which = "; ".join(found) or "none"
        return _none(
            purpose, f"no: one agreement must let copies be taken for {purpose}; found: {which}"
        ), grants
    decision = grants.case(found[0])
    published = {relation for relation, _ in TABLES.values()}
    items = tuple(each for each in decision.items if each.relation in published)
    return replace(decision, purpose=purpose, items=items), grants


def _none(purpose: str, reason: str) -> ReleaseDecision:
    return ReleaseDecision("", purpose, False, None, (), None, {}, "", reason)


def _new_number() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(_SYMBOLS))


def written(number: str) -> str:
    """A number in groups of four, as it stands on a copy."""
    return "-".join(number[at : at + _GROUP] for at in range(0, len(number), _GROUP))


def _stamp(number: str, taker: Taker, decision: ReleaseDecision, at: str, found: Agreed) -> Stamp:
    terms, taken = decision.terms, datetime.fromisoformat(at)
    return Stamp(
        copy=written(number),
        taken_by=taker.name,
        taken_at=f"{day(taken)}, {taken:%H:%M} UTC",
        meeting=taker.meeting,
        agreement=f"{decision.agreement}, {terms['title']}",
        purpose=decision.purpose,
        keep=_keep(terms["retention"]),
        breach=f"tell {terms['breach']['contact']} within {terms['breach']['hours']} hours",
        as_at=day(date.fromisoformat(found.view.as_at)),
        left_out=len(found.left_out),
    )


def _keep(retention: Mapping[str, str]) -> str:
    number, unit = retention["period"][1:-1], _UNITS[retention["period"][-1]]
    length = f"{number} {unit.removesuffix('s') if number == '1' else unit}"
    return f"{length} from {retention['from']}, then {retention['disposal']}"


def traced(ledger: Ledger, number: str) -> dict[str, Any] | None:
    """What the ledger tells of a copy by the number that stands on it; None when no copy has it."""
    wanted = number.upper().translate(_FORGIVEN)
    found: dict[str, Any] | None = None
    for event in ledger.events("released"):
        facts = event["facts"]
        if facts.get("copy") == wanted:
            names = (
                "who",
                "role",
                "meeting",
                "reason",
                "recipient",
                "purpose",
                "agreement",
                "as_at",
            )
            found = {"copy": written(wanted), "at": event["at"], **{n: facts[n] for n in names}}
            found["sha256"], found["children"] = facts["manifest"], facts["subject_list"]["count"]
    return found
