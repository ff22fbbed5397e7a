"""What a validator says: one Finding for each breach, in an order that depends on nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

Severity = Literal["error", "query"]
LONGEST = 8_000


@dataclass(frozen=True)
class SourceRecord:
    """A record that a row of our own return rests on: where a fault found in the row is mended."""

    record_key: str
    table: str
    delivery_id: str
    line: int
    file: str | None = None

    @property
    def feed(self) -> str:
        return self.record_key.split("|", 1)[0]

    def __str__(self) -> str:
        feed, system, person = self.record_key.split("|", 2)
        place = self.file or f"delivery {self.delivery_id[:12]}"
        return f"{feed} ({system}), {self.table}, person {person}: {place}, line {self.line}"

    def as_dict(self) -> dict[str, object]:
        """For JSON: feed, record_key, table, delivery_id, line, file."""
        return {"feed": self.feed, **asdict(self)}


@dataclass(frozen=True)
class Finding:
    """One breach of one rule.

    `child` is the LAchildID, `#n` for the n-th child when it has none, or None when the rule is
    about the return as a whole. `values` are as they stand in the return, one for each of
    `fields`; None where there is no value. `keys` name the rows concerned, by column of key;
    `sources` are the records that those rest on, known for our own returns alone.
    """

    rule: str
    severity: Severity
    child: str | None
    module: str
    fields: tuple[str, ...]
    values: tuple[str | None, ...]
    message: str
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False, repr=False)
    sources: tuple[SourceRecord, ...] = field(default=(), compare=False)

    def as_dict(self) -> dict[str, object]:
        """The machine form: rule, severity, child, module, fields, values, message, sources."""
        return {
            "rule": self.rule,
            "severity": self.severity,
            "child": self.child,
            "module": self.module,
            "fields": list(self.fields),
            "values": list(self.values),
            "message": self.message,
            **({"sources": [s.as_dict() for s in self.sources]} if self.sources else {}),
        }


def sort_findings(findings: Iterable[Finding]) -> list[Finding]:
    """Order by rule, then child, then values; equal findings stay, as each is one record."""
    return sorted(findings, key=_order)


def count_by_rule(findings: Iterable[Finding]) -> Mapping[str, int]:
    """Number of findings of each rule, in rule order."""
    counts: dict[str, int] = {}
    for finding in findings:
        counts[finding.rule] = counts.get(finding.rule, 0) + 1
    return dict(sorted(counts.items(), key=lambda entry: rule_order(entry[0])))


def shown(text: str) -> str:
    """A text for a cell or page: one that goes on without end, as in a broken file, is cut and says so."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text):,} characters)"


def rule_order(code: str) -> tuple[int, str]:
    """Sort key of a rule code: by its number, so that 100 comes before 1103."""
    digits = "".join(c for c in code if c.isdigit())
    return (int(digits) if digits else 0, code)


def _order(finding: Finding) -> tuple[object, ...]:
    values = tuple(v or "" for v in finding.values)
    return (*rule_order(finding.rule), finding.child or "", finding.fields, values)
