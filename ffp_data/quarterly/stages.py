"""At which stage a child stood on the day of an event: by what was recorded, else by the first rule that holds."""

from __future__ import annotations

import re

from ffp_data.quarterly.items import UNASSIGNED, Settings, Test

_WORD = re.compile(r"[A-Za-z0-9_]+")


def staged_sql(settings: Settings, events: str) -> str:
    """The events of a query with `evidence`, `stage` and, where recorded and evidence differ, `said`.

    events: a SELECT of kind, child_id, event_id, on_date, recorded, recorded_date and record_key.
    """
    cases = " ".join(
        f"WHEN {' OR '.join(map(_holds, rule.any))} THEN '{rule.stage}'" for rule in settings.stages
    )
    recorded = "coalesce(recorded, evidence)" if settings.recorded_stage_wins else "evidence"
    return (
        f"WITH events AS ({events}), evident AS ("
        f"SELECT e.*, CASE {cases} ELSE '{UNASSIGNED}' END AS evidence FROM events AS e) "
        f"SELECT *, {recorded} AS stage, CASE WHEN recorded <> evidence THEN "
        "concat('recorded at ', replace(recorded, '_', ' '), ', the records show ', replace(evidence, '_', ' ')) "
        "END AS said FROM evident"
    )


def _holds(test: Test) -> str:
    """SQL that is true when a spell of the test covers the event, or ended shortly before it."""
    until = _until(test)
    details = ", ".join(f"'{_word(each)}'" for each in test.details)
    only = f" AND s.detail IN ({details})" if details else ""
    return (
        "EXISTS (SELECT 1 FROM quarterly.spells AS s WHERE s.child_id = e.child_id "
        f"AND s.kind = '{_word(test.kind)}' AND s.start_date <= e.on_date AND {until}{only})"
    )


def _until(test: Test) -> str:
    if test.ended_within_days is not None:
        return f"e.on_date BETWEEN s.end_date AND s.end_date + {test.ended_within_days}"
    return f"(s.end_date IS NULL OR s.end_date {'>=' if test.last_day else '>'} e.on_date)"


def _word(value: str) -> str:
    if not _WORD.fullmatch(value):
        raise ValueError(f"{value!r}: a kind or code is letters, digits and underscores")
    return value
