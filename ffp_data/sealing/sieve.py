"""The keyed filter: which rows are of a sealed identity, without telling whose they were.

A token is HMAC-SHA-256, under a key of the hub, of a source id by which agencies know a person: a
record key, an NHS number, a UPN, a police or prison number. The hub keeps tokens alone, in one set without
groups: no two of them can be seen to be of one child, and without the key no id can be tried against
them (all valid NHS numbers can be tried in minutes against a hash without a key).
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass

from governance.keys import KeyStore

RECORD, NUMBER = "record", "number"
_LABEL = "seal/filter"
_ERASED = "erase/filter"
_SPENT = "seal/spent"
_CELLS = re.compile(r"""[\s,;|"'<>{}\[\]()=/?!#*]+""")
_SPACED = re.compile(r"(?<!\d)\d{3}[ -]\d{3}[ -]\d{4}(?!\d)")
_PLAIN = re.compile(r"[\s-]")

Id = tuple[str, str]
"""A kind (RECORD or NUMBER) and the id."""


def plain_number(text: str) -> str:
    """An NHS number, UPN or other number as written anywhere: without spaces and hyphens, in capitals."""
    return _PLAIN.sub("", text).upper()


def filter_key(keys: KeyStore) -> bytes:
    return keys.key(_LABEL)


def erased_key(keys: KeyStore) -> bytes:
    """The key of the filter of those who were erased."""
    return keys.key(_ERASED)


def spent_key(keys: KeyStore) -> bytes:
    """The key under which identifiers are remembered that may never be issued again."""
    return keys.key(_SPENT)


def spent_token(key: bytes, child_id: str) -> str:
    return hmac.digest(key, child_id.encode(), "sha256").hex()


@dataclass(frozen=True)
class Sieve:
    """Tells ids that are in the filter."""

    key: bytes
    tokens: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.tokens)

    @classmethod
    def of(cls, key: bytes, ids: Iterable[Id]) -> Sieve:
        return cls(key, frozenset(token(key, *each) for each in ids))

    def holds(self, kind: str, value: str) -> bool:
        return token(self.key, kind, value) in self.tokens

    def among(self, kind: str, values: Iterable[str]) -> set[str]:
        """Those of the values that are in the filter."""
        return {value for value in values if self.holds(kind, value)}

    def speaks_of(self, text: str, prefix: str = "") -> bool:
        """Whether a piece of text that no reader could take apart holds an id of the filter as a word.

        `prefix` is what goes before a source id in a record key.
        """
        words = {word.strip(".:-") for word in _CELLS.split(text)} - {""}
        if self.among(NUMBER, [*map(plain_number, words), *_SPACED.findall(text)]):
            return True
        return bool(prefix and self.among(RECORD, (prefix + word for word in words)))


def token(key: bytes, kind: str, value: str) -> str:
    """The token of an id, as hex."""
    value = plain_number(value) if kind == NUMBER else value
    return hmac.digest(key, f"{kind}\0{value}".encode(), "sha256").hex()
