"""Look-ups for people and systems: who is this child, and what became of an identifier.

`demographics` reads what somebody knows of a child, `grading` turns scored records into candidates with
the evidence in words, and `identify` is both over a run's records; `register` and `changes` read the hub, and
`service` asks them. Both doors are behind the gate of reads: the commands and the API call nothing else.
"""

from __future__ import annotations

from ffp_data.lookups.demographics import Demographics
from ffp_data.lookups.grading import Answer, Candidate, Grade
from ffp_data.lookups.identify import Identify, NamesThePersonError, NotEnoughError
from ffp_data.lookups.service import Lookups, NotThereError

__all__ = [
    "Answer",
    "Candidate",
    "Demographics",
    "Grade",
    "Identify",
    "Lookups",
    "NamesThePersonError",
    "NotEnoughError",
    "NotThereError",
]
