"""Where the root key is kept: environment, file in the key directory, or the system's keyring.

A root is 32 random bytes in base64. A source holds one of them or, while a rotation is under way, two,
parted by white space: which one counts says the book of purpose keys, not the source, so that no moment
of a rotation leaves a hub without its root. Which source a hub has is said by FFP_ROOT_KEY_SOURCE, else
by ``source.json`` in the key directory (written by `ffp keys move`), else it is the environment where
FFP_ROOT_KEY is set and the file ``root.key`` where it is not.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from governance.files import fsync_directory, replacing

ROOT_KEY_VARIABLE = "FFP_ROOT_KEY"
SOURCE_VARIABLE = "FFP_ROOT_KEY_SOURCE"
KEY_BYTES = 32
SOURCES = ("env", "file", "keyring")
_SETTING = "source.json"
_SERVICE = "ffp-data"


class RootKeyError(Exception):
    """The root key is missing, malformed, readable by others, or not the one used before."""


class RootSource(Protocol):
    """Somewhere that keeps roots between uses."""

    @property
    def name(self) -> str:
        """One of SOURCES."""

    @property
    def place(self) -> str:
        """Where that is, for people; never a secret."""

    def read(self) -> list[bytes]:
        """The roots that lie there; raises RootKeyError when they cannot be read."""

    def write(self, roots: Sequence[bytes]) -> None:
        """Put these in the place of what lies there, at once; raises RootKeyError."""


def new_root() -> bytes:
    """Return 32 fresh random bytes."""
    return secrets.token_bytes(KEY_BYTES)


def source_of(directory: Path, name: str | None = None) -> RootSource:
    """Return the source that a key directory has, or the one of this name; raises RootKeyError."""
    setting = _setting(directory)
    name = name or os.environ.get(SOURCE_VARIABLE) or setting.get("source") or _default()
    if name == "env":
        return Environment()
    if name == "file":
        return RootFile(directory / "root.key")
    if name == "keyring":
        return SystemKeyring(setting.get("entry") or str(directory.resolve()))
    raise RootKeyError(f"{name}: no source of a root key; one of {', '.join(SOURCES)}")


def set_source(directory: Path, source: RootSource) -> None:
    """Write down which source a key directory has from now on."""
    entry = {"entry": source.entry} if isinstance(source, SystemKeyring) else {}
    with replacing(directory / _SETTING) as handle:
        handle.write(json.dumps({"source": source.name, **entry}, sort_keys=True).encode() + b"\n")


def _setting(directory: Path) -> dict[str, str]:
    path = directory / _SETTING
    try:
        setting: dict[str, str] = json.loads(path.read_bytes())
        known = setting.get("source") in SOURCES
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError):
        known = False
    if not known:
        raise RootKeyError(
            f"{path}: not a setting; restore it, or say {SOURCE_VARIABLE}={'|'.join(SOURCES)}"
        )
    return setting


def _default() -> str:
    return "env" if ROOT_KEY_VARIABLE in os.environ else "file"


@dataclass(frozen=True)
class Environment:
    """FFP_ROOT_KEY, which only whoever starts the process can change."""

    name = "env"

    @property
    def place(self) -> str:
        """The variable."""
        return f"environment variable {ROOT_KEY_VARIABLE}"

    def read(self) -> list[bytes]:
        """The roots in the variable."""
        text = os.environ.get(ROOT_KEY_VARIABLE)
        return [] if text is None else _decoded(text, self.place)

    def write(self, roots: Sequence[bytes]) -> None:
        """Refuse: say what to set instead."""
        if set(roots) <= set(self.read()):
            return  # what must be there is there
        raise RootKeyError(
            f"{self.place}: a command cannot change it; set it to the root key, and for a rotation to"
            " the present root, a space, and a new one (32 random bytes in base64)"
        )


@dataclass(frozen=True)
class RootFile:
    """``root.key``, readable by its owner only."""

    path: Path
    name = "file"

    @property
    def place(self) -> str:
        """The path."""
        return str(self.path)

    def read(self) -> list[bytes]:
        """The roots in the file; none where there is no file."""
        if not self.path.exists():
            return []
        if self.path.stat().st_mode & 0o077:
            raise RootKeyError(
                f"{self.path}: readable by other users; run: chmod 600 {self.path}, and rotate"
                " (ffp keys rotate) if somebody may have read it"
            )
        return _decoded(self.path.read_text("ascii", errors="replace"), self.place)

    def write(self, roots: Sequence[bytes]) -> None:
        """Replace the file in one step; no roots: remove it."""
        if not roots:
            self.path.unlink(missing_ok=True)
            fsync_directory(self.path.parent)
            return
        with replacing(self.path) as handle:
            handle.write(_encoded(roots).encode("ascii") + b"\n")


@dataclass(frozen=True)
class SystemKeyring:
    """An entry in the keyring of the operating system, through the `keyring` library."""

    entry: str
    name = "keyring"

    @property
    def place(self) -> str:
        """Service and entry."""
        return f"keyring entry {_SERVICE} / {self.entry}"

    def read(self) -> list[bytes]:
        """The roots in the entry; none where there is no entry."""
        library = _keyring()
        try:
            text = library.get_password(_SERVICE, self.entry)
        except library.errors.KeyringError as error:
            raise self._refusal(error) from error
        return [] if text is None else _decoded(text, self.place)

    def write(self, roots: Sequence[bytes]) -> None:
        """Replace the entry; no roots: delete it."""
        library = _keyring()
        try:
            if roots:
                library.set_password(_SERVICE, self.entry, _encoded(roots))
            else:
                library.delete_password(_SERVICE, self.entry)
        except library.errors.PasswordDeleteError:
            return  # it is not there
        except library.errors.KeyringError as error:
            raise self._refusal(error) from error

    def _refusal(self, error: Exception) -> RootKeyError:
        return RootKeyError(
            f"{self.place}: the system's keyring does not answer ({type(error).__name__}); unlock or"
            f" install it, or set {SOURCE_VARIABLE}=file where the root key lies in a file"
        )


def _keyring() -> Any:
    """The library, loaded only where it is asked: that takes longer than a whole command without it."""
    import keyring  # noqa: PLC0415
    import keyring.errors  # noqa: PLC0415

    return keyring


def _encoded(roots: Sequence[bytes]) -> str:
    return " ".join(base64.b64encode(each).decode("ascii") for each in roots)


def _decoded(text: str, where: str) -> list[bytes]:
    try:
        roots = [base64.b64decode(each, validate=True) for each in text.split() or [""]]
    except (binascii.Error, ValueError):
        raise RootKeyError(f"{where}: not base64; give 32 random bytes in base64") from None
    for root in roots:
        if len(root) != KEY_BYTES:
            raise RootKeyError(f"{where}: {len(root)} bytes; give 32 random bytes in base64")
    return roots
