"""No error that quotes a value leaves a step or a command with that value."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from ffp_data.cli.main import Commands
from ffp_data.error_words import UntoldError, careful, step, told
from ffp_data.home.run import NoDayError

NAME = "Zquorvane"
QUOTING: dict[str, Callable[[], Any]] = {
    "a cast of a text": lambda: duckdb.sql(f"SELECT CAST('{NAME}' AS INTEGER)").fetchall(),
    "a date that is none": lambda: duckdb.sql(f"SELECT strptime('{NAME}', '%Y')").fetchall(),
    "a key that stands twice": lambda: duckdb.connect().execute(
        f"CREATE TABLE t (k VARCHAR PRIMARY KEY); INSERT INTO t VALUES ('{NAME}'), ('{NAME}')"
    ),
    "a key that is missing": lambda: {}[NAME],
    "a number that is none": lambda: int(NAME),
    "bytes that are no text": lambda: f"{NAME}é".encode("latin-1").decode("utf-8"),
}


def _all_told(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


@pytest.mark.control("D06")
@pytest.mark.parametrize("what", QUOTING)
def test_an_error_that_quotes_a_value_leaves_a_step_without_it(what: str) -> None:
    quoting = QUOTING[what]

    @step
    def failing() -> None:
        quoting()

    with pytest.raises(UntoldError, match="not told") as caught:
        failing()
    text = _all_told(caught.value)
    lines = [line for line in text.splitlines() if NAME in line and "lambda" not in line]
    assert [line for line in lines if not line.strip().startswith(('f"', "_all"))] == []
    assert "test_error_words.py" in text  # where it happened is told


def test_a_step_that_yields_is_careful_too() -> None:
    @step
    def failing() -> Iterator[int]:
        yield 1
        int(NAME)

    steps = failing()
    assert next(steps) == 1
    with pytest.raises(UntoldError):
        next(steps)


def test_our_own_words_are_told_whole_and_what_stood_behind_them_is_not() -> None:
    @step
    def failing() -> None:
        try:
            int(NAME)
        except ValueError as error:
            raise NoDayError("row 3 has no number; mend it") from error

    with pytest.raises(NoDayError) as caught:
        failing()
    assert "row 3 has no number" in _all_told(caught.value)
    assert NAME not in _all_told(caught.value)


def test_dbts_words_of_a_failed_model_keep_model_and_kind_and_lose_the_value() -> None:
    text = (
        "Runtime Error in model children (models/children.sql)\n"
        f"  Conversion Error: Could not convert string '{NAME}\nX' to INT32 when casting from source column pers_dob\n"
        f"LINE 1: {NAME}"
    )
    assert told(text) == (
        "Runtime Error in model children (models/children.sql)\n"
        "  Conversion Error in column pers_dob: its words quote a value, so they are not told"
    )
    kept = "Runtime Error in model children\n  Catalog Error: Table with name x does not exist!"
    assert told(kept) == kept


@given(st.text(max_size=20))
def test_whatever_the_value_it_is_not_told(value: str) -> None:
    words = str(careful(ValueError(f"begin {value}Q end")))
    assert f"{value}Q" not in words


def test_a_command_that_breaks_tells_its_place_and_no_value() -> None:
    app = typer.Typer(cls=Commands)

    @app.command()
    def one() -> None:
        int(NAME)

    @app.command()
    def two() -> None:
        raise typer.Exit(3)

    broken = CliRunner().invoke(app, ["one"])
    assert isinstance(broken.exception, UntoldError)
    assert NAME not in _all_told(broken.exception).replace("int(NAME)", "")
    assert CliRunner().invoke(app, ["two"]).exit_code == 3


def test_every_step_of_the_graph_is_careful() -> None:
    from assets.definitions import defs  # noqa: PLC0415 - takes seconds

    functions = {
        asset.key.to_user_string()
        if len(asset.keys) == 1
        else asset.op.name: asset.op.compute_fn.decorated_fn
        for asset in defs.assets or []
    }
    assert [
        name for name, function in functions.items() if not hasattr(function, "__wrapped__")
    ] == []
