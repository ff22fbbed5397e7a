"""The CSV set and the flat CSV of a TEHADC: RFC 4180, UTF-8, names and order from the profile."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import duckdb

from ffp_data.returns.tehadc.frames import Frame, read_file, read_flat
from ffp_data.returns.tehadc.profile import Profile


def write_csv_files(model: duckdb.DuckDBPyConnection, profile: Profile, folder: Path) -> list[Path]:
    """Write one file for each of the profile's files, and the flat file."""
    formats = profile.formats
    frames = {file.file: read_file(model, profile, file) for file in formats.csv}
    frames[formats.flat.file] = read_flat(model, profile)
    return [_write(frame, folder / name, profile) for name, frame in frames.items()]


def _write(frame: Frame, path: Path, profile: Profile) -> Path:
    encoding = "utf-8-sig" if profile.formats.byte_order_mark else "utf-8"
    with path.open("w", encoding=encoding, newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(frame.headings)
        for row in frame.rows:
            writer.writerow(
                _dated(value, kind, profile.formats.date_format)
                for value, kind in zip(row, frame.types, strict=True)
            )
    return path


def _dated(value: str, kind: str, date_format: str) -> str:
    if kind != "date" or not value:
        return value
    return date.fromisoformat(value).strftime(date_format)
