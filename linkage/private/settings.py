"""The parameter file of discovery: one linkage model, and how its columns become tokens.

All partners and the hub hold the same two files: ``TOKENS.yaml`` (this one) and the linkage model
that it names (docs/linkage-model.md). Nothing in them is secret. Their contents have a fingerprint,
which enters every derived key and every token file, so that tokens made with other parameters can
neither be matched by mistake nor compared on purpose.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from linkage.equivalents import equivalents_path
from linkage.errors import LinkageError
from linkage.kinds import KINDS, Kind
from linkage.model import Model, explain, read_mapping
from linkage.spec import Condition, Key, Name, Share, Spec

ASKABLE = tuple(name for name, kind in KINDS.items() if kind.tokens is not Kind.tokens)
_DECIDES = {"columns", "blocking", "comparisons", "equivalents"}
MOST_HASHES = 16  # positions of two bytes in one SHA-256 digest


class Filter(Spec):
    """A column compared by similarity: Dice coefficient for each Jaro-Winkler one of the model."""

    similar: dict[Share, Share] = Field(default_factory=dict)


class Settings(Spec):
    """The parameter file. ``Settings.from_yaml`` reads it together with its model.

    ``epoch`` names the period of use: another epoch, other tokens. ``salt`` maps a column to
    the keys that its tokens are mixed with: one set of tokens for each key, and two records are
    compared where one of the keys agrees. ``fold`` halves filters by exclusive or; ``flip`` is the
    share of bits that noise turns in each record's filters; two filters are then of one value from
    the Dice coefficient ``exact_with_noise`` on.

    Refused: a column with fewer distinct values than ``smallest_domain``, unless salted; filters of
    more records than ``largest_group`` under one salt (all of them, without one).
    """

    name: str
    version: str
    epoch: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,40}$")]
    model: Path
    bits: int = Field(default=512, ge=64, le=65_536)
    hashes: int = Field(default=10, ge=2, le=MOST_HASHES)
    grams: int = Field(default=2, ge=1, le=4)
    filters: dict[Name, Filter] = Field(default_factory=dict)
    salt: dict[Name, tuple[Key, ...]] = Field(default_factory=dict)
    fold: bool = False
    flip: float = Field(default=0.0, ge=0, lt=0.25)
    exact_with_noise: Share = 0.85
    smallest_domain: int = Field(default=120, ge=0)
    largest_group: int = Field(default=300, ge=1)

    @field_validator("bits")
    @classmethod
    def _power_of_two(cls, bits: int) -> int:
        if bits & (bits - 1):
            raise ValueError(
                "bits must be a power of two, so that every position is equally likely"
            )
        return bits

    @field_validator("salt", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {k: v if isinstance(v, list | tuple) else [v] for k, v in value.items()}

    @model_validator(mode="after")
    def _thresholds(self) -> Self:
        for name, column in self.filters.items():
            if any(not 0 < share < 1 for share in column.similar.values()):
                raise ValueError(f"filter '{name}': a Dice coefficient lies between 0 and 1")
        return self

    @property
    def filter_bytes(self) -> int:
        """Bytes of one filter as it leaves the partner."""
        return self.bits // (16 if self.fold else 8)


class Discovery(BaseModel):
    """Parameters and linkage model together, checked against one another."""

    settings: Settings
    linkage: Model

    @classmethod
    def from_yaml(cls, path: Path | str) -> Discovery:
        """Read a parameter file and its model; raises LinkageError naming file, key and remedy."""
        file = Path(path)
        content = read_mapping(file, "parameters are a mapping of keys such as 'epoch'")
        return cls.from_dict(content, file)

    @classmethod
    def from_dict(
        cls, content: dict[str, Any], file: Path, model: Model | None = None
    ) -> Discovery:
        """Check parameters given as plain data; the model is read from beside ``file`` if not given."""
        try:
            settings = Settings.model_validate(content)
        except ValidationError as error:
            raise LinkageError(explain(file, error, "parameters")) from None
        found = model or Model.from_yaml(file.parent / settings.model)
        if problem := next(_problems(settings, found), None):
            raise LinkageError(f"{file}: {problem}")
        return cls(settings=settings, linkage=_without_lost_frequencies(settings, found))

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen hex digits over all that decides the tokens and what they mean.

        Thresholds and settings of estimation are the hub's own and can change without new tokens.
        """
        tables = {t: equivalents_path(self.linkage, t) for t in sorted(self.linkage.equivalents)}
        parts = {
            "settings": self.settings.model_dump(mode="json", exclude={"model"}),
            # Without keys at their defaults, so that a key that is new in a later version of this
            # software, and not used, changes nothing.
            "model": self.linkage.model_dump(mode="json", include=_DECIDES, exclude_defaults=True),
            "tables": {t: hashlib.sha256(p.read_bytes()).hexdigest() for t, p in tables.items()},
        }
        text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def tests_of(model: Model) -> list[Condition]:
    """Every test of the model, those inside ``all`` included."""
    return [t for c in model.comparisons for level in c.levels for t in level.tests()]


def _problems(settings: Settings, model: Model) -> Iterator[str]:
    salts = [key for keys in settings.salt.values() for key in keys]
    named = (*settings.filters, *settings.salt, *(k.column for k in salts))
    unknown = [c for c in named if c not in model.columns]
    if unknown:
        yield f"the model {model.name} has no column {', '.join(unknown)}"
        return
    for column in settings.filters:
        if model.columns[column].type != "text":
            yield f"filter '{column}': only text has a filter; dates are compared by their parts"
    for comparison in model.comparisons:
        read = {c for level in comparison.levels for t in level.tests() for c in t.columns()}
        ways = {settings.salt[c] for c in (*comparison.columns, *read) if c in settings.salt}
        if len(ways) > 1:
            yield f"the model's comparison '{comparison.name}' reads columns with other salts"
        for test in (t for level in comparison.levels for t in level.tests()):
            for problem in _test_problems(settings, test):
                yield f"the model's comparison '{comparison.name}' {problem}"


def _test_problems(settings: Settings, test: Condition) -> Iterator[str]:
    if test.kind not in ASKABLE:
        yield f"asks '{test.kind}', which tokens cannot answer; use one of {', '.join(ASKABLE)}"
    for column in test.columns() if (least := test.at_least) is not None else ():
        if column not in settings.filters:
            yield f"asks how similar '{column}' is: add it under 'filters'"
        elif least not in settings.filters[column].similar:
            yield (
                f"asks for a similarity of {least}: give the Dice coefficient that stands for it "
                f"under 'filters.{column}.similar'"
            )


def _without_lost_frequencies(settings: Settings, model: Model) -> Model:
    """With noise no two filters are equal, so how common a value is cannot be counted."""
    if not settings.flip:
        return model
    comparisons = tuple(
        c.model_copy(update={"term_frequency": False})
        if set(c.columns) & set(settings.filters)
        else c
        for c in model.comparisons
    )
    return model.model_copy(update={"comparisons": comparisons})
