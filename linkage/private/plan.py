"""Which tokens a record needs for a model, each as an SQL text over the standardised columns.

A token is the HMAC of such a text under the key of its purpose, so two tokens are equal when the
texts are, and a text of several components carries the length of each, so that no two lists of
components give one text. Nothing else of a record leaves the partner: what no rule and no test
reads is not in the plan. A salted column's texts begin with the salt, and are missing without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from linkage.derived import VALUE
from linkage.kinds import kind_of
from linkage.model import domain_of
from linkage.private.settings import Discovery, tests_of
from linkage.spec import Condition, Key
from linkage.standardise import part_sql

SALT = "salt_"
Shape = Literal["token", "tokens", "filter"]


@dataclass(frozen=True)
class Item:
    """A column of the token file: its key's purpose, and SQL for its text, texts or filtered text.

    ``salt`` is SQL for what a filter's grams are mixed with; tokens have it in their text.
    """

    name: str
    purpose: str
    sql: str
    shape: Shape = "token"
    salt: str | None = None
    column: str = ""  # the model's column or rule, for errors
    is_salted: bool = False


def filter_name(column: str) -> str:
    """Column of the token file for a value's Bloom filter."""
    return f"filter_{column}"


def salt_name(salt: Key) -> str:
    """Column of the token file for the token of a salt."""
    return SALT + (f"{salt.column}__{salt.part}" if salt.part else salt.column)


def salted_name(name: str, way: int) -> str:
    """Column of the token file for a salted token, under the first, second, ... salt."""
    return f"{name}__by{way}"


def rule_name(index: int, other: bool = False) -> str:
    """Column of the token file for a blocking rule's token."""
    return f"rule_{index}{'x' if other else ''}"


def plan(discovery: Discovery) -> tuple[Item, ...]:
    """Every column of the token file, without repetition, in the order of their names."""
    found = {item.name: item for item in _items(discovery)}
    return tuple(found[name] for name in sorted(found))


def _items(discovery: Discovery) -> Iterator[Item]:
    model = discovery.linkage
    for comparison in model.comparisons:
        for column in comparison.columns:
            yield from _value(discovery, column)
    for test in tests_of(model):
        yield from _of_test(discovery, test)
    for salt in (s for salts in discovery.settings.salt.values() for s in salts):
        # Two salted values can be compared where their salts agree, so the hub must see when.
        yield Item(
            salt_name(salt), salt_name(salt), _salt(salt), column=salt.column, is_salted=True
        )
    for index, rule in enumerate(model.blocking):
        purpose = f"rule/{index}"
        own = _components(rule.equal)
        if rule.where_missing:
            own = f"CASE WHEN {rule.where_missing} IS NULL THEN {own} END"
        yield Item(rule_name(index), purpose, own, column=rule.name)
        if rule.with_:
            sql = _components(rule.with_)
            yield Item(rule_name(index, True), purpose, sql, column=rule.name)


def _of_test(discovery: Discovery, test: Condition) -> Iterator[Item]:
    for text in kind_of(test).tokens():
        for column in test.columns():
            if text is VALUE or text.meets_value:
                yield from _value(discovery, column)
            if text is not VALUE:
                table = discovery.linkage.columns[column].equivalents
                purpose = text.purpose.format(table=table)
                name, sql = text.name(column), text.sql(column)
                yield from _salted(discovery, column, name, purpose, sql, text.shape)


def _value(discovery: Discovery, column: str) -> Iterator[Item]:
    """The token of a value, or its filter where the column has one: a filter tells equality too."""
    if column in discovery.settings.filters:
        yield from _salted(discovery, column, filter_name(column), "filter", column, "filter")
        return
    dated = discovery.linkage.columns[column].type == "date"
    sql = f"strftime({column}, '%Y-%m-%d')" if dated else column
    yield from _salted(discovery, column, VALUE.name(column), "value", sql)


def _salted(
    discovery: Discovery, column: str, name: str, purpose: str, sql: str, shape: Shape = "token"
) -> Iterator[Item]:
    """A token of a column under each of its salts, or one without.

    Columns of one domain share a key, as they may be compared crosswise.
    """
    purpose = f"{purpose}/{domain_of(discovery.linkage, column)}"
    salts = discovery.settings.salt.get(column, ())
    if not salts:
        yield Item(name, purpose, sql, shape, column=column)
    for way, salt in enumerate(salts):
        mixed, purpose_of_way = _salt(salt), f"{purpose}/{salt_name(salt)}"
        name_of_way = salted_name(name, way)
        if shape == "filter":
            yield Item(name_of_way, purpose_of_way, sql, shape, mixed, column, True)
        elif shape == "token":
            text = f"({mixed}) || '|' || ({sql})"
            yield Item(name_of_way, purpose_of_way, text, shape, None, column, True)
        else:
            texts = f"list_transform({sql}, lambda w: ({mixed}) || '|' || w::VARCHAR)"
            texts = f"CASE WHEN ({mixed}) IS NOT NULL THEN {texts} END"
            yield Item(name_of_way, purpose_of_way, texts, shape, None, column, True)


def _salt(salt: Key) -> str:
    """The text of a salt. A birthday is one with day and month exchanged, a common slip."""
    if salt.part == "month_day":
        month, day = f"month({salt.column})", f"day({salt.column})"
        return f"(least({month}, {day}) * 31 + greatest({month}, {day}))::VARCHAR"
    return _components((salt,))


def _components(keys: tuple[Key, ...]) -> str:
    """One text of all components, each after its length; missing when one of them is."""
    texts = [f"({part_sql(k.part, k.column) if k.part else k.column})::VARCHAR" for k in keys]
    return " || ".join(f"length({t})::VARCHAR || ':' || {t}" for t in texts)
