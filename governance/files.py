"""Files that are either whole or absent: write beside, flush to disk, rename."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_READ_SIZE = 1 << 20


def fsync_directory(directory: Path) -> None:
    """Flush a directory, so that a rename in it survives a power cut."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def replacing(path: Path, mode: int = 0o600) -> Iterator[BinaryIO]:
    """Yield a binary handle whose bytes become ``path`` only if the block ends without error."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        part.replace(path)
        fsync_directory(path.parent)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def replacing_directory(out: Path) -> Iterator[Path]:
    """Yield an empty hidden directory that takes the place of ``out`` only if the block ends without error.

    A reader sees the old directory, none for a moment, or the new; never half.
    """
    out.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part, old = out.with_name(f".{out.name}.part"), out.with_name(f".{out.name}.old")
    _remove(part)
    part.mkdir(mode=0o700)
    try:
        yield part
        _remove(old)
        if out.exists():
            out.rename(old)
        part.rename(out)
        fsync_directory(out.parent)
        _remove(old)
    finally:
        _remove(part)


def _remove(directory: Path) -> None:
    if directory.exists():
        shutil.rmtree(directory)


def sha256_of_file(path: Path) -> str:
    """Return the SHA-256 of a file as hex, reading 1 MiB at a time."""
    running = hashlib.sha256()
    with path.open("rb") as handle:
        while block := handle.read(_READ_SIZE):
            running.update(block)
    return running.hexdigest()
