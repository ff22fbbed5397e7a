"""The kinds of test that a level may ask, each with all its forms side by side.

A test is a relation between a value of one record and a value of the other: of one column, or
crosswise of two. Pairs are judged in four places, and each looks its own form up here: ``sql``
(``compare``), which is the definition; ``plain`` for the few pairs of a look-up (``single``);
``arrays`` for millions of pairs (``levels``); ``tokens`` where nobody may read the records
(``private``). A new kind is a key of ``Condition`` and a class here; the property test of all forms
iterates over ``KINDS``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from linkage import spec
from linkage.chunk import Bools, Relation, known, same, there, unlike
from linkage.derived import GROUPS, VALUE, Text, groups_column, part_column, words_column
from linkage.inputs import Codes
from linkage.spec import Condition
from linkage.standardise import part_sql, words_sql
from linkage.strings import jaro_winkler, one_edit

if TYPE_CHECKING:
    from linkage.values import Values


@dataclass(frozen=True)
class Kind(ABC):
    """A relation of two values; ``setting`` is what the model file says under the kind's key.

    No form holds where a value is missing. ``both_ways`` is asked of a test of two columns: whether it
    wants both crosswise ways to hold, or one. ``in_spark`` says that the SQL means the same to Spark.
    """

    setting: Any
    type: ClassVar[Literal["text", "date"] | None] = "text"
    both_ways: ClassVar[bool] = False
    in_spark: ClassVar[bool] = False

    def reads(self, column: str) -> str:
        """The column, or the one derived from it, whose values ``sql`` and ``plain`` take."""
        return column

    @abstractmethod
    def sql(self, left: str, right: str) -> str:
        """The relation of two columns, as DuckDB's SQL."""

    @abstractmethod
    def plain(self, left: Any, right: Any) -> bool:
        """The relation of two values that are there."""

    def arrays(self, values: Values, column: str) -> Relation | None:
        """The relation of two arrays of codes, -1 where missing; None leaves it to ``sql``."""
        return None

    def bound(self, values: Values, column: str) -> Relation:
        """What may hold, where ``sql`` decides: never false for a pair of codes for which it does."""
        return there

    def tokens(self) -> tuple[Text, ...]:
        """The texts that answer it over tokens, one of which must agree; none where no token can.

        A kind with ``at_least`` compares the filters of ``VALUE`` instead.
        """
        return ()


class Equal(Kind):
    """Equal values; the value of one column is the other record's of the other column (``alias``)."""

    in_spark = True

    def sql(self, left: str, right: str) -> str:
        return f"{left} = {right}"

    def plain(self, left: Any, right: Any) -> bool:
        return bool(left == right)

    def arrays(self, values: Values, column: str) -> Relation | None:
        return same

    def tokens(self) -> tuple[Text, ...]:
        return (VALUE,)


class Exact(Equal):
    """Equal values of any type."""

    type = None


class Swapped(Equal):
    """Each record's value of one column is the other's of the other column."""

    both_ways = True


class SamePart(Equal):
    """A named part of the value is equal."""

    setting: spec.SamePart

    def reads(self, column: str) -> str:
        return part_column(column, self.setting.part)

    def arrays(self, values: Values, column: str) -> Relation | None:
        part = values.spaces[column].parts[self.setting.part]
        return lambda left, right: same(part[left], part[right])

    def tokens(self) -> tuple[Text, ...]:
        part = self.setting.part
        return (Text("part", part, f"part/{part}", lambda c: f"({part_sql(part, c)})::VARCHAR"),)


class InCommon(Kind):
    """Two lists made of the values have an element in common."""

    in_spark = True

    def sql(self, left: str, right: str) -> str:
        return f"list_has_any({left}, {right})"

    def plain(self, left: frozenset[Any], right: frozenset[Any]) -> bool:
        return not left.isdisjoint(right)


class Equivalent(InCommon):
    """Both values are in one group of the column's table of equivalents."""

    def reads(self, column: str) -> str:
        return groups_column(column)

    def arrays(self, values: Values, column: str) -> Relation | None:
        return values.groups(column).in_common

    def tokens(self) -> tuple[Text, ...]:
        return (GROUPS,)


class SharesWord(InCommon):
    """A word of some letters is common to both."""

    setting: spec.Words

    def reads(self, column: str) -> str:
        return words_column(column, self.setting.min_letters)

    def arrays(self, values: Values, column: str) -> Relation | None:
        return values.words(column, self.setting.min_letters).in_common

    def tokens(self) -> tuple[Text, ...]:
        least = self.setting.min_letters
        return (Text("words", str(least), "words", lambda c: words_sql(c, least), "tokens"),)


class Similar(Kind):
    """Two different values with a Jaro-Winkler similarity of at least so much.

    It is rounded to six places, so that two engines whose last bits differ give the same level.
    """

    setting: spec.Similar

    def sql(self, left: str, right: str) -> str:
        return f"{_similarity(left, right)} >= {self.setting.at_least}"

    def plain(self, left: str, right: str) -> bool:
        return left != right and jaro_winkler(left, right) >= self.setting.at_least

    def bound(self, values: Values, column: str) -> Relation:
        letters, least = values.letters(column), self.setting.at_least
        return unlike(lambda left, right: letters.may_be_similar(left, right, least))

    def tokens(self) -> tuple[Text, ...]:
        return (VALUE,)


class SwappedSimilar(Kind):
    """Each value resembles the other record's of the other column, and has its first letter.

    The first letters spare most of the similarities.
    """

    setting: spec.Swapped
    both_ways = True

    def sql(self, left: str, right: str) -> str:
        initials = f"left({left}::VARCHAR, 1) = left({right}::VARCHAR, 1)"
        return f"{initials} AND {_jaro_winkler(left, right)} >= {self.setting.at_least}"

    def plain(self, left: str, right: str) -> bool:
        return left[:1] == right[:1] and jaro_winkler(left, right) >= self.setting.at_least

    def bound(self, values: Values, column: str) -> Relation:
        letters, least = values.letters(column), self.setting.at_least

        def alike(left: Codes, right: Codes) -> Bools:
            result = letters.same_beginning(left, right, 1)
            result[result] = letters.may_be_similar(left[result], right[result], least)
            return result

        return known(alike)

    def tokens(self) -> tuple[Text, ...]:
        return (VALUE,)


class OneLetterOff(Kind):
    """One letter wrong, missing, added, or two neighbours exchanged.

    The edit distance is slow, so it is computed only where the lengths and the similarity allow it:
    one edit in three letters or more never brings the Jaro-Winkler similarity below 0.75.
    """

    def sql(self, left: str, right: str) -> str:
        left_text, right_text = f"{left}::VARCHAR", f"{right}::VARCHAR"
        return (
            f"{_similarity(left, right)} >= 0.75"
            f" AND abs(length({left_text}) - length({right_text})) <= 1"
            f" AND damerau_levenshtein({left_text}, {right_text}) = 1"
        )

    def plain(self, left: str, right: str) -> bool:
        return one_edit(left, right) and jaro_winkler(left, right) >= 0.75

    def bound(self, values: Values, column: str) -> Relation:
        letters = values.letters(column)
        return unlike(
            lambda left, right: (
                letters.may_be_one_edit(left, right) & letters.may_be_similar(left, right, 0.75)
            )
        )


class StartsWith(Kind):
    """One begins with the other, which has some letters."""

    setting: spec.Words
    in_spark = True

    def sql(self, left: str, right: str) -> str:
        left, right, least = f"{left}::VARCHAR", f"{right}::VARCHAR", self.setting.min_letters
        return (
            f"(length({left}) >= {least} AND starts_with({right}, {left})"
            f" OR length({right}) >= {least} AND starts_with({left}, {right}))"
        )

    def plain(self, left: str, right: str) -> bool:
        shorter, longer = sorted((left, right), key=len)
        return len(shorter) >= self.setting.min_letters and longer.startswith(shorter)

    def bound(self, values: Values, column: str) -> Relation:
        letters, least = values.letters(column), self.setting.min_letters
        return known(lambda left, right: letters.same_beginning(left, right, least))


class DayMonthSwapped(Kind):
    """9 March and 3 September of one year."""

    type = "date"
    in_spark = True

    def sql(self, left: str, right: str) -> str:
        return (
            f"year({left}) = year({right}) AND month({left}) = day({right})"
            f" AND day({left}) = month({right})"
        )

    def plain(self, left: date, right: date) -> bool:
        return (left.year, left.month, left.day) == (right.year, right.day, right.month)

    def arrays(self, values: Values, column: str) -> Relation | None:
        year, month, day = values.dates(column).parts
        return known(
            lambda left, right: (
                (year[left] == year[right])
                & (month[left] == day[right])
                & (day[left] == month[right])
            )
        )

    def tokens(self) -> tuple[Text, ...]:
        """9 March as 3 September: equal to the other's value where day and month were exchanged."""
        return (Text("date", "swapped", "value", _written("%Y-%d-%m"), meets_value=True),)


class OneDatePartDiffers(Kind):
    """Two of year, month and day are equal; a year may be one or ten off (one digit mistyped)."""

    type = "date"
    in_spark = True

    def sql(self, left: str, right: str) -> str:
        same = (f"({p}({left}) = {p}({right}))::INT" for p in ("year", "month", "day"))
        return f"{' + '.join(same)} = 2 AND abs(year({left}) - year({right})) IN (0, 1, 10)"

    def plain(self, left: date, right: date) -> bool:
        equal = (left.year == right.year) + (left.month == right.month) + (left.day == right.day)
        return equal == 2 and abs(left.year - right.year) in (0, 1, 10)

    def arrays(self, values: Values, column: str) -> Relation | None:
        parts = values.dates(column).parts

        def differs(left: Codes, right: Codes) -> Bools:
            equal = sum(((part[left] == part[right]).astype(np.int8) for part in parts), np.int8(0))
            apart = np.abs(parts[0][left] - parts[0][right])
            result: Bools = (equal == 2) & ((apart == 0) | (apart == 1) | (apart == 10))
            return result

        return known(differs)

    def tokens(self) -> tuple[Text, ...]:
        """Any year may stand for another here: how far two years lie apart cannot be seen."""
        forms = {"no_year": "%m-%d", "no_day": "%Y-%m", "no_month": "%Y-%d"}
        return tuple(
            Text("date", rest, f"date/{rest}", _written(form)) for rest, form in forms.items()
        )


class Near(Kind):
    """Two dates lie within a number of days."""

    setting: spec.Near
    type = "date"
    in_spark = True

    def sql(self, left: str, right: str) -> str:
        return f"abs(datediff('day', {left}, {right})) <= {self.setting.within_days}"

    def plain(self, left: date, right: date) -> bool:
        return abs((left - right).days) <= self.setting.within_days

    def arrays(self, values: Values, column: str) -> Relation | None:
        days, within = values.dates(column).days, self.setting.within_days
        return known(lambda left, right: np.abs(days[left] - days[right]) <= within)


# All but ``moved_together``, which no two records can answer by themselves (``moves``).
KINDS: dict[str, type[Kind]] = {
    "exact": Exact,
    "similar": Similar,
    "swapped": Swapped,
    "swapped_similar": SwappedSimilar,
    "alias": Equal,
    "equivalent": Equivalent,
    "shares_word": SharesWord,
    "same_part": SamePart,
    "day_month_swapped": DayMonthSwapped,
    "one_date_part_differs": OneDatePartDiffers,
    "one_letter_off": OneLetterOff,
    "starts_with": StartsWith,
    "near": Near,
}


def kind_of(test: Condition) -> Kind:
    """The relation that a test asks for."""
    return KINDS[test.kind](test.setting)


def _jaro_winkler(left: str, right: str) -> str:
    return f"round(jaro_winkler_similarity({left}::VARCHAR, {right}::VARCHAR), 6)"


def _similarity(left: str, right: str) -> str:
    """The similarity of two different values; null for equal ones, which another level takes."""
    return f"CASE WHEN {left} <> {right} THEN {_jaro_winkler(left, right)} END"


def _written(form: str) -> Callable[[str], str]:
    return lambda column: f"strftime({column}, '{form}')"
