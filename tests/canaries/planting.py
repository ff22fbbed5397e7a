"""Plants canaries in a partnership's deliveries: names and a street that occur nowhere else on earth.

The most frequent surnames, given names and streets of the children are replaced by made-up ones, the same
everywhere in every feed, so that people stay who they are and link as before. All planted words share a stem,
so one search finds each of them whatever was done to it. NHS numbers and UPNs need no planting: those of
made-up people cannot be anybody else's.
"""

from __future__ import annotations

import csv
import hashlib
import re
import string
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from ffp_data.identifiers.nhs_number import check_digit

STEM = "zquorv"
_SURNAMES = ("Zquorvane", "Zquorvbeck", "Zquorvmere", "Zquorvholt", "Zquorvden", "Zquorvley")
_GIVEN = ("Zquorva", "Zquorvonn", "Zquorvlie", "Zquorvard", "Zquorvina", "Zquorvel")
_STREETS = ("Zquorvfen Avenue", "Zquorvmoor Lane", "Zquorvbank Road", "Zquorvgate Street")
_NUMBER = re.compile(rb"9\d{2}[ -]?\d{3}[ -]?\d{4}(?![\d.-])")
_UPN = re.compile(rb"[A-Z]\d{11}[\dA-Z](?![A-Za-z0-9])")
_WORD = (string.ascii_letters + string.digits).encode()


@dataclass(frozen=True)
class Canaries:
    """What may be in no file: the stem of planted words, and whole numbers."""

    stem: str
    numbers: frozenset[str]


def plant(landing: Path) -> Canaries:
    """Replace words in every delivery below ``landing``; return what to search for afterwards."""
    words = dict(_pairs(landing))
    if len(words) < len(_SURNAMES):
        raise ValueError(f"{landing}: no case system's drop to take names from")
    pattern = re.compile(
        rb"(?<![A-Za-z])(?:%b)(?![A-Za-z])" % b"|".join(re.escape(w.encode()) for w in words),
        re.IGNORECASE,
    )
    lowered = {old.lower(): new for old, new in words.items()}

    def renamed(content: bytes) -> bytes:
        return pattern.sub(lambda found: _as_written(found[0], lowered), content)

    numbers: set[str] = set()
    for path in sorted(each for each in landing.rglob("*") if each.is_file()):
        content = _rewritten(path, renamed)
        numbers |= set(numbers_in(content))
    for manifest in landing.rglob("manifest.yaml"):
        _restate(manifest)
    return Canaries(STEM, frozenset(numbers))


def numbers_in(content: bytes) -> Iterable[str]:
    """NHS numbers with a good check digit, and UPNs, without their spaces."""
    for found in _NUMBER.finditer(content):
        number = re.sub(rb"[ -]", b"", found[0]).decode()
        if not _follows(content, found, b"0123456789.-") and check_digit(number[:9]) == int(
            number[9]
        ):
            yield number
    for upn in _UPN.finditer(content):
        if not _follows(content, upn, _WORD):
            yield upn[0].decode()


def _follows(content: bytes, found: re.Match[bytes], letters: bytes) -> bool:
    """Whether one of ``letters`` stands before it: asked here, since a regex that begins so is slow."""
    return found.start() > 0 and content[found.start() - 1] in letters


def _pairs(landing: Path) -> Iterable[tuple[str, str]]:
    """Old word -> new word: the most frequent of the case system's children."""
    people = [row for path in landing.rglob("ssd_person.csv") for row in _rows(path)]
    addresses = [
        row["addr_address_json"] for p in landing.rglob("ssd_address.csv") for row in _rows(p)
    ]
    streets = Counter(s for a in addresses for s in re.findall(r'"STREET": "([A-Za-z ]+)"', a))
    yield from zip(
        _most(Counter(r["pers_surname"].title() for r in people)), _SURNAMES, strict=False
    )
    yield from zip(_most(Counter(r["pers_forename"].title() for r in people)), _GIVEN, strict=False)
    yield from zip(_most(streets), _STREETS, strict=False)


def _most(counted: Counter[str]) -> list[str]:
    return [word for word, _ in counted.most_common() if len(word) > 3 and word.isascii()]


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _as_written(found: bytes, words: Mapping[str, str]) -> bytes:
    new = words[found.decode().lower()]
    if found.isupper():
        return new.upper().encode()
    return (new.lower() if found.islower() else new).encode()


def _rewritten(path: Path, renamed: Callable[[bytes], bytes]) -> bytes:
    if not zipfile.is_zipfile(path):
        content = renamed(path.read_bytes())
        path.write_bytes(content)
        return content
    with zipfile.ZipFile(path) as archive:
        members = [(each, renamed(archive.read(each))) for each in archive.infolist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for each, content in members:
            archive.writestr(each, content)
    return b"\n".join(content for _, content in members)


def _restate(manifest: Path) -> None:
    """A drop's manifest names the hash of each of its files."""
    told = yaml.safe_load(manifest.read_text("utf-8"))
    for table in told["tables"]:
        file = manifest.parent / f"{table['name']}.csv"
        table["sha256"] = hashlib.sha256(file.read_bytes()).hexdigest()
    manifest.write_text(yaml.safe_dump(told, sort_keys=False), "utf-8")
