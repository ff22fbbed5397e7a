"""A partnership whose feeds came in another order of rows, and were corrected afterwards."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

LISTS = {
    "early_help": ("eh_persons_*.csv", "surname", "postcode"),
    "education_attendance": ("attendance_pupils_*.csv", "surname", "postcode"),
    "health_csv": ("health_RXG_children_*.csv", "CHILD_LAST_NAME", "CHILD_POSTCODE"),
}
"""Lists of people: their files, and two columns that agencies correct."""

SHARE = 0.2


def permute(landing: Path, seed: int) -> None:
    """Put the rows of each list in another order, in place."""
    chosen = random.Random(seed)
    for feed, (pattern, *_) in LISTS.items():
        for path in sorted((landing / feed).glob(pattern)):
            header, rows = _read(path)
            chosen.shuffle(rows)
            _write(path, header, rows)


def correct(landing: Path, stamp: str, seed: int) -> int:
    """Deliver each list once more with a fifth of its rows corrected; says how many."""
    chosen, corrected = random.Random(seed), 0
    for feed, (pattern, name, place) in LISTS.items():
        path = sorted((landing / feed).glob(pattern))[-1]
        header, rows = _read(path)
        chosen.shuffle(rows)
        at = {column: header.index(column) for column in (name, place) if column in header}
        for row in rows[: round(len(rows) * SHARE)]:
            row[at[name]] = f"{row[at[name]]}-Lee"
            if place in at:
                row[at[place]] = f"XF{chosen.randint(1, 9)} {chosen.randint(1, 9)}AB"
            corrected += 1
        chosen.shuffle(rows)
        _write(path.with_name(_renamed(path.name, stamp)), header, rows)
    return corrected


def _renamed(name: str, stamp: str) -> str:
    parts = name.split("_")
    at = next(n for n, part in enumerate(parts) if part.endswith("Z") and "T" in part)
    return "_".join([*parts[:at], stamp, *parts[at + 1 :]])


def _read(path: Path) -> tuple[list[str], list[list[str]]]:
    rows = list(csv.reader(io.StringIO(_decoded(path.read_bytes()), newline="")))
    return rows[0], rows[1:]


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252")


def _write(path: Path, header: list[str], rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([header, *rows])
