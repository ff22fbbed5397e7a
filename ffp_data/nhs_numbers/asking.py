"""Asks for the children of a released file and delivers the answers to the hub's own landing folder.

What crosses is what the file's manifest says, and what comes back enters like any delivery: by contract,
under agreement, with its line. Each answer is on disk before the next question, so that a crash asks
nobody twice; when the service fails, what was answered is delivered and the rest waits for another day.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Protocol

from ffp_data.nhs_numbers.service import Question, Reply, Unavailable

FEED = "sui_matcher"
HEADER = (
    "Id", "GivenName", "Surname", "DOB", "Gender", "PostCode", "Outcome", "NhsNumber", "Faults", "AskedOn",
)  # fmt: skip
_PART = ".get-an-identifier.part"


class Asked(Protocol):
    """Whoever answers a question; `ffp_data.nhs_numbers.service.Service` is the one."""

    def ask(self, question: Question) -> Reply | Unavailable: ...


@dataclass
class Asking:
    """What became of the questions. `delivered` is None where nobody was answered."""

    counts: dict[str, int] = field(default_factory=dict)
    left: int = 0
    trouble: str | None = None
    delivered: Path | None = None

    def figures(self) -> dict[str, object]:
        return {
            **{f"answered {name}": n for name, n in sorted(self.counts.items())},
            "not asked": self.left,
            **({"stopped by": self.trouble} if self.trouble else {}),
            "delivered as": self.delivered.name if self.delivered else "nothing to deliver",
        }


def read_questions(released: Path) -> list[Question]:
    """The children of `children.csv` as it was released, in the file's order."""
    with released.open(encoding="utf-8", newline="") as file:
        return [
            Question(
                row["Id"],
                row["GivenName"],
                row["Surname"],
                date.fromisoformat(row["DOB"]),
                row["Gender"],
                row["PostCode"],
            )
            for row in csv.DictReader(file)
        ]


def ask_for(questions: list[Question], service: Asked, landing: Path, now: datetime) -> Asking:
    """Ask for each child who was not answered before a crash; deliver the answers below `landing`."""
    folder = landing / FEED
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = folder / _PART
    answered = _take_over(part)
    open_questions = [each for each in questions if each.record_key not in answered]
    asking = Asking(left=len(open_questions))
    with part.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        for question in open_questions:
            reply = service.ask(question)
            if isinstance(reply, Unavailable):
                asking.trouble = reply.reason
                break
            writer.writerow(_row(question, reply, now.date()))
            file.flush()
            asking.left -= 1
    asking.delivered = _deliver(part, folder / f"{now:%Y%m%dT%H%M%SZ}_identifier-answers.csv")
    if asking.delivered:
        for row in _rows(asking.delivered):
            asking.counts[row["Outcome"]] = asking.counts.get(row["Outcome"], 0) + 1
    return asking


def _row(question: Question, reply: Reply, asked_on: date) -> tuple[str, ...]:
    return (
        question.record_key,
        question.given_name,
        question.surname,
        question.date_of_birth.isoformat(),
        question.gender,
        question.postcode,
        reply.result.value,
        reply.nhs_number,
        " ".join(reply.faults),
        asked_on.isoformat(),
    )


def _take_over(part: Path) -> set[str]:
    """Records that an asking answered before it was cut off; a torn last line is taken off."""
    if not part.exists():
        part.write_text(",".join(HEADER) + "\n", "utf-8")
        part.chmod(0o600)
    whole = part.read_bytes()
    part.write_bytes(whole[: whole.rfind(b"\n") + 1])
    return {row["Id"] for row in _rows(part)}


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _deliver(part: Path, name: Path) -> Path | None:
    if next(_rows(part), None) is None:
        part.unlink()
        return None
    return part.rename(name)
