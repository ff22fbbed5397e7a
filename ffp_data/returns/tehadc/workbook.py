"""The TEHADC as a workbook: what is known and what is inferred first, then one sheet a module."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path

import duckdb

from ffp_data.returns.findings import Finding
from ffp_data.returns.layout import Item
from ffp_data.returns.tehadc.frames import Frame, read_file
from ffp_data.returns.tehadc.match import PreMatch
from ffp_data.returns.tehadc.model import CohortCounts
from ffp_data.returns.tehadc.profile import Profile
from ffp_data.returns.tehadc.signoff import sign_off
from governance.xlsx import Cell, Sheet, write_workbook


def write_tehadc_workbook(
    model: duckdb.DuckDBPyConnection,
    profile: Profile,
    counts: CohortCounts,
    match: PreMatch,
    checks: Sequence[Finding],
    path: Path,
) -> Path:
    """Write cover, sign-off figures, completeness, conflicts and checks against CIN, and the modules."""
    frames = {file.file: read_file(model, profile, file) for file in profile.formats.csv}
    sheets = [
        Sheet(
            "Cover",
            ("Item", "Status", "Written", "Required", "Basis"),
            _cover(profile),
            (34, 24, 10, 30, 90),
        ),
        Sheet(
            "Sign-off",
            ("Figure", "Value"),
            sign_off(model, profile, counts, match),
            (80, 16),
        ),
        Sheet(
            "Completeness",
            ("File", "Item", "Filled", "Rows", "Standing", "Required"),
            [*_completeness(profile, frames), *_left_out(profile)],
            (26, 34, 10, 10, 22, 40),
        ),
        *_match_sheets(match, checks),
        *(_module_sheet(name, frame) for name, frame in frames.items()),
    ]
    write_workbook(path, sheets, f"TEHADC {profile.year}")
    return path


def _match_sheets(match: PreMatch, checks: Sequence[Finding]) -> Iterator[Sheet]:
    """What contradicts the CIN census, or the case system behind it."""
    yield Sheet(
        "Conflicts with CIN",
        ("LAchildID", "LAchildID in CIN", "Matched by", "Item", "TEHADC", "CIN census"),
        (tuple(asdict(conflict).values()) for conflict in match.conflicts),
        (22, 22, 20, 20, 20, 20),
    )
    yield Sheet(
        "Conflicts between systems",
        (
            "LAchildID",
            "Item",
            "Early help module",
            "Case system",
            "Record of the module",
            "Record of the case system",
        ),
        (tuple(asdict(conflict).values()) for conflict in match.between_systems),
        (22, 20, 20, 20, 34, 34),
    )
    yield Sheet(
        "Overlap and sequence",
        ("Rule", "LAchildID", "Fields", "Values", "What it says"),
        (_check(finding) for finding in checks),
        (10, 22, 40, 40, 90),
    )


def _cover(profile: Profile) -> Iterator[tuple[str, ...]]:
    yield profile.status, "", "", "", f"Profile {profile.year}, version {profile.version}"
    for fact in profile.known:
        yield fact, "EVIDENCED_TEHADC", "", "", profile.sources["S1"]
    header = (item for group in profile.header for item in group.items)
    for item in (*header, *(item for _, item in profile.items.values())):
        yield _cover_row(item)
    for name, codes in profile.code_sets.items():
        yield f"code set {name}", codes.status, "yes", "", codes.basis
    for name, title in profile.sources.items():
        yield name, "source", "", "", title


def _cover_row(item: Item) -> tuple[str, ...]:
    evidence = item.evidence
    if evidence is None:
        return item.element, "not stated", "yes", "", ""
    shown = "yes" if item.is_written else "no"
    return item.element, evidence.status, shown, evidence.required, evidence.basis


def _completeness(profile: Profile, frames: dict[str, Frame]) -> Iterator[tuple[Cell, ...]]:
    """Every item of every file: in how many rows it is filled, and what that means."""
    for name, frame in frames.items():
        for place, heading in enumerate(frame.headings):
            filled = sum(1 for row in frame.rows if row[place])
            standing = "never filled" if not filled else "filled"
            if 0 < filled < len(frame.rows):
                standing = "filled in part"
            evidence = profile.item(heading)[1].evidence
            required = evidence.required if evidence else ""
            yield name, heading, filled, len(frame.rows), standing, required


def _left_out(profile: Profile) -> Iterator[tuple[Cell, ...]]:
    """Items of the profile that no file has."""
    for item in (item for _, item in profile.items.values() if not item.is_written):
        required = item.evidence.required if item.evidence else ""
        yield None, item.element, None, None, "switched off", required


def _check(finding: Finding) -> tuple[Cell, ...]:
    values = ", ".join("(none)" if value is None else value for value in finding.values)
    return finding.rule, finding.child, ", ".join(finding.fields), values, finding.message


def _module_sheet(name: str, frame: Frame) -> Sheet:
    title = name.removesuffix(".csv").replace("_", " ").capitalize()
    rows = (
        [_typed(value, kind) for value, kind in zip(row, frame.types, strict=True)]
        for row in frame.rows
    )
    return Sheet(title, frame.headings, rows, (18,) * len(frame.headings))


def _typed(value: str, kind: str) -> Cell:
    if not value:
        return None
    return date.fromisoformat(value) if kind == "date" else value
