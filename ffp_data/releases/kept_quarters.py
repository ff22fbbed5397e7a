"""Kept builds of quarters in a home: what each said, whose each figure is, who signed which, and what changed since.

Every build that differs is kept below `council/versions/ffp_quarterly/<quarter>/`, with the lines behind its figures.
They name children and stay in the council. As with other returns, a build that names somebody who is sealed goes, and a
signed one stays as the record of what was told: whoever is nobody any more is shown in no list of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ffp_data.quarterly.compare import compare_lines
from ffp_data.quarterly.quarters import NotAQuarterError, Quarter
from ffp_data.releases.kept_returns import SIGNED
from ffp_data.returns.versions import RECORD, TABLES, Version, kept
from ffp_data.settings import Home
from governance.access import Gate, Principal, Right
from governance.files import sha256_of_file
from governance.keys import Verifier
from governance.ledger import Ledger
from governance.manifest import MANIFEST, verify_files

COLLECTION = "ffp_quarterly"
LINES, CHECKED, RECORDED = "lines.ndjson", "checks.ndjson", "recorded.ndjson"


class NoBuildError(ValueError):
    """The quarter was not built, or not as asked for; says what to do."""


@dataclass(frozen=True)
class KeptQuarters:
    """The kept builds of one home."""

    home: Home

    @property
    def _root(self) -> Path:
        return self.home.council / "versions" / COLLECTION

    def folder(self, quarter: Quarter) -> Path:
        """Where the builds of a quarter are kept."""
        return self._root / quarter.name

    def released(self, quarter: Quarter) -> Path:
        """Where the release of a quarter lies."""
        return self.home.out / "returns" / COLLECTION / quarter.name

    def quarters(self) -> list[Quarter]:
        """Quarters with a kept build, the newest first."""
        return sorted(self._built(), reverse=True)

    def _built(self) -> Iterator[Quarter]:
        for path in self._root.glob("*"):
            try:
                quarter = Quarter.parse(path.name)
            except NotAQuarterError:
                continue  # nothing of ours
            if kept(path):
                yield quarter

    def versions(self, quarter: Quarter) -> list[Version]:
        """Kept builds of a quarter, oldest first."""
        return kept(self.folder(quarter))

    def newest(self, quarter: Quarter) -> Version:
        """The newest build of a quarter. Raises NoBuildError."""
        found = self.versions(quarter)
        if not found:
            raise NoBuildError(
                f"{quarter.name} was not built: ffp quarterly build --quarter {quarter.name}"
            )
        return found[-1]

    def version(self, quarter: Quarter, name: str) -> Version:
        """A build by its name or number, such as v001. Raises NoBuildError."""
        for each in self.versions(quarter):
            if name in (each.folder.name, f"v{each.number:03}", f"v{each.number}"):
                return each
        raise NoBuildError(
            f"{quarter.name} has no build {name}; `ffp quarterly versions` lists them"
        )

    def compare(self, old: Version, new: Version) -> list[dict[str, Any]]:
        """What counts in one build and not in the other, child by child."""
        recorded = {
            (r["item"], r["child_id"], r["on_date"]): r["recorded"]
            for r in read_lines(new, RECORDED)
        }
        as_at = old.record["about"]["as_at"]
        return compare_lines(read_lines(old, LINES), read_lines(new, LINES), as_at, recorded)

    def signatures(self, ledger: Ledger, quarter: Quarter) -> dict[str, dict[str, Any]]:
        """Who signed which build of a quarter, by the name of the build."""
        return {
            event["facts"]["version"]: {"name": None, **event["facts"], "at": event["at"]}
            for event in ledger.events(SIGNED)
            if (event["facts"]["collection"], event["facts"]["year"]) == (COLLECTION, quarter.name)
        }

    def sign(
        self,
        gate: Gate,
        who: Principal,
        quarter: Quarter,
        trusted: Verifier,
        name: str | None = None,
    ) -> Version:
        """Put a name to the newest build of a quarter: it stands in the ledger, with the hash of what was released.

        name: of the person, where it is not what they sign in with.

        Raises AccessDeniedError without the right, and NoBuildError when the quarter has not ended, was not built or
        is not as released.
        """
        facts = gate.check(who, Right.QUARTERLY_SIGN)
        version = self.newest(quarter)
        record = version.record
        if record["about"]["as_at"] < quarter.last.isoformat():
            raise NoBuildError(
                f"{quarter.name} had not ended on {record['about']['as_at']}: build it again"
            )
        released = self.released(quarter)
        if not released.is_dir() or verify_files(released, trusted):
            raise NoBuildError(f"{quarter.name} is not as it was released: build it again")
        gate.append(
            SIGNED,
            **{name: value for name, value in facts.items() if name != "reason"},
            collection=COLLECTION,
            year=quarter.name,
            version=version.folder.name,
            build_sha256=sha256_of_file(version.folder / RECORD),
            manifest_sha256=sha256_of_file(released / MANIFEST),
            by=who.name,
            name=name,
            errors=0,
            queries=sum(not check["holds"] for check in record["checks"]),
            reason=None,
        )
        return version


def standing(
    rows: Iterable[dict[str, Any]], in_use: Callable[[Collection[str]], Mapping[str, str]]
) -> tuple[list[dict[str, Any]], int]:
    """Rows by the identifier in use, and how many are of somebody whom the hub knows no more.

    in_use: the register's, which leaves out an identifier that was sealed or never issued. What a row counts loses the
    delivery that its key came with.
    """
    told, kept_rows, gone = list(rows), list[dict[str, Any]](), 0
    currents = in_use({row["child_id"] for row in told if row["child_id"]})
    for row in told:
        current = currents.get(row["child_id"]) if row["child_id"] else ""
        if current is None:
            gone += 1
            continue
        counted = row.get("counted")
        shown = current if counted in (None, row["child_id"]) else str(counted).partition("@")[0]
        kept_rows.append({**row, "child_id": current, "counted": shown})
    return kept_rows, gone


def read_lines(version: Version, name: str, holding: str = "") -> list[dict[str, Any]]:
    """Rows that a build kept, or those alone in which a text stands. Raises NoBuildError where they were taken out."""
    path = version.folder / TABLES / name
    if not path.is_file():
        raise NoBuildError(
            f"{version.folder.name}: its lists were taken out; build the quarter again"
        )
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if holding in line]
