"""What input an engine refuses, and what it leaves out: the same words whichever engine reads it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from linkage.errors import LinkageError
from linkage.model import Model
from linkage.spec import Comparison


def needed_columns(model: Model) -> set[str]:
    """The input's columns that a model reads."""
    named = {c.from_ or name for name, c in model.columns.items() if not c.first_of}
    return named | {model.record_id} | ({model.source} if model.source else set())


def refuse_missing(model: Model, present: Collection[str]) -> None:
    """Raise LinkageError for input without a column that the model reads."""
    missing = sorted(needed_columns(model) - set(present))
    if missing:
        raise LinkageError(
            f"{model.path or 'model'}: the records have no column {', '.join(missing)}; "
            "correct 'from' (or record_id, source) in the model, or add the column to the records"
        )


def refuse_nested(model: Model, types: Mapping[str, str]) -> None:
    """Raise LinkageError for columns of lists, records or bytes; ``types`` are DuckDB's names."""
    nested = sorted(
        f"'{name}' ({types[name].split('(')[0]})"
        for name in needed_columns(model) & set(types)
        if types[name].startswith(("STRUCT", "MAP", "UNION", "BLOB")) or types[name].endswith("]")
    )
    if nested:
        raise LinkageError(
            f"{model.path or 'model'}: columns {', '.join(nested)} hold no single values; "
            "give text, numbers or dates"
        )


def unread_dates(given: Mapping[str, int], filled: Mapping[str, int]) -> list[str]:
    """Warnings for date columns that lost values in reading; ``given`` counts those of the input."""
    return [
        f"column '{name}': {given[name] - filled[name]:,} of {given[name]:,} values were not read as a date "
        "and count as missing (placeholders, or another format: see parse_date)"
        for name in given
        if given[name] > filled[name]
    ]


def date_columns(model: Model) -> dict[str, str]:
    """Columns read as dates, each with its column of the input."""
    columns = model.columns.items()
    return {n: c.from_ or n for n, c in columns if c.type == "date" and not c.first_of}


def refuse_ids(model: Model, empty: int, repeated: int, examples: Sequence[str]) -> None:
    """Raise LinkageError for records without an id, or ids that occur more than once."""
    if empty:
        raise LinkageError(f"column '{model.record_id}': {empty} records have no id; give each one")
    if repeated:
        raise LinkageError(
            f"column '{model.record_id}': {repeated} ids occur more than once, for example "
            f"{', '.join(examples)}; keep one row for each record"
        )


def usable(
    model: Model, records: int, filled: Mapping[str, int], constant: Collection[str]
) -> tuple[tuple[Comparison, ...], dict[str, str], tuple[str, ...]]:
    """Comparisons that can speak, those that cannot and why, and warnings.

    ``filled`` is the number of values of each column; ``constant`` are the columns with one value.
    A comparison that speaks after the others (``moves``) is nothing that an engine compares.
    """
    kept, dropped, warnings = [], {}, []
    for comparison in (c for c in model.comparisons if not c.moved):
        spoken = [c for c in comparison.columns if filled[c]]
        if not spoken:
            dropped[comparison.name] = "no record has a value"
            continue
        kept.append(comparison)
        if set(spoken) <= set(constant) and max(filled[c] for c in spoken) > 1:
            warnings.append(f"comparison '{comparison.name}': all values are equal, no evidence")
    if not kept and records:
        raise LinkageError("no column that the model compares has a value; check 'columns'")
    return tuple(kept), dropped, tuple(warnings)
