"""Statutory returns stay what they are, and publication takes counts alone."""

from __future__ import annotations

from collections.abc import Iterator

from governance.policy.model import Policy, is_below
from governance.policy.source import Document, Problem


def counts_apart(policy: Policy, agreement: Document, _as_at: str) -> Iterator[Problem]:
    """A statutory return goes to central government alone, and publication takes counts alone."""
    data = agreement.data
    if data["direction"] != "outbound":
        return
    kind = policy.entries("organisations")[policy.recipients[data["recipient"]]]["kind"]
    is_return = all(is_below(each, "statutory_returns") for each in data["purposes"])
    is_count = any(is_below(each, "statistics") for each in data["purposes"])
    for index, item in enumerate(data["items"]):
        schema = item["relation"].partition(".")[0]
        if schema == "returns" and not (is_return and kind == "central_government"):
            message = f"{item['relation']} is a statutory return, unsuppressed"
            remedy = (
                "give it to central government for statutory_returns, or publish counts instead"
            )
            yield agreement.problem("return", message, remedy, "items", index, "relation")
        if is_count != (schema == "statistics"):
            message = f"{item['relation']} for {', '.join(data['purposes'])}"
            remedy = "give relations of statistics for statistics, and no others"
            yield agreement.problem("counts", message, remedy, "items", index, "relation")
