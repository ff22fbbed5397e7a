"""What one pass over a delivered file's bytes tells: its encoding, its lines and how it ends.

Files are read in blocks, so that a year of marks needs no more memory than a page.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ffp_data.feeds.errors import FeedError

_BLOCK = 4 << 20
_TAIL = 64 << 10
_CONTROLS = bytes({*range(0x20), 0x7F} - set(b"\t\n\r"))
_TURNING = re.compile(rb"\xe2(?:\x80[\xaa-\xae]|\x81[\xa6-\xa9])")
"""U+202A to U+202E and U+2066 to U+2069 in UTF-8, which turn the direction of a text."""
_ZIP = b"PK\x03\x04"  # which .xlsx is too


@dataclass(frozen=True)
class FileFacts:
    """`lines` counts physical lines without the blank ones at the end of the file.

    `has_controls`: some byte is a control character, or some bytes may turn the direction of a text.
    """

    encoding: str
    has_nul: bool
    has_controls: bool
    lines: int
    ends_with_newline: bool


def sha256(path: Path) -> str:
    """Hex digest of the file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def inspect(path: Path, encodings: Sequence[str]) -> FileFacts:
    """Facts of `path`, in the first of `encodings` that fits; raises FeedError empty_file, wrong_encoding."""
    if path.stat().st_size == 0:
        raise FeedError(
            "empty_file", "the file has no bytes", "deliver it again", file=path.name, line=1
        )
    encoding = _encoding(path, encodings)
    newlines, has_nul, has_controls, before = 0, False, False, b""
    for block in _blocks(path):
        newlines += block.count(b"\n")
        has_nul = has_nul or b"\0" in block
        has_controls = has_controls or _holds_controls(before + block)
        before = block[-2:]  # a character may lie across two blocks
    tail = _tail(path)
    blank = tail[len(tail.rstrip(b"\r\n")) :].count(b"\n")
    complete = tail.endswith(b"\n")
    lines = newlines - max(blank - 1, 0) + (not complete)
    return FileFacts(encoding, has_nul, has_controls, lines, complete)


def _holds_controls(block: bytes) -> bool:
    if len(block.translate(None, _CONTROLS)) < len(block):
        return True
    return b"\xe2" in block and _TURNING.search(block) is not None


def _encoding(path: Path, encodings: Sequence[str]) -> str:
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise _wrong_encoding(path, 1, "the file is UTF-16", encodings)
    if start == _ZIP:
        raise _wrong_encoding(path, 1, "the file is a workbook or an archive, no text", encodings)
    if b"\0" in start:
        raise _wrong_encoding(path, 1, "the file is UTF-16, UTF-32 or no text at all", encodings)
    line: int | None = None
    for encoding in encodings:
        bad = _first_undecodable(path, encoding)
        if bad is None:
            return "utf-8-sig" if encoding == "utf-8" else encoding
        line = line or bad
    raise _wrong_encoding(path, line or 1, "a byte is of another encoding", encodings)


def _wrong_encoding(path: Path, line: int, message: str, encodings: Sequence[str]) -> FeedError:
    remedy = f"save the file as {' or '.join(encodings)} and deliver it again"
    return FeedError("wrong_encoding", message, remedy, file=path.name, line=line)


def _first_undecodable(path: Path, encoding: str) -> int | None:
    """Line of the first byte that `encoding` has no character for; None when there is none."""
    decoder = codecs.getincrementaldecoder(encoding)()
    newlines = 0
    for block in _blocks(path):
        try:
            decoder.decode(block)
        except UnicodeDecodeError as error:
            return newlines + error.object[: error.start].count(b"\n") + 1
        newlines += block.count(b"\n")
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return newlines + 1
    return None


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - _TAIL, 0))
        return file.read()
