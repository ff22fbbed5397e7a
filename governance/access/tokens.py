"""Bearer tokens of the API: made once, shown once, kept as a hash, revocable and with an end.

A token is 256 random bits, so that a plain SHA-256 of it can't be guessed back. The book is one
small JSON file, replaced whole under a lock; readers look at its time stamp before each answer, so that a
revocation holds from the next request on.
"""

from __future__ import annotations

import fcntl
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from governance.access.roles import Principal, Roles
from governance.canonical import sha256_hex
from governance.files import replacing
from governance.ledger import utc_now

PREFIX = "ffp_"
LONGEST = timedelta(days=366)


class TokenError(Exception):
    """A token that can't be made or revoked."""


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a token. Times are UTC, ISO 8601."""

    name: str
    role: str
    sha256: str
    made_at: str
    expires_at: str
    revoked_at: str | None = None

    @property
    def principal(self) -> Principal:
        return Principal(self.name, self.role)

    def why_not(self, now: datetime) -> str | None:
        """Why the token does not count now; None when it does."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if now >= datetime.fromisoformat(self.expires_at) else None


class TokenBook:
    """The tokens of one hub, in one file."""

    def __init__(self, path: Path, clock: Callable[[], datetime] = utc_now) -> None:
        """Nothing is made on disk before the first token."""
        self._path = Path(path)
        self._clock = clock
        self._seen: tuple[int, int, int] | None = None
        self._by_hash: dict[str, Token] = {}

    def make(self, name: str, role: str, roles: Roles, valid: timedelta) -> str:
        """Make a token and give it in clear, this once; raises TokenError."""
        if role not in roles.by_id:
            raise TokenError(f"{role}: no such role; roles are {', '.join(sorted(roles.by_id))}")
        if not timedelta(0) < valid <= LONGEST:
            raise TokenError(f"a token is valid for 1 to {LONGEST.days} days")
        secret = PREFIX + secrets.token_urlsafe(32)
        now = self._clock()
        token = Token(name, role, sha256_hex(secret.encode()), _text(now), _text(now + valid))
        with self._locked():
            tokens = self.tokens()
            if any(each.name == name and each.why_not(now) is None for each in tokens):
                raise TokenError(f"{name}: has a token in force; revoke it first")
            self._write([*tokens, token])
        return secret

    def revoke(self, name: str) -> int:
        """Revoke every token of a name that is in force; gives how many. Raises TokenError for none."""
        now = self._clock()
        with self._locked():
            tokens = self.tokens()
            mine = [t for t in tokens if t.name == name and t.why_not(now) is None]
            if not mine:
                raise TokenError(f"{name}: no token in force; see: ffp access tokens")
            self._write([replace(t, revoked_at=_text(now)) if t in mine else t for t in tokens])
        return len(mine)

    def tokens(self) -> list[Token]:
        """Every token ever made, oldest first."""
        if not self._path.is_file():
            return []
        return [Token(**each) for each in json.loads(self._path.read_bytes())["tokens"]]

    def find(self, secret: str) -> tuple[Token | None, str | None]:
        """(token, why it does not count); (None, "unknown") for one that this hub did not make."""
        self._refresh()
        token = self._by_hash.get(sha256_hex(secret.encode()))
        return (token, token.why_not(self._clock())) if token else (None, "unknown")

    def _refresh(self) -> None:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            self._seen, self._by_hash = None, {}
            return
        seen = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        if seen != self._seen:  # replaced whole, so the new file has a new inode
            self._by_hash = {token.sha256: token for token in self.tokens()}
            self._seen = seen

    def _write(self, tokens: list[Token]) -> None:
        with replacing(self._path) as handle:
            handle.write(json.dumps({"tokens": [asdict(t) for t in tokens]}, indent=1).encode())

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._path.with_name(f".{self._path.name}.lock").open("wb") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
