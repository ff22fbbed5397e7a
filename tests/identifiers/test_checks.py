from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffp_data.identifiers import (
    Result,
    crn,
    cro,
    dates,
    la_codes,
    nhs_number,
    pnc,
    postcode,
    prison_number,
    uln,
    upn,
)

DIGITS = st.text("0123456789", min_size=9, max_size=9)


@pytest.mark.parametrize(
    ("sent", "normalised", "reason"),
    [
        ("943 476 5919", "9434765919", "test_number"),
        ("9449305552", "9449305552", "test_number"),
        ("401-023-2137", "4010232137", None),
        ("6000000006", "6000000006", None),
        ("", None, "missing"),
        (None, None, "missing"),
        ("1111111111", None, "equal_digits"),
        ("9434765918", None, "check_digit"),
        ("9.434765919E9", None, "spreadsheet_number"),
        ("9434765919.0", None, "spreadsheet_number"),
        ("943476591", None, "malformed"),
        ("ABC 123", None, "malformed"),
        ("٩٤٣٤٧٦٥٩١٩", None, "malformed"),
        ("0101010000", None, "check_digit"),
        ("0101010007", None, "check_digit"),
    ],
)
def test_nhs_numbers_are_normalised_or_refused_with_a_reason(
    sent: str | None, normalised: str | None, reason: str | None
) -> None:
    assert nhs_number.check(sent, allow_test_numbers=True) == Result(normalised, reason)


def test_production_refuses_a_test_number() -> None:
    assert nhs_number.check("9434765919") == Result(None, "test_number")


@pytest.mark.parametrize(
    ("first_nine", "reason"),
    [("010101000", "scotland_chi"), ("311299123", "scotland_chi"), ("000000123", "leading_zero")],
)
def test_a_right_check_digit_is_not_enough(first_nine: str, reason: str) -> None:
    number = f"{first_nine}{nhs_number.check_digit(first_nine)}"
    assert nhs_number.check(number) == Result(None, reason)


def test_a_number_outside_the_issued_ranges_is_kept_with_a_warning() -> None:
    number = f"550000000{nhs_number.check_digit('550000000')}"
    assert nhs_number.check(number) == Result(number, "unusual_range")


@given(DIGITS)
def test_exactly_one_last_digit_or_none_makes_an_nhs_number(first_nine: str) -> None:
    passing = [
        last
        for last in range(10)
        if nhs_number.check(f"{first_nine}{last}", allow_test_numbers=True).reason != "check_digit"
        and f"{first_nine}{last}" != first_nine[0] * 10
    ]
    expected = nhs_number.check_digit(first_nine)
    never_issued = expected is None or f"{first_nine}{expected}" == first_nine[0] * 10
    assert passing == ([] if never_issued else [expected])


@given(DIGITS, st.integers(0, 9))
def test_no_text_is_both_an_nhs_number_and_a_uln(first_nine: str, last: int) -> None:
    number = f"{first_nine}{last}"
    both = (nhs_number.check(number, allow_test_numbers=True), uln.check(number))
    assert not all(result.is_valid for result in both)


@pytest.mark.parametrize(
    ("sent", "normalised", "reason"),
    [
        ("B801200005001", "B801200005001", None),
        ("b801 200005001", "B801200005001", None),
        ("P207000016049", "P207000016049", None),
        ("Q207000016049", None, "check_letter"),
        ("UN1", None, "reason_for_no_upn"),
        ("UN10", None, "reason_for_no_upn"),
        ("I801200005001", None, "malformed"),
        ("B80120000500", None, "malformed"),
        (None, None, "missing"),
    ],
)
def test_upns_are_normalised_or_refused_with_a_reason(
    sent: str | None, normalised: str | None, reason: str | None
) -> None:
    assert upn.check(sent) == Result(normalised, reason)


@pytest.mark.parametrize("la", ["909", "001", "720"])
def test_a_upn_of_a_closed_or_pseudo_authority_is_right(la: str) -> None:
    rest = f"{la}123425001"
    assert upn.check(upn.upn_letter(rest) + rest).reason is None


def test_a_upn_of_an_unknown_authority_is_kept_with_a_warning() -> None:
    rest = "999123425001"
    assert upn.check(upn.upn_letter(rest) + rest).reason == "unknown_la"


def test_a_temporary_upn_ends_in_a_letter() -> None:
    rest = "80112342500B"
    number = upn.upn_letter(rest) + rest
    assert upn.check(number).normalised == number
    assert upn.is_temporary(number)
    assert not upn.is_temporary("B801200005001")


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("9276308686", Result("9276308686")),
        ("9999999999", Result(None, "placeholder")),
        ("0276308686", Result(None, "malformed")),
        ("9276308687", Result(None, "check_digit")),
        ("", Result(None, "missing")),
    ],
)
def test_ulns_are_checked(sent: str, expected: Result) -> None:
    assert uln.check(sent) == expected
    if expected.is_valid:
        assert uln.check_digit(sent[:9]) == int(sent[9])


def _pnc(year: str, serial: str) -> str:
    return f"{year}/{serial}{pnc.check_letter(year, serial)}"


@pytest.mark.parametrize("sent", ["2002/73319Z", "2002/0073319Z", "02/73319z", "20020073319Z"])
def test_every_way_to_write_a_pnc_gives_one_form(sent: str) -> None:
    assert pnc.check(sent, this_year=2026).normalised == "2002/0073319Z"


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (None, "missing"),
        ("2002/73319A", "check_letter"),
        ("1802/73319Z", "malformed"),
        ("2002/0000000" + pnc.check_letter("02", "0"), "placeholder"),
        ("hello", "malformed"),
    ],
)
def test_a_wrong_pnc_is_refused_with_a_reason(sent: str | None, reason: str) -> None:
    assert pnc.check(sent, this_year=2026) == Result(None, reason)


def test_the_century_of_a_two_digit_year_needs_the_year_of_the_run() -> None:
    assert pnc.check(_pnc("26", "12"), this_year=2026).normalised == _pnc("2026", "0000012")
    assert pnc.check(_pnc("27", "12"), this_year=2026).normalised == _pnc("1927", "0000012")
    assert pnc.check(_pnc("26", "12")) == Result(None, "century_unknown")


@given(st.integers(1974, 2025), st.integers(1, 9_999_999))
def test_an_unslashed_padded_pnc_is_never_read_as_another(year: int, serial: int) -> None:
    canonical = _pnc(str(year), f"{serial:07}")
    read = pnc.check(canonical.replace("/", ""), this_year=2026)
    assert read == Result(canonical)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (
            "1234/99" + cro.check_letter("99", "001234"),
            "001234/99" + cro.check_letter("99", "001234"),
        ),
        ("sf39/123" + cro.check_letter("39", "123"), "SF39/123" + cro.check_letter("39", "123")),
    ],
)
def test_both_forms_of_a_cro_number_are_normalised(sent: str, expected: str) -> None:
    assert cro.check(sent) == Result(expected)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ("000000/00Z", "placeholder"),
        ("SF00/000Z", "placeholder"),
        ("001234/99I", "check_letter"),
        ("1234", "malformed"),
        (None, "missing"),
    ],
)
def test_a_wrong_cro_number_is_refused_with_a_reason(sent: str | None, reason: str) -> None:
    assert cro.check(sent) == Result(None, reason)


def test_probation_and_prison_numbers_are_checked_by_shape() -> None:
    assert crn.check(" x123456 ") == Result("X123456")
    assert crn.check("123456") == Result(None, "malformed")
    assert crn.check(None) == Result(None, "missing")
    assert prison_number.check("a1234bc") == Result("A1234BC")
    assert prison_number.check("A123BC") == Result(None, "malformed")
    assert prison_number.check(None) == Result(None, "missing")


@pytest.mark.parametrize(
    ("sent", "normalised", "reason"),
    [
        ("xf12ab", "XF1 2AB", None),
        (" XF1  2AB ", "XF1 2AB", None),
        ("XF10\u00a02AB", "XF10 2AB", None),
        ("W1A 0AX", "W1A 0AX", None),
        ("GIR 0AA", "GIR 0AA", None),
        ("XF1 OAB", "XF1 0AB", "letter_for_digit"),
        ("XF1 IAB", "XF1 1AB", "letter_for_digit"),
        ("ZZ99 3VZ", None, "placeholder"),
        ("zz993wz", None, "placeholder"),
        ("NF1 1NF", None, "placeholder"),
        ("NF1 1FA", None, "placeholder"),
        ("NF10 1FA", "NF10 1FA", None),
        ("XF1", None, "partial"),
        ("XF1 2", None, "partial"),
        ("not known", None, "malformed"),
        ("", None, "missing"),
    ],
)
def test_postcodes_are_normalised_or_refused_with_a_reason(
    sent: str, normalised: str | None, reason: str | None
) -> None:
    assert postcode.check(sent) == Result(normalised, reason)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("2012-02-29", Result("2012-02-29")),
        (date(2012, 1, 1), Result("2012-01-01")),
        ("2013-02-29", Result(None, "malformed")),
        ("01/02/2013", Result(None, "malformed")),
        ("1900-01-01", Result(None, "placeholder")),
        (date(1970, 1, 1), Result(None, "placeholder")),
        ("1899-12-30", Result(None, "placeholder")),
        ("9999-12-31", Result(None, "implausible_year")),
        (None, Result(None, "missing")),
    ],
)
def test_default_dates_are_no_birth_dates(sent: str | date | None, expected: Result) -> None:
    assert dates.check(sent) == expected


def test_a_real_date_is_given_back_and_a_default_one_is_not() -> None:
    assert dates.real_date(date(2012, 5, 6)) == date(2012, 5, 6)
    assert dates.real_date(date(1900, 1, 1)) is None
    assert dates.real_date(None) is None


def test_local_authorities_are_known_by_code_name_and_years() -> None:
    cumbria = la_codes.authorities()["909"]
    assert (cumbria.la_name, cumbria.is_current, cumbria.last_period) == ("Cumbria", False, 2023)
    assert len(la_codes.periods()) == 161
    assert sum(la.is_current for la in la_codes.authorities().values()) == 153
    assert la_codes.check("201") == Result("201")
    assert la_codes.check("999") == Result("999", "unknown_la")
    assert la_codes.check("2O1") == Result(None, "malformed")
    assert la_codes.check(None) == Result(None, "missing")


def test_a_code_that_outlived_a_reorganisation_shows_its_latest_form() -> None:
    forms = [la for la in la_codes.periods() if la.la_code == "815"]
    assert [la.ons_code for la in forms] == ["E10000023", "E06000065"]
    assert la_codes.authorities()["815"] == forms[-1]


def test_no_reason_repeats_the_refused_value() -> None:
    secret = "A123-SECRET"
    for module in (nhs_number, upn, uln, pnc, cro, crn, prison_number, postcode, dates):
        assert "SECRET" not in repr(module.check(secret))
