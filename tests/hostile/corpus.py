"""What a case of the hostile corpus is, and the good file that each of them spoils.

A case builds one delivery in the landing folder of its feed and says what must become of it: refused
whole with a rule, loaded with some rows or values set aside under rules, or simply loaded because the
odd thing in it is nobody's fault. The contracts are the corpus's own, so that no change of a real feed
moves what is shown here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ffp_data import feeds

CONTRACTS = feeds.load_contracts(Path(__file__).parent / "contracts")
STAMP = "20260401T030000Z_001"
HEADER = "person_no,nhs_number,given_name,surname,date_of_birth,note,visits,amount,seen"
GOOD = "1,9990000018,Ada,Sample,2019-05-04,,3,0.5,2026-01-02"
SECRET = "Zebediah"
"""A given name that hostile rows carry: it may stand in no error, quarantine or book."""

Outcome = Literal["refused", "set_aside", "loaded"]


@dataclass(frozen=True)
class Case:
    """One hostile delivery. `rows` is what the table `people` of the feed must hold afterwards."""

    name: str
    feed: str
    build: Callable[[Path], object]
    outcome: Outcome
    rules: frozenset[str]
    rows: int


def file(name: str, content: bytes | Callable[[], bytes]) -> Callable[[Path], object]:
    """Builds the one file `name` in the feed's folder; large contents are made only when asked for."""
    return lambda folder: (folder / name).write_bytes(content() if callable(content) else content)


def refused(name: str, feed: str, build: Callable[[Path], object], *rules: str) -> Case:
    return Case(name, feed, build, "refused", frozenset(rules), 0)


def set_aside(
    name: str, feed: str, build: Callable[[Path], object], rows: int, *rules: str
) -> Case:
    return Case(name, feed, build, "set_aside", frozenset(rules), rows)


def loaded(name: str, feed: str, build: Callable[[Path], object], rows: int) -> Case:
    return Case(name, feed, build, "loaded", frozenset(), rows)
