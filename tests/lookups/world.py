"""A small home with look-ups: twins, a protected child, an adult, and the records of a few hundred others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.hub.home import make_run, synthetic_records
from ffp_data.home.run import Run
from ffp_data.settings import Home

NOAH: dict[str, Any] = {
    "given_name": "Noah", "surname": "Quarrington", "date_of_birth": date(2016, 5, 4), "sex": "M",
    "postcode": "XF1 2AB", "nhs_number": "9990000018", "role": "child",
}  # fmt: skip
LUCA = {**NOAH, "given_name": "Luca", "nhs_number": "9990000026"}
HIDDEN: dict[str, Any] = {
    "given_name": "Marigold", "surname": "Featherstonehaugh", "date_of_birth": date(2014, 2, 1),
    "sex": "F", "postcode": "XG7 7XX", "role": "child",
}  # fmt: skip
ADULT: dict[str, Any] = {
    "given_name": "Peregrine", "surname": "Quarrington", "date_of_birth": date(1981, 1, 9), "sex": "M",
    "postcode": "XF1 2AB", "role": "adult",
}  # fmt: skip
PLANTED = [
    ("education_attendance|mis|990155:1", NOAH, False),
    ("health_csv|RXG|1", NOAH, False),
    ("education_attendance|mis|990155:2", LUCA, False),
    ("health_csv|RXG|2", LUCA, False),
    ("education_attendance|mis|990177:3", HIDDEN, False),
    ("police_safeguarding|51|3", {**HIDDEN, "postcode": "XG7 7XX"}, True),
    ("prison|nomis|4", ADULT, False),
]


@dataclass(frozen=True)
class World:
    """A home and where the planted records came to."""

    run: Run
    rows: pa.Table

    @property
    def home(self) -> Home:
        return self.run.home


def planted_rows(like: pa.Table) -> pa.Table:
    """The planted records, in the columns of the others."""
    rows = [
        {
            **dict.fromkeys(like.column_names),
            **person,
            "record_key": key,
            "feed": key.split("|", maxsplit=1)[0],
            "system": key.split("|")[1],
            "source_person_id": key.split("|")[2],
            "is_restricted": is_restricted,
        }
        for key, person, is_restricted in PLANTED
    ]
    return pa.Table.from_pylist(rows, like.schema)


def make_world(root: Path) -> World:
    """A home after one run."""
    others = synthetic_records(300, 7)
    rows = pa.concat_tables([others, planted_rows(others)]).sort_by("record_key")
    return World(make_run(root, rows, "first"), rows)
