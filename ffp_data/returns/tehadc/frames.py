"""Rows of the TEHADC model as the profile's columns ask for them, in one fixed order.

A frame has one row for each row of its table, with the child's and the episode's values beside
it. Values of a list (disability) are joined by `|`, as the columns with several values are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb

from ffp_data.returns.layout import Item
from ffp_data.returns.tehadc.model import COHORT
from ffp_data.returns.tehadc.profile import CsvFile, Flat, Profile, Repeated
from ffp_data.returns.xml_writer import xml_text

CHILDREN, EPISODES = "tehadc_children", "tehadc_episodes"
_PLACES = (("First", "ASC"), ("Latest", "DESC"))


@dataclass(frozen=True)
class Frame:
    """Headings and rows of text; `types` are the item types of the columns."""

    headings: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class _Column:
    heading: str
    expression: str
    item: Item


def read_file(model: duckdb.DuckDBPyConnection, profile: Profile, file: CsvFile) -> Frame:
    """Frame of one file of the CSV set."""
    columns = [_column(profile, element) for element in _written(profile, file.columns)]
    joins = f"FROM {COHORT}.{file.table} AS {file.table}\n"
    for table, keys in ((CHILDREN, "child_key"), (EPISODES, "child_key, teh_episode_id")):
        if file.table not in (CHILDREN, table):
            joins += f"LEFT JOIN {COHORT}.{table} AS {table} USING ({keys})\n"
    return _read(model, columns, joins)


def read_flat(model: duckdb.DuckDBPyConnection, profile: Profile) -> Frame:
    """Frame of the flat file: a row for each child and episode."""
    flat: Flat = profile.formats.flat
    columns = [_column(profile, element) for element in _written(profile, flat.columns)]
    joins = (
        f"FROM {COHORT}.{EPISODES} AS {EPISODES}\n"
        f"LEFT JOIN {COHORT}.{CHILDREN} AS {CHILDREN} USING (child_key)\n"
    )
    for repeated in flat.repeated:
        for place, direction in _PLACES:
            alias = f"{place}_{repeated.table}"
            joins += f"LEFT JOIN {_one_of_each(profile, repeated, direction)} AS {alias} "
            joins += "USING (child_key, teh_episode_id)\n"
            for element in _written(profile, repeated.columns):
                column = _column(profile, element)
                expression = f"{alias}.{column.item.column}"
                columns.append(_Column(place + element, expression, column.item))
    return _read(model, columns, joins)


def _one_of_each(profile: Profile, repeated: Repeated, direction: str) -> str:
    order = [profile.item(e)[1].column for e in repeated.columns]
    by = ", ".join(f"{column} {direction} NULLS LAST" for column in order)
    return (
        f"(SELECT * FROM {COHORT}.{repeated.table} "
        f"QUALIFY row_number() OVER (PARTITION BY child_key, teh_episode_id ORDER BY {by}) = 1)"
    )


def _read(model: duckdb.DuckDBPyConnection, columns: Sequence[_Column], joins: str) -> Frame:
    select = ", ".join(f'{c.expression} AS "{c.heading}"' for c in columns)
    order = ", ".join(f'"{c.heading}"' for c in columns)
    found = model.execute(f"SELECT {select} {joins} ORDER BY {order}").fetchall()
    rows = tuple(
        tuple(xml_text(value, c.item) for value, c in zip(row, columns, strict=True))
        for row in found
    )
    return Frame(tuple(c.heading for c in columns), tuple(c.item.type for c in columns), rows)


def _column(profile: Profile, element: str) -> _Column:
    table, item = profile.item(element)
    if table == "tehadc_disabilities":
        expression = (
            f"(SELECT string_agg(d.{item.column}, '|' ORDER BY d.{item.column}) "
            f"FROM {COHORT}.{table} AS d WHERE d.child_key = {CHILDREN}.child_key)"
        )
        return _Column(element, expression, item)
    return _Column(element, f"{table}.{item.column}", item)


def _written(profile: Profile, columns: Sequence[str]) -> Iterator[str]:
    return (element for element in columns if profile.item(element)[1].is_written)
