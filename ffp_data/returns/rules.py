"""Rules of a return as data: what each one says, and the SQL that finds what breaks it.

A rule's SQL selects child_key (NULL when it speaks of the whole return) and then one value for
each of its fields, in their order; a row is a breach. After the values it may name the records
concerned by columns of the layout's keys (cin_key, ...), each a key or a list of keys. Where the
field depends on the row, a last column `field_names` (list of text) replaces the fixed fields.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import yaml
from pydantic import ValidationError

from ffp_data.returns.findings import rule_order
from ffp_data.returns.layout import LayoutError
from ffp_data.strict import Strict


class Rule(Strict):
    """One validation rule. `note` says where a published text was read in a particular way."""

    rule: str
    severity: Literal["error", "query"]
    fields: tuple[str, ...]
    message: str
    sql: str
    module: str = ""
    source: str = ""
    note: str | None = None


class _RuleFile(Strict):
    module: str
    source: str
    rules: tuple[Rule, ...]


def load_rules(folder: Path) -> tuple[Rule, ...]:
    """Read every rule file of a folder, in rule order. Raises LayoutError on faults and doubles."""
    rules = [rule for path in sorted(folder.glob("*.yaml")) for rule in read_rules(path)]
    codes = [rule.rule for rule in rules]
    doubles = sorted({code for code in codes if codes.count(code) > 1})
    if doubles:
        raise LayoutError(f"{folder}: rules defined twice: {', '.join(doubles)}")
    return tuple(sorted(rules, key=lambda rule: rule_order(rule.rule)))


def read_rules(path: Path) -> list[Rule]:
    """Rules of one file, as they stand. Raises LayoutError with the file and the place."""
    try:
        with path.open(encoding="utf-8") as stream:
            found = _RuleFile.model_validate(yaml.safe_load(stream))
    except (yaml.YAMLError, ValidationError) as error:
        raise LayoutError(f"{path}: {error}") from error
    return [
        rule.model_copy(
            update={"module": rule.module or found.module, "source": rule.source or found.source}
        )
        for rule in found.rules
    ]
