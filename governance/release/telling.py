"""What ledger and manifest say of a release: who, why, under what, which columns; never a person's data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from governance.grants import ReleaseDecision


def about(decision: ReleaseDecision, as_at: date) -> dict[str, Any]:
    return {
        "recipient": decision.recipient,
        "purpose": decision.purpose,
        "agreement": decision.agreement,
        "policy": decision.policy,
        "as_at": as_at.isoformat(),
    }


def facts(decision: ReleaseDecision, as_at: date, rows: Mapping[str, int]) -> dict[str, Any]:
    terms = decision.terms
    return {
        **about(decision, as_at),
        "epoch": epoch(as_at),
        "cohort": terms["rows"]["cohort"],
        "retention": terms["retention"],
        "onward": terms["onward"],
        "tables": [
            {"relation": relation, "rows": count, "columns": columns(decision, relation)}
            for relation, count in sorted(rows.items())
        ],
    }


def columns(decision: ReleaseDecision, relation: str | None = None) -> list[dict[str, str]]:
    return [
        {
            "relation": each.relation,
            "name": each.name,
            "transform": each.transform,
            "category": each.category,
        }
        for each in decision.items
        if relation is None or each.relation == relation
    ]


def epoch(as_at: date) -> str:
    """Pseudonyms hold for a calendar year, then change."""
    return str(as_at.year)


def short(relation: str) -> str:
    return relation.partition(".")[2]
