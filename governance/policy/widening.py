"""Whether an agreement gives more than it did: what a DPIA must be asked about again.

Compared are two versions of one agreement as two locks hold them. More is: a column, a weaker
change of a column, a purpose, other rows, a longer keeping, a looser term on what happens after,
another party, another role with access. Less is never a reason to ask. Whether another cohort is
larger nobody can tell from its name, so any other choice of rows counts as more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from governance.policy.narrow import days_in

SHOWS = {"flag": 0, "year": 1, "district": 1, "pseudonymised": 1, "month": 2, "clear": 3}
"""How much of a value each transform shows; of two that show as much, the other shows something else."""

INBOUND = "as delivered"


def shows_more(before: str, after: str) -> bool:
    """Say whether a column changed in the way ``after`` shows what ``before`` did not."""
    return before != after and SHOWS[after] >= SHOWS[before]


def widenings(before: Mapping[str, Any], after: Mapping[str, Any], agreement: str) -> list[str]:
    """Return in words each point in which an agreement of lock ``after`` gives more; data of two locks.

    Both locks must hold the agreement; whether it is in force does not matter here.
    """
    old, new = before["agreements"][agreement]["terms"], after["agreements"][agreement]["terms"]
    return [
        *_columns(old, new),
        *_rows(before, after, old["rows"], new["rows"]),
        *_named(old, new),
        *_terms(old, new),
    ]


def covered(terms: Mapping[str, Any]) -> dict[tuple[str, str], tuple[str, frozenset[str]]]:
    """Return transform and purposes of each (relation, column) that an agreement names."""
    return {
        (_relation(item), column): (
            item.get("transform", INBOUND),
            frozenset(item.get("purposes", terms["purposes"])),
        )
        for item in terms["items"]
        for column in item["columns"]
    }


def _relation(item: Mapping[str, Any]) -> str:
    return str(item.get("relation") or f"{item['feed']}.{item['table']}")


def _columns(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    had = covered(old)
    for (relation, column), (transform, purposes) in covered(new).items():
        name = f"{relation}.{column}"
        if (relation, column) not in had:
            yield f"{name} is added ({transform})"
            continue
        was, served = had[relation, column]
        if INBOUND not in (was, transform) and shows_more(was, transform):
            yield f"{name} is now {transform}, it was {was}"
        for purpose in sorted(purposes - served):
            yield f"{name} now serves {purpose}"


def _rows(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    old: Mapping[str, Any],
    new: Mapping[str, Any],
) -> Iterator[str]:
    was, now = before["cohorts"][old["cohort"]], after["cohorts"][new["cohort"]]
    if old["cohort"] != new["cohort"]:
        yield f"rows are those of {new['cohort']}, they were those of {old['cohort']}"
    elif was["members"] != now["members"]:
        yield f"{new['cohort']} chooses its rows in another way"
    if old["decision"] == "case" and new["decision"] == "bulk":
        yield "rows leave in bulk, they left case by case"
    for feed in sorted(set(new.get("feeds", ())) - set(old.get("feeds", ()))):
        yield f"facts of {feed} are added"


def _named(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for org in sorted(_receivers(new) - _receivers(old)):
        yield f"{org} receives too"
    for role in sorted(set(new["access"]) - set(old["access"])):
        yield f"access for {role}"
    if old.get("recipient") != new.get("recipient"):
        yield f"the recipient is {new.get('recipient')}, it was {old.get('recipient')}"


def _receivers(terms: Mapping[str, Any]) -> set[str]:
    return {party["org"] for party in terms["parties"] if "receives" in party}


def _terms(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    was, now = old["retention"]["period"], new["retention"]["period"]
    if days_in(now) > days_in(was):
        yield f"kept for {now}, it was {was}"
    for term in ("onward", "transfers"):
        if new[term] not in ("none", old[term]):
            yield f"{term} is {new[term]!r}, it was {old[term]!r}"
    for measure in sorted(set(old["security"]) - set(new["security"])):
        yield f"without the measure {measure!r}"
