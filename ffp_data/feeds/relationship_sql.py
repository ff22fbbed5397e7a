"""SQL of identity.relationships: who is tied to whom, by id or by name alone, as the contracts declare it."""

from __future__ import annotations

from collections.abc import Iterator

from ffp_data.feeds.contract import Contract
from ffp_data.feeds.contract_table import Relationship, Table
from ffp_data.feeds.people import KEY_PREFIX, is_known, is_meant
from ffp_data.feeds.registry import code_lists
from ffp_data.sql_text import literal

RELATIONSHIP_COLUMNS = {
    "record_key": "VARCHAR",
    "related_record_key": "VARCHAR",
    "related_name": "VARCHAR",
    "relationship": "VARCHAR",
    "source": "VARCHAR",
    "from_date": "DATE",
    "to_date": "DATE",
    "delivery_id": "VARCHAR",
    "line": "BIGINT",
}


def relationship_sql(contract: Contract, table: Table, tie: Relationship) -> Iterator[str]:
    """Ties by id; ties to a name alone; both where some rows of a list of people are only names."""
    wanted = is_meant(table)
    other = _key_of_other(tie) if tie.related_key else "NULL"
    if tie.related_key:
        known = f"{wanted} AND {is_known(table, 'i')} AND {other} IS NOT NULL"
        yield _tie(contract, table, ("r.record_key", other, "NULL", _word(table, tie)), known)
    if tie.name:
        whose, word = ("r.record_key", tie.word) if not tie.related_key else (other, "meaning")
        name = f"nullif(concat_ws(' ', {', '.join(f'i.{part}' for part in tie.name)}), '')"
        only_named = f"NOT ({is_known(table, 'i')})" if tie.related_key else "true"
        named = f"{wanted} AND {only_named} AND {whose} IS NOT NULL AND {name} IS NOT NULL"
        yield _tie(contract, table, (whose, "NULL", name, _word(table, tie, word)), named)


def _tie(contract: Contract, table: Table, said: tuple[str, str, str, str], where: str) -> str:
    """Rows of identity.relationships: `said` is whose, other's key, other's name, what the other is."""
    whose, other, name, word = said
    rows = f"{contract.raw_name(table)} r"
    if table.identity:
        element = ", _element" if table.is_numbered else ""
        rows += f" JOIN {contract.identity_name(table)} i USING (_delivery_id, _line{element})"
    return (
        f"SELECT {whose} AS record_key, {other}::VARCHAR AS related_record_key,"
        f" {name}::VARCHAR AS related_name, {word} AS relationship,"
        f" {literal(f'{contract.id}.{table.name}')} AS source, NULL::DATE AS from_date,"
        f" NULL::DATE AS to_date, _delivery_id AS delivery_id, _line AS line FROM {rows} WHERE {where}"
    )


def _key_of_other(tie: Relationship) -> str:
    """The other person is of the same system as the row's own."""
    prefix = f"regexp_extract(r.record_key, {literal(KEY_PREFIX)})"
    return f"{prefix} || " + " || ':' || ".join(f"r.{name}" for name in tie.related_key)


def _word(table: Table, tie: Relationship, word: str | None = None) -> str:
    """What the other person is: fixed, as sent, or the word of the code's list."""
    if tie.type is None:
        return literal(tie.fixed or "")
    codes = table.by_name[tie.type].codes
    if not isinstance(codes, str):
        return f"r.{tie.type}"
    words = {
        code: entry.get(word or tie.word, code) if isinstance(entry, dict) else entry
        for code, entry in code_lists()[codes].values.items()
    }
    pairs = ", ".join(f"{literal(code)}: {literal(text)}" for code, text in words.items())
    return f"MAP {{{pairs}}}[r.{tie.type}]"
