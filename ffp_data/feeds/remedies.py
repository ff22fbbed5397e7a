"""What a sender does about a value that is not as its contract says.

A remedy names what would be right: the ways to write a day, or a few of the codes, and where all of them stand. All of
it is the contract's own text; nothing of a delivery is in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ffp_data.feeds.columns import REMEDIES
from ffp_data.feeds.contract import Contract
from ffp_data.feeds.contract_table import Property, Table
from ffp_data.feeds.registry import code_lists
from ffp_data.sql_text import literal

SHOWN = 6
"""Codes that a remedy names before it points to the list."""
_LETTERS = {"%Y": "YYYY", "%y": "YY", "%m": "MM", "%d": "DD", "%b": "Mon", "%B": "Month"}


def remedy_sql(contract: Contract, table: Table) -> str:
    """SQL of the remedy for `fault`, a struct with `column` and `rule`."""
    own = ", ".join(
        f"{literal(f'{column} {rule}')}: {literal(text)}"
        for column, rule, text in own_remedies(contract, table)
    )
    general = ", ".join(f"{literal(rule)}: {literal(text)}" for rule, text in REMEDIES.items())
    told = f"MAP {{{general}}}[fault.rule]"
    if not own:
        return told
    return f"coalesce(MAP {{{own}}}[concat(fault.\"column\", ' ', fault.rule)], {told})"


def own_remedies(contract: Contract, table: Table) -> Iterator[tuple[str, str, str]]:
    """Column, rule and remedy, where the contract can say more than the rule alone."""
    for prop in table.properties:
        if prop.codes is not None:
            yield prop.name, "unknown_code", _known_codes(contract, prop)
        if isinstance(prop.codes, str) and prop.codes_at:
            where = f"valid_from and valid_to of the list {prop.codes} in ffp_data/feeds/codes.yaml say which"
            yield (
                prop.name,
                "code_not_valid_on_date",
                f"{REMEDIES['code_not_valid_on_date']}; {where}",
            )
        elif prop.codes is None and prop.logical_type == "date":
            yield prop.name, "not_a_date", _known_formats(contract)


def _known_formats(contract: Contract) -> str:
    ways = _either([_letters(each) for each in contract.hub.date_formats])
    return f"send a day that exists, written as {ways} (date_formats in the contract {contract.id})"


def _letters(wanted: str) -> str:
    """A format as people write it: DD/MM/YYYY for %d/%m/%Y."""
    for code, letters in _LETTERS.items():
        wanted = wanted.replace(code, letters)
    return wanted


def _known_codes(contract: Contract, prop: Property) -> str:
    if isinstance(prop.codes, str):
        codes: Sequence[str] = list(code_lists()[prop.codes].values)
        where = f"list {prop.codes} in ffp_data/feeds/codes.yaml"
    else:
        codes = prop.codes or ()
        where = f"codes of {prop.name} in the contract {contract.id}"
    many = f"one of {len(codes)} codes such as {', '.join(codes[:SHOWN])}"
    told = many if len(codes) > SHOWN else _either(codes)
    return f"send {told} ({where}), or ask for the code to be added"


def _either(each: Sequence[str]) -> str:
    return " or ".join([", ".join(each[:-1]), each[-1]] if len(each) > 1 else each)
