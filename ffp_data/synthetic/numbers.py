"""Identifiers that are well formed and can't be anybody's: each person has a serial, and each number is a fixed one-to-one
scramble of it inside a range that no live system issues (NHS numbers that begin with 9, UPNs with pseudo local authority
codes 001 to 005, drama telephone numbers, blocks of our own for PNC, CRN and prison numbers). No number is drawn at random,
so no two people can share one by accident."""

from __future__ import annotations

from random import Random

UPN_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"
PNC_LETTERS = "ZABCDEFGHJKLMNPQRTUVWXY"
CRN_LETTERS = "XYZWVUTSRQPNMLKJHGFEDCBA"
MAX_SERIAL = 6_000_000  # the prison numbers of one letter pair run out first


def scramble(serial: int, space: int, multiplier: int) -> int:
    """Map `serial` (below `space`) one to one into 0..space-1; `multiplier` must share no factor with `space`."""
    return (serial * multiplier + space // 3) % space


def nhs_check_digit(stem: str) -> int:
    """Return the modulus 11 check digit of nine digits, or 10 where no such number is issued (NHS Data Dictionary)."""
    return (
        11
        - sum(int(digit) * weight for digit, weight in zip(stem, range(10, 1, -1), strict=True))
        % 11
    ) % 11


def nhs_number(serial: int) -> str:
    """Return a valid test-range NHS number, ten digits that begin with 9."""
    even = 2 * scramble(serial, 50_000_000, 7_654_321)
    stem = f"9{even:08d}"
    if (
        nhs_check_digit(stem) == 10
    ):  # the odd neighbour has a check digit two lower, hence a usable one
        stem = f"9{even + 1:08d}"
    return f"{stem}{nhs_check_digit(stem)}"


def upn_check_letter(body: str) -> str:
    """Return the check letter of the twelve characters that follow it (Government Data Standards Catalogue)."""
    values = (int(c) if c.isdigit() else UPN_LETTERS.index(c) for c in body)
    return UPN_LETTERS[sum(value * place for place, value in enumerate(values, start=2)) % 23]


def upn(serial: int, authority: int, year: int, temporary: bool = False) -> str:
    """Return a UPN first issued by pseudo authority 1 to 5 in `year`; a temporary one ends in a letter."""
    place = scramble(serial, 10_000_000, 3_456_789)
    body = f"{authority:03d}{place // 1000:04d}{year % 100:02d}{place % 1000:03d}"
    if temporary:
        body = body[:11] + UPN_LETTERS[serial % 23]
    return upn_check_letter(body) + body


def wrong_upn(value: str) -> str:
    """Return `value` with a check letter that is not its own."""
    return UPN_LETTERS[(UPN_LETTERS.index(value[0]) + 7) % 23] + value[1:]


def pnc_id(serial: int, year: int) -> str:
    """Return a PNC identity in long form, from a block of serials (7,000,000 on) kept for this project."""
    number = 7_000_000 + scramble(serial, 3_000_000, 1_234_567) if serial < 3_000_000 else serial
    return f"{year}/{number:07d}{PNC_LETTERS[int(f'{year % 100:02d}{number:07d}') % 23]}"


def crn(serial: int) -> str:
    """Return a probation case reference number in the block of test letters X, Y, Z..."""
    return (
        f"{CRN_LETTERS[serial // 1_000_000]}{scramble(serial % 1_000_000, 1_000_000, 314_159):06d}"
    )


def prison_number(serial: int) -> str:
    """Return a prison number of the pattern A0000AA."""
    place = scramble(serial, 6_760_000, 2_718_281)
    digits, letters = divmod(place, 676)
    return f"A{digits:04d}{chr(65 + letters // 26)}{chr(65 + letters % 26)}"


def phone(rng: Random) -> str:
    """Return a telephone number of the ranges kept for drama (Ofcom)."""
    return (
        f"07700 900{rng.randrange(1000):03d}"
        if rng.random() < 0.85
        else f"01632 960{rng.randrange(1000):03d}"
    )
