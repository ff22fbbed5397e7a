"""A file of children asked for one by one: nobody twice, nothing lost, and delivered like any other feed."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from ffp_data.nhs_numbers.asking import HEADER, Asking, ask_for
from ffp_data.nhs_numbers.service import Question, Reply, Result, Unavailable

NOW = datetime(2026, 4, 1, 3, 0, tzinfo=UTC)
CHILDREN = [
    Question(f"early_help|ehm|{n}", f"Zoë {n}", "O'Brien, Reed", date(2019, 5, 2)) for n in range(4)
]
FOUND = Reply(Result.FOUND, "9000000009")


class Answering:
    """Finds everybody, until it is told to fail."""

    def __init__(self, fails_at: int | None = None, error: Exception | None = None) -> None:
        self.asked: list[str] = []
        self._fails_at, self._error = fails_at, error

    def ask(self, question: Question) -> Reply | Unavailable:
        if len(self.asked) == self._fails_at:
            if self._error:
                raise self._error
            return Unavailable("HTTP 502 after 5 tries")
        self.asked.append(question.record_key)
        return FOUND


def rows(asking: Asking) -> list[dict[str, str]]:
    assert asking.delivered is not None
    with asking.delivered.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_child_is_asked_for_and_the_answers_are_delivered(tmp_path: Path) -> None:
    asking = ask_for(CHILDREN, Answering(), tmp_path, NOW)
    assert asking.delivered == tmp_path / "sui_matcher" / "20260401T030000Z_identifier-answers.csv"
    assert (asking.counts, asking.left, asking.trouble) == ({"found": 4}, 0, None)
    assert [tuple(row) for row in rows(asking)] == [HEADER] * 4
    first = rows(asking)[0]
    assert (first["GivenName"], first["Surname"]) == ("Zoë 0", "O'Brien, Reed")
    assert (first["NhsNumber"], first["AskedOn"]) == ("9000000009", "2026-04-01")


def test_when_the_service_fails_what_was_answered_is_delivered(tmp_path: Path) -> None:
    asking = ask_for(CHILDREN, Answering(fails_at=1), tmp_path, NOW)
    assert (asking.counts, asking.left) == ({"found": 1}, 3)
    assert asking.trouble == "HTTP 502 after 5 tries"
    assert len(rows(asking)) == 1


def test_when_nobody_was_answered_nothing_is_delivered(tmp_path: Path) -> None:
    asking = ask_for(CHILDREN, Answering(fails_at=0), tmp_path, NOW)
    assert asking.delivered is None
    assert not list((tmp_path / "sui_matcher").iterdir())


@pytest.mark.parametrize("torn", ["", "early_help|ehm|2,Zo"], ids=["whole", "torn line"])
def test_a_crash_asks_nobody_twice(tmp_path: Path, torn: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        ask_for(CHILDREN, Answering(2, KeyboardInterrupt()), tmp_path, NOW)  # type: ignore[arg-type]
    (part,) = (tmp_path / "sui_matcher").iterdir()
    assert part.name.startswith(".")
    with part.open("a", encoding="utf-8") as file:
        file.write(torn)
    again = Answering()
    asking = ask_for(CHILDREN, again, tmp_path, NOW)
    assert again.asked == [child.record_key for child in CHILDREN[2:]]
    assert [row["Id"] for row in rows(asking)] == [child.record_key for child in CHILDREN]
