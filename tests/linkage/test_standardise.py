"""What each named step and part makes of a value, run in DuckDB."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from linkage.errors import LinkageError
from linkage.spec import Column, Step
from linkage.sql_text import literal
from linkage.standardise import apply_steps, column_sql, part_sql


def _value(expression: str) -> Any:
    row = duckdb.sql(f"SELECT {expression}").fetchone()
    assert row
    return row[0]


@pytest.mark.parametrize(
    ("steps", "given", "expected"),
    [
        (["lower", "strip_accents"], "Łukasz Øystein", "lukasz oystein"),
        (["lower", "drop_apostrophes"], "O’Neil", "oneil"),
        (["lower", "drop_apostrophes"], "O'NEIL", "oneil"),
        (["punctuation_to_space", "squash_spaces"], " Flint-Smith ", "Flint Smith"),
        (
            ["lower", {"replace": {"pattern": r"\b(mc|mac) ", "with": r"\1"}}],
            "Mc Donald",
            "mcdonald",
        ),
        (["postcode"], "xf1  2ab", "XF12AB"),
        (["digits_only"], "07700 900-123", "07700900123"),
        ([{"null_if": ["unknown"]}], "unknown", None),
        ([{"null_if_matches": "^baby( |$)"}], "baby smith", None),
        ([{"null_if_matches": "^baby( |$)"}], "babysmith", "babysmith"),
        ([{"extract": r"^twin *([1-4])"}], "twin 2 smith", "2"),
        ([{"extract": r"^twin *([1-4])"}], "thomas", None),
        ([{"remove_words": ["mr", "jnr"]}, "squash_spaces"], "mr john smith jnr", "john smith"),
        (["first_word"], "anna maria", "anna"),
        (["trim"], "   ", None),
        (["lower", "sort_words"], "Maria da Silva Maria", "da maria silva"),
    ],
)
def test_steps_turn_a_value_into_its_standard_form(
    steps: list[Any], given: str, expected: str | None
) -> None:
    column = Column.model_validate({"steps": steps})
    assert _value(column_sql(column, literal(given))) == expected


NHS = {"weights": [10, 9, 8, 7, 6, 5, 4, 3, 2, 1], "modulus": 11}  # NHS Data Dictionary
LUHN = {"weights": [2, 1] * 5, "modulus": 10, "sum_digits": True}  # ISO/IEC 7812-1, annex B


@pytest.mark.parametrize(
    ("setting", "given", "expected"),
    [
        (NHS, "9434765919", "9434765919"),
        (NHS, "9434765918", None),
        (NHS, "943476591", None),
        (NHS, "0000000000", None),
        (NHS, "94347659x9", None),
        (LUHN, "8112289874", "8112289874"),
        (LUHN, "8112289873", None),
        (LUHN, "8112298874", None),
    ],
)
def test_a_number_whose_check_digit_is_wrong_is_missing(
    setting: dict[str, Any], given: str, expected: str | None
) -> None:
    column = Column.model_validate({"steps": [{"check_digit": setting}]})
    assert _value(column_sql(column, literal(given))) == expected


@pytest.mark.parametrize(
    ("part", "given", "expected"),
    [
        ("outward", "'XF12AB'", "XF1"),
        ("outward", "'XF'", None),
        ("initial", "'mary'", "m"),
        ("year_month", "DATE '2020-03-09'", 2020 * 12 + 3),
        ("month_day", "DATE '2020-03-09'", 3 * 31 + 9),
        ("skeleton", "'mohammed'", "mhmd"),
        ("skeleton", "'muhammad'", "mhmd"),
        ("skeleton", "'ayesha'", "ash"),
        ("skeleton", "'aisha'", "ash"),
        ("skeleton", "'omer'", "amr"),
        ("skeleton", "'umar'", "amr"),
        ("skeleton", "'sophie'", "sf"),
        ("skeleton", "'kaitlyn'", "ktln"),
        ("skeleton", "'caitlin'", "ktln"),
        ("long_skeleton", "'maya'", None),
        ("long_skeleton", "'inayah'", "anh"),
    ],
)
def test_parts_take_out_what_blocks_need(part: str, given: str, expected: Any) -> None:
    assert _value(part_sql(part, given)) == expected


def test_text_dates_are_read_by_their_format_and_bad_ones_are_missing() -> None:
    column = Column.model_validate({"type": "date", "steps": [{"parse_date": "%Y%m%d"}]})
    assert str(_value(column_sql(column, "'20200309'"))) == "2020-03-09"
    assert _value(column_sql(column, "'20201399'")) is None
    several = [{"parse_date": ["%d-%m-%Y", "%Y/%m/%d"]}]
    column = Column.model_validate({"type": "date", "steps": several})
    assert str(_value(column_sql(column, "'09-03-2020'"))) == "2020-03-09"
    assert str(_value(column_sql(column, "'2020/03/09'"))) == "2020-03-09"
    assert _value(column_sql(column, "'00-00-2020'")) is None


@pytest.mark.parametrize(
    "step",
    ["polish", {"lower": "x"}, {"replace": "x"}, {"null_if_matches": ["a"]}, {"check_digit": "x"}],
)
def test_an_unknown_step_or_a_wrong_setting_is_refused(step: Any) -> None:
    with pytest.raises(LinkageError, match="step"):
        apply_steps("x", [Step.model_validate(step)])
