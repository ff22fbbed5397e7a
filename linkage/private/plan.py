"""Which tokens a record needs for a model, each as an SQL text over the standardised columns.

A token is the HMAC of such a text under the key of its purpose, so two tokens are equal when the
texts are, and a text of several components carries the length of each, so that no two lists of
components give one text. Nothing else of a record leaves the partner: what no rule and no test
reads is not in the plan. A salted column's texts begin with the salt, and are missing without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from linkage.model import domain_of
from linkage.private.settings import Discovery, similar_columns, tests_of
from linkage.spec import Condition, Key
from linkage.standardise import part_sql

Shape = Literal["token", "tokens", "filter"]
DATE_KINDS = {"no_year": "%m-%d", "no_day": "%Y-%m", "no_month": "%Y-%d"}


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
    column: str = ""  # the model's column, for errors


def value_name(column: str) -> str:
    """Column of the token file for a value's token."""
    return f"value_{column}"


def filter_name(column: str) -> str:
    """Column of the token file for a value's Bloom filter."""
    return f"filter_{column}"


def part_name(column: str, part: str) -> str:
    """Column of the token file for the token of a part of a value."""
    return f"part_{column}__{part}"


def words_name(column: str, least: int) -> str:
    """Column of the token file for the tokens of a value's words."""
    return f"words_{column}__{least}"


def groups_name(column: str) -> str:
    """Column of the token file for the tokens of a value's groups of equivalents."""
    return f"groups_{column}"


def date_name(column: str, kind: str) -> str:
    """Column of the token file for a rewritten date: ``swapped``, or all but one part."""
    return f"date_{column}__{kind}"


def salt_name(column: str) -> str:
    """Column of the token file for the token of a column's salt."""
    return f"salt_{column}"


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
        yield from (_value(discovery, column) for column in comparison.columns)
    for test in tests_of(model):
        yield from _of_test(discovery, test)
    for column, key in discovery.settings.salt.items():
        # Two salted values can be compared where their salts agree, so the hub must see when.
        yield Item(salt_name(column), f"salt/{_key_text(key)}", _components((key,)), column=column)
    for index, rule in enumerate(model.blocking):
        purpose = f"rule/{index}"
        yield Item(rule_name(index), purpose, _components(rule.equal), column=rule.name)
        if rule.with_:
            sql = _components(rule.with_)
            yield Item(rule_name(index, True), purpose, sql, column=rule.name)


def _of_test(discovery: Discovery, test: Condition) -> Iterator[Item]:
    if test.kind in _DERIVED:
        yield from _DERIVED[test.kind](discovery, test)
    elif similar_columns(test):
        yield from (_filter(discovery, column) for column in similar_columns(test))
    else:
        yield from (_value(discovery, column) for column in test.columns())


def _words(discovery: Discovery, test: Condition) -> Iterator[Item]:
    assert test.shares_word
    least = test.shares_word.min_letters
    for column in (test.shares_word.column, test.shares_word.in_ or test.shares_word.column):
        words = f"list_filter(string_split({column}, ' '), lambda w: length(w) >= {least})"
        sql = f"list_distinct({words})"
        yield _salted(discovery, column, words_name(column, least), "words", sql, "tokens")


def _groups(discovery: Discovery, test: Condition) -> Iterator[Item]:
    column = str(test.equivalent)
    name, table = groups_name(column), discovery.linkage.columns[column].equivalents
    yield _salted(discovery, column, name, f"groups/{table}", name, "tokens")


def _part(discovery: Discovery, test: Condition) -> Iterator[Item]:
    assert test.same_part
    column, part = test.same_part.column, test.same_part.part
    sql = f"({part_sql(part, column)})::VARCHAR"
    yield _salted(discovery, column, part_name(column, part), f"part/{part}", sql)


def _swapped_date(discovery: Discovery, test: Condition) -> Iterator[Item]:
    """9 March as 3 September: equal to the other's token where day and month were exchanged."""
    column = str(test.day_month_swapped)
    yield _value(discovery, column)
    sql = f"strftime({column}, '%Y-%d-%m')"
    yield _salted(discovery, column, date_name(column, "swapped"), "value", sql)


def _dates_less_a_part(discovery: Discovery, test: Condition) -> Iterator[Item]:
    column = str(test.one_date_part_differs)
    for kind, form in DATE_KINDS.items():
        sql = f"strftime({column}, '{form}')"
        yield _salted(discovery, column, date_name(column, kind), f"date/{kind}", sql)


_DERIVED: dict[str, Callable[[Discovery, Condition], Iterator[Item]]] = {
    "shares_word": _words,
    "equivalent": _groups,
    "same_part": _part,
    "day_month_swapped": _swapped_date,
    "one_date_part_differs": _dates_less_a_part,
}


def _value(discovery: Discovery, column: str) -> Item:
    """The token of a value, or its filter where the column has one: a filter tells equality too."""
    if column in discovery.settings.filters:
        return _filter(discovery, column)
    dated = discovery.linkage.columns[column].type == "date"
    sql = f"strftime({column}, '%Y-%m-%d')" if dated else column
    return _salted(discovery, column, value_name(column), "value", sql)


def _filter(discovery: Discovery, column: str) -> Item:
    purpose = f"filter/{domain_of(discovery.linkage, column)}"
    salt = discovery.settings.salt.get(column)
    salt_sql = _components((salt,)) if salt else None
    return Item(filter_name(column), purpose, column, "filter", salt_sql, column)


def _salted(
    discovery: Discovery, column: str, name: str, purpose: str, sql: str, shape: Shape = "token"
) -> Item:
    """A token of a column; columns of one domain share a key, as they may be compared crosswise."""
    domain = domain_of(discovery.linkage, column)
    salt = discovery.settings.salt.get(column)
    if salt:
        mixed = _components((salt,))
        if shape == "token":
            sql = f"({mixed}) || '|' || ({sql})"
        else:
            sql = f"list_transform({sql}, lambda w: ({mixed}) || '|' || w::VARCHAR)"
    return Item(name, f"{purpose}/{domain}", sql, shape, column=column)


def _key_text(key: Key) -> str:
    return f"{key.column}.{key.part}" if key.part else key.column


def _components(keys: tuple[Key, ...]) -> str:
    """One text of all components, each after its length; missing when one of them is."""
    texts = [f"({part_sql(k.part, k.column) if k.part else k.column})::VARCHAR" for k in keys]
    return " || ".join(f"length({t})::VARCHAR || ':' || {t}" for t in texts)
