"""Opens a delivery that is a `.zip`: its members are the files of that one delivery.

Only a plain, whole archive is read: entries that follow each other from the first byte of the file to
its directory, without gap or overlap, stored or deflated, with names that say the same on every
system. The standard library's reader is lenient on purpose (it takes a prefix, a comment, entries that
share bytes, sizes that lie), so the directory is read here, by the layout of PKWARE's APPNOTE 6.3.
All of it is checked before a byte is unpacked; while unpacking, bytes are counted against the size
that was declared. Members go to a folder that only this user can read and that is gone afterwards.
"""

from __future__ import annotations

import shutil
import struct
import tempfile
import unicodedata
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from os import SEEK_END
from pathlib import Path
from stat import S_IFDIR, S_IFMT, S_IFREG
from typing import BinaryIO

from ffp_data.feeds.errors import FeedError

SUFFIX = ".zip"

_END = struct.Struct("<4s4H2LH")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_END_MARK, _ENTRY_MARK, _LOCAL_MARK = b"PK\5\6", b"PK\1\2", b"PK\3\4"
_IS_LONG_FORM = (0xFFFF, 0xFFFFFFFF)  # stands for "see the 64-bit record"

_ENCRYPTED = 0x1 | 0x40 | 0x2000  # traditional, strong, and a hidden directory
_SIZES_FOLLOW, _UTF8 = 0x8, 0x800
_SIZE_RECORDS = (
    12,
    16,
    20,
    24,
)  # what may follow the data when sizes do: 32 or 64 bit, with or without mark
_STORED, _DEFLATED = 0, 8

_BLOCK = 1 << 20
_LONGEST_ENTRY = 4 << 10
_LONGEST_NAME = 255
_SCRATCH = "archive-"

_PACKED_SUFFIXES = (".zip", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar", ".tar", ".cab")
_PACKED_MARKS = (
    b"PK\3\4",
    b"PK\5\6",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ",
    b"\x28\xb5\x2f\xfd",
    b"7z\xbc\xaf",
    b"Rar!",
)
_LAYOUT_REMEDY = (
    "pack the files again, plainly (no comment, no 64-bit form, not split, not appended)"
)


@dataclass(frozen=True)
class Limits:
    """How much one archive may hold. A ratio above 100 is no table of text; the first bytes are free."""

    members: int = 1_000
    unpacked: int = 4 << 30
    ratio: int = 100
    free: int = 1 << 20


@dataclass(frozen=True)
class Member:
    """An entry of the archive's directory; `start` is the place of its own header in the file."""

    name: str
    raw_name: bytes
    start: int
    packed: int
    size: int
    crc: int
    method: int
    flags: int
    mode: int

    @property
    def is_folder(self) -> bool:
        return self.name.endswith("/")

    @property
    def file_name(self) -> str:
        return self.name.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Unpacked:
    """The files that were wanted, in order of name, and the names of members that were not."""

    files: tuple[Path, ...]
    others: tuple[str, ...]


def is_archive(path: Path) -> bool:
    return path.suffix.lower() == SUFFIX and path.is_file()


@contextmanager
def unpack(
    path: Path,
    wanted: Callable[[str], bool],
    scratch: Path | None = None,
    limits: Limits | None = None,
) -> Iterator[Unpacked]:
    """The members of `path` whose file name is `wanted`, in a folder below `scratch` while in use.

    Raises FeedError, with the member as its file, for anything but a plain archive of plain files, for
    one that unpacks to more than `limits` allow, and unknown_file when nothing in it is wanted.
    """
    with path.open("rb") as file:
        members = [m for m in _members(path, file, limits or Limits()) if not m.is_folder]
        chosen = sorted((m for m in members if wanted(m.file_name)), key=lambda m: m.name)
        others = tuple(sorted(m.name for m in members if m not in chosen))
        _check_chosen(path, chosen)
        _sweep(scratch)
        with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=scratch) as folder:
            _check_room(path, Path(folder), chosen)
            files = [_extract(path, file, m, Path(folder) / m.file_name) for m in chosen]
            yield Unpacked(tuple(files), others)


def _members(path: Path, file: BinaryIO, limits: Limits) -> list[Member]:
    """Every member of the archive, checked; nothing is unpacked. Raises FeedError."""
    size = file.seek(0, SEEK_END)
    count, start = _read_end(path, file, size, limits)
    members = _read_directory(path, file, count, start, size - _END.size)
    _check_members(path, members, size, limits)
    _check_layout(path, file, members, start)
    return members


def name_problem(name: str) -> str | None:
    """What makes a member's name unsafe or ambiguous, in words; None for a plain relative path."""
    parts = name.removesuffix("/").split("/")
    problems = {
        "holds a control or invisible character": not name.isprintable(),
        "holds a backslash or a colon": "\\" in name or ":" in name,
        f"is longer than {_LONGEST_NAME} bytes": len(name.encode()) > _LONGEST_NAME,
        "is an absolute path": name.startswith("/"),
        "leads out of the archive": any(part in {"", ".", ".."} for part in parts),
        "begins or ends with a space, or ends with a dot": any(
            part != part.strip() or part.endswith(".") for part in parts
        ),
    }
    return next((words for words, is_so in problems.items() if is_so), None)


def _read_end(path: Path, file: BinaryIO, size: int, limits: Limits) -> tuple[int, int]:
    """Number of members and place of the directory, from the record that must be the file's last."""
    file.seek(max(size - _END.size, 0))
    tail = file.read()
    if len(tail) < _END.size or not tail.startswith(_END_MARK):
        raise _no_end(path, file, size)
    _, *disks, here, count, length, start, comment = _END.unpack(tail)
    if count in _IS_LONG_FORM or start in _IS_LONG_FORM or length in _IS_LONG_FORM:
        raise _layout(path, "the archive is of the 64-bit form")
    if any(disks) or here != count or comment or start + length + _END.size != size:
        raise _layout(path, "the archive's end does not fit its directory")
    if count > limits.members or length > limits.members * _LONGEST_ENTRY:
        raise _too_large(path, f"it has more than {limits.members} members")
    return count, start


def _no_end(path: Path, file: BinaryIO, size: int) -> FeedError:
    file.seek(0)
    if not file.read(4).startswith((_LOCAL_MARK, _END_MARK)):
        remedy = "deliver a zip archive, or name the file after what it is"
        return FeedError("not_an_archive", "the file is no zip archive", remedy, file=path.name)
    file.seek(max(size - (1 << 16) - _END.size, 0))
    if _END_MARK in file.read():
        return _layout(path, "bytes or a comment follow the archive's end")
    message, remedy = "the archive has no end", "deliver the archive again, whole"
    return FeedError("truncated_file", message, remedy, file=path.name)


def _read_directory(path: Path, file: BinaryIO, count: int, start: int, end: int) -> list[Member]:
    file.seek(start)
    data = memoryview(file.read(end - start))
    members: list[Member] = []
    for _ in range(count):
        if len(data) < _ENTRY.size or data[:4] != _ENTRY_MARK:
            raise _layout(path, "the directory breaks off")
        fields = _ENTRY.unpack_from(data)
        (_, _, _, flags, method, _, _, crc, packed, size, names, extras, comments) = fields[:13]
        disk, _, attributes, place = fields[13:]
        raw = bytes(data[_ENTRY.size : _ENTRY.size + names])
        data = data[_ENTRY.size + names + extras + comments :]
        if disk or {packed, size, place} & set(_IS_LONG_FORM[1:]):
            raise _layout(path, "an entry is of the 64-bit form or of a split archive")
        name = _decode(path, raw, flags, len(members) + 1)
        mode = S_IFMT(attributes >> 16)
        members.append(Member(name, raw, place, packed, size, crc, method, flags, mode))
    if len(data):
        raise _layout(path, "the directory holds more than its entries")
    return members


def _decode(path: Path, raw: bytes, flags: int, number: int) -> str:
    try:
        return raw.decode("utf-8" if flags & _UTF8 else "cp437")
    except UnicodeDecodeError as error:
        raise _bad_name(path, number, "is not the UTF-8 that it says it is") from error


def _check_members(path: Path, members: list[Member], size: int, limits: Limits) -> None:
    seen: set[str] = set()
    for number, member in enumerate(members, 1):
        if problem := name_problem(member.name):
            raise _bad_name(path, number, problem)
        plain = unicodedata.normalize("NFC", member.name).casefold().removesuffix("/")
        if plain in seen:
            raise _bad_name(path, number, "is, but for case, the name of another member")
        seen.add(plain)
        if problem := _member_problem(member):
            raise _refused(path, member, problem)
    _check_sizes(path, members, size, limits)


def _check_sizes(path: Path, members: list[Member], size: int, limits: Limits) -> None:
    for member in members:
        if member.size > limits.free + limits.ratio * member.packed:
            raise _too_large(path, f"it unpacks to over {limits.ratio} times its size", member)
    total = sum(m.size for m in members)
    if total > limits.unpacked:
        raise _too_large(path, f"it unpacks to over {limits.unpacked >> 20} MiB")
    if total > limits.free + limits.ratio * size:
        raise _too_large(path, f"it unpacks to over {limits.ratio} times its size")


def _member_problem(member: Member) -> str | None:
    kind = S_IFDIR if member.is_folder else S_IFREG
    problems = {
        "is a link or another special file": member.mode not in {0, kind},
        "is encrypted": bool(member.flags & _ENCRYPTED),
        "is packed by a method other than deflate": member.method not in {_STORED, _DEFLATED},
        "is a folder that holds bytes": member.is_folder and member.size > 0,
        "says two sizes of the same bytes": member.method == _STORED
        and member.packed != member.size,
        "is an archive inside the archive": member.name.lower().endswith(_PACKED_SUFFIXES),
    }
    return next((words for words, is_so in problems.items() if is_so), None)


def _check_layout(path: Path, file: BinaryIO, members: list[Member], directory: int) -> None:
    """Entries must tile the file up to its directory: shared bytes are a bomb, gaps hide something."""
    ordered = sorted(members, key=lambda m: m.start)
    starts = [*(m.start for m in ordered), directory]
    if starts[0] != 0:
        raise _layout(path, "bytes stand before the first member")
    for member, (_, following) in zip(ordered, pairwise(starts), strict=True):
        gap = following - (_data_start(path, file, member) + member.packed)
        if gap and not (member.flags & _SIZES_FOLLOW and gap in _SIZE_RECORDS):
            raise _layout(path, "members overlap, or bytes lie between them", member)


def _data_start(path: Path, file: BinaryIO, member: Member) -> int:
    """Where the member's bytes begin; its own header must say what the directory says."""
    file.seek(member.start)
    header = file.read(_LOCAL.size)
    if len(header) < _LOCAL.size or not header.startswith(_LOCAL_MARK):
        raise _layout(path, "the directory names a place that holds no member", member)
    _, _, flags, method, _, _, *facts, names, extras = _LOCAL.unpack(header)
    same = (flags, method, file.read(names)) == (member.flags, member.method, member.raw_name)
    if not flags & _SIZES_FOLLOW:
        same = same and facts == [member.crc, member.packed, member.size]
    if not same:
        raise _layout(path, "the member's own header differs from the directory", member)
    return member.start + _LOCAL.size + int(names) + int(extras)


def _check_chosen(path: Path, chosen: list[Member]) -> None:
    if not chosen:
        raise FeedError(
            "unknown_file",
            "no member is a file of this feed",
            "name the members as the contract says, or deliver the archive to its own feed",
            file=path.name,
        )
    named = {m.file_name.casefold(): m for m in chosen}
    for member in chosen:
        if named[member.file_name.casefold()] is not member:
            raise _refused(path, member, "has the file name of a member in another folder")


def _check_room(path: Path, folder: Path, chosen: list[Member]) -> None:
    """A disk filled by a delivery stops every feed: half of what is free stays so."""
    if sum(m.size for m in chosen) > shutil.disk_usage(folder).free // 2:
        raise _too_large(path, "the disk has no room to unpack it")


def _sweep(scratch: Path | None) -> None:
    """Takes away what a run that was killed left behind; the warehouse lets one run write at a time."""
    for left in sorted(scratch.glob(f"{_SCRATCH}*")) if scratch else ():
        shutil.rmtree(left)


def _extract(path: Path, file: BinaryIO, member: Member, target: Path) -> Path:
    size = crc = 0
    with target.open("xb") as out:
        for block in _inflate(path, file, member):
            if size == 0 and block.startswith(_PACKED_MARKS):
                raise _refused(path, member, "is an archive inside the archive")
            size, crc = size + len(block), zlib.crc32(block, crc)
            if size > member.size:
                raise _damaged(path, member, "unpacks to more than the size that it declares")
            out.write(block)
    if (size, crc) != (member.size, member.crc):
        raise _damaged(path, member, "does not unpack to the bytes that were packed")
    return target


def _inflate(path: Path, file: BinaryIO, member: Member) -> Iterator[bytes]:
    """The member's bytes in blocks; raises FeedError when the packed bytes are not one whole stream."""
    file.seek(_data_start(path, file, member))
    blocks = (file.read(min(_BLOCK, member.packed - n)) for n in range(0, member.packed, _BLOCK))
    if member.method == _STORED:
        yield from blocks
        return
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for block in blocks:
            out = inflater.decompress(block, _BLOCK)
            while out:
                yield out
                out = inflater.decompress(inflater.unconsumed_tail, _BLOCK)
    except zlib.error as error:
        raise _damaged(path, member, "is damaged") from error
    if not inflater.eof or inflater.unused_data:
        raise _damaged(path, member, "is cut off, or bytes follow its end")


def _place(path: Path, member: Member | None) -> str:
    return f"{path.name}/{member.name}" if member else path.name


def _layout(path: Path, message: str, member: Member | None = None) -> FeedError:
    return FeedError("archive_layout", message, _LAYOUT_REMEDY, file=_place(path, member))


def _bad_name(path: Path, number: int, problem: str) -> FeedError:
    """Told by number: such a name must not reach a screen or a log as it stands."""
    message = f"the name of member {number} {problem}"
    remedy = "give each member a plain file name of its own, and pack them again"
    return FeedError("archive_name", message, remedy, file=path.name)


def _refused(path: Path, member: Member, problem: str) -> FeedError:
    remedy = "pack plain files only, each once, without encryption and with plain deflate"
    message = f"the member {problem}"
    return FeedError("archive_member", message, remedy, file=_place(path, member))


def _damaged(path: Path, member: Member, problem: str) -> FeedError:
    message = f"the member {problem}"
    remedy = "pack and deliver the archive again"
    return FeedError("archive_damaged", message, remedy, file=_place(path, member))


def _too_large(path: Path, message: str, member: Member | None = None) -> FeedError:
    remedy = "deliver the files in several archives, or unpacked"
    return FeedError("archive_too_large", message, remedy, file=_place(path, member))
