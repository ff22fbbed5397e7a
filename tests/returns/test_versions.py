"""A kept version holds what its files are made of, and they can be made again byte for byte."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from ffp_data.returns import Header, build, build_return, versions
from ffp_data.returns.rebuild import rebuild as make_again
from ffp_data.returns.sources import COLUMNS, SOURCES
from ffp_data.returns.versions import RECORD, NotAVersionError, Version, keep, kept
from tests.returns.cin_returns import YEAR, add_children, empty_return
from tests.returns.tehadc_returns import CASES, a_return

DATED = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)
CIN, TEHADC = (Header.for_year(name, YEAR, "999", DATED) for name in ("CIN", "TEHADC"))


def a_census(*changes: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    empty_return(con)
    add_children(con, changes)
    con.execute(f"CREATE TABLE returns.{SOURCES} ({', '.join(' '.join(c) for c in COLUMNS)})")
    source = ("cin_children", "2", None, "2", None, None, "case_system|x|7", "p", "d1", 4, "f.csv")
    con.execute(f"INSERT INTO returns.{SOURCES} VALUES ({', '.join('?' * 11)})", source)
    return con


def a_version(
    folder: Path, con: duckdb.DuckDBPyConnection, header: Header = CIN, **about: str
) -> Version:
    made = folder / "build"
    build_return(con, made, header, delivery_ids=["d2", "d1"], about=about, keep=True)
    version = keep(made, folder / "versions")
    for path in sorted(made.iterdir()):
        path.unlink()
    made.rmdir()
    return version


@pytest.mark.parametrize("header", [CIN, TEHADC], ids=lambda header: header.collection)
def test_every_file_is_made_again_byte_for_byte(tmp_path: Path, header: Header) -> None:
    con = a_census({}, {"set": {"child": {"sex": "X"}}})
    if header is TEHADC:
        con = a_return(CASES["cases"]["TE018"]["breaks"][0])
    version = a_version(tmp_path, con, header)
    result = make_again(version.folder, tmp_path / "again")
    assert (result.different, result.notes) == ((), ())
    assert set(result.same) == {RECORD, *version.record["files"]}
    report = (tmp_path / "again" / "report.json").read_text("utf-8")
    assert ("f.csv" in report) == (header is CIN), "the records to mend are kept too"


def test_a_record_tells_what_the_version_rests_on(tmp_path: Path) -> None:
    record = a_version(tmp_path, a_census({}), agreement="DSA-DFE-01@1").record
    assert record["inputs"] == ["d1", "d2"]
    assert record["about"] == {"agreement": "DSA-DFE-01@1"}
    assert record["made_by"]["code_sha256"] == versions.made_by()["code_sha256"]
    assert record["provisional"] is None
    assert len(record["rules_sha256"]) == 64


def test_equal_builds_are_one_version_and_others_are_numbered(tmp_path: Path) -> None:
    first = a_version(tmp_path, a_census({}))
    assert a_version(tmp_path, a_census({})) == first
    second = a_version(tmp_path, a_census({}, {}))
    assert (
        [v.number for v in kept(tmp_path / "versions")] == [first.number, second.number] == [1, 2]
    )
    assert a_version(tmp_path, a_census({})) == first


def test_a_table_that_was_changed_is_no_version(tmp_path: Path) -> None:
    folder = a_version(tmp_path, a_census({})).folder
    path = folder / "tables" / "cin_children.parquet"
    pq.write_table(pq.read_table(path).slice(0, 0), path)
    with pytest.raises(NotAVersionError, match=r"cin_children\.parquet: missing, or not as"):
        make_again(folder)


def test_a_folder_without_a_record_is_no_version(tmp_path: Path) -> None:
    with pytest.raises(NotAVersionError, match=RECORD):
        make_again(tmp_path)


def test_a_file_that_differs_is_named(tmp_path: Path) -> None:
    folder = a_version(tmp_path, a_census({})).folder
    record = json.loads((folder / RECORD).read_text("utf-8"))
    record["files"]["report.json"] = "0" * 64
    (folder / RECORD).write_text(json.dumps(record), "utf-8")
    result = make_again(folder)
    assert set(result.different) == {RECORD, "report.json"}


def test_other_code_that_makes_the_same_files_is_told_and_no_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = a_version(tmp_path, a_census({}))
    other = {**versions.made_by(), "lxml": "5.0"}
    monkeypatch.setattr(build, "made_by", lambda: other)
    monkeypatch.setattr(build, "rules_version", lambda book: "0" * 64)
    result = make_again(version.folder)
    assert result.different == ()
    assert result.notes == (
        f"made by lxml {version.record['made_by']['lxml']}, not 5.0",
        "layout or rules are not those that made it",
    )


def test_a_build_that_kept_no_tables_cannot_be_kept(tmp_path: Path) -> None:
    build_return(a_census({}), tmp_path / "build", CIN)
    with pytest.raises(NotAVersionError, match="without keeping"):
        keep(tmp_path / "build", tmp_path / "versions")
