"""SQL that turns the text of a column into its declared type, and says why when it cannot.

Each column has two expressions. `text`: what was sent, trimmed, with empty text and placeholders as
NULL. `value`: the typed value, NULL when the text is not of the type, not in the code list or not of
the pattern. So `text IS NOT NULL AND value IS NULL` is the one test of a fault, the same for every
type, and `rule` names it. Expressions avoid regular expressions where millions of rows pass.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from ffp_data.feeds.contract import Contract
from ffp_data.feeds.contract_table import Property
from ffp_data.feeds.registry import code_lists
from ffp_data.sql_text import literal, literals

SQL_TYPES = {
    "string": "VARCHAR",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "object": "VARCHAR",
}

# Nobody a safeguarding partnership writes about was born before 1880; a plan may look ahead.
FIRST_YEAR, LAST_YEAR = 1880, 2100

_CLOCK = r"[ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?"
_ZONED = r".*:.*[+-]\d{2}:?\d{2}"

# Characters that show a text other than it is: control characters, and marks that turn its direction.
# The marks that Arabic, Hebrew and Urdu need to be written rightly are not among them.
CONTROLS = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x{202a}-\x{202e}\x{2066}-\x{2069}]"
LONGEST_TEXT = 64 << 10
"""Bytes of the longest text that is taken; a case note is a page, not a book."""

TRUE_WORDS = ("true", "yes", "y", "t", "1")
FALSE_WORDS = ("false", "no", "n", "f", "0")

REMEDIES = {
    "required": "send a value: without it the row cannot be used",
    "not_a_date": "send a day that exists, in a format of the contract",
    "not_a_timestamp": "write times as YYYY-MM-DDTHH:MM:SSZ",
    "not_an_integer": "send whole digits only",
    "not_a_number": "send digits with a decimal point",
    "not_a_boolean": "send true or false",
    "invalid_json": "escape quotes and line ends, and send the whole text",
    "control_character": "remove the control characters from the value",
    "value_too_long": f"send at most {LONGEST_TEXT // 1024} KiB in one value",
    "not_a_reference": "refer to the resource as Type/id, of the type that the contract names",
    "pattern": "send the value in the form that the contract's pattern gives",
    "unknown_code": "send a code of the contract's list, or ask for the code to be added",
    "code_not_valid_on_date": "use the code that was in force on that day",
}


@dataclass(frozen=True)
class Column:
    """The expressions of one property: `text` over the reader's rows, `value` and `rule` over text."""

    name: str
    text: str
    value: str
    rule: str
    required: bool
    excused: str | None = None
    """Condition under which a row may lack the value although it is required."""

    @property
    def fault(self) -> str:
        """True when the text was sent but is not valid; or missing although required."""
        wrong = f"(t_{self.name} IS NOT NULL AND v_{self.name} IS NULL)"
        if not self.required:
            return wrong
        missing = f"v_{self.name} IS NULL"
        return f"({missing} AND ({wrong} OR NOT {self.excused}))" if self.excused else missing


def column(contract: Contract, prop: Property, source: str, screened: bool = False) -> Column:
    """The column of `prop`, whose text the reader offers as SQL expression `source`.

    `screened`: the reader knows that the file holds no control characters.
    """
    text = _text(contract, prop, source)
    value, rule = _value(contract, prop, f"t_{prop.name}", screened)
    rule = f"CASE WHEN t_{prop.name} IS NULL THEN 'required' ELSE {rule} END"
    return Column(prop.name, text, value, rule, prop.required)


def _text(contract: Contract, prop: Property, source: str) -> str:
    # Few values have blanks at their ends: a look is cheaper than a trim of all.
    blank = f"({source} LIKE ' %' OR {source} LIKE '% ')"
    text = (
        f"CASE WHEN {blank} THEN nullif(trim({source}), '') WHEN {source} <> '' THEN {source} END"
    )
    if placeholders := contract.hub.placeholders:
        said = _one_of(text, placeholders)
        if prop.logical_type in ("date", "timestamp"):
            # A database writes its placeholder day with a time: 1900-01-01 00:00:00.000.
            said = f"({said} OR {_one_of(f'left({text}, 10)', placeholders)})"
        text = f"CASE WHEN NOT {said} THEN {text} END"
    return text


def _value(contract: Contract, prop: Property, text: str, screened: bool) -> tuple[str, str]:
    """Value expression and rule expression of a property."""
    if prop.codes is not None:
        return _coded(prop, text)
    if prop.reference:
        return _referred(prop.reference, text), "'not_a_reference'"
    if prop.logical_type == "string":
        if prop.pattern is None:
            return _free(text, screened)
        return (
            f"CASE WHEN regexp_full_match({text}, {literal(prop.pattern)}) THEN {text} END",
            "'pattern'",
        )
    value, rule = {
        "date": (_date(contract, text), "not_a_date"),
        "timestamp": (_timestamp(contract, text), "not_a_timestamp"),
        "integer": (_digits(text, r"[+-]?\d{1,18}", "BIGINT"), "not_an_integer"),
        "number": (_digits(text, r"[+-]?\d{1,15}(\.\d+)?", "DOUBLE"), "not_a_number"),
        "boolean": (_boolean(text), "not_a_boolean"),
        "object": (f"CASE WHEN json_valid({text}) THEN {text} END", "invalid_json"),
    }[prop.logical_type]
    return value, literal(rule)


def _referred(kind: str, text: str) -> str:
    """The id in a FHIR reference: Patient/123, a URL that ends so, either with the version that was meant."""
    pattern = literal(f"^(?:.*/)?{kind}/([^/#?]{{1,64}})(?:/_history/[^/#?]{{1,64}})?$")
    return f"nullif(regexp_extract({text}, {pattern}, 1), '')"


def _free(text: str, screened: bool) -> tuple[str, str]:
    """Any text that a person could have written and read. Its length is known without reading it."""
    short = f"strlen({text}) <= {LONGEST_TEXT}"
    if screened:
        return f"CASE WHEN {short} THEN {text} END", "'value_too_long'"
    clean = f"NOT regexp_matches({text}, {literal(CONTROLS)})"
    rule = f"CASE WHEN {short} THEN 'control_character' ELSE 'value_too_long' END"
    return f"CASE WHEN {short} AND {clean} THEN {text} END", rule


def _date(contract: Contract, text: str) -> str:
    """A day, also when the sender appends a time of day; the day is taken as written."""
    formats = literals(contract.hub.date_formats)
    day = (
        f"CASE WHEN length({text}) <= 10 THEN try_strptime({text}, [{formats}])"
        f" WHEN regexp_full_match(substr({text}, 11), {literal(_CLOCK)})"
        f" THEN try_strptime(left({text}, 10), [{formats}]) END"
    )
    return _plausible(f"({day})::DATE")


def _timestamp(contract: Contract, text: str) -> str:
    """An instant in UTC when the zone is written, else the clock time as written."""
    own = [f"{d} %H:%M:%S" for d in contract.hub.date_formats]
    own += [f"{d} %H:%M" for d in contract.hub.date_formats]
    value = (
        f"CASE WHEN right({text}, 1) <> 'Z' AND regexp_full_match({text}, {literal(_ZONED)})"
        f" THEN (try_cast({text} AS TIMESTAMPTZ) AT TIME ZONE 'UTC')"
        f" ELSE coalesce(try_cast({text} AS TIMESTAMP), try_strptime({text}, [{literals(own)}])) END"
    )
    return _plausible(f"({value})", extra=f" AND left({text}, 1) BETWEEN '0' AND '9'")


def _plausible(value: str, extra: str = "") -> str:
    return f"CASE WHEN year({value}) BETWEEN {FIRST_YEAR} AND {LAST_YEAR}{extra} THEN {value} END"


def _digits(text: str, pattern: str, sql_type: str) -> str:
    return f"CASE WHEN regexp_full_match({text}, {literal(pattern)}) THEN try_cast({text} AS {sql_type}) END"


def _boolean(text: str) -> str:
    lowered = f"lower({text})"
    yes, no = _one_of(lowered, TRUE_WORDS), _one_of(lowered, FALSE_WORDS)
    return f"CASE WHEN {yes} THEN true WHEN {no} THEN false END"


def _coded(prop: Property, text: str) -> tuple[str, str]:
    """A code in its listed spelling; a code sent in other letters than listed is put right."""
    periods = _periods(prop)
    every = [code for codes in periods.values() for code in codes]
    spelt = _spelling(every, text)
    if prop.codes_at is None:
        return spelt, "'unknown_code'"
    allowed = " OR ".join(
        _in_force(codes, period, prop.codes_at, spelt) for period, codes in periods.items()
    )
    rule = f"CASE WHEN {spelt} IS NULL THEN 'unknown_code' ELSE 'code_not_valid_on_date' END"
    return f"CASE WHEN {allowed} THEN {spelt} END", rule


def _one_of(text: str, codes: Iterable[str]) -> str:
    """Whether `text` is one of `codes`.

    Not with IN, which DuckDB 1.5 turns into a join for each list and mention: many small joins in
    every load, and rows that leave them in another order.
    """
    return f"list_contains([{literals(codes)}], {text})"


def _periods(prop: Property) -> dict[tuple[date | None, date | None], tuple[str, ...]]:
    if isinstance(prop.codes, str):
        return code_lists()[prop.codes].periods()
    return {(None, None): prop.codes or ()}


def _spelling(codes: list[str], text: str) -> str:
    exact = _one_of(text, codes)
    lowered = [code.lower() for code in codes]
    if len(set(lowered)) < len(codes) or all(
        code == code.upper() == code.lower() for code in codes
    ):
        return f"CASE WHEN {exact} THEN {text} END"
    place = f"list_position([{literals(lowered)}], lower({text}))"
    return f"CASE WHEN {exact} THEN {text} ELSE ([{literals(codes)}])[{place}] END"


def _in_force(
    codes: tuple[str, ...], period: tuple[date | None, date | None], day: str, text: str
) -> str:
    """A code is accepted when the day is unknown: the day's own fault then tells of the row."""
    first, last = period
    tests = [_one_of(text, codes)]
    tests += [f"v_{day} >= DATE '{first}'"] if first else []
    tests += [f"v_{day} <= DATE '{last}'"] if last else []
    return f"({' AND '.join(tests)})"
