"""The search for canaries finds one in every form that a file can hold it in, and the planting plants."""

from __future__ import annotations

import base64
import gzip
import json
import sqlite3
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ffp_data.identifiers.nhs_number import check_digit
from tests.canaries.planting import STEM, Canaries, numbers_in, plant
from tests.canaries.scanning import Scanner

NAME = "Zquorvane"
NUMBER = next(
    f"{n}{check_digit(n)}"
    for n in (f"9990000{i:02}" for i in range(99))
    if check_digit(n) is not None
)
SCANNER = Scanner(Canaries(STEM, frozenset({NUMBER})))
SPACED = f"{NUMBER[:3]} {NUMBER[3:6]} {NUMBER[6:]}"


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.txt", f"a {NAME}" * 3)


def _sqlite(path: Path) -> None:
    with sqlite3.connect(path) as con:
        con.execute("CREATE TABLE t (v TEXT)")
        con.execute("INSERT INTO t VALUES (?)", ["x" * 5000 + NAME[:4] + NAME[4:] + "y" * 9000])
    con.close()


def _duckdb(path: Path) -> None:
    with duckdb.connect(str(path)) as con:
        con.execute(f"CREATE TABLE t AS SELECT '{NAME} ' || i AS v FROM range(3000) r(i)")


def _parquet(path: Path) -> None:
    pq.write_table(pa.table({"name": [NAME] * 500}), path, compression="zstd")


def _pdf(path: Path) -> None:
    body = zlib.compress(f"BT ({NAME}) Tj ET".encode())
    path.write_bytes(b"%PDF-1.7\n1 0 obj\nstream\n" + body + b"\nendstream\nendobj\n")


WRITERS: dict[str, Callable[[Path], object]] = {
    "plain": lambda p: p.write_text(f"a line about {NAME}\n"),
    "upper": lambda p: p.write_text(NAME.upper()),
    "UTF-16": lambda p: p.write_bytes(f"about {NAME}".encode("utf-16")),
    "base64 at 0": lambda p: p.write_bytes(base64.b64encode(NAME.encode())),
    "base64 at 1": lambda p: p.write_bytes(base64.b64encode(b"x" + NAME.encode() + b"yz")),
    "base64 at 2": lambda p: p.write_bytes(base64.b64encode(b"xy" + NAME.upper().encode())),
    "hex": lambda p: p.write_text(NAME.encode().hex()),
    "escaped": lambda p: p.write_text("".join(f"\\u{ord(c):04x}" for c in NAME.lower())),
    "gzip": lambda p: p.write_bytes(gzip.compress(NAME.encode())),
    "zstd": lambda p: p.write_bytes(pa.compress(NAME.encode() * 9, "zstd", asbytes=True)),
    "zip": _zip,
    "sqlite": _sqlite,
    "duckdb": _duckdb,
    "parquet": _parquet,
    "pdf": _pdf,
    "number": lambda p: p.write_text(f"id={NUMBER},"),
    "number with spaces": lambda p: p.write_text(f'"{SPACED}"'),
    "number in base64": lambda p: p.write_bytes(base64.b64encode(NUMBER.encode())),
    "across blocks": lambda p: p.write_bytes(b"\1" * ((64 << 20) - 3) + NAME.encode()),
}


@pytest.mark.parametrize("form", WRITERS)
def test_a_canary_is_found_in_every_form(form: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    WRITERS[form](path)
    assert SCANNER.files(tmp_path)


def test_a_canary_in_the_name_of_a_file_is_found(tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.txt").write_text("nothing")
    assert SCANNER.files(tmp_path)


def test_what_is_no_canary_is_not_found(tmp_path: Path) -> None:
    other = next(
        f"{n}{check_digit(n)}"
        for n in (f"9110000{i:02}" for i in range(99))
        if check_digit(n) is not None
    )
    (tmp_path / "a").write_text(f"Smith {other} 1{NUMBER} {NUMBER}2 {NUMBER}.5 ZQUORUM")
    assert SCANNER.files(tmp_path) == []


def test_planting_gives_every_feed_canaries_and_keeps_the_drop_whole(tmp_path: Path) -> None:
    drop = tmp_path / "case_system" / "ssd_1"
    drop.mkdir(parents=True)
    header = "pers_forename,pers_surname\n"
    names = (
        ("Anna", "Bela", "Cora", "Dora", "Elsa", "Fred"),
        ("Moor", "Nash", "Ogle", "Peel", "Reed", "Shaw"),
    )
    rows = "".join(f"{given},{surname.upper()}\n" for given, surname in zip(*names, strict=True))
    (drop / "ssd_person.csv").write_text(header + rows, "utf-8")
    street = json.dumps({"STREET": "Green Avenue"}).replace('"', '""')
    (drop / "ssd_address.csv").write_text(f'addr_address_json\n"{street}"\n', "utf-8")
    (drop / "manifest.yaml").write_text("tables: [{name: ssd_person, sha256: x}]\n", "utf-8")
    (tmp_path / "health.json").write_text(
        f'{{"name": "Anna Moor", "id": "{SPACED}", "at": "1 Green Avenue"}}'
    )
    with zipfile.ZipFile(tmp_path / "police.zip", "w") as archive:
        archive.writestr("people.csv", "anna,MOOR")
    canaries = plant(tmp_path)
    assert canaries.numbers == {NUMBER}
    hits = {Path(hit.path).name for hit in Scanner(canaries).files(tmp_path)}
    assert hits == {"ssd_person.csv", "ssd_address.csv", "health.json", "police.zip"}
    assert "Moor" not in (tmp_path / "health.json").read_text()
    with zipfile.ZipFile(tmp_path / "police.zip") as archive:
        assert archive.read("people.csv").islower() is False
        assert archive.read("people.csv").split(b",")[1].isupper()
    assert "sha256: x" not in (drop / "manifest.yaml").read_text()


def test_numbers_are_those_with_a_good_check_digit_and_pupil_numbers() -> None:
    text = f"{NUMBER} {SPACED} {NUMBER[:9]}{(int(NUMBER[9]) + 1) % 10} A001054218208 XA001054218208"
    assert list(numbers_in(text.encode())) == [NUMBER, NUMBER, "A001054218208"]
