"""Why a validator found what it found, on a made-up partnership whose truth is known.

A finding is `planted` when a fault written to truth/planted_faults.csv names its rule and stands in a
record of the child; `missed_link` when the child's records carry more than one identifier, so that the
return sees half a life; else `unexplained`, which is a fault of ours.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from ffp_data.identity.truth import read_truth

CAUSES = ("planted", "missed_link", "unexplained")

_CHILDREN = """
SELECT c.la_child_id, m.record_key
FROM (SELECT child_key, la_child_id FROM returns.cin_children
      UNION SELECT child_key, la_child_id FROM returns.tehadc_children) c
JOIN identity.child_membership m ON m.child_id = c.child_key
"""

Finding = Mapping[str, Any]


@dataclass(frozen=True)
class _Known:
    """The truth, by the keys that findings lead to."""

    records_of_child: Mapping[str, set[str]]
    rules_of_record: Mapping[str, set[str]]
    all_rules: frozenset[str]
    split_records: frozenset[str]


def explain(
    con: duckdb.DuckDBPyConnection, findings: Iterable[Finding], truth: Path
) -> dict[str, int]:
    """Number of findings of each cause."""
    known = _known(con, truth)
    counts = Counter(_cause(finding, known) for finding in findings)
    return {cause: counts[cause] for cause in CAUSES}


def _known(con: duckdb.DuckDBPyConnection, truth: Path) -> _Known:
    records: dict[str, set[str]] = defaultdict(set)
    for la_child_id, record_key in con.execute(_CHILDREN).fetchall():
        records[la_child_id].add(record_key)
    rules: dict[str, set[str]] = defaultdict(set)
    for fault in read_truth(truth / "planted_faults.csv").to_pylist():
        rules[f"{fault['feed']}|{fault['source_person_id']}"] |= set(fault["explains"].split())
    everywhere = frozenset(rule for each in rules.values() for rule in each)
    return _Known(records, rules, everywhere, _split_records(con, truth))


def _split_records(con: duckdb.DuckDBPyConnection, truth: Path) -> frozenset[str]:
    """Records of people who carry more than one identifier."""
    people = read_truth(truth / "record_person.csv")  # noqa: F841 -- read by name below
    rows = con.execute(
        "SELECT record_key FROM people JOIN identity.child_membership USING (record_key) "
        "QUALIFY min(child_id) OVER (PARTITION BY person_id) "
        "     <> max(child_id) OVER (PARTITION BY person_id)"
    )
    return frozenset(record_key for (record_key,) in rows.fetchall())


def _cause(finding: Finding, known: _Known) -> str:
    rule, child = finding["rule"], finding["child"]
    if child is None:  # a rule about the return as a whole
        return "planted" if rule in known.all_rules else "unexplained"
    records = known.records_of_child.get(child, set())
    if any(rule in known.rules_of_record.get(_feed_and_id(key), ()) for key in records):
        return "planted"
    return "missed_link" if records & known.split_records else "unexplained"


def _feed_and_id(record_key: str) -> str:
    feed, _system, source_person_id = record_key.split("|", 2)
    return f"{feed}|{source_person_id}"
