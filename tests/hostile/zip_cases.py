"""Archives that lie, burst, or lead out of their folder."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator

from tests.hostile.corpus import GOOD, HEADER, STAMP, Case, file, loaded, refused

NAME = f"people_{STAMP}.zip"
MEMBER = f"people_{STAMP}.csv"
CONTENT = f"{HEADER}\n{GOOD}\n".encode()


def _zip(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def cases() -> Iterator[Case]:
    contents: dict[str, tuple[bytes | Callable[[], bytes], str]] = {
        "a member that leads out": (_zip((f"../../{MEMBER}", CONTENT)), "archive_name"),
        "an absolute member": (_zip((f"/etc/{MEMBER}", CONTENT)), "archive_name"),
        "a member with a drive": (_zip((f"C:\\{MEMBER}", CONTENT)), "archive_name"),
        "a member that is a link": (_zip((_link(), b"/etc/passwd")), "archive_member"),
        "two members of one name": (
            _zip((MEMBER, CONTENT), (MEMBER.upper(), CONTENT)),
            "archive_name",
        ),
        "a bomb of 200 MB": (lambda: _zip((MEMBER, bytes(200 << 20))), "archive_too_large"),
        "an archive in an archive": (
            _zip((MEMBER, CONTENT), ("more.zip", _zip((MEMBER, CONTENT)))),
            "archive_member",
        ),
        "10,001 members": (
            lambda: _zip(*((f"{n}.csv", b"") for n in range(10_001))),
            "archive_too_large",
        ),
        "an encrypted member": (_encrypted(), "archive_member"),
        "a size that lies": (_lying(), "archive_damaged"),
        "a program before the archive": (
            b"MZ" + bytes(600) + _zip((MEMBER, CONTENT)),
            "archive_layout",
        ),
        "a cut archive": (_zip((MEMBER, CONTENT))[:-30], "truncated_file"),
        "no archive at all": (b"this is no archive", "not_an_archive"),
        "no member of the feed": (_zip(("readme.txt", b"x")), "unknown_file"),
        "an empty archive": (_zip(), "unknown_file"),
        "a hostile file inside": (_zip((MEMBER, CONTENT[:-14])), "truncated_file"),
    }
    for name, (content, rule) in contents.items():
        yield refused(f"zip: {name}", "sheet", file(NAME, content), rule)
    yield loaded("zip: a folder inside", "sheet", file(NAME, _zip((f"set/{MEMBER}", CONTENT))), 1)


def _link() -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(MEMBER)
    member.create_system, member.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return member


def _encrypted() -> bytes:
    """The flag alone: whoever reads it must not try a password."""
    content = bytearray(_zip((MEMBER, CONTENT)))
    for mark, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = content.index(mark) + place
        content[at] |= 1
    return bytes(content)


def _lying() -> bytes:
    """One byte declared where there are more."""
    content = bytearray(_zip((MEMBER, CONTENT)))
    for mark, place in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        at = content.index(mark) + place
        content[at : at + 4] = struct.pack("<L", 1)
    return bytes(content)
