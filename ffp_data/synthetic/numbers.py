"""Identifiers that are well formed and can't be anybody's: each person has a serial, and each
number is a fixed one-to-one scramble of it inside a range that no live system issues (NHS
numbers that begin with 9, UPNs with pseudo local authority codes 001 to 003, drama telephone
numbers, blocks of our own for PNC, CRN and prison numbers). No number is drawn at random, so no
two people can share one by accident."""

from __future__ import annotations

from functools import lru_cache
from random import Random

from ffp_data.identifiers import nhs_number as nhs
from ffp_data.identifiers import pnc
from ffp_data.identifiers import upn as pupil

MAX_SERIAL = 6_000_000  # the prison numbers of one letter run out first
_ROUNDS = (0x9E37, 0x79B9, 0x7F4A, 0x7C15)


def scramble(serial: int, space: int, key: int) -> int:
    """Map `serial` (below `space`) one to one into 0..space-1; each `key` gives another order.

    A Feistel network over the next even number of bits, walked until it lands inside the space: neighbours end
    far apart, so that nothing about a family can be read from its numbers.
    """
    half = ((space - 1).bit_length() + 1) // 2
    mask, place = (1 << half) - 1, serial
    while True:
        left, right = place >> half, place & mask
        for turn in _ROUNDS:
            mixed = (right * 0x9E3779B1 + key * 0x85EBCA6B + turn) & 0xFFFFFFFF
            left, right = right, left ^ ((mixed ^ (mixed >> 13)) * 0xC2B2AE35 >> 11 & mask)
        place = left << half | right
        if place < space:
            return place


@lru_cache(maxsize=4096)
def nhs_number(serial: int) -> str:
    """Return a valid test-range NHS number, ten digits that begin with 9."""
    even = 2 * scramble(serial, 50_000_000, 1)
    stem = f"9{even:08d}"
    digit = nhs.check_digit(stem)
    if digit is None:  # the odd neighbour's sum is two higher, which is a number that can be issued
        stem = f"9{even + 1:08d}"
        digit = nhs.check_digit(stem)
    return f"{stem}{digit}"


@lru_cache(maxsize=4096)
def upn(serial: int, authority: int, year: int, temporary: bool = False) -> str:
    """Return a UPN first issued by pseudo authority 1 to 5 in `year`; a temporary one ends in a letter."""
    place = scramble(serial, 10_000_000, 2)
    body = f"{authority:03d}{place // 1000:04d}{year % 100:02d}{place % 1000:03d}"
    if temporary:
        body = body[:11] + pupil.ALPHABET[serial % len(pupil.ALPHABET)]
    return pupil.upn_letter(body) + body


def wrong_upn(value: str) -> str:
    """Return `value` with a check letter that is not its own."""
    return pupil.ALPHABET[(pupil.ALPHABET.index(value[0]) + 7) % len(pupil.ALPHABET)] + value[1:]


def pnc_id(serial: int, year: int) -> str:
    """Return a PNC identity in long form, with a serial in the block that this project keeps (3,000,000 on)."""
    number = f"{3_000_000 + scramble(serial, MAX_SERIAL, 3):07d}"
    return f"{year}/{number}{pnc.check_letter(str(year), number)}"


def crn(serial: int, record: int = 0) -> str:
    """Return a probation case reference number; `record` 1 is a second one of the same person."""
    letters = "XYZWVU" if record == 0 else "TSRQPN"
    million, rest = divmod(scramble(serial, MAX_SERIAL, 4), 1_000_000)
    return f"{letters[million]}{rest:06d}"


def prison_number(serial: int, record: int = 0) -> str:
    """Return a prison number of the pattern A0000AA; `record` 1 is a second one of the same person."""
    digits, letters = divmod(scramble(serial, 6_760_000, 5), 676)
    return f"{'AB'[record]}{digits:04d}{chr(65 + letters // 26)}{chr(65 + letters % 26)}"


def stream(name: str | int) -> Random:
    """Return the random stream of a name: the same name always gives the same stream."""
    return Random(name)  # noqa: S311 -- people are made up here, and nothing secret is drawn


def phone(rng: Random) -> str:
    """Return a telephone number of the ranges kept for drama (Ofcom)."""
    mobile = rng.random() < 0.85
    return (
        f"07700 900{rng.randrange(1000):03d}" if mobile else f"01632 960{rng.randrange(1000):03d}"
    )
