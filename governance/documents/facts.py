"""What every document is made of: the lock of the day, the registers beside it, and what was observed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from governance.documents.observed import Observed

Terms = Mapping[str, Any]

DECIDED = {
    "consent": "consent",
    "overriding_public_interest": "overriding public interest",
    "statutory_duty": "statutory duty",
    "not_held_in_confidence": "not held in confidence",
}


@dataclass(frozen=True)
class HoldDue:
    """A hold on destruction whose day of review is near or past: its number, and what it keeps without whom."""

    number: int
    reaches: str
    review: str


@dataclass(frozen=True)
class Facts:
    """The policy of one day as data, and what the hub did under it. No person's data is in it."""

    partnership: str
    lock: Mapping[str, Any]
    policy: str
    categories: Mapping[str, Mapping[str, Any]]
    gateways: Mapping[str, Mapping[str, Any]]
    observed: Observed
    stale: Mapping[str, Sequence[str]]
    """What each agreement gives beyond what its DPIA was asked about."""
    holds: Sequence[HoldDue] = ()

    @property
    def as_at(self) -> str:
        """The day the documents speak for."""
        return str(self.lock["as_at"])

    @property
    def footer(self) -> str:
        """What a reader needs to find the decision again."""
        return (
            f"{self.partnership}. Made from the policy {self.policy} as at {self.as_at}; "
            "manifest.json beside this page holds the hash of every file, signed."
        )

    def agreements(self, direction: str | None = None) -> list[tuple[str, Mapping[str, Any]]]:
        """Id and entry (terms, sha256, not_in_force) of each agreement, in order of its id."""
        return [
            (name, entry)
            for name, entry in sorted(self.lock["agreements"].items())
            if direction in (None, entry["terms"]["direction"])
        ]

    def organisation(self, name: str) -> str:
        """The name of an organisation or of a team with its organisation."""
        for org in self.lock["organisations"].values():
            if org["id"] == name:
                return str(org["name"])
            for team in org.get("teams", ()):
                if team["id"] == name:
                    return f"{team['name']}, {org['name']}"
        return name

    def parties(self, terms: Terms, side: str | None = None) -> tuple[str, ...]:
        """Each party with its role, of those on one side when it is given."""
        return tuple(
            f"{self.organisation(each['org'])} ({each['role'].replace('_', ' ')}"
            f"{', contract ' + each['contract'] if 'contract' in each else ''})"
            for each in terms["parties"]
            if side is None or side in each
        )

    def purposes(self, terms: Terms) -> tuple[str, ...]:
        """The titles of an agreement's purposes."""
        return tuple(str(self.lock["purposes"][each]["title"]) for each in terms["purposes"])

    def categories_of(self, terms: Terms) -> tuple[str, ...]:
        """The titles of the categories that an agreement carries, with the kind that law gives them."""
        named = dict.fromkeys(str(each["category"]) for each in terms["items"])
        return tuple(
            f"{self.categories[each]['title']} ({self.categories[each]['kind']})" for each in named
        )

    def gateways_of(self, terms: Terms) -> tuple[str, ...]:
        """Each legal gateway with its standing on the day."""
        return tuple(f"{each}: {self._standing(each)}" for each in terms["gateways"])

    def _standing(self, name: str) -> str:
        gateway = self.gateways[name]
        begins, ends = gateway["in_force_from"], gateway["in_force_to"]
        if begins is None or begins > self.as_at:
            return f"{gateway['title']}; not in force"
        if ends is not None and ends <= self.as_at:
            return f"{gateway['title']}; ceased on {ends}"
        return f"{gateway['title']}; in force since {begins}"

    @staticmethod
    def basis(terms: Terms) -> tuple[str, ...]:
        """The lawful basis in the words of the articles, with each Schedule 1 condition."""
        basis = terms["lawful_basis"]
        lines = [f"Article 6(1)({basis['art6']})"]
        if "art9" in basis:
            lines.append(f"Article 9(2)({basis['art9']})")
        if basis.get("art10"):
            lines.append("Article 10")
        if "sch1" in basis:
            paragraphs = ", ".join(map(str, basis["sch1"]))
            lines.append(f"Data Protection Act 2018 Schedule 1, paragraphs {paragraphs}")
        if "apd" in basis:
            lines.append(f"appropriate policy document {basis['apd']}")
        lines.append(f"in confidence: {DECIDED[terms['confidence_basis']]}")
        return tuple(lines)


def period(text: str) -> str:
    """A duration in words: P6Y is 6 years."""
    number, unit = int(text[1:-1]), {"D": "day", "M": "month", "Y": "year"}[text[-1]]
    return f"{number} {unit}{'' if number == 1 else 's'}"
