"""A linkage model is one YAML file, read here into frozen objects and checked as a whole.

The file names the columns and how each is standardised, the blocking rules that propose pairs,
the comparisons with their ordered levels, the patterns that forbid a join, and the thresholds.
Errors name the file, the key and the remedy.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from linkage.errors import LinkageError
from linkage.kinds import KINDS
from linkage.spec import (
    DATE_PARTS,
    Column,
    Comparison,
    Condition,
    Estimation,
    Limits,
    Name,
    Rule,
    Spec,
    Thresholds,
    Veto,
    repeated,
)
from linkage.standardise import step_problems


class Model(Spec):
    """A whole linkage model. ``Model.from_yaml`` reads one; ``path`` is where it came from."""

    name: str
    version: str
    description: str = ""
    record_id: str
    source: str | None = None
    equivalents: dict[Name, str] = Field(default_factory=dict)
    columns: dict[Name, Column] = Field(min_length=1)
    blocking: tuple[Rule, ...] = Field(min_length=1, max_length=30)
    comparisons: tuple[Comparison, ...] = Field(min_length=1)
    vetoes: tuple[Veto, ...] = ()
    one_per_source: tuple[str, ...] = ()
    estimation: Estimation = Estimation()
    thresholds: Thresholds = Thresholds()
    limits: Limits = Limits()
    path: Path | None = Field(default=None, exclude=True)

    @classmethod
    def from_yaml(cls, path: Path | str) -> Model:
        """Read a model file; raises LinkageError naming file, key and remedy."""
        file = Path(path)
        content = read_mapping(file, "a model is a mapping of keys such as 'columns'")
        return cls.from_dict(content, file)

    @classmethod
    def from_dict(cls, content: dict[str, Any], path: Path | None = None) -> Model:
        """Check a model given as plain data; ``path`` is used in errors and to find tables."""
        try:
            return cls.model_validate({**content, "path": path})
        except ValidationError as error:
            raise LinkageError(explain(path or Path("model"), error, "model")) from None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = list(_problems(self))
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def comparison_names(self) -> tuple[str, ...]:
        """Names of the comparisons in order."""
        return tuple(c.name for c in self.comparisons)

    @property
    def moves(self) -> Comparison | None:
        """The comparison that says whether a family moved together, if there is one."""
        return next((c for c in self.comparisons if c.moved), None)

    def inputs_of(self, column: str) -> frozenset[str]:
        """The input columns that a column is made from."""
        spec = self.columns[column]
        if spec.first_of:
            return frozenset().union(*(self.inputs_of(c) for c in spec.first_of))
        return frozenset({spec.from_ or column})


def read_mapping(file: Path, wanted: str) -> dict[str, Any]:
    """A YAML file of keys; raises LinkageError naming file, line and remedy (``wanted``)."""
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise LinkageError(f"{file}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise LinkageError(f"{file}: the text is not UTF-8") from error
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = f", line {place.line + 1}" if place else ""
        problem = getattr(error, "problem", None) or "cannot be parsed"
        raise LinkageError(
            f"{file}{line}: not valid YAML ({problem}); check indentation and quotes"
        ) from error
    if not isinstance(content, dict):
        raise LinkageError(f"{file}: {wanted}")
    return content


def explain(path: Path, error: ValidationError, whole: str) -> str:
    """One line per problem: file, key (``whole`` for all), what is wrong and what to do."""
    lines = []
    for problem in error.errors(include_url=False, include_input=False, include_context=False):
        key = ".".join(str(part) for part in problem["loc"]) or whole
        remedy = {
            "extra_forbidden": "unknown key: remove it or correct its spelling",
            "missing": "required key is missing: add it",
        }.get(problem["type"], problem["msg"].removeprefix("Value error, "))
        lines.append(f"{path}: key '{key}': {remedy}")
    return "\n".join(lines)


def _problems(model: Model) -> Iterator[str]:
    """Everything that pydantic cannot see: names that point nowhere, tests that do not fit a type."""
    yield from _repeated_names(model)
    yield from _column_problems(model)
    yield from _use_problems(model)
    yield from _level_problems(model)
    yield from _veto_problems(model)
    yield from _apart_problems(model)
    if model.one_per_source and not model.source:
        yield "'one_per_source' needs 'source', the column that names a record's source"
    shared = any(c.shared_by_household for c in model.comparisons)
    if shared and not any(rule.family for rule in model.blocking):
        yield "'shared_by_household' needs a blocking rule with 'family: true' to learn from"


def _repeated_names(model: Model) -> Iterator[str]:
    for what, names in (
        ("comparisons", model.comparison_names),
        ("blocking rules", tuple(r.name for r in model.blocking)),
        ("vetoes", tuple(v.name for v in model.vetoes)),
    ):
        if twice := repeated(names):
            yield f"two {what} are named {twice}: rename one"


def _veto_problems(model: Model) -> Iterator[str]:
    levels = {c.name: set(c.level_names) for c in model.comparisons}
    for comparison in model.comparisons:
        if comparison.only_if_missing and comparison.only_if_missing not in levels:
            yield f"comparison '{comparison.name}': only_if_missing names no comparison"
    late = [c.name for c in model.comparisons if c.moved]
    if len(late) > 1:
        yield f"only one comparison can ask 'moved_together', not {', '.join(late)}"
    for veto in model.vetoes:
        if set(late) & set(veto.when):
            yield f"veto '{veto.name}': '{late[0]}' speaks after the vetoes"
        for name, wanted in veto.when.items():
            unknown = sorted(set(wanted) - levels.get(name, set()))
            if unknown:
                yield f"veto '{veto.name}': comparison '{name}' has no level {', '.join(unknown)}"


def _apart_problems(model: Model) -> Iterator[str]:
    levels = {c.name: set(c.level_names) for c in model.comparisons}
    for comparison in model.comparisons:
        for name, wanted in comparison.apart_when.items():
            unknown = sorted(set(wanted) - levels.get(name, set()))
            if name == comparison.name or name not in levels:
                yield f"comparison '{comparison.name}': apart_when names no other comparison"
            elif unknown:
                yield f"comparison '{comparison.name}': '{name}' has no level {', '.join(unknown)}"


def _column_problems(model: Model) -> Iterator[str]:
    for name, column in model.columns.items():
        yield from (f"column '{name}': {problem}" for problem in step_problems(column.steps))
        if column.first_of and (column.from_ or column.steps):
            yield f"column '{name}': 'first_of' takes neither 'from' nor 'steps'"
        if column.equivalents and column.equivalents not in model.equivalents:
            yield f"column '{name}': no table '{column.equivalents}' under 'equivalents'"
        earlier = list(model.columns)[: list(model.columns).index(name)]
        for other in column.first_of:
            if other not in earlier:
                yield f"column '{name}': first_of names '{other}', which is not defined above it"
            elif model.columns[other].type != column.type:
                yield f"column '{name}': first_of mixes text and date"


def _use_problems(model: Model) -> Iterator[str]:
    for where, column, wanted in _uses(model):
        if column not in model.columns:
            yield f"{where}: no column '{column}' under 'columns'"
        elif wanted and model.columns[column].type != wanted:
            yield f"{where}: column '{column}' must be of type {wanted}"


def _level_problems(model: Model) -> Iterator[str]:
    for comparison in model.comparisons:
        for test in (t for level in comparison.levels for t in level.tests()):
            where = f"comparison '{comparison.name}', level '{test.kind}'"
            known = [c for c in test.columns() if c in model.columns]
            if test.kind == "equivalent" and not all(model.columns[c].equivalents for c in known):
                yield f"{where}: the column has no 'equivalents' table"
            domains = {domain_of(model, c) for c in known}
            if len(domains) > 1:
                yield f"{where}: give the columns the same 'domain'"


def domain_of(model: Model, column: str) -> str:
    """Name of the set of values that a column's values are coded in."""
    return model.columns[column].domain or column


def _uses(model: Model) -> Iterator[tuple[str, str, str | None]]:
    """(where, column, type that it must have or None) for every use of a column."""
    for rule in model.blocking:
        for key in (*rule.equal, *rule.other):
            yield f"blocking rule '{rule.name}'", key.column, _type_of_part(key.part)
        if rule.where_missing:
            yield f"blocking rule '{rule.name}'", rule.where_missing, None
    for comparison in model.comparisons:
        where = f"comparison '{comparison.name}'"
        yield from ((where, column, None) for column in comparison.columns)
        for test in (t for level in comparison.levels for t in level.tests()):
            yield from ((where, column, _type_wanted(test)) for column in test.columns())


def _type_of_part(part: str | None) -> str | None:
    if part is None:
        return None
    return "date" if part in DATE_PARTS else "text"


def _type_wanted(test: Condition) -> str | None:
    if test.same_part:
        return _type_of_part(test.same_part.part)
    return "text" if test.moved_together else KINDS[test.kind].type
