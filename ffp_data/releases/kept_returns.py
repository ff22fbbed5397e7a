"""Kept versions of returns in a home: who signed which, and where each lies.

A signature stands in the ledger. It names the version, the hash of its build record and of the signed
manifest of what was released, so that it holds for those bytes and no others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ffp_data.home.run import Run
from ffp_data.releases.make_return import notes_on
from ffp_data.releases.publish import Collection, council_folder, versions_folder
from ffp_data.returns.versions import RECORD, NotAVersionError, Version, kept, version_id
from governance.files import sha256_of_file
from governance.manifest import MANIFEST, verify_files

SIGNED = "return_signed"


class NotToBeSignedError(ValueError):
    """The return is not in a state in which somebody may put a name to it."""


@dataclass(frozen=True)
class Signatory:
    """Who signs, in which role; `reason` is why although errors stand in the return."""

    name: str
    role: str
    reason: str | None = None


def sign(run: Run, collection: Collection, signatory: Signatory) -> Version:
    """Write into the ledger who signs the current version of the run's year.

    Raises NotToBeSignedError when there is none, when what was released is not as it was written, when
    the year has not ended or its layout is provisional, and when errors stand in it without a reason.
    """
    version = current(run, collection)
    record = version.record
    if notes := notes_on(record):
        raise NotToBeSignedError(" ".join(notes))
    if record["errors"] and not signatory.reason:
        raise NotToBeSignedError(
            f"{record['errors']} errors stand in {version.folder.name}; mend them, or give --reason"
        )
    released = run.home.out / "returns" / collection.name / run.collection_year
    if differences := verify_files(released, run.keys.trusted):
        raise NotToBeSignedError(f"not as released: {differences[0]}; build the return again")
    run.ledger.append(
        SIGNED,
        collection=collection.name,
        year=run.collection_year,
        version=version.folder.name,
        build_sha256=sha256_of_file(version.folder / RECORD),
        manifest_sha256=sha256_of_file(released / MANIFEST),
        by=signatory.name,
        role=signatory.role,
        errors=record["errors"],
        queries=record["queries"],
        reason=signatory.reason,
    )
    return version


def current(run: Run, collection: Collection) -> Version:
    """The version of what now lies in the council's folder. Raises NotToBeSignedError without one."""
    folder = council_folder(run, collection.name)
    try:
        own_id = version_id(folder)
        return next(
            each for each in kept(versions_folder(run, collection.name)) if each.id == own_id
        )
    except (OSError, StopIteration, NotAVersionError):
        raise NotToBeSignedError(
            f"{folder}: holds no kept version of {collection.name} {run.collection_year}; build it"
        ) from None


def history(run: Run, collection: Collection) -> list[dict[str, Any]]:
    """Every kept version of the run's year, oldest first, with who signed it."""
    signed: dict[str, list[str]] = {}
    for event in run.ledger.events(SIGNED):
        facts: Mapping[str, Any] = event["facts"]
        if facts["collection"] == collection.name:
            who = f"{facts['by']} ({facts['role']}), {event['at'][:10]}"
            signed.setdefault(facts["build_sha256"], []).append(who)
    return [
        {
            "version": version.folder.name,
            "as_at": version.record["about"]["as_at"],
            "inputs": len(version.record["inputs"]),
            "errors": version.record["errors"],
            "queries": version.record["queries"],
            "signed by": "; ".join(signed.get(sha256_of_file(version.folder / RECORD), ())) or None,
            "folder": str(version.folder),
        }
        for version in kept(versions_folder(run, collection.name))
    ]
