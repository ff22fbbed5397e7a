"""The policy as read from its directory: seven registers, the charters and the agreements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import Any

from governance.policy.source import Document, read_document

DEMO_DIRECTORY = Path(__file__).parent
"""The policy of the fictional Fenmarch partnership, shipped with the package."""

REGISTERS = (
    "organisations",
    "purposes",
    "gateways",
    "categories",
    "cohorts",
    "retention",
    "suppression",
)


@dataclass(frozen=True)
class Policy:
    """All documents of a policy directory, unchecked; `check` says whether they hold together."""

    directory: Path
    registers: Mapping[str, Document]
    charters: tuple[Document, ...]
    agreements: tuple[Document, ...]

    @property
    def documents(self) -> tuple[Document, ...]:
        """Every document, registers first, each kind in order of file name."""
        return (*self.registers.values(), *self.charters, *self.agreements)

    def entries(self, register: str) -> dict[str, dict[str, Any]]:
        """Return the entries of a register by id."""
        return {each["id"]: each for each in self.registers[register].data[register]}

    @cached_property
    def charters_by_id(self) -> dict[str, Document]:
        """Return the charters by id."""
        return {each.data["id"]: each for each in self.charters}

    @cached_property
    def recipients(self) -> dict[str, str]:
        """Return who may be named as recipient (organisation or team) and its organisation."""
        found: dict[str, str] = {}
        for org in self.registers["organisations"].data["organisations"]:
            found[org["id"]] = org["id"]
            found.update({team["id"]: org["id"] for team in org.get("teams", ())})
        return found

    def tells_of_a_place(self, column: str) -> bool:
        """Say whether a column, by its name, tells where somebody is or may be found."""
        patterns = self.registers["categories"].data["places"]["names"]
        return any(fnmatch(column, each) for each in patterns)

    def resolved(self, agreement: Document) -> dict[str, Any]:
        """Return the agreement with the terms it takes from its charter."""
        charter = self.charters_by_id.get(agreement.data.get("inherits"))
        return {**(charter.data["terms"] if charter else {}), **agreement.data}


def load(directory: Path = DEMO_DIRECTORY) -> Policy:
    """Read a policy directory; raise PolicyError when a file is missing or is not YAML."""
    return Policy(
        directory,
        {name: read_document(directory, directory / f"{name}.yaml") for name in REGISTERS},
        tuple(read_document(directory, each) for each in _yaml_files(directory / "charter")),
        tuple(read_document(directory, each) for each in _yaml_files(directory / "agreements")),
    )


def _yaml_files(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.yaml"))


def is_below(purpose: str, agreed: str) -> bool:
    """Say whether a purpose is the agreed one or lies below it; a parent is never implied."""
    return purpose == agreed or purpose.startswith(agreed + ".")


def why_not_in_force(agreement: Document, charter: Document, as_at: str) -> str | None:
    """Return in words why an agreement does not count on a day; None when it is in force."""
    for name, data in (("it", agreement.data), (f"its charter {charter.data['id']}", charter.data)):
        if data["status"] != "live":
            return f"{name} is {data['status']}"
        if as_at < data["starts"]:
            return f"{name} starts on {data['starts']}"
        if as_at >= data["expires"]:
            return f"{name} expired on {data['expires']}"
    return None
