"""What a run learnt, kept to be used again: level probabilities, shares, and how often values occur.

With the same fit the same two records weigh the same in any later run, whatever other records come
and go. That is what makes an incremental run equal to a full one and identifiers stable, and a fit
is a plain JSON file that can be read and compared. It names the values that occurred more than once
in columns with term frequencies, so it is kept where the records are kept; any other value counts
as seen once.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, ValidationError

from linkage.engine import Floats, ValueEngine
from linkage.errors import LinkageError
from linkage.estimate import Apart, Classes, Parameters, make_layout
from linkage.model import Model
from linkage.packing import Packing
from linkage.score import Frequencies, Scorer

FORMAT = 3


class FrequenciesFile(BaseModel):
    """How many records had a value, and how many each value that occurred more than once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    filled: int
    counts: dict[str, int]

    def frequencies(self) -> Frequencies:
        """The same as arrays, ordered by the value."""
        ordered = sorted(self.counts.items())
        values = pa.array([v for v, _ in ordered], pa.string())
        return Frequencies(self.filled, values, np.array([n for _, n in ordered], np.int64))


class ApartFile(BaseModel):
    """Probabilities of a comparison where another one is at some levels, by class and level code."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    comparison: str
    other: str
    codes: tuple[int, ...]
    probabilities: list[list[float]]


class FittedFile(BaseModel):
    """A fit as a file. ``probabilities`` are by comparison, class and level code."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int
    model: str
    version: str
    digest: str
    records: int
    classes: int
    probabilities: dict[str, list[list[float]]]
    apart: list[ApartFile]
    moved: list[float] | None = None
    shares_learnt: list[float]
    shares: list[float]
    frequencies: dict[str, FrequenciesFile]
    training: list[dict[str, Any]]
    warnings: list[str]


@dataclass(frozen=True)
class Fitted:
    """Parameters of a model, learnt from ``records`` records.

    ``shares`` are those of the classes among all pairs; ``frequencies`` are those of the columns
    with term frequencies. ``digest`` tells which comparisons they are for.
    """

    model: str
    version: str
    digest: str
    records: int
    parameters: Parameters
    shares: Floats
    frequencies: dict[str, Frequencies]

    def check(self, model: Model) -> None:
        """Raise LinkageError unless the fit is for this model's columns and comparisons."""
        _check(self, model)

    def scorer(self, engine: ValueEngine, model: Model) -> Scorer:
        """Scores an engine's records with these parameters."""
        return Scorer(engine, model, self.parameters, self.records, self.frequencies)

    def to_json(self) -> str:
        """The fit as text; floats keep every bit."""
        layout, packing = self.parameters.layout, self.parameters.packing
        rows = self.parameters.probabilities
        parts = zip(packing.comparisons, layout.slices(), strict=True)
        file = FittedFile(
            format=FORMAT,
            model=self.model,
            version=self.version,
            digest=self.digest,
            records=self.records,
            classes=self.parameters.classes.count,
            probabilities={c.name: rows[:, part].tolist() for c, part in parts},
            apart=[
                ApartFile(
                    comparison=packing.comparisons[a.comparison].name,
                    other=packing.comparisons[a.other].name,
                    codes=a.codes,
                    probabilities=a.probabilities.tolist(),
                )
                for a in self.parameters.apart
            ],
            moved=None if self.parameters.moved is None else self.parameters.moved.tolist(),
            shares_learnt=self.parameters.shares.tolist(),
            shares=self.shares.tolist(),
            frequencies={
                name: FrequenciesFile(
                    filled=known.filled,
                    counts=dict(zip(known.values.to_pylist(), known.counts.tolist(), strict=True)),
                )
                for name, known in self.frequencies.items()
            },
            training=self.parameters.training,
            warnings=self.parameters.warnings,
        )
        lines = (
            f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}"
            for key, value in file.model_dump().items()
        )
        return "{\n" + ",\n".join(lines) + "\n}\n"

    def save(self, path: Path | str) -> None:
        """Write the fit to a file."""
        Path(path).write_text(self.to_json(), encoding="utf-8")

    @classmethod
    def load(cls, path: Path | str, model: Model) -> Self:
        """Read a fit for a model; raises LinkageError for a file that is not one, or not for it."""
        try:
            text = Path(path).read_bytes()
        except OSError as error:
            raise LinkageError(f"{path}: cannot be read ({error.strerror})") from error
        return cls.from_json(text, model, str(path))

    @classmethod
    def from_json(cls, text: str | bytes, model: Model, where: str = "parameters") -> Self:
        """The fit in a text that ``to_json`` made; raises LinkageError as ``load`` does."""
        try:
            file = FittedFile.model_validate_json(text)
        except ValidationError as error:
            raise LinkageError(f"{where}: not the parameters of a fit; make them anew") from error
        _check(file, model)
        packing = Packing(tuple(c for c in model.comparisons if c.name in file.probabilities))
        layout = make_layout(packing)
        position = {c.name: i for i, c in enumerate(packing.comparisons)}
        return cls(
            file.model,
            file.version,
            file.digest,
            file.records,
            Parameters(
                Classes(file.classes == 3),
                packing,
                layout,
                np.concatenate(
                    [np.array(file.probabilities[c.name]) for c in packing.comparisons], 1
                ),
                np.array(file.shares_learnt),
                file.training,
                file.warnings,
                tuple(
                    Apart(
                        position[a.comparison],
                        position[a.other],
                        a.codes,
                        np.array(a.probabilities),
                    )
                    for a in file.apart
                ),
                None if file.moved is None else np.array(file.moved),
            ),
            np.array(file.shares),
            {name: known.frequencies() for name, known in file.frequencies.items()},
        )


def _check(fit: Fitted | FittedFile, model: Model) -> None:
    if digest_of(model) != fit.digest:
        raise LinkageError(
            f"the parameters were learnt with model {fit.model} {fit.version}, whose columns or "
            f"comparisons are not those of {model.name} {model.version}: fit again"
        )


def keep(scorer: Scorer, engine: ValueEngine, shares: Floats) -> Fitted:
    """What a scorer's run learnt from the engine's records."""
    frequencies = {c.column: _count(engine, c.column) for c in scorer.weigher.frequency_columns}
    model = scorer.model
    return Fitted(
        model.name,
        model.version,
        digest_of(model),
        scorer.records,
        scorer.parameters,
        shares,
        frequencies,
    )


def _count(engine: ValueEngine, column: str) -> Frequencies:
    values = engine.values(column)
    codes = values.indices.drop_null().to_numpy(zero_copy_only=False).astype(np.int64)
    n = np.bincount(codes, minlength=len(values.dictionary))
    found = np.flatnonzero(n > 1)
    texts = values.dictionary.cast(pa.string()).take(pa.array(found))
    order = np.asarray(pc.sort_indices(texts))
    return Frequencies(len(codes), texts.take(pa.array(order)), n[found][order])


def digest_of(model: Model) -> str:
    """Names what parameters are learnt for: columns, comparisons and tables of equivalents."""
    # Without defaults, so that a key that a later version adds does not make every fit a stranger's.
    content = model.model_dump(
        mode="json", include={"columns", "comparisons", "equivalents"}, exclude_defaults=True
    )
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
