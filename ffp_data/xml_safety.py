"""What every XML file from outside must pass before a parser sees it: its size, and no DOCTYPE.

Without a DOCTYPE no entity can be declared, so none can be expanded or fetched. The look at the prolog
is bounded: a file that does not begin its root element within `PROLOG_BYTES` is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

MAX_BYTES = 500_000_000  # a return of 50,000 children is about 94 MB
PROLOG_BYTES = 1 << 20
_ROOT = re.compile(rb"<[A-Za-z_:\x80-\xff]")
_DOCTYPE = re.compile(rb"<!\s*DOCTYPE", re.IGNORECASE)
_ASIDE = re.compile(rb"<!--.*?-->|<\?.*?\?>", re.DOTALL)
_ENCODING = re.compile(rb"^<\?xml[^>]*?\sencoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")


@dataclass(frozen=True)
class Refusal:
    """Why a file is not even opened; `line` is None when the fault is of the file as a whole."""

    rule: str
    message: str
    remedy: str
    line: int | None = None

    def __str__(self) -> str:
        return f"{self.message}; {self.remedy}"


def refusal(path: Path, max_bytes: int = MAX_BYTES) -> Refusal | None:
    """The reason not to read the XML file at `path`; None when there is none. OSError when it is not there."""
    size = path.stat().st_size
    if size == 0:
        return Refusal("empty_file", "the file is empty", "export it again", 1)
    if size > max_bytes:
        remedy = f"files above {max_bytes} bytes are refused"
        return Refusal("too_large", f"{size} bytes", remedy)
    prolog = _prolog(path)
    found = _DOCTYPE.search(prolog)
    if found:
        line = prolog.count(b"\n", 0, found.start()) + 1
        return Refusal("doctype", "has a DOCTYPE, which is refused", "remove it", line)
    if size > PROLOG_BYTES and not _ROOT.search(prolog):
        message = f"no element begins in the first {PROLOG_BYTES} bytes"
        return Refusal("not_xml", message, "export it again", 1)
    return None


def declared_encoding(path: Path) -> str | None:
    """The encoding that the XML declaration names, in lower case; None when it names none."""
    with path.open("rb") as file:
        found = _ENCODING.match(file.read(1024).removeprefix(b"\xef\xbb\xbf"))
    return found[1].decode("ascii").lower() if found else None


def _prolog(path: Path) -> bytes:
    """What stands before the first start tag, with comments and instructions blanked.

    NULs are dropped, so that UTF-16 reads like ASCII; blanked, not removed, so that offsets tell the line.
    """
    with path.open("rb") as file:
        start = file.read(PROLOG_BYTES).replace(b"\0", b"")
    blanked = _ASIDE.sub(lambda m: re.sub(rb"[^\n]", b" ", m.group()), start)
    root = _ROOT.search(blanked)
    return blanked[: root.start() + 2] if root else blanked
