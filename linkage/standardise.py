"""Named standardisation steps and named parts of values, as SQL expressions over one value.

A column of a model is a list of such names, so that what was done to a name or a postcode can be
read in the model file. Each step takes an SQL expression and returns one; empty text becomes NULL
after the last step. Parts (``outward``, ``skeleton``, ``year``) serve blocking keys and levels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from linkage.errors import LinkageError
from linkage.spec import CheckDigit, Column, Replace, Step
from linkage.sql_text import literal

Setting = str | tuple[str, ...] | Replace | CheckDigit | None


def _pattern(expression: str, pattern: str, by: str) -> str:
    return f"regexp_replace({expression}, {literal(pattern)}, {literal(by)}, 'g')"


def _postcode(x: str) -> str:
    """A UK postcode without its space: upper case, letters and digits."""
    return f"upper({_pattern(x, '[^A-Za-z0-9]', '')})"


def _fold_spelling(x: str) -> str:
    """One form of the usual romanisations: Khadeejah and Khadija are kadija, Hossain and Husain husain.

    For lower-case letters. e and i, o and u are one vowel, long vowels and double consonants are
    written once, and an h that only marks a sound (kh, th, a last h) goes.
    """
    for old, new in (("ph", "f"), ("ck", "k"), ("ou", "u")):
        x = f"replace({x}, {literal(old)}, {literal(new)})"
    x = f"translate({x}, 'eoyqw', 'iuikv')"
    for consonant in "bdgkt":
        x = f"replace({x}, {literal(consonant + 'h')}, {literal(consonant)})"
    x = _pattern(x, r"h\b", "")
    for letter in "abcdfgijklmnprstuvz":
        x = f"replace({x}, {literal(letter * 2)}, {literal(letter)})"
    return x


# Letters that Unicode does not decompose into a base letter and an accent.
_UNDECOMPOSED = ("łøđðıþßæœ", "lodditsao")

_PLAIN: dict[str, Callable[[str], str]] = {
    "lower": lambda x: f"lower({x})",
    "upper": lambda x: f"upper({x})",
    "trim": lambda x: f"trim({x})",
    "strip_accents": lambda x: (
        f"translate(strip_accents({x}), {literal(_UNDECOMPOSED[0])}, {literal(_UNDECOMPOSED[1])})"
    ),
    # O'Neil is written with six different characters, or none: all become oneil.
    "drop_apostrophes": lambda x: _pattern(x, "['`´‘’ʼ]", ""),
    "punctuation_to_space": lambda x: _pattern(x, r"[^\p{L}\p{N} ]", " "),
    "squash_spaces": lambda x: "trim(" + _pattern(x, r"\s+", " ") + ")",
    "no_spaces": lambda x: _pattern(x, r"\s+", ""),
    "letters_only": lambda x: _pattern(x, r"[^\p{L}]", ""),
    "digits_only": lambda x: _pattern(x, r"[^0-9]", ""),
    "alphanumeric": lambda x: _pattern(x, r"[^\p{L}\p{N}]", ""),
    "first_word": lambda x: f"split_part({x}, ' ', 1)",
    # Names in another order, or with one given twice, become equal.
    "sort_words": lambda x: (
        f"array_to_string(list_sort(list_distinct(string_split({x}, ' '))), ' ')"
    ),
    "fold_spelling": _fold_spelling,
    "postcode": _postcode,
}


def _null_if(x: str, values: Setting) -> str:
    options = (values,) if isinstance(values, str) else values
    if not isinstance(options, tuple):
        raise LinkageError("step 'null_if' needs a value or a list of values")
    # Not ``IN``, for which DuckDB works out x once for each of the values.
    return f"CASE WHEN NOT list_contains([{', '.join(map(literal, options))}], {x}) THEN {x} END"


def _text_setting(step: str, setting: Setting) -> str:
    if not isinstance(setting, str):
        raise LinkageError(f"step '{step}' needs one text as its setting")
    return setting


def _replace(x: str, setting: Setting) -> str:
    if not isinstance(setting, Replace):
        raise LinkageError("step 'replace' needs 'pattern' and 'with'")
    return _pattern(x, setting.pattern, setting.by)


def _null_if_matches(x: str, setting: Setting) -> str:
    pattern = literal(_text_setting("null_if_matches", setting))
    return f"CASE WHEN NOT regexp_matches({x}, {pattern}) THEN {x} END"


def _remove_words(x: str, setting: Setting) -> str:
    words = (setting,) if isinstance(setting, str) else setting
    if not isinstance(words, tuple):
        raise LinkageError("step 'remove_words' needs a word or a list of words")
    return _pattern(x, rf"\b(?:{'|'.join(words)})\b", " ")


def _extract(x: str, setting: Setting) -> str:
    return f"regexp_extract({x}, {literal(_text_setting('extract', setting))}, 1)"


def _parse_date(x: str, setting: Setting) -> str:
    """The first format that fits."""
    formats = (setting,) if isinstance(setting, str) else setting
    if not isinstance(formats, tuple) or not formats:
        raise LinkageError("step 'parse_date' needs a format or a list of formats")
    return f"try_strptime({x}, [{', '.join(map(literal, formats))}])"


def _check_digit(x: str, setting: Setting) -> str:
    """The value if it has as many digits as there are weights and the sum fits; zeros alone never do."""
    if not isinstance(setting, CheckDigit):
        raise LinkageError("step 'check_digit' needs 'weights' and 'modulus'")
    products = [
        f"(ascii(substr({x}, {place}, 1)) - 48) * {weight}"
        for place, weight in enumerate(setting.weights, 1)
    ]
    if setting.sum_digits:
        products = [f"(({p}) // 10 + ({p}) % 10)" for p in products]
    right = (
        f"regexp_matches({x}, '^[0-9]{{{len(products)}}}$') AND regexp_matches({x}, '[1-9]')"
        f" AND ({' + '.join(products)}) % {setting.modulus} = 0"
    )
    return f"CASE WHEN {right} THEN {x} END"


_WITH_SETTING: dict[str, Callable[[str, Setting], str]] = {
    "null_if": _null_if,
    "null_if_matches": _null_if_matches,
    "replace": _replace,
    "remove_words": _remove_words,
    "extract": _extract,
    "parse_date": _parse_date,
    "check_digit": _check_digit,
}


_WITH_PATTERN = ("replace", "null_if_matches", "extract")


def step_names() -> tuple[str, ...]:
    """All steps that a model may name."""
    return (*_PLAIN, *_WITH_SETTING)


def steps_with_setting() -> tuple[str, ...]:
    """Those that need a setting."""
    return tuple(_WITH_SETTING)


def apply_steps(expression: str, steps: Sequence[Step]) -> str:
    """The expression after all steps; raises LinkageError for an unknown step or wrong setting."""
    for step in steps:
        if step.name in _PLAIN and step.setting is None:
            expression = _PLAIN[step.name](expression)
        elif step.name in _WITH_SETTING:
            expression = _WITH_SETTING[step.name](expression, step.setting)
        else:
            raise LinkageError(
                f"standardisation step '{step.name}' is unknown or takes no setting; "
                f"known steps: {', '.join(step_names())}"
            )
    return expression


def step_problems(steps: Sequence[Step]) -> Iterator[str]:
    """What is wrong with steps: unknown names, wrong settings, patterns that RE2 does not read."""
    for step in steps:
        try:
            apply_steps("x", (step,))
        except LinkageError as error:
            yield str(error)
            continue
        if step.name == "parse_date":
            yield from _format_problems(step)
        pattern = step.setting.pattern if isinstance(step.setting, Replace) else step.setting
        if step.name in _WITH_PATTERN and isinstance(pattern, str):
            try:
                # RE2, as in DuckDB. Nulls: pa.array would import pandas.
                pc.match_substring_regex(pa.nulls(1, pa.string()), pattern)
            except pa.ArrowInvalid:
                yield f"step '{step.name}': {pattern!r} is not a regular expression (RE2 syntax)"


def _format_problems(step: Step) -> Iterator[str]:
    try:
        with duckdb.connect(":memory:", config={"temp_file_encryption": "true"}) as con:
            con.execute(f"SELECT {_parse_date(literal('x'), step.setting)}")
    except duckdb.InvalidInputException:
        yield f"step 'parse_date': {step.setting!r} is no format of dates; write such as '%d/%m/%Y'"


def column_sql(column: Column, source: str) -> str:
    """The standardised value of a column, read from the SQL expression ``source``.

    Dates are of the years 1 to 9999: DuckDB knows others, and infinity, which Python does not.
    """
    if column.type == "date":
        parsed = apply_steps(f"{source}::VARCHAR", column.steps) if column.steps else source
        known = "lambda d: d BETWEEN DATE '0001-01-01' AND DATE '9999-12-31'"
        return f"list_filter([TRY_CAST({parsed} AS DATE)], {known})[1]"
    return f"nullif(trim({apply_steps(f'{source}::VARCHAR', column.steps)}), '')"


def _skeleton(x: str) -> str:
    """How a name sounds, roughly: mohammed, muhammad and mohamed become mhmd, omer and umar amr.

    First letter (any vowel becomes a), then consonants without repeats; ph is f, c and q are k, w is v.
    """
    letters = _pattern(f"lower(strip_accents({x}))", "[^a-z]", "")
    sounds = f"translate(replace({letters}, 'ph', 'f'), 'cqw', 'kkv')"
    first = _pattern(f"left({sounds}, 1)", "[aeiou]", "a")
    bare = f"{first} || {_pattern(f'substr({sounds}, 2)', '[aeiouy]', '')}"
    for consonant in "bdfghjklmnprstvxz":
        bare = f"replace({bare}, {literal(consonant * 2)}, {literal(consonant)})"
    return f"nullif({bare}, '')"


def _long_skeleton(x: str) -> str:
    """The same where it has three letters or more: shorter ones are shared by many names."""
    return f"regexp_extract({_skeleton(x)}, '^...+')"


_PARTS: dict[str, Callable[[str], str]] = {
    "year": lambda x: f"year({x})",
    "year_month": lambda x: f"(year({x}) * 12 + month({x}))",
    "month_day": lambda x: f"(month({x}) * 31 + day({x}))",
    # A UK inward code is always three characters: what precedes it is the outward code.
    "outward": lambda x: f"CASE WHEN length({x}) >= 5 THEN left({x}, length({x}) - 3) END",
    "initial": lambda x: f"left({x}, 1)",
    "first3": lambda x: f"left({x}, 3)",
    "first4": lambda x: f"left({x}, 4)",
    "first_word": lambda x: f"split_part({x}, ' ', 1)",
    "skeleton": _skeleton,
    "long_skeleton": lambda x: f"nullif({_long_skeleton(x)}, '')",
}


def part_sql(part: str, expression: str) -> str:
    """A named part of a value."""
    return _PARTS[part](expression)


def words_sql(expression: str, min_letters: int) -> str:
    """The distinct words of a value that have so many letters."""
    return f"list_distinct(list_filter(string_split({expression}, ' '), lambda w: length(w) >= {min_letters}))"
