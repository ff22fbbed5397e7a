"""Tables come in as Arrow, Parquet or CSV; what cannot be read is one clear error.

A CSV has a header, double quotes, UTF-8 and any usual separator (comma, semicolon, tab, pipe). All
its values are text: whether 007 is a number is for the model to say, not for the first rows.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from linkage.errors import LinkageError
from linkage.spec import repeated
from linkage.sql_text import literal

_READERS = {
    ".parquet": "read_parquet({})",
    ".csv": "read_csv({}, delim = '{}', quote = '\"', escape = '\"', comment = '', skip = 0,"
    " header = true, all_varchar = true)",
}
_NOT_UTF8 = "the text is not UTF-8; save the file in that encoding"
_SEPARATORS = (",", ";", "\t", "|")


def register(
    con: duckdb.DuckDBPyConnection, records: pa.Table | Path | str, name: str = "input"
) -> None:
    """Make a table or file known to a connection under a name; raises LinkageError.

    Values are read later: put what reads them into ``reading``.
    """
    if isinstance(records, pa.Table):
        con.register(name, records)
        return
    path = Path(records)
    if not path.is_file():
        raise LinkageError(f"{path}: no such file")
    suffix = path.suffix.lower()
    if suffix not in _READERS:
        raise LinkageError(f"{path}: give records as .parquet or .csv")
    separator = _separator(path) if suffix == ".csv" else ""
    reader = _READERS[suffix].format(literal(path), separator)
    with reading(path, duckdb.BinderException):
        con.execute(f"CREATE VIEW {name} AS SELECT * FROM {reader}")


def _separator(path: Path) -> str:
    """The separator that the header of a CSV has most of; raises LinkageError for a bad header."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            line = file.readline()
    except UnicodeDecodeError as error:
        raise LinkageError(f"{path}: {_NOT_UTF8}") from error
    if not line.strip():
        raise LinkageError(f"{path}: the first line is empty; it names the columns")
    separator = max(_SEPARATORS, key=line.count)
    names = next(csv.reader([line], delimiter=separator))
    if twice := repeated(n.strip().lower() for n in names):
        raise LinkageError(f"{path}, line 1: {twice} names more than one column; rename one")
    return separator


@contextmanager
def reading(records: pa.Table | Path | str, *more: type[duckdb.Error]) -> Iterator[None]:
    """Turn what DuckDB says of an unreadable file into a LinkageError without the file's values."""
    expected: tuple[type[duckdb.Error], ...] = (duckdb.InvalidInputException, duckdb.IOException)
    try:
        yield
    except (*expected, *more) as error:
        if isinstance(records, pa.Table):
            raise
        # Not "from error": DuckDB quotes the line, and a line is a person.
        raise LinkageError(_explained(Path(records), str(error))) from None


def _explained(path: Path, said: str) -> str:
    if path.suffix.lower() != ".csv":
        return f"{path}: cannot be read as {path.suffix[1:].lower()}"
    line = re.search(r"CSV Error on Line: (\d+)", said)
    place = f"{path}, line {line[1]}" if line else str(path)
    if "not utf-8 encoded" in said:
        return f"{place}: {_NOT_UTF8}"
    return (
        f"{place}: cannot be read as csv: every line needs as many values as the header, and a value "
        'with a separator, a quote or a line break stands in "double quotes"'
    )


def read(path: Path | str) -> pa.Table:
    """A whole .parquet or .csv file; raises LinkageError."""
    with duckdb.connect(":memory:", config={"temp_file_encryption": "true"}) as con:
        register(con, path)
        with reading(path):
            return con.execute("SELECT * FROM input").to_arrow_table()
