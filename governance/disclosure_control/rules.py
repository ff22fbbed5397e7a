"""The rules of a publication, from the policy's `suppression.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from governance.policy.model import DEMO_DIRECTORY
from governance.policy.shape import shape_problems
from governance.policy.source import PolicyError, read_document

RULES_FILE = "suppression.yaml"


@dataclass(frozen=True)
class Rules:
    """What may not be seen in one publication.

    Counts from 1 to ``hide_to`` are hidden (from 0 unless ``zeros_shown``), and what is hidden must stay
    open to an attacker by at least ``width``. ``symbol`` stands for a hidden count, ``not_applicable``
    for a share of nothing. Counts are rounded to ``base``. A cell of events is hidden too when one person
    gives more than ``dominance`` of it. A table nearer than ``days_between`` to a published one of the same
    things is taken for a correction of it.
    """

    id: str
    hide_to: int = 5
    width: int = 5
    zeros_shown: bool = False
    symbol: str = "c"
    not_applicable: str = "z"
    base: int = 1
    full_cells_hidden: bool = True
    dominance: float = 0.8
    days_between: int = 80
    smallest_mean: int = 6

    @property
    def lowest(self) -> int:
        """The least that a hidden count can be."""
        return 1 if self.zeros_shown else 0

    def is_small(self, count: int) -> bool:
        """Whether a count of people is hidden for its size."""
        return 0 < count <= self.hide_to


def read_rules(folder: Path = DEMO_DIRECTORY) -> dict[str, Rules]:
    """The rules of every publication of a policy, by its id. Raises PolicyError with line and remedy."""
    document = read_document(folder, folder / RULES_FILE)
    problems = list(shape_problems(document, "suppression"))
    if problems:
        raise PolicyError(problems)
    common = document.data["default"]["rules"]
    return {
        each["id"]: _rules(each["id"], {**common, **each.get("rules", {})})
        for each in document.data["publications"]
    }


def _rules(publication: str, data: dict[str, Any]) -> Rules:
    percent = data.pop("dominance_percent")
    return Rules(id=publication, dominance=percent / 100, **data)
