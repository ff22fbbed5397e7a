"""The hub's own identifier: twelve random symbols and a check symbol, in Crockford's base 32.

It is drawn at random and says nothing about the child. Sixty random bits keep the
chance that any two of ten million meet at about one in twenty thousand, and the
hub draws again if they do. The check symbol (the number modulus 37) finds every
single wrong symbol and every swap of neighbours. Five of Crockford's 37 check symbols
are punctuation; a draw that would need one is thrown away, so that identifiers are
letters and digits only. Reading forgives what people write: lower case, hyphens, O
for 0, I and L for 1.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from ffp_data.hub.errors import InvalidIdentifierError

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_SYMBOLS = 12
LENGTH = _RANDOM_SYMBOLS + 1
_BITS = 5
_LAST = 2**_BITS - 1
_MODULUS = 37
_FORGIVEN = str.maketrans("OIL", "011", "- ")
_VALUE = {symbol: value for value, symbol in enumerate(ALPHABET)}

IdSource = Callable[[], str]


def new_child_id() -> str:
    """A new identifier from the operating system's randomness."""
    return from_bits(secrets.randbits)


def from_bits(randbits: Callable[[int], int]) -> str:
    """A new identifier from a source of random numbers of so many bits."""
    while True:
        number = randbits(_RANDOM_SYMBOLS * _BITS)
        if number % _MODULUS < len(ALPHABET):
            shifts = range((_RANDOM_SYMBOLS - 1) * _BITS, -1, -_BITS)
            symbols = "".join(ALPHABET[number >> shift & _LAST] for shift in shifts)
            return symbols + ALPHABET[number % _MODULUS]


def check_symbol(symbols: str) -> str | None:
    """Check symbol for the random part; None where it would be punctuation."""
    number = 0
    for symbol in symbols:
        number = number << _BITS | _VALUE[symbol]
    remainder = number % _MODULUS
    return ALPHABET[remainder] if remainder < len(ALPHABET) else None


def parse(text: str) -> str:
    """Canonical form of an identifier as a person wrote it; raises InvalidIdentifierError."""
    written = text.upper().translate(_FORGIVEN)
    symbols, check = written[:-1], written[-1:]
    if len(symbols) != _RANDOM_SYMBOLS or not set(written) <= _VALUE.keys():
        raise InvalidIdentifierError(f"an identifier has {LENGTH} letters and digits, without U")
    if check_symbol(symbols) != check:
        raise InvalidIdentifierError("the check symbol does not fit: a symbol is wrong or swapped")
    return written


def canonical(text: str) -> str:
    """As ``parse``; a text that is no identifier stays as it is, so that it is looked up and not found."""
    try:
        return parse(text)
    except InvalidIdentifierError:
        return text
