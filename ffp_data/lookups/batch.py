"""Many children at once: a CSV of what is known of them in, their graded candidates out.

The header names the fields of `Demographics`; a column `id`, if there is one, is carried through. A row that
can't be searched says why, by field and rule, and stops no other. The file is whole or absent, and only its
owner can read it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from ffp_data.lookups.demographics import Demographics
from ffp_data.lookups.grading import Answer
from ffp_data.lookups.identify import NotEnoughError
from governance.files import replacing
from linkage import LinkageError

COLUMNS = (
    "row",
    "id",
    "rank",
    "child_id",
    "grade",
    "probability",
    "evidence",
    "against",
    "problem",
)


class BatchError(ValueError):
    """A file that can't be read as a list of children."""


@dataclass(frozen=True)
class Summary:
    """Rows read, and how many had a certain candidate, any candidate, or a problem."""

    rows: int
    certain: int
    found: int
    problems: int


def identify_csv(source: Path, out: Path, find: Callable[[Demographics], Answer]) -> Summary:
    """Look every row of a CSV up; raises BatchError for a file or header that can't be read."""
    rows = list(_rows(source))
    certain = found = problems = 0
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for number, row in enumerate(rows, 2):
        name = row.pop("id", None)
        try:
            answer = find(Demographics.model_validate(row))
        except (ValidationError, NotEnoughError, LinkageError) as error:
            problems += 1
            writer.writerow({"row": number, "id": name, "problem": problem_of(error)})
            continue
        found += bool(answer.candidates)
        certain += any(c.grade == "certain" for c in answer.candidates)
        for rank, candidate in enumerate(answer.candidates, 1):
            writer.writerow(
                {
                    "row": number,
                    "id": name,
                    "rank": rank,
                    "child_id": candidate.child_id,
                    "grade": candidate.grade.value,
                    "probability": candidate.probability,
                    "evidence": "; ".join(candidate.evidence),
                    "against": "; ".join(candidate.against),
                }
            )
    with replacing(out) as handle:
        handle.write(text.getvalue().encode())
    return Summary(len(rows), certain, found, problems)


def problem_of(error: ValidationError | NotEnoughError | LinkageError) -> str:
    """Field and rule of each problem; never a value."""
    if not isinstance(error, ValidationError):
        return str(error)
    return "; ".join(
        f"{'.'.join(map(str, each['loc'])) or 'row'}: {each['msg']}"
        for each in error.errors(include_url=False, include_input=False, include_context=False)
    )


def _rows(source: Path) -> Iterator[dict[str, str | None]]:
    try:
        with source.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            _refuse_header(source, reader.fieldnames or ())
            for number, row in enumerate(reader, 2):
                if None in row or None in row.values():
                    raise BatchError(f"{source}, row {number}: not as many fields as the header")
                yield dict(row)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BatchError(
            f"{source}: cannot be read ({type(error).__name__}); give CSV in UTF-8"
        ) from None


def _refuse_header(source: Path, names: Sequence[str]) -> None:
    given = list(names)
    unknown = sorted(set(given) - set(Demographics.model_fields) - {"id"})
    if unknown or not given or len(set(given)) < len(given):
        known = ", ".join(Demographics.model_fields)
        wrong = f"unknown columns {', '.join(unknown)}" if unknown else "no columns, or one twice"
        raise BatchError(f"{source}, header: {wrong}; columns are id, {known}")
