"""The parts of a linkage model: columns, keys, rules, tests, levels, comparisons and limits.

Each part is a frozen pydantic object that refuses unknown keys. All are plain declarations: a
model holds no SQL and no code, so that the same file can be compiled for another engine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
Share = Annotated[float, Field(ge=0, le=1)]
Part = Literal[
    "year",
    "year_month",
    "month_day",
    "outward",
    "initial",
    "first3",
    "first4",
    "first_word",
    "skeleton",
    "long_skeleton",
]
DATE_PARTS = frozenset({"year", "year_month", "month_day"})
MISSING = "missing"
DIFFERENT = "different"


class Spec(BaseModel):
    """Base of every part of a model: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Replace(Spec):
    """Replace every match of a regular expression (RE2 syntax)."""

    pattern: str
    by: str = Field(alias="with")


class CheckDigit(Spec):
    """A number is right when its digits times the weights add up to a multiple of the modulus.

    With ``sum_digits`` a product of two digits counts as their sum, as in Luhn's rule.
    """

    weights: tuple[int, ...] = Field(min_length=2, max_length=30)
    modulus: int = Field(ge=2)
    sum_digits: bool = False


class Step(Spec):
    """One standardisation step: a bare name in the file, or one key with its setting."""

    name: str
    setting: str | tuple[str, ...] | Replace | CheckDigit | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"name": value}
        if isinstance(value, dict) and len(value) == 1 and "name" not in value:
            name, setting = next(iter(value.items()))
            return {"name": name, "setting": setting}
        return value


class Column(Spec):
    """A standardised column: read from one input column, or the first of other columns with a value."""

    from_: str | None = Field(default=None, alias="from")
    first_of: tuple[Name, ...] = ()
    type: Literal["text", "date"] = "text"
    steps: tuple[Step, ...] = ()
    domain: Name | None = None  # columns of one domain may be compared with one another
    equivalents: Name | None = None


class Key(Spec):
    """A column, or a named part of it, as one component of a blocking key."""

    column: Name
    part: Part | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"column": value}
        if isinstance(value, dict) and len(value) == 1 and "column" not in value:
            column, part = next(iter(value.items()))
            return {"column": column, "part": part}
        return value


class Rule(Spec):
    """A blocking rule: two records are compared when all components are equal and none is missing.

    ``with`` gives the other record's components when they differ (a surname against a former one).
    ``family`` marks the blocks in which members of one household meet. With ``where_missing`` one of
    the two records lacks that column: names alone may then propose a pair, for few records.
    """

    equal: tuple[Key, ...] = Field(min_length=1)
    with_: tuple[Key, ...] | None = Field(default=None, alias="with")
    where_missing: Name | None = None
    name: str = ""
    family: bool = False
    train: bool = True

    @model_validator(mode="after")
    def _same_length(self) -> Self:
        if self.with_ is not None and len(self.with_) != len(self.equal):
            raise ValueError("'equal' and 'with' need the same number of components")
        if not self.name:
            parts = [f"{k.column}.{k.part}" if k.part else k.column for k in self.equal]
            suffix = "_crossed" if self.with_ else ""
            suffix += f"_without_{self.where_missing}" if self.where_missing else ""
            object.__setattr__(self, "name", "+".join(parts) + suffix)
        if self.where_missing and self.with_ is None:
            # Two sides: the records without the column against all.
            object.__setattr__(self, "with_", self.equal)
        return self

    @property
    def other(self) -> tuple[Key, ...]:
        """The other record's components."""
        return self.with_ if self.with_ is not None else self.equal


class Similar(Spec):
    """Jaro-Winkler similarity of at least a value."""

    column: Name
    at_least: Annotated[float, Field(gt=0, lt=1)]


class Alias(Spec):
    """The value of one record's column is found in the other record's further column."""

    of: Name
    in_: Name = Field(alias="in")


class Words(Spec):
    """One word at least is common to both; short words do not count."""

    column: Name
    in_: Name | None = Field(default=None, alias="in")
    min_letters: int = Field(default=3, ge=1)


class Swapped(Spec):
    """Each record's value of one column resembles the other's of the other column."""

    columns: tuple[Name, Name]
    at_least: Annotated[float, Field(gt=0, lt=1)]


class SamePart(Spec):
    """A named part of the column is equal."""

    column: Name
    part: Part


class Near(Spec):
    """Two dates lie within a number of days."""

    column: Name
    within_days: int = Field(ge=1)


class Condition(Spec):
    """One test between two records; exactly one of the keys is set."""

    exact: Name | None = None
    equivalent: Name | None = None
    swapped: tuple[Name, Name] | None = None
    swapped_similar: Swapped | None = None
    alias: Alias | None = None
    shares_word: Words | None = None
    similar: Similar | None = None
    one_letter_off: Name | None = None
    starts_with: Words | None = None
    same_part: SamePart | None = None
    day_month_swapped: Name | None = None
    one_date_part_differs: Name | None = None
    near: Near | None = None
    moved_together: Name | None = None

    @property
    def kind(self) -> str:
        """The key that is set."""
        return next(k for k in TESTS if getattr(self, k) is not None)

    @property
    def setting(self) -> Any:
        """What it is set to: a column, two of them, or columns and bounds."""
        return getattr(self, self.kind)

    @property
    def at_least(self) -> float | None:
        """The least similarity, if the test asks for one."""
        return getattr(self.setting, "at_least", None)

    def ways(self) -> tuple[tuple[str, str], ...]:
        """(the left record's column, the right one's): both ways where they are two."""
        one, other = self.columns()[0], self.columns()[-1]
        return ((one, one),) if one == other else ((one, other), (other, one))

    def columns(self) -> tuple[str, ...]:
        """The columns that the test reads."""
        setting = self.setting
        if isinstance(setting, str):
            return (setting,)
        if isinstance(setting, tuple):
            return setting
        if isinstance(setting, Swapped):
            return setting.columns
        found = [getattr(setting, k, None) for k in ("column", "of", "in_")]
        return tuple(c for c in found if c)

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [k for k in TESTS if getattr(self, k) is not None]
        if len(given) != 1 and not (not given and getattr(self, "all_", None)):
            raise ValueError(f"give exactly one test out of: {', '.join(TESTS)}, all")
        return self


TESTS = tuple(Condition.model_fields)


class Level(Condition):
    """A level of a comparison: its test (or ``all`` of several), its name, and whether it is neutral.

    A neutral level says "counted elsewhere": it carries no weight, like a missing value.
    """

    name: Name | Literal[""] = ""
    neutral: bool = False
    all_: tuple[Condition, ...] = Field(default=(), alias="all")

    @model_validator(mode="after")
    def _one_kind_and_a_name(self) -> Self:
        if self.all_ and any(getattr(self, k) is not None for k in TESTS):
            raise ValueError("a level has either 'all' or one test, not both")
        if not self.name:
            if self.all_:
                raise ValueError("a level with 'all' needs a name")
            object.__setattr__(self, "name", self._default_name())
        if self.name in (MISSING, DIFFERENT):
            raise ValueError(f"'{self.name}' is the name of a level that every comparison has")
        return self

    def _default_name(self) -> str:
        if self.similar is not None:
            return f"similar_{round(self.similar.at_least * 100):d}"
        if self.same_part is not None:
            return f"same_{self.same_part.part}"
        return self.kind

    def tests(self) -> tuple[Condition, ...]:
        """The tests that must all hold."""
        return self.all_ or (self,)


class Comparison(Spec):
    """Ordered levels, the strongest first; the first that holds counts, else ``different``.

    The comparison is ``missing`` (no evidence) when no column of ``columns`` has a value on both
    sides, or when ``only_if_missing`` names a comparison that did speak.
    ``shared_by_household`` says that members of one household tend to agree on it.
    ``apart_when`` names levels of another comparison among which this one's probabilities are
    learnt apart, because the two are not independent (twins' names, the sex of namesakes).
    A comparison with the test ``moved_together`` has no other; it speaks after all others (``moves``).
    """

    name: Name
    columns: tuple[Name, ...] = ()
    levels: tuple[Level, ...] = Field(min_length=1)
    shared_by_household: bool = False
    term_frequency: bool = False
    only_if_missing: Name | None = None
    apart_when: dict[Name, tuple[str, ...]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not self.columns:
            object.__setattr__(self, "columns", (self.moved or self.name,))
        twice = repeated(level.name for level in self.levels)
        if twice:
            raise ValueError(f"comparison '{self.name}' has two levels named {twice}: name one")
        tests = [t for level in self.levels for t in level.tests()]
        if len(tests) > 1 and any(t.moved_together for t in tests):
            raise ValueError(f"comparison '{self.name}': 'moved_together' stands alone")
        if self.term_frequency and not self.levels[self.exact_level - 1].exact:
            raise ValueError(f"comparison '{self.name}': term_frequency needs an 'exact' level")
        return self

    @property
    def moved(self) -> str | None:
        """The column of places, where this comparison says whether a family moved together."""
        return self.levels[0].moved_together

    @property
    def exact_level(self) -> int:
        """Position (from 1) of the first level that is one exact test; 1 if there is none."""
        found = (i for i, level in enumerate(self.levels, 1) if level.exact)
        return next(found, 1)

    @property
    def level_names(self) -> tuple[str, ...]:
        """Names by code: 0 missing, then the levels, the last is ``different``."""
        return (MISSING, *(level.name for level in self.levels), DIFFERENT)

    @property
    def neutral_codes(self) -> tuple[int, ...]:
        """Codes that carry no weight: missing, and the levels marked neutral."""
        return (0, *(i for i, level in enumerate(self.levels, 1) if level.neutral))


class Veto(Spec):
    """A pattern of levels that forbids a join, whatever the weight; reviewers still see the pair."""

    name: Name
    when: dict[Name, tuple[str, ...]] = Field(min_length=1)


class Estimation(Spec):
    """How parameters are learnt. ``smoothing`` is the strength of the start values, in pairs.

    ``floor`` is the least probability of any level for one person (a tenth of it for households):
    no disagreement seen in training is proof that there is none.
    """

    max_iterations: int = Field(default=200, ge=1)
    tolerance: float = Field(default=1e-4, gt=0)
    random_pairs: int = Field(default=250_000, ge=1_000)
    smoothing: float = Field(default=4.0, gt=0)
    floor: float = Field(default=1e-3, gt=0, lt=0.1)


class Thresholds(Spec):
    """Match probabilities: join at or above, break an existing link below, list pairs at or above."""

    join: Share = 0.95
    break_: Share = Field(default=0.5, alias="break")
    review: Share = 0.05

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.review <= self.break_ <= self.join:
            raise ValueError("thresholds need review <= break <= join")
        return self


class Limits(Spec):
    """What is refused: a rule with more pairs; a component larger than this is cut before repair."""

    pairs_per_rule: int = Field(default=50_000_000, ge=1)
    component: int = Field(default=300, ge=3)
    weight_in_mean: float = Field(default=15.0, gt=0)  # bits; so that one edge cannot outvote many


def repeated(names: Iterable[str]) -> str:
    """The names that occur more than once, for an error's text."""
    return ", ".join(sorted(n for n, count in Counter(names).items() if count > 1))
