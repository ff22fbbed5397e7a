"""Numbers pass the checks of the product, lie in ranges that nobody is given, and are never shared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffp_data.identifiers import nhs_number, pnc, prison_number, upn
from ffp_data.synthetic import numbers
from ffp_data.synthetic.places import home, other_home, outside_home, schools

SERIALS = st.integers(0, numbers.MAX_SERIAL - 1)


@given(SERIALS)
def test_an_nhs_number_is_valid_and_of_the_test_range(serial: int) -> None:
    made = numbers.nhs_number(serial)
    assert made[0] == "9"
    assert nhs_number.check(made, allow_test_numbers=True).normalised == made


@given(SERIALS, st.integers(1, 3), st.integers(2005, 2030), st.booleans())
def test_a_upn_is_valid_with_a_pseudo_authority(
    serial: int, authority: int, year: int, temporary: bool
) -> None:
    made = numbers.upn(serial, authority, year, temporary)
    assert upn.check(made).normalised == made
    assert made[1:4] in ("001", "002", "003")
    assert upn.is_temporary(made) == temporary
    assert upn.check(numbers.wrong_upn(made)).normalised is None


@given(SERIALS, st.integers(1960, 2026))
def test_police_and_prison_numbers_are_valid(serial: int, year: int) -> None:
    assert pnc.check(numbers.pnc_id(serial, year), this_year=2026).normalised == numbers.pnc_id(
        serial, year
    )
    assert prison_number.check(numbers.prison_number(serial)).normalised is not None
    assert numbers.crn(serial) != numbers.crn(serial, 1)


@pytest.mark.parametrize("space", [1, 2, 3, 10, 400, 1000, 4097])
def test_a_scramble_is_one_to_one(space: int) -> None:
    for key in (1, 2):
        assert sorted(numbers.scramble(n, space, key) for n in range(space)) == list(range(space))


def test_many_people_have_as_many_numbers() -> None:
    serials = range(0, numbers.MAX_SERIAL, 997)
    assert len({numbers.nhs_number(s) for s in serials}) == len(serials)
    assert len({numbers.upn(s, 1, 2015) for s in serials}) == len(serials)
    assert len({numbers.crn(s) for s in serials}) == len(serials)


def test_neighbours_share_a_postcode_and_nobody_shares_a_home() -> None:
    homes = [home(n) for n in range(2_000)] + [other_home(n) for n in range(500)]
    homes += [outside_home(n) for n in range(500)]
    assert len({h.uprn for h in homes}) == len(homes)
    assert len({(h.line, h.postcode) for h in homes}) == len(homes)
    assert home(0).postcode == home(7).postcode != home(8).postcode
    assert {h.postcode[:2] for h in homes} == {"XF", "XG"}


def test_schools_have_numbers_that_no_register_holds() -> None:
    urns = [school.urn for school in schools()]
    assert len(set(urns)) == len(urns)
    assert all(urn.startswith("99") and len(urn) == 6 for urn in urns)
