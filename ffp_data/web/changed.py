"""What changed about a child since somebody last looked: identifiers first, then facts, then what this leaves out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from ffp_data.kept import Look
from ffp_data.kept.looks import last_looks, look
from ffp_data.serving.changes import CHANGES, HUB, IDENTITY
from ffp_data.single_view.published import Published
from ffp_data.single_view.words import dated, day, feeds_of, source_words
from ffp_data.web.permitted import Permitted
from ffp_data.web.service import Asker, Service

_SHOWN = 40
_OPS = {"new": "New", "changed": "Changed", "gone": "No longer there", "told": "Who this is"}


@dataclass(frozen=True)
class Changed:
    """What is said before the list, the entries, and how many more there are."""

    words: str
    entries: tuple[Mapping[str, Any], ...]
    more: int


def changed_since(service: Service, who: Asker, seen: Permitted) -> Changed:
    """What changed since the user's last look, which this one then is."""
    view, now = seen.view, date.fromisoformat(seen.view.as_at)
    (reference,) = service.gate.subjects.references([seen.child_id])
    before = look(service.kept, who.key, reference, Look(view.began, view.number, now))
    kept_since = now - timedelta(days=service.partnership.changes_kept_days)
    after = before.number if before and before.began == view.began else 0
    found = view.rows(_ENTRIES, [seen.child_id, after, before is None])
    feeds = feeds_of(view)
    entries = tuple(
        {
            "op": _OPS[row["op"]],
            "is_identity": row["kind"] == IDENTITY,
            "what": dated(row["plain" if seen.is_protected else "what"]),
            "source": source_words(feeds, None if row["source"] == HUB else row["source"]),
            "as_at": day(row["as_at"]),
        }
        for row in found[:_SHOWN]
    )
    return Changed(
        _words(before, view, kept_since, bool(entries)), entries, len(found) - len(entries)
    )


_FIRST = [IDENTITY, "protection", "nhs_number", "upn"]
_THEN = ["flag", "level", "involvement", "contact", "event"]
"""Kinds of entries in order; any other comes last."""
_ENTRIES = f"""
FROM {CHANGES} WHERE child_id = ? AND number > ? AND (kind = '{IDENTITY}' OR NOT ?)
ORDER BY list_position({_FIRST}, kind) NULLS LAST, number DESC, list_position({_THEN}, kind) NULLS LAST,
         kind, op DESC, what
"""
_COUNTS = f"""
SELECT s.child_id, count(*) AS changes, bool_or(c.kind = '{IDENTITY}') AS is_identity
FROM (SELECT unnest(?::VARCHAR[]) AS child_id, unnest(?::BIGINT[]) AS number) AS s
JOIN {CHANGES} AS c ON c.child_id = s.child_id AND c.number > s.number GROUP BY ALL
"""


def _words(before: Look | None, view: Published, kept_since: date, has_any: bool) -> str:
    if before is None:
        return (
            "You look at this child for the first time. From now on this place says what changed."
        )
    last = f"you looked at the view of {day(before.as_at)}"
    if before.began != view.began or before.as_at < kept_since:
        return f"It is long since {last}: not every change is kept. Read the page as if for the first time"
    return f"Since {last}" if has_any else f"Nothing changed since {last}."


def changes_of(
    service: Service, who: Asker, view: Published, child_ids: Sequence[str]
) -> dict[str, str]:
    """For each child of a list, in words, whether anything changed since the user looked."""
    references = service.gate.subjects.references(list(child_ids))
    looks = last_looks(service.kept, who.key, references)
    seen = {child: looks.get(ref) for child, ref in zip(child_ids, references, strict=True)}
    numbers = {
        c: each.number if each.began == view.began else 0 for c, each in seen.items() if each
    }
    counted = view.rows(_COUNTS, [list(numbers), list(numbers.values())]) if numbers else []
    told = {row["child_id"]: _count(row["changes"], row["is_identity"]) for row in counted}
    return {
        child: told.get(child, "Nothing new") if child in numbers else "Not looked at yet"
        for child in child_ids
    }


def _count(changes: int, is_identity: bool) -> str:
    words = f"{changes} {'change' if changes == 1 else 'changes'}"
    return f"{words}, also in who this is" if is_identity else words
