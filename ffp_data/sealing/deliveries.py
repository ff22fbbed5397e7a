"""Keeps sealed identities out of what agencies deliver: their rows leave the file before it is loaded.

The same way serves the seal itself, over all that lies in the landing folder, and every later run, over
what is new: rows that the sieve knows are taken out, the file is replaced by what is left of it, and
the loader meets an ordinary file. A file that holds nobody else goes whole; so does one that can't be read
and speaks of a sealed identity. `take` only looks and `Taken.apply` writes, so that what was taken can
be in the vault before it leaves the file.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import yaml

from ffp_data.feeds.archive import is_archive, unpack
from ffp_data.feeds.contract import Contract
from ffp_data.feeds.errors import FeedError
from ffp_data.feeds.landing import MANIFEST, SIGNATURE, Delivery
from ffp_data.feeds.reading import drop_staged, read_delivery
from ffp_data.feeds.stage import Staged
from ffp_data.sealing.cut import Cut, cut_csv, cut_document, cut_ndjson, cut_xml
from ffp_data.sealing.hits import Hits, Place, find
from ffp_data.sealing.sieve import Sieve
from governance.files import replacing, replacing_directory

_SIDES = (".sha256", SIGNATURE)
_UNFINISHED = (".part", ".filepart", ".crdownload", ".partial", ".tmp", ".bak", "~")
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)

Files = dict[str, bytes]


@dataclass(frozen=True)
class Taken:
    """What leaves one delivery and what is left of it.

    rows: the places of rows by table; pieces: the text that leaves, by file, for the vault; left: the
    files that stay, None when nothing does.
    """

    delivery: Delivery
    rows: Mapping[str, frozenset[Place]] = field(default_factory=dict)
    pieces: tuple[Mapping[str, Any], ...] = ()
    left: Files | None = None

    @property
    def count(self) -> int:
        """Rows that leave; 1 for a file that could not be read."""
        return sum(len(places) for places in self.rows.values()) or 1

    @property
    def new_id(self) -> str | None:
        """The identity of what is left, as the landing folder tells it; None when nothing is."""
        if self.left is None:
            return None
        is_drop = self.delivery.path.is_dir()
        whole = self.left[MANIFEST] if is_drop else self._bytes()
        return hashlib.sha256(whole).hexdigest()

    def apply(self) -> None:
        """Replace the delivery by what is left of it, whole or not at all."""
        path = self.delivery.path
        if self.left is None:
            _remove(path)
        elif path.is_dir():
            with replacing_directory(path) as part:
                for name, data in self.left.items():
                    (part / name).write_bytes(data)
        else:
            times = path.stat()
            with replacing(path) as handle:
                handle.write(self._bytes())
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
            _renew_sides(path, str(self.new_id))

    def _bytes(self) -> bytes:
        assert self.left is not None
        if not is_archive(self.delivery.path):
            return next(iter(self.left.values()))
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in sorted(self.left.items()):
                archive.writestr(zipfile.ZipInfo(name, _ZIP_TIME), data, zipfile.ZIP_DEFLATED)
        return out.getvalue()


def take(
    con: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    contract: Contract,
    known: Mapping[str, Contract],
    sieve: Sieve,
    scratch: Path | None,
) -> Taken | None:
    """What of a delivery the sieve holds back; None when nothing does. Writes nothing."""
    try:
        staged = read_delivery(con, delivery, contract, None, known, scratch)
        found = find(con, staged, sieve)
        return _taken(con, delivery, contract, staged, found, sieve, scratch)
    except FeedError:
        return take_unread(delivery, sieve, f"{contract.id}|{contract.hub.system}|")
    finally:
        drop_staged(con)


def take_unread(delivery: Delivery, sieve: Sieve, prefix: str = "") -> Taken | None:
    """A delivery that no reader takes, whole, when a word of it is an id of the sieve."""
    files = dict(_raw_files(delivery.path))
    if not any(sieve.speaks_of(_text(data), prefix) for data in files.values()):
        return None
    pieces = [{"file": n, "base64": base64.b64encode(d).decode()} for n, d in files.items()]
    return Taken(delivery, pieces=tuple(pieces))


def take_leftovers(folder: Path, feed: str, prefix: str, sieve: Sieve) -> Iterator[Taken]:
    """Files of a feed's folder that no run takes for a delivery: half sent, hidden, left by a program."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        is_left = path.name.startswith(".") or path.name.endswith(_UNFINISHED)
        if is_left and path.is_file() and not path.is_symlink():
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            if found := take_unread(Delivery(digest, feed, path, None), sieve, prefix):
                yield found


def _taken(
    con: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    contract: Contract,
    staged: Sequence[Staged],
    found: Sequence[Hits],
    sieve: Sieve,
    scratch: Path | None,
) -> Taken | None:
    files, left, pieces = _files(delivery, scratch), Files(), list[Mapping[str, Any]]()
    for name, data in files.items():
        if name == MANIFEST and delivery.path.is_dir():
            continue
        cut = _Cutter(con, contract, delivery, name, data, staged, found, sieve).cut()
        if cut is None:
            left[name] = data
            continue
        pieces.append({"file": name, "header": cut.header, "rows": list(cut.taken)})
        if cut.left:
            left[name] = cut.left
    if not pieces:
        return None
    rows = {hits.staged.table.name: hits.rows for hits in found}
    if not _anybody_left(con, staged, rows):
        return Taken(delivery, rows, tuple(pieces))
    if delivery.path.is_dir():
        left[MANIFEST] = _manifest(files[MANIFEST], left, pieces)
    return Taken(delivery, rows, tuple(pieces), left)


def _anybody_left(
    con: duckdb.DuckDBPyConnection, staged: Sequence[Staged], rows: Mapping[str, frozenset[Place]]
) -> bool:
    """Whether a row stays in any table of the delivery."""
    for one in staged:
        (count,) = con.execute(f"SELECT count(*) FROM {one.rows}").fetchone() or (0,)
        if count + len(one.faults) > len(rows.get(one.table.name, ())):
            return True
    return False


@dataclass(frozen=True)
class _Cutter:
    """One file of a delivery, and what of it goes."""

    con: duckdb.DuckDBPyConnection
    contract: Contract
    delivery: Delivery
    name: str
    data: bytes
    staged: Sequence[Staged]
    found: Sequence[Hits]
    sieve: Sieve

    def cut(self) -> Cut | None:
        """None when the file stays as it is."""
        mine = [one for one in self.staged if self._is_mine(one)]
        hits = [one for one in self.found if self._is_mine(one.staged)]
        if not mine:
            return self._cut_unknown()
        encoding = self._encoding()
        if self.contract.hub.format in ("csv", "ssd_drop"):
            return self._cut_csv(mine, hits, encoding)
        if any(self._speaks(fault.value or "") for one in mine for fault in one.faults):
            raise FeedError("sealed", "a broken record", "keep the file whole", file=self.name)
        if not hits:
            return None
        tables = [(one.staged.table, one.lines, one.elements) for one in hits]
        if self.contract.hub.format == "xml":
            # Every exploded row lies in a record that its own table names too.
            numbers = {n for table, _, elements in tables if not table.explode for n in elements}
            return cut_xml(self.data, encoding, self.contract.hub.records or "", numbers)
        write = cut_document if self.name.endswith(".json") else cut_ndjson
        return write(self.data, encoding, tables)

    def _cut_csv(self, mine: list[Staged], hits: list[Hits], encoding: str) -> Cut | None:
        starts = {line for one in mine for line in self._starts(one)}
        lines = {line for one in hits for line in one.lines}
        broken = {fault.line for one in mine for fault in one.faults}
        return self._cut_rows(encoding, starts | broken, lines, broken)

    def _cut_unknown(self) -> Cut | None:
        """A file of no table, such as one that is only looked up in: rows that speak of the sealed."""
        if not self.name.lower().endswith(".csv"):
            return Cut(b"", (_text(self.data),)) if self._speaks(_text(self.data)) else None
        every = set(range(2, self.data.count(b"\n") + 2))
        return self._cut_rows(self._encoding(), every, set(), every)

    def _cut_rows(
        self, encoding: str, starts: set[int], lines: set[int], doubtful: set[int]
    ) -> Cut | None:
        """Without the rows of `lines`, and those of `doubtful` that hold an id as a word."""
        if doubtful:
            texts = cut_csv(self.data, encoding, starts, doubtful).taken
            named = zip(sorted(doubtful & starts), texts, strict=True)
            lines = lines | {line for line, text in named if self._speaks(text)}
        return cut_csv(self.data, encoding, starts, lines) if lines else None

    def _is_mine(self, one: Staged) -> bool:
        return one.file_name.rsplit("/", 1)[-1] == self.name

    def _starts(self, one: Staged) -> Iterator[int]:
        for (line,) in self.con.execute(f"SELECT DISTINCT _line FROM {one.rows}").fetchall():
            yield line

    def _encoding(self) -> str:
        """As the readers take it; they had the whole file before."""
        for encoding in self.contract.hub.encodings:
            try:
                self.data.decode(encoding)
            except UnicodeDecodeError:
                continue
            return "utf-8-sig" if encoding == "utf-8" else encoding
        return "cp1252"

    def _speaks(self, text: str) -> bool:
        system = next((one.contract.hub.system for one in self.staged), self.contract.hub.system)
        return self.sieve.speaks_of(text, f"{self.contract.id}|{system}|")


def _files(delivery: Delivery, scratch: Path | None) -> Files:
    """Name and bytes of every file of a delivery that could be read."""
    path = delivery.path
    if is_archive(path):
        with unpack(path, lambda _: True, scratch) as unpacked:
            return {one.name: one.read_bytes() for one in unpacked.files}
    if path.is_dir():
        return {one.name: one.read_bytes() for one in sorted(path.iterdir()) if one.is_file()}
    return {path.name: path.read_bytes()}


def _raw_files(path: Path) -> Iterable[tuple[str, bytes]]:
    """The same of a delivery that could not: members where it opens at all, and the bytes themselves."""
    if path.is_symlink():
        return
    for one in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if not one.is_file():
            continue
        yield one.name, one.read_bytes()
        if zipfile.is_zipfile(one):
            with zipfile.ZipFile(one) as archive:
                for member in archive.infolist():
                    if member.file_size < 64 << 20 and not member.flag_bits & 1:
                        yield member.filename, archive.read(member)


def _manifest(data: bytes, left: Files, pieces: Iterable[Mapping[str, Any]]) -> bytes:
    """The drop's manifest for the files as they are now."""
    told = yaml.safe_load(data)
    gone = {_plain(piece["file"]): len(piece["rows"]) for piece in pieces}
    now = {_plain(name): hashlib.sha256(content).hexdigest() for name, content in left.items()}
    for table in told["tables"]:
        name = _plain(table["name"] + ".csv")
        if name in gone:
            table["rows"] -= gone[name]
            table["sha256"] = now[name]
    return yaml.safe_dump(told, sort_keys=False, allow_unicode=True).encode()


def _plain(name: str) -> str:
    return Path(name).stem.rsplit(".", 1)[-1].lower()


def _renew_sides(path: Path, digest: str) -> None:
    """The hash beside the file is that of the file; a signature no longer holds and goes."""
    side = path.with_name(path.name + ".sha256")
    if side.is_file():
        side.write_text(f"{digest}  {path.name}\n", "utf-8")
    path.with_name(path.name + SIGNATURE).unlink(missing_ok=True)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    for suffix in _SIDES:
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")
