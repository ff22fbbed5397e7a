"""The DuckDB macros give the same answer as the Python checks, for made and for noisy values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffp_data.identifiers import Result, dates, install_macros, nhs_number, postcode, upn

Check = Callable[[str | None], Result]

# Characters that lead astray: letters without ASCII case, other digits, odd spaces.
NOISE = st.text("0123456789ABIOSZabiosz -.\t\u00a0ßſKİ٣Eé/", max_size=15)
NHS = st.tuples(st.text("0123456789", min_size=9, max_size=9), st.sampled_from("0123456789X")).map(
    "".join
)
REAL_NHS = st.text("0123456789", min_size=9, max_size=9).map(
    lambda nine: f"{nine[:3]} {nine[3:6]} {nine[6:]}{nhs_number.check_digit(nine)}"
)
UPN_REST = st.tuples(
    st.text("0123456789", min_size=11, max_size=11),
    st.sampled_from("0123456789" + upn.ALPHABET),
).map("".join)
UPNS = UPN_REST.map(lambda rest: upn.upn_letter(rest) + rest)
WRONG_UPNS = st.tuples(st.sampled_from("ABISXYZ"), UPN_REST).map("".join)
POSTCODES = st.from_regex(
    r"[A-Za-z]{1,2}[0-9OI][0-9A-Za-z]?[ -]?[0-9OIoi][A-Za-z]{2}", fullmatch=True
)
PSEUDO = st.sampled_from(["ZZ99 3VZ", "zz993cz", "NF1 1NF", "nf11fa", "GIR 0AA", "gir0aa", "XF1"])


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    install_macros(connection)
    # The first parameter that is a list makes DuckDB import pandas, if it is there, which
    # takes longer than hypothesis allows an example.
    connection.execute("SELECT $1::VARCHAR[]", [[None]])
    return connection


def assert_agree(
    con: duckdb.DuckDBPyConnection, values: Sequence[str | None], call: str, check: Check
) -> None:
    """``call`` is SQL over column x that gives (clean, fault)."""
    rows = con.execute(
        f"SELECT {call} FROM (SELECT unnest($1::VARCHAR[]) AS x)", [values]
    ).fetchall()
    results = [check(value) for value in values]
    assert rows == [(result.normalised, result.fault) for result in results]


@given(st.lists(st.one_of(st.none(), NHS, REAL_NHS, NOISE), min_size=1, max_size=30))
def test_nhs_numbers_agree(con: duckdb.DuckDBPyConnection, values: list[str | None]) -> None:
    assert_agree(con, values, "nhs_number_clean(x), nhs_number_fault(x)", nhs_number.check)
    assert_agree(
        con,
        values,
        "nhs_number_clean(x, allow_test_numbers := true),"
        " nhs_number_fault(x, allow_test_numbers := true)",
        partial(nhs_number.check, allow_test_numbers=True),
    )


@given(st.lists(st.one_of(st.none(), UPNS, WRONG_UPNS, NOISE), min_size=1, max_size=30))
def test_upns_agree(con: duckdb.DuckDBPyConnection, values: list[str | None]) -> None:
    assert_agree(con, values, "upn_clean(x), upn_fault(x)", upn.check)


@given(st.lists(st.one_of(st.none(), POSTCODES, PSEUDO, NOISE), min_size=1, max_size=30))
def test_postcodes_agree(con: duckdb.DuckDBPyConnection, values: list[str | None]) -> None:
    assert_agree(con, values, "postcode_clean(x), postcode_fault(x)", postcode.check)


@given(st.lists(st.one_of(st.none(), st.dates()), min_size=1, max_size=30))
def test_dates_agree(con: duckdb.DuckDBPyConnection, values: list[date | None]) -> None:
    values = [*values, *dates.DEFAULT_DATES]
    rows = con.execute("SELECT real_date(x) FROM (SELECT unnest($1::DATE[]) AS x)", [values])
    assert [row[0] for row in rows.fetchall()] == [dates.real_date(value) for value in values]


@given(
    st.lists(st.from_regex(r" ?[0129][0-9]{3}-[01][0-9]-[0-3][0-9]x?", fullmatch=True), min_size=1)
)
def test_dates_as_text_agree(con: duckdb.DuckDBPyConnection, values: list[str]) -> None:
    rows = con.execute(
        "SELECT real_date(x)::VARCHAR FROM (SELECT unnest($1::VARCHAR[]) AS x)", [values]
    )
    assert [row[0] for row in rows.fetchall()] == [dates.check(v).normalised for v in values]


def test_installing_twice_is_harmless() -> None:
    connection = duckdb.connect()
    install_macros(connection)
    install_macros(connection)
    assert connection.execute("SELECT upn_clean('b801200005001')").fetchall() == [
        ("B801200005001",)
    ]
