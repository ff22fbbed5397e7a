"""What may be told of an error: our own words whole, of an engine's or library's words none that quote a value.

Errors of DuckDB quote the value that did not fit ("Could not convert string 'Smith' to INT32"), those of Python
and of libraries the key or text they met; and Dagster, dbt and terminals keep what they are given. So an error
that leaves a step or a command is one of ours, whose words name key and line only, or it is told by its
kind and its place in the code.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

_OURS = ("ffp_data", "assets", "governance", "linkage", "dagster", "typer", "click")
"""Dagster's are our words in its form; the command line's repeat what its own user typed."""
_KIND = re.compile(r"\b([A-Z][A-Za-z]*(?: [A-Za-z]+)*) Error:")
_COLUMN = re.compile(r"source column ([A-Za-z_][A-Za-z0-9_]*)")
# What these say is of names in the SQL, files and memory; literals in our SQL are no people's data.
_OF_NO_VALUE = {
    "Binder",
    "Catalog",
    "Compilation",
    "Connection",
    "Database",
    "Dependency",
    "IO",
    "Not implemented",
    "Out of Memory",
    "Parser",
    "Parsing",
    "Permission",
    "Runtime",
    "TransactionContext",
}
_OF_NAMES = (OSError, ImportError, NameError, AttributeError, MemoryError, RecursionError)
"""Python's errors that speak of files, modules and names in the code."""
OVERTAKEN = "this run was overtaken: another holds the hub; nothing was built"
"""What our own SQL says (macro pass_fence): it names nobody, and without it nobody knows what to do."""
_UNTOLD = "its words quote a value, so they are not told"

Function = TypeVar("Function", bound=Callable[..., Any])


class UntoldError(Exception):
    """An error of another's making, told without the values it quotes; the traceback is the original's."""


def told(text: str) -> str:
    """An engine's message, also within dbt's words, without what follows the kind of an error that quotes values."""
    if OVERTAKEN in text:
        return OVERTAKEN
    for found in _KIND.finditer(text):
        kind = found[1]
        if kind not in _OF_NO_VALUE:
            column = _COLUMN.search(text, found.end())
            where = f" in column {column[1]}" if column else ""
            return f"{text[: found.start()]}{kind} Error{where}: {_UNTOLD}"
    return text


def careful(error: Exception) -> Exception:
    """The error itself if it is ours, else one that tells its kind and place; raise it `from None`."""
    kind = type(error)
    if kind.__module__.partition(".")[0] in _OURS or isinstance(error, _OF_NAMES):
        return error
    name = f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.").removeprefix("_")
    words = told(str(error)) if name.startswith("duckdb.") else _UNTOLD
    if name == "sqlalchemy.exc.OperationalError":
        words = str(getattr(error, "orig", _UNTOLD))  # of disk, lock and server, never of rows
    return UntoldError(f"{name}: {words}").with_traceback(error.__traceback__)


@contextmanager
def carefully() -> Iterator[None]:
    """Let no error out but a careful one."""
    try:
        yield
    except Exception as error:
        if (safe := careful(error)) is error and _is_alone(error):
            raise
        raise safe from None


def step(function: Function) -> Function:
    """A step of the graph whose errors are careful; Dagster keeps every word of them."""
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def of_generator(*args: Any, **kwargs: Any) -> Iterator[Any]:
            with carefully():
                yield from function(*args, **kwargs)

        return cast(Function, of_generator)

    @functools.wraps(function)
    def of_function(*args: Any, **kwargs: Any) -> Any:
        with carefully():
            return function(*args, **kwargs)

    return cast(Function, of_function)


def _is_alone(error: BaseException) -> bool:
    """Whether no other error stands behind it, whose words would be told with it."""
    return error.__cause__ is None and (error.__suppress_context__ or error.__context__ is None)
